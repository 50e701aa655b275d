"""ENT-004, ENT-010 to 012, ENT-026: directory roles beyond the page, their end, and where the account comes from."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from auditor.evaluate.fields import flag
from auditor.evaluate.findings import make_finding
from auditor.evaluate.judgement import describe_gap
from auditor.evaluate.remediation import quote
from auditor.evaluate.tenant.built_in_roles import (
    DIRECTORY_READERS,
    EXCHANGE_ADMINISTRATOR,
    GLOBAL_ADMINISTRATOR,
    PRIVILEGED_ROLES,
)
from auditor.model.instants import parse_instant
from auditor.model.message import say
from auditor.model.outcome import FindingOutcome, Severity
from auditor.model.results import EvidenceReference, Remediation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.evaluate.tenant.entra_roles import HeldRole
    from auditor.evaluate.tenant.judge import TenantFacts
    from auditor.model.evidence import Gap
    from auditor.model.results import Finding, RunKind

_ENDS_SOON: dict[RunKind, timedelta] = {"review": timedelta(days=30), "readiness": timedelta(days=60)}


def check_excess_entra_roles(facts: TenantFacts) -> Iterator[Finding]:
    """ENT-010 to 012: active or eligible directory roles that the profile does not name, each once with every way."""
    active: dict[tuple[str, str], list[HeldRole]] = {}
    eligible: dict[tuple[str, str], list[HeldRole]] = {}
    for found, roles in ((active, facts.entra_roles.active), (eligible, facts.entra_roles.eligible)):
        for role in roles:
            if role.template_id not in facts.documented_entra_roles:
                found.setdefault((role.template_id, role.scope), []).append(role)
    for held in active.values():
        yield _excess(facts, held, is_eligible=False)
    for place, held in eligible.items():
        if place not in active:
            yield _excess(facts, held, is_eligible=True)
    for reference, gap in facts.entra_roles.gaps:
        if facts.evidence.read(reference.dataset, reference.record).gap is None:  # read, and not understood
            yield _unnamed(facts, reference, gap)


def _unnamed(facts: TenantFacts, reference: EvidenceReference, gap: Gap) -> Finding:
    return make_finding(
        check="ENT-012",
        connection=facts.connection.id,
        outcome=FindingOutcome.UNVERIFIABLE,
        severity=Severity.MEDIUM,
        principal=facts.account.object_id or facts.account.name,
        entitlement="unnamed directory role",
        scope=reference.record,
        title=say("Which directory role the account holds is open"),
        documented=say("directory role User Administrator only"),
        actual=describe_gap(gap),
        evidence=(reference,),
        remediation=Remediation(text=say("Look at the assignment in Microsoft Entra ID, then run again.")),
    )


def _excess(facts: TenantFacts, roles: Sequence[HeldRole], *, is_eligible: bool) -> Finding:
    role, own_id = roles[0], facts.account.object_id or ""
    check, severity = _check_and_severity(role.template_id)
    if is_eligible and severity is Severity.CRITICAL:
        severity = Severity.HIGH
    # A group whose membership is to be activated holds its roles all the time
    places = dict.fromkeys(
        (each.group_id or own_id, is_eligible and not each.path[1].startswith("eligible ")) for each in roles
    )
    return make_finding(
        check=check,
        connection=facts.connection.id,
        outcome=FindingOutcome.EXCESS,
        severity=severity,
        principal=facts.account.object_id or facts.account.name,
        entitlement=role.template_id,
        scope=role.scope,
        title=say(
            "The account is eligible for the directory role {name}"
            if is_eligible
            else "The account is holder of the directory role {name}",
            name=role.name,
        ),
        documented=say("directory role User Administrator only"),
        actual=say(
            "eligible for {name}, scope {scope}" if is_eligible else "holder of {name}, scope {scope}",
            name=role.name,
            scope=role.scope,
        ),
        paths=tuple(each.path for each in roles),
        evidence=tuple(
            EvidenceReference(dataset="role_eligibility_instances" if is_waiting else "role_assignments", record=holder)
            for holder, is_waiting in places
        ),
        remediation=Remediation(
            text=say("Remove {name} from the account or from the group that carries it.", name=role.name),
            commands=tuple(_find_command(holder, role, is_eligible=is_waiting) for holder, is_waiting in places),
        ),
    )


def _find_command(holder_id: str, role: HeldRole, *, is_eligible: bool) -> str:
    kind = "RoleEligibilityScheduleInstance" if is_eligible else "RoleAssignment"
    condition = f"principalId eq '{holder_id}' and roleDefinitionId eq '{role.template_id}'"
    return f"Get-MgRoleManagementDirectory{kind} -Filter {quote(condition)}"


def _check_and_severity(template_id: str) -> tuple[str, Severity]:
    if template_id == GLOBAL_ADMINISTRATOR:
        return "ENT-010", Severity.CRITICAL
    if template_id == EXCHANGE_ADMINISTRATOR:
        return "ENT-011", Severity.HIGH
    if template_id == DIRECTORY_READERS:
        return "ENT-012", Severity.LOW
    return "ENT-012", Severity.HIGH if template_id in PRIVILEGED_ROLES else Severity.MEDIUM


def check_role_end(facts: TenantFacts, now: datetime, kind: RunKind) -> Iterator[Finding]:
    """ENT-004: a documented role ends within 30 days, before go-live 60; the soonest end of each role and scope."""
    soonest: dict[tuple[str, str], tuple[datetime, HeldRole]] = {}
    for role in facts.entra_roles.active:
        ends_at = _end(role)
        if role.template_id not in facts.documented_entra_roles or ends_at is None or ends_at - now > _ENDS_SOON[kind]:
            continue
        known = soonest.get((role.template_id, role.scope))
        if known is None or ends_at < known[0]:
            soonest[role.template_id, role.scope] = (ends_at, role)
    for ends_at, role in soonest.values():
        yield make_finding(
            check="ENT-004",
            connection=facts.connection.id,
            outcome=FindingOutcome.MISSING if ends_at <= now else FindingOutcome.ADVISORY,
            severity=Severity.MEDIUM,
            principal=facts.account.object_id or facts.account.name,
            entitlement=role.template_id,
            scope=role.scope,
            title=say(
                "{name} ended at {ends_at}" if ends_at <= now else "{name} ends at {ends_at}",
                name=role.name,
                ends_at=role.ends_at or "",
            ),
            documented=say("the role is needed for as long as the connection is"),
            actual=say("time-bound assignment, ends at {ends_at}", ends_at=role.ends_at or ""),
            paths=(role.path,),
            evidence=(EvidenceReference(dataset="role_assignment_instances", record=facts.account.object_id or ""),),
            remediation=Remediation(text=say("Assign the role without an end, or extend it before that day.")),
        )


def _end(role: HeldRole) -> datetime | None:
    try:
        return None if role.ends_at is None else parse_instant(role.ends_at)
    except ValueError:
        return None  # the outcome stands without the date; the record is in the evidence


def check_synchronised_account(facts: TenantFacts) -> Iterator[Finding]:
    """ENT-026: a synchronised account that holds directory roles."""
    user = facts.account.user
    if user is None or flag(user, "onPremisesSyncEnabled") is not True or not facts.entra_roles.active:
        return
    yield make_finding(
        check="ENT-026",
        connection=facts.connection.id,
        outcome=FindingOutcome.ADVISORY,
        severity=Severity.MEDIUM,
        principal=facts.account.object_id or facts.account.name,
        entitlement="onPremisesSyncEnabled",
        scope="account",
        title=say("A privileged account is synchronised from on-premises"),
        documented=say("nothing is documented about the account's origin"),
        actual=say("onPremisesSyncEnabled is true, and the account holds directory roles"),
        evidence=(EvidenceReference(dataset="user"),),
        remediation=Remediation(text=say("Use a cloud-only account for the Exchange Online connection.")),
    )
