"""How old the password is, whether it expires, whether the account is in use: absent, zero and withheld kept apart."""

from __future__ import annotations

from datetime import timedelta

import pytest

from auditor.model.instants import from_filetime
from tests.unit.evaluate.composed import NOW, findings, judge, told
from tests.unit.evaluate.composed_account import delegate, domain_admin
from tests.unit.evaluate.composed_directory import (
    ACCOUNT,
    DOMAIN_ADMINS,
    FULL_CONTROL,
    Directory,
    ace,
    descriptor,
    filetime,
)

# Nobody but Domain Admins reads attributes of the account; everybody reads its permissions.
CLOSED = descriptor(ace(0x20000, "S-1-5-11"), ace(FULL_CONTROL, DOMAIN_ADMINS))


def ago(days: int) -> int:
    return filetime(NOW - timedelta(days=days))


@pytest.mark.parametrize(
    ("directory", "expected"),
    [
        (domain_admin(pwdLastSet=ago(180)), []),
        (domain_admin(pwdLastSet=ago(181)), [("advisory", "high")]),
        (delegate(pwdLastSet=ago(365)), []),
        (delegate(pwdLastSet=ago(366)), [("advisory", "medium")]),
    ],
)
def test_a_password_ages_faster_in_domain_admins(directory: Directory, expected: list[tuple[str, str]]) -> None:
    results = judge(directory.evidence())
    assert told(results, "AD-ACC-005") == expected
    assert told(judge(directory.evidence(), now=NOW + timedelta(hours=1)), "AD-ACC-005") != [("unverifiable", "medium")]


@pytest.mark.parametrize(
    ("value", "words"),
    [(0, "must be changed at the next sign-in"), ([], "never set"), (-1, "no time")],
)
def test_a_password_of_unknown_age_says_why(value: object, words: str) -> None:
    results = judge(domain_admin(pwdLastSet=value).evidence())
    assert told(results, "AD-ACC-005") == [("advisory", "high")]
    assert words in findings(results, "AD-ACC-005")[0].actual
    assert results.summary.verdict == "compliant"


@pytest.mark.parametrize(
    ("check", "attribute"),
    [
        ("AD-ACC-005", "pwdLastSet"),
        ("AD-ACC-009", "lastLogonTimestamp"),
        ("AD-ACC-002", "accountExpires"),
        ("AD-ACC-002", "msDS-User-Account-Control-Computed"),
        ("AD-ACC-003", "mail"),
        ("AD-ACC-013", "sIDHistory"),
        ("AD-GRP-007", "primaryGroupID"),
        ("AD-KRB-001", "servicePrincipalName"),
        ("AD-KRB-003", "msDS-AllowedToDelegateTo"),
        ("AD-KRB-004", "msDS-AllowedToActOnBehalfOfOtherIdentity"),
        ("AD-KRB-007", "msDS-KeyCredentialLink"),
        ("AD-KRB-009", "info"),
        ("AD-CTL-001", "adminCount"),
    ],
)
def test_what_is_withheld_stays_open_and_names_the_right_to_grant(check: str, attribute: str) -> None:
    results = judge(domain_admin(raw=CLOSED, **{attribute: []}).evidence())
    (found, *_) = [each for each in findings(results, check) if each.outcome == "unverifiable"]
    assert attribute in found.title
    assert any(command.endswith(f':RP;{attribute}"') for command in found.remediation.commands)
    if check != "AD-CTL-001":  # this account's permissions are not those of AdminSDHolder either
        assert told(results, check) == [("unverifiable", "medium")]
    assert results.summary.verdict == "inconclusive"


@pytest.mark.parametrize("check", ["AD-ACC-002", "AD-ACC-006", "AD-ACC-007", "AD-KRB-002", "AD-KRB-003", "AD-KRB-005"])
@pytest.mark.parametrize("value", [[], "many"])
def test_options_that_were_not_returned_or_are_no_number_stay_open(check: str, value: object) -> None:
    results = judge(domain_admin(userAccountControl=value).evidence())
    assert told(results, check) == [("unverifiable", "medium")]


@pytest.mark.parametrize(
    ("days", "words"),
    [(60, None), (61, "unused, although"), (90, "unused, although"), (91, "stale")],
)
def test_an_account_nobody_signs_in_with_is_pointed_out(days: int, words: str | None) -> None:
    results = judge(domain_admin(lastLogonTimestamp=ago(days)).evidence())
    assert told(results, "AD-ACC-009") == ([] if words is None else [("advisory", "medium")])
    assert words is None or words in findings(results, "AD-ACC-009")[0].actual


@pytest.mark.parametrize(
    ("created", "expected"),
    [
        ("20261120080000.0Z", []),
        ("20260101080000.0Z", [("advisory", "medium")]),
        ("soon", [("advisory", "medium")]),
        ([], [("advisory", "medium")]),
    ],
)
def test_an_account_that_was_never_used_is_missed_once_it_is_old_enough(
    created: object, expected: list[tuple[str, str]]
) -> None:
    results = judge(domain_admin(lastLogonTimestamp=[], whenCreated=created).evidence())
    assert told(results, "AD-ACC-009") == expected


def test_what_is_told_of_ages_does_not_change_from_day_to_day() -> None:
    evidence = domain_admin(pwdLastSet=ago(400), lastLogonTimestamp=ago(100)).evidence()
    today, tomorrow = judge(evidence), judge(evidence, now=NOW + timedelta(days=1))
    for check in ("AD-ACC-005", "AD-ACC-009"):
        assert findings(today, check)[0].actual == findings(tomorrow, check)[0].actual


@pytest.mark.parametrize(
    ("expires", "expected"),
    [
        (0, []),
        (0x7FFFFFFFFFFFFFFF, []),
        (filetime(NOW + timedelta(days=30)), []),
        (filetime(NOW + timedelta(days=29)), [("advisory", "medium")]),
        (filetime(NOW), [("advisory", "high")]),
    ],
)
def test_the_end_of_the_account_is_told_in_time(expires: int, expected: list[tuple[str, str]]) -> None:
    assert told(judge(domain_admin(accountExpires=expires).evidence()), "AD-ACC-002") == expected


def test_a_password_that_never_expires_is_an_advisory() -> None:
    results = judge(domain_admin(userAccountControl=0x110200).evidence())
    assert told(results, "AD-ACC-006") == [("advisory", "medium")]
    assert results.summary.verdict == "compliant"
    assert findings(results, "AD-ACC-006")[0].principal == ACCOUNT


@pytest.mark.parametrize("value", [None, 0, -5, 0x7FFFFFFFFFFFFFFF, 0x7FFFFFFFFFFFFFFE])
def test_no_time_is_no_instant(value: int | None) -> None:
    assert from_filetime(value) is None
