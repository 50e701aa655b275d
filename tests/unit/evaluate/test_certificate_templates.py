"""Certificates in another's name (AD-PRV-015). All data is composed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from auditor.acl import FULL_CONTROL, READ_RIGHTS, AccessMask
from tests.unit.evaluate.composed import NOT_FOUND, REFUSED, findings, judge, told
from tests.unit.evaluate.composed_directory import (
    ACCOUNT,
    ADMINISTRATORS,
    AUTHENTICATED_USERS,
    CONTAINER_INHERIT,
    DELEGATES,
    DOMAIN,
    DOMAIN_ADMINS,
    DOMAIN_USERS,
    HEAD,
    INHERIT_ONLY,
    NULL_DACL,
    Directory,
    ace,
)
from tests.unit.evaluate.composed_rights import (
    HOSTILE_NAMES,
    Placed,
    owned,
    placed,
    the_finding,
    with_raw,
    with_read,
)

if TYPE_CHECKING:
    from auditor.acl import Ace
    from auditor.model.results import Results

SERVICES = f"CN=Public Key Services,CN=Services,CN=Configuration,{HEAD}"
TEMPLATE, AUTHORITY = f"CN=WebUser,CN=Certificate Templates,{SERVICES}", f"CN=CA,CN=Enrollment Services,{SERVICES}"
ENROLL, AUTO_ENROLL = "0e10c968-78fb-11d2-90d4-00c04f79dc55", "a05b8cc2-17bc-4802-a710-e7c15ab866a2"
NAME_FLAG = "ea1dddc4-60ff-416e-8cc0-17cee534bce7"  # schemaIDGUID of msPKI-Certificate-Name-Flag
CLIENT_AUTHENTICATION, SERVER_AUTHENTICATION = "1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.1"
CR, WP, WD, WO = (
    AccessMask.CONTROL_ACCESS, AccessMask.WRITE_PROPERTY, AccessMask.WRITE_DAC, AccessMask.WRITE_OWNER,
)  # fmt: skip
STRANGER, UNEXPLAINED = f"{DOMAIN}-4711", f"{DOMAIN}-1300"
CHANGES = {
    "full control": ace(FULL_CONTROL, DELEGATES),
    "generic all": ace(AccessMask.GENERIC_ALL, DELEGATES),
    "modify permissions": ace(WD, DELEGATES),
    "modify owner": ace(WO, DELEGATES),
    "write every attribute": ace(WP, DELEGATES),
    "write one attribute": ace(WP, DELEGATES, object_type=NAME_FLAG),
}
RISKY: dict[str, object] = {
    "cn": "WebUser",
    "msPKI-Certificate-Name-Flag": 1,
    "msPKI-Enrollment-Flag": 0,
    "msPKI-RA-Signature": 0,
    "pKIExtendedKeyUsage": [CLIENT_AUTHENTICATION],
}
PUBLISHING = placed(AUTHORITY, cn="CA", certificateTemplates=["WebUser", "Machine"])
ENROLLING = ace(CR, DELEGATES, object_type=ENROLL)


def services(*objects: Placed, base: Directory | None = None) -> Results:
    """Judge the default account beside these objects of certificate services."""
    return judge(with_read(base or Directory(), "certificate_services", *objects).evidence())


@pytest.mark.parametrize("right", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("dn", [TEMPLATE, AUTHORITY])
def test_changing_a_template_or_a_service_is_an_excess(right: Ace, dn: str) -> None:
    results = services(placed(dn, right))
    assert told(results, "AD-PRV-015") == [("excess", "high")]
    found = the_finding(results, "AD-PRV-015")
    assert found.title == "Certificate services: the account may change it"
    assert found.paths == (("svc-h2r", "H2R Delegates", f"ACE 1 on {dn}"),)
    assert results.summary.verdict == "non_compliant"


@pytest.mark.parametrize(
    "right",
    [
        ace(READ_RIGHTS, DELEGATES),
        ace(AccessMask.GENERIC_READ, AUTHENTICATED_USERS),
        ace(FULL_CONTROL, DOMAIN_ADMINS),
        ace(FULL_CONTROL, ADMINISTRATORS),
        ace(FULL_CONTROL, STRANGER),
        ace(FULL_CONTROL, DELEGATES, ace_type=1),
        ace(FULL_CONTROL, DELEGATES, flags=CONTAINER_INHERIT | INHERIT_ONLY),
        ENROLLING,
    ],
    ids=["reading", "generic", "Domain Admins", "Administrators", "a stranger", "denied", "below", "enrolling"],
)
def test_what_changes_nothing_is_not_told(right: Ace) -> None:
    assert told(services(placed(TEMPLATE, right)), "AD-PRV-015") == []


@pytest.mark.parametrize("right", CHANGES.values(), ids=CHANGES)
def test_an_earlier_deny_takes_it_away(right: Ace) -> None:
    assert told(services(placed(TEMPLATE, replace(right, type=right.type + 1), right)), "AD-PRV-015") == []


def test_ownership_and_a_missing_dacl_change_it_without_an_entry() -> None:
    for raw, words in ((owned(DELEGATES), "by ownership"), (NULL_DACL, "the DACL is NULL")):
        results = services(with_raw(TEMPLATE, raw))
        assert told(results, "AD-PRV-015") == [("excess", "high")]
        assert words in the_finding(results, "AD-PRV-015").actual


@pytest.mark.parametrize("right", [ENROLLING, ace(CR, DELEGATES)], ids=["enroll", "every extended right"])
@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"msPKI-Certificate-Name-Flag": 0x10000},
        {"msPKI-Certificate-Name-Flag": -0x7FFFFFFF},
        {"pKIExtendedKeyUsage": []},
        {"pKIExtendedKeyUsage": [SERVER_AUTHENTICATION, "1.3.6.1.4.1.311.20.2.2"]},
        {"pKIExtendedKeyUsage": ["1.3.6.1.5.2.3.4"]},
        {"pKIExtendedKeyUsage": ["2.5.29.37.0"]},
    ],
    ids=["subject", "alternative name", "among others", "any purpose", "smart card", "PKINIT", "any usage"],
)
def test_enrolling_in_a_published_risky_template_is_an_excess(right: Ace, changed: dict[str, object]) -> None:
    results = services(placed(TEMPLATE, right, **{**RISKY, **changed}), PUBLISHING)
    assert told(results, "AD-PRV-015") == [("excess", "high")]
    assert "may enrol, and the requester names the subject" in the_finding(results, "AD-PRV-015").title


@pytest.mark.parametrize("trustee", [ACCOUNT, AUTHENTICATED_USERS, DOMAIN_USERS])
def test_whoever_of_the_token_enrols(trustee: str) -> None:
    results = services(placed(TEMPLATE, replace(ENROLLING, trustee=trustee), **RISKY), PUBLISHING)
    assert told(results, "AD-PRV-015") == [("excess", "high")]


@pytest.mark.parametrize(
    ("right", "changed"),
    [
        (ENROLLING, {"msPKI-Certificate-Name-Flag": 0}),
        (ENROLLING, {"msPKI-Certificate-Name-Flag": 0x2000000}),
        (ENROLLING, {"msPKI-Enrollment-Flag": 2}),
        (ENROLLING, {"msPKI-RA-Signature": 1}),
        (ENROLLING, {"pKIExtendedKeyUsage": [SERVER_AUTHENTICATION]}),
        (ENROLLING, {"cn": "Other"}),
        (ace(CR, DELEGATES, object_type=AUTO_ENROLL), {}),
        (ace(CR, STRANGER, object_type=ENROLL), {}),
        (ace(CR, DOMAIN_ADMINS, object_type=ENROLL), {}),
        (ace(CR, DELEGATES, ace_type=1, object_type=ENROLL), {}),
    ],
    ids=[
        "subject from the directory", "other flag", "approved", "signed", "servers", "not published", "auto-enroll",
        "a stranger", "Domain Admins", "denied",
    ],
)  # fmt: skip
def test_what_is_not_risky_or_not_enrolled_in_is_not_told(right: Ace, changed: dict[str, object]) -> None:
    assert told(services(placed(TEMPLATE, right, **{**RISKY, **changed}), PUBLISHING), "AD-PRV-015") == []


def test_an_earlier_deny_of_enrolling_takes_it_away() -> None:
    deny = ace(CR, DELEGATES, ace_type=1, object_type=ENROLL)
    assert told(services(placed(TEMPLATE, deny, ENROLLING, **RISKY), PUBLISHING), "AD-PRV-015") == []


@pytest.mark.parametrize("gap", ["condition", "membership"])
@pytest.mark.parametrize("right", [ENROLLING, ace(WD, DELEGATES)], ids=["enrol", "change"])
def test_what_cannot_be_known_is_left_open(gap: str, right: Ace) -> None:
    conditional = {0: 9, 5: 11}[right.type]
    unsure = replace(right, trustee=UNEXPLAINED) if gap == "membership" else replace(right, type=conditional)
    base = replace(Directory(), token=(*Directory().token, UNEXPLAINED))
    results = services(placed(TEMPLATE, unsure, **RISKY), PUBLISHING, base=base)
    assert told(results, "AD-PRV-015") == [("unverifiable", "medium")]
    assert "perhaps" in the_finding(results, "AD-PRV-015").title
    assert results.summary.verdict == "inconclusive"


def test_what_is_certain_comes_before_what_is_open() -> None:
    results = services(placed(TEMPLATE, ace(WD, DELEGATES, ace_type=9), ENROLLING, **RISKY), PUBLISHING)
    assert told(results, "AD-PRV-015") == [("excess", "high")]
    assert "may enrol" in the_finding(results, "AD-PRV-015").title


def test_every_entry_that_changes_it_is_shown() -> None:
    results = services(placed(TEMPLATE, ace(WP, ACCOUNT, object_type=NAME_FLAG), ace(WD, DELEGATES)))
    assert [path[-1] for path in the_finding(results, "AD-PRV-015").paths] == [
        f"ACE 1 on {TEMPLATE}", f"ACE 2 on {TEMPLATE}",
    ]  # fmt: skip


def test_of_two_open_questions_the_graver_one_is_told() -> None:
    unsure = (ace(WD, DELEGATES, ace_type=9), replace(ENROLLING, type=11))
    found = the_finding(services(placed(TEMPLATE, *unsure, **RISKY), PUBLISHING), "AD-PRV-015")
    assert found.title == "Certificate services: the account may perhaps change it"


def test_a_forest_without_certificate_services_has_none_to_judge() -> None:
    results = judge(replace(Directory(), gaps={("certificate_services", ""): NOT_FOUND}).evidence())
    assert told(results, "AD-PRV-015") == []
    assert results.summary.verdict == "compliant"


def test_services_that_could_not_be_read_are_told() -> None:
    results = judge(replace(Directory(), gaps={("certificate_services", ""): REFUSED}).evidence())
    assert told(results, "AD-PRV-015") == []
    assert results.summary.verdict == "inconclusive"
    assert "the right to read it" in the_finding(results, "META-001").remediation.text


def test_a_template_that_was_not_read_is_told() -> None:
    results = services(with_raw(TEMPLATE, None, **RISKY), PUBLISHING)
    assert told(results, "AD-PRV-015") == []
    assert TEMPLATE in findings(results, "AD-COL-008")[0].actual


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_names_are_told_as_they_are_and_steer_no_command(name: str) -> None:
    dn = f"CN={name},CN=Certificate Templates,{SERVICES}"
    found = the_finding(services(placed(dn, ace(WD, ACCOUNT))), "AD-PRV-015")
    assert found.scope == dn
    (command,) = found.remediation.commands
    assert command.isprintable()
    assert command.count('"') == 4
    assert not set("$`%\u201c\u201d\u201e") & set(command)
