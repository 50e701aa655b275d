"""Descriptors whose bytes another implementation wrote, and bytes that are hostile."""

from __future__ import annotations

import struct

import pytest

from auditor.acl import (
    AccessMask,
    Ace,
    AceKind,
    MalformedDescriptor,
    SecurityDescriptor,
    format_descriptor_sddl,
    parse_ace,
    parse_descriptor,
    serialise_ace,
    serialise_descriptor,
)
from tests.unit.acl.aces import ACCOUNT, CI, IO, RESET_PASSWORD, USER, allow, deny, descriptor, null_dacl

# Written by Samba's security.descriptor.from_sddl from the SDDL beside it.
BY_SAMBA = (
    (
        (
            "O:S-1-5-21-1004336348-1177238915-682003330-512G:SYD:PAI(A;CIIO;GA;;;CO)"
            "(OD;CIID;DT;;bf967aba-0de6-11d0-a285-00aa003049e2;WD)"
            "(OA;CI;CCDC;bf967aba-0de6-11d0-a285-00aa003049e2;;S-1-5-21-1004336348-1177238915-682003330-1104)"
            "(OA;CIIO;CR;00299570-246d-11d0-a768-00aa006e0529;bf967aba-0de6-11d0-a285-00aa003049e2;"
            "S-1-5-21-1004336348-1177238915-682003330-1104)"
            "(OA;OICINPIOID;RPWP;bf967a0a-0de6-11d0-a285-00aa003049e2;;OW)(D;;WDWO;;;AN)"
        ),
        (
            "010004941400000030000000000000003c000000010500000000000515000000dcf4dc3b833d2b46828ba628000200000101000000"
            "000005120000000400000106000000000a140000000010010100000000000300000000061228004000000002000000ba7a96bfe60d"
            "d011a28500aa003049e2010100000000000100000000050238000300000001000000ba7a96bfe60dd011a28500aa003049e2010500"
            "000000000515000000dcf4dc3b833d2b46828ba62850040000050a48000001000003000000709529006d24d011a76800aa006e0529"
            "ba7a96bfe60dd011a28500aa003049e2010500000000000515000000dcf4dc3b833d2b46828ba62850040000051f28003000000001"
            "0000000a7a96bfe60dd011a28500aa003049e20101000000000003040000000100140000000c00010100000000000507000000"
        ),
    ),
    (
        "O:BAD:(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;SY)",
        (
            "01000480140000000000000000000000240000000102000000000005200000002002000004001c000100000000001400ff010f0001"
            "0100000000000512000000"
        ),
    ),
)


@pytest.mark.parametrize(("sddl", "raw"), BY_SAMBA)
def test_bytes_of_another_implementation_read_as_the_sddl_they_were_made_from(sddl, raw):
    assert format_descriptor_sddl(parse_descriptor(bytes.fromhex(raw))) == sddl


@pytest.mark.parametrize(("sddl", "raw"), BY_SAMBA)
def test_reading_what_was_written_gives_the_same_descriptor(sddl, raw):
    read = parse_descriptor(bytes.fromhex(raw))
    assert parse_descriptor(serialise_descriptor(read)) == read


def test_every_part_of_a_descriptor_is_read():
    read = parse_descriptor(bytes.fromhex(BY_SAMBA[0][1]))
    assert (read.owner, read.group) == ("S-1-5-21-1004336348-1177238915-682003330-512", "S-1-5-18")
    assert read.is_dacl_protected
    assert read.dacl is not None
    assert read.dacl[3] == Ace(
        type=0x05,
        flags=CI | IO,
        mask=0x100,
        trustee=ACCOUNT,
        object_type=RESET_PASSWORD,
        inherited_object_type=USER,
    )
    assert [ace.is_inherited for ace in read.dacl] == [False, True, False, False, True, False]


def test_an_absent_dacl_a_null_dacl_and_an_empty_one_are_told_apart():
    present_bit_clear = parse_descriptor(
        serialise_descriptor(descriptor())[:2] + b"\x00\x80" + serialise_descriptor(descriptor())[4:]
    )
    offset_zero = parse_descriptor(serialise_descriptor(null_dacl()))
    empty = parse_descriptor(serialise_descriptor(descriptor()))
    assert present_bit_clear.dacl is None
    assert offset_zero.dacl is None
    assert empty.dacl == ()


def test_a_descriptor_may_name_no_owner_and_no_group():
    read = parse_descriptor(struct.pack("<BBHIIII", 1, 0, 0x8000, 0, 0, 0, 0))
    assert read == SecurityDescriptor(owner=None, group=None, control=0x8000, dacl=None)


def test_generic_rights_stay_as_stored_and_are_mapped_beside():
    ace = allow(AccessMask.GENERIC_ALL)
    assert (ace.mask, ace.rights) == (0x1000_0000, 0xF01FF)


@pytest.mark.parametrize(
    ("present", "object_type", "inherited"),
    [
        (0, None, None),
        (1, RESET_PASSWORD, None),
        (2, None, USER),
        (3, RESET_PASSWORD, USER),
    ],
)
def test_object_flags_move_the_sid(present, object_type, inherited):
    ace = Ace(
        type=0x05, mask=0x100, trustee=ACCOUNT, object_type=object_type, inherited_object_type=inherited
    )
    raw = serialise_ace(ace)
    assert int.from_bytes(raw[8:12], "little") == present
    assert parse_ace(raw) == ace


def test_a_condition_is_kept_as_bytes():
    ace = Ace(type=0x09, mask=1, trustee=ACCOUNT, application_data=b"artx\x01\x02\x03\x04")
    assert parse_ace(serialise_ace(ace)).application_data == b"artx\x01\x02\x03\x04"


def test_the_size_in_an_ace_header_governs_where_the_next_ace_starts():
    padded = bytearray(serialise_ace(allow(1)) + bytes(8))
    padded[2:4] = len(padded).to_bytes(2, "little")
    aces = bytes(padded) + serialise_ace(deny(2))
    acl = struct.pack("<BBHHH", 2, 0, 8 + len(aces), 2, 0) + aces
    read = parse_descriptor(struct.pack("<BBHIIII", 1, 0, 0x8004, 0, 0, 0, 20) + acl)
    assert read.dacl is not None
    assert [(ace.kind, ace.mask) for ace in read.dacl] == [(AceKind.ALLOW, 1), (AceKind.DENY, 2)]


def _hostile():
    good = serialise_descriptor(descriptor(allow(1), deny(2)))
    dacl = int.from_bytes(good[16:20], "little")

    def with_bytes(offset, new):
        return good[:offset] + new + good[offset + len(new) :]

    yield "nothing", b""
    yield "header only in part", good[:19]
    yield "other revision", with_bytes(0, b"\x02")
    yield "absolute, not self-relative", with_bytes(2, b"\x04\x00")
    yield "owner in the header", with_bytes(4, b"\x04\x00\x00\x00")
    yield "owner beyond the end", with_bytes(4, b"\xff\xff\xff\xff")
    yield "owner cut off", with_bytes(4, (len(good) - 9).to_bytes(4, "little"))
    yield "dacl in the header", with_bytes(16, b"\x01\x00\x00\x00")
    yield "dacl beyond the end", with_bytes(16, b"\x00\x00\x00\x80")
    yield "acl of another revision", with_bytes(dacl, b"\x09")
    yield "acl larger than the descriptor", with_bytes(dacl + 2, b"\xff\xff")
    yield "acl smaller than its header", with_bytes(dacl + 2, b"\x04\x00")
    yield "more aces than fit", with_bytes(dacl + 4, b"\xff\xff")
    yield "ace of no size", with_bytes(dacl + 10, b"\x00\x00")
    yield "ace larger than the acl", with_bytes(dacl + 10, b"\xfc\xff")
    yield "ace not aligned", with_bytes(dacl + 10, b"\x25\x00")
    yield "sid with too many sub-authorities", with_bytes(dacl + 8 + 8 + 1, b"\x10")
    yield "sid longer than its ace", with_bytes(dacl + 8 + 8 + 1, b"\x0f")
    yield "object ace cut off", with_bytes(dacl + 8, b"\x05")


@pytest.mark.parametrize("raw", [pytest.param(raw, id=name) for name, raw in _hostile()])
def test_hostile_bytes_are_refused(raw):
    with pytest.raises(MalformedDescriptor):
        parse_descriptor(raw)


def _with_acl(aces, *, count, size=None, revision=2, tail=b""):
    header = struct.pack("<BBHIIII", 1, 0, 0x8004, 0, 0, 0, 20)
    return (
        header
        + struct.pack("<BBHHH", revision, 0, 8 + len(aces) if size is None else size, count, 0)
        + aces
        + tail
    )


def _sid_in_the_header():
    """An owner offset that points to the group offset, which reads as the start of a SID."""
    raw = struct.pack("<BBHIIII", 1, 0, 0x8000, 8, 0x101, 0, 0)
    return raw + bytes(0x101 - len(raw)) + serialise_descriptor(descriptor(owner="S-1-5-18"))[28:40]


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(_with_acl(b"", count=1), id="an ace after the last byte"),
        pytest.param(_with_acl(serialise_ace(allow(1)), count=2), id="a second ace after the last byte"),
        pytest.param(
            _with_acl(serialise_ace(allow(1)), count=1, size=16, tail=bytes(40)),
            id="an ace that leaves its acl",
        ),
        pytest.param(
            _with_acl(serialise_ace(allow(1)), count=2, tail=serialise_ace(allow(2))),
            id="an ace outside its acl",
        ),
        pytest.param(
            _with_acl(b"\x77\x00\x06\x00\x00\x00", count=1), id="an unknown ace that is not aligned"
        ),
        pytest.param(_with_acl(b"\x77\x00\x00\x00", count=1), id="an unknown ace of no size"),
        pytest.param(_with_acl(b"", count=0, size=4), id="an acl smaller than its header"),
        pytest.param(_with_acl(b"", count=0)[:-1], id="an acl header cut off"),
        pytest.param(_sid_in_the_header(), id="a sid in the header"),
    ],
)
def test_nothing_outside_its_place_is_read(raw):
    with pytest.raises(MalformedDescriptor):
        parse_descriptor(raw)


def test_a_well_made_acl_in_the_same_frame_is_read():
    assert parse_descriptor(_with_acl(serialise_ace(allow(1)), count=1)).dacl == (allow(1),)


@pytest.mark.parametrize("cut", range(1, 60))
def test_no_truncation_of_a_descriptor_is_accepted(cut):
    raw = serialise_descriptor(descriptor(allow(1), owner=None))
    with pytest.raises(MalformedDescriptor):
        parse_descriptor(raw[:-cut])


@pytest.mark.parametrize(
    "ace",
    [
        Ace(type=0x00, mask=1, trustee="nobody"),
        Ace(type=0x00, mask=1, trustee=ACCOUNT, object_type=USER),
        Ace(type=0x09, mask=1, trustee=ACCOUNT, application_data=b"abc"),
        Ace(type=0x09, mask=1, trustee=ACCOUNT, application_data=bytes(70_000)),
    ],
)
def test_an_ace_without_a_binary_form_is_refused(ace):
    with pytest.raises(ValueError, match=r"SID|object type|bytes"):
        serialise_ace(ace)
