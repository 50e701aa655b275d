"""Security identifiers (MS-DTYP 2.4.2)."""

from __future__ import annotations

import struct

_HEADER_SIZE = 8
_MAX_SUB_AUTHORITIES = 15


def format_sid(raw: bytes) -> str:
    """Return a binary SID as `S-1-...` (MS-DTYP 2.4.2.1, 2.4.2.2). Raises ValueError when it is not one."""
    if len(raw) < _HEADER_SIZE or raw[0] != 1 or raw[1] > _MAX_SUB_AUTHORITIES or len(raw) != 8 + 4 * raw[1]:
        msg = f"{len(raw)} bytes are no SID"
        raise ValueError(msg)
    authority = int.from_bytes(raw[2:8], "big")
    sub_authorities = struct.unpack_from(f"<{raw[1]}I", raw, 8)
    shown = f"0x{authority:012x}" if authority >= 1 << 32 else str(authority)
    return "-".join(["S-1", shown, *map(str, sub_authorities)])
