"""What has to hold for any bytes that are given to the parser as a security descriptor.

Checked with a reading of the bytes that shares nothing with the parser.
"""

from __future__ import annotations

import struct

from auditor.acl import (
    DIRECTORY_RIGHTS,
    AccessMask,
    MalformedDescriptor,
    Reason,
    SecurityDescriptor,
    Token,
    atoms_of,
    decide,
    decide_all,
    format_descriptor_sddl,
    parse_ace,
    parse_descriptor,
    parse_sid,
    rights_beyond_read,
    serialise_ace,
    serialise_descriptor,
)

TOKEN = Token(frozenset({"S-1-5-21-1-2-3-1104", "S-1-5-21-1-2-3-512", "S-1-5-11"}))
OBJECT_TYPES = tuple(f"0000000{number}-0000-0000-0000-000000000000" for number in range(1, 5))
_DACL_PRESENT, _SACL_PRESENT, _INHERIT_ONLY = 0x0004, 0x0010, 0x08
_ALLOW_TYPES = (0x00, 0x05)
_RIGHTS_OF_OWNER = (AccessMask.READ_CONTROL, AccessMask.WRITE_DAC)
_GENERIC_BITS = 0xF0000000
_STAND_INS = ("S-1-3-4", "S-1-5-10")  # OWNER RIGHTS and Principal Self


def check_bytes(raw: bytes) -> bool:
    """Check everything that can be said of `raw`; tell whether it is a descriptor."""
    try:
        descriptor = parse_descriptor(raw)
    except MalformedDescriptor:
        return False
    _check_content(raw, descriptor)
    for right in DIRECTORY_RIGHTS:
        _check_grant(raw, descriptor, right)
    return True


def _check_content(raw: bytes, descriptor: SecurityDescriptor) -> None:
    """What was read can be shown, taken apart and written, and reads the same again."""
    assert (descriptor.dacl is None) == (not _dacl_offset(raw))
    assert format_descriptor_sddl(descriptor).isprintable()
    again = parse_descriptor(serialise_descriptor(descriptor))
    assert (again.owner, again.group, again.dacl) == (descriptor.owner, descriptor.group, descriptor.dacl)
    assert again.control == descriptor.control & ~_SACL_PRESENT
    for ace in descriptor.dacl or ():
        assert parse_ace(serialise_ace(ace)) == ace
        atoms_of(ace)
    rights_beyond_read(descriptor, TOKEN)


def _check_grant(raw: bytes, descriptor: SecurityDescriptor, right: AccessMask) -> None:
    """Nothing is granted but by what stands in the bytes."""
    for decision in (decide(descriptor, TOKEN, right, OBJECT_TYPES), decide_all(descriptor, TOKEN, right)):
        if not decision.granted:
            continue
        if decision.reason is Reason.NULL_DACL:
            assert not _dacl_offset(raw)
        elif decision.reason is Reason.OWNER:
            (offset,) = struct.unpack_from("<I", raw, 4)
            assert right in _RIGHTS_OF_OWNER
            assert any(raw.startswith(parse_sid(sid), offset) for sid in TOKEN.sids)
        else:
            assert decision.ace_index is not None
            _check_allows(_ace_bytes(raw, decision.ace_index), right)


def _check_allows(ace: bytes, right: AccessMask) -> None:
    mask = int.from_bytes(ace[4:8], "little")
    assert ace[0] in _ALLOW_TYPES
    assert not ace[1] & _INHERIT_ONLY
    assert mask & (right | _GENERIC_BITS)
    assert any(parse_sid(sid) in ace for sid in (*TOKEN.sids, *_STAND_INS))


def _dacl_offset(raw: bytes) -> int:
    control, _, _, _, offset = struct.unpack_from("<HIIII", raw, 2)
    return int(offset) if control & _DACL_PRESENT else 0


def _ace_bytes(raw: bytes, index: int) -> bytes:
    start = _dacl_offset(raw) + 8
    for _ in range(index):
        start += int.from_bytes(raw[start + 2 : start + 4], "little")
    return raw[start : start + int.from_bytes(raw[start + 2 : start + 4], "little")]
