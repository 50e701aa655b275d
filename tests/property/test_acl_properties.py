"""Laws of descriptors and access decisions, for descriptors nobody thought of."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from auditor.acl import (
    DIRECTORY_RIGHTS,
    OWNER_RIGHTS_SID,
    PRINCIPAL_SELF_SID,
    AccessMask,
    Ace,
    AceKind,
    MalformedDescriptor,
    SecurityDescriptor,
    Token,
    aces_reaching_child,
    atoms_of,
    decide,
    decide_all,
    descriptor_of_child,
    format_sid,
    parse_ace,
    parse_descriptor,
    parse_sid,
    rights_beyond_read,
    serialise_ace,
    serialise_descriptor,
)
from tests.property.descriptor_laws import check_bytes

unhurried = settings(deadline=None)  # a busy machine is no broken law

GUIDS = tuple(f"0000000{n}-0000-0000-0000-000000000000" for n in range(1, 5))
TRUSTEES = ("S-1-5-21-1-2-3-1104", "S-1-5-21-1-2-3-512", "S-1-5-11", PRINCIPAL_SELF_SID, OWNER_RIGHTS_SID)
OBJECT_TYPES = frozenset({0x05, 0x06, 0x07, 0x0B, 0x0C, 0x0F})
DECIDING_TYPES = (0x00, 0x01, 0x05, 0x06)
CALLBACK_TYPES = (0x09, 0x0A, 0x0B, 0x0C)
AUDIT_TYPES = (0x02, 0x07, 0x0D, 0x0F, 0x11, 0x12, 0x13)  # they have no effect in a DACL
DOCUMENTED_TYPES = DECIDING_TYPES + CALLBACK_TYPES + AUDIT_TYPES  # those whose layout MS-DTYP 2.4.4 gives
RESERVED_TYPES = (0x03, 0x04, 0x08, 0x0E, 0x10, 0x14, 0xFF)
EVERY_TYPE = DOCUMENTED_TYPES + RESERVED_TYPES

guids = st.none() | st.sampled_from(GUIDS)
masks = st.lists(st.sampled_from(list(AccessMask)), max_size=6).map(lambda bits: int(sum(set(bits))))
rights = st.sampled_from(DIRECTORY_RIGHTS)
tokens = st.frozensets(st.sampled_from(TRUSTEES[:3])).map(Token)
object_types = st.frozensets(st.sampled_from(GUIDS))
words = st.binary(max_size=40).map(lambda data: data[: len(data) // 4 * 4])
object_sids = st.none() | st.sampled_from(TRUSTEES[:3])


@st.composite
def aces(draw, types=DECIDING_TYPES + CALLBACK_TYPES):
    ace_type = draw(st.sampled_from(types))
    if ace_type in RESERVED_TYPES:
        return Ace(type=ace_type, flags=draw(st.integers(0, 0xFF)), mask=0, trustee="", application_data=draw(words))
    typed = ace_type in OBJECT_TYPES
    return Ace(
        type=ace_type,
        flags=draw(st.integers(0, 0x1F)),
        mask=draw(masks),
        trustee=draw(st.sampled_from(TRUSTEES)),
        object_type=draw(guids) if typed else None,
        inherited_object_type=draw(guids) if typed else None,
        application_data=b"artx" if ace_type in CALLBACK_TYPES else b"",
    )


@st.composite
def descriptors(draw, types=DECIDING_TYPES + CALLBACK_TYPES):
    dacl = draw(st.none() | st.lists(aces(types), max_size=8).map(tuple))
    has_dacl = 0x0004 if dacl is not None or draw(st.booleans()) else 0
    return SecurityDescriptor(
        owner=draw(st.none() | st.sampled_from(TRUSTEES[:3])),
        group=draw(st.none() | st.sampled_from(TRUSTEES[:3])),
        control=0x8000 | has_dacl | draw(st.sampled_from((0, 0x1000, 0x0400, 0x1500))),
        dacl=dacl,
    )


@st.composite
def descriptors_with_a_dacl(draw, types=DECIDING_TYPES + CALLBACK_TYPES):
    return replace(
        draw(descriptors(types)), control=0x8004, dacl=tuple(draw(st.lists(aces(types), max_size=8)))
    )


def _decisions(descriptor, token, types, object_sid):
    """Return whether each right is granted on one leaf, and whether for every object type."""
    return [
        (
            decide(descriptor, token, right, types, object_sid).granted,
            decide_all(descriptor, token, right, object_sid).granted,
        )
        for right in DIRECTORY_RIGHTS
    ]


def _inserted(descriptor, ace, position):
    at = position % (len(descriptor.dacl) + 1)
    return replace(descriptor, dacl=(*descriptor.dacl[:at], ace, *descriptor.dacl[at:]))


def _split(ace):
    """Return the ACE as one ACE per right and place; one without a meaning stays whole."""
    bits = [int(right) for right in DIRECTORY_RIGHTS if ace.rights & right]
    one_place = [ace.flags]
    if ace.container_inherit and not ace.is_inherit_only:
        one_place = [ace.flags & ~0x07, ace.flags | 0x08]
    return tuple(replace(ace, mask=bit, flags=flags) for bit in bits for flags in one_place)


@unhurried
@given(st.binary(max_size=400))
def test_random_bytes_are_a_descriptor_or_malformed(raw):
    check_bytes(raw)
    check_bytes(b"\x01\x00\x04\x80" + raw)  # past the first checks: revision 1, self-relative, with a DACL


@unhurried
@given(descriptors(EVERY_TYPE), st.data())
def test_a_damaged_descriptor_is_a_descriptor_or_malformed(descriptor, data):
    raw = bytearray(serialise_descriptor(descriptor))
    assert check_bytes(bytes(raw))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    check_bytes(bytes(raw[: data.draw(st.integers(0, len(raw)))]))


@settings(deadline=None, max_examples=20)
@given(descriptors(EVERY_TYPE))
def test_every_truncation_is_malformed(descriptor):
    raw = serialise_descriptor(descriptor)
    assert check_bytes(raw)
    assert not any(check_bytes(raw[:length]) for length in range(len(raw)))


@settings(deadline=None, max_examples=5)
@given(descriptors(EVERY_TYPE))
def test_every_flipped_bit_gives_a_descriptor_or_malformed(descriptor):
    raw = serialise_descriptor(descriptor)
    for bit in range(len(raw) * 8):
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        check_bytes(bytes(flipped))


@unhurried
@given(st.binary(max_size=80), st.integers(0, 255))
def test_random_bytes_are_an_ace_or_malformed(body, ace_type):
    raw = bytes([ace_type, 0]) + (4 + len(body)).to_bytes(2, "little") + body
    try:
        ace = parse_ace(raw)
    except MalformedDescriptor:
        assert ace_type in DOCUMENTED_TYPES
        return
    assert (ace.kind is AceKind.OTHER) == (ace_type not in DECIDING_TYPES + CALLBACK_TYPES)
    if len(raw) % 4 == 0:
        assert parse_ace(serialise_ace(ace)) == ace


@unhurried
@given(descriptors())
def test_reading_what_was_written_gives_the_same_descriptor(descriptor):
    assert parse_descriptor(serialise_descriptor(descriptor)) == descriptor


@unhurried
@given(st.integers(0, 2**48 - 1), st.lists(st.integers(0, 2**32 - 1), max_size=15))
def test_sids_survive_text_and_bytes(authority, sub_authorities):
    raw = bytes([1, len(sub_authorities)]) + authority.to_bytes(6, "big")
    raw += b"".join(part.to_bytes(4, "little") for part in sub_authorities)
    assert parse_sid(format_sid(raw)) == raw


@unhurried
@given(descriptors(), tokens, object_types, object_sids)
def test_splitting_aces_changes_no_decision(descriptor, token, types, object_sid):
    assume(descriptor.dacl is None or all(_split(ace) for ace in descriptor.dacl))
    split = descriptor
    if descriptor.dacl is not None:
        split = replace(descriptor, dacl=tuple(part for ace in descriptor.dacl for part in _split(ace)))
    assert _decisions(split, token, types, object_sid) == _decisions(descriptor, token, types, object_sid)
    assert rights_beyond_read(split, token, object_sid) == rights_beyond_read(descriptor, token, object_sid)


@unhurried
@given(descriptors_with_a_dacl(DECIDING_TYPES), st.randoms(), tokens, object_types, object_sids)
def test_the_order_among_allows_and_among_denies_changes_no_decision(descriptor, random, token, types, object_sid):
    runs = (list(run) for _, run in groupby(descriptor.dacl, key=lambda ace: ace.kind))
    mixed = replace(descriptor, dacl=tuple(ace for run in runs for ace in random.sample(run, len(run))))
    assert _decisions(mixed, token, types, object_sid) == _decisions(descriptor, token, types, object_sid)
    assert rights_beyond_read(mixed, token, object_sid) == rights_beyond_read(descriptor, token, object_sid)
    assert frozenset().union(*map(atoms_of, mixed.dacl)) == frozenset().union(*map(atoms_of, descriptor.dacl))


@unhurried
@given(aces())
def test_splitting_an_ace_changes_no_atom(ace):
    assert frozenset().union(*map(atoms_of, _split(ace))) == atoms_of(ace)


@unhurried
@given(descriptors_with_a_dacl(), aces((0x00, 0x05)), st.integers(0), tokens, object_types, object_sids)
def test_adding_an_allow_never_removes_a_right(descriptor, added, position, token, types, object_sid):
    assume(added.trustee != OWNER_RIGHTS_SID)  # such an ACE replaces what an owner holds by ownership
    before = _decisions(descriptor, token, types, object_sid)
    after = _decisions(_inserted(descriptor, added, position), token, types, object_sid)
    assert all(
        now >= then
        for was, is_ in zip(before, after, strict=True)
        for then, now in zip(was, is_, strict=True)
    )
    held = rights_beyond_read(descriptor, token, object_sid).held
    assert rights_beyond_read(_inserted(descriptor, added, position), token, object_sid).held & held == held


@unhurried
@given(descriptors_with_a_dacl(), aces((0x01, 0x06)), st.integers(0), tokens, object_types, object_sids)
def test_adding_a_deny_never_adds_a_right(descriptor, added, position, token, types, object_sid):
    before = _decisions(descriptor, token, types, object_sid)
    after = _decisions(_inserted(descriptor, added, position), token, types, object_sid)
    assert all(
        now <= then
        for was, is_ in zip(before, after, strict=True)
        for then, now in zip(was, is_, strict=True)
    )
    held = rights_beyond_read(descriptor, token, object_sid).held
    assert rights_beyond_read(_inserted(descriptor, added, position), token, object_sid).held | held == held


@unhurried
@given(descriptors(), tokens, rights, object_sids)
def test_a_right_for_every_object_type_is_held_for_each(descriptor, token, right, object_sid):
    if decide_all(descriptor, token, right, object_sid).granted:
        assert all(decide(descriptor, token, right, (guid,), object_sid).granted for guid in GUIDS)
        assert decide(descriptor, token, right, (), object_sid).granted


@unhurried
@given(descriptors(), tokens, rights, object_types, object_sids)
def test_a_granted_right_beyond_reading_is_listed(descriptor, token, right, types, object_sid):
    held = rights_beyond_read(descriptor, token, object_sid).held
    if decide(descriptor, token, right, types, object_sid).granted and not right & 0x20094:
        assert held & right


@unhurried
@given(descriptors(), tokens, rights, object_types, object_sids)
def test_conditions_listed_are_exactly_those_that_can_turn_the_answer(
    descriptor, token, right, types, object_sid
):
    """Compare with deciding again under every condition that could hold."""
    decision = decide(descriptor, token, right, types, object_sid)
    plain = {AceKind.CONDITIONAL_ALLOW: 0x05, AceKind.CONDITIONAL_DENY: 0x06}
    turned = []
    for index, ace in enumerate(descriptor.dacl or ()):
        if ace.kind in plain and ace.trustee != OWNER_RIGHTS_SID:
            holds = replace(ace, type=plain[ace.kind], application_data=b"")
            dacl = (*descriptor.dacl[:index], holds, *descriptor.dacl[index + 1 :])
            again = decide(replace(descriptor, dacl=dacl), token, right, types, object_sid)
            if again.granted != decision.granted:
                turned.append(index)
    listed = [index for index in decision.conditional if descriptor.dacl[index].trustee != OWNER_RIGHTS_SID]
    assert listed == turned


@unhurried
@given(descriptors(), tokens, rights, object_types, object_sids)
def test_inherit_only_aces_and_strangers_change_no_decision(descriptor, token, right, types, object_sid):
    kept = (
        None
        if descriptor.dacl is None
        else tuple(
            ace
            for ace in descriptor.dacl
            if not ace.is_inherit_only and ace.trustee in {*token.sids, PRINCIPAL_SELF_SID, OWNER_RIGHTS_SID}
        )
    )
    without = decide(replace(descriptor, dacl=kept), token, right, types, object_sid)
    assert without.granted == decide(descriptor, token, right, types, object_sid).granted


@unhurried
@given(descriptors(), tokens, rights, object_types, st.sampled_from(GUIDS), st.booleans())
def test_a_child_is_granted_nothing_that_no_ace_hands_down(
    descriptor, token, right, types, child_class, direct
):
    reached = aces_reaching_child(descriptor.dacl, child_class, parent_is_direct=direct)
    decision = decide(descriptor_of_child(reached), token, right, types)
    if decision.granted:
        assert descriptor.dacl is not None
        source = descriptor.dacl[reached[decision.ace_index].parent_index]
        assert source.kind is AceKind.ALLOW
        assert source.container_inherit
        assert source.inherited_object_type in {None, child_class}
        assert direct or not source.no_propagate


@unhurried
@given(descriptors(DECIDING_TYPES), tokens, rights, object_types, object_sids)
def test_the_first_match_equals_the_tree_of_object_types(descriptor, token, right, types, object_sid):
    """Decide the slow way of MS-ADTS 5.1.3.3.3: one leaf under one root, granted and denied sets."""
    sids = set(token.sids)
    if object_sid in token.sids:
        sids.add(PRINCIPAL_SELF_SID)
    owns = descriptor.owner in token.sids
    if owns:
        sids.add(OWNER_RIGHTS_SID)
    effective = [ace for ace in descriptor.dacl or () if not ace.flags & 0x08]
    limited = any(ace.trustee == OWNER_RIGHTS_SID for ace in effective)
    granted = {0x20000, 0x40000} if owns and not limited else set()
    denied = set()
    for ace in effective:
        if ace.trustee in sids and (ace.object_type is None or ace.object_type in types):
            bits = {int(each) for each in DIRECTORY_RIGHTS if ace.rights & each}
            if ace.type in {0x00, 0x05}:
                granted |= bits - denied
            else:
                denied |= bits - granted
    expected = descriptor.dacl is None or int(right) in granted
    assert decide(descriptor, token, right, types, object_sid).granted is expected
