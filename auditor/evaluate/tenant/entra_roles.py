"""Directory roles of Microsoft Entra ID: what the account holds, where, through what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.evaluate.fields import flag, same, text
from auditor.evaluate.judgement import Judgement, describe_gap
from auditor.evaluate.remediation import assign_entra_role
from auditor.model.evidence import GapKind
from auditor.model.outcome import Outcome
from auditor.model.results import EvidenceReference, Path, Remediation

if TYPE_CHECKING:
    from auditor.evaluate.tenant.account import TenantAccount
    from auditor.matrix.profile import EntraRole
    from auditor.model.evidence import Evidence, Gap, Record

GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
EXCHANGE_ADMINISTRATOR = "29232cdf-9323-42fd-ade2-1d097af3e4de"
EXCHANGE_RECIPIENT_ADMINISTRATOR = "31392ffb-586c-42d1-9346-e59415a2cc4e"
HELPDESK_ADMINISTRATOR = "729827e3-9c14-49f7-bb1b-9608f156bbb8"
COMPLIANCE_ADMINISTRATOR = "17315797-102d-40b4-93e0-432062caca18"
SECURITY_ADMINISTRATOR = "194ae4cb-b126-40b2-bd5b-6091b380977d"
SECURITY_READER = "5d6b6bb7-de71-4623-b4af-96380a352509"
GLOBAL_READER = "f2ef992c-3afb-46b9-b7cf-a126ee74c451"
TENANT_WIDE = "/"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRole:
    """One active directory role assignment that reaches the account.

    `scope` is Entra's directoryScopeId: `/` for the whole tenant, empty when Graph did not state it.
    `ends_at` is the instant a time-bound assignment ends, as Graph writes it, or None.
    """

    template_id: str
    name: str
    scope: str
    path: Path
    is_through_group: bool
    ends_at: str | None = None

    @property
    def is_tenant_wide(self) -> bool:
        """True when no administrative unit or resource limits the assignment."""
        return self.scope == TENANT_WIDE


@dataclass(frozen=True, slots=True, kw_only=True)
class EntraRoles:
    """All directory roles found, and the gaps that keep absence from being proven.

    `contradicted` are template ids that one source lists for the account and the other, complete, does not.
    """

    active: tuple[HeldRole, ...]
    eligible: tuple[HeldRole, ...]
    gaps: tuple[tuple[EvidenceReference, Gap], ...]
    contradicted: frozenset[str]

    def holding(self, template_id: str) -> tuple[HeldRole, ...]:
        """Return the active assignments of one role, tenant-wide ones first."""
        found = (role for role in self.active if same(role.template_id, template_id))
        return tuple(sorted(found, key=lambda role: (not role.is_tenant_wide, len(role.path), role.path)))


def read_entra_roles(evidence: Evidence, account: TenantAccount) -> EntraRoles:
    """Gather the active and eligible directory roles of the account and of the groups it is in."""
    definitions = {text(record, "id").casefold(): record for record in evidence.read("role_definitions")}
    groups = {
        text(record, "id").casefold(): record
        for record in evidence.read("transitive_member_of")
        if not text(record, "@odata.type").endswith(("directoryRole", "administrativeUnit"))
    }
    ends = _end_times(evidence)
    active = [
        role
        for subject, read in evidence.reads_of("role_assignments")
        for record in read
        if (role := _role(record, subject, account, groups, definitions, ends)) is not None
    ]
    known = {role.template_id for role in active}
    listed = [role for role in _roles_among_memberships(evidence, account) if role.template_id not in known]
    assignments_gap = evidence.read("role_assignments", account.object_id or "").gap
    if assignments_gap is not None:
        active.extend(listed)  # a second witness, where the first one is silent
    eligible = [
        role
        for subject, read in evidence.reads_of("role_eligibility_instances")
        for record in read
        if (role := _role(record, subject, account, groups, definitions, ends)) is not None
    ]
    return EntraRoles(
        active=tuple(dict.fromkeys(active)),
        eligible=tuple(dict.fromkeys(eligible)),
        gaps=_gaps(evidence, account, groups),
        contradicted=frozenset(role.template_id for role in listed if assignments_gap is None),
    )


def _role(
    record: Record,
    subject: str,
    account: TenantAccount,
    groups: dict[str, Record],
    definitions: dict[str, Record],
    ends: dict[tuple[str, str], str],
) -> HeldRole | None:
    principal = text(record, "principalId") or subject
    group = groups.get(principal.casefold())
    is_account = same(principal, account.object_id or "")
    if not is_account and group is None:
        return None  # a service that ignores the filter must not lend the account someone else's roles
    role_id = text(record, "roleDefinitionId")
    expanded = record.get("roleDefinition")
    definition = expanded if isinstance(expanded, dict) else definitions.get(role_id.casefold(), {})
    # Whoever creates a custom role chooses its templateId; only a built-in role's says what it is.
    is_custom = flag(definition, "isBuiltIn") is False
    template_id = role_id if is_custom else text(definition, "templateId") or role_id
    name = text(definition, "displayName") or BUILT_IN_ROLE_NAMES.get(template_id.casefold(), template_id)
    via = () if is_account else (_group_name(group or {}),)
    return HeldRole(
        template_id=template_id.casefold(),
        name=name,
        scope=_scope(record),
        path=(account.name, *via, f"Entra role {name}"),
        is_through_group=not is_account,
        ends_at=ends.get((principal.casefold(), role_id.casefold())),
    )


def _scope(record: Record) -> str:
    if text(record, "appScopeId") and text(record, "appScopeId") != TENANT_WIDE:
        return text(record, "appScopeId")
    if record.get("condition"):
        return f"{text(record, 'directoryScopeId')} under the condition {record['condition']}"
    return text(record, "directoryScopeId")


def _group_name(group: Record) -> str:
    return f"group {text(group, 'displayName') or text(group, 'id')}"


def _end_times(evidence: Evidence) -> dict[tuple[str, str], str]:
    return {
        (text(record, "principalId").casefold(), text(record, "roleDefinitionId").casefold()): text(
            record, "endDateTime"
        )
        for _, read in evidence.reads_of("role_assignment_instances")
        for record in read
        if text(record, "endDateTime")
    }


def _roles_among_memberships(evidence: Evidence, account: TenantAccount) -> list[HeldRole]:
    """Read directory roles listed as memberships: tenant-wide assignments only."""
    found = []
    for record in evidence.read("transitive_member_of"):
        template_id = text(record, "roleTemplateId").casefold()
        if text(record, "@odata.type").endswith("directoryRole") and template_id:
            name = text(record, "displayName") or BUILT_IN_ROLE_NAMES.get(template_id, template_id)
            found.append(
                HeldRole(
                    template_id=template_id,
                    name=name,
                    scope=TENANT_WIDE,
                    path=(account.name, f"Entra role {name}"),
                    is_through_group=False,
                )
            )
    return found


def _gaps(
    evidence: Evidence, account: TenantAccount, groups: dict[str, Record]
) -> tuple[tuple[EvidenceReference, Gap], ...]:
    wanted = [("transitive_member_of", ""), ("role_assignments", account.object_id or "")]
    wanted += [("role_assignments", text(group, "id")) for group in groups.values() if may_hold_roles(group)]
    found = []
    for dataset, subject in wanted:
        gap = evidence.read(dataset, subject).gap
        if gap is not None:
            found.append((EvidenceReference(dataset=dataset, record=subject), gap))
    return tuple(found)


def may_hold_roles(group: Record) -> bool:
    """Tell whether a group can carry directory roles: true unless Graph says that it cannot."""
    return flag(group, "isAssignableToRole") is not False


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
    if need.template_id.casefold() in roles.contradicted:
        return Judgement(
            outcome=Outcome.UNVERIFIABLE,
            reason=f"{need.name} is listed among the account's memberships, and not among its role assignments",
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
            reason=f"{need.name} is limited to {', '.join(role.scope for role in held)}",
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
            is_eligible=any(same(role.template_id, need.template_id) for role in roles.eligible),
        ),
    )


def _why_missing(need: EntraRole, evidence: Evidence, roles: EntraRoles) -> str:
    if any(same(role.template_id, need.template_id) for role in roles.eligible):
        return f"{need.name} is only eligible; an unattended account cannot activate it"
    eligibility = [read.gap for _, read in evidence.reads_of("role_eligibility_instances") if read.gap is not None]
    if any(gap.kind is not GapKind.NOT_LICENSED for gap in eligibility):
        return f"{need.name} is not an active role of the account (whether it is eligible could not be read)"
    return f"{need.name} is not an active role of the account"


BUILT_IN_ROLE_NAMES = {
    "fe930be7-5e62-47db-91af-98c3a49a38b1": "User Administrator",
    EXCHANGE_ADMINISTRATOR: "Exchange Administrator",
    EXCHANGE_RECIPIENT_ADMINISTRATOR: "Exchange Recipient Administrator",
    GLOBAL_ADMINISTRATOR: "Global Administrator",
    "e8611ab8-c189-46e8-94e1-60213ab1f814": "Privileged Role Administrator",
    "7be44c8a-adaf-4e2a-84d6-ab2649e08a13": "Privileged Authentication Administrator",
    "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3": "Application Administrator",
    "158c047a-c907-4556-b7ef-446551a6b5f7": "Cloud Application Administrator",
    "8ac3fc64-6eca-42ea-9e69-59f4c7b60eb2": "Hybrid Identity Administrator",
    GLOBAL_READER: "Global Reader",
    HELPDESK_ADMINISTRATOR: "Helpdesk Administrator",
    COMPLIANCE_ADMINISTRATOR: "Compliance Administrator",
    SECURITY_ADMINISTRATOR: "Security Administrator",
    SECURITY_READER: "Security Reader",
    "88d8e3e3-8f55-4a1e-953a-9b9898b8876b": "Directory Readers",
}
