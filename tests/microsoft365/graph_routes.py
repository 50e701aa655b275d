"""The Graph reads the tool may need, each behind its least application permission or a broader one."""

from __future__ import annotations

from tests.microsoft365 import graph_reads as reads
from tests.microsoft365.graph_calls import Route

_USER = ("User.ReadBasic.All", "User.Read.All", "Directory.Read.All")
_MEMBERSHIP = ("User.Read.All", "GroupMember.Read.All", "Directory.Read.All")
_GROUP = ("GroupMember.Read.All", "Group.Read.All", "Directory.Read.All")
_ROLES = ("RoleManagement.Read.Directory", "Directory.Read.All")
_APPLICATION = ("Application.Read.All", "Directory.Read.All")
_CONSENT = ("Directory.Read.All",)
_ASSIGNMENT_SCHEDULE = ("RoleAssignmentSchedule.Read.Directory", "RoleManagement.Read.Directory")
_ELIGIBILITY_SCHEDULE = ("RoleEligibilitySchedule.Read.Directory", "RoleManagement.Read.Directory")
_DIRECTORY = "/roleManagement/directory"
_GROUP_PIM = "/identityGovernance/privilegedAccess/group"
_ASSIGNMENT_FILTERS = ("principalId", "roleDefinitionId", "directoryScopeId")

ROUTES = (
    Route(
        path="/organization",
        any_of=("Organization.Read.All", "User.Read.All", "Directory.Read.All"),
        handler=reads.organization,
    ),
    Route(path="/users", any_of=_USER, handler=reads.users, filters=("userPrincipalName", "id", "mail")),
    Route(path="/users/{id}", any_of=_USER, handler=reads.user),
    Route(path="/users/{id}/transitiveMemberOf", any_of=_MEMBERSHIP, handler=reads.transitive_member_of),
    Route(
        path="/users/{id}/transitiveMemberOf/microsoft.graph.group",
        any_of=_MEMBERSHIP,
        handler=reads.transitive_groups,
    ),
    Route(path="/users/{id}/memberOf", any_of=_MEMBERSHIP, handler=reads.member_of),
    Route(
        path="/users/{id}/scopedRoleMemberOf",
        any_of=("Directory.Read.All",),
        handler=reads.scoped_role_member_of,
    ),
    Route(path="/users/{id}/oauth2PermissionGrants", any_of=_CONSENT, handler=reads.consent_grants_of_user),
    Route(path="/users/{id}/ownedObjects", any_of=("Directory.Read.All",), handler=reads.owned_objects),
    Route(
        path="/directory/administrativeUnits/{id}",
        any_of=("AdministrativeUnit.Read.All", "Directory.Read.All"),
        handler=reads.administrative_unit,
    ),
    Route(
        path="/identity/conditionalAccess/policies",
        any_of=("Policy.Read.All",),
        handler=reads.conditional_access_policies,
    ),
    Route(
        path="/policies/identitySecurityDefaultsEnforcementPolicy",
        any_of=("Policy.Read.All",),
        handler=reads.security_defaults,
    ),
    Route(path="/groups/{id}", any_of=_GROUP, handler=reads.group),
    Route(path="/groups/{id}/transitiveMemberOf", any_of=_GROUP, handler=reads.group_transitive_member_of),
    Route(path="/groups/{id}/transitiveMembers", any_of=_GROUP, handler=reads.group_transitive_members),
    Route(path="/groups/{id}/owners", any_of=_GROUP, handler=reads.group_owners),
    Route(path="/directoryRoles", any_of=_ROLES, handler=reads.directory_roles),
    Route(
        path="/directoryRoles(roleTemplateId='{key}')/members",
        any_of=_ROLES,
        handler=reads.directory_role_members,
    ),
    Route(
        path=f"{_DIRECTORY}/roleDefinitions",
        any_of=_ROLES,
        handler=reads.role_definitions,
        filters=("id", "displayName", "templateId", "isBuiltIn"),
    ),
    Route(
        path=f"{_DIRECTORY}/roleAssignments",
        any_of=_ROLES,
        handler=reads.role_assignments,
        filters=_ASSIGNMENT_FILTERS,
        expands=("roleDefinition",),
    ),
    Route(
        path=f"{_DIRECTORY}/transitiveRoleAssignments",
        any_of=_ROLES,
        handler=reads.transitive_role_assignments,
        filtered=True,
        beta_only=True,
    ),
    Route(
        path=f"{_DIRECTORY}/roleAssignmentScheduleInstances",
        any_of=_ASSIGNMENT_SCHEDULE,
        handler=reads.assignment_instances,
        filters=_ASSIGNMENT_FILTERS,
        expands=("roleDefinition",),
    ),
    Route(
        path=f"{_DIRECTORY}/roleEligibilityScheduleInstances",
        any_of=_ELIGIBILITY_SCHEDULE,
        handler=reads.eligibility_instances,
        filters=_ASSIGNMENT_FILTERS,
        expands=("roleDefinition",),
    ),
    Route(
        path=f"{_GROUP_PIM}/eligibilityScheduleInstances",
        any_of=("PrivilegedEligibilitySchedule.Read.AzureADGroup",),
        handler=reads.group_eligibility_instances,
        filters=("principalId", "groupId"),
        expands=("group",),
        filter_required=True,
    ),
    Route(
        path=f"{_GROUP_PIM}/assignmentScheduleInstances",
        any_of=("PrivilegedAssignmentSchedule.Read.AzureADGroup",),
        handler=reads.group_assignment_instances,
        filters=("principalId", "groupId"),
        expands=("group",),
        filter_required=True,
    ),
    Route(
        path="/servicePrincipals",
        any_of=_APPLICATION,
        handler=reads.service_principals,
        filters=("appId", "id"),
    ),
    Route(path="/servicePrincipals(appId='{key}')", any_of=_APPLICATION, handler=reads.service_principal),
    Route(path="/servicePrincipals/{id}", any_of=_APPLICATION, handler=reads.service_principal),
    Route(
        path="/servicePrincipals/{id}/oauth2PermissionGrants",
        any_of=_CONSENT,
        handler=reads.consent_grants_of_client,
    ),
    Route(
        path="/servicePrincipals/{id}/appRoleAssignments",
        any_of=_APPLICATION,
        handler=reads.app_role_assignments,
    ),
    Route(
        path="/servicePrincipals/{id}/appRoleAssignedTo",
        any_of=_APPLICATION,
        handler=reads.app_role_assigned_to,
    ),
    Route(
        path="/oauth2PermissionGrants",
        any_of=_CONSENT,
        handler=reads.consent_grants,
        filters=("clientId", "principalId", "consentType", "resourceId"),
    ),
)
