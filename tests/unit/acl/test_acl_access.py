"""Every rule of the access decision, each with the answer the directory gives."""

from __future__ import annotations

import pytest

from auditor.acl import (
    DIRECTORY_RIGHTS,
    FULL_CONTROL,
    RIGHTS_BEYOND_READ,
    AccessMask,
    Ace,
    Reason,
    Token,
    decide,
    decide_all,
    rights_beyond_read,
)
from tests.unit.acl.aces import (
    ACCOUNT,
    ACCOUNT_RESTRICTIONS,
    CI,
    GENERIC_ALL,
    GROUP,
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

CREATE = AccessMask.CREATE_CHILD
WRITE = AccessMask.WRITE_PROPERTY
EXTENDED = AccessMask.CONTROL_ACCESS
WRITE_DAC = AccessMask.WRITE_DAC
OF_PWD_LAST_SET = (PWD_LAST_SET, ACCOUNT_RESTRICTIONS, USER)
OWNER_TOKEN = Token(TOKEN.sids | {OWNER})


@pytest.mark.parametrize("right", DIRECTORY_RIGHTS)
def test_a_null_dacl_grants_everyone_everything(right):
    for ask in (decide, decide_all):
        assert (ask(null_dacl(), TOKEN, right).granted, ask(null_dacl(), TOKEN, right).reason) == (
            True,
            Reason.NULL_DACL,
        )


@pytest.mark.parametrize("right", DIRECTORY_RIGHTS)
def test_an_empty_dacl_grants_nobody_anything(right):
    decision = decide(descriptor(), TOKEN, right)
    assert (decision.granted, decision.reason) == (False, Reason.EMPTY_DACL)


def test_no_ace_for_the_token_means_no_access():
    decision = decide(descriptor(allow(FULL_CONTROL, STRANGER)), TOKEN, CREATE)
    assert (decision.granted, decision.reason, decision.ace_index) == (False, Reason.NO_ACE, None)


def test_an_ace_for_a_group_of_the_token_counts_and_is_named():
    ace = allow(CREATE, GROUP)
    decision = decide(descriptor(allow(CREATE, STRANGER), ace), TOKEN, CREATE)
    assert (decision.granted, decision.reason, decision.ace_index, decision.ace) == (True, Reason.ACE, 1, ace)


def test_the_first_ace_in_stored_order_wins_even_out_of_canonical_order():
    assert decide(descriptor(allow(CREATE), deny(CREATE)), TOKEN, CREATE).granted
    assert not decide(descriptor(deny(CREATE), allow(CREATE)), TOKEN, CREATE).granted


def test_an_ace_without_the_right_decides_nothing():
    assert decide(descriptor(deny(WRITE), allow(CREATE)), TOKEN, CREATE).ace_index == 1


def test_inherit_only_aces_have_no_effect_on_the_object():
    assert not decide(descriptor(allow(CREATE, flags=CI | IO)), TOKEN, CREATE).granted
    assert decide(descriptor(deny(CREATE, flags=CI | IO), allow(CREATE)), TOKEN, CREATE).granted


@pytest.mark.parametrize("right", DIRECTORY_RIGHTS)
def test_generic_all_is_every_right(right):
    assert decide(descriptor(allow(GENERIC_ALL)), TOKEN, right).granted


@pytest.mark.parametrize(
    ("generic", "rights"),
    [
        (AccessMask.GENERIC_READ, 0x20094),
        (AccessMask.GENERIC_WRITE, 0x20028),
        (AccessMask.GENERIC_EXECUTE, 0x20004),
    ],
)
def test_generic_bits_are_what_the_directory_maps_them_to(generic, rights):
    granted = {
        right for right in DIRECTORY_RIGHTS if decide(descriptor(allow(generic)), TOKEN, right).granted
    }
    assert sum(granted) == rights


@pytest.mark.parametrize("object_type", [None, *OF_PWD_LAST_SET])
def test_a_property_is_granted_by_itself_its_set_its_class_or_without_object_type(object_type):
    assert decide(descriptor(allow(WRITE, object_type=object_type)), TOKEN, WRITE, OF_PWD_LAST_SET).granted


@pytest.mark.parametrize("object_type", [None, *OF_PWD_LAST_SET])
def test_a_property_is_denied_in_the_same_four_ways(object_type):
    dacl = descriptor(deny(WRITE, object_type=object_type), allow(WRITE))
    assert decide(dacl, TOKEN, WRITE, OF_PWD_LAST_SET).ace_index == 0


def test_another_object_type_neither_grants_nor_denies():
    assert not decide(descriptor(allow(WRITE, object_type=MEMBER)), TOKEN, WRITE, OF_PWD_LAST_SET).granted
    assert decide(
        descriptor(deny(WRITE, object_type=MEMBER), allow(WRITE)), TOKEN, WRITE, OF_PWD_LAST_SET
    ).granted


@pytest.mark.parametrize("right", [AccessMask.CONTROL_ACCESS, AccessMask.VALIDATED_WRITE])
def test_a_simple_ace_grants_every_extended_right_and_validated_write(right):
    assert decide(descriptor(allow(right)), TOKEN, right, (RESET_PASSWORD,)).granted


def test_the_inherited_object_type_does_not_limit_the_object_itself():
    assert decide(
        descriptor(allow(CREATE, object_type=USER, inherited=MEMBER)), TOKEN, CREATE, (USER,)
    ).granted


def test_principal_self_stands_for_the_object():
    dacl = descriptor(allow(EXTENDED, "S-1-5-10"))
    assert decide(dacl, TOKEN, EXTENDED, object_sid=ACCOUNT).granted
    assert not decide(dacl, TOKEN, EXTENDED, object_sid=STRANGER).granted
    assert not decide(dacl, TOKEN, EXTENDED).granted


def test_principal_self_can_be_a_group_the_token_is_in():
    assert decide(descriptor(allow(EXTENDED, "S-1-5-10")), TOKEN, EXTENDED, object_sid=GROUP).granted


@pytest.mark.parametrize("right", [AccessMask.READ_CONTROL, AccessMask.WRITE_DAC])
def test_the_owner_reads_and_changes_the_dacl_against_any_deny(right):
    decision = decide(descriptor(deny(FULL_CONTROL)), OWNER_TOKEN, right)
    assert (decision.granted, decision.reason) == (True, Reason.OWNER)
    assert decide(descriptor(), OWNER_TOKEN, right).reason is Reason.OWNER


@pytest.mark.parametrize(
    "right", sorted(set(DIRECTORY_RIGHTS) - {AccessMask.READ_CONTROL, AccessMask.WRITE_DAC})
)
def test_the_owner_has_no_other_right(right):
    assert not decide(descriptor(allow(right, STRANGER)), OWNER_TOKEN, right).granted


def test_an_owner_rights_ace_replaces_what_the_owner_has():
    limited = descriptor(allow(AccessMask.READ_CONTROL, "S-1-3-4"))
    assert decide(limited, OWNER_TOKEN, AccessMask.READ_CONTROL).reason is Reason.ACE
    assert not decide(limited, OWNER_TOKEN, WRITE_DAC).granted


def test_an_owner_rights_ace_can_give_the_owner_more():
    dacl = descriptor(allow(AccessMask.DELETE, "S-1-3-4"))
    assert decide(dacl, OWNER_TOKEN, AccessMask.DELETE).granted
    assert not decide(dacl, TOKEN, AccessMask.DELETE).granted


def test_an_inherit_only_owner_rights_ace_leaves_the_owner_alone():
    assert (
        decide(descriptor(allow(1, "S-1-3-4", flags=CI | IO)), OWNER_TOKEN, WRITE_DAC).reason is Reason.OWNER
    )


def test_an_ace_of_another_kind_for_owner_rights_leaves_the_owner_alone():
    audit = Ace(type=0x02, mask=1, trustee="S-1-3-4")
    assert decide(descriptor(audit), OWNER_TOKEN, WRITE_DAC).reason is Reason.OWNER


def test_nobody_owns_an_object_without_an_owner():
    assert not decide(descriptor(allow(1), owner=None), OWNER_TOKEN, WRITE_DAC).granted


def test_aces_of_other_kinds_decide_nothing():
    audit = Ace(type=0x02, mask=int(FULL_CONTROL), trustee=ACCOUNT)
    unknown = Ace(type=0x77, mask=0, trustee="", application_data=bytes(40))
    assert decide(descriptor(audit, unknown), TOKEN, CREATE).reason is Reason.NO_ACE
    assert decide(descriptor(audit, unknown, allow(CREATE)), TOKEN, CREATE).ace_index == 2


def test_a_conditional_allow_does_not_grant_but_is_named():
    decision = decide(descriptor(conditional_allow(CREATE)), TOKEN, CREATE)
    assert (decision.granted, decision.is_certain, decision.conditional) == (False, False, (0,))


def test_a_conditional_deny_before_the_grant_makes_it_uncertain():
    decision = decide(descriptor(conditional_deny(CREATE), allow(CREATE)), TOKEN, CREATE)
    assert (decision.granted, decision.ace_index, decision.conditional) == (True, 1, (0,))


@pytest.mark.parametrize(
    "aces",
    [
        (allow(CREATE), conditional_deny(CREATE)),
        (conditional_allow(CREATE), allow(CREATE)),
        (deny(CREATE), conditional_allow(CREATE)),
        (conditional_deny(CREATE), deny(CREATE)),
        (conditional_deny(CREATE),),
        (conditional_allow(CREATE, STRANGER),),
        (conditional_allow(CREATE, flags=CI | IO),),
        (conditional_allow(WRITE),),
    ],
)
def test_a_condition_that_cannot_turn_the_answer_leaves_it_certain(aces):
    assert decide(descriptor(*aces), TOKEN, CREATE).is_certain


def test_a_conditional_allow_before_a_deny_makes_the_refusal_uncertain():
    decision = decide(descriptor(conditional_allow(CREATE), deny(CREATE)), TOKEN, CREATE)
    assert (decision.granted, decision.ace_index, decision.conditional) == (False, 1, (0,))


@pytest.mark.parametrize(
    "right", [AccessMask(0), CREATE | WRITE, AccessMask.GENERIC_ALL, AccessMask.SYNCHRONIZE]
)
def test_only_one_directory_right_can_be_asked_for(right):
    for ask in (decide, decide_all):
        with pytest.raises(ValueError, match="one directory right"):
            ask(descriptor(allow(FULL_CONTROL)), TOKEN, right)


def test_a_right_for_every_object_type_needs_an_ace_without_one():
    assert decide_all(descriptor(allow(WRITE)), TOKEN, WRITE).granted
    assert decide_all(descriptor(allow(WRITE, object_type=USER)), TOKEN, WRITE).reason is Reason.NO_ACE


def test_a_deny_for_any_object_type_takes_the_right_for_every_object_type_and_is_named():
    refusal = deny(WRITE, object_type=PWD_LAST_SET)
    decision = decide_all(descriptor(refusal, allow(WRITE)), TOKEN, WRITE)
    assert (decision.granted, decision.ace_index, decision.ace) == (False, 0, refusal)


def test_a_later_deny_does_not_take_the_right_for_every_object_type():
    assert decide_all(descriptor(allow(WRITE), deny(WRITE, object_type=PWD_LAST_SET)), TOKEN, WRITE).granted


def test_a_deny_of_what_was_allowed_before_is_harmless():
    explicit, inherited = allow(WRITE, object_type=PWD_LAST_SET), deny(WRITE, object_type=PWD_LAST_SET)
    assert decide_all(descriptor(explicit, inherited, allow(WRITE)), TOKEN, WRITE).granted
    assert not decide_all(descriptor(explicit, deny(WRITE), allow(WRITE)), TOKEN, WRITE).granted


@pytest.mark.parametrize(
    ("aces", "granted", "conditional"),
    [
        ((conditional_allow(WRITE),), False, (0,)),
        ((conditional_allow(WRITE, object_type=USER),), False, ()),
        ((conditional_deny(WRITE, object_type=USER), allow(WRITE)), True, (0,)),
        ((allow(WRITE, object_type=USER), conditional_deny(WRITE, object_type=USER), allow(WRITE)), True, ()),
        (
            (conditional_allow(WRITE, object_type=USER), deny(WRITE, object_type=USER), allow(WRITE)),
            False,
            (0,),
        ),
        (
            (conditional_allow(WRITE, object_type=MEMBER), deny(WRITE, object_type=USER), allow(WRITE)),
            False,
            (),
        ),
    ],
)
def test_conditions_on_the_way_to_every_object_type(aces, granted, conditional):
    decision = decide_all(descriptor(*aces), TOKEN, WRITE)
    assert (decision.granted, decision.conditional) == (granted, conditional)


def test_reading_alone_is_nothing_beyond_read():
    held = rights_beyond_read(
        descriptor(allow(AccessMask.GENERIC_READ), allow(AccessMask.READ_CONTROL)), TOKEN
    )
    assert (held.held, held.conditional) == (0, 0)


def test_a_right_for_a_single_object_type_is_beyond_read():
    assert rights_beyond_read(descriptor(allow(0x30, object_type=MEMBER)), TOKEN).held == WRITE


@pytest.mark.parametrize(
    ("refusal", "held"),
    [
        (deny(WRITE), 0),
        (deny(WRITE, object_type=MEMBER), 0),
        (deny(WRITE, object_type=USER), WRITE),
        (deny(CREATE), WRITE),
        (deny(WRITE, flags=CI | IO), WRITE),
        (deny(WRITE, STRANGER), WRITE),
    ],
)
def test_only_an_earlier_deny_that_covers_the_grant_takes_it_away(refusal, held):
    assert rights_beyond_read(descriptor(refusal, allow(WRITE, object_type=MEMBER)), TOKEN).held == held
    assert rights_beyond_read(descriptor(allow(WRITE, object_type=MEMBER), refusal), TOKEN).held == WRITE


def test_ownership_and_a_null_dacl_are_beyond_read():
    assert rights_beyond_read(descriptor(), OWNER_TOKEN).held == WRITE_DAC
    assert rights_beyond_read(null_dacl(), TOKEN).held == RIGHTS_BEYOND_READ


def test_conditional_rights_stand_apart():
    held = rights_beyond_read(descriptor(conditional_allow(CREATE | 0x10), allow(WRITE)), TOKEN)
    assert (held.held, held.conditional) == (WRITE, CREATE)
