"""The frozen nouns of a tenant. Every object is known by `id`; references between objects are ids."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeAlias


class Identified(Protocol):
    """Anything that other objects refer to."""

    @property
    def id(self) -> str:
        """Unique among objects of its kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user of Entra ID, and of Exchange unless `in_exchange` is false. Times are ISO 8601 with `Z`."""

    id: str
    user_principal_name: str
    display_name: str
    account_enabled: bool = True
    user_type: str = "Member"
    on_premises_sync_enabled: bool | None = None
    created: str = "2026-01-12T08:00:00Z"
    last_password_change: str = "2026-06-01T08:00:00Z"
    last_sign_in: str | None = "2026-11-01T06:00:00Z"
    licensed: bool = False
    in_exchange: bool = True
    has_mailbox: bool = False
    remote_powershell_enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group of Entra ID; a mail-enabled one is also known to Exchange."""

    id: str
    display_name: str
    security_enabled: bool = True
    mail_enabled: bool = False
    role_assignable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AdministrativeUnit:
    """An administrative unit of Entra ID."""

    id: str
    display_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryRole:
    """A directory role definition; `id` is the template id of a built-in one."""

    id: str
    display_name: str
    is_built_in: bool = True
    is_privileged: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryRoleAssignment:
    """An active or eligible directory role of a principal; `scope` is `/` or `/administrativeUnits/{id}`."""

    id: str
    principal_id: str
    role_id: str
    scope: str = "/"
    start: str | None = None
    end: str | None = None
    assignment_type: str = "Assigned"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupEligibility:
    """A principal who may activate membership or ownership of a group (privileged identity management)."""

    id: str
    principal_id: str
    group_id: str
    access: str = "member"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionalAccessPolicy:
    """A Conditional Access policy. `users` and the like are ids, role template ids, or `All`.

    `controls` are those of Graph (`block`, `mfa`, ...), of which one is enough; `sign_in_hours` limits a session.
    """

    id: str
    display_name: str
    state: str = "enabled"
    users: tuple[str, ...] = ("All",)
    without_users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    without_groups: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    without_roles: tuple[str, ...] = ()
    applications: tuple[str, ...] = ("All",)
    without_applications: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()
    without_locations: tuple[str, ...] = ()
    controls: tuple[str, ...] = ("mfa",)
    sign_in_hours: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """An application registered in the tenant; what it may do is its service principal's."""

    id: str
    app_id: str
    display_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePrincipal:
    """An application in the tenant. `app_roles` maps the value of an application permission to its id.

    `scopes` maps the value of a delegated permission to what an administrator reads about it, `secret_ends` is when
    its secret ends.
    """

    id: str
    app_id: str
    display_name: str
    app_roles: tuple[tuple[str, str], ...] = ()
    owner_tenant_id: str | None = None
    scopes: tuple[tuple[str, str], ...] = ()
    secret_ends: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentGrant:
    """Delegated permissions of a client, separated by spaces; tenant-wide when `principal_id` is None."""

    id: str
    client_id: str
    resource_id: str
    scope: str
    principal_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AppRoleAssignment:
    """An application permission given to a service principal."""

    id: str
    principal_id: str
    resource_id: str
    app_role_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleGroup:
    """An Exchange role group; `backed_by` names the Entra role whose holders are its members."""

    id: str
    name: str
    description: str = ""
    managed_by: tuple[str, ...] = ("Organization Management",)
    backed_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleEntry:
    """A cmdlet that a management role permits, with the parameters it permits."""

    cmdlet: str
    parameters: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagementRole:
    """An Exchange management role; a custom one has the name of its parent and that one's role type."""

    id: str
    name: str
    role_type: str
    entries: tuple[RoleEntry, ...]
    parent: str | None = None
    is_end_user_role: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagementScope:
    """A custom recipient scope with its OPATH filter."""

    id: str
    name: str
    recipient_filter: str
    exclusive: bool = False


class AssigneeType(StrEnum):
    """What kind of object an Exchange role is assigned to."""

    USER = "User"
    SECURITY_GROUP = "SecurityGroup"
    ROLE_GROUP = "RoleGroup"
    ROLE_ASSIGNMENT_POLICY = "RoleAssignmentPolicy"
    SERVICE_PRINCIPAL = "ServicePrincipal"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleAssignmentPolicy:
    """The roles that the owners of mailboxes have over their own objects."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagementRoleAssignment:
    """A management role given to an assignee."""

    id: str
    name: str
    role: str
    assignee_id: str
    assignee_type: AssigneeType
    delegating: bool = False
    enabled: bool = True
    valid: bool = True
    recipient_write_scope: str = "Organization"
    custom_recipient_write_scope: str | None = None
    config_write_scope: str = "OrganizationConfig"
    recipient_group_scope: str | None = None
    recipient_organizational_unit_scope: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSecret:
    """A secret of the auditing application."""

    value: str
    expired: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditingApplication:
    """The application the tool signs in as, with its credentials and everything it was granted.

    `certificates` are PEM texts, `federated_tokens` those of another issuer that it accepts. `person` is the UPN of
    who enters a device code, after `polls_before_entry` polls; nobody does when it is None. `refused_with` is the
    AADSTS code of every sign-in, when it is refused.
    """

    client_id: str
    display_name: str
    secrets: tuple[ClientSecret, ...]
    graph_permissions: frozenset[str]
    certificates: tuple[str, ...] = ()
    exchange_manage_as_app: bool = True
    directory_roles: tuple[str, ...] = ("Global Reader",)
    role_groups: tuple[str, ...] = ()
    refused_with: int | None = None
    federated_tokens: tuple[str, ...] = ()
    has_machine_identity: bool = False
    person: str | None = None
    polls_before_entry: int = 0

    def without_permissions(self, *permissions: str) -> frozenset[str]:
        """The Graph permissions it would have left; every name must be one it has."""
        unknown = set(permissions) - self.graph_permissions
        if unknown:
            raise ValueError(f"the application does not have {sorted(unknown)}")
        return self.graph_permissions - set(permissions)


Principal: TypeAlias = User | Group | ServicePrincipal
Member: TypeAlias = User | Group | ServicePrincipal | RoleGroup


def exchange_name(item: Member | RoleAssignmentPolicy) -> str:
    """The Name of an object in Exchange; a user's has been its object id since November 2022."""
    match item:
        case User():
            return item.id
        case RoleGroup() | RoleAssignmentPolicy():
            return item.name
        case Group() | ServicePrincipal():
            return item.display_name
