"""Access control entries: their binary form and what each one means (MS-DTYP 2.4.4)."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from enum import IntFlag, StrEnum
from functools import lru_cache
from uuid import UUID

from auditor.acl.rights import map_generic_rights
from auditor.acl.sid import parse_sid, read_sid

ACE_HEADER_SIZE = 4
_MAX_ACE_SIZE = 0xFFFF
_GUID_SIZE = 16
_OBJECT_TYPE_PRESENT = 1
_INHERITED_OBJECT_TYPE_PRESENT = 2
_DISTINCT_ACES_KEPT = 1 << 15


class MalformedDescriptor(ValueError):
    """Bytes that are no security descriptor, or no part of one."""


class AceFlag(IntFlag):
    """ACE header flags (MS-DTYP 2.4.4.1)."""

    OBJECT_INHERIT = 0x01
    CONTAINER_INHERIT = 0x02
    NO_PROPAGATE_INHERIT = 0x04
    INHERIT_ONLY = 0x08
    INHERITED = 0x10


class AceKind(StrEnum):
    """What an ACE does in a DACL."""

    ALLOW = "allow"
    DENY = "deny"
    CONDITIONAL_ALLOW = "conditional_allow"
    CONDITIONAL_DENY = "conditional_deny"
    OTHER = "other"


_KINDS: dict[int, AceKind] = {
    0x00: AceKind.ALLOW, 0x05: AceKind.ALLOW,
    0x01: AceKind.DENY, 0x06: AceKind.DENY,
    0x09: AceKind.CONDITIONAL_ALLOW, 0x0B: AceKind.CONDITIONAL_ALLOW,
    0x0A: AceKind.CONDITIONAL_DENY, 0x0C: AceKind.CONDITIONAL_DENY,
}  # fmt: skip
_OBJECT_TYPES = frozenset({0x05, 0x06, 0x07, 0x0B, 0x0C, 0x0F})
_SIMPLE_TYPES = frozenset({0x00, 0x01, 0x02, 0x09, 0x0A, 0x0D, 0x11, 0x12, 0x13})


# Plain integers: flag arithmetic costs several times more, and these are asked of every ACE of a domain.
_CONTAINER_INHERIT = int(AceFlag.CONTAINER_INHERIT)
_NO_PROPAGATE = int(AceFlag.NO_PROPAGATE_INHERIT)
_INHERIT_ONLY = int(AceFlag.INHERIT_ONLY)
_INHERITED = int(AceFlag.INHERITED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ace:
    """One ACE. `type`, `flags` and `mask` are as stored; `rights` is the mask with generic bits mapped.

    GUIDs are lower-case text. `application_data` is what follows the SID: the condition of a callback ACE.
    Of a type whose layout MS-DTYP 2.4.4 does not document, it holds everything after the header, and the
    mask is 0 and the trustee empty: such an ACE is carried, not interpreted.
    """

    type: int
    flags: int = 0
    mask: int
    trustee: str
    object_type: str | None = None
    inherited_object_type: str | None = None
    application_data: bytes = b""
    kind: AceKind = field(init=False, compare=False)
    rights: int = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", _KINDS.get(self.type, AceKind.OTHER))
        object.__setattr__(self, "rights", map_generic_rights(self.mask))

    @property
    def is_inherited(self) -> bool:
        """Whether the ACE came from the parent."""
        return bool(self.flags & _INHERITED)

    @property
    def is_inherit_only(self) -> bool:
        """Whether the ACE only waits for children and has no effect on the object itself."""
        return bool(self.flags & _INHERIT_ONLY)

    @property
    def container_inherit(self) -> bool:
        """Whether children inherit the ACE; every directory object counts as a container."""
        return bool(self.flags & _CONTAINER_INHERIT)

    @property
    def no_propagate(self) -> bool:
        """Whether inheritance stops at direct children."""
        return bool(self.flags & _NO_PROPAGATE)

    @property
    def is_object_ace(self) -> bool:
        """Whether the layout has room for object types."""
        return self.type in _OBJECT_TYPES


@lru_cache(maxsize=_DISTINCT_ACES_KEPT)  # a domain repeats few ACEs very often
def parse_ace(raw: bytes) -> Ace:
    """Return the ACE in `raw`, header included. Raises MalformedDescriptor.

    `raw` is exactly as long as the size in its header says.
    """
    if len(raw) < ACE_HEADER_SIZE or int.from_bytes(raw[2:4], "little") != len(raw):
        raise MalformedDescriptor(f"{len(raw)} bytes are no ACE")
    ace_type, flags = raw[0], raw[1]
    try:
        if ace_type in _SIMPLE_TYPES:
            (mask,) = struct.unpack_from("<I", raw, 4)
            object_type, inherited_object_type, offset = None, None, 8
        elif ace_type in _OBJECT_TYPES:
            mask, present = struct.unpack_from("<II", raw, 4)
            object_type, offset = _read_guid(raw, 12, present & _OBJECT_TYPE_PRESENT)
            inherited_object_type, offset = _read_guid(raw, offset, present & _INHERITED_OBJECT_TYPE_PRESENT)
        else:
            return Ace(type=ace_type, flags=flags, mask=0, trustee="", application_data=raw[ACE_HEADER_SIZE:])
        trustee, end = read_sid(raw, offset)
    except (struct.error, ValueError) as error:
        raise MalformedDescriptor(f"ACE of type {ace_type:#04x}, {len(raw)} bytes: {error}") from error
    return Ace(
        type=ace_type,
        flags=flags,
        mask=mask,
        trustee=trustee,
        object_type=object_type,
        inherited_object_type=inherited_object_type,
        application_data=raw[end:],
    )


def serialise_ace(ace: Ace) -> bytes:
    """Return the binary form. Raises ValueError for an ACE that has none.

    That is one whose trustee is no SID, whose object type has no place in its layout, or whose size is no
    multiple of four or too large (MS-DTYP 2.4.4.1).
    """
    if not ace.is_object_ace and (ace.object_type is not None or ace.inherited_object_type is not None):
        raise ValueError(f"an ACE of type {ace.type:#04x} carries no object type")
    if ace.is_object_ace or ace.type in _SIMPLE_TYPES:
        trustee = parse_sid(ace.trustee)
        body = struct.pack("<I", ace.mask) + _object_fields(ace) + trustee + ace.application_data
    else:
        body = ace.application_data
    size = ACE_HEADER_SIZE + len(body)
    if size % 4 or size > _MAX_ACE_SIZE:
        raise ValueError(f"an ACE cannot have {size} bytes")
    return struct.pack("<BBH", ace.type, ace.flags, size) + body


def _read_guid(raw: bytes, offset: int, present: int) -> tuple[str | None, int]:
    if not present:
        return None, offset
    end = offset + _GUID_SIZE
    return str(UUID(bytes_le=raw[offset:end])), end


def _object_fields(ace: Ace) -> bytes:
    if not ace.is_object_ace:
        return b""
    present, guids = 0, b""
    if ace.object_type is not None:
        present |= _OBJECT_TYPE_PRESENT
        guids += UUID(ace.object_type).bytes_le
    if ace.inherited_object_type is not None:
        present |= _INHERITED_OBJECT_TYPE_PRESENT
        guids += UUID(ace.inherited_object_type).bytes_le
    return struct.pack("<I", present) + guids
