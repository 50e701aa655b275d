"""Directory roles of Microsoft Entra ID: what the account holds or may activate, where, through what, until when."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from auditor.evaluate.fields import flag, same, text
from auditor.evaluate.tenant.built_in_roles import BUILT_IN_ROLE_NAMES
from auditor.evaluate.tenant.role_schedules import Schedules, read_schedules
from auditor.model.evidence import Gap, GapKind
from auditor.model.graph_group import is_assignable_to_role
from auditor.model.message import Message, say, written
from auditor.model.results import EvidenceReference, Path

if TYPE_CHECKING:
    from auditor.evaluate.tenant.account import TenantAccount
    from auditor.model.evidence import Evidence, Record

TENANT_WIDE = "/"
_ADMINISTRATIVE_UNIT = "/administrativeUnits/"
_NAMELESS = Gap(kind=GapKind.MALFORMED, message=say("Graph lists a role assignment and does not say of which role"))


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRole:
    """One directory role assignment that reaches the account, or that it may activate.

    `scope` is Entra's directoryScopeId: `/` for the whole tenant, empty when Graph did not state it;
    `scope_name` says it in words. `group_id` is the group that carries the role, or empty. `ends_at` is the
    instant a time-bound assignment ends, as Graph writes it, or None. `is_activated` is True for a role that
    somebody activated and that lapses by itself.
    """

    template_id: str
    name: str
    scope: str
    scope_name: str
    path: Path
    group_id: str = ""
    ends_at: str | None = None
    is_activated: bool = False

    @property
    def is_tenant_wide(self) -> bool:
        """True when no administrative unit or resource limits the assignment."""
        return self.scope == TENANT_WIDE

    @property
    def is_through_group(self) -> bool:
        """True when a group carries the role."""
        return bool(self.group_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntraRoles:
    """All directory roles found, and the gaps that keep absence from being proven.

    `contradicted` are roles that one source lists for the account and the role assignments, read completely, do not.
    """

    active: tuple[HeldRole, ...]
    eligible: tuple[HeldRole, ...]
    gaps: tuple[tuple[EvidenceReference, Gap], ...]
    contradicted: tuple[HeldRole, ...]

    def holding(self, template_id: str) -> tuple[HeldRole, ...]:
        """Return the active assignments of one role, tenant-wide ones first."""
        found = (role for role in self.active if same(role.template_id, template_id))
        return tuple(sorted(found, key=lambda role: (not role.is_tenant_wide, len(role.path), role.path)))

    def is_eligible_for(self, template_id: str) -> bool:
        """Tell whether the account may activate a role."""
        return any(same(role.template_id, template_id) for role in self.eligible)


def read_entra_roles(evidence: Evidence, account: TenantAccount) -> EntraRoles:
    """Gather the active and eligible directory roles of the account and of the groups it is in."""
    reader = _Reader(evidence, account)
    active = reader.roles("role_assignments")
    known = {(role.template_id, role.scope) for role in active}
    # Further witnesses: they prove a role where the assignments were not read, else they contradict them.
    others = [role for role in reader.roles("role_assignment_instances") if (role.template_id, role.scope) not in known]
    known_templates = {role.template_id for role in (*active, *others)}
    others += [role for role in reader.roles_among_memberships() if role.template_id not in known_templates]
    proven = [role for role in others if reader.lacks_assignments_of(role)]
    return EntraRoles(
        active=tuple(dict.fromkeys([*active, *proven])),
        eligible=tuple(
            dict.fromkeys([*reader.roles("role_eligibility_instances"), *reader.roles_of_groups_to_activate()])
        ),
        gaps=reader.gaps(),
        contradicted=tuple(dict.fromkeys(role for role in others if role not in proven)),
    )


def may_hold_roles(group: Record) -> bool:
    """Tell whether a group can carry directory roles: true unless Graph says that it cannot."""
    return is_assignable_to_role(group) is not False


class _Reader:
    def __init__(self, evidence: Evidence, account: TenantAccount) -> None:
        self._evidence = evidence
        self._account = account
        self._definitions = {text(record, "id").casefold(): record for record in evidence.read("role_definitions")}
        self._groups = {
            text(record, "id").casefold(): record
            for record in evidence.read("transitive_member_of")
            if not text(record, "@odata.type").endswith(("directoryRole", "administrativeUnit"))
        }
        self._schedules: Schedules = read_schedules(evidence)

    def roles(self, dataset: str) -> list[HeldRole]:
        """Return the roles a dataset lists for the account and its groups."""
        return [
            role
            for subject, read in self._evidence.reads_of(dataset)
            for record in read
            if _role_id(record) and (role := self._role_of_principal(record, subject)) is not None
        ]

    def _role_of_principal(self, record: Record, subject: str) -> HeldRole | None:
        principal = (text(record, "principalId") or subject).casefold()
        if same(principal, self._account.object_id or ""):
            return self._role(record, principal, ())
        group = self._groups.get(principal)
        if group is None:
            return None  # a service that ignores the filter must not lend the account someone else's roles
        step = say("group {name}", name=text(group, "displayName") or text(group, "id"))
        role = self._role(record, principal, (step,))
        ends_at = self._schedules.earlier(role.ends_at, self._schedules.end_of_membership(principal))
        return replace(role, group_id=text(group, "id"), ends_at=ends_at)

    def _role(self, record: Record, principal: str, via: Path) -> HeldRole:
        role_id = _role_id(record)
        expanded = record.get("roleDefinition")
        definition = expanded if isinstance(expanded, dict) else self._definitions.get(role_id.casefold(), {})
        # Whoever creates a custom role chooses its templateId; only a built-in role's says what it is.
        is_built_in = flag(definition, "isBuiltIn") is True
        template_id = (text(definition, "templateId") if is_built_in else "") or role_id
        name = text(definition, "displayName") or BUILT_IN_ROLE_NAMES.get(template_id.casefold(), template_id)
        scope = _scope(record)
        schedule = self._schedules.of_role(principal, role_id, text(record, "directoryScopeId"))
        return HeldRole(
            template_id=template_id.casefold(),
            name=name,
            scope=scope,
            scope_name=_in_words(scope, self._evidence),
            path=(self._account.name, *via, say("Entra role {name}", name=name)),
            ends_at=schedule.ends_at,
            is_activated=schedule.is_activated,
        )

    def roles_among_memberships(self) -> list[HeldRole]:
        """Return directory roles listed as memberships: tenant-wide assignments only."""
        found = []
        for record in self._evidence.read("transitive_member_of"):
            template_id = text(record, "roleTemplateId").casefold()
            if text(record, "@odata.type").endswith("directoryRole") and template_id:
                name = text(record, "displayName") or BUILT_IN_ROLE_NAMES.get(template_id, template_id)
                path = (self._account.name, say("Entra role {name}", name=name))
                whole = _in_words(TENANT_WIDE, self._evidence)
                found.append(
                    HeldRole(template_id=template_id, name=name, scope=TENANT_WIDE, scope_name=whole, path=path)
                )
        return found

    def lacks_assignments_of(self, role: HeldRole) -> bool:
        """Tell whether the assignments of the role's holder were not read to the end."""
        holder = role.group_id or self._account.object_id or ""
        return self._evidence.read("role_assignments", holder).gap is not None

    def roles_of_groups_to_activate(self) -> list[HeldRole]:
        """Return the roles of groups whose membership or ownership the account may activate."""
        found = []
        for eligibility in self._evidence.read("group_eligibility_instances"):
            group_id = text(eligibility, "groupId")
            if not same(text(eligibility, "principalId"), self._account.object_id or ""):
                continue
            group = eligibility.get("group")
            name = text(group, "displayName") if isinstance(group, dict) else ""
            step = say(
                "eligible {access} of group {name}",
                access=written(text(eligibility, "accessId") or "member"),
                name=name or group_id,
            )
            for record in self._evidence.read("role_assignments", group_id):
                if same(text(record, "principalId"), group_id):
                    role = self._role(record, group_id, (step,))
                    found.append(replace(role, group_id=group_id, ends_at=None, is_activated=False))
        return found

    def gaps(self) -> tuple[tuple[EvidenceReference, Gap], ...]:
        """Return what was not read of the active roles."""
        wanted = [("transitive_member_of", ""), ("role_assignments", self._account.object_id or "")]
        wanted += [("role_assignments", text(each, "id")) for each in self._groups.values() if may_hold_roles(each)]
        found = []
        for dataset, subject in wanted:
            read = self._evidence.read(dataset, subject)
            is_whole = dataset != "role_assignments" or all(_role_id(record) for record in read)
            gap = read.gap or (None if is_whole else _NAMELESS)
            if gap is not None:
                found.append((EvidenceReference(dataset=dataset, record=subject), gap))
        return tuple(found)


def _role_id(record: Record) -> str:
    expanded = record.get("roleDefinition")
    return text(record, "roleDefinitionId") or (text(expanded, "id") if isinstance(expanded, dict) else "")


def _scope(record: Record) -> str:
    if text(record, "appScopeId") and text(record, "appScopeId") != TENANT_WIDE:
        return text(record, "appScopeId")
    if record.get("condition"):
        return f"{text(record, 'directoryScopeId')} under the condition {record['condition']}"
    return text(record, "directoryScopeId")


def _in_words(scope: str, evidence: Evidence) -> str:
    if scope == TENANT_WIDE:
        return say("the whole tenant")
    if not scope.startswith(_ADMINISTRATIVE_UNIT):
        return scope
    return administrative_unit(scope.removeprefix(_ADMINISTRATIVE_UNIT), evidence)


def administrative_unit(unit_id: str, evidence: Evidence) -> Message:
    """Name an administrative unit, by its id alone when its name was not read."""
    unit = next(iter(evidence.read("administrative_unit", unit_id)), None)
    name = text(unit, "displayName") if unit else ""
    return say("administrative unit {name} ({id})" if name else "administrative unit {id}", name=name, id=unit_id)
