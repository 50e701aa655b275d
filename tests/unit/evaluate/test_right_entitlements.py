"""The rights that entries give the account, listed entry by entry with whether the matrix documents them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auditor.acl import FULL_CONTROL, AccessMask
from auditor.evaluate.directory.user_task import USER_CLASS
from tests.unit.evaluate.composed import REFUSED, judge
from tests.unit.evaluate.composed_directory import (
    ACCOUNT,
    AUTHENTICATED_USERS,
    CHILDREN,
    CONTAINER_INHERIT,
    DELEGATES,
    DOMAIN,
    DOMAIN_ADMINS,
    INHERIT_ONLY,
    INHERITED,
    READABLE,
    STAFF,
    Container,
    Directory,
    ace,
    descriptor,
    user_task,
)

if TYPE_CHECKING:
    from auditor.acl import Ace
    from auditor.model.results import EntitlementRecord

BELOW = f"OU=Interns,{STAFF}"
GROUP_CLASS = "bf967a9c-0de6-11d0-a285-00aa003049e2"
UNKNOWN_CLASS = "00000000-1111-2222-3333-444444444444"


def rights(*aces: Ace, below: dict[str, bytes | None] | None = None) -> list[EntitlementRecord]:
    directory = Directory(ous={STAFF: Container(raw=descriptor(READABLE, *aces), below=below or {})})
    (connection,) = judge(directory.evidence()).connections
    return [each for each in connection.entitlements if each.kind == "ad_right"]


def statuses(*aces: Ace) -> list[str]:
    return [each.status for each in rights(*aces)]


def test_the_documented_task_is_listed_entry_by_entry() -> None:
    listed = rights(*user_task(DELEGATES))
    assert [(each.name, each.status) for each in listed] == [
        ("create child objects and delete child objects (user)", "documented"),
        ("full control of user objects below", "documented"),
    ]
    assert {each.scope for each in listed} == {STAFF}
    assert {each.paths for each in listed} == {(("svc-h2r", "H2R Delegates"),)}
    assert listed[0].id == f"(OA;CI;CCDC;{USER_CLASS};;{DELEGATES})"


@pytest.mark.parametrize(
    ("entry", "status"),
    [
        (ace(FULL_CONTROL, DELEGATES, flags=CONTAINER_INHERIT), "excess"),
        (ace(AccessMask.WRITE_DAC, ACCOUNT), "excess"),
        (ace(CHILDREN, ACCOUNT, object_type=GROUP_CLASS), "not_judged"),
        (ace(AccessMask.CREATE_CHILD, ACCOUNT, object_type=USER_CLASS, ace_type=9), "not_judged"),
        (ace(AccessMask.WRITE_PROPERTY, AUTHENTICATED_USERS, object_type=USER_CLASS), "baseline"),
        (ace(AccessMask.CREATE_CHILD, AUTHENTICATED_USERS, object_type=USER_CLASS), "documented"),
    ],
)
def test_an_entry_has_the_status_of_what_it_gives(entry: Ace, status: str) -> None:
    assert statuses(entry) == [status]


@pytest.mark.parametrize(
    "entry",
    [
        ace(AccessMask.READ_PROPERTY, ACCOUNT),
        ace(FULL_CONTROL, f"{DOMAIN}-4711"),
        ace(FULL_CONTROL, DOMAIN_ADMINS),
        ace(FULL_CONTROL, ACCOUNT, ace_type=1),
    ],
)
def test_what_gives_the_account_nothing_of_its_own_is_not_listed(entry: Ace) -> None:
    assert statuses(entry) == []


def test_a_denied_grant_is_no_excess_and_still_listed() -> None:
    assert statuses(ace(FULL_CONTROL, ACCOUNT, ace_type=1), ace(FULL_CONTROL, ACCOUNT)) == ["not_judged"]


def test_below_the_target_only_what_is_set_there_is_listed() -> None:
    own = ace(CHILDREN, ACCOUNT, object_type=GROUP_CLASS)
    inherited = user_task(DELEGATES, flags=INHERITED)
    listed = rights(*inherited, below={BELOW: descriptor(READABLE, own, *inherited)})
    assert [each.scope for each in listed] == [STAFF, STAFF, BELOW]


def test_names_are_those_of_the_directory_and_unknown_ones_stay_as_they_are() -> None:
    inherit = CONTAINER_INHERIT
    named, unnamed = rights(
        ace(AccessMask.CREATE_CHILD, ACCOUNT, object_type=GROUP_CLASS, inherited=UNKNOWN_CLASS, flags=inherit),
        ace(AccessMask.CONTROL_ACCESS, ACCOUNT, flags=CONTAINER_INHERIT | INHERIT_ONLY),
    )
    assert named.name == f"create child objects (group) of {UNKNOWN_CLASS} objects below"
    assert unnamed.name.endswith("of everything below")


def test_an_unread_ou_lists_nothing_and_leaves_the_gap_told() -> None:
    results = judge(Directory(gaps={("target_ou", STAFF): REFUSED}).evidence())
    (connection,) = results.connections
    assert not [each for each in connection.entitlements if each.kind == "ad_right"]
    assert connection.verdict == "inconclusive"
