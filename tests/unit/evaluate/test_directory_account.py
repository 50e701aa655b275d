"""The state of the audited account, its groups, and who audits it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from auditor.evaluate.drift import compare_runs
from auditor.model.evidence import GapKind
from tests.unit.evaluate.composed import NOT_FOUND, REFUSED, findings, judge, outcome, told
from tests.unit.evaluate.composed_directory import (
    ADMINISTERED,
    DELEGATES,
    DOMAIN,
    DOMAIN_ADMINS,
    DOMAIN_USERS,
    GROUPS,
    READABLE,
    STAFF,
    USERS,
    Container,
    Directory,
    descriptor,
    dn_of,
    entry,
    group,
    service_account,
    user_task,
)

if TYPE_CHECKING:
    from auditor.model.evidence import Gap

STRAY = f"{DOMAIN}-1500"
NOT_ATTEMPTED = replace(REFUSED, kind=GapKind.NOT_ATTEMPTED)


def with_account(**attributes: object) -> Directory:
    return Directory(accounts=(service_account("Domain Admins", "H2R Delegates", **attributes),))


@pytest.mark.parametrize(
    ("attributes", "check", "words"),
    [
        ({"userAccountControl": 0x202}, "AD-ACC-002", "disabled"),
        ({"userAccountControl": 512, "msDS-User-Account-Control-Computed": 0x10}, "AD-ACC-002", "locked out"),
        ({"userAccountControl": 0x220}, "AD-ACC-007", "no password is required"),
        ({"userAccountControl": 0x280}, "AD-ACC-007", "reversibly"),
        ({"userAccountControl": 0x200200}, "AD-ACC-007", "DES"),
        ({"userAccountControl": 0x400200}, "AD-ACC-007", "pre-authentication"),
        ({"sIDHistory": "S-1-5-21-9-9-9-500"}, "AD-ACC-013", "S-1-5-21-9-9-9-500"),
        ({"msDS-User-Account-Control-Computed": 0x800000}, "AD-ACC-002", "expired password"),
    ],
)
def test_the_account_s_own_weakness_is_an_advisory(attributes: dict[str, object], check: str, words: str) -> None:
    results = judge(with_account(**attributes).evidence())
    assert told(results, check) == [("advisory", "high")]
    assert words in findings(results, check)[0].actual
    assert results.summary.verdict == "compliant"


@pytest.mark.parametrize(
    ("attributes", "commands"),
    [
        ({"userAccountControl": 0x202}, ("Enable-ADAccount",)),
        (
            {"accountExpires": 132_000_000_000_000_000, "msDS-User-Account-Control-Computed": 0x10},
            ("Unlock-ADAccount", "Clear-ADAccountExpiration"),
        ),
        ({"msDS-User-Account-Control-Computed": 0x800000}, ("Set-ADAccountPassword -Reset",)),
    ],
)
def test_each_state_has_its_own_command(attributes: dict[str, object], commands: tuple[str, ...]) -> None:
    (found,) = findings(judge(with_account(**attributes).evidence()), "AD-ACC-002")
    assert tuple(command.partition(" -Identity")[0] for command in found.remediation.commands) == commands


@pytest.mark.parametrize("attribute", ["mail", "employeeID", "manager"])
def test_an_account_with_a_person_s_attributes_is_not_dedicated(attribute: str) -> None:
    results = judge(with_account(**{attribute: "somebody"}).evidence())
    assert told(results, "AD-ACC-003") == [("advisory", "medium")]
    assert f"{attribute}: somebody" in findings(results, "AD-ACC-003")[0].actual


@pytest.mark.parametrize("value", [[], "many"])
def test_a_state_that_was_not_returned_stays_open(value: object) -> None:
    results = judge(with_account(userAccountControl=value).evidence())
    assert told(results, "AD-ACC-002") == [("unverifiable", "medium")]
    assert results.summary.verdict == "inconclusive"


@pytest.mark.parametrize("sid", [f"{DOMAIN}-519", "S-1-5-32-551", "S-1-5-21-9-9-9-512"])
def test_an_administrative_sid_in_the_sid_history_is_a_membership_in_excess(sid: str) -> None:
    results = judge(with_account(sIDHistory=[sid]).evidence())
    assert told(results, "AD-GRP-004") == [("excess", "critical")]
    (finding,) = findings(results, "AD-GRP-004")
    assert finding.entitlement == sid
    assert finding.remediation.commands[0].endswith(f'-Remove @{{sIDHistory="{sid}"}}')
    assert told(results, "AD-ACC-013") == [("advisory", "high")]
    assert results.summary.verdict == "non_compliant"


@pytest.mark.parametrize("gap", [REFUSED, NOT_FOUND])
def test_where_a_target_ou_was_not_read_no_group_is_in_excess(gap: Gap) -> None:
    below = {(dataset, STAFF): NOT_ATTEMPTED for dataset in ("containers", "inhabitants")}
    unread = replace(with_account(), gaps={("target_ou", STAFF): gap, **below})
    results = judge(unread.evidence())
    assert told(results, "AD-GRP-005") == [("unverifiable", "low")]
    assert "is open" in findings(results, "AD-GRP-005")[0].actual
    drift = compare_runs(results, judge(with_account().evidence()))
    assert not drift.new
    assert not drift.changed
    assert {entry.state for entry in drift.entries if entry.subject == "entitlement"} <= {"not_comparable"}


def test_a_privileged_group_is_in_excess_whatever_was_not_read() -> None:
    unread = replace(with_stray_group("S-1-5-32-551", "Backup Operators"), gaps={("target_ou", STAFF): REFUSED})
    assert told(judge(unread.evidence()), "AD-GRP-004") == [("excess", "critical")]


def test_domain_admins_by_sid_history_is_not_called_a_direct_membership() -> None:
    domain_admins = f"{DOMAIN}-512"
    account = service_account("H2R Delegates", sIDHistory=[domain_admins])
    directory = Directory(accounts=(account,), token=(DOMAIN_USERS, USERS, DELEGATES))
    (requirement,) = [each for each in judge(directory.evidence()).connections[0].requirements if each.id == "M7"]
    assert requirement.outcome == "satisfied"
    assert requirement.actual == "member of Domain Admins, through its SID history"
    assert requirement.how != "exact"


def with_stray_group(sid: str = STRAY, name: str = "Stray") -> Directory:
    base = with_account()
    account = service_account("Domain Admins", "H2R Delegates", name)
    return replace(base, accounts=(account,), groups=(*GROUPS, group(name, sid)), token=(*base.token, sid))


def test_an_ordinary_group_is_a_low_excess_and_fails_only_a_strict_run() -> None:
    evidence = with_stray_group().evidence()
    results = judge(evidence)
    assert told(results, "AD-GRP-005") == [("excess", "low")]
    assert findings(results, "AD-GRP-005")[0].paths == (("svc-h2r", "Stray"),)
    assert results.summary.verdict == "compliant"


@pytest.mark.parametrize(
    ("sid", "name"),
    [
        (f"{DOMAIN}-519", "Organisations-Admins"),
        (f"{DOMAIN}-518", "Schema Admins"),
        ("S-1-5-32-548", "Account Operators"),
        ("S-1-5-32-551", "Backup Operators"),
        (f"{DOMAIN}-1101", "DnsAdmins"),
        (f"{DOMAIN}-1150", "Exchange Windows Permissions"),
    ],
)
def test_a_privileged_group_is_a_critical_excess(sid: str, name: str) -> None:
    results = judge(with_stray_group(sid, name).evidence())
    assert told(results, "AD-GRP-004") == [("excess", "critical")]
    assert results.summary.verdict == "non_compliant"


def test_a_group_of_the_token_that_no_walk_explains_is_no_silence() -> None:
    base = Directory(accounts=(service_account("H2R Delegates"),))
    results = judge(replace(base, token=(*base.token[:2], DELEGATES, STRAY)).evidence())
    assert [each.entitlement for each in findings(results, "AD-GRP-005")] == [STRAY]
    assert told(results, "AD-COL-009") == [("unverifiable", "medium")]
    assert findings(results, "AD-GRP-005")[0].paths == (("svc-h2r", "membership path not readable", STRAY),)


def test_a_group_that_may_have_come_with_domain_admins_stays_open_instead_of_being_an_excess() -> None:
    base = Directory()
    results = judge(replace(base, token=(*base.token, STRAY)).evidence())
    assert told(results, "AD-GRP-005") == []
    assert told(results, "AD-COL-009") == [("unverifiable", "medium")]
    assert results.summary.verdict == "inconclusive"


def test_a_security_group_of_the_walk_that_the_token_does_not_hold_stays_open() -> None:
    account = service_account("Domain Admins", "H2R Delegates", "Stray")
    results = judge(Directory(accounts=(account,), groups=(*GROUPS, group("Stray", STRAY))).evidence())
    assert told(results, "AD-COL-009") == [("unverifiable", "medium")]


def test_a_distribution_list_is_no_membership() -> None:
    account = service_account("Domain Admins", "H2R Delegates", "News")
    news = group("News", STRAY, group_type=2)
    results = judge(Directory(accounts=(account,), groups=(*GROUPS, news)).evidence())
    assert [each.check for each in results.findings] == ["AD-GRP-003"]


def test_a_loop_of_groups_ends() -> None:
    one, two = group("One", f"{DOMAIN}-1601", dn_of("Two")), group("Two", f"{DOMAIN}-1602", dn_of("One"))
    base = Directory(accounts=(service_account("Domain Admins", "H2R Delegates", "One"),), groups=(*GROUPS, one, two))
    results = judge(replace(base, token=(*base.token, f"{DOMAIN}-1601", f"{DOMAIN}-1602")).evidence())
    assert len(findings(results, "AD-GRP-005")) == 2


def test_a_privileged_group_stays_an_excess_though_the_task_is_delegated_to_it() -> None:
    """Exchange's own groups may create users and change their permissions: an attacker's way to the domain."""
    sid = f"{DOMAIN}-1150"
    base = with_stray_group(sid, "Exchange Windows Permissions")
    delegated = replace(base, ous={STAFF: Container(raw=descriptor(READABLE, *user_task(sid)))})
    assert told(judge(delegated.evidence()), "AD-GRP-004") == [("excess", "critical")]


def test_a_group_whose_sid_is_malformed_does_not_end_the_run() -> None:
    broken = entry(dn_of("Broken"), objectSid=b"\x01\x05", sAMAccountName="Broken")
    assert judge(Directory(groups=(*GROUPS, broken)).evidence()).summary.verdict != ""


@pytest.mark.parametrize("name_of_class", ["group", "contact"])
def test_what_cannot_sign_in_is_no_account(name_of_class: str) -> None:
    named = entry(dn_of("Domain Admins"), ADMINISTERED, objectClass=["top", name_of_class], objectSid=DOMAIN_ADMINS)
    results = judge(Directory(accounts=(named,)).evidence())
    assert (outcome(results, "M7"), outcome(results, "M8")) == ("unverifiable", "unverifiable")
    (finding,) = findings(results, "AD-ACC-001")
    assert finding.actual == f"svc-h2r@corp.example.com names a {name_of_class}, which cannot sign in"


@pytest.mark.parametrize(
    ("classes", "primary", "are_told"),
    [
        (["user"], 513, set()),
        (["user"], 515, {"AD-GRP-005", "AD-GRP-007"}),
        (["user", "computer", "msDS-GroupManagedServiceAccount"], 515, set()),
        (["user", "computer", "msDS-GroupManagedServiceAccount"], 513, {"AD-GRP-007"}),
    ],
)
def test_an_account_is_in_the_primary_group_of_its_class(
    classes: list[str], primary: int, are_told: set[str]
) -> None:
    own = f"{DOMAIN}-{primary}"
    account = service_account("Domain Admins", "H2R Delegates", objectClass=classes, primaryGroupID=primary)
    base = Directory()
    directory = replace(
        base,
        accounts=(account,),
        groups=(*base.groups, group("Domain Computers", f"{DOMAIN}-515")),
        token=tuple(dict.fromkeys((own, *base.token[1:]))),
    )
    results = judge(directory.evidence())
    assert {each.check for each in results.findings} & {"AD-GRP-005", "AD-GRP-007"} == are_told
