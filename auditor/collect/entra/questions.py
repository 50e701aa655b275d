"""What is asked of Microsoft Graph: one method per dataset, with the least permission each needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from auditor.collect.https.answers import object_id, one_line
from auditor.collect.https.recorder import Question
from auditor.collect.https.service import LeastRight
from auditor.collect.https.transport import Call
from auditor.model.message import say

if TYPE_CHECKING:
    from collections.abc import Callable

    from auditor.model.evidence import Record

USER_PROPERTIES = (
    "id,userPrincipalName,displayName,accountEnabled,userType,onPremisesSyncEnabled,"
    "onPremisesSecurityIdentifier,onPremisesDistinguishedName,createdDateTime,lastPasswordChangeDateTime,"
    "passwordPolicies,assignedLicenses"
)
_MEMBER_PROPERTIES = "id,displayName,userPrincipalName"
_APPLICATION_PROPERTIES = "id,appId,displayName,appOwnerOrganizationId,accountEnabled,appRoles,oauth2PermissionScopes"
_MOST_MEMBERS_PER_PAGE = 999
_ROLES = "/v1.0/roleManagement/directory"
_GROUP_SCHEDULES = "/v1.0/identityGovernance/privilegedAccess/group"


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphQuestions:
    """The questions to Graph at `base`. Ids come from Graph itself and are object ids."""

    base: str

    def organization(self) -> Question:
        """Ask which tenant this is."""
        return self._question("organization", "/v1.0/organization", "Organization.Read.All", kept="id")

    def user(self, name: str) -> Question:
        """Ask for an account by its UPN or object id, and take no other."""
        key = "id" if object_id(name) else "userPrincipalName"
        return self._question(
            "user",
            f"/v1.0/users{_user_key(name)}?$select={USER_PROPERTIES}",
            "User.Read.All",
            belongs=lambda record: _same(record.get(key), name) and object_id(record.get("id")) is not None,
            is_object=True,
            kept="id",
        )

    def sign_in_activity(self, account_id: str) -> Question:
        """Ask when the account last signed in; Graph takes the object id only."""
        path = f"/v1.0/users/{account_id}?$select=id,signInActivity"
        belongs = _has("id", account_id)
        return self._question("sign_in_activity", path, "AuditLog.Read.All", belongs=belongs, is_object=True)

    def transitive_member_of(self, account_id: str) -> Question:
        """Ask for every group, directory role and administrative unit of the account."""
        path = f"/v1.0/users/{account_id}/transitiveMemberOf"
        kept = "@odata.type,id,displayName,isAssignableToRole"
        return self._question("transitive_member_of", path, "GroupMember.Read.All", kept=kept)

    def group_assignment_instances(self, account_id: str) -> Question:
        """Ask which groups Privileged Identity Management has the account in, and until when."""
        permission = "PrivilegedAssignmentSchedule.Read.AzureADGroup"
        return self._group_schedule("group_assignment_instances", "assignment", account_id, permission)

    def group_eligibility_instances(self, account_id: str) -> Question:
        """Ask which groups the account may activate its membership or ownership of."""
        permission = "PrivilegedEligibilitySchedule.Read.AzureADGroup"
        return self._group_schedule("group_eligibility_instances", "eligibility", account_id, permission)

    def role_definitions(self) -> Question:
        """Ask for every directory role of the tenant."""
        return self._question("role_definitions", f"{_ROLES}/roleDefinitions", "RoleManagement.Read.Directory")

    def role_assignments(self, principal_id: str) -> Question:
        """Ask for the directory roles of a principal."""
        permission = "RoleManagement.Read.Directory"
        return self._of_principal("role_assignments", "roleAssignments", principal_id, permission)

    def role_assignment_instances(self, principal_id: str) -> Question:
        """Ask which of a principal's roles are active, how they came about, and until when."""
        collection, permission = "roleAssignmentScheduleInstances", "RoleAssignmentSchedule.Read.Directory"
        return self._of_principal("role_assignment_instances", collection, principal_id, permission)

    def role_eligibility_instances(self, principal_id: str) -> Question:
        """Ask which roles a principal may activate."""
        collection, permission = "roleEligibilityScheduleInstances", "RoleEligibilitySchedule.Read.Directory"
        return self._of_principal("role_eligibility_instances", collection, principal_id, permission)

    def group_owners(self, group_id: str) -> Question:
        """Ask who may add members to a group."""
        path = f"/v1.0/groups/{group_id}/owners?$select={_MEMBER_PROPERTIES}"
        return self._question("group_owners", path, "GroupMember.Read.All", subject=group_id)

    def group_members(self, group_id: str) -> Question:
        """Ask for everybody in a group, through any nesting."""
        options = f"$select={_MEMBER_PROPERTIES}&$top={_MOST_MEMBERS_PER_PAGE}"
        path = f"/v1.0/groups/{group_id}/transitiveMembers?{options}"
        return self._question("group_members", path, "GroupMember.Read.All", subject=group_id)

    def administrative_unit(self, unit_id: str) -> Question:
        """Ask for the name of an administrative unit."""
        path = f"/v1.0/directory/administrativeUnits/{unit_id}?$select=id,displayName"
        return self._object_of_id("administrative_unit", path, unit_id, "Directory.Read.All")

    def conditional_access_policies(self) -> Question:
        """Ask for every Conditional Access policy of the tenant."""
        path = "/v1.0/identity/conditionalAccess/policies"
        return self._question("conditional_access_policies", path, "Policy.Read.All")

    def security_defaults(self) -> Question:
        """Ask whether the tenant uses Microsoft's security defaults."""
        path = "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy"
        return self._question("security_defaults", path, "Policy.Read.All", belongs=_is_switch, is_object=True)

    def consent_grants(self, account_id: str) -> Question:
        """Ask for the delegated permissions granted in the account's name."""
        path = f"/v1.0/users/{account_id}/oauth2PermissionGrants"
        belongs, kept = _has("principalId", account_id), "clientId,resourceId"
        return self._question("consent_grants", path, "Directory.Read.All", belongs=belongs, kept=kept)

    def owned_objects(self, account_id: str) -> Question:
        """Ask for the groups, applications and service principals the account owns."""
        path = f"/v1.0/users/{account_id}/ownedObjects"
        kept = "@odata.type,id,appId,isAssignableToRole"
        return self._question("owned_objects", path, "Directory.Read.All", kept=kept)

    def service_principal_of_application(self, app_id: str) -> Question:
        """Ask for the service principal of an application the account owns."""
        path = f"/v1.0/servicePrincipals?$filter={_equals('appId', app_id)}&$select={_APPLICATION_PROPERTIES}"
        dataset, belongs = "owned_application_principal", _has("appId", app_id)
        return self._question(dataset, path, "Application.Read.All", subject=app_id, belongs=belongs, kept="id")

    def owned_app_role_assignments(self, principal_id: str) -> Question:
        """Ask for the application permissions of a service principal the account owns."""
        return self._app_roles("owned_app_role_assignments", principal_id, subject=principal_id)

    def vendor_service_principal(self, app_id: str) -> Question:
        """Ask for the vendor's enterprise application."""
        path = f"/v1.0/servicePrincipals?$filter={_equals('appId', app_id)}"
        belongs = _has("appId", app_id)
        return self._question("vendor_service_principal", path, "Application.Read.All", belongs=belongs, kept="id")

    def vendor_consent_grants(self, principal_id: str) -> Question:
        """Ask for the delegated permissions of the vendor's application."""
        path = f"/v1.0/oauth2PermissionGrants?$filter={_equals('clientId', principal_id)}"
        belongs, kept = _has("clientId", principal_id), "resourceId"
        return self._question("vendor_consent_grants", path, "Directory.Read.All", belongs=belongs, kept=kept)

    def vendor_app_role_assignments(self, principal_id: str) -> Question:
        """Ask for the application permissions of the vendor's application."""
        return self._app_roles("vendor_app_role_assignments", principal_id)

    def service_principal(self, principal_id: str) -> Question:
        """Ask who was granted something, or what the permissions of a resource mean."""
        path = f"/v1.0/servicePrincipals/{principal_id}?$select={_APPLICATION_PROPERTIES}"
        return self._object_of_id("service_principal", path, principal_id, "Application.Read.All")

    def _app_roles(self, dataset: str, principal_id: str, *, subject: str = "") -> Question:
        path = f"/v1.0/servicePrincipals/{principal_id}/appRoleAssignments"
        belongs, permission = _has("principalId", principal_id), "Application.Read.All"
        return self._question(dataset, path, permission, subject=subject, belongs=belongs, kept="resourceId")

    def _object_of_id(self, dataset: str, path: str, expected: str, permission: str) -> Question:
        belongs = _has("id", expected)
        return self._question(dataset, path, permission, subject=expected, belongs=belongs, is_object=True)

    def _of_principal(self, dataset: str, collection: str, principal_id: str, permission: str) -> Question:
        path = f"{_ROLES}/{collection}?$filter={_equals('principalId', principal_id)}&$expand=roleDefinition"
        belongs = _has("principalId", principal_id)
        return self._question(
            dataset, path, permission, subject=principal_id, belongs=belongs, kept="directoryScopeId"
        )

    def _group_schedule(self, dataset: str, kind: str, account_id: str, permission: str) -> Question:
        filtered = _equals("principalId", account_id)
        path = f"{_GROUP_SCHEDULES}/{kind}ScheduleInstances?$filter={filtered}&$expand=group"
        return self._question(dataset, path, permission, belongs=_has("principalId", account_id), kept="groupId")

    def _question(  # noqa: PLR0913 - a question has this many parts
        self,
        dataset: str,
        path: str,
        permission: str,
        *,
        subject: str = "",
        belongs: Callable[[Record], bool] = lambda _: True,
        is_object: bool = False,
        kept: str = "",
    ) -> Question:
        url = f"{self.base}{path}"
        return Question(
            dataset=dataset,
            call=Call(name=one_line(f"GET {path.partition('?')[0]}"), method="GET", url=url),
            query={"method": "GET", "url": url},
            least_right=LeastRight(
                of_application=say("Microsoft Graph application permission {name}", name=permission),
                of_person=say("Microsoft Graph delegated permission {name}", name=permission),
            ),
            subject=subject,
            belongs=belongs,
            is_object=is_object,
            kept=frozenset(kept.split(",")) if kept else frozenset(),
        )


def _user_key(name: str) -> str:
    """Return the path segment of a user; a name that begins with `$` is only understood in parentheses."""
    if name.startswith("$"):
        return f"('{quote(name.replace(chr(39), chr(39) * 2), safe='@')}')"
    return f"/{quote(name, safe='@')}"


def _equals(field: str, value: str) -> str:
    literal = value.replace("'", "''")
    return quote(f"{field} eq '{literal}'", safe="'")


def _has(field: str, expected: str) -> Callable[[Record], bool]:
    return lambda record: _same(record.get(field), expected)


def _is_switch(record: Record) -> bool:
    return isinstance(record.get("isEnabled"), bool)


def _same(value: object, expected: str) -> bool:
    return isinstance(value, str) and value.casefold() == expected.casefold()
