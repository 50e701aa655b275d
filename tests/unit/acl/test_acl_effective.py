"""All that a token may do, by name; and descriptors without what does not concern it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auditor.acl import (
    DIRECTORY_RIGHTS,
    OWNER_RIGHTS_SID,
    PRINCIPAL_SELF_SID,
    AccessMask,
    EffectiveRights,
    Named,
    Vocabulary,
    decide,
    effective_rights,
    narrow,
)
from tests.unit.acl.aces import (
    ACCOUNT,
    ACCOUNT_RESTRICTIONS,
    GROUP,
    GROUP_CLASS,
    IO,
    MEMBER,
    OWNER,
    PWD_LAST_SET,
    RESET_PASSWORD,
    STRANGER,
    TOKEN,
    USER,
    allow,
    conditional_allow,
    conditional_deny,
    deny,
    descriptor,
    null_dacl,
)

VOCABULARY = Vocabulary(
    class_guid=USER,
    child_classes=(Named(name="group", object_types=(GROUP_CLASS,)), Named(name="user", object_types=(USER,))),
    attributes=(
        Named(name="member", object_types=(MEMBER, USER)),
        Named(name="pwdLastSet", object_types=(PWD_LAST_SET, ACCOUNT_RESTRICTIONS, USER)),
    ),
    extended_rights=(Named(name="reset", object_types=(RESET_PASSWORD,)),),
    validated_writes=(Named(name="self", object_types=(MEMBER,)),),
)
NOTHING = EffectiveRights(
    create_child=(),
    delete_child=(),
    write_property=(),
    extended_rights=(),
    validated_writes=(),
    standard=(),
    conditional=(),
)
EVERYTHING = EffectiveRights(
    create_child=("group", "user"),
    delete_child=("group", "user"),
    write_property=("member", "pwdLastSet"),
    extended_rights=("reset",),
    validated_writes=("self",),
    standard=("LIST_CONTENTS", "DELETE_TREE", "LIST_OBJECT", "DELETE", "READ_CONTROL", "WRITE_DAC", "WRITE_OWNER"),
    conditional=(),
)
WRITE, CREATE, CONTROL = AccessMask.WRITE_PROPERTY, AccessMask.CREATE_CHILD, AccessMask.CONTROL_ACCESS


def rights(*aces, owner=OWNER, object_sid=None):
    return effective_rights(descriptor(*aces, owner=owner), TOKEN, VOCABULARY, object_sid)


def test_who_is_named_nowhere_may_do_nothing():
    assert rights(allow(0xF01FF, STRANGER)) == NOTHING


@pytest.mark.parametrize(
    "of_everything",
    [descriptor(allow(0xF01FF)), descriptor(allow(AccessMask.GENERIC_ALL, GROUP)), null_dacl()],
    ids=["all bits", "generic all, through a group", "NULL DACL"],
)
def test_full_control_is_every_name(of_everything):
    assert effective_rights(of_everything, TOKEN, VOCABULARY) == EVERYTHING


@pytest.mark.parametrize(
    ("ace", "expected"),
    [
        (allow(CREATE, object_type=USER), {"create_child": ("user",)}),
        (allow(AccessMask.DELETE_CHILD, object_type=GROUP_CLASS), {"delete_child": ("group",)}),
        (allow(WRITE, object_type=ACCOUNT_RESTRICTIONS), {"write_property": ("pwdLastSet",)}),
        (allow(WRITE, object_type=USER), {"write_property": ("member", "pwdLastSet")}),
        (allow(CONTROL, object_type=RESET_PASSWORD), {"extended_rights": ("reset",)}),
        (allow(AccessMask.VALIDATED_WRITE, object_type=MEMBER), {"validated_writes": ("self",)}),
        (allow(WRITE, object_type=MEMBER), {"write_property": ("member",)}),
        (allow(AccessMask.DELETE | AccessMask.WRITE_DAC), {"standard": ("DELETE", "WRITE_DAC")}),
        (allow(AccessMask.DELETE, object_type=USER), {"standard": ("DELETE",)}),
        (allow(AccessMask.DELETE, object_type=GROUP_CLASS), {}),
        (allow(0xF01FF, flags=IO), {}),
    ],
)
def test_one_ace_is_the_names_it_speaks_of(ace, expected):
    assert rights(ace) == replace(NOTHING, **expected)


def test_a_deny_takes_out_one_name():
    held = rights(deny(WRITE, object_type=MEMBER), allow(0xF01FF))
    assert held == replace(EVERYTHING, write_property=("pwdLastSet",))


def test_an_owner_reads_and_changes_the_dacl():
    assert rights(owner=ACCOUNT) == replace(NOTHING, standard=("READ_CONTROL", "WRITE_DAC"))


@pytest.mark.parametrize(
    ("object_sid", "held"), [(ACCOUNT, ("reset",)), (GROUP, ("reset",)), (STRANGER, ()), (None, ())]
)
def test_self_is_the_object_in_the_token(object_sid, held):
    self_service = allow(CONTROL, PRINCIPAL_SELF_SID, object_type=RESET_PASSWORD)
    assert rights(self_service, object_sid=object_sid) == replace(NOTHING, extended_rights=held)


def test_a_condition_is_named_and_grants_nothing():
    assert rights(conditional_allow(WRITE, object_type=MEMBER)) == replace(NOTHING, conditional=("member",))


def test_a_condition_is_named_where_it_could_take_away():
    held = rights(conditional_deny(CONTROL), allow(0xF01FF))
    assert held == replace(EVERYTHING, conditional=("reset",))


def test_without_a_class_no_ace_for_a_class_speaks_of_the_whole_object():
    unknown = replace(VOCABULARY, class_guid=None)
    held = effective_rights(descriptor(allow(AccessMask.DELETE, object_type=USER)), TOKEN, unknown)
    assert held == NOTHING


def test_narrowing_keeps_what_concerns_the_token_in_its_order():
    kept = (allow(1), deny(2, GROUP), allow(4, PRINCIPAL_SELF_SID), deny(8, OWNER_RIGHTS_SID), allow(16, "S-1-5-11"))
    mixed = (allow(1, STRANGER), *kept[:2], deny(2, STRANGER), *kept[2:], allow(16, OWNER))
    assert narrow(descriptor(*mixed), TOKEN).dacl == kept


@pytest.mark.parametrize(("owner", "kept"), [(ACCOUNT, ACCOUNT), (GROUP, GROUP), (STRANGER, None), (None, None)])
def test_narrowing_keeps_an_owner_in_the_token_alone(owner, kept):
    assert narrow(descriptor(owner=owner), TOKEN).owner == kept


def test_narrowing_tells_null_and_empty_apart():
    assert narrow(null_dacl(), TOKEN).dacl is None
    assert narrow(descriptor(allow(1, STRANGER)), TOKEN).dacl == ()


def test_objects_that_differ_for_others_only_are_alike_when_narrowed():
    one = replace(descriptor(allow(1), allow(2, STRANGER), owner=STRANGER), control=0x9404)
    other = descriptor(deny(4, OWNER), allow(1), owner=OWNER)
    assert narrow(one, TOKEN) == narrow(other, TOKEN)
    assert hash(narrow(one, TOKEN)) == hash(narrow(other, TOKEN))


def test_narrowing_changes_no_decision():
    whole = descriptor(
        deny(WRITE, STRANGER),
        conditional_allow(CONTROL, GROUP),
        allow(0xF01FF, PRINCIPAL_SELF_SID),
        deny(AccessMask.WRITE_DAC, OWNER_RIGHTS_SID),
        owner=ACCOUNT,
    )
    for right in DIRECTORY_RIGHTS:
        for object_sid in (None, ACCOUNT):
            expected = decide(whole, TOKEN, right, (MEMBER,), object_sid)
            decision = decide(narrow(whole, TOKEN), TOKEN, right, (MEMBER,), object_sid)
            assert (decision.granted, decision.ace, decision.is_certain) == (
                expected.granted,
                expected.ace,
                expected.is_certain,
            )
