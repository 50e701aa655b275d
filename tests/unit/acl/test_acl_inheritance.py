from __future__ import annotations

import pytest

from auditor.acl import AccessMask, Token, aces_reaching_child, decide, decide_all, descriptor_of_child
from tests.unit.acl.aces import (
    ACCOUNT,
    CI,
    GENERIC_ALL,
    GROUP_CLASS,
    ID,
    INET_ORG_PERSON,
    IO,
    NP,
    OI,
    RESET_PASSWORD,
    TOKEN,
    USER,
    allow,
    deny,
)

DELETE = AccessMask.DELETE


def _indexes(*aces, child=USER, direct=True):
    return [each.parent_index for each in aces_reaching_child(aces, child, parent_is_direct=direct)]


@pytest.mark.parametrize(
    ("flags", "reaches"),
    [
        (0, False),
        (CI, True),
        (CI | IO, True),
        (OI, False),
        (OI | CI, True),
        (OI | IO, False),
        (CI | NP, True),
        (NP, False),
        (CI | ID, True),
    ],
)
def test_only_container_inherit_aces_reach_a_child(flags, reaches):
    assert bool(_indexes(allow(1, flags=flags))) is reaches


def test_no_propagate_reaches_direct_children_only():
    aces = (allow(1, flags=CI | NP), allow(1, flags=CI))
    assert _indexes(*aces) == [0, 1]
    assert _indexes(*aces, direct=False) == [1]


@pytest.mark.parametrize(
    ("inherited", "child", "reaches"),
    [
        (None, USER, True),
        (USER, USER, True),
        (USER, INET_ORG_PERSON, False),
        (USER, GROUP_CLASS, False),
        (GROUP_CLASS, GROUP_CLASS, True),
    ],
)
def test_an_inherited_object_type_reaches_its_own_class_and_no_subclass(inherited, child, reaches):
    assert bool(_indexes(allow(1, inherited=inherited, flags=CI | IO), child=child)) is reaches


def test_the_index_in_the_parent_is_remembered():
    aces = (allow(1), allow(2, flags=CI), deny(4, inherited=GROUP_CLASS, flags=CI), allow(8, flags=CI | IO))
    reached = aces_reaching_child(aces, USER)
    assert [(each.parent_index, each.ace.mask) for each in reached] == [(1, 2), (3, 8)]


@pytest.mark.parametrize(
    ("on_parent", "on_child"),
    [
        (CI, CI | ID),
        (CI | IO, CI | ID),
        (CI | OI | IO, CI | OI | ID),
        (CI | NP, ID),
        (CI | OI | NP | IO, ID),
    ],
)
def test_the_flags_on_the_child_say_inherited_and_effective(on_parent, on_child):
    (reached,) = aces_reaching_child((allow(1, flags=on_parent),), USER)
    assert reached.ace.flags == on_child


def test_a_null_dacl_hands_nothing_down():
    assert aces_reaching_child(None, USER) == ()


def test_what_a_child_inherits_can_be_decided_and_explained():
    dacl = (
        allow(3, object_type=USER, flags=CI),
        deny(DELETE, inherited=GROUP_CLASS, flags=CI | IO),
        allow(GENERIC_ALL, inherited=USER, flags=CI | IO),
    )
    reached = aces_reaching_child(dacl, USER)
    child = descriptor_of_child(reached)
    decision = decide(child, TOKEN, AccessMask.CONTROL_ACCESS, (RESET_PASSWORD,))
    assert decision.granted
    assert decision.ace_index is not None
    assert reached[decision.ace_index].parent_index == 2
    assert decide_all(child, TOKEN, DELETE).granted


def test_nothing_inherited_is_no_access():
    assert not decide(descriptor_of_child(()), TOKEN, DELETE).granted


def test_creator_owner_is_whoever_the_token_says_created():
    child = descriptor_of_child(aces_reaching_child((allow(DELETE, "S-1-3-0", flags=CI | IO),), USER))
    assert not decide(child, TOKEN, DELETE).granted
    assert decide(child, Token(frozenset({ACCOUNT, "S-1-3-0"})), DELETE).granted
