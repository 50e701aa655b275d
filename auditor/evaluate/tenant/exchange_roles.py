"""Judges the documented Exchange roles, and the role group they should come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.evaluate.fields import same
from auditor.evaluate.judgement import Held, Judgement, Unknown
from auditor.evaluate.remediation import add_to_role_group, create_role_group
from auditor.evaluate.tenant.management_roles import read_management_roles
from auditor.evaluate.tenant.role_assignments import (
    ALL,
    RoleAssignment,
    RoleAssignments,
    read_role_assignments,
)
from auditor.evaluate.tenant.role_groups import BUILT_IN_COLLECTIONS, RoleGroups, read_role_groups
from auditor.model.outcome import Outcome
from auditor.model.results import EvidenceReference, Path, Remediation

if TYPE_CHECKING:
    from auditor.evaluate.tenant.account import TenantAccount
    from auditor.evaluate.tenant.entra_roles import EntraRoles
    from auditor.evaluate.tenant.management_roles import ManagementRoles
    from auditor.matrix.profile import ExchangeRole
    from auditor.model.evidence import Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeAccess:
    """All that is known of the account's Exchange roles."""

    role_groups: RoleGroups
    roles: ManagementRoles
    assignments: RoleAssignments

    def of_type(self, role_type: str) -> tuple[RoleAssignment, ...]:
        """Return assignments of a role type, and those whose role's type could not be read."""
        return tuple(
            assignment
            for assignment in self.assignments.all
            if assignment.role is None or same(assignment.role.role_type, role_type)
        )


def read_exchange_access(evidence: Evidence, account: TenantAccount, entra_roles: EntraRoles) -> ExchangeAccess:
    """Gather role groups, roles and assignments from the evidence."""
    groups = read_role_groups(evidence, account, entra_roles)
    roles = read_management_roles(evidence)
    return ExchangeAccess(
        role_groups=groups, roles=roles, assignments=read_role_assignments(evidence, account, groups, roles)
    )


def judge_exchange_role(need: ExchangeRole, account: TenantAccount, access: ExchangeAccess) -> Judgement:
    """Judge one documented Exchange role: enabled, valid, regular, for the whole organisation."""
    if account.is_absent:
        return Judgement(
            outcome=Outcome.MISSING,
            reason="the account does not exist",
            actual=f"{need.name}: not held",
            evidence=(EvidenceReference(dataset="user"),),
        )
    candidates = [(_judge_assignment(need, assignment), assignment) for assignment in access.of_type(need.role_type)]
    for outcome in (Outcome.SATISFIED, Outcome.UNVERIFIABLE):
        deciding = [(judgement, assignment) for judgement, assignment in candidates if judgement.outcome is outcome]
        if deciding:
            return _best(deciding)
    if access.assignments.list_gap is not None:
        return Judgement(
            outcome=Outcome.UNVERIFIABLE,
            reason=access.assignments.list_gap,
            actual=f"{need.name}: not seen, not everything could be read",
            evidence=(EvidenceReference(dataset=ALL),),
        )
    partial = [(judgement, assignment) for judgement, assignment in candidates if judgement.outcome is Outcome.PARTIAL]
    if partial:
        return _best(partial)
    reasons = [judgement.reason for judgement, _ in candidates if judgement.reason]
    return Judgement(
        outcome=Outcome.MISSING,
        reason="; ".join(dict.fromkeys(reasons)) or f"no role assignment gives the account {need.name}",
        actual=f"{need.name}: not held",
        evidence=(EvidenceReference(dataset=ALL),),
        remediation=_grant(need, account, access),
    )


def _best(deciding: list[tuple[Judgement, RoleAssignment]]) -> Judgement:
    """Join equal judgements: the shortest path first, every reason and every path kept."""
    ordered = sorted(deciding, key=lambda item: (min((len(path) for path in item[0].paths), default=0), item[1].name))
    first = ordered[0][0]
    paths: tuple[Path, ...] = tuple(dict.fromkeys(path for judgement, _ in ordered for path in judgement.paths))
    return Judgement(
        outcome=first.outcome,
        how=first.how,
        reason="; ".join(dict.fromkeys(judgement.reason for judgement, _ in ordered)),
        actual=first.actual,
        paths=tuple(sorted(paths, key=len)),
        evidence=tuple(dict.fromkeys(item for judgement, _ in ordered for item in judgement.evidence)),
        remediation=first.remediation,
    )


def _grant(need: ExchangeRole, account: TenantAccount, access: ExchangeAccess) -> Remediation:
    """Advise to add the role to a role group of the account that is no built-in collection, or to make one."""
    names = sorted(group.name for group in access.role_groups.all if isinstance(group.claim, Held))
    own = next((name for name in names if name not in BUILT_IN_COLLECTIONS), None)
    if own is None:
        return create_role_group([need.name], account.object_id or account.name)
    return add_to_role_group([need.name], own)


def _judge_assignment(need: ExchangeRole, assignment: RoleAssignment) -> Judgement:
    paths = assignment.claim.paths if isinstance(assignment.claim, Held) else ()
    evidence: tuple[EvidenceReference, ...] = (assignment.reference,)
    if assignment.ineffective or assignment.no_write:
        reason = f"{assignment.name}: {assignment.ineffective or assignment.no_write}" if paths else ""
        return Judgement(outcome=Outcome.MISSING, reason=reason, actual="", evidence=evidence)
    unknown = _why_unknown(assignment)
    if unknown:
        if isinstance(assignment.claim, Unknown):
            evidence += assignment.claim.evidence
        return Judgement(
            outcome=Outcome.UNVERIFIABLE,
            reason=f"{assignment.name}: {unknown}",
            actual=f"{need.name}: not everything could be read",
            evidence=evidence,
        )
    how = _how(assignment, paths)
    limits = _limits(assignment)
    if limits:
        return Judgement(
            outcome=Outcome.PARTIAL,
            how=how,
            reason=f"{assignment.name}: {'; '.join(limits)}",
            actual=f"{assignment.role_name} held, limited",
            paths=paths,
            evidence=evidence,
            remediation=Remediation(
                text=f"Role assignment {assignment.name} is {' and '.join(limits)}. Widen it if the product must reach "
                "more, or accept the limit."
            ),
        )
    return Judgement(
        outcome=Outcome.SATISFIED,
        how=how,
        reason=f"role assignment {assignment.name} grants {assignment.role_name} for the whole organisation",
        actual=f"{assignment.role_name}, {_how_in_words(how)}",
        paths=paths,
        evidence=evidence,
    )


def _why_unknown(assignment: RoleAssignment) -> str:
    if isinstance(assignment.claim, Unknown):
        return assignment.claim.reason
    if assignment.role is None:
        return f"the type of the role {assignment.role_name} could not be read"
    if assignment.role.lacks is None:
        return assignment.role.lacks_unknown
    return assignment.uncertain


def _limits(assignment: RoleAssignment) -> list[str]:
    limits = [f"limited to {assignment.limited_to}"] if assignment.limited_to else []
    if assignment.role is not None and assignment.role.lacks:
        limits.append(f"the custom role {assignment.role_name} lacks {', '.join(assignment.role.lacks)}")
    return limits


def _how(assignment: RoleAssignment, paths: tuple[Path, ...]) -> str:
    if any(step.startswith("Entra role ") for step in paths[0]):
        return "via_entra_role"
    if assignment.is_of_role_group:
        return "via_role_group"
    return "direct" if assignment.is_of_account else "via_group"


def _how_in_words(how: str) -> str:
    return {
        "via_entra_role": "through an Entra role",
        "via_role_group": "through a role group",
        "direct": "assigned directly",
        "via_group": "through a group",
    }[how]


def judge_role_group(needs: tuple[ExchangeRole, ...], account: TenantAccount, access: ExchangeAccess) -> Judgement:
    """Judge whether the profile's Exchange roles come from a role group the account is in."""
    evidence = (EvidenceReference(dataset="role_groups"), EvidenceReference(dataset=ALL))
    if account.is_absent:
        return Judgement(
            outcome=Outcome.MISSING,
            reason="the account does not exist",
            actual="no role group",
            evidence=evidence,
        )
    by_need = {need.name: _role_groups_giving(need, access) for need in needs}
    given = {name: groups for name, (groups, _) in by_need.items() if groups}
    missing = [name for name, (groups, _) in by_need.items() if not groups]
    unknown = [reason for name, (groups, reason) in by_need.items() if not groups and reason]
    names = sorted({group for groups in given.values() for group in groups})
    actual = f"role groups: {', '.join(names)}" if names else "no role group gives a documented role"
    paths = tuple((account.name, f"role group {name}") for name in names)
    if not missing:
        exact = sorted(set.intersection(*(set(groups) for groups in given.values())))
        reason = (
            f"{', '.join(exact)} holds every documented Exchange role"
            if exact
            else f"the roles are spread over {len(names)} role groups"
        )
        return Judgement(
            outcome=Outcome.SATISFIED,
            how=_how_role_groups(exact),
            reason=reason,
            actual=actual,
            paths=tuple((account.name, f"role group {name}") for name in (exact or names)),
            evidence=evidence,
        )
    if unknown:
        return Judgement(
            outcome=Outcome.UNVERIFIABLE,
            reason="; ".join(dict.fromkeys(unknown)),
            actual=actual,
            paths=paths,
            evidence=evidence,
        )
    if given:
        return Judgement(
            outcome=Outcome.PARTIAL,
            how="via_role_group",
            actual=actual,
            paths=paths,
            evidence=evidence,
            reason=f"no role group of the account gives {', '.join(missing)}",
            remediation=add_to_role_group(missing, names[0]),
        )
    return Judgement(
        outcome=Outcome.MISSING,
        reason=_why_no_role_group(needs, access),
        actual=actual,
        evidence=evidence,
        remediation=create_role_group([need.name for need in needs], account.object_id or account.name),
    )


def _how_role_groups(exact: list[str]) -> str:
    if not exact:
        return "union"
    return "superset" if all(name in BUILT_IN_COLLECTIONS for name in exact) else "exact"


def _role_groups_giving(need: ExchangeRole, access: ExchangeAccess) -> tuple[tuple[str, ...], str]:
    """Return the role groups that give a role, and why others could not be excluded."""
    groups, unknown = [], [access.assignments.list_gap or ""]
    for assignment in access.of_type(need.role_type):
        if not assignment.is_of_role_group or assignment.ineffective or assignment.no_write:
            continue
        if isinstance(assignment.claim, Held) and assignment.role is not None and not assignment.uncertain:
            groups.append(assignment.assignee)
        else:
            unknown.append(_why_unknown(assignment))
    return tuple(dict.fromkeys(groups)), "; ".join(dict.fromkeys(reason for reason in unknown if reason))


def _why_no_role_group(needs: tuple[ExchangeRole, ...], access: ExchangeAccess) -> str:
    direct = sorted(
        {
            assignment.role_name
            for need in needs
            for assignment in access.of_type(need.role_type)
            if assignment.is_effective and not assignment.is_of_role_group
        }
    )
    if direct:
        return f"{', '.join(direct)} assigned to the account itself, not to a role group it is in"
    return "the account is in no role group that holds a documented role"
