"""Access mask bits as Active Directory reads them (MS-DTYP 2.4.3, MS-ADTS 5.1.3.2)."""

from __future__ import annotations

from enum import IntFlag
from functools import lru_cache


class AccessMask(IntFlag):
    """Rights of directory objects, named as in MS-ADTS 5.1.3.2; SDDL letters are in `sddl`."""

    CREATE_CHILD = 0x0000_0001
    DELETE_CHILD = 0x0000_0002
    LIST_CONTENTS = 0x0000_0004
    VALIDATED_WRITE = 0x0000_0008
    READ_PROPERTY = 0x0000_0010
    WRITE_PROPERTY = 0x0000_0020
    DELETE_TREE = 0x0000_0040
    LIST_OBJECT = 0x0000_0080
    CONTROL_ACCESS = 0x0000_0100
    DELETE = 0x0001_0000
    READ_CONTROL = 0x0002_0000
    WRITE_DAC = 0x0004_0000
    WRITE_OWNER = 0x0008_0000
    SYNCHRONIZE = 0x0010_0000
    ACCESS_SYSTEM_SECURITY = 0x0100_0000
    GENERIC_ALL = 0x1000_0000
    GENERIC_EXECUTE = 0x2000_0000
    GENERIC_WRITE = 0x4000_0000
    GENERIC_READ = 0x8000_0000


FULL_CONTROL = AccessMask(0x000F_01FF)
"""Every right a DACL of a directory object can give."""
READ_RIGHTS = (
    AccessMask.READ_CONTROL | AccessMask.LIST_CONTENTS | AccessMask.READ_PROPERTY | AccessMask.LIST_OBJECT
)
RIGHTS_BEYOND_READ = FULL_CONTROL & ~READ_RIGHTS
DIRECTORY_RIGHTS: tuple[AccessMask, ...] = tuple(FULL_CONTROL)
"""The single bits of FULL_CONTROL, lowest first."""

# What the generic bits stand for on a directory object.
_GENERIC_MAPPING: tuple[tuple[int, int], ...] = (
    (int(AccessMask.GENERIC_READ), int(READ_RIGHTS)),
    (
        int(AccessMask.GENERIC_WRITE),
        int(AccessMask.READ_CONTROL | AccessMask.WRITE_PROPERTY | AccessMask.VALIDATED_WRITE),
    ),
    (int(AccessMask.GENERIC_EXECUTE), int(AccessMask.READ_CONTROL | AccessMask.LIST_CONTENTS)),
    (int(AccessMask.GENERIC_ALL), int(FULL_CONTROL)),
)
_GENERIC_BITS = sum(bit for bit, _ in _GENERIC_MAPPING)

_WORDS: dict[AccessMask, str] = {
    AccessMask.CREATE_CHILD: "create child objects",
    AccessMask.DELETE_CHILD: "delete child objects",
    AccessMask.LIST_CONTENTS: "list contents",
    AccessMask.VALIDATED_WRITE: "validated write",
    AccessMask.READ_PROPERTY: "read property",
    AccessMask.WRITE_PROPERTY: "write property",
    AccessMask.DELETE_TREE: "delete subtree",
    AccessMask.LIST_OBJECT: "list object",
    AccessMask.CONTROL_ACCESS: "extended right",
    AccessMask.DELETE: "delete",
    AccessMask.READ_CONTROL: "read permissions",
    AccessMask.WRITE_DAC: "modify permissions",
    AccessMask.WRITE_OWNER: "modify owner",
    AccessMask.SYNCHRONIZE: "synchronize",
    AccessMask.ACCESS_SYSTEM_SECURITY: "access system security",
}


def map_generic_rights(mask: int) -> int:
    """Return `mask` with generic bits replaced by the directory rights they stand for (MS-ADTS 5.1.3.2)."""
    mapped = mask & ~_GENERIC_BITS
    for generic, rights in _GENERIC_MAPPING:
        if mask & generic:
            mapped |= rights
    return mapped


@lru_cache(maxsize=1 << 10)  # a domain's entries have few different masks
def rights_in_words(mask: int) -> tuple[str, ...]:
    """Return the rights of a mask in words, lowest bit first; all directory rights are "full control".

    Generic bits are mapped before; bits without a meaning for directory objects stay visible in hexadecimal.
    """
    rest = map_generic_rights(mask)
    words = []
    if rest & FULL_CONTROL == FULL_CONTROL:
        words.append("full control")
        rest &= ~int(FULL_CONTROL)
    words += [word for right, word in _WORDS.items() if rest & right]
    unnamed = rest & ~sum(_WORDS)
    return (*words, f"0x{unnamed:x}") if unnamed else tuple(words)
