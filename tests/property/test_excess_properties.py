"""Rights that go further than documented: whatever else stands in a list, entries only add and denials only take."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.acl import DIRECTORY_RIGHTS, FULL_CONTROL, READ_RIGHTS, AccessMask, GuidKind, well_known_guid
from auditor.evaluate.directory.user_task import USER_CLASS
from tests.unit.evaluate.composed import judge
from tests.unit.evaluate.composed_directory import (
    ACCOUNT,
    CONTAINER_INHERIT,
    DELEGATES,
    DOMAIN,
    DOMAIN_ADMINS,
    HEAD,
    INHERIT_ONLY,
    INHERITED,
    NO_PROPAGATE,
    STAFF,
    Container,
    Directory,
    ace,
)
from tests.unit.evaluate.composed_rights import owned, with_raw, with_read, with_schema

if TYPE_CHECKING:
    from auditor.acl import Ace

Excess = set[tuple[str, str, str]]

ELSEWHERE = f"OU=Machines,{HEAD}"
CONTROLLERS = f"OU=Domain Controllers,{HEAD}"
TEMPLATE = f"CN=WebUser,CN=Certificate Templates,CN=Configuration,{HEAD}"

quick = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])

rights = st.one_of(
    st.sampled_from([*DIRECTORY_RIGHTS, FULL_CONTROL, READ_RIGHTS, AccessMask.GENERIC_ALL, AccessMask.GENERIC_WRITE]),
    st.integers(0, int(FULL_CONTROL)),
)
trustees = st.sampled_from([ACCOUNT, DELEGATES, DOMAIN_ADMINS, "S-1-5-11", f"{DOMAIN}-4711"])
flags = st.sampled_from(
    [0, CONTAINER_INHERIT, CONTAINER_INHERIT | INHERIT_ONLY, CONTAINER_INHERIT | NO_PROPAGATE, INHERITED]
)
object_types = st.sampled_from(
    [
        None,
        USER_CLASS,
        *(
            well_known_guid(name, kind)
            for name, kind in (
                ("computer", GuidKind.CLASS),
                ("group", GuidKind.CLASS),
                ("msDS-DelegatedManagedServiceAccount", GuidKind.CLASS),
                ("gPLink", GuidKind.ATTRIBUTE),
                ("servicePrincipalName", GuidKind.ATTRIBUTE),
                ("Public-Information", GuidKind.PROPERTY_SET),
                ("DS-Replication-Get-Changes-All", GuidKind.EXTENDED_RIGHT),
            )
        ),
    ]
)
classes = st.sampled_from(
    [None, USER_CLASS, *(well_known_guid(name, GuidKind.CLASS) for name in ("computer", "group"))]
)


def entries(*ace_types: int) -> st.SearchStrategy[Ace]:
    return st.builds(
        ace,
        rights,
        trustees,
        ace_type=st.sampled_from(ace_types),
        object_type=object_types,
        inherited=classes,
        flags=flags,
    )


lists = st.lists(entries(0, 1), max_size=6).map(tuple)


def excess(*dacl: Ace) -> Excess:
    """Return what is held beyond the documentation by a list that stands on a target OU and everywhere beside it."""
    raw = owned("S-1-5-18", *dacl)
    directory = Directory(ous={STAFF: Container(raw=raw)}, above={HEAD: raw}, head=raw)
    for dataset, dn in (
        ("other_containers", ELSEWHERE),
        ("tier_zero", CONTROLLERS),
        ("certificate_services", TEMPLATE),
    ):
        directory = with_read(directory, dataset, with_raw(dn, raw))
    results = judge(with_schema(directory).evidence())
    kinds = ("excess", "advisory")
    return {
        (each.check, each.entitlement, each.scope)
        for each in results.findings
        if each.check.startswith("AD-PRV-") and each.outcome in kinds and each.check not in ("AD-PRV-018", "AD-PRV-020")
    }


def graver(found: Excess) -> Excess:
    """Leave out what is told only where nothing graver is: other rights, and what administrators may anyway."""
    return {each for each in found if each[0] != "AD-PRV-021" and "built-in" not in each[1]}


@quick
@given(dacl=lists, allow=entries(0), place=st.integers(0, 6))
def test_a_further_allow_takes_no_excess_away(dacl: tuple[Ace, ...], allow: Ace, place: int) -> None:
    assert graver(excess(*dacl)) <= excess(*dacl[:place], allow, *dacl[place:])


@quick
@given(dacl=lists, deny=entries(1), place=st.integers(0, 6))
def test_a_further_deny_adds_no_right(dacl: tuple[Ace, ...], deny: Ace, place: int) -> None:
    assert graver(excess(*dacl[:place], deny, *dacl[place:])) <= excess(*dacl)


@quick
@given(dacl=lists)
def test_entries_split_into_single_rights_say_the_same(dacl: tuple[Ace, ...]) -> None:
    split = [replace(each, mask=int(right)) for each in dacl for right in AccessMask(each.rights)]
    assert excess(*split) == excess(*dacl)


@quick
@given(dacl=lists)
def test_entries_split_by_what_they_reach_say_the_same(dacl: tuple[Ace, ...]) -> None:
    """A list that was written with generic rights is stored so: for the object itself, and for what lies below."""
    split = [part for each in dacl for part in _by_reach(each)]
    assert excess(*split) == excess(*dacl)


def _by_reach(each: Ace) -> list[Ace]:
    if not each.flags & CONTAINER_INHERIT or each.flags & INHERIT_ONLY:
        return [each]
    return [replace(each, flags=0, inherited_object_type=None), replace(each, flags=each.flags | INHERIT_ONLY)]


@quick
@given(dacl=lists)
def test_an_entry_that_stands_twice_says_the_same(dacl: tuple[Ace, ...]) -> None:
    assert excess(*(twice for each in dacl for twice in (each, each))) == excess(*dacl)


@quick
@given(dacl=st.lists(entries(0), max_size=6), data=st.data())
def test_allows_say_the_same_in_any_order(dacl: list[Ace], data: st.DataObject) -> None:
    assert excess(*data.draw(st.permutations(dacl))) == excess(*dacl)


@quick
@given(dacl=lists)
def test_entries_of_others_and_of_domain_admins_say_nothing(dacl: tuple[Ace, ...]) -> None:
    own = [each for each in dacl if each.trustee in {ACCOUNT, DELEGATES, "S-1-5-11"}]
    assert graver(excess(*own)) == graver(excess(*dacl))
