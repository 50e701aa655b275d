"""Judges the documented directory roles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.evaluate.fields import same
from auditor.evaluate.judgement import Judgement, describe_gap
from auditor.evaluate.remediation import assign_entra_role
from auditor.evaluate.tenant.built_in_roles import GLOBAL_ADMINISTRATOR
from auditor.model.evidence import GapKind
from auditor.model.message import NOTHING, Message, joined, say
from auditor.model.outcome import Outcome
from auditor.model.results import EvidenceReference, Remediation

if TYPE_CHECKING:
    from auditor.evaluate.tenant.account import TenantAccount
    from auditor.evaluate.tenant.entra_roles import EntraRoles, HeldRole
    from auditor.matrix.profile import EntraRole
    from auditor.model.evidence import Evidence


def judge_entra_role(need: EntraRole, evidence: Evidence, account: TenantAccount, roles: EntraRoles) -> Judgement:
    """Judge one documented directory role: active, tenant-wide, held directly or through a group."""
    reference = EvidenceReference(dataset="role_assignments", record=account.object_id or "")
    if account.is_absent:
        return Judgement(
            outcome=Outcome.MISSING,
            reason=say("the account does not exist"),
            actual=say("{name}: not held", name=need.name),
            evidence=(EvidenceReference(dataset="user"),),
        )
    held = roles.holding(need.template_id)
    global_administrator = tuple(role for role in roles.holding(GLOBAL_ADMINISTRATOR) if role.is_tenant_wide)
    if global_administrator and not any(role.is_tenant_wide for role in held):
        return Judgement(
            outcome=Outcome.SATISFIED,
            how="superset",
            reason=say("Global Administrator includes {name} (rule A10)", name=need.name),
            actual=say("Entra role Global Administrator"),
            paths=tuple(role.path for role in global_administrator),
            evidence=(reference,),
        )
    wide = tuple(role for role in held if role.is_tenant_wide)
    if wide:
        how = "via_group" if wide[0].is_through_group else "exact"
        return Judgement(
            outcome=Outcome.SATISFIED,
            how=how,
            reason=say("{name} is active for the whole tenant", name=need.name),
            note=_until_when(wide),
            actual=say(
                "Entra role {name}, through a group" if wide[0].is_through_group else "Entra role {name}, direct",
                name=need.name,
            ),
            paths=tuple(role.path for role in wide),
            evidence=(reference,),
        )
    if roles.gaps:
        return Judgement(
            outcome=Outcome.UNVERIFIABLE,
            reason=joined(": ", (need.name, joined("; ", (describe_gap(gap) for _, gap in roles.gaps)))),
            actual=say("{name}: not seen, not everything could be read", name=need.name),
            evidence=tuple(item for item, _ in roles.gaps),
        )
    if any(same(role.template_id, need.template_id) for role in roles.contradicted):
        return Judgement(
            outcome=Outcome.UNVERIFIABLE,
            reason=say(
                "{name} is listed for the account elsewhere, and not among its role assignments",
                name=need.name,
            ),
            actual=say("{name}: two sources disagree", name=need.name),
            evidence=(reference, EvidenceReference(dataset="transitive_member_of")),
        )
    if any(not role.scope for role in held):
        return Judgement(
            outcome=Outcome.UNVERIFIABLE,
            reason=say("Graph did not state the scope of {name}", name=need.name),
            actual=say("Entra role {name}, scope not stated", name=need.name),
            paths=tuple(role.path for role in held),
            evidence=(reference,),
        )
    if held:
        return Judgement(
            outcome=Outcome.PARTIAL,
            how="scoped",
            remediation=Remediation(
                text=say(
                    "Assign {name} for the whole tenant if the product must reach more, or accept the limit.",
                    name=need.name,
                )
            ),
            reason=say(
                "{name} is limited to {scopes}", name=need.name, scopes=joined(", ", (role.scope_name for role in held))
            ),
            actual=say("Entra role {name}, limited scope", name=need.name),
            paths=tuple(role.path for role in held),
            evidence=(reference,),
        )
    return Judgement(
        outcome=Outcome.MISSING,
        reason=_why_missing(need, evidence, roles),
        actual=say("{name}: not held", name=need.name),
        evidence=(reference,),
        remediation=assign_entra_role(
            need.name,
            need.template_id,
            account.name,
            is_eligible=roles.is_eligible_for(need.template_id),
        ),
    )


def _until_when(held: tuple[HeldRole, ...]) -> Message:
    """Say so when every assignment ends by itself."""
    ends = [role for role in held if role.ends_at is not None]
    if len(ends) < len(held):
        return NOTHING
    return say(
        "It was activated and lapses at {instant}."
        if all(role.is_activated for role in ends)
        else "It is time-bound and ends at {instant}.",
        instant=max(role.ends_at or "" for role in ends),
    )


def _why_missing(need: EntraRole, evidence: Evidence, roles: EntraRoles) -> Message:
    if roles.is_eligible_for(need.template_id):
        return say("{name} is only eligible; an unattended account cannot activate it", name=need.name)
    eligibility = [read.gap for _, read in evidence.reads_of("role_eligibility_instances") if read.gap is not None]
    if any(gap.kind is not GapKind.NOT_LICENSED for gap in eligibility):
        return say(
            "{name} is not an active role of the account (whether it is eligible could not be read)",
            name=need.name,
        )
    return say("{name} is not an active role of the account", name=need.name)
