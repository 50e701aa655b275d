"""The Get cmdlets of Exchange Online that the tool uses, with their documented parameters and traps."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from tests.microsoft365 import catalog
from tests.microsoft365 import exchange_rows as rows
from tests.microsoft365.objects import AssigneeType, Group, ManagementRole, RoleGroup, User

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.microsoft365.exchange_rows import Row
    from tests.microsoft365.objects import ManagementRoleAssignment, Member, RoleAssignmentPolicy
    from tests.microsoft365.snapshot import Tenant

Parameters: TypeAlias = "Mapping[str, Any]"


class CmdletError(Exception):
    """A cmdlet that fails: `type` is the .NET exception, `message` what an administrator would read."""

    def __init__(self, status: int, type_: str, message: str) -> None:
        self.status, self.type, self.message = status, type_, message
        super().__init__(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cmdlet:
    """A cmdlet: who may run it (any of these management roles), what it accepts, what it returns."""

    any_of: tuple[str, ...]
    parameters: frozenset[str]
    run: Callable[[Tenant, Parameters], list[Row]]
    requires_identity: bool = False

    def check(self, parameters: Parameters) -> None:
        """Refuse parameters the cmdlet does not have. A null Identity passes: that is the documented trap."""
        unknown = sorted(parameters.keys() - self.parameters)
        if unknown == ["ResultSize"]:
            raise CmdletError(
                400,
                "System.Management.Automation.ParameterBindingException",
                "Parameter set cannot be resolved using the specified named parameters. "
                "AmbiguousParameterSet",
            )
        if unknown:
            raise CmdletError(
                400,
                "System.Management.Automation.ParameterBindingException",
                f"A parameter cannot be found that matches parameter name '{unknown[0]}'.",
            )
        if self.requires_identity and "Identity" not in parameters:
            raise CmdletError(
                400,
                "System.Management.Automation.ParameterBindingException",
                "Cannot process command because of one or more missing mandatory parameters: Identity.",
            )


def not_found(identity: str) -> CmdletError:
    """The error of a cmdlet for an object that does not exist."""
    return CmdletError(
        404,
        "Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException",
        f"The operation couldn't be performed because object '{identity}' couldn't be found on "
        "'composed.prod.outlook.com'.",
    )


def _text(parameters: Parameters, name: str) -> str:
    value = parameters.get(name)
    return "" if value is None else str(value)


def _role_group_named(tenant: Tenant, identity: str) -> RoleGroup | None:
    return next((group for group in tenant.role_groups if identity.lower() in rows.keys_of(group)), None)


def _get_role_group(tenant: Tenant, parameters: Parameters) -> list[Row]:
    """A null or unknown Identity returns every role group, as documented."""
    found = _role_group_named(tenant, _text(parameters, "Identity"))
    return [rows.role_group(tenant, group) for group in ([found] if found else tenant.role_groups)]


def _get_role_group_member(tenant: Tenant, parameters: Parameters) -> list[Row]:
    """A null or unknown Identity returns the members of every role group, as documented."""
    found = _role_group_named(tenant, _text(parameters, "Identity"))
    groups = [found] if found else tenant.role_groups
    ids = dict.fromkeys(member for group in groups for member in tenant.members.get(group.id, ()))
    return [rows.recipient(tenant.objects[member]) for member in ids]


def _get_management_role_assignment(tenant: Tenant, parameters: Parameters) -> list[Row]:
    if "Identity" in parameters and "RoleAssignee" in parameters:
        raise CmdletError(
            400,
            "System.Management.Automation.ParameterBindingException",
            "Parameter set cannot be resolved using the specified named parameters. AmbiguousParameterSet",
        )
    assignee = _text(parameters, "RoleAssignee")
    if assignee:
        found = _assignments_of(tenant, _assignee_named(tenant, assignee))
    else:
        found = [(a, "Direct") for a in _assignments_named(tenant, _text(parameters, "Identity"))]
    kept = [(a, method) for a, method in found if _matches(a, method, parameters)]
    if parameters.get("GetEffectiveUsers"):
        return [row for a, _ in kept for row in _per_effective_user(tenant, a)]
    return [rows.management_role_assignment(tenant, a, method=method) for a, method in kept]


def _assignments_named(tenant: Tenant, identity: str) -> list[ManagementRoleAssignment]:
    """A null or unknown Identity returns every assignment, as documented."""
    everything = list(tenant.management_role_assignments)
    wanted = identity.lower()
    return [a for a in everything if wanted in {a.name.lower(), a.id, rows.guid_of(a.id)}] or everything


def _assignee_named(tenant: Tenant, key: str) -> Any:
    people = [person for person in tenant.users if person.in_exchange]
    candidates: tuple[Member | RoleAssignmentPolicy, ...] = (
        *people,
        *tenant.groups,
        *tenant.role_groups,
        *tenant.service_principals,
        tenant.role_assignment_policy,
    )
    found = next((item for item in candidates if key.lower() in rows.keys_of(item)), None)
    if found is None:
        raise not_found(key)
    return found


_METHODS = {
    AssigneeType.ROLE_GROUP: "RoleGroup",
    AssigneeType.SECURITY_GROUP: "SecurityGroup",
    AssigneeType.ROLE_ASSIGNMENT_POLICY: "RoleAssignmentPolicy",
}


def _assignments_of(tenant: Tenant, assignee: Any) -> list[tuple[ManagementRoleAssignment, str]]:
    """Direct assignments, and indirect ones through role groups and the policy of a mailbox."""
    through_groups = tenant.role_assignee_follows_security_groups
    indirect = set(tenant.role_groups_of(assignee.id, through_security_groups=through_groups))
    if through_groups:
        indirect |= set(tenant.containers_of(assignee.id))
    if isinstance(assignee, User) and assignee.has_mailbox:
        indirect.add(tenant.role_assignment_policy.id)
    return [
        (a, "Direct" if a.assignee_id == assignee.id else _METHODS[a.assignee_type])
        for a in tenant.management_role_assignments
        if a.assignee_id in indirect | {assignee.id}
    ]


def _matches(assignment: ManagementRoleAssignment, method: str, parameters: Parameters) -> bool:
    actual: dict[str, object] = {
        "Role": assignment.role,
        "RoleAssigneeType": assignment.assignee_type.value,
        "Delegating": assignment.delegating,
        "Enabled": assignment.enabled,
        "AssignmentMethod": method,
        "Exclusive": assignment.recipient_write_scope.startswith("Exclusive"),
        "RecipientWriteScope": assignment.recipient_write_scope,
        "ConfigWriteScope": assignment.config_write_scope,
        "CustomRecipientWriteScope": assignment.custom_recipient_write_scope,
    }
    return all(actual[name] == parameters[name] for name in actual.keys() & parameters.keys())


def _per_effective_user(tenant: Tenant, assignment: ManagementRoleAssignment) -> list[Row]:
    method = _METHODS.get(assignment.assignee_type, "Direct")
    return [
        rows.management_role_assignment(tenant, assignment, method=method, effective_user=person)
        for person in tenant.users
        if person.in_exchange
        and assignment.assignee_id
        in {person.id, *tenant.containers_of(person.id), *tenant.role_groups_of(person.id)}
    ]


def _get_management_role(tenant: Tenant, parameters: Parameters) -> list[Row]:
    roles = _roles_named(tenant, _text(parameters, "Identity") or "*")
    if parameters.get("Recurse"):
        roles = [role for role in tenant.management_roles if set(_ancestry(tenant, role)) & set(roles)]
    elif parameters.get("GetChildren"):
        roles = [role for role in tenant.management_roles if role.parent in {parent.name for parent in roles}]
    if "RoleType" in parameters:
        roles = [role for role in roles if role.role_type == parameters["RoleType"]]
    return [rows.management_role(role) for role in roles]


def _roles_named(tenant: Tenant, pattern: str) -> list[ManagementRole]:
    wanted = pattern.lower()
    found = [
        role
        for role in tenant.management_roles
        if wanted in {role.id, rows.guid_of(role.id)} or fnmatch.fnmatchcase(role.name.lower(), wanted)
    ]
    if not found:
        raise not_found(pattern)
    return found


def _ancestry(tenant: Tenant, role: ManagementRole) -> list[ManagementRole]:
    """A role, its parent, and so on up to the built-in one."""
    by_name = {known.name: known for known in tenant.management_roles}
    line = [role]
    while line[-1].parent is not None:
        line.append(by_name[line[-1].parent])
    return line


def _get_management_role_entry(tenant: Tenant, parameters: Parameters) -> list[Row]:
    identity = _text(parameters, "Identity")
    role_pattern, separator, cmdlet_pattern = identity.rpartition("\\")
    if not separator:
        raise CmdletError(
            400, "System.FormatException", f"The role entry identity '{identity}' is not valid."
        )
    return [
        rows.management_role_entry(role, entry)
        for role in _roles_named(tenant, role_pattern)
        for entry in role.entries
        if fnmatch.fnmatchcase(entry.cmdlet.lower(), cmdlet_pattern.lower())
    ]


def _get_management_scope(tenant: Tenant, parameters: Parameters) -> list[Row]:
    identity = _text(parameters, "Identity").lower()
    found = [
        scope
        for scope in tenant.management_scopes
        if not identity or fnmatch.fnmatchcase(scope.name.lower(), identity) or identity == scope.id
    ]
    if identity and not found:
        raise not_found(identity)
    if "Exclusive" in parameters:
        found = [scope for scope in found if scope.exclusive == parameters["Exclusive"]]
    return [rows.management_scope(scope) for scope in found]


def _get_role_assignment_policy(tenant: Tenant, parameters: Parameters) -> list[Row]:
    _chosen([tenant.role_assignment_policy], parameters)
    return [rows.role_assignment_policy(tenant)]


def _chosen(candidates: list[Any], parameters: Parameters) -> list[Any]:
    identity = _text(parameters, "Identity")
    if not identity:
        return candidates
    found = [item for item in candidates if identity.lower() in rows.keys_of(item)]
    if not found:
        raise not_found(identity)
    return found


def _known_users(tenant: Tenant) -> list[User]:
    return [person for person in tenant.users if person.in_exchange]


def _get_user(tenant: Tenant, parameters: Parameters) -> list[Row]:
    return [rows.user(person) for person in _chosen(_known_users(tenant), parameters)]


def _get_recipient(tenant: Tenant, parameters: Parameters) -> list[Row]:
    people: list[Member] = [person for person in _known_users(tenant) if person.has_mailbox]
    groups = [group for group in tenant.groups if group.mail_enabled]
    return [rows.recipient(item) for item in _chosen([*people, *groups], parameters)]


def _get_mailbox(tenant: Tenant, parameters: Parameters) -> list[Row]:
    owners = [person for person in _known_users(tenant) if person.has_mailbox]
    return [rows.mailbox(tenant, person) for person in _chosen(owners, parameters)]


def _get_service_principal(tenant: Tenant, parameters: Parameters) -> list[Row]:
    return [rows.service_principal(item) for item in _chosen(list(tenant.service_principals), parameters)]


def _get_distribution_group_member(tenant: Tenant, parameters: Parameters) -> list[Row]:
    """A null Identity returns the members of every group; an unknown one is an error."""
    groups: list[Group] = _chosen([group for group in tenant.groups if group.mail_enabled], parameters)
    members = dict.fromkeys(member for group in groups for member in tenant.members.get(group.id, ()))
    return [rows.recipient(tenant.objects[member]) for member in members]


_RBAC_READERS = (catalog.VIEW_ONLY_CONFIGURATION, "Role Management")
_RECIPIENT_READERS = (catalog.VIEW_ONLY_RECIPIENTS, catalog.MAIL_RECIPIENTS)
_LISTED = frozenset({"Identity", "ResultSize"})
_ASSIGNMENT_PARAMETERS = frozenset(
    {
        "Identity",
        "RoleAssignee",
        "Role",
        "RoleAssigneeType",
        "AssignmentMethod",
        "Delegating",
        "Enabled",
        "Exclusive",
        "RecipientWriteScope",
        "ConfigWriteScope",
        "CustomRecipientWriteScope",
        "GetEffectiveUsers",
    }
)

CMDLETS: dict[str, Cmdlet] = {
    "Get-DistributionGroupMember": Cmdlet(
        any_of=_RECIPIENT_READERS,
        parameters=_LISTED,
        run=_get_distribution_group_member,
        requires_identity=True,
    ),
    "Get-Mailbox": Cmdlet(any_of=_RECIPIENT_READERS, parameters=_LISTED, run=_get_mailbox),
    "Get-ManagementRole": Cmdlet(
        any_of=_RBAC_READERS,
        parameters=frozenset({"Identity", "Recurse", "GetChildren", "RoleType"}),
        run=_get_management_role,
    ),
    "Get-ManagementRoleAssignment": Cmdlet(
        any_of=_RBAC_READERS, parameters=_ASSIGNMENT_PARAMETERS, run=_get_management_role_assignment
    ),
    "Get-ManagementRoleEntry": Cmdlet(
        any_of=_RBAC_READERS, parameters=_LISTED, run=_get_management_role_entry, requires_identity=True
    ),
    "Get-ManagementScope": Cmdlet(
        any_of=_RBAC_READERS, parameters=frozenset({"Identity", "Exclusive"}), run=_get_management_scope
    ),
    "Get-Recipient": Cmdlet(any_of=_RECIPIENT_READERS, parameters=_LISTED, run=_get_recipient),
    "Get-RoleAssignmentPolicy": Cmdlet(
        any_of=_RBAC_READERS, parameters=frozenset({"Identity"}), run=_get_role_assignment_policy
    ),
    "Get-RoleGroup": Cmdlet(any_of=_RBAC_READERS, parameters=_LISTED, run=_get_role_group),
    "Get-RoleGroupMember": Cmdlet(
        any_of=_RBAC_READERS, parameters=_LISTED, run=_get_role_group_member, requires_identity=True
    ),
    "Get-ServicePrincipal": Cmdlet(
        any_of=_RBAC_READERS, parameters=frozenset({"Identity"}), run=_get_service_principal
    ),
    "Get-User": Cmdlet(any_of=_RECIPIENT_READERS, parameters=_LISTED, run=_get_user),
}
