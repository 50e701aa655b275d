"""Judges the documented directory roles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.evaluate.fields import same
from auditor.evaluate.judgement import Judgement, describe_gap
from auditor.evaluate.remediation import assign_entra_role
from auditor.evaluate.tenant.built_in_roles import GLOBAL_ADMINISTRATOR
from auditor.model.evidence import GapKind
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
            reason="the account does not exist",
            actual=f"{need.name}: not held",
            evidence=(EvidenceReference(dataset="user"),),
        )
    held = roles.holding(need.template_id)
    global_administrator = tuple(role for role in roles.holding(GLOBAL_ADMINISTRATOR) if role.is_tenant_wide)
    if global_administrator and not any(role.is_tenant_wide for role in held):
        return Judgement(
            outcome=Outcome.SATISFIED,
            how="superset",
            reason=f"Global Administrator includes {need.name} (rule A10)",
            actual="Entra role Global Administrator",
            paths=tuple(role.path for role in global_administrator),
            evidence=(reference,),
        )
    wide = tuple(role for role in held if role.is_tenant_wide)
    if wide:
        how = "via_group" if wide[0].is_through_group else "exact"
        return Judgement(
            outcome=Outcome.SATISFIED,
            how=how,
            reason=f"{need.name} is active for the whole tenant",
            note=_until_when(wide),
            actual=f"Entra role {need.name}, {'through a group' if wide[0].is_through_group else 'direct'}",
            paths=tuple(role.path for role in wide),
            evidence=(reference,),
        )
    if roles.gaps:
        return Judgement(
            outcome=Outcome.UNVERIFIABLE,
            reason=f"{need.name}: " + "; ".join(describe_gap(gap) for _, gap in roles.gaps),
            actual=f"{need.name}: not seen, not everything could be read",
            evidence=tuple(item for item, _ in roles.gaps),
        )
    if any(same(role.template_id, need.template_id) for role in roles.contradicted):
        return Judgement(
            outcome=Outcome.UNVERIFIABLE,
            reason=f"{need.name} is listed for the account elsewhere, and not among its role assignments",
            actual=f"{need.name}: two sources disagree",
            evidence=(reference, EvidenceReference(dataset="transitive_member_of")),
        )
    if any(not role.scope for role in held):
        return Judgement(
            outcome=Outcome.UNVERIFIABLE,
            reason=f"Graph did not state the scope of {need.name}",
            actual=f"Entra role {need.name}, scope not stated",
            paths=tuple(role.path for role in held),
            evidence=(reference,),
        )
    if held:
        return Judgement(
            outcome=Outcome.PARTIAL,
            how="scoped",
            remediation=Remediation(
                text=f"Assign {need.name} for the whole tenant if the product must reach more, or accept the limit."
            ),
            reason=f"{need.name} is limited to {', '.join(role.scope_name for role in held)}",
            actual=f"Entra role {need.name}, limited scope",
            paths=tuple(role.path for role in held),
            evidence=(reference,),
        )
    return Judgement(
        outcome=Outcome.MISSING,
        reason=_why_missing(need, evidence, roles),
        actual=f"{need.name}: not held",
        evidence=(reference,),
        remediation=assign_entra_role(
            need.name,
            need.template_id,
            account.name,
            is_eligible=roles.is_eligible_for(need.template_id),
        ),
    )


def _until_when(held: tuple[HeldRole, ...]) -> str:
    """Say so when every assignment ends by itself."""
    ends = [role for role in held if role.ends_at is not None]
    if len(ends) < len(held):
        return ""
    how = "It was activated and lapses" if all(role.is_activated for role in ends) else "It is time-bound and ends"
    return f"{how} at {max(role.ends_at or '' for role in ends)}."


def _why_missing(need: EntraRole, evidence: Evidence, roles: EntraRoles) -> str:
    if roles.is_eligible_for(need.template_id):
        return f"{need.name} is only eligible; an unattended account cannot activate it"
    eligibility = [read.gap for _, read in evidence.reads_of("role_eligibility_instances") if read.gap is not None]
    if any(gap.kind is not GapKind.NOT_LICENSED for gap in eligibility):
        return f"{need.name} is not an active role of the account (whether it is eligible could not be read)"
    return f"{need.name} is not an active role of the account"
