"""ENT-020, ENT-023, ENT-024: how the account signs in, with what, and whether it does."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from auditor.evaluate.checks.tenant_finding import APPLICATIONS, CONDITIONAL_ACCESS, USERS, tenant_finding
from auditor.evaluate.fields import text
from auditor.evaluate.remediation import quote
from auditor.evaluate.tenant.conditional_access import (
    applied_policies,
    are_groups_needed,
    excluding_policies,
    has_security_defaults,
)
from auditor.model.evidence import GapKind
from auditor.model.instants import parse_instant
from auditor.model.outcome import FindingOutcome, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from auditor.evaluate.tenant.judge import TenantFacts
    from auditor.model.evidence import Record
    from auditor.model.results import Finding

_PASSWORD_AGE = timedelta(days=365)
_ENDS_SOON = timedelta(days=30)
_IDLE = timedelta(days=45)


def check_conditional_access(facts: TenantFacts) -> Iterator[Finding]:
    """ENT-020: a policy asks the account for a second factor or binds it to locations, and lets it in unattended."""
    if are_groups_needed(facts):
        return  # the reads that failed are told
    policies = applied_policies(facts)
    for policy in policies:
        if policy.blocks:
            yield _policy_finding(
                facts, policy.id, f"{policy.name} blocks the account", "it blocks every sign-in from everywhere"
            )
        elif policy.asks_for and policy.sign_in_hours:
            yield _policy_finding(
                facts,
                policy.id,
                f"{policy.name} ends unattended sign-in",
                f"it asks for {', '.join(policy.asks_for)} again after {policy.sign_in_hours}; nobody is there for it",
            )
    read = (facts.evidence.read("conditional_access_policies"), facts.evidence.read("security_defaults"))
    is_read = all(each.gap is None or each.gap.kind is GapKind.NOT_LICENSED for each in read)
    is_covered = has_security_defaults(facts) or any(
        policy.asks_for_a_second_factor or policy.blocks_elsewhere or policy.blocks for policy in policies
    )
    if facts.account.user is None or not is_read or is_covered:
        return
    excluded = "; ".join(f"{name} leaves it out through {through}" for name, through in excluding_policies(facts))
    yield _policy_finding(
        facts,
        "uncovered",
        "The account signs in with a password alone, from anywhere",
        "no enabled policy asks it for a second factor or blocks it outside named locations"
        + (f" ({excluded})" if excluded else ""),
    )


def _policy_finding(facts: TenantFacts, entitlement: str, title: str, actual: str) -> Finding:
    return tenant_finding(
        facts,
        check="ENT-020",
        outcome=FindingOutcome.ADVISORY,
        severity=Severity.HIGH,
        entitlement=entitlement,
        scope="conditional access",
        title=title,
        documented="nothing is documented about how the account signs in",
        actual=actual,
        cure="Block the account except from the product's addresses; a policy that asks for a second factor each time "
        "keeps an unattended account out.",
        portal=CONDITIONAL_ACCESS,
        commands=("Get-MgIdentityConditionalAccessPolicy -All | Format-List DisplayName, State, Conditions",),
        evidence=("conditional_access_policies", "security_defaults"),
    )


def check_credentials(facts: TenantFacts, now: datetime) -> Iterator[Finding]:
    """ENT-023: the age of the account's password, and the end of the vendor application's credentials."""
    user = facts.account.user
    changed = _instant(user, "lastPasswordChangeDateTime") if user else None
    if changed is not None and now - changed > _PASSWORD_AGE:
        yield tenant_finding(
            facts,
            check="ENT-023",
            outcome=FindingOutcome.ADVISORY,
            severity=Severity.MEDIUM,
            entitlement="password",
            scope="account",
            title="The account's password is older than a year",
            documented="nothing is documented about the age of the password",
            actual=f"last changed {(now - changed).days} days ago",
            cure="Change the password, in the product's connection as well.",
            portal=f"{USERS} > the account > Reset password",
            commands=(f"Get-MgUser -UserId {quote(facts.account.name)} -Property LastPasswordChangeDateTime",),
            evidence=("user",),
        )
    for principal in facts.evidence.read("vendor_service_principal"):
        for kind in ("passwordCredentials", "keyCredentials"):
            credentials = principal.get(kind)
            for credential in credentials if isinstance(credentials, list) else []:
                if isinstance(credential, dict):
                    yield from _credential(facts, kind, credential, now)


def _credential(facts: TenantFacts, kind: str, credential: Record, now: datetime) -> Iterator[Finding]:
    ends = _instant(credential, "endDateTime")
    if ends is None or ends - now > _ENDS_SOON:
        return
    what = "secret" if kind == "passwordCredentials" else "certificate"
    yield tenant_finding(
        facts,
        check="ENT-023",
        outcome=FindingOutcome.ADVISORY,
        severity=Severity.MEDIUM,
        entitlement=text(credential, "keyId") or kind,
        scope="vendor application",
        title=f"A {what} of the vendor's application {'has ended' if ends <= now else 'ends soon'}",
        documented="nothing is documented about the application's credentials",
        actual=f"it ends at {text(credential, 'endDateTime')}",
        cure="Remove it if it is not used, else replace it with the vendor.",
        portal=f"{APPLICATIONS} > the vendor's application > Single sign-on",
        evidence=("vendor_service_principal",),
    )


def check_recent_use(facts: TenantFacts, now: datetime) -> Iterator[Finding]:
    """ENT-024: the account signed in within 45 days, where the tenant's licence shows it."""
    read = facts.evidence.read("sign_in_activity")
    if read.gap is not None:
        if read.gap.kind is GapKind.NOT_LICENSED:
            words = "the tenant has no licence that records sign-ins (Entra ID P1); whether it is used is not known"
            yield _use(facts, "Sign-in activity is not licensed", words, Severity.INFO)
        return
    activity = next((record.get("signInActivity") for record in read), None)
    last = _last_success(activity) if isinstance(activity, dict) else None
    if last is None:
        yield _use(facts, "The account never signed in", "no successful sign-in is recorded", Severity.LOW)
    elif now - last > _IDLE:
        words = f"last recorded sign-in {(now - last).days} days ago"
        yield _use(facts, "The account has not signed in lately", words, Severity.LOW)


def _last_success(activity: Record) -> datetime | None:
    """Return the last success; the other two instants, of attempts, stand in where Graph has recorded none."""
    attempts = (_instant(activity, name) for name in ("lastSignInDateTime", "lastNonInteractiveSignInDateTime"))
    last_attempt = max((found for found in attempts if found is not None), default=None)
    return _instant(activity, "lastSuccessfulSignInDateTime") or last_attempt


def _use(facts: TenantFacts, title: str, actual: str, severity: Severity) -> Finding:
    return tenant_finding(
        facts,
        check="ENT-024",
        outcome=FindingOutcome.ADVISORY,
        severity=severity,
        entitlement="sign-in activity",
        scope="account",
        title=title,
        documented="an account that is needed is used",
        actual=actual,
        cure="Find out whether the connection is live; disable an account that nobody needs.",
        portal=f"{USERS} > the account > Sign-in logs",
        evidence=("sign_in_activity",),
    )


def _instant(record: Record, name: str) -> datetime | None:
    try:
        return parse_instant(text(record, name))
    except ValueError:
        return None
