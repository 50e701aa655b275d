"""The JSON of Microsoft Graph's objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.microsoft365.objects import AdministrativeUnit, Group
from tests.microsoft365.snapshot import stable_id

if TYPE_CHECKING:
    from tests.microsoft365.objects import (
        Application,
        AppRoleAssignment,
        ConditionalAccessPolicy,
        ConsentGrant,
        DirectoryRole,
        DirectoryRoleAssignment,
        GroupEligibility,
        ServicePrincipal,
        User,
    )
    from tests.microsoft365.snapshot import Tenant

# What a user resource shows when `$select` is absent, and what User.ReadBasic.All may select.
DEFAULT_USER_PROPERTIES = (
    "businessPhones",
    "displayName",
    "givenName",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
    "id",
)
BASIC_USER_PROPERTIES = frozenset({"displayName", "givenName", "surname", "mail", "userPrincipalName", "id"})


def user(person: User) -> dict[str, Any]:
    """A user with every property the tests may select, except `signInActivity`."""
    return {
        "businessPhones": [],
        "displayName": person.display_name,
        "givenName": None,
        "jobTitle": None,
        "mail": person.user_principal_name if person.has_mailbox else None,
        "mobilePhone": None,
        "officeLocation": None,
        "preferredLanguage": None,
        "surname": None,
        "userPrincipalName": person.user_principal_name,
        "id": person.id,
        "accountEnabled": person.account_enabled,
        "userType": person.user_type,
        "onPremisesSyncEnabled": person.on_premises_sync_enabled,
        "onPremisesImmutableId": None,
        "onPremisesSecurityIdentifier": None,
        "onPremisesDistinguishedName": None,
        "createdDateTime": person.created,
        "lastPasswordChangeDateTime": person.last_password_change,
        "passwordPolicies": "DisablePasswordExpiration",
        "assignedLicenses": _licences(person),
        "department": None,
        "employeeId": None,
        "companyName": None,
        "deletedDateTime": None,
        "externalUserState": None,
    }


def _licences(person: User) -> list[dict[str, Any]]:
    sku = stable_id("sku", "EXCHANGESTANDARD")
    return [{"disabledPlans": [], "skuId": sku}] if person.licensed else []


def sign_in_activity(person: User) -> dict[str, Any]:
    """The value of `signInActivity`."""
    request = stable_id("sign-in", person.id)
    return {
        "lastSignInDateTime": person.last_sign_in,
        "lastSignInRequestId": request,
        "lastNonInteractiveSignInDateTime": person.last_sign_in,
        "lastNonInteractiveSignInRequestId": request,
        "lastSuccessfulSignInDateTime": person.last_sign_in,
        "lastSuccessfulSignInRequestId": request,
    }


def group(item: Group) -> dict[str, Any]:
    """A group."""
    nickname = item.display_name.replace(" ", "-").lower()
    return {
        "id": item.id,
        "deletedDateTime": None,
        "createdDateTime": "2026-01-12T08:00:00Z",
        "description": None,
        "displayName": item.display_name,
        "groupTypes": [],
        "isAssignableToRole": item.role_assignable or None,
        "mail": f"{nickname}@contoso.example" if item.mail_enabled else None,
        "mailEnabled": item.mail_enabled,
        "mailNickname": nickname,
        "membershipRule": None,
        "onPremisesSyncEnabled": None,
        "securityEnabled": item.security_enabled,
        "visibility": None,
    }


def administrative_unit(unit: AdministrativeUnit) -> dict[str, Any]:
    """An administrative unit."""
    return {
        "id": unit.id,
        "deletedDateTime": None,
        "displayName": unit.display_name,
        "description": None,
        "visibility": None,
    }


def activated_role_id(role: DirectoryRole) -> str:
    """The object id a directory role has once it is activated; not its template id."""
    return stable_id("directory role", role.display_name)


def directory_role(role: DirectoryRole) -> dict[str, Any]:
    """An activated directory role."""
    return {
        "id": activated_role_id(role),
        "deletedDateTime": None,
        "displayName": role.display_name,
        "description": f"Composed description of {role.display_name}.",
        "roleTemplateId": role.id,
    }


def role_definition(role: DirectoryRole, *, beta: bool = False) -> dict[str, Any]:
    """A directory role definition; `isPrivileged` exists in beta only."""
    definition: dict[str, Any] = {
        "id": role.id,
        "displayName": role.display_name,
        "description": f"Composed description of {role.display_name}.",
        "isBuiltIn": role.is_built_in,
        "isEnabled": True,
        "resourceScopes": ["/"],
        "templateId": role.id,
        "version": "1",
        "rolePermissions": [{"allowedResourceActions": [], "condition": None}],
    }
    return definition | {"isPrivileged": role.is_privileged} if beta else definition


def role_assignment(tenant: Tenant, assignment: DirectoryRoleAssignment) -> dict[str, Any]:
    """An active directory role assignment."""
    return {
        "id": assignment.id,
        "principalId": assignment.principal_id,
        "principalOrganizationId": tenant.id,
        "roleDefinitionId": assignment.role_id,
        "directoryScopeId": assignment.scope,
        "appScopeId": None,
        "condition": None,
    }


def assignment_instance(assignment: DirectoryRoleAssignment) -> dict[str, Any]:
    """A schedule instance of an active assignment; both times are null when it is permanent."""
    return _schedule_instance(assignment) | {
        "assignmentType": assignment.assignment_type,
        "roleAssignmentOriginId": assignment.id,
        "roleAssignmentScheduleId": stable_id("schedule", assignment.id),
    }


def eligibility_instance(eligibility: DirectoryRoleAssignment) -> dict[str, Any]:
    """A schedule instance of an eligibility."""
    return _schedule_instance(eligibility) | {
        "roleEligibilityScheduleId": stable_id("schedule", eligibility.id)
    }


def _schedule_instance(assignment: DirectoryRoleAssignment) -> dict[str, Any]:
    return {
        "id": assignment.id,
        "principalId": assignment.principal_id,
        "roleDefinitionId": assignment.role_id,
        "directoryScopeId": assignment.scope,
        "appScopeId": None,
        "startDateTime": assignment.start,
        "endDateTime": assignment.end,
        "memberType": "Direct",
    }


def group_eligibility_instance(eligibility: GroupEligibility) -> dict[str, Any]:
    """A principal's eligibility for membership of a group."""
    return {
        "id": eligibility.id,
        "principalId": eligibility.principal_id,
        "groupId": eligibility.group_id,
        "accessId": eligibility.access,
        "memberType": "direct",
        "startDateTime": "2026-01-12T08:00:00Z",
        "endDateTime": None,
        "eligibilityScheduleId": stable_id("schedule", eligibility.id),
    }


def service_principal(tenant: Tenant, item: ServicePrincipal) -> dict[str, Any]:
    """A service principal."""
    roles = [
        {
            "id": role_id,
            "value": value,
            "displayName": value,
            "description": value,
            "isEnabled": True,
            "allowedMemberTypes": ["Application"],
            "origin": "Application",
        }
        for value, role_id in item.app_roles
    ]
    return {
        "id": item.id,
        "appId": item.app_id,
        "displayName": item.display_name,
        "accountEnabled": True,
        "appDisplayName": item.display_name,
        "appOwnerOrganizationId": item.owner_tenant_id or tenant.id,
        "servicePrincipalType": "Application",
        "signInAudience": "AzureADMultipleOrgs",
        "appRoles": roles,
        "oauth2PermissionScopes": [
            {
                "id": stable_id("scope", value),
                "value": value,
                "adminConsentDisplayName": meaning,
                "adminConsentDescription": meaning,
                "type": "Admin",
                "isEnabled": True,
            }
            for value, meaning in item.scopes
        ],
        "passwordCredentials": _secrets(item),
        "keyCredentials": [],
        "tags": [],
        "servicePrincipalNames": [item.app_id],
        "verifiedPublisher": {"displayName": None, "verifiedPublisherId": None, "addedDateTime": None},
        "appRoleAssignmentRequired": False,
        "deletedDateTime": None,
    }


def _secrets(item: ServicePrincipal) -> list[dict[str, Any]]:
    if item.secret_ends is None:
        return []
    return [{
        "keyId": stable_id("secret", item.id),
        "displayName": None,
        "hint": None,
        "secretText": None,
        "startDateTime": "2025-01-01T00:00:00Z",
        "endDateTime": item.secret_ends,
    }]  # fmt: skip


def application(item: Application) -> dict[str, Any]:
    """A registered application."""
    return {"id": item.id, "appId": item.app_id, "displayName": item.display_name, "deletedDateTime": None}


def conditional_access_policy(policy: ConditionalAccessPolicy) -> dict[str, Any]:
    """A Conditional Access policy."""
    locations = {
        "includeLocations": list(policy.locations or ("All",)),
        "excludeLocations": list(policy.without_locations),
    }
    frequency = {
        "value": policy.sign_in_hours,
        "type": "hours",
        "isEnabled": True,
        "authenticationType": "primaryAndSecondaryAuthentication",
        "frequencyInterval": "timeBased",
    }
    return {
        "id": policy.id,
        "displayName": policy.display_name,
        "state": policy.state,
        "createdDateTime": "2026-01-12T08:00:00Z",
        "conditions": {
            "clientAppTypes": ["all"],
            "userRiskLevels": [],
            "signInRiskLevels": [],
            "platforms": None,
            "devices": None,
            "clientApplications": None,
            "applications": {
                "includeApplications": list(policy.applications),
                "excludeApplications": list(policy.without_applications),
                "includeUserActions": [],
            },
            "users": {
                "includeUsers": list(policy.users),
                "excludeUsers": list(policy.without_users),
                "includeGroups": list(policy.groups),
                "excludeGroups": list(policy.without_groups),
                "includeRoles": list(policy.roles),
                "excludeRoles": list(policy.without_roles),
            },
            "locations": locations if policy.locations or policy.without_locations else None,
        },
        "grantControls": {
            "operator": "OR",
            "builtInControls": list(policy.controls),
            "authenticationStrength": None,
        }
        if policy.controls
        else None,
        "sessionControls": None if policy.sign_in_hours is None else {"signInFrequency": frequency},
    }


def security_defaults(tenant: Tenant) -> dict[str, Any]:
    """The policy that says whether Microsoft's security defaults are in force."""
    return {
        "id": "00000000-0000-0000-0000-000000000005",
        "displayName": "Security Defaults",
        "isEnabled": tenant.has_security_defaults,
    }


def consent_grant(grant: ConsentGrant) -> dict[str, Any]:
    """A delegated permission grant. Its scope begins with a space, as scopes that were added later do."""
    return {
        "id": grant.id,
        "clientId": grant.client_id,
        "principalId": grant.principal_id,
        "consentType": "Principal" if grant.principal_id else "AllPrincipals",
        "resourceId": grant.resource_id,
        "scope": f" {grant.scope}",
    }


def app_role_assignment(tenant: Tenant, assignment: AppRoleAssignment) -> dict[str, Any]:
    """An application permission given to a service principal."""
    return {
        "id": assignment.id,
        "deletedDateTime": None,
        "appRoleId": assignment.app_role_id,
        "createdDateTime": "2026-01-12T08:00:00Z",
        "principalId": assignment.principal_id,
        "principalDisplayName": tenant.objects[assignment.principal_id].display_name,
        "principalType": "ServicePrincipal",
        "resourceId": assignment.resource_id,
        "resourceDisplayName": tenant.objects[assignment.resource_id].display_name,
    }


def organization(tenant: Tenant) -> dict[str, Any]:
    """The organization."""
    domains = [
        {
            "capabilities": "Email",
            "isDefault": name == tenant.domain,
            "isInitial": name != tenant.domain,
            "name": name,
            "type": "Managed",
        }
        for name in (tenant.initial_domain, tenant.domain)
    ]
    return {
        "id": tenant.id,
        "displayName": tenant.display_name,
        "verifiedDomains": domains,
        "onPremisesSyncEnabled": None,
        "tenantType": "AAD",
        "countryLetterCode": "US",
        "createdDateTime": "2020-01-01T00:00:00Z",
    }


def scoped_role_membership(tenant: Tenant, assignment: DirectoryRoleAssignment) -> dict[str, Any]:
    """A directory role held over one administrative unit."""
    role = tenant.role_definitions[assignment.role_id]
    member = tenant.objects[assignment.principal_id]
    return {
        "id": assignment.id,
        "roleId": activated_role_id(role),
        "administrativeUnitId": assignment.scope.removeprefix("/administrativeUnits/"),
        "roleMemberInfo": {"id": member.id, "displayName": member.display_name},
    }


def typed(item: object) -> dict[str, Any]:
    """A group or administrative unit as a directoryObject collection shows it, with its type."""
    match item:
        case Group():
            return {"@odata.type": "#microsoft.graph.group", **group(item)}
        case AdministrativeUnit():
            return {"@odata.type": "#microsoft.graph.administrativeUnit", **administrative_unit(item)}
        case _:
            raise TypeError(f"{item!r} contains no members in Entra ID")


def group_assignment_instance(item: Group, member_id: str, end: str | None) -> dict[str, Any]:
    """A principal's active membership of a group, as privileged identity management lists it."""
    key = stable_id("group assignment", f"{item.id} {member_id}")
    return {
        "id": key,
        "principalId": member_id,
        "groupId": item.id,
        "accessId": "member",
        "memberType": "direct",
        "assignmentType": "assigned",
        "startDateTime": "2026-01-12T08:00:00Z",
        "endDateTime": end,
        "assignmentScheduleId": stable_id("schedule", key),
    }
