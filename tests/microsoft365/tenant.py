"""The builder that tests write a tenant with."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from tests.microsoft365 import catalog
from tests.microsoft365.objects import (
    AdministrativeUnit,
    Application,
    AppRoleAssignment,
    AssigneeType,
    AuditingApplication,
    ClientSecret,
    ConditionalAccessPolicy,
    ConsentGrant,
    DirectoryRole,
    DirectoryRoleAssignment,
    Group,
    GroupEligibility,
    Identified,
    ManagementRole,
    ManagementRoleAssignment,
    ManagementScope,
    Member,
    Principal,
    RoleAssignmentPolicy,
    RoleEntry,
    RoleGroup,
    ServicePrincipal,
    User,
    exchange_name,
)
from tests.microsoft365.snapshot import Tenant, stable_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Tenant", "TenantBuilder"]

_Thing = TypeVar("_Thing", bound=Identified)

def default_auditor() -> AuditingApplication:
    """An application that may read everything the tool asks for, and nothing else."""
    return AuditingApplication(
        client_id=stable_id("application", "Permission auditor"), display_name="Permission auditor",
        secrets=(ClientSecret(value="composed-client-secret"),),
        graph_permissions=frozenset(catalog.GRAPH_READ_PERMISSIONS),
    )


@dataclass(kw_only=True)
class TenantBuilder:
    """Writes a tenant that starts as Microsoft delivers it, with an auditing application allowed to read all.

    Each method returns the object it made, so that later calls can refer to it.
    """

    domain: str = "contoso.example"
    display_name: str = "Contoso"
    licences: frozenset[str] = frozenset({"P1", "P2"})
    role_assignee_follows_security_groups: bool = True
    auditor: AuditingApplication = field(default_factory=default_auditor)
    has_security_defaults: bool = False

    def __post_init__(self) -> None:
        self.id = stable_id("tenant", self.domain)
        self._made: dict[type, dict[str, Any]] = defaultdict(dict)
        self._members: dict[str, list[str]] = defaultdict(list)
        self._owners: dict[str, list[str]] = defaultdict(list)
        self._eligibilities: list[DirectoryRoleAssignment] = []
        self._membership_ends: dict[tuple[str, str], str] = {}
        self._add_directory_defaults()
        self._add_exchange_defaults()

    # --- Entra ID ---

    def user(self, user_principal_name: str, **properties: Any) -> User:
        """A user; `properties` are those of `User`."""
        name = properties.pop("display_name", user_principal_name.partition("@")[0])
        return self._add(User(
            id=stable_id("user", user_principal_name), user_principal_name=user_principal_name,
            display_name=name, **properties,
        ))

    def group(
        self, name: str, *, members: Iterable[Principal] = (), owners: Iterable[User] = (), **properties: Any
    ) -> Group:
        """A group of Entra ID; `properties` are those of `Group`."""
        group = self._add(Group(id=stable_id("group", name), display_name=name, **properties))
        self._members[group.id] += [member.id for member in members]
        self._owners[group.id] += [owner.id for owner in owners]
        return group

    def administrative_unit(self, name: str, *, members: Iterable[Principal] = ()) -> AdministrativeUnit:
        """An administrative unit."""
        unit = self._add(AdministrativeUnit(id=stable_id("administrative unit", name), display_name=name))
        self._members[unit.id] += [member.id for member in members]
        return unit

    def entra_role(
        self, principal: Principal, role: str, *, scope: AdministrativeUnit | None = None, **properties: Any
    ) -> DirectoryRoleAssignment:
        """Make a directory role active for a principal."""
        return self._add(self._directory_role_assignment("active", principal, role, scope, **properties))

    def eligible_entra_role(
        self, principal: Principal, role: str, *, scope: AdministrativeUnit | None = None, **properties: Any
    ) -> DirectoryRoleAssignment:
        """Let a principal activate a directory role."""
        eligibility = self._directory_role_assignment("eligible", principal, role, scope, **properties)
        self._eligibilities.append(eligibility)
        return eligibility

    def eligible_member(
        self, principal: Principal, group: Group, *, access: str = "member"
    ) -> GroupEligibility:
        """Let a principal activate membership or ownership of a group."""
        return self._add(GroupEligibility(
            id=stable_id("group eligibility", f"{principal.id} {group.id} {access}"),
            principal_id=principal.id, group_id=group.id, access=access,
        ))

    def member_until(self, principal: Principal, group: Group, end: str) -> None:
        """Put a principal into a group until `end`."""
        self.add_members(group, principal)
        self._membership_ends[group.id, principal.id] = end

    def own(self, owner: User, *things: Group | Application | ServicePrincipal) -> None:
        """Make a user the owner of groups, applications and service principals."""
        for thing in things:
            self._owners[thing.id].append(owner.id)

    def application(self, name: str) -> tuple[Application, ServicePrincipal]:
        """An application of this organization, with its service principal."""
        app_id = stable_id("application", name)
        registered = self._add(Application(
            id=stable_id("registered application", name), app_id=app_id, display_name=name
        ))
        return registered, self.service_principal(name, app_id=app_id)

    def conditional_access(self, name: str, **properties: Any) -> ConditionalAccessPolicy:
        """A Conditional Access policy; `properties` are those of `ConditionalAccessPolicy`."""
        return self._add(ConditionalAccessPolicy(
            id=stable_id("conditional access policy", name), display_name=name, **properties
        ))

    def service_principal(
        self, name: str, *, app_id: str | None = None, **properties: Any
    ) -> ServicePrincipal:
        """An application of another organization or of this one."""
        return self._add(ServicePrincipal(
            id=stable_id("service principal", name), app_id=app_id or stable_id("application", name),
            display_name=name, **properties,
        ))

    def consent(self, client: ServicePrincipal, scope: str, *, principal: User | None = None) -> ConsentGrant:
        """Delegated Graph permissions for a client, tenant-wide unless for one principal."""
        who = principal.id if principal else None
        return self._add(ConsentGrant(
            id=stable_id("consent", f"{client.id} {who}"), client_id=client.id, principal_id=who,
            resource_id=self._graph.id, scope=scope,
        ))

    def application_permission(self, client: ServicePrincipal, permission: str) -> AppRoleAssignment:
        """A Graph application permission for a client; the resource learns the permission when it is new."""
        graph = self._graph
        permissions = dict(graph.app_roles)
        role_id = permissions.setdefault(permission, stable_id("app role", permission))
        self._add(replace(graph, app_roles=tuple(sorted(permissions.items()))))
        return self._add(AppRoleAssignment(
            id=stable_id("app role assignment", f"{client.id} {permission}"),
            principal_id=client.id, resource_id=graph.id, app_role_id=role_id,
        ))

    # --- Exchange Online ---

    def role_group(
        self,
        name: str,
        *,
        roles: Iterable[str | ManagementRole] = (),
        members: Iterable[Member] = (),
        scope: ManagementScope | AdministrativeUnit | None = None,
        **properties: Any,
    ) -> RoleGroup:
        """A role group with a regular assignment of each role; `scope` limits where they may write."""
        group = self._add(RoleGroup(id=stable_id("role group", name), name=name, **properties))
        for role in roles:
            self.assign_role(role, to=group, scope=scope)
        self.add_members(group, *members)
        return group

    def add_members(self, group: RoleGroup | Group | str, *members: Member) -> None:
        """Put members into a group, or into a role group that may be given by name."""
        target = stable_id("role group", group) if isinstance(group, str) else group.id
        if target not in self._made[RoleGroup] | self._made[Group]:
            raise KeyError(f"no group {group!r} in this tenant")
        self._members[target] += [member.id for member in members]

    def assign_role(
        self,
        role: str | ManagementRole,
        *,
        to: Member | RoleAssignmentPolicy,
        scope: ManagementScope | AdministrativeUnit | None = None,
        delegating: bool = False,
        **properties: Any,
    ) -> ManagementRoleAssignment:
        """Assign a management role; `properties` are those of `ManagementRoleAssignment`."""
        role_name = role if isinstance(role, str) else role.name
        if role_name not in {known.name for known in self._made[ManagementRole].values()}:
            raise KeyError(f"no management role {role_name!r} in this tenant")
        name = f"{role_name}-{exchange_name(to)}" + ("-Delegating" if delegating else "")
        return self._add(ManagementRoleAssignment(
            id=stable_id("management role assignment", name), name=name, role=role_name, assignee_id=to.id,
            assignee_type=_assignee_type(to), delegating=delegating, **_scope_properties(scope), **properties,
        ))

    def custom_role(
        self, name: str, *, parent: str | ManagementRole, without: Iterable[str] = (),
        without_parameters: Mapping[str, Iterable[str]] | None = None,
    ) -> ManagementRole:
        """A child role: its parent's entries less some cmdlets and less some parameters of others."""
        parent_name = parent if isinstance(parent, str) else parent.name
        origin: ManagementRole = self._made[ManagementRole][stable_id("management role", parent_name)]
        dropped = {cmdlet: set(names) for cmdlet, names in (without_parameters or {}).items()}
        removed = set(without)
        entries = tuple(
            _without_parameters(entry, dropped.get(entry.cmdlet, set()))
            for entry in origin.entries if entry.cmdlet not in removed
        )
        return self._add(ManagementRole(
            id=stable_id("management role", name), name=name, role_type=origin.role_type, entries=entries,
            parent=parent_name, is_end_user_role=origin.is_end_user_role,
        ))

    def management_scope(
        self, name: str, recipient_filter: str, *, exclusive: bool = False
    ) -> ManagementScope:
        """A custom recipient scope."""
        return self._add(ManagementScope(
            id=stable_id("management scope", name), name=name, recipient_filter=recipient_filter,
            exclusive=exclusive,
        ))

    # --- the result ---

    def build(self) -> Tenant:
        """Freeze what was written."""
        self._add_auditor()
        made = {kind: tuple(things.values()) for kind, things in self._made.items()}
        return Tenant(
            id=self.id, domain=self.domain, display_name=self.display_name, licences=self.licences,
            role_assignee_follows_security_groups=self.role_assignee_follows_security_groups,
            auditor=self.auditor, users=made.get(User, ()), groups=made.get(Group, ()),
            administrative_units=made.get(AdministrativeUnit, ()),
            members={group: tuple(ids) for group, ids in self._members.items()},
            owners={group: tuple(ids) for group, ids in self._owners.items()},
            directory_roles=made[DirectoryRole],
            directory_role_assignments=made.get(DirectoryRoleAssignment, ()),
            directory_role_eligibilities=tuple(self._eligibilities),
            group_eligibilities=made.get(GroupEligibility, ()), service_principals=made[ServicePrincipal],
            consent_grants=made.get(ConsentGrant, ()), app_role_assignments=made.get(AppRoleAssignment, ()),
            role_groups=made[RoleGroup], management_roles=made[ManagementRole],
            role_assignment_policy=made[RoleAssignmentPolicy][0],
            management_role_assignments=made[ManagementRoleAssignment],
            management_scopes=made.get(ManagementScope, ()), applications=made.get(Application, ()),
            conditional_access_policies=made.get(ConditionalAccessPolicy, ()),
            has_security_defaults=self.has_security_defaults, membership_ends=dict(self._membership_ends),
        )

    @property
    def _graph(self) -> ServicePrincipal:
        graph = self._made[ServicePrincipal][stable_id("service principal", "Microsoft Graph")]
        assert isinstance(graph, ServicePrincipal)
        return graph

    def _add(self, thing: _Thing) -> _Thing:
        self._made[type(thing)][thing.id] = thing
        return thing

    def _directory_role_assignment(
        self, kind: str, principal: Principal, role: str, scope: AdministrativeUnit | None, **properties: Any
    ) -> DirectoryRoleAssignment:
        definition = next(r for r in self._made[DirectoryRole].values() if r.display_name == role)
        where = f"/administrativeUnits/{scope.id}" if scope else "/"
        return DirectoryRoleAssignment(
            id=stable_id(f"{kind} directory role", f"{principal.id} {role} {where}"),
            principal_id=principal.id, role_id=definition.id, scope=where, **properties,
        )

    def _add_directory_defaults(self) -> None:
        for name, template_id in catalog.ENTRA_ROLES.items():
            self._add(DirectoryRole(
                id=template_id, display_name=name,
                is_privileged=name not in catalog.NOT_PRIVILEGED_ENTRA_ROLES,
            ))
        self.service_principal(
            "Microsoft Graph", app_id=catalog.GRAPH_RESOURCE_APP_ID,
            app_roles=tuple(sorted(catalog.GRAPH_READ_PERMISSIONS.items())),
            scopes=tuple(catalog.GRAPH_SCOPES.items()),
        )

    def _add_exchange_defaults(self) -> None:
        for name in catalog.built_in_management_roles():
            listed = catalog.ROLE_ENTRIES.get(name, catalog.ENTRIES_OF_OTHER_ROLES)
            self._add(ManagementRole(
                id=stable_id("management role", name), name=name, role_type=catalog.role_type(name),
                entries=tuple(RoleEntry(cmdlet=name, parameters=parts) for name, parts in listed.items()),
                is_end_user_role=name in catalog.END_USER_ROLES,
            ))
        for name, roles in catalog.ROLE_GROUPS.items():
            group = self.role_group(name, roles=roles)
            if name == catalog.ORGANIZATION_MANAGEMENT:
                for role in roles:
                    self.assign_role(role, to=group, delegating=True)
        for entra_role, (stem, outer) in catalog.ENTRA_BACKED_ROLE_GROUPS.items():
            self.add_members(outer, self.role_group(f"{stem}1048576", backed_by=entra_role))
        policy = self._add(RoleAssignmentPolicy(
            id=stable_id("role assignment policy", "default"), name=catalog.DEFAULT_ROLE_ASSIGNMENT_POLICY
        ))
        for role in catalog.END_USER_ROLES:
            self.assign_role(role, to=policy, recipient_write_scope="Self", config_write_scope="None")

    def _add_auditor(self) -> None:
        principal = self.service_principal(self.auditor.display_name, app_id=self.auditor.client_id)
        for role in self.auditor.directory_roles:
            self.entra_role(principal, role)
        for group in self.auditor.role_groups:
            self.add_members(group, principal)
        for permission in sorted(self.auditor.graph_permissions):
            self.application_permission(principal, permission)


def _assignee_type(assignee: Member | RoleAssignmentPolicy) -> AssigneeType:
    match assignee:
        case User():
            return AssigneeType.USER
        case Group():
            return AssigneeType.SECURITY_GROUP
        case RoleGroup():
            return AssigneeType.ROLE_GROUP
        case RoleAssignmentPolicy():
            return AssigneeType.ROLE_ASSIGNMENT_POLICY
        case ServicePrincipal():
            return AssigneeType.SERVICE_PRINCIPAL


def _scope_properties(scope: ManagementScope | AdministrativeUnit | None) -> dict[str, Any]:
    if scope is None:
        return {}
    if isinstance(scope, AdministrativeUnit):
        return {"recipient_write_scope": "AdministrativeUnit", "custom_recipient_write_scope": scope.id}
    kind = "ExclusiveRecipientScope" if scope.exclusive else "CustomRecipientScope"
    return {"recipient_write_scope": kind, "custom_recipient_write_scope": scope.name}


def _without_parameters(entry: RoleEntry, dropped: set[str]) -> RoleEntry:
    return replace(entry, parameters=tuple(name for name in entry.parameters if name not in dropped))
