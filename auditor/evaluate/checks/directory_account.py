"""AD-ACC-001 to 003, 007, 013: which object the account is, whether it is usable, and what weakens it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from auditor.evaluate.checks.account_finding import account_finding, withheld
from auditor.evaluate.judgement import Unknown
from auditor.evaluate.remediation import forget_sid_command, quote
from auditor.model.instants import format_instant, from_filetime
from auditor.model.message import data, joined, say
from auditor.model.outcome import FindingOutcome, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.evaluate.directory.judge import DirectoryFacts
    from auditor.model.results import Finding

# userAccountControl bits, MS-ADTS 2.2.16; the last one only in msDS-User-Account-Control-Computed
_DISABLED = 0x2
_LOCKED_OUT = 0x10
_PASSWORD_EXPIRED = 0x800000
_WEAK_OPTIONS = {
    0x20: (say("no password is required"), "PasswordNotRequired"),
    0x80: (say("the password is stored reversibly"), "AllowReversiblePasswordEncryption"),
    0x200000: (say("only DES keys"), "UseDESKeyOnly"),
    0x400000: (say("no Kerberos pre-authentication"), "DoesNotRequirePreAuth"),
}
_EXPIRES_SOON = timedelta(days=30)
_OF_PEOPLE = ("mail", "employeeID", "manager")


def check_account_is_unique(facts: DirectoryFacts) -> Iterator[Finding]:
    """AD-ACC-001: more than one object answers to the configured name."""
    if isinstance(facts.account.found, Unknown) and facts.evidence.read("account").gap is None:
        yield account_finding(
            facts,
            check="AD-ACC-001",
            outcome=FindingOutcome.UNVERIFIABLE,
            severity=Severity.HIGH,
            title=say("The audited account is not identified"),
            documented=say("one account per connection"),
            actual=facts.account.found.reason,
            cure=say("Name the account by its DN in the inventory, and make it readable to the auditing identity."),
        )


def check_account_is_usable(facts: DirectoryFacts, now: datetime) -> Iterator[Finding]:
    """AD-ACC-002: an account that is disabled, locked or expired cannot serve the connection."""
    entry = facts.account.entry
    if entry is None:
        return
    yield from withheld(
        facts, entry, "AD-ACC-002", "userAccountControl", "msDS-User-Account-Control-Computed", "accountExpires"
    )
    control = entry.integer("userAccountControl") or 0
    computed = entry.integer("msDS-User-Account-Control-Computed") or 0
    expires = from_filetime(entry.integer("accountExpires"))
    states = {
        word: command
        for bit, word, command in (
            (_DISABLED, say("disabled"), "Enable-ADAccount"),
            (_LOCKED_OUT, say("locked out"), "Unlock-ADAccount"),
            (_PASSWORD_EXPIRED, say("kept out by an expired password"), "Set-ADAccountPassword -Reset"),
        )
        if (control | computed) & bit
    }
    if expires and expires <= now:
        states[say("expired since {instant}", instant=format_instant(expires))] = "Clear-ADAccountExpiration"
    if states:
        yield account_finding(
            facts,
            check="AD-ACC-002",
            severity=Severity.HIGH,
            title=say("The account is {states}", states=joined(say(" and "), states)),
            documented=say("an account the product can sign in with"),
            actual=say("the account is {states}", states=joined(say(" and "), states)),
            cure=say(
                "Mend this if the connection is in use, or retire the connection and the account with its rights.",
            ),
            commands=[f"{command} -Identity {quote(entry.dn)}" for command in states.values()],
        )
    elif expires and expires - now < _EXPIRES_SOON:
        yield account_finding(
            facts,
            check="AD-ACC-002",
            entitlement="accountExpires",
            severity=Severity.MEDIUM,
            title=say("The account expires within 30 days"),
            documented=say("an account the product can sign in with"),
            actual=say("it expires at {instant}", instant=format_instant(expires)),
            cure=say("Decide whether the connection stays; if it does, extend the account before that day."),
            commands=(f"Set-ADAccountExpiration -Identity {quote(entry.dn)} -TimeSpan 365",),
        )


def check_account_is_dedicated(facts: DirectoryFacts) -> Iterator[Finding]:
    """AD-ACC-003: attributes that only a person's account has."""
    entry = facts.account.entry
    if entry is None:
        return
    yield from withheld(facts, entry, "AD-ACC-003", *_OF_PEOPLE)
    found = [name for name in _OF_PEOPLE if entry.octets(name)]
    if found:
        yield account_finding(
            facts,
            check="AD-ACC-003",
            entitlement="attributes of a person",
            severity=Severity.MEDIUM,
            title=say("The account has attributes of a person: {found}", found=", ".join(found)),
            actual=data("; ".join(f"{name}: {entry.text(name)}" for name in found)),
            cure=say("Use an account of its own for the product; where this is one, clear these attributes."),
            commands=(f"Set-ADUser -Identity {quote(entry.dn)} -Clear {','.join(found)}",),
        )


def check_account_options(facts: DirectoryFacts) -> Iterator[Finding]:
    """AD-ACC-007: options that weaken the password."""
    entry = facts.account.entry
    if entry is None:
        return
    yield from withheld(facts, entry, "AD-ACC-007", "userAccountControl")
    control = entry.integer("userAccountControl") or 0
    options = [each for bit, each in _WEAK_OPTIONS.items() if control & bit]
    if options:
        cleared = " ".join(f"-{parameter} $false" for _, parameter in options)
        yield account_finding(
            facts,
            check="AD-ACC-007",
            severity=Severity.HIGH,
            title=say("Weak account options are set"),
            actual=joined("; ", (words for words, _ in options)),
            cure=say("Clear these options, then set a new password: the old one may be stored weakly or known."),
            commands=(f"Set-ADAccountControl -Identity {quote(entry.dn)} {cleared}",),
        )


def check_sid_history(facts: DirectoryFacts) -> Iterator[Finding]:
    """AD-ACC-013: former identities in the token."""
    entry = facts.account.entry
    if entry is None:
        return
    yield from withheld(facts, entry, "AD-ACC-013", "sIDHistory")
    history = sorted(entry.sids("sIDHistory"))
    if history or entry.has_malformed_sids("sIDHistory"):
        yield account_finding(
            facts,
            check="AD-ACC-013",
            severity=Severity.HIGH,
            title=say("The account has a SID history"),
            actual=say(
                "SID history: {sids}" if history else "SID history: values that are no SIDs",
                sids=", ".join(history),
            ),
            cure=say("Remove the SID history after checking that nothing relies on it."),
            commands=[forget_sid_command(entry.dn, sid) for sid in history],
        )
