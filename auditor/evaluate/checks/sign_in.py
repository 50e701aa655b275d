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
from auditor.model.instants import format_instant, parse_instant
from auditor.model.message import NOTHING, Message, joined, say
from auditor.model.outcome import FindingOutcome, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from auditor.evaluate.tenant.judge import TenantFacts
    from auditor.model.evidence import Record
    from auditor.model.results import Finding, RunKind

_PASSWORD_AGE = timedelta(days=365)
_ENDS_SOON = timedelta(days=30)
_IDLE = timedelta(days=45)
_LONGEST_LIFE = timedelta(days=366)  # a year, and the day of a leap year
_IDLENESS: dict[RunKind, tuple[Severity, str]] = {
    "review": (Severity.LOW, NOTHING),
    "readiness": (Severity.INFO, say("; expected before the connection goes live")),
}


def check_conditional_access(facts: TenantFacts) -> Iterator[Finding]:
    """ENT-020: a policy asks the account for a second factor or binds it to locations, and lets it in unattended."""
    if are_groups_needed(facts):
        return  # the reads that failed are told
    policies = applied_policies(facts)
    for policy in policies:
        if policy.blocks:
            yield _policy_finding(
                facts,
                policy.id,
                say("{name} blocks the account", name=policy.name),
                say("it blocks every sign-in from everywhere"),
            )
        elif policy.asks_for and policy.sign_in_hours:
            yield _policy_finding(
                facts,
                policy.id,
                say("{name} ends unattended sign-in", name=policy.name),
                say(
                    "it asks for {asks_for} again after {sign_in_hours}; nobody is there for it",
                    asks_for=joined(", ", policy.asks_for),
                    sign_in_hours=policy.sign_in_hours,
                ),
            )
    read = (facts.evidence.read("conditional_access_policies"), facts.evidence.read("security_defaults"))
    is_read = all(each.gap is None or each.gap.kind is GapKind.NOT_LICENSED for each in read)
    is_covered = has_security_defaults(facts) or any(
        policy.asks_for_a_second_factor or policy.blocks_elsewhere or policy.blocks for policy in policies
    )
    if facts.account.user is None or not is_read or is_covered:
        return
    excluded = [
        say("{name} leaves it out through {through}", name=name, through=through)
        for name, through in excluding_policies(facts)
    ]
    yield _policy_finding(
        facts,
        "uncovered",
        say("The account signs in with a password alone, from anywhere"),
        say(
            "no enabled policy asks it for a second factor or blocks it outside named locations ({excluded})"
            if excluded
            else "no enabled policy asks it for a second factor or blocks it outside named locations",
            excluded=joined("; ", excluded),
        ),
    )


def _policy_finding(facts: TenantFacts, entitlement: str, title: Message, actual: Message) -> Finding:
    return tenant_finding(
        facts,
        check="ENT-020",
        outcome=FindingOutcome.ADVISORY,
        severity=Severity.HIGH,
        entitlement=entitlement,
        scope=say("conditional access"),
        title=title,
        documented=say("nothing is documented about how the account signs in"),
        actual=actual,
        cure=say(
            "Block the account except from the product's addresses; a policy that asks for a second factor each time "
            "keeps an unattended account out.",
        ),
        portal=CONDITIONAL_ACCESS,
        commands=("Get-MgIdentityConditionalAccessPolicy -All | Format-List DisplayName, State, Conditions",),
        evidence=("conditional_access_policies", "security_defaults"),
    )


def check_credentials(facts: TenantFacts, now: datetime) -> Iterator[Finding]:
    """ENT-023: the age of the account's password; kind, life and end of the vendor application's credentials."""
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
            title=say("The account's password is older than a year"),
            documented=say("nothing is documented about the age of the password"),
            actual=say(
                "last changed at {instant}, more than {days} days ago",
                instant=format_instant(changed),
                days=_PASSWORD_AGE.days,
            ),
            cure=say("Change the password, in the product's connection as well."),
            portal=say("{users} > the account > Reset password", users=USERS),
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
    """Tell of a credential's end; of one that lasts, that it is a secret, and that it lives for more than a year."""
    starts, ends = _instant(credential, "startDateTime"), _instant(credential, "endDateTime")
    is_secret = kind == "passwordCredentials"
    what = say("secret") if is_secret else say("certificate")
    if ends is not None and ends - now <= _ENDS_SOON:
        title = say(
            "A {what} of the vendor's application has ended"
            if ends <= now
            else "A {what} of the vendor's application ends soon",
            what=what,
        )
        actual = say("it ends at {end_date_time}", end_date_time=text(credential, "endDateTime"))
        cure = say("Remove it if it is not used, else replace it with the vendor.")
        yield _credential_finding(facts, credential, say("vendor application"), title, actual, cure)
        return
    if is_secret:
        title = say("The vendor's application signs in with a secret")
        actual = say("a secret can be copied by whoever sees it; a certificate's key need not leave its machine")
        cure = say("Ask the vendor for a certificate in its place.")
        yield _credential_finding(facts, credential, say("kind of credential"), title, actual, cure)
    if starts is not None and ends is not None and ends - starts > _LONGEST_LIFE:
        title = say("A {what} of the vendor's application lives for more than a year", what=what)
        actual = say("it lives for {days} days", days=(ends - starts).days)
        cure = say("Ask the vendor to replace it each year.")
        yield _credential_finding(facts, credential, say("lifetime"), title, actual, cure, Severity.LOW)


def _credential_finding(  # noqa: PLR0913 - one parameter per part that differs
    facts: TenantFacts,
    credential: Record,
    scope: Message,
    title: Message,
    actual: Message,
    cure: Message,
    severity: Severity = Severity.MEDIUM,
) -> Finding:
    return tenant_finding(
        facts,
        check="ENT-023",
        outcome=FindingOutcome.ADVISORY,
        severity=severity,
        entitlement=text(credential, "keyId") or f"ending {text(credential, 'endDateTime') or 'never'}",
        scope=scope,
        title=title,
        documented=say("nothing is documented about the application's credentials"),
        actual=actual,
        cure=cure,
        portal=say("{applications} > the vendor's application > Single sign-on", applications=APPLICATIONS),
        evidence=("vendor_service_principal",),
    )


def check_recent_use(facts: TenantFacts, now: datetime, kind: RunKind) -> Iterator[Finding]:
    """ENT-024: the account signed in within 45 days, where the licence shows it; no surprise before go-live."""
    read = facts.evidence.read("sign_in_activity")
    if read.gap is not None:
        if read.gap.kind is GapKind.NOT_LICENSED:
            words = say(
                "the tenant has no licence that records sign-ins (Entra ID P1); whether it is used is not known",
            )
            yield _use(facts, say("Sign-in activity is not licensed"), words, Severity.INFO)
        return
    activity = next((record.get("signInActivity") for record in read), None)
    severity, expected = _IDLENESS[kind]
    last = _last_success(activity) if isinstance(activity, dict) else None
    if last is None:
        yield _use(
            facts,
            say("The account never signed in"),
            joined("", (say("no successful sign-in is recorded"), expected)),
            severity,
        )
    elif now - last > _IDLE:
        idle = say(
            "last recorded sign-in at {instant}, more than {days} days ago",
            instant=format_instant(last),
            days=_IDLE.days,
        )
        words = joined("", (idle, expected))
        yield _use(facts, say("The account has not signed in lately"), words, severity)


def _last_success(activity: Record) -> datetime | None:
    """Return the last success; the other two instants, of attempts, stand in where Graph has recorded none."""
    attempts = (_instant(activity, name) for name in ("lastSignInDateTime", "lastNonInteractiveSignInDateTime"))
    last_attempt = max((found for found in attempts if found is not None), default=None)
    return _instant(activity, "lastSuccessfulSignInDateTime") or last_attempt


def _use(facts: TenantFacts, title: Message, actual: Message, severity: Severity) -> Finding:
    return tenant_finding(
        facts,
        check="ENT-024",
        outcome=FindingOutcome.ADVISORY,
        severity=severity,
        entitlement="sign-in activity",
        scope="account",
        title=title,
        documented=say("an account that is needed is used"),
        actual=actual,
        cure=say("Find out whether the connection is live; disable an account that nobody needs."),
        portal=say("{users} > the account > Sign-in logs", users=USERS),
        evidence=("sign_in_activity",),
    )


def _instant(record: Record, name: str) -> datetime | None:
    try:
        return parse_instant(text(record, name))
    except ValueError:
        return None
