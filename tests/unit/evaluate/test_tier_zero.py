"""Rights on the objects whose control is control of the domain (AD-PRV-010, 011). All data is composed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from auditor.acl import FULL_CONTROL, READ_RIGHTS, AccessMask, GuidKind, well_known_guid
from auditor.evaluate.directory.user_task import USER_CLASS
from tests.unit.evaluate.composed import REFUSED, findings, judge, told
from tests.unit.evaluate.composed_directory import (
    ACCOUNT,
    ADMIN_SD_HOLDER,
    ADMINISTRATORS,
    AUTHENTICATED_USERS,
    CHILDREN,
    CONTAINER_INHERIT,
    DELEGATED,
    DELEGATES,
    DOMAIN,
    DOMAIN_ADMINS,
    DOMAIN_USERS,
    GUARDED,
    HEAD,
    INHERIT_ONLY,
    INHERITED,
    NULL_DACL,
    READABLE,
    STAFF,
    USERS,
    Container,
    Directory,
    ace,
    descriptor,
    service_account,
    user_task,
)
from tests.unit.evaluate.composed_rights import HOSTILE_NAMES, Placed, owned, placed, the_finding, with_raw, with_read

if TYPE_CHECKING:
    from auditor.acl import Ace

EVERYONE = "S-1-1-0"
STRANGER, UNEXPLAINED = f"{DOMAIN}-4711", f"{DOMAIN}-1300"
ENTERPRISE_ADMINS = f"{DOMAIN}-519"
GET_CHANGES, GET_CHANGES_ALL, IN_FILTERED_SET = (
    well_known_guid(name, GuidKind.EXTENDED_RIGHT)
    for name in (
        "DS-Replication-Get-Changes", "DS-Replication-Get-Changes-All", "DS-Replication-Get-Changes-In-Filtered-Set",
    )
)  # fmt: skip
UNEXPIRE, CHANGE_PASSWORD = (
    well_known_guid(name, GuidKind.EXTENDED_RIGHT) for name in ("Unexpire-Password", "User-Change-Password")
)
COMPUTER, MEMBER = well_known_guid("computer", GuidKind.CLASS), well_known_guid("member", GuidKind.ATTRIBUTE)
CR, WP, WD = AccessMask.CONTROL_ACCESS, AccessMask.WRITE_PROPERTY, AccessMask.WRITE_DAC
CONTROLLERS = f"OU=Domain Controllers,{HEAD}"


def head(*aces: Ace) -> Directory:
    """Return the default directory with these ACEs on the domain head, which gives Domain Admins nothing."""
    return replace(Directory(), head=descriptor(READABLE, *aces))


def no_administrator(directory: Directory) -> Directory:
    """Return the same with an account that is in no group but that of delegates."""
    return replace(directory, token=(DOMAIN_USERS, USERS, DELEGATES), accounts=(service_account("H2R Delegates"),))


def unexplained(directory: Directory) -> Directory:
    """Return the same with a group in the token that nothing explains."""
    return replace(directory, token=(*directory.token, UNEXPLAINED))


def tier_zero(*objects: Placed) -> Directory:
    """Return the default directory with these tier-0 objects."""
    return with_read(head(), "tier_zero", *objects)


def replicating(guid: str | None, trustee: str = DELEGATES) -> Ace:
    """Build an ACE that lets somebody replicate."""
    return ace(CR, trustee, object_type=guid)


# Replication


@pytest.mark.parametrize(
    ("guids", "severity"),
    [
        ((GET_CHANGES_ALL,), "critical"),
        ((GET_CHANGES, GET_CHANGES_ALL), "critical"),
        ((GET_CHANGES,), "high"),
        ((IN_FILTERED_SET,), "high"),
        ((None,), "critical"),
    ],
    ids=["all", "both", "changes only", "filtered set", "every extended right"],
)
@pytest.mark.parametrize("trustee", [ACCOUNT, DELEGATES, EVERYONE, AUTHENTICATED_USERS, DOMAIN_USERS])
def test_the_right_to_replicate_is_an_excess(guids: tuple[str | None, ...], severity: str, trustee: str) -> None:
    results = judge(head(*(replicating(guid, trustee) for guid in guids)).evidence())
    assert told(results, "AD-PRV-010") == [("excess", severity)]
    assert results.summary.verdict == "non_compliant"


def test_it_names_what_is_held_and_how() -> None:
    found = the_finding(judge(head(replicating(GET_CHANGES_ALL)).evidence()), "AD-PRV-010")
    assert found.title == "May replicate from the domain: DS-Replication-Get-Changes-All"
    assert found.paths == (("svc-h2r", "H2R Delegates", f"ACE 1 on {HEAD}"),)
    assert found.scope == HEAD
    assert found.remediation.commands == (f'dsacls "{HEAD}" /R "{DELEGATES}"',)


@pytest.mark.parametrize(
    "aces",
    [
        (),
        (replicating(GET_CHANGES_ALL, STRANGER),),
        (replicating(GET_CHANGES_ALL, ADMINISTRATORS),),
        (replicating(UNEXPIRE, AUTHENTICATED_USERS),),
        (ace(CR, DELEGATES, ace_type=1, object_type=GET_CHANGES_ALL), replicating(GET_CHANGES_ALL)),
        (ace(CR, DELEGATES, ace_type=1), replicating(GET_CHANGES_ALL)),
        (ace(WP, DELEGATES, object_type=GET_CHANGES_ALL),),
        (ace(CR, DELEGATES, object_type=GET_CHANGES_ALL, flags=CONTAINER_INHERIT | INHERIT_ONLY),),
    ],
    ids=["nothing", "a stranger", "Administrators", "another right", "denied", "all denied", "no right", "below only"],
)
def test_what_is_no_right_to_replicate_is_not_told(aces: tuple[Ace, ...]) -> None:
    assert told(judge(no_administrator(head(*aces)).evidence()), "AD-PRV-010") == []


@pytest.mark.parametrize(
    ("member_of", "token", "trustee"),
    [
        ("Domain Admins", (DOMAIN_USERS, DOMAIN_ADMINS, ADMINISTRATORS), DOMAIN_ADMINS),
        ("Domain Admins", (DOMAIN_USERS, DOMAIN_ADMINS, ADMINISTRATORS), ADMINISTRATORS),
        ("Administrators", (DOMAIN_USERS, ADMINISTRATORS), ADMINISTRATORS),
    ],
)
def test_what_administrators_may_is_an_advisory(member_of: str, token: tuple[str, ...], trustee: str) -> None:
    directory = replace(
        head(replicating(GET_CHANGES_ALL, trustee)), token=token, accounts=(service_account(member_of),)
    )
    results = judge(directory.evidence())
    assert told(results, "AD-PRV-010") == [("advisory", "high")]
    assert told(results, "AD-PRV-011") == []
    name = {DOMAIN_ADMINS: "Domain Admins", ADMINISTRATORS: "Administrators"}[trustee]
    assert the_finding(results, "AD-PRV-010").actual.startswith(f"inherent to {name};")


def test_an_administrator_who_needs_no_administrators_for_it_has_an_excess() -> None:
    aces = (replicating(GET_CHANGES_ALL, ADMINISTRATORS), replicating(GET_CHANGES_ALL, ACCOUNT))
    directory = replace(Directory(), head=descriptor(READABLE, *aces))
    assert told(judge(directory.evidence()), "AD-PRV-010") == [("excess", "critical")]


@pytest.mark.parametrize("gap", ["condition", "membership"])
def test_what_cannot_be_known_about_replication_is_left_open(gap: str) -> None:
    trustee = UNEXPLAINED if gap == "membership" else DELEGATES
    right = replace(replicating(GET_CHANGES_ALL, trustee), type=0x0B if gap == "condition" else 0x05)
    results = judge(unexplained(head(right)).evidence())
    assert told(results, "AD-PRV-010") == [("unverifiable", "medium")]
    found = the_finding(results, "AD-PRV-010")
    assert found.title.startswith("Perhaps may replicate")
    assert "a condition, or a membership that could not be read" in found.actual
    assert results.summary.verdict == "inconclusive"


def test_without_a_dacl_everybody_replicates_and_controls_the_domain() -> None:
    results = judge(replace(Directory(), head=NULL_DACL).evidence())
    assert told(results, "AD-PRV-010") == [("excess", "critical")]
    assert told(results, "AD-PRV-011") == [("excess", "critical")]
    assert all("the DACL is NULL" in findings(results, check)[0].actual for check in ("AD-PRV-010", "AD-PRV-011"))


def test_a_head_that_was_not_read_is_told() -> None:
    results = judge(replace(Directory(), head=None).evidence())
    assert told(results, "AD-PRV-010") == told(results, "AD-PRV-011") == []
    assert HEAD in findings(results, "AD-COL-008")[0].actual
    assert results.summary.verdict == "inconclusive"


def test_a_head_that_could_not_be_asked_for_is_told() -> None:
    results = judge(replace(head(), gaps={("domain", ""): REFUSED}).evidence())
    assert told(results, "AD-PRV-010") == []
    assert results.summary.verdict == "inconclusive"
    assert "the right to read it" in " ".join(f"{each.actual} {each.remediation.text}" for each in results.findings)


# Tier-0 objects

BEYOND_READING = {
    "full control": ace(FULL_CONTROL, DELEGATES),
    "generic all": ace(AccessMask.GENERIC_ALL, DELEGATES),
    "generic write": ace(AccessMask.GENERIC_WRITE, DELEGATES),
    "modify permissions": ace(WD, DELEGATES),
    "modify owner": ace(AccessMask.WRITE_OWNER, DELEGATES),
    "write member": ace(WP, DELEGATES, object_type=MEMBER),
    "add oneself": ace(AccessMask.VALIDATED_WRITE, DELEGATES, object_type=MEMBER),
    "create users": user_task(DELEGATES)[0],
    "delete": ace(AccessMask.DELETE, DELEGATES),
    "link computers below": ace(FULL_CONTROL, DELEGATES, inherited=COMPUTER, flags=CONTAINER_INHERIT | INHERIT_ONLY),
    "inherited": ace(WD, DELEGATES, flags=INHERITED),
    "a right that only its trustee ships with": ace(CR, DELEGATES, object_type=UNEXPIRE),
    "writing, beside replicating": ace(CR | WP, DELEGATES, object_type=GET_CHANGES),
    "every extended right": ace(CR, AUTHENTICATED_USERS),
    "more than what ships": ace(CR | WP, AUTHENTICATED_USERS, object_type=UNEXPIRE),
}
AS_SHIPPED = {
    "reading": ace(READ_RIGHTS, DELEGATES),
    "generic reading": ace(AccessMask.GENERIC_READ, EVERYONE),
    "Unexpire-Password": ace(CR, AUTHENTICATED_USERS, object_type=UNEXPIRE),
    "Update-Password-Not-Required-Bit": ace(
        CR, AUTHENTICATED_USERS, object_type="280f369c-67c7-438e-ae98-1d46f3c6f541"
    ),
    "Enable-Per-User-Reversibly-Encrypted-Password": ace(
        CR, AUTHENTICATED_USERS, object_type="05c74c5e-4deb-43b4-bd9f-86664c2a7fd5"
    ),
    "Send-To": ace(CR, AUTHENTICATED_USERS, object_type="ab721a55-1e2f-11d0-9819-00aa0040529b"),
    "Change-Password": ace(CR, EVERYONE, object_type=CHANGE_PASSWORD),
    "itself": ace(CR, "S-1-5-10", object_type=CHANGE_PASSWORD),
    "Administrators": ace(FULL_CONTROL, ADMINISTRATORS, flags=CONTAINER_INHERIT),
    "Enterprise Admins": ace(FULL_CONTROL, ENTERPRISE_ADMINS, flags=CONTAINER_INHERIT),
    "SYSTEM": ace(FULL_CONTROL, "S-1-5-18"),
    "Enterprise Domain Controllers": ace(CR, "S-1-5-9", object_type=GET_CHANGES),
    "a stranger": ace(FULL_CONTROL, STRANGER),
    "a waiting entry of a stranger": ace(FULL_CONTROL, STRANGER, flags=CONTAINER_INHERIT | INHERIT_ONLY),
    "an inherited waiting entry": ace(
        FULL_CONTROL, DELEGATES, inherited=USER_CLASS, flags=CONTAINER_INHERIT | INHERIT_ONLY | INHERITED
    ),
    "waiting in vain": ace(FULL_CONTROL, DELEGATES, flags=INHERIT_ONLY),
    "waiting to be read": ace(READ_RIGHTS, DELEGATES, flags=CONTAINER_INHERIT | INHERIT_ONLY),
    "a waiting deny": ace(FULL_CONTROL, DELEGATES, ace_type=1, flags=CONTAINER_INHERIT | INHERIT_ONLY),
}


@pytest.mark.parametrize("right", BEYOND_READING.values(), ids=BEYOND_READING)
@pytest.mark.parametrize("dn", [ADMIN_SD_HOLDER, CONTROLLERS])
def test_anything_beyond_reading_is_a_critical_excess(right: Ace, dn: str) -> None:
    results = judge(tier_zero(placed(dn, right)).evidence())
    assert told(results, "AD-PRV-011") == [("excess", "critical")]
    found = the_finding(results, "AD-PRV-011")
    assert found.scope == dn
    assert found.paths[-1][-1] == f"ACE 1 on {dn}"
    assert results.summary.verdict == "non_compliant"


@pytest.mark.parametrize("right", AS_SHIPPED.values(), ids=AS_SHIPPED)
def test_what_every_domain_has_is_not_told(right: Ace) -> None:
    assert told(judge(tier_zero(placed(CONTROLLERS, right)).evidence()), "AD-PRV-011") == []
    assert told(judge(head(right).evidence()), "AD-PRV-011") == []


@pytest.mark.parametrize("flags", [0, CONTAINER_INHERIT, CONTAINER_INHERIT | INHERIT_ONLY])
@pytest.mark.parametrize("inherited", [None, COMPUTER, USER_CLASS])
def test_an_earlier_deny_takes_it_away(flags: int, inherited: str | None) -> None:
    deny = ace(FULL_CONTROL, DELEGATES, ace_type=1, inherited=inherited, flags=flags)
    raw = placed(CONTROLLERS, deny, ace(WD, DELEGATES, inherited=inherited, flags=flags))
    assert told(judge(tier_zero(raw).evidence()), "AD-PRV-011") == []


def test_a_deny_for_one_class_below_leaves_the_others() -> None:
    deny = ace(FULL_CONTROL, DELEGATES, ace_type=1, inherited=COMPUTER, flags=CONTAINER_INHERIT | INHERIT_ONLY)
    raw = placed(CONTROLLERS, deny, ace(WD, DELEGATES, flags=CONTAINER_INHERIT | INHERIT_ONLY))
    assert told(judge(tier_zero(raw).evidence()), "AD-PRV-011") == [("excess", "critical")]


def test_a_deny_on_the_object_itself_leaves_what_lies_below() -> None:
    raw = placed(CONTROLLERS, ace(WD, DELEGATES, ace_type=1), ace(WD, DELEGATES, flags=CONTAINER_INHERIT))
    assert told(judge(tier_zero(raw).evidence()), "AD-PRV-011") == [("excess", "critical")]


def test_the_head_is_a_tier_zero_object_and_replication_is_told_once() -> None:
    results = judge(head(replicating(GET_CHANGES_ALL), ace(WD, DELEGATES)).evidence())
    assert told(results, "AD-PRV-011") == [("excess", "critical")]
    assert GET_CHANGES_ALL not in the_finding(results, "AD-PRV-011").actual
    assert told(judge(head(replicating(GET_CHANGES_ALL)).evidence()), "AD-PRV-011") == []


def test_what_waits_for_children_of_the_head_is_told_as_delegation_above() -> None:
    waiting = ace(FULL_CONTROL, DELEGATES, inherited=USER_CLASS, flags=CONTAINER_INHERIT | INHERIT_ONLY)
    directory = replace(head(waiting), above={HEAD: descriptor(READABLE, waiting)})
    results = judge(directory.evidence())
    assert told(results, "AD-PRV-011") == []
    assert told(results, "AD-PRV-013") == [("excess", "high")]


@pytest.mark.parametrize("owner", [ACCOUNT, DELEGATES])
def test_ownership_is_told_in_words(owner: str) -> None:
    results = judge(tier_zero(with_raw(CONTROLLERS, owned(owner, READABLE))).evidence())
    assert told(results, "AD-PRV-011") == [("excess", "critical")]
    assert "owns the object" in the_finding(results, "AD-PRV-011").actual


def test_an_object_without_a_dacl_is_everybodys() -> None:
    results = judge(tier_zero(with_raw(CONTROLLERS, NULL_DACL)).evidence())
    assert told(results, "AD-PRV-011") == [("excess", "critical")]
    assert "the DACL is NULL" in the_finding(results, "AD-PRV-011").actual


def test_an_empty_dacl_gives_nothing() -> None:
    assert told(judge(tier_zero(with_raw(CONTROLLERS, owned(DOMAIN_ADMINS))).evidence()), "AD-PRV-011") == []


@pytest.mark.parametrize("gap", ["condition", "membership"])
def test_what_cannot_be_known_is_left_open(gap: str) -> None:
    right = ace(WD, UNEXPLAINED) if gap == "membership" else ace(WD, DELEGATES, ace_type=9)
    results = judge(unexplained(tier_zero(placed(CONTROLLERS, right))).evidence())
    assert told(results, "AD-PRV-011") == [("unverifiable", "medium")]
    assert the_finding(results, "AD-PRV-011").title == f"Perhaps rights on a tier-0 object: {CONTROLLERS}"
    assert results.summary.verdict == "inconclusive"


def test_each_object_is_a_finding_of_its_own() -> None:
    objects = (placed(CONTROLLERS, ace(WD, ACCOUNT)), placed(ADMIN_SD_HOLDER, ace(WD, ACCOUNT)), placed(HEAD))
    found = findings(judge(tier_zero(*objects).evidence()), "AD-PRV-011")
    assert {each.scope for each in found} == {CONTROLLERS, ADMIN_SD_HOLDER}
    assert len({each.key for each in found}) == 2


def test_an_object_that_was_not_read_is_told() -> None:
    results = judge(tier_zero(with_raw(ADMIN_SD_HOLDER, GUARDED), with_raw(CONTROLLERS, None)).evidence())
    assert told(results, "AD-PRV-011") == []
    assert CONTROLLERS in the_finding(results, "AD-COL-008").actual
    assert results.summary.verdict == "inconclusive"


def test_objects_that_could_not_be_asked_for_are_told() -> None:
    results = judge(replace(head(), gaps={("tier_zero", ""): REFUSED}).evidence())
    assert told(results, "AD-PRV-011") == []
    assert results.summary.verdict == "inconclusive"
    assert "the right to read it" in " ".join(f"{each.actual} {each.remediation.text}" for each in results.findings)


def test_the_user_task_is_documented_where_the_domain_itself_is_a_target() -> None:
    directory = replace(head(*user_task(DELEGATES)), ous={HEAD: Container(raw=descriptor(*DELEGATED))}).connect(
        target_ous=(HEAD,)
    )
    inherited = ace(CHILDREN, DELEGATES, object_type=USER_CLASS, flags=CONTAINER_INHERIT | INHERITED)
    directory = with_read(directory, "tier_zero", placed(CONTROLLERS, inherited))
    assert told(judge(directory.evidence()), "AD-PRV-011") == []
    more = with_read(directory, "tier_zero", placed(CONTROLLERS, inherited, ace(WD, DELEGATES)))
    assert told(judge(more.evidence()), "AD-PRV-011") == [("excess", "critical")]


def test_the_user_task_on_a_controller_is_not_where_another_ou_is_the_target() -> None:
    assert STAFF in head().connection.target_ous
    results = judge(tier_zero(placed(CONTROLLERS, *user_task(DELEGATES))).evidence())
    assert told(results, "AD-PRV-011") == [("excess", "critical")]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_names_are_told_as_they_are_and_steer_no_command(name: str) -> None:
    dn = f"CN={name},CN=Users,{HEAD}"
    found = the_finding(judge(tier_zero(placed(dn, ace(WD, ACCOUNT))).evidence()), "AD-PRV-011")
    assert found.scope == dn
    (command,) = found.remediation.commands
    assert command.isprintable()
    assert command.count('"') == 4
    assert not set("$`%\u201c\u201d\u201e") & set(command)
