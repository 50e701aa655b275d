"""AD-ACC-005, 006, 009: how old the password is, whether it ever expires, and whether the account is in use."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from auditor.evaluate.checks.account_finding import account_finding, withheld
from auditor.evaluate.remediation import quote
from auditor.model.instants import format_instant, from_filetime
from auditor.model.message import NOTHING, Message, say
from auditor.model.outcome import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.evaluate.directory.judge import DirectoryFacts
    from auditor.model.directory_entry import DirectoryEntry
    from auditor.model.results import Finding

_OLDEST_PASSWORD = timedelta(days=365)
_OLDEST_PASSWORD_OF_DOMAIN_ADMIN = timedelta(days=180)
_UNUSED = timedelta(days=60)  # well above the 14 days by which lastLogonTimestamp may lag (MS-ADA1 2.351)
_STALE = timedelta(days=90)
_DONT_EXPIRE_PASSWORD = 0x10000  # userAccountControl, MS-ADTS 2.2.16


def check_password_age(facts: DirectoryFacts, now: datetime) -> Iterator[Finding]:
    """AD-ACC-005: a password that is old, was never set, or must be changed before anybody signs in."""
    entry = facts.account.entry
    if entry is None:
        return
    hidden = tuple(withheld(facts, entry, "AD-ACC-005", "pwdLastSet"))
    yield from hidden
    trouble = NOTHING if hidden else _password_trouble(facts, entry, now)
    if trouble:
        yield account_finding(
            facts,
            check="AD-ACC-005",
            severity=Severity.HIGH if _is_domain_admin(facts) else Severity.MEDIUM,
            title=say("The password is older than the policy allows, or its age is not known"),
            actual=trouble,
            cure=say("Set a new long random password, and enter it in the product's connection at the same time."),
            commands=(f"Set-ADAccountPassword -Identity {quote(entry.dn)} -Reset",),
        )


def _password_trouble(facts: DirectoryFacts, entry: DirectoryEntry, now: datetime) -> Message:
    last_set = entry.integer("pwdLastSet")
    if last_set is None:
        return say("pwdLastSet has no value: a password was never set")
    if last_set == 0:
        return say("pwdLastSet is 0: the password must be changed at the next sign-in, and its age is not known")
    changed_at = from_filetime(last_set)
    if changed_at is None:
        return say("pwdLastSet is no time: {last_set}", last_set=last_set)
    oldest = _OLDEST_PASSWORD_OF_DOMAIN_ADMIN if _is_domain_admin(facts) else _OLDEST_PASSWORD
    if now - changed_at <= oldest:
        return NOTHING
    return say("set at {instant}, more than {days} days ago", instant=format_instant(changed_at), days=oldest.days)


def _is_domain_admin(facts: DirectoryFacts) -> bool:
    return facts.account.membership is not None and facts.account.membership.is_domain_admin


def check_password_expiry(facts: DirectoryFacts) -> Iterator[Finding]:
    """AD-ACC-006: a password that never expires."""
    entry = facts.account.entry
    if entry is None:
        return
    yield from withheld(facts, entry, "AD-ACC-006", "userAccountControl")
    if (entry.integer("userAccountControl") or 0) & _DONT_EXPIRE_PASSWORD:
        yield account_finding(
            facts,
            check="AD-ACC-006",
            severity=Severity.MEDIUM,
            title=say("The password never expires"),
            actual=say("'password never expires' is set; nothing here shows that somebody rotates it"),
            cure=say(
                "Show the auditor when and by whom the password is rotated, or clear the option and rotate in time.",
            ),
            commands=(f"Set-ADUser -Identity {quote(entry.dn)} -PasswordNeverExpires $false",),
        )


def check_account_is_in_use(facts: DirectoryFacts, now: datetime) -> Iterator[Finding]:
    """AD-ACC-009: an account nobody has signed in with for long, although the inventory lists its connection."""
    entry = facts.account.entry
    if entry is None:
        return
    hidden = tuple(withheld(facts, entry, "AD-ACC-009", "lastLogonTimestamp"))
    yield from hidden
    last_used = from_filetime(entry.integer("lastLogonTimestamp"))
    trouble = NOTHING
    if last_used is not None and now - last_used > _UNUSED:
        trouble = say(
            "stale: the last sign-in was at {instant}"
            if now - last_used > _STALE
            else "unused, although its connection is in the inventory: the last sign-in was at {instant}",
            instant=format_instant(last_used),
        )
    elif last_used is None and not hidden and not _is_new(entry, now):
        trouble = say("no sign-in is recorded")
    if trouble:
        yield account_finding(
            facts,
            check="AD-ACC-009",
            severity=Severity.MEDIUM,
            title=say("The account is not in use"),
            actual=trouble,
            cure=say("Find out whether the connection is live. If not, disable the account and take its rights away."),
            commands=(f"Disable-ADAccount -Identity {quote(entry.dn)}",),
        )


def _is_new(entry: DirectoryEntry, now: datetime) -> bool:
    """Tell whether the account is too young to be missed; `whenCreated` is generalized time (RFC 4517 3.3.13)."""
    try:
        created_at = datetime.strptime(entry.text("whenCreated") or "", "%Y%m%d%H%M%S.0Z").replace(tzinfo=UTC)
    except ValueError:
        return False
    return now - created_at <= _UNUSED
