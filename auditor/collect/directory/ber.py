"""Elements of the basic encoding rules as LDAP limits them (X.690 8.1, RFC 4511 5.1): tag, length, content.

Every length is compared with what is there, and nothing is read twice: whatever bytes come, the work grows with their
number alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

INTEGER, OCTETS, ENUMERATED, SEQUENCE, SET = 0x02, 0x04, 0x0A, 0x30, 0x31
_LARGEST_LENGTH = 4  # bytes; LDAP numbers go no further (RFC 4511 4.1.1)


class NotLdapError(ValueError):
    """What came is no answer to what was asked."""


def element(data: bytes, at: int, end: int) -> tuple[int, int, int]:
    """Return tag, start and end of content of the element at `at`, none of it beyond `end`."""
    start = at + 2
    if start > end:
        raise NotLdapError("an element that is cut off")
    length = data[at + 1]
    if length >= 0x80:  # noqa: PLR2004 - the long form, X.690 8.1.3.5
        size = length - 0x80
        if not 0 < size <= _LARGEST_LENGTH:
            raise NotLdapError("a length that is none")
        length = int.from_bytes(data[start : start + size], "big")
        start += size
    stop = start + length
    if stop > end:
        raise NotLdapError("an element that is longer than what it is in")
    return data[at], start, stop


def elements(data: bytes, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield tag, start and end of content of each element from `at` to `end`."""
    while at < end:
        tag, start, at = element(data, at, end)
        yield tag, start, at


def content(data: bytes, at: int, end: int, tag: int) -> tuple[int, int]:
    """Return start and end of the content of the element at `at`, which must have that tag."""
    found, start, stop = element(data, at, end)
    if found != tag:
        raise NotLdapError(f"an element with tag {found:#x} in place of {tag:#x}")
    return start, stop


def size_of_first(received: bytearray) -> int | None:
    """Return how long the first message is, None while that cannot be told yet."""
    if len(received) < 2:  # noqa: PLR2004 - tag and length
        return None
    if received[0] != SEQUENCE:
        raise NotLdapError("a message that is none")
    length = received[1]
    if length < 0x80:  # noqa: PLR2004 - the short form, X.690 8.1.3.4
        return 2 + length
    size = length - 0x80
    if not 0 < size <= _LARGEST_LENGTH:
        raise NotLdapError("a length that is none")
    return 2 + size + int.from_bytes(received[2 : 2 + size], "big") if len(received) >= 2 + size else None
