"""Where a delegation does not reach, and what stands in its way (AD-DEL-016 to 020, AD-PRV-020).

All data is composed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from auditor.acl import FULL_CONTROL, READ_RIGHTS, AccessMask, GuidKind, well_known_guid
from auditor.evaluate.directory.user_task import USER_CLASS
from tests.unit.evaluate.composed import NOT_FOUND, REFUSED, findings, judge, matrix, told
from tests.unit.evaluate.composed_directory import (
    ACCOUNT,
    AUTHENTICATED_USERS,
    CONTAINER_INHERIT,
    DELEGATED,
    DELEGATES,
    DOMAIN,
    DOMAIN_USERS,
    GUARDED,
    HEAD,
    INHERIT_ONLY,
    INHERITED,
    PROTECTED,
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
from tests.unit.evaluate.composed_rights import HOSTILE_NAMES, Placed, placed, target, the_finding, with_raw, with_read

if TYPE_CHECKING:
    from auditor.acl import Ace

EVERYONE = "S-1-1-0"
BELOW, PERSON = f"OU=Interns,{STAFF}", f"CN=Robin,{STAFF}"
RESET, CHANGE = (
    well_known_guid(name, GuidKind.EXTENDED_RIGHT) for name in ("User-Force-Change-Password", "User-Change-Password")
)
REACHES = ace(FULL_CONTROL, DELEGATES, inherited=USER_CLASS, flags=INHERITED)  # as a user inherits it
USER, GROUP = ["top", "person", "organizationalPerson", "user"], ["top", "group"]
ONE_IS_ENOUGH = matrix(domain_admins_and_delegation="any_of")


def lives(dn: str, *aces: Ace, control: int = 0, rid: int = 3001, **attributes: object) -> Placed:
    """Build a user below the target OU."""
    return placed(dn, *aces, control=control, **{"objectSid": f"{DOMAIN}-{rid}", "objectClass": USER, **attributes})


def inhabited(*people: Placed, base: Directory | None = None) -> Directory:
    """Return a directory with these people below the target OU."""
    return with_read(base or Directory(), "inhabitants", *people, subject=STAFF)


# Inheritance


def test_a_container_that_blocks_inheritance_leaves_the_delegation_partial() -> None:
    results = judge(target(*DELEGATED, below={BELOW: descriptor(READABLE, control=PROTECTED)}).evidence())
    assert told(results, "AD-DEL-016") == [("partial", "high")]
    found = the_finding(results, "AD-DEL-016")
    assert found.title == "Inheritance is blocked on 1 container below"
    assert BELOW in found.actual
    assert [command.partition(" /I")[0] for command in found.remediation.commands] == [f'dsacls "{BELOW}"'] * 2


def test_containers_and_people_that_block_inheritance_are_counted() -> None:
    blocked = {dn: descriptor(READABLE, control=PROTECTED) for dn in (BELOW, f"OU=Guests,{STAFF}")}
    base = target(*DELEGATED, below=blocked)
    found = the_finding(judge(inhabited(lives(PERSON, control=PROTECTED), base=base).evidence()), "AD-DEL-016")
    assert found.title == "Inheritance is blocked on 2 containers and 1 user below"
    assert found.actual.startswith("the delegation does not reach 2 containers: ")
    assert f"; 1 user: {PERSON}" in found.actual


def test_it_is_an_advisory_where_the_delegation_is_not_required() -> None:
    directory = target(*DELEGATED, below={BELOW: descriptor(READABLE, control=PROTECTED)})
    assert told(judge(directory.evidence(), against=ONE_IS_ENOUGH), "AD-DEL-016") == [("advisory", "high")]


@pytest.mark.parametrize(
    "raw",
    [descriptor(*DELEGATED, control=PROTECTED), descriptor(READABLE, *user_task(DELEGATES, flags=INHERITED))],
    ids=["protected, but delegated", "not protected"],
)
def test_a_container_that_is_reached_is_not_told(raw: bytes) -> None:
    assert told(judge(target(*DELEGATED, below={BELOW: raw}).evidence()), "AD-DEL-016") == []


def test_a_container_that_lacks_it_without_blocking_is_told_by_the_requirement_alone() -> None:
    results = judge(target(*DELEGATED, below={BELOW: descriptor(READABLE)}).evidence())
    assert told(results, "AD-DEL-016") == []
    assert told(results, "AD-DEL-001") == [("partial", "medium")]


def test_a_person_out_of_reach_is_an_advisory() -> None:
    results = judge(inhabited(lives(PERSON, control=PROTECTED)).evidence())
    assert told(results, "AD-DEL-016") == [("advisory", "high")]
    assert PERSON in the_finding(results, "AD-DEL-016").actual


@pytest.mark.parametrize(
    "person",
    [
        lives(PERSON, REACHES),
        lives(PERSON, ace(FULL_CONTROL, ACCOUNT), control=PROTECTED),
        placed(PERSON, control=PROTECTED, objectSid=f"{DOMAIN}-3001", objectClass=GROUP),
        with_raw(PERSON, None, objectSid=f"{DOMAIN}-3001", objectClass=USER),
    ],
    ids=["inherits", "protected, but delegated", "a group", "not read"],
)
def test_a_person_who_is_reached_or_not_meant_is_not_told(person: Placed) -> None:
    assert told(judge(inhabited(person).evidence()), "AD-DEL-016") == []


def test_a_person_who_was_not_read_is_told_as_such() -> None:
    person = with_raw(PERSON, None, objectSid=f"{DOMAIN}-3001", objectClass=USER)
    assert PERSON in the_finding(judge(inhabited(person).evidence()), "AD-COL-008").actual


def test_people_who_could_not_be_asked_for_are_told() -> None:
    results = judge(replace(Directory(), gaps={("inhabitants", STAFF): REFUSED}).evidence())
    assert results.summary.verdict == "inconclusive"
    assert "the right to read it" in the_finding(results, "META-001").remediation.text


@pytest.mark.parametrize("aces", [(), user_task(f"{DOMAIN}-4711")], ids=["nothing", "a stranger"])
def test_where_nothing_is_delegated_nothing_is_blocked(aces: tuple[Ace, ...]) -> None:
    directory = target(READABLE, *aces, below={BELOW: descriptor(READABLE, control=PROTECTED)})
    results = judge(inhabited(lives(PERSON, control=PROTECTED, adminCount=1), base=directory).evidence())
    for check in ("AD-DEL-016", "AD-DEL-017", "AD-DEL-018"):
        assert told(results, check) == []


def test_many_are_counted() -> None:
    below = {f"OU={number},{STAFF}": descriptor(READABLE, control=PROTECTED) for number in range(30)}
    found = the_finding(judge(target(*DELEGATED, below=below).evidence()), "AD-DEL-016")
    assert "30 containers: " in found.actual
    assert found.actual.partition(" (digest ")[0].endswith("and 20 more")
    assert len(found.remediation.commands) == 20


# Protected accounts


@pytest.mark.parametrize("kind", [USER, GROUP], ids=["user", "group"])
def test_a_protected_account_below_is_an_advisory(kind: list[str]) -> None:
    boss = with_raw(PERSON, GUARDED, objectSid=f"{DOMAIN}-3001", objectClass=kind, adminCount=1)
    results = judge(inhabited(boss).evidence())
    assert told(results, "AD-DEL-017") == [("advisory", "medium")]
    assert told(results, "AD-DEL-016") == []
    assert PERSON in the_finding(results, "AD-DEL-017").actual
    assert results.summary.verdict == "compliant"


@pytest.mark.parametrize(
    "person",
    [
        lives(PERSON, REACHES, adminCount=1),
        lives(PERSON, REACHES, control=PROTECTED),
        lives(PERSON, REACHES, control=PROTECTED, adminCount=0),
    ],
    ids=["adminCount alone", "protected alone", "adminCount is zero"],
)
def test_one_of_the_two_marks_is_no_proof(person: Placed) -> None:
    assert told(judge(inhabited(person).evidence()), "AD-DEL-017") == []


# Denials


@pytest.mark.parametrize(
    "denied",
    [
        ace(AccessMask.CREATE_CHILD, ACCOUNT, ace_type=1, object_type=USER_CLASS),
        ace(AccessMask.DELETE_CHILD, DELEGATES, ace_type=1),
        ace(AccessMask.CREATE_CHILD, EVERYONE, ace_type=1),
        ace(
            AccessMask.CONTROL_ACCESS, ACCOUNT, ace_type=1, object_type=RESET, inherited=USER_CLASS,
            flags=CONTAINER_INHERIT | INHERIT_ONLY,
        ),
    ],
    ids=["create", "delete", "everyone", "reset below"],
)  # fmt: skip
def test_a_deny_that_defeats_the_task_is_partial_and_named(denied: Ace) -> None:
    results = judge(target(READABLE, denied, *user_task(DELEGATES)).evidence())
    assert told(results, "AD-DEL-018") == [("partial", "high")]
    found = the_finding(results, "AD-DEL-018")
    assert found.scope == STAFF
    assert f"on {STAFF}" in found.actual
    assert told(judge(target(READABLE, denied, *user_task(DELEGATES)).evidence(), against=ONE_IS_ENOUGH),
                "AD-DEL-018") == [("advisory", "high")]  # fmt: skip


@pytest.mark.parametrize(
    "aces",
    [
        (*user_task(DELEGATES), ace(FULL_CONTROL, ACCOUNT, ace_type=1)),
        (ace(FULL_CONTROL, f"{DOMAIN}-4711", ace_type=1), *user_task(DELEGATES)),
        (ace(AccessMask.DELETE, EVERYONE, ace_type=1), *user_task(DELEGATES)),
        (ace(AccessMask.CREATE_CHILD, ACCOUNT, ace_type=1, object_type=RESET), *user_task(DELEGATES)),
    ],
    ids=["later", "a stranger", "deletion of the OU itself", "another class"],
)
def test_a_deny_that_defeats_nothing_is_not_told(aces: tuple[Ace, ...]) -> None:
    assert told(judge(target(READABLE, *aces).evidence()), "AD-DEL-018") == []


def test_a_deny_on_one_person_is_an_advisory() -> None:
    cannot_change = ace(AccessMask.CONTROL_ACCESS, EVERYONE, ace_type=1, object_type=CHANGE)
    results = judge(inhabited(lives(PERSON, cannot_change, REACHES)).evidence())
    assert told(results, "AD-DEL-018") == [("advisory", "high")]
    assert told(results, "AD-DEL-016") == []
    assert f"(OD;;CR;{CHANGE};;WD) on {PERSON}" in the_finding(results, "AD-DEL-018").actual


def test_what_a_person_inherits_is_told_on_its_container_alone() -> None:
    denied = ace(AccessMask.CONTROL_ACCESS, EVERYONE, ace_type=1, object_type=CHANGE, flags=INHERITED)
    assert told(judge(inhabited(lives(PERSON, denied, REACHES)).evidence()), "AD-DEL-018") == []


# Target OUs that are not there


def absent(lists: bool) -> Directory:
    """Return a target OU that the directory does not show, below a head that lists all it has, or may not."""
    head = descriptor(READABLE if lists else ace(AccessMask.READ_CONTROL, AUTHENTICATED_USERS))
    return replace(Directory(), ous={}, ancestors={STAFF: (HEAD, head)}, gaps={("target_ou", STAFF): NOT_FOUND})


def test_an_ou_that_is_proven_absent_is_missing() -> None:
    results = judge(absent(lists=True).evidence())
    assert told(results, "AD-DEL-019") == [("missing", "high")]
    assert the_finding(results, "AD-DEL-019").scope == STAFF
    advisory = judge(absent(lists=True).evidence(), against=ONE_IS_ENOUGH)
    assert told(advisory, "AD-DEL-019") == [("advisory", "high")]


def test_an_ou_that_may_be_hidden_is_not_said_to_be_absent() -> None:
    results = judge(absent(lists=False).evidence())
    assert told(results, "AD-DEL-019") == []
    assert told(results, "AD-DEL-001") == [("unverifiable", "medium")]


def test_an_ou_that_could_not_be_asked_for_is_not_said_to_be_absent() -> None:
    results = judge(replace(absent(lists=True), gaps={("target_ou", STAFF): REFUSED}).evidence())
    assert told(results, "AD-DEL-019") == []


# Trustees


@pytest.mark.parametrize(
    ("aces", "expected"),
    [
        (user_task(ACCOUNT), [("advisory", "info")]),
        ((user_task(ACCOUNT)[0], user_task(DELEGATES)[1]), [("advisory", "info")]),
        (user_task(DELEGATES), []),
        ((*user_task(DELEGATES), ace(READ_RIGHTS, ACCOUNT)), []),
    ],
    ids=["account", "in part", "group", "reading"],
)
def test_the_task_belongs_to_a_group(aces: tuple[Ace, ...], expected: list[tuple[str, str]]) -> None:
    assert told(judge(target(READABLE, *aces).evidence()), "AD-DEL-020") == expected


# Leaving Domain Admins


def test_what_would_break_is_listed_with_the_delegation_to_add() -> None:
    found = the_finding(judge(target(READABLE).evidence()), "AD-PRV-020")
    assert (found.outcome, found.severity) == ("advisory", "high")
    assert found.title == "Leaving Domain Admins today would break 1 of 1 target OUs"
    assert found.actual == f"{STAFF}: missing"
    assert [command.partition(" /I")[0] for command in found.remediation.commands] == [f'dsacls "{STAFF}"'] * 2


def test_what_cannot_be_said_is_not_said_to_break() -> None:
    found = the_finding(judge(target(*DELEGATED, below={BELOW: None}).evidence()), "AD-PRV-020")
    assert found.title == "Leaving Domain Admins today would break 0 of 1 target OUs; of 1 it cannot be said"
    assert found.remediation.commands == ()


def test_nothing_breaks_where_the_task_is_delegated() -> None:
    assert told(judge(Directory().evidence()), "AD-PRV-020") == []


def test_who_is_no_domain_admin_leaves_nothing() -> None:
    directory = replace(
        target(READABLE), accounts=(service_account("H2R Delegates"),), token=(DOMAIN_USERS, USERS, DELEGATES)
    )
    assert told(judge(directory.evidence()), "AD-PRV-020") == []


# Names


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_names_are_told_as_they_are_and_steer_no_command(name: str) -> None:
    ou = f"OU={name},{HEAD}"
    blocked, person = f"OU=below,{ou}", f"CN={name},{ou}"
    base = Directory(
        ous={ou: Container(raw=descriptor(*DELEGATED), below={blocked: descriptor(READABLE, control=PROTECTED)})}
    ).connect(target_ous=(ou,))
    results = judge(with_read(base, "inhabitants", lives(person, control=PROTECTED), subject=ou).evidence())
    found = the_finding(results, "AD-DEL-016")
    assert blocked in found.actual
    assert person in found.actual
    for command in (*found.remediation.commands, *findings(results, "AD-PRV-020")[0].remediation.commands):
        assert command.isprintable()
        assert command.count('"') == 4
        assert not set("$`%\u201c\u201d\u201e") & set(command)
