"""Every right the auditing identity needs, and the reads that need it. All of them only read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from auditor.model.connection import ConnectionKind


class System(StrEnum):
    """What a right is granted in."""

    ACTIVE_DIRECTORY = "active_directory"
    GRAPH = "microsoft_graph"
    EXCHANGE = "exchange_online"


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """One right: its name where it is granted, why, and the datasets that cannot be read in full without it.

    Graph's are application permissions (https://learn.microsoft.com/graph/permissions-reference), each the least
    that its call takes.
    """

    system: System
    name: str
    reason: str
    datasets: frozenset[str]


def _graph(name: str, reason: str, *datasets: str) -> Right:
    return Right(system=System.GRAPH, name=name, reason=reason, datasets=frozenset(datasets))


def _directory(name: str, reason: str, *datasets: str) -> Right:
    return Right(system=System.ACTIVE_DIRECTORY, name=name, reason=reason, datasets=frozenset(datasets))


def _exchange(name: str, reason: str) -> Right:
    return Right(system=System.EXCHANGE, name=name, reason=reason, datasets=_EXCHANGE_DATASETS)


_EXCHANGE_DATASETS = frozenset({
    "exchange_user",
    "management_role_assignments",
    "management_role_assignments_of_account",
    "management_role_entries",
    "management_roles",
    "management_scopes",
    "role_group_members",
    "role_groups",
})

RIGHTS: tuple[Right, ...] = (
    _directory(
        "an ordinary account of the domain",
        "the domain, the schema, groups and accounts, which every account may read by default",
        *("account", "auditing_identity", "certificate_services", "domain", "extended_rights", "groups", "host"),
        *("managed_service_accounts", "schema_attributes", "schema_classes", "tier_zero", "trustees"),
        "well_known_memberships",
    ),
    _directory(
        "List contents, Read all properties and Read permissions on the target and group OUs and what is in them",
        "who is delegated what; Authenticated Users have it by default",
        *("ancestors", "containers", "group_ou", "inhabitants", "nearest_ancestor", "object", "other_containers"),
        "target_ou",
    ),
    _directory(
        "member of Windows Authorization Access Group",
        "the complete membership of the audited account (tokenGroups), nested groups included",
        "token_groups",
    ),
    _graph("Organization.Read.All", "which tenant this is", "organization"),
    _graph("User.Read.All", "the audited account", "user"),
    _graph(
        "GroupMember.Read.All",
        "the groups the account is in, nested ones included, and who controls them",
        *("group_members", "group_owners", "transitive_member_of"),
    ),
    _graph(
        "RoleManagement.Read.Directory",
        "its directory roles, and what they contain",
        *("role_assignments", "role_definitions"),
    ),
    _graph("RoleAssignmentSchedule.Read.Directory", "until when its roles are active", "role_assignment_instances"),
    _graph("RoleEligibilitySchedule.Read.Directory", "roles it may activate", "role_eligibility_instances"),
    _graph(
        "PrivilegedAssignmentSchedule.Read.AzureADGroup",
        "memberships of groups that end by themselves",
        "group_assignment_instances",
    ),
    _graph(
        "PrivilegedEligibilitySchedule.Read.AzureADGroup",
        "memberships of groups it may activate",
        "group_eligibility_instances",
    ),
    _graph(
        "Directory.Read.All",
        "permissions granted in its name (Graph offers nothing narrower), objects it owns, administrative units",
        *("administrative_unit", "consent_grants", "owned_objects", "vendor_consent_grants"),
    ),
    _graph(
        "Application.Read.All",
        "the vendor's application, and what permissions mean",
        *("owned_app_role_assignments", "owned_application_principal", "service_principal"),
        *("vendor_app_role_assignments", "vendor_service_principal"),
    ),
    _graph(
        "Policy.Read.All",
        "Conditional Access and security defaults",
        *("conditional_access_policies", "security_defaults"),
    ),
    _graph("AuditLog.Read.All", "when it last signed in", "sign_in_activity"),
    _exchange("Exchange.ManageAsApp of Office 365 Exchange Online", "lets an application in at all"),
    _exchange(
        "member of the role group View-Only Organization Management, or the Microsoft Entra role Global Reader",
        "the role groups, roles, assignments and scopes",
    ),
)
GRAPH_PERMISSIONS = tuple(right.name for right in RIGHTS if right.system is System.GRAPH)

_SYSTEMS = {
    ConnectionKind.HYBRID: frozenset({System.ACTIVE_DIRECTORY}),
    ConnectionKind.EXCHANGE_ONLINE: frozenset({System.GRAPH, System.EXCHANGE}),
}


def rights_for(kind: ConnectionKind) -> tuple[Right, ...]:
    """Return the rights that auditing a connection of this kind needs."""
    return tuple(right for right in RIGHTS if right.system in _SYSTEMS[kind])
