"""Self-relative security descriptors: bytes to owner, group and DACL, and back (MS-DTYP 2.4.5, 2.4.6)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntFlag
from functools import lru_cache

from auditor.acl.ace import ACE_HEADER_SIZE, Ace, AceFlag, MalformedDescriptor, parse_ace, serialise_ace
from auditor.acl.sid import parse_sid, read_sid

_HEADER = struct.Struct("<BBHIIII")
_ACL_HEADER = struct.Struct("<BBHHH")
_SIMPLE_REVISION = 2
_OBJECT_REVISION = 4
_MAX_ACL_SIZE = 0xFFFF
_DISTINCT_PARTS_KEPT = 1 << 10


class ControlFlag(IntFlag):
    """The control bits that matter for a DACL (MS-DTYP 2.4.6)."""

    DACL_PRESENT = 0x0004
    SACL_PRESENT = 0x0010
    DACL_AUTO_INHERIT_REQUIRED = 0x0100
    DACL_AUTO_INHERITED = 0x0400
    DACL_PROTECTED = 0x1000
    SELF_RELATIVE = 0x8000


# Plain integers, because flag arithmetic costs more than the parsing itself.
_DACL_PRESENT = int(ControlFlag.DACL_PRESENT)
_SACL_PRESENT = int(ControlFlag.SACL_PRESENT)
_SELF_RELATIVE = int(ControlFlag.SELF_RELATIVE)
_INHERITED = int(AceFlag.INHERITED)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityDescriptor:
    """Owner and group are SIDs, or None where the descriptor names none; `control` is as stored.

    `dacl` is in stored order. None is a NULL or absent DACL, which grants everything to everyone; an empty
    tuple grants nothing to anyone. The SACL is never read.
    """

    owner: str | None
    group: str | None
    control: int
    dacl: tuple[Ace, ...] | None

    @property
    def is_dacl_protected(self) -> bool:
        """Whether the object takes no ACEs from its parent."""
        return bool(self.control & ControlFlag.DACL_PROTECTED)


def parse_descriptor(raw: bytes) -> SecurityDescriptor:
    """Return a self-relative security descriptor. Raises MalformedDescriptor.

    A DACL counts as absent when the DACL Present bit is clear or its offset is 0 (MS-DTYP 2.4.6).
    """
    if len(raw) < _HEADER.size:
        raise MalformedDescriptor(f"{len(raw)} bytes are no security descriptor")
    revision, _, control, owner, group, _, dacl = _HEADER.unpack_from(raw)
    if revision != 1 or not control & _SELF_RELATIVE:
        raise MalformedDescriptor(f"revision {revision}, control {control:#06x}: no self-relative descriptor")
    return SecurityDescriptor(
        owner=_sid_at(raw, owner) if owner else None,
        group=_sid_at(raw, group) if group else None,
        control=control,
        dacl=_acl_at(raw, dacl) if dacl and control & _DACL_PRESENT else None,
    )


def serialise_descriptor(descriptor: SecurityDescriptor) -> bytes:
    """Return the self-relative form; `parse_descriptor` reads it back. Raises ValueError when there is none.

    No SACL is written, so its control bit is cleared.
    """
    body = b""
    offsets = []
    for part in (_acl_bytes(descriptor.dacl), _sid_bytes(descriptor.owner), _sid_bytes(descriptor.group)):
        offsets.append(_HEADER.size + len(body) if part else 0)
        body += part
    dacl, owner, group = offsets
    control = (descriptor.control | _SELF_RELATIVE) & ~_SACL_PRESENT
    if dacl:
        control |= _DACL_PRESENT
    return _HEADER.pack(1, 0, control, owner, group, 0, dacl) + body


def _sid_at(raw: bytes, offset: int) -> str:
    _check_offset(offset)
    try:
        return read_sid(raw, offset)[0]
    except ValueError as error:
        raise MalformedDescriptor(str(error)) from error


def _acl_at(raw: bytes, offset: int) -> tuple[Ace, ...]:
    _check_offset(offset)
    if offset + _ACL_HEADER.size > len(raw):
        raise MalformedDescriptor(f"an ACL at offset {offset} ends beyond {len(raw)} bytes")
    revision, _, acl_size, ace_count, _ = _ACL_HEADER.unpack_from(raw, offset)
    end = offset + acl_size
    if not _SIMPLE_REVISION <= revision <= _OBJECT_REVISION or acl_size < _ACL_HEADER.size or end > len(raw):
        raise MalformedDescriptor(f"ACL of revision {revision} and {acl_size} bytes at offset {offset}")
    own_count, own_end = _own_part(raw, offset + _ACL_HEADER.size, end, ace_count)
    own = _read_aces(raw[offset + _ACL_HEADER.size : own_end], own_count)
    return own + _read_aces(raw[own_end:end], ace_count - own_count)


def _own_part(raw: bytes, start: int, end: int, count: int) -> tuple[int, int]:
    """Return how many ACEs come before the first inherited one, and where they end."""
    for index in range(count):
        if start + ACE_HEADER_SIZE > end:
            raise MalformedDescriptor(f"ACE {index} of {count} starts beyond its ACL")
        if raw[start + 1] & _INHERITED:
            return index, start
        start += raw[start + 2] | raw[start + 3] << 8
    return count, min(start, end)


# The children of a parent inherit the same, and objects of a class begin alike: parts repeat where wholes do not.
@lru_cache(maxsize=_DISTINCT_PARTS_KEPT)
def _read_aces(part: bytes, count: int) -> tuple[Ace, ...]:
    aces = []
    start = 0
    last_start = len(part) - ACE_HEADER_SIZE
    for index in range(count):
        if start > last_start:
            raise MalformedDescriptor(f"ACE {index} of {count} starts beyond its ACL")
        size = part[start + 2] | part[start + 3] << 8
        stop = start + size
        if size & 3 or stop > len(part):
            raise MalformedDescriptor(f"ACE {index} of {count} claims {size} bytes")
        aces.append(parse_ace(part[start:stop]))
        start = stop
    return tuple(aces)


def _check_offset(offset: int) -> None:
    if offset < _HEADER.size:
        raise MalformedDescriptor(f"offset {offset} points into the header")


def _sid_bytes(sid: str | None) -> bytes:
    return b"" if sid is None else parse_sid(sid)


def _acl_bytes(dacl: tuple[Ace, ...] | None) -> bytes:
    if dacl is None:
        return b""
    revision = _OBJECT_REVISION if any(ace.is_object_ace for ace in dacl) else _SIMPLE_REVISION
    aces = b"".join(serialise_ace(ace) for ace in dacl)
    size = _ACL_HEADER.size + len(aces)
    if size > _MAX_ACL_SIZE:
        raise ValueError(f"an ACL cannot have {size} bytes")
    return _ACL_HEADER.pack(revision, 0, size, len(dacl), 0) + aces
