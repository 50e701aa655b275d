"""One tenant at one moment, and the questions the services ask it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.microsoft365.objects import (
        AdministrativeUnit,
        Application,
        AppRoleAssignment,
        AuditingApplication,
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
        RoleAssignmentPolicy,
        RoleGroup,
        ServicePrincipal,
        User,
    )

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "contoso.example")


def stable_id(kind: str, name: str) -> str:
    """The same GUID for the same kind and name in every run."""
    return str(uuid.uuid5(_NAMESPACE, f"{kind}/{name}"))


@dataclass(frozen=True, kw_only=True)
class Tenant:
    """A whole tenant at one moment.

    `members` maps the id of a group or role group to the ids of its direct ones, `owners` that of a group,
    application or service principal; `membership_ends` says when a member (group, member) will be no more.
    `licences` may hold `P1` and `P2`. `role_assignee_follows_security_groups` decides whether
    `Get-ManagementRoleAssignment -RoleAssignee` sees through security groups, which is not documented.
    """

    id: str
    domain: str
    display_name: str
    licences: frozenset[str]
    role_assignee_follows_security_groups: bool
    auditor: AuditingApplication
    users: tuple[User, ...]
    groups: tuple[Group, ...]
    administrative_units: tuple[AdministrativeUnit, ...]
    members: Mapping[str, tuple[str, ...]]
    owners: Mapping[str, tuple[str, ...]]
    directory_roles: tuple[DirectoryRole, ...]
    directory_role_assignments: tuple[DirectoryRoleAssignment, ...]
    directory_role_eligibilities: tuple[DirectoryRoleAssignment, ...]
    group_eligibilities: tuple[GroupEligibility, ...]
    service_principals: tuple[ServicePrincipal, ...]
    consent_grants: tuple[ConsentGrant, ...]
    app_role_assignments: tuple[AppRoleAssignment, ...]
    role_groups: tuple[RoleGroup, ...]
    management_roles: tuple[ManagementRole, ...]
    role_assignment_policy: RoleAssignmentPolicy
    management_role_assignments: tuple[ManagementRoleAssignment, ...]
    management_scopes: tuple[ManagementScope, ...]
    applications: tuple[Application, ...] = ()
    conditional_access_policies: tuple[ConditionalAccessPolicy, ...] = ()
    has_security_defaults: bool = False
    membership_ends: Mapping[tuple[str, str], str] = field(default_factory=dict)

    @cached_property
    def objects(self) -> dict[str, Any]:
        """Everything that can be a member or hold a role, by id."""
        everything: tuple[Identified, ...] = (
            *self.users,
            *self.groups,
            *self.administrative_units,
            *self.service_principals,
            *self.applications,
            *self.role_groups,
            self.role_assignment_policy,
        )
        return {thing.id: thing for thing in everything}

    @cached_property
    def role_definitions(self) -> dict[str, DirectoryRole]:
        """Directory role definitions by id."""
        return {role.id: role for role in self.directory_roles}

    def answers_to(self, tenant: str) -> bool:
        """Tell whether `tenant` is the id or a verified domain of this tenant."""
        return tenant.lower() in {self.id, self.domain, self.initial_domain}

    @property
    def initial_domain(self) -> str:
        """The domain the tenant was created with."""
        return f"{self.domain.partition('.')[0]}.onmicrosoft.example"

    def user(self, key: str) -> User | None:
        """A user by object id or user principal name."""
        wanted = key.lower()
        return next((u for u in self.users if wanted in {u.id, u.user_principal_name.lower()}), None)

    def members_of(self, group_id: str) -> frozenset[str]:
        """Ids of everything in a group, through any nesting."""
        found: set[str] = set()
        frontier = [group_id]
        while frontier:
            inside = set(self.members.get(frontier.pop(), ())) - found
            found |= inside
            frontier += [each for each in inside if each in self.members]
        return frozenset(found)

    def containers_of(self, member_id: str, *, transitive: bool = True) -> tuple[str, ...]:
        """Ids of the groups, role groups and administrative units that contain a member."""
        found: list[str] = []
        frontier = [member_id]
        while frontier:
            inner = frontier.pop(0)
            direct = [
                outer for outer, members in self.members.items() if inner in members and outer not in found
            ]
            found += direct
            frontier += direct if transitive else []
        return tuple(found)

    def active_directory_roles(self, principal_id: str) -> frozenset[str]:
        """Names of the tenant-wide directory roles a principal holds, itself or through groups."""
        holders = {principal_id, *self.containers_of(principal_id)}
        return frozenset(
            self.role_definitions[assignment.role_id].display_name
            for assignment in self.directory_role_assignments
            if assignment.principal_id in holders and assignment.scope == "/"
        )

    def role_groups_of(
        self,
        member_id: str,
        *,
        through_security_groups: bool = True,
        directory_roles: frozenset[str] | None = None,
    ) -> frozenset[str]:
        """Ids of the role groups a member is in by any nesting, and of those its directory roles put it in.

        `directory_roles` stands in for the active ones, for a caller whose token is older than they are.
        """
        held = self.active_directory_roles(member_id) if directory_roles is None else directory_roles
        start = {member_id, *(group.id for group in self.role_groups if group.backed_by in held)}
        if through_security_groups:
            start |= set(self.containers_of(member_id))
        return self._role_groups_reached_from(start)

    def _role_groups_reached_from(self, start: set[str]) -> frozenset[str]:
        reached = set(start)
        grew = True
        while grew:
            outer = {group.id for group in self.role_groups if reached & set(self.members.get(group.id, ()))}
            grew = not outer <= reached
            reached |= outer
        return frozenset(group.id for group in self.role_groups if group.id in reached)

    def management_roles_of(
        self, principal_id: str, directory_roles: frozenset[str] | None = None
    ) -> frozenset[str]:
        """Names of the Exchange roles in force over others: enabled, valid, regular, not for oneself alone."""
        role_groups = self.role_groups_of(principal_id, directory_roles=directory_roles)
        assignees = {principal_id, *self.containers_of(principal_id), *role_groups}
        return frozenset(
            assignment.role
            for assignment in self.management_role_assignments
            if assignment.assignee_id in assignees
            and assignment.enabled
            and assignment.valid
            and not assignment.delegating
            and assignment.recipient_write_scope != "Self"
        )
