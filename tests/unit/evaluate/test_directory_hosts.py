"""The hosts of a connection, who reads from them, what may be read, and accounts that serve several connections."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auditor.model.directory_entry import entry_to_record
from auditor.model.evidence import Evidence, Gap, GapKind, Record
from auditor.model.outcome import Outcome
from tests.unit.evaluate.composed import findings, judge, matrix, read_of, told
from tests.unit.evaluate.composed_account import delegate
from tests.unit.evaluate.composed_directory import (
    ACCOUNT,
    ADMINISTRATORS,
    AUDITOR,
    DELEGATES,
    DOMAIN,
    DOMAIN_ADMINS,
    HEAD,
    HOST,
    READABLE,
    STAFF,
    TRUSTED_HOST,
    Container,
    Directory,
    ace,
    descriptor,
    entry,
    group,
    service_account,
)

SECOND = "10.1.0.11"
UNREACHABLE = Gap(kind=GapKind.UNREACHABLE, message="connection refused")
NOT_OFFERED = Gap(kind=GapKind.NOT_ATTEMPTED, message="no sign-in was attempted after a refusal")
RODC = "1.2.840.113556.1.4.1920"
PRE_WINDOWS_2000 = "S-1-5-32-554"


def two_hosts(second: dict[str, object]) -> Directory:
    hosts = {HOST: TRUSTED_HOST, SECOND: {**TRUSTED_HOST, "host": SECOND, **second}}
    return Directory(hosts=hosts).connect(hosts=(HOST, SECOND))  # type: ignore[arg-type]


def test_a_host_that_does_not_answer_stays_open_with_its_reason() -> None:
    directory = replace(two_hosts({}), gaps={("host", SECOND): UNREACHABLE})
    results = judge(directory.evidence())
    assert told(results, "AD-COL-001") == [("unverifiable", "high")]
    (found,) = findings(results, "AD-COL-001")
    assert (found.scope, found.actual) == (SECOND, "connection refused")
    assert results.summary.verdict == "inconclusive"


def test_a_host_that_let_the_auditing_identity_in_answers_whatever_came_after() -> None:
    evidence = Directory().evidence()
    question = ("host", HOST)
    others = tuple(each for each in evidence.reads if (each[0].dataset, each[0].subject) != question)
    broken = replace(evidence, reads=(*others, read_of(question, [TRUSTED_HOST], UNREACHABLE)))
    assert told(judge(broken), "AD-COL-001") == []


def test_a_host_that_was_not_tried_after_a_refusal_is_not_told_again() -> None:
    refused = Gap(kind=GapKind.SIGN_IN_REFUSED, message="the password has expired (532)")
    directory = replace(two_hosts({}), gaps={("host", HOST): refused, ("host", SECOND): NOT_OFFERED})
    results = judge(directory.evidence())
    assert [each.actual for each in findings(results, "AD-COL-001")] == ["the password has expired (532)"]


@pytest.mark.parametrize(
    ("root_dse", "titles"),
    [
        ({"defaultNamingContext": [HEAD.lower()]}, []),
        ({"defaultNamingContext": ["DC=other,DC=example,DC=com"]}, ["The hosts serve different domains"]),
        ({"defaultNamingContext": ["no DN"]}, ["The hosts serve different domains"]),
        (
            {"defaultNamingContext": [HEAD], "supportedCapabilities": [RODC]},
            [f"{SECOND} is a read-only domain controller"],
        ),
    ],
)
def test_hosts_serve_one_domain_and_take_changes(root_dse: dict[str, object], titles: list[str]) -> None:
    results = judge(two_hosts({"root_dse": root_dse}).evidence())
    assert [each.title for each in findings(results, "AD-COL-004")] == titles
    assert told(results, "AD-COL-004") == [("advisory", "medium")] * len(titles)
    assert results.summary.verdict == "compliant"


@pytest.mark.parametrize(
    ("sid", "groups", "titles"),
    [
        (AUDITOR, [DELEGATES], []),
        (ACCOUNT, [DELEGATES], ["The account audits itself"]),
        (ACCOUNT, [DOMAIN_ADMINS], ["The account audits itself"]),
        (AUDITOR, [DOMAIN_ADMINS], ["The auditing identity is an administrator"]),
        (AUDITOR, [ADMINISTRATORS], ["The auditing identity is an administrator"]),
        (AUDITOR, [f"{DOMAIN}-519"], ["The auditing identity is an administrator"]),
    ],
)
def test_whoever_audits_only_reads_and_is_somebody_else(sid: str, groups: list[str], titles: list[str]) -> None:
    auditor = entry(f"CN=A,{HEAD}", objectSid=sid, tokenGroups=groups)
    results = judge(Directory(auditor=auditor).evidence())
    assert [each.title for each in findings(results, "AD-COL-007")] == titles
    assert results.summary.verdict == "compliant"


def test_permissions_that_were_withheld_or_are_malformed_are_listed_with_what_they_leave_open() -> None:
    broken = b"\x01\x00"
    below = {f"OU=Hidden,{STAFF}": None, f"OU=Broken,{STAFF}": broken}
    base = Directory()
    results = judge(replace(base, ous={STAFF: Container(raw=base.ous[STAFF].raw, below=below)}).evidence())
    assert told(results, "AD-COL-008") == [("unverifiable", "medium")]
    (found,) = findings(results, "AD-COL-008")
    assert found.scope == STAFF
    assert found.title.startswith("2 security descriptors")
    for words in ("OU=Hidden", "OU=Broken", "AD-PRV-*"):
        assert words in found.actual
    assert f'dsacls "OU=Hidden,{STAFF}" /G "{AUDITOR}:RC"' in found.remediation.commands


def test_tier_zero_that_was_not_readable_is_not_silence() -> None:
    krbtgt = entry(f"CN=krbtgt,CN=Users,{HEAD}", objectSid=f"{DOMAIN}-502")
    results = judge(replace(Directory(), tier_zero=(*Directory().tier_zero, krbtgt)).evidence())
    assert told(results, "AD-COL-008") == [("unverifiable", "medium")]
    assert "AD-PRV-011" in findings(results, "AD-COL-008")[0].actual


def test_an_account_that_serves_several_connections_is_told_on_each() -> None:
    results = judge(Directory().evidence(), Directory().connect(id="test").evidence())
    assert [(each.connection, each.severity) for each in findings(results, "AD-GOV-007")] == [
        ("corp", "high"),
        ("test", "high"),
    ]
    assert results.summary.verdict == "compliant"
    other = Directory(accounts=(service_account("Domain Admins", "H2R Delegates", objectSid=f"{DOMAIN}-1999"),))
    assert findings(judge(Directory().evidence(), other.connect(id="test").evidence()), "AD-GOV-007") == []


@pytest.mark.parametrize("reading", ["all_of", "any_of"])
def test_both_readings_are_told_where_they_differ(reading: str) -> None:
    results = judge(delegate().evidence(), against=matrix(domain_admins_and_delegation=reading))
    assert told(results, "AD-GRP-002") == [("advisory", "info")]
    (found,) = findings(results, "AD-GRP-002")
    assert f"both are needed: {Outcome.MISSING}; read so that one is enough: {Outcome.SATISFIED}" in found.actual
    assert "Domain Admins: missing; delegation: satisfied" in found.actual


def test_readings_that_agree_are_not_told() -> None:
    nothing = replace(delegate(), ous={STAFF: Container(raw=descriptor(READABLE))})
    for directory in (Directory(), nothing):
        assert told(judge(directory.evidence()), "AD-GRP-002") == []


PROPERTY, EXTENDED = 0x10, 0x100
RESTRICTIONS = "4c164200-20c0-11d0-a768-00aa006e0529"
PWD_LAST_SET = "bf967a0a-0de6-11d0-a285-00aa003049e2"


@pytest.mark.parametrize(
    ("aces", "is_open"),
    [
        ((ace(PROPERTY, "S-1-5-11"),), False),
        ((ace(PROPERTY, DELEGATES),), True),
        ((ace(PROPERTY, AUDITOR, object_type=PWD_LAST_SET),), False),
        ((ace(PROPERTY, AUDITOR, object_type=RESTRICTIONS),), False),
        ((ace(PROPERTY, AUDITOR, object_type="e48d0154-bcf8-11d1-8702-00c04fb96050"),), True),
        ((ace(PROPERTY, AUDITOR, ace_type=1, object_type=PWD_LAST_SET), ace(PROPERTY, AUDITOR)), True),
        ((ace(PROPERTY, AUDITOR, ace_type=9),), True),
        ((ace(PROPERTY, PRE_WINDOWS_2000),), False),
        ((ace(PROPERTY, AUDITOR, ace_type=10), ace(PROPERTY, AUDITOR)), True),
    ],
    ids=[
        "everybody",
        "others",
        "attribute",
        "its set",
        "another set",
        "denied",
        "condition",
        "through everybody",
        "denied under a condition",
    ],
)
def test_absence_is_proven_by_the_right_to_read(aces: tuple[object, ...], is_open: bool) -> None:
    """pwdLastSet has no value: that is a fact only where the auditing identity would have seen one."""
    raw = descriptor(ace(0x20000, "S-1-5-11"), *aces)  # type: ignore[arg-type]
    account = service_account("Domain Admins", "H2R Delegates", raw=raw, pwdLastSet=[])
    compatible = f"CN=Pre-Windows 2000,CN=Builtin,{HEAD}"
    everybody = entry(f"CN=S-1-5-11,{HEAD}", objectSid="S-1-5-11", memberOf=compatible)
    directory = Directory(
        accounts=(account,),
        descriptors=(raw,),
        groups=(*Directory().groups, group("Pre-Windows 2000", PRE_WINDOWS_2000, dn=compatible)),
        well_known=(everybody,),
    )
    outcome = "unverifiable" if is_open else "advisory"
    assert [each[0] for each in told(judge(directory.evidence()), "AD-ACC-005")] == [outcome]


def with_read(evidence: Evidence, dataset: str, records: list[Record], gap: Gap | None = None) -> Evidence:
    others = tuple(each for each in evidence.reads if each[0].dataset != dataset)
    return replace(evidence, reads=(*others, read_of((dataset, ""), records, gap)))


def test_what_this_directory_has_no_attribute_for_is_absent() -> None:
    closed = descriptor(ace(0x20000, "S-1-5-11"))
    account = service_account("Domain Admins", "H2R Delegates", raw=closed)
    evidence = Directory(accounts=(account,), descriptors=(closed,)).evidence()
    assert told(judge(evidence), "AD-KRB-007") == [("unverifiable", "medium")]
    for dataset in ("schema_classes", "schema_attributes", "extended_rights"):
        evidence = with_read(evidence, dataset, [])
    assert told(judge(evidence), "AD-KRB-007") == []


def test_a_global_catalog_proves_no_absence() -> None:
    partial = Gap(kind=GapKind.INCOMPLETE, message="a global catalog", missing_permission="audit over port 636")
    account = entry_to_record(service_account("Domain Admins", "H2R Delegates", pwdLastSet=[]))
    results = judge(with_read(Directory().evidence(), "account", [account], partial))
    assert told(results, "AD-ACC-005") == [("unverifiable", "medium")]
    assert findings(results, "AD-ACC-005")[0].actual == "a global catalog (needed: audit over port 636)"


def test_a_deny_for_somebody_unknown_leaves_absence_open_while_the_token_is_not_whole() -> None:
    raw = descriptor(ace(PROPERTY, f"{DOMAIN}-1777", ace_type=1), READABLE)
    account = service_account("Domain Admins", "H2R Delegates", raw=raw, pwdLastSet=[])
    base = Directory(accounts=(account,), descriptors=(raw,))
    assert told(judge(base.evidence()), "AD-ACC-005") == [("advisory", "high")]
    unknown = replace(base, auditor=entry(f"CN=A,{HEAD}", objectSid=AUDITOR))
    assert told(judge(unknown.evidence()), "AD-ACC-005") == [("unverifiable", "medium")]
