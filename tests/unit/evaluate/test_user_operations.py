"""Which operations on users work where the task is delegated in part (AD-DEL-002 to 009, 013). All data is composed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from auditor.acl import FULL_CONTROL, READ_RIGHTS, AccessMask, GuidKind, well_known_guid
from auditor.evaluate.directory.user_task import USER_CLASS
from tests.unit.evaluate.composed import findings, judge, matrix
from tests.unit.evaluate.composed_directory import (
    ACCOUNT,
    AUTHENTICATED_USERS,
    CHILDREN,
    CONTAINER_INHERIT,
    DELEGATED,
    DELEGATES,
    DOMAIN,
    DOMAIN_ADMINS,
    DOMAIN_USERS,
    HEAD,
    INHERIT_ONLY,
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
from tests.unit.evaluate.composed_rights import HOSTILE_NAMES, target, the_finding

if TYPE_CHECKING:
    from auditor.acl import Ace
    from auditor.model.results import Results

OPERATIONS = {2, 3, 4, 5, 6, 7, 8, 9, 13}
READS_BELOW = ace(READ_RIGHTS, AUTHENTICATED_USERS, flags=CONTAINER_INHERIT)
UNEXPLAINED = f"{DOMAIN}-1300"
BELOW = f"OU=Interns,{STAFF}"
ON_USERS = CONTAINER_INHERIT | INHERIT_ONLY
WP, CR, CC, DC = (
    AccessMask.WRITE_PROPERTY, AccessMask.CONTROL_ACCESS, AccessMask.CREATE_CHILD, AccessMask.DELETE_CHILD,
)  # fmt: skip
COMPUTER = well_known_guid("computer", GuidKind.CLASS)
RESET = well_known_guid("User-Force-Change-Password", GuidKind.EXTENDED_RIGHT)
ACCOUNT_RESTRICTIONS, PUBLIC_INFORMATION, PERSONAL_INFORMATION, GENERAL_INFORMATION = (
    well_known_guid(name, GuidKind.PROPERTY_SET)
    for name in ("User-Account-Restrictions", "Public-Information", "Personal-Information", "General-Information")
)
ATTRIBUTES = {
    name: well_known_guid(name, GuidKind.ATTRIBUTE)
    for name in (
        "pwdLastSet", "userAccountControl", "lockoutTime", "cn", "name", "userPrincipalName", "sAMAccountName",
    )
}  # fmt: skip


def on_users(right: int, object_type: str | None = None, trustee: str = DELEGATES, **more: object) -> Ace:
    """Build an ACE that reaches the users below."""
    return ace(right, trustee, object_type=object_type, inherited=USER_CLASS, flags=ON_USERS, **more)  # type: ignore[arg-type]


def on_the_ou(right: int, **more: object) -> Ace:
    """Build an ACE on the OU and every container below, for children that are users."""
    return ace(right, DELEGATES, object_type=USER_CLASS, flags=CONTAINER_INHERIT, **more)  # type: ignore[arg-type]


def writes(*names: str) -> tuple[Ace, ...]:
    """Build ACEs that write these attributes of users below."""
    return tuple(on_users(WP, ATTRIBUTES[name]) for name in names)


def failing(*aces: Ace) -> set[int]:
    """Return the numbers of the checks whose operation does not work."""
    return told_of(judge(target(READABLE, *aces).evidence()))


def told_of(results: Results, outcome: str = "missing") -> set[int]:
    """Return the numbers of the checks of operations that have this outcome; there is no other."""
    found = [each for each in results.findings if each.check.startswith("AD-DEL-")]
    numbers = {int(each.check[-3:]): str(each.outcome) for each in found if int(each.check[-3:]) in OPERATIONS}
    assert set(numbers.values()) <= {outcome}
    return set(numbers)


SOME: dict[str, tuple[tuple[Ace, ...], set[int]]] = {
    "creates": ((on_the_ou(CC), READS_BELOW), OPERATIONS - {13}),
    "deletes by the OU": ((on_the_ou(DC), READS_BELOW), OPERATIONS - {2, 13}),
    "deletes by the user": ((on_users(AccessMask.DELETE), READS_BELOW), OPERATIONS - {2, 13}),
    "creates and deletes": ((on_the_ou(CHILDREN), READS_BELOW), OPERATIONS - {2, 13}),
    "creates and renames": ((on_the_ou(CC), *writes("cn", "name"), READS_BELOW), OPERATIONS - {13}),
    "creates, deletes and renames": (
        (on_the_ou(CHILDREN), *writes("cn", "name"), READS_BELOW),
        OPERATIONS - {2, 9, 13},
    ),
    "renames": (
        (*writes("cn", "name", "userPrincipalName", "sAMAccountName"), READS_BELOW),
        OPERATIONS - {8, 13},
    ),
    "renames in part": ((*writes("cn", "name", "userPrincipalName"), READS_BELOW), OPERATIONS - {13}),
    "resets": ((on_users(CR, RESET), READS_BELOW), OPERATIONS - {4, 13}),
    "every extended right": ((on_users(CR), READS_BELOW), OPERATIONS - {4, 13}),
    "demands a change": ((*writes("pwdLastSet"), READS_BELOW), OPERATIONS - {5, 13}),
    "enables": ((*writes("userAccountControl"), READS_BELOW), OPERATIONS - {6, 13}),
    "unlocks": ((*writes("lockoutTime"), READS_BELOW), OPERATIONS - {7, 13}),
    "a property set": ((on_users(WP, ACCOUNT_RESTRICTIONS), READS_BELOW), OPERATIONS - {5, 6, 13}),
    "the class": ((on_users(WP, USER_CLASS), READS_BELOW), OPERATIONS - {3, 5, 6, 7, 8, 13}),
    "every attribute": ((on_users(WP), READS_BELOW), OPERATIONS - {3, 5, 6, 7, 8, 13}),
    "generic write": ((on_users(AccessMask.GENERIC_WRITE), READS_BELOW), OPERATIONS - {3, 5, 6, 7, 8, 13}),
    "some sets of attributes": (
        (on_users(WP, PUBLIC_INFORMATION), on_users(WP, PERSONAL_INFORMATION), READS_BELOW),
        OPERATIONS - {13},
    ),
    "does not read": (user_task(DELEGATES)[:1], OPERATIONS - {2}),
    "controls users": (user_task(DELEGATES)[1:], {9}),
    "controls users and creates them": ((on_the_ou(CC), *user_task(DELEGATES)[1:]), set()),
    "for computers": (
        (on_the_ou(CC), ace(FULL_CONTROL, DELEGATES, inherited=COMPUTER, flags=ON_USERS), READS_BELOW),
        OPERATIONS - {13},
    ),
    "on the OU alone": ((on_the_ou(CC), ace(WP, DELEGATES), READS_BELOW), OPERATIONS - {13}),
}


@pytest.mark.parametrize(("aces", "numbers"), SOME.values(), ids=SOME)
def test_each_operation_that_does_not_work_is_told(aces: tuple[Ace, ...], numbers: set[int]) -> None:
    assert failing(*aces) == numbers


@pytest.mark.parametrize(
    ("denied", "number"),
    [
        (on_users(CR, RESET, ace_type=1), 4),
        (on_users(WP, ATTRIBUTES["pwdLastSet"], ace_type=1), 5),
        (on_users(WP, ATTRIBUTES["userAccountControl"], ace_type=1), 6),
        (on_users(WP, ATTRIBUTES["lockoutTime"], ace_type=1), 7),
        (on_users(WP, ATTRIBUTES["sAMAccountName"], ace_type=1), 8),
        (on_users(AccessMask.READ_PROPERTY, ATTRIBUTES["cn"], ace_type=1), 13),
    ],
    ids=["reset", "demand", "enable", "unlock", "rename", "read"],
)
def test_a_deny_of_one_right_makes_one_operation_fail(denied: Ace, number: int) -> None:
    assert failing(denied, *user_task(DELEGATES), READS_BELOW) == {number}
    assert failing(*user_task(DELEGATES), denied, READS_BELOW) == set()


def test_a_deny_of_creating_keeps_users_from_moving_here() -> None:
    assert failing(on_the_ou(CC, ace_type=1), *user_task(DELEGATES)) == {9}


@pytest.mark.parametrize("aces", [user_task(DELEGATES), (on_the_ou(CHILDREN), *user_task(DELEGATES)[1:])])
def test_who_may_not_list_an_ou_does_not_find_its_users(aces: tuple[Ace, ...]) -> None:
    results = judge(target(ace(AccessMask.LIST_CONTENTS, ACCOUNT, ace_type=1), READABLE, *aces).evidence())
    assert told_of(results) == {13}


def test_a_task_that_is_held_whole_or_not_at_all_is_told_by_the_requirement_alone() -> None:
    assert failing(*user_task(DELEGATES)) == set()
    assert failing(READS_BELOW) == set()
    assert failing(*user_task(f"{DOMAIN}-4711")) == set()


def test_rights_of_domain_admins_make_nothing_work() -> None:
    assert failing(on_the_ou(CC), *user_task(DOMAIN_ADMINS), READS_BELOW) == OPERATIONS - {13}


def test_a_container_below_that_is_out_of_reach_is_named() -> None:
    below = {BELOW: descriptor(READABLE, on_the_ou(CC), control=PROTECTED)}
    found = the_finding(judge(target(*DELEGATED, below=below).evidence()), "AD-DEL-004")
    assert found.scope == STAFF
    assert found.actual == f"does not work in {BELOW}"
    assert found.severity == "high"


def test_many_containers_are_counted() -> None:
    below = {f"OU={number},{STAFF}": descriptor(READABLE, control=PROTECTED) for number in range(12)}
    found = the_finding(judge(target(*DELEGATED, below=below).evidence()), "AD-DEL-004")
    assert found.actual.partition(" (digest ")[0].endswith("and 7 more")


def test_where_one_of_two_is_enough_domain_admins_make_it_an_advisory() -> None:
    results = judge(target(READABLE, on_the_ou(CC)).evidence(), against=matrix(domain_admins_and_delegation="any_of"))
    assert told_of(results, "advisory") == OPERATIONS


def test_without_domain_admins_it_is_missing_under_either_reading() -> None:
    directory = replace(
        target(READABLE, on_the_ou(CC)),
        accounts=(service_account("H2R Delegates"),),
        token=(DOMAIN_USERS, USERS, DELEGATES),
    )
    results = judge(directory.evidence(), against=matrix(domain_admins_and_delegation="any_of"))
    assert told_of(results) == OPERATIONS


@pytest.mark.parametrize("gap", ["condition", "membership"])
def test_an_operation_that_may_work_is_left_open(gap: str) -> None:
    reset = on_users(CR, RESET)
    unsure = (
        replace(reset, trustee=UNEXPLAINED)
        if gap == "membership"
        else replace(reset, type=0x0B, application_data=b"artx\x00\x00\x00\x00")
    )
    directory = target(READABLE, on_the_ou(CHILDREN), READS_BELOW, unsure)
    results = judge(replace(directory, token=(*directory.token, UNEXPLAINED)).evidence())
    (found,) = findings(results, "AD-DEL-004")
    assert (found.outcome, found.severity) == ("unverifiable", "medium")
    assert found.title == "Perhaps cannot reset passwords everywhere, without Domain Admins"
    assert "a condition, or a membership that could not be read" in found.actual
    assert {each.outcome for each in findings(results, "AD-DEL-005")} == {"missing"}


def test_where_it_certainly_fails_what_is_open_is_left_out() -> None:
    conditional = replace(on_users(CR, RESET), type=0x0B)
    below = {BELOW: descriptor(READABLE, on_the_ou(CC), control=PROTECTED)}
    directory = target(READABLE, on_the_ou(CHILDREN), READS_BELOW, conditional, below=below)
    found = the_finding(judge(directory.evidence()), "AD-DEL-004")
    assert (found.outcome, found.actual) == ("missing", f"does not work in {BELOW}")


def test_a_container_that_was_not_read_is_told() -> None:
    results = judge(target(READABLE, on_the_ou(CC), below={BELOW: None}).evidence())
    assert BELOW in the_finding(results, "AD-COL-008").actual
    assert all(BELOW not in each.actual for each in findings(results, "AD-DEL-004"))


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_names_are_told_as_they_are_and_steer_no_command(name: str) -> None:
    ou = f"OU={name},{HEAD}"
    directory = Directory(ous={ou: Container(raw=descriptor(READABLE, on_the_ou(CC)))}).connect(target_ous=(ou,))
    found = the_finding(judge(directory.evidence()), "AD-DEL-004")
    assert found.scope == ou
    assert ou in found.actual
    for command in found.remediation.commands:
        assert command.isprintable()
        assert command.count('"') == 4
        assert not set("$`%\u201c\u201d\u201e") & set(command)


def test_the_commands_delegate_the_task_to_the_account() -> None:
    found = the_finding(judge(target(READABLE, on_the_ou(CC)).evidence()), "AD-DEL-004")
    assert found.principal == ACCOUNT
    assert found.remediation.commands == (
        f'dsacls "{STAFF}" /I:T /G "svc-h2r@corp.example.com:CCDC;user"',
        f'dsacls "{STAFF}" /I:S /G "svc-h2r@corp.example.com:GA;;user"',
    )
