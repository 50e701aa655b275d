"""Security identifiers (MS-DTYP 2.4.2)."""

from __future__ import annotations

import re
import struct
from functools import lru_cache

_HEADER_SIZE = 8
_MAX_SUB_AUTHORITIES = 15
_SID_TEXT = re.compile(r"S-1-([0-9]{1,10}|0x[0-9a-f]{12})((?:-[0-9]{1,10}){0,15})", re.ASCII | re.IGNORECASE)
_DOMAIN_ACCOUNT = re.compile(r"(S-1-5-21-[0-9]+-[0-9]+-[0-9]+)-[0-9]+", re.ASCII)


def format_sid(raw: bytes) -> str:
    """Return a binary SID as `S-1-...` (MS-DTYP 2.4.2.1, 2.4.2.2). Raises ValueError when it is not one."""
    if len(raw) < _HEADER_SIZE or raw[0] != 1 or raw[1] > _MAX_SUB_AUTHORITIES or len(raw) != 8 + 4 * raw[1]:
        msg = f"{len(raw)} bytes are no SID"
        raise ValueError(msg)
    authority = int.from_bytes(raw[2:8], "big")
    sub_authorities = struct.unpack_from(f"<{raw[1]}I", raw, 8)
    shown = f"0x{authority:012x}" if authority >= 1 << 32 else str(authority)
    return "-".join(["S-1", shown, *map(str, sub_authorities)])


_format_repeated = lru_cache(maxsize=1 << 12)(format_sid)  # owners and trustees repeat


def parse_sid(text: str) -> bytes:
    """Return the binary form of `S-1-...` (MS-DTYP 2.4.2.1). Raises ValueError when it is not one."""
    match = _SID_TEXT.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no SID")
    authority = int(match[1], 16 if match[1][:2] in {"0x", "0X"} else 10)
    sub_authorities = [int(part) for part in match[2].split("-")[1:]]
    if authority >= 1 << 48 or any(part >= 1 << 32 for part in sub_authorities):
        raise ValueError(f"{text!r} is no SID: a part is too large")
    head = bytes([1, len(sub_authorities)]) + authority.to_bytes(6, "big")
    return head + struct.pack(f"<{len(sub_authorities)}I", *sub_authorities)


def read_sid(data: bytes, offset: int) -> tuple[str, int]:
    """Return the SID that starts at `offset` and the offset after it. Raises ValueError when none does."""
    if offset + _HEADER_SIZE > len(data):
        raise ValueError(f"a SID at offset {offset} ends beyond {len(data)} bytes")
    end = offset + _HEADER_SIZE + 4 * data[offset + 1]
    return _format_repeated(data[offset:end]), end


def domain_of_sid(sid: str) -> str | None:
    """Return the domain's SID of a domain account (`S-1-5-21-x-y-z-rid`); None for every other SID."""
    match = _DOMAIN_ACCOUNT.fullmatch(sid)
    return None if match is None else match[1]


def rid_of_sid(sid: str) -> int:
    """Return the relative identifier: the last sub-authority. Raises ValueError when `sid` is not one."""
    raw = parse_sid(sid)
    if not raw[1]:
        raise ValueError(f"{sid!r} has no sub-authority")
    return int.from_bytes(raw[-4:], "little")
