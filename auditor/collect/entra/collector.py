"""The reads of one account in Microsoft Entra ID: one method per dataset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from auditor.collect.https.answers import object_id
from auditor.collect.https.recorder import Question, Recorded, Recorder
from auditor.collect.https.transport import Call

if TYPE_CHECKING:
    from collections.abc import Callable

    from auditor.model.connection import ExchangeOnlineConnection
    from auditor.model.evidence import Record

USER_PROPERTIES = (
    "id,userPrincipalName,displayName,accountEnabled,userType,onPremisesSyncEnabled,"
    "onPremisesSecurityIdentifier,onPremisesDistinguishedName,createdDateTime,lastPasswordChangeDateTime,"
    "passwordPolicies,assignedLicenses"
)
DEPENDENT_DATASETS = (
    "transitive_member_of",
    "role_assignments",
    "role_assignment_instances",
    "role_eligibility_instances",
    "consent_grants",
)
_ROLES = "/v1.0/roleManagement/directory"
# Members of a tenant's hierarchy that are no groups and so cannot pass a role on.
_NO_GROUPS = frozenset({"#microsoft.graph.directoryRole", "#microsoft.graph.administrativeUnit"})


@dataclass(frozen=True, slots=True, kw_only=True)
class EntraAccount:
    """What later reads need: the ids of tenant and account, as far as they are known."""

    tenant_id: str | None
    account_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntraCollector:
    """Writes what Microsoft Graph tells about the account of one connection."""

    recorder: Recorder
    connection: ExchangeOnlineConnection

    def collect(self) -> EntraAccount:
        """Read every dataset of Microsoft Entra ID."""
        tenant_id = self.organization()
        user = self.user()
        account_id = _id_of(user) or object_id(self.connection.service_account)
        if account_id is not None:
            self._collect_rights(account_id)
        elif user.gap is not None:
            self.recorder.leave_out(user.gap, *DEPENDENT_DATASETS)
        self.role_definitions()
        if self.connection.vendor_app_id is not None:
            self._collect_vendor(self.connection.vendor_app_id)
        return EntraAccount(tenant_id=tenant_id, account_id=account_id)

    def _collect_rights(self, account_id: str) -> None:
        for principal in (account_id, *self.groups_that_may_hold_roles(account_id)):
            self.role_assignments(principal)
            self.role_schedule_instances(principal)
        self.consent_grants(account_id)

    def _collect_vendor(self, app_id: str) -> None:
        found = self.vendor_service_principal(app_id)
        principal_id = _id_of(found)
        if principal_id is not None:
            self.vendor_consent_grants(principal_id)
            self.vendor_app_role_assignments(principal_id)
        elif found.gap is not None:  # an application proven absent was granted nothing
            self.recorder.leave_out(found.gap, "vendor_consent_grants", "vendor_app_role_assignments")

    def organization(self) -> str | None:
        """Read the tenant and return its id."""
        return _id_of(self._collection("organization", "/v1.0/organization", "Organization.Read.All"))

    def user(self) -> Recorded:
        """Read the account, and make sure that it is the one asked for."""
        name = self.connection.service_account
        key = "id" if object_id(name) else "userPrincipalName"
        return self.recorder.record_object(self._question(
            "user",
            f"/v1.0/users{_user_key(name)}?$select={USER_PROPERTIES}",
            "User.Read.All",
            belongs=lambda record: _same(record.get(key), name) and object_id(record.get("id")) is not None,
        ))

    def groups_that_may_hold_roles(self, account_id: str) -> tuple[str, ...]:
        """Read every group of the account; return the ids of those not known to be without roles.

        Without the right to read groups, Graph shows only type and id: such a group counts as well.
        """
        path = f"/v1.0/users/{account_id}/transitiveMemberOf"
        groups = self._collection("transitive_member_of", path, "GroupMember.Read.All").records
        ids = (object_id(group.get("id")) for group in groups if _may_hold_roles(group))
        return tuple(dict.fromkeys(group_id for group_id in ids if group_id is not None))

    def role_assignments(self, principal_id: str) -> None:
        """Read the directory roles a principal holds."""
        permission = "RoleManagement.Read.Directory"
        self._of_principal("role_assignments", "roleAssignments", principal_id, permission)

    def role_schedule_instances(self, principal_id: str) -> None:
        """Read what Privileged Identity Management says about a principal's roles."""
        self._of_principal(
            "role_assignment_instances",
            "roleAssignmentScheduleInstances",
            principal_id,
            "RoleAssignmentSchedule.Read.Directory",
        )
        self._of_principal(
            "role_eligibility_instances",
            "roleEligibilityScheduleInstances",
            principal_id,
            "RoleEligibilitySchedule.Read.Directory",
        )

    def role_definitions(self) -> None:
        """Read every directory role of the tenant."""
        self._collection("role_definitions", f"{_ROLES}/roleDefinitions", "RoleManagement.Read.Directory")

    def consent_grants(self, account_id: str) -> None:
        """Read the delegated permissions granted in the account's name."""
        path = f"/v1.0/users/{account_id}/oauth2PermissionGrants"
        self._collection("consent_grants", path, "Directory.Read.All", belongs=_is("principalId", account_id))

    def vendor_service_principal(self, app_id: str) -> Recorded:
        """Read the vendor's enterprise application."""
        path = f"/v1.0/servicePrincipals?$filter={_equals('appId', app_id)}"
        belongs = _is("appId", app_id)
        return self._collection("vendor_service_principal", path, "Application.Read.All", belongs=belongs)

    def vendor_consent_grants(self, principal_id: str) -> None:
        """Read the delegated permissions of the vendor's application."""
        path = f"/v1.0/oauth2PermissionGrants?$filter={_equals('clientId', principal_id)}"
        belongs = _is("clientId", principal_id)
        self._collection("vendor_consent_grants", path, "Directory.Read.All", belongs=belongs)

    def vendor_app_role_assignments(self, principal_id: str) -> None:
        """Read the application permissions of the vendor's application."""
        path = f"/v1.0/servicePrincipals/{principal_id}/appRoleAssignments"
        belongs = _is("principalId", principal_id)
        self._collection("vendor_app_role_assignments", path, "Application.Read.All", belongs=belongs)

    def _of_principal(self, dataset: str, collection: str, principal_id: str, permission: str) -> None:
        path = f"{_ROLES}/{collection}?$filter={_equals('principalId', principal_id)}&$expand=roleDefinition"
        belongs = _is("principalId", principal_id)
        self._collection(dataset, path, permission, subject=principal_id, belongs=belongs)

    def _collection(
        self,
        dataset: str,
        path: str,
        permission: str,
        *,
        subject: str = "",
        belongs: Callable[[Record], bool] = lambda _: True,
    ) -> Recorded:
        question = self._question(dataset, path, permission, subject=subject, belongs=belongs)
        return self.recorder.record_collection(question)

    def _question(
        self,
        dataset: str,
        path: str,
        permission: str,
        *,
        subject: str = "",
        belongs: Callable[[Record], bool],
    ) -> Question:
        url = f"{self.recorder.service.base}{path}"
        return Question(
            dataset=dataset,
            call=Call(name=f"GET {path.partition('?')[0]}", method="GET", url=url),
            query={"method": "GET", "url": url},
            least_permission=f"Microsoft Graph application permission {permission}",
            subject=subject,
            belongs=belongs,
        )


def _may_hold_roles(member_of: Record) -> bool:
    is_group = str(member_of.get("@odata.type")) not in _NO_GROUPS
    return is_group and member_of.get("isAssignableToRole") is not False


def _user_key(name: str) -> str:
    """Return the path segment of a user; a name that begins with `$` is only understood in parentheses."""
    if name.startswith("$"):
        return f"('{quote(name.replace(chr(39), chr(39) * 2), safe='@')}')"
    return f"/{quote(name, safe='@')}"


def _equals(field: str, value: str) -> str:
    literal = value.replace("'", "''")
    return quote(f"{field} eq '{literal}'", safe="'")


def _is(field: str, expected: str) -> Callable[[Record], bool]:
    return lambda record: _same(record.get(field), expected)


def _same(value: object, expected: str) -> bool:
    return isinstance(value, str) and value.casefold() == expected.casefold()


def _id_of(read: Recorded) -> str | None:
    """Return the id of the one object a read found; several would be a choice nobody made."""
    ids = {object_id(record.get("id")) for record in read.records}
    return ids.pop() if len(ids) == 1 else None
