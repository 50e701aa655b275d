"""AD-ACC-*, AD-COL-007: the state of the account, and who audits it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.evaluate.findings import make_finding
from auditor.evaluate.judgement import Unknown
from auditor.model.directory_entry import record_to_entry
from auditor.model.outcome import FindingOutcome, Severity
from auditor.model.results import EvidenceReference, Remediation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.evaluate.directory.judge import DirectoryFacts
    from auditor.model.results import Finding

_ACCOUNT = (EvidenceReference(dataset="account"),)
_DISABLED = 0x2  # userAccountControl bits, MS-ADTS 2.2.16
_LOCKED_OUT = 0x10
_WEAK_OPTIONS = {
    0x20: "no password is required",
    0x80: "the password is stored reversibly",
    0x200000: "only DES keys",
    0x400000: "no Kerberos pre-authentication",
}


def check_account_is_usable(facts: DirectoryFacts) -> Iterator[Finding]:
    """AD-ACC-002: disabled or locked accounts cannot serve the connection."""
    entry = facts.account.entry
    if entry is None:
        return
    control = entry.integer("userAccountControl")
    computed = entry.integer("msDS-User-Account-Control-Computed") or 0
    if control is None:
        yield _finding(
            facts,
            "AD-ACC-002",
            FindingOutcome.UNVERIFIABLE,
            Severity.MEDIUM,
            "The account's state could not be read",
            "userAccountControl was not returned",
            "Give the auditing identity Read Account Restrictions on the account.",
        )
        return
    states = [
        word for bit, word in ((_DISABLED, "disabled"), (_LOCKED_OUT, "locked out")) if (control | computed) & bit
    ]
    if states:
        yield _finding(
            facts,
            "AD-ACC-002",
            FindingOutcome.ADVISORY,
            Severity.HIGH,
            f"The account is {' and '.join(states)}",
            f"the account is {' and '.join(states)}",
            "Enable or unlock the account if the connection is in use, or retire the connection.",
        )


def check_account_options(facts: DirectoryFacts) -> Iterator[Finding]:
    """AD-ACC-007: options that weaken the password."""
    control = (facts.account.entry.integer("userAccountControl") if facts.account.entry else None) or 0
    options = [words for bit, words in _WEAK_OPTIONS.items() if control & bit]
    if options:
        yield _finding(
            facts,
            "AD-ACC-007",
            FindingOutcome.ADVISORY,
            Severity.HIGH,
            "Weak account options are set",
            "; ".join(options),
            "Clear these options in the account's properties.",
        )


def check_sid_history(facts: DirectoryFacts) -> Iterator[Finding]:
    """AD-ACC-013: former identities in the token."""
    history = facts.account.entry.sids("sIDHistory") if facts.account.entry else ()
    if history:
        yield _finding(
            facts,
            "AD-ACC-013",
            FindingOutcome.ADVISORY,
            Severity.HIGH,
            "The account has a SID history",
            f"SID history: {', '.join(history)}",
            "Remove the SID history after checking that nothing relies on it.",
        )


def check_account_is_unique(facts: DirectoryFacts) -> Iterator[Finding]:
    """AD-ACC-001: more than one object answers to the configured name."""
    if isinstance(facts.account.found, Unknown) and facts.evidence.read("account").gap is None:
        yield _finding(
            facts,
            "AD-ACC-001",
            FindingOutcome.UNVERIFIABLE,
            Severity.HIGH,
            "The audited account is not identified",
            facts.account.found.reason,
            "Name the account by its DN in the inventory, and make it readable to the auditing identity.",
        )


def check_auditor_is_someone_else(facts: DirectoryFacts) -> Iterator[Finding]:
    """AD-COL-007: the auditing identity is the audited account."""
    identity = next((record_to_entry(record) for record in facts.evidence.read("auditing_identity")), None)
    entry = facts.account.entry
    if identity is not None and entry is not None and identity.sid is not None and identity.sid == entry.sid:
        yield _finding(
            facts,
            "AD-COL-007",
            FindingOutcome.ADVISORY,
            Severity.MEDIUM,
            "The account audits itself",
            "the tool signed in as the audited account",
            "Use a separate account that may only read.",
        )


def _finding(  # noqa: PLR0913 - one row per fact of the finding
    facts: DirectoryFacts,
    check: str,
    outcome: FindingOutcome,
    severity: Severity,
    title: str,
    actual: str,
    cure: str,
) -> Finding:
    sid = facts.account.entry.sid if facts.account.entry else None
    return make_finding(
        check=check,
        connection=facts.connection.id,
        outcome=outcome,
        severity=severity,
        principal=sid or facts.connection.username,
        entitlement=check,
        scope="account",
        title=title,
        documented="a usable, separate and well protected account",
        actual=actual,
        evidence=_ACCOUNT,
        remediation=Remediation(text=cure),
    )
