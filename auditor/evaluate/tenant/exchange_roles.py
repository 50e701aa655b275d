"""Judges the documented Exchange roles, and the role group they should come from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from auditor.evaluate.fields import same
from auditor.evaluate.judgement import Held, Judgement, Unknown
from auditor.evaluate.remediation import add_to_role_group, create_role_group
from auditor.evaluate.tenant.management_roles import lost_together, read_management_roles
from auditor.evaluate.tenant.role_assignments import (
    ALL,
    RoleAssignment,
    RoleAssignments,
    read_role_assignments,
)
from auditor.evaluate.tenant.role_groups import BUILT_IN_COLLECTIONS, RoleGroups, read_role_groups
from auditor.model.message import NOTHING, Message, joined, say
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
            reason=say("the account does not exist"),
            actual=say("{name}: not held", name=need.name),
            evidence=(EvidenceReference(dataset="user"),),
        )
    candidates = [(_judge_assignment(need, assignment), assignment) for assignment in access.of_type(need.role_type)]
    candidates = _with_trimmed_together(need, candidates)
    for outcome in (Outcome.SATISFIED, Outcome.UNVERIFIABLE):
        deciding = [(judgement, assignment) for judgement, assignment in candidates if judgement.outcome is outcome]
        if deciding:
            return _best(deciding)
    if access.assignments.list_gap is not None:
        return Judgement(
            outcome=Outcome.UNVERIFIABLE,
            reason=access.assignments.list_gap,
            actual=say("{name}: not seen, not everything could be read", name=need.name),
            evidence=(EvidenceReference(dataset=ALL),),
        )
    partial = [(judgement, assignment) for judgement, assignment in candidates if judgement.outcome is Outcome.PARTIAL]
    if partial:
        return _best(partial)
    reasons = [judgement.reason for judgement, _ in candidates if judgement.reason]
    return Judgement(
        outcome=Outcome.MISSING,
        reason=joined("; ", dict.fromkeys(reasons))
        if reasons
        else say("no role assignment gives the account {name}", name=need.name),
        actual=say("{name}: not held", name=need.name),
        evidence=(EvidenceReference(dataset=ALL),),
        remediation=_grant(need, account, access),
    )


def _with_trimmed_together(
    need: ExchangeRole, candidates: list[tuple[Judgement, RoleAssignment]]
) -> list[tuple[Judgement, RoleAssignment]]:
    """Judge custom roles that each lost something as one: whoever holds several has the commands of all."""
    trimmed = [item for item in candidates if item[0].outcome is Outcome.PARTIAL and not item[1].limited_to]
    lacks = {each.role.name: each.role.lacks for _, each in trimmed if each.role is not None and each.role.lacks}
    if len(lacks) < 2:  # noqa: PLR2004 - several
        return candidates
    lost, names = lost_together(tuple(lacks.values())), joined(say(" and "), sorted(lacks))
    best, first = _best(trimmed), trimmed[0][1]
    if lost:
        lacking = ", ".join(lost)
        reason = say("the custom roles {names} together lack {lacking}", names=names, lacking=lacking)
        cure = Remediation(
            text=say(
                "Give the account {name} itself, or accept that {lacking} does not work.",
                name=need.name,
                lacking=lacking,
            )
        )
        together = replace(best, reason=reason, remediation=cure)
    else:
        reason = say("the custom roles {names} together hold every command of {name}", names=names, name=need.name)
        together = replace(best, outcome=Outcome.SATISFIED, reason=reason, actual=reason, remediation=None)
    return [*(item for item in candidates if item not in trimmed), (together, first)]


def _best(deciding: list[tuple[Judgement, RoleAssignment]]) -> Judgement:
    """Join equal judgements: the shortest path first, every reason and every path kept."""
    ordered = sorted(deciding, key=lambda item: (min((len(path) for path in item[0].paths), default=0), item[1].name))
    first = ordered[0][0]
    paths: tuple[Path, ...] = tuple(dict.fromkeys(path for judgement, _ in ordered for path in judgement.paths))
    return Judgement(
        outcome=first.outcome,
        how=first.how,
        reason=joined("; ", dict.fromkeys(judgement.reason for judgement, _ in ordered)),
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
        why = assignment.ineffective or assignment.no_write
        reason = joined(": ", (assignment.name, why)) if paths else NOTHING
        return Judgement(outcome=Outcome.MISSING, reason=reason, actual=NOTHING, evidence=evidence)
    unknown = _why_unknown(assignment)
    if unknown:
        if isinstance(assignment.claim, Unknown):
            evidence += assignment.claim.evidence
        return Judgement(
            outcome=Outcome.UNVERIFIABLE,
            reason=joined(": ", (assignment.name, unknown)),
            actual=say("{name}: not everything could be read", name=need.name),
            evidence=evidence,
        )
    how = _how(assignment, paths)
    limits = _limits(assignment)
    if limits:
        return Judgement(
            outcome=Outcome.PARTIAL,
            how=how,
            reason=joined(": ", (assignment.name, joined("; ", limits))),
            actual=say("{role} held, limited", role=assignment.role_name),
            paths=paths,
            evidence=evidence,
            remediation=Remediation(
                text=say(
                    "Role assignment {name} is {limits}. Widen it if the product must reach more, or accept the limit.",
                    name=assignment.name,
                    limits=joined(say(" and "), limits),
                )
            ),
        )
    return Judgement(
        outcome=Outcome.SATISFIED,
        how=how,
        reason=say(
            "role assignment {name} grants {role} for the whole organisation",
            name=assignment.name,
            role=assignment.role_name,
        ),
        actual=joined(", ", (assignment.role_name, _how_in_words(how))),
        paths=paths,
        evidence=evidence,
    )


def _why_unknown(assignment: RoleAssignment) -> Message:
    if isinstance(assignment.claim, Unknown):
        return assignment.claim.reason
    if assignment.role is None:
        return say("the type of the role {role_name} could not be read", role_name=assignment.role_name)
    if assignment.role.lacks is None:
        return assignment.role.lacks_unknown
    return assignment.uncertain


def _limits(assignment: RoleAssignment) -> list[Message]:
    limits = [say("limited to {limit}", limit=assignment.limited_to)] if assignment.limited_to else []
    if assignment.role is not None and assignment.role.lacks:
        lacking = ", ".join(assignment.role.lacks)
        limits.append(say("the custom role {role} lacks {lacking}", role=assignment.role_name, lacking=lacking))
    return limits


def _how(assignment: RoleAssignment, paths: tuple[Path, ...]) -> str:
    if any(step.startswith("Entra role ") for step in paths[0]):
        return "via_entra_role"
    if assignment.is_of_role_group:
        return "via_role_group"
    return "direct" if assignment.is_of_account else "via_group"


def _how_in_words(how: str) -> Message:
    return {
        "via_entra_role": say("through an Entra role"),
        "via_role_group": say("through a role group"),
        "direct": say("assigned directly"),
        "via_group": say("through a group"),
    }[how]


def judge_role_group(needs: tuple[ExchangeRole, ...], account: TenantAccount, access: ExchangeAccess) -> Judgement:
    """Judge whether the profile's Exchange roles come from a role group the account is in."""
    evidence = (EvidenceReference(dataset="role_groups"), EvidenceReference(dataset=ALL))
    if account.is_absent:
        return Judgement(
            outcome=Outcome.MISSING,
            reason=say("the account does not exist"),
            actual=say("no role group"),
            evidence=evidence,
        )
    by_need = {need.name: _role_groups_giving(need, access) for need in needs}
    given = {name: groups for name, (groups, _) in by_need.items() if groups}
    missing = [name for name, (groups, _) in by_need.items() if not groups]
    unknown = [reason for name, (groups, reason) in by_need.items() if not groups and reason]
    names = sorted({group for groups in given.values() for group in groups})
    actual = say("role groups: {names}" if names else "no role group gives a documented role", names=", ".join(names))
    paths = tuple((account.name, say("role group {name}", name=name)) for name in names)
    if not missing:
        exact = sorted(set.intersection(*(set(groups) for groups in given.values())))
        reason = (
            say("{exact} holds every documented Exchange role", exact=", ".join(exact))
            if exact
            else say("the roles are spread over {count} role groups", count=len(names))
        )
        return Judgement(
            outcome=Outcome.SATISFIED,
            how=_how_role_groups(exact),
            reason=reason,
            actual=actual,
            paths=tuple((account.name, say("role group {name}", name=name)) for name in (exact or names)),
            evidence=evidence,
        )
    if unknown:
        return Judgement(
            outcome=Outcome.UNVERIFIABLE,
            reason=joined("; ", dict.fromkeys(unknown)),
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
            reason=say("no role group of the account gives {missing}", missing=", ".join(missing)),
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


def _role_groups_giving(need: ExchangeRole, access: ExchangeAccess) -> tuple[tuple[str, ...], Message]:
    """Return the role groups that give a role, and why others could not be excluded."""
    groups, unknown = [], [access.assignments.list_gap or NOTHING]
    for assignment in access.of_type(need.role_type):
        if not assignment.is_of_role_group or assignment.ineffective or assignment.no_write:
            continue
        if isinstance(assignment.claim, Held) and assignment.role is not None and not assignment.uncertain:
            groups.append(assignment.assignee)
        else:
            unknown.append(_why_unknown(assignment))
    return tuple(dict.fromkeys(groups)), joined("; ", dict.fromkeys(reason for reason in unknown if reason))


def _why_no_role_group(needs: tuple[ExchangeRole, ...], access: ExchangeAccess) -> Message:
    direct = sorted(
        {
            assignment.role_name
            for need in needs
            for assignment in access.of_type(need.role_type)
            if assignment.is_effective and not assignment.is_of_role_group
        }
    )
    if direct:
        return say("{direct} assigned to the account itself, not to a role group it is in", direct=", ".join(direct))
    return say("the account is in no role group that holds a documented role")
