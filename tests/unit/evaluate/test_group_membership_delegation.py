"""Whether membership can be written where the product assigns groups (AD-DEL-010). All data is composed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from auditor.acl import FULL_CONTROL, AccessMask, GuidKind, well_known_guid
from tests.unit.evaluate.composed import NOT_FOUND, REFUSED, findings, judge, told
from tests.unit.evaluate.composed_directory import (
    ACCOUNT,
    AUTHENTICATED_USERS,
    CONTAINER_INHERIT,
    DELEGATES,
    DOMAIN,
    DOMAIN_ADMINS,
    GUARDED,
    HEAD,
    INHERIT_ONLY,
    INHERITED,
    PROTECTED,
    READABLE,
    Directory,
    ace,
    descriptor,
    user_task,
)
from tests.unit.evaluate.composed_rights import HOSTILE_NAMES, Placed, placed, the_finding, with_raw, with_read

if TYPE_CHECKING:
    from auditor.acl import Ace
    from auditor.model.results import Results

GROUPS_OU = f"OU=Groups,{HEAD}"
BELOW, READERS = f"OU=Projects,{GROUPS_OU}", f"CN=Readers,{GROUPS_OU}"
GROUP = well_known_guid("group", GuidKind.CLASS)
MEMBER = well_known_guid("member", GuidKind.ATTRIBUTE)
MEMBERSHIP = well_known_guid("Membership", GuidKind.PROPERTY_SET)
WP, VW = AccessMask.WRITE_PROPERTY, AccessMask.VALIDATED_WRITE
UNEXPLAINED = f"{DOMAIN}-1300"
BELOW_ONLY = CONTAINER_INHERIT | INHERIT_ONLY
DELEGATED = ace(WP, DELEGATES, object_type=MEMBER, inherited=GROUP, flags=BELOW_ONLY)
REACHES = ace(WP, DELEGATES, object_type=MEMBER, flags=INHERITED)

OPEN_TO_NEW_GROUPS = {
    "member": DELEGATED,
    "its property set": replace(DELEGATED, object_type=MEMBERSHIP),
    "its class": replace(DELEGATED, object_type=GROUP),
    "every attribute": ace(WP, DELEGATES, flags=BELOW_ONLY),
    "of everything below": ace(WP, DELEGATES, object_type=MEMBER, flags=CONTAINER_INHERIT),
    "generic write": ace(AccessMask.GENERIC_WRITE, DELEGATES, flags=CONTAINER_INHERIT),
    "full control": ace(FULL_CONTROL, ACCOUNT, inherited=GROUP, flags=BELOW_ONLY),
    "everybody": replace(DELEGATED, trustee=AUTHENTICATED_USERS),
}
CLOSED_TO_NEW_GROUPS: dict[str, tuple[Ace, ...]] = {
    "nothing": (),
    "adding oneself": (ace(VW, DELEGATES, object_type=MEMBER, inherited=GROUP, flags=BELOW_ONLY),),
    "the user task": user_task(DELEGATES),
    "on the OU alone": (ace(WP, DELEGATES, object_type=MEMBER),),
    "of users": (ace(WP, DELEGATES, inherited=well_known_guid("user", GuidKind.CLASS), flags=BELOW_ONLY),),
    "a stranger": (replace(DELEGATED, trustee=f"{DOMAIN}-4711"),),
    "Domain Admins": (replace(DELEGATED, trustee=DOMAIN_ADMINS),),
    "denied": (replace(DELEGATED, type=6), DELEGATED),
    "under a condition": (replace(DELEGATED, type=0x0B),),
}


def with_groups(*aces: Ace, groups: tuple[Placed, ...] = (), below: tuple[Placed, ...] = ()) -> Directory:
    """Return a group OU with these ACEs, groups and containers below."""
    directory = Directory(group_ous={GROUPS_OU: descriptor(READABLE, *aces)}).connect(group_ous=(GROUPS_OU,))
    directory = with_read(directory, "containers", *below, subject=GROUPS_OU)
    return with_read(directory, "inhabitants", *groups, subject=GROUPS_OU)


def judged(*aces: Ace, groups: tuple[Placed, ...] = (), below: tuple[Placed, ...] = ()) -> Results:
    """Judge a group OU with these ACEs, groups and containers below."""
    return judge(with_groups(*aces, groups=groups, below=below).evidence())


def a_group(*aces: Ace, dn: str = READERS, control: int = 0) -> Placed:
    """Build a group below the group OU."""
    return placed(dn, *aces, control=control, objectSid=f"{DOMAIN}-3100", objectClass=["top", "group"])


@pytest.mark.parametrize("right", OPEN_TO_NEW_GROUPS.values(), ids=OPEN_TO_NEW_GROUPS)
def test_groups_that_take_members_are_not_told(right: Ace) -> None:
    assert told(judged(right), "AD-DEL-010") == []


def test_a_group_of_the_account_that_was_not_read_may_write_it() -> None:
    directory = with_groups(replace(DELEGATED, trustee=UNEXPLAINED))
    results = judge(replace(directory, token=(*directory.token, UNEXPLAINED)).evidence())
    assert told(results, "AD-DEL-010") == []
    assert results.summary.verdict == "inconclusive"


@pytest.mark.parametrize("aces", CLOSED_TO_NEW_GROUPS.values(), ids=CLOSED_TO_NEW_GROUPS)
def test_new_groups_that_take_none_are_an_advisory(aces: tuple[Ace, ...]) -> None:
    results = judged(*aces)
    assert told(results, "AD-DEL-010") == [("advisory", "medium")]
    found = the_finding(results, "AD-DEL-010")
    assert found.scope == GROUPS_OU
    assert f"member of new groups cannot be written in {GROUPS_OU}" in found.actual
    assert found.remediation.commands == (f'dsacls "{GROUPS_OU}" /I:S /G "svc-h2r@corp.example.com:RPWP;member;group"',)


def test_a_container_below_that_is_out_of_reach_is_named() -> None:
    results = judged(DELEGATED, below=(placed(BELOW, control=PROTECTED),))
    assert the_finding(results, "AD-DEL-010").actual.endswith(f"cannot be written in {BELOW}")


@pytest.mark.parametrize(
    "group",
    [
        a_group(REACHES),
        a_group(ace(WP, ACCOUNT, object_type=MEMBERSHIP), control=PROTECTED),
        with_raw(READERS, None, objectClass=["top", "group"]),
        placed(READERS, objectClass=["top", "person", "organizationalPerson", "user"]),
    ],
    ids=["inherits", "protected, but delegated", "not read", "a user"],
)
def test_a_group_that_takes_members_or_is_none_is_not_told(group: Placed) -> None:
    assert told(judged(DELEGATED, groups=(group,)), "AD-DEL-010") == []


def test_groups_that_take_none_are_counted_and_protected_ones_flagged() -> None:
    boss = with_raw(f"CN=Bosses,{GROUPS_OU}", GUARDED, objectClass=["top", "group"], adminCount=1)
    groups = (a_group(REACHES), a_group(dn=f"CN=Writers,{GROUPS_OU}"), boss)
    found = the_finding(judged(DELEGATED, groups=groups), "AD-DEL-010")
    assert "member of 2 of the 3 groups cannot be written, 1 protected: " in found.actual
    assert all(f"CN={name},{GROUPS_OU}" in found.actual for name in ("Writers", "Bosses"))
    assert READERS not in found.actual
    assert "new groups" not in found.actual


def test_many_groups_are_counted() -> None:
    groups = tuple(a_group(dn=f"CN={number},{GROUPS_OU}") for number in range(12))
    actual = the_finding(judged(DELEGATED, groups=groups), "AD-DEL-010").actual
    assert actual.partition(" (digest ")[0].endswith("and 7 more")


@pytest.mark.parametrize("gap", [REFUSED, NOT_FOUND])
@pytest.mark.parametrize("dataset", ["group_ou", "containers", "inhabitants"])
def test_what_could_not_be_read_is_told(dataset: str, gap: object) -> None:
    directory = replace(with_groups(DELEGATED), gaps={(dataset, GROUPS_OU): gap})
    results = judge(directory.evidence())
    assert told(results, "AD-DEL-010") == []
    assert results.summary.verdict == "inconclusive"
    assert findings(results, "META-001")


def test_a_group_that_was_not_read_is_told() -> None:
    unread = with_raw(READERS, None, objectClass=["top", "group"])
    assert READERS in the_finding(judged(DELEGATED, groups=(unread,)), "AD-COL-008").actual


@pytest.mark.parametrize("dataset", ["token_groups", "well_known_memberships"])
def test_a_token_that_is_not_whole_proves_nothing_missing(dataset: str) -> None:
    results = judge(replace(with_groups(), gaps={(dataset, ""): REFUSED}).evidence())
    assert told(results, "AD-DEL-010") == []
    assert results.summary.verdict == "inconclusive"


def test_without_group_ous_there_is_nothing_to_judge() -> None:
    assert told(judge(Directory().evidence()), "AD-DEL-010") == []


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_names_are_told_as_they_are_and_steer_no_command(name: str) -> None:
    ou = f"OU={name},{HEAD}"
    directory = Directory(group_ous={ou: descriptor(READABLE)}).connect(group_ous=(ou,))
    found = the_finding(judge(directory.evidence()), "AD-DEL-010")
    assert found.scope == ou
    (command,) = found.remediation.commands
    assert command.isprintable()
    assert command.count('"') == 4
    assert not set("$`%\u201c\u201d\u201e") & set(command)
