"""Takes LDAP messages apart that answer a search or a bind (RFC 4511 4.1.1, 4.1.9, 4.5.2). Raises ValueError.

ldap3's own decoder is not asked: a number of some hundred thousand bytes keeps it busy for minutes, and of a number
where octets belong it makes as many octets as the number says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ldap3.core.results import RESULT_CODES

from auditor.collect.directory.ber import (
    ENUMERATED,
    INTEGER,
    OCTETS,
    SEQUENCE,
    SET,
    NotLdapError,
    content,
    element,
    elements,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

# Operations, RFC 4511 appendix B
BIND_RESULT, ENTRY, SEARCH_RESULT, CONTINUATION, EXTENDED, INTERMEDIATE = 0x61, 0x64, 0x65, 0x73, 0x78, 0x79
_CONTROLS, _REFERRAL, _CHALLENGE, _EXTENSION_NAME = 0xA0, 0xA3, 0x87, 0x8A
_DISCONNECTION = b"1.3.6.1.4.1.1466.20036"  # RFC 4511 4.4.1
_PAGED_RESULTS = b"1.2.840.113556.1.4.319"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How an operation ended (RFC 4511 4.1.9).

    `challenge` is what a SASL bind is to answer. `cookie` is that of the control for pages (RFC 2696 2), None where
    this did not come.
    """

    code: int
    description: str
    message: str
    referrals: tuple[str, ...]
    challenge: bytes
    cookie: bytes | None


def envelope(message: bytes) -> tuple[int, int, int, int, int]:
    """Return the number of the request that a message answers, tag and bounds of its operation, and its end."""
    at, end = content(message, 0, len(message), SEQUENCE)
    start, at = content(message, at, end, INTEGER)
    tag, first, last = element(message, at, end)
    return int.from_bytes(message[start:at], "big", signed=True), tag, first, last, end


def unpacked_entry(message: bytes) -> tuple[str, dict[str, tuple[bytes, ...]]]:
    """Return DN and raw values by lower-case name of an entry."""
    _, tag, at, end, _ = envelope(message)
    if tag != ENTRY:
        raise NotLdapError("no entry")
    start, at = content(message, at, end, OCTETS)
    dn = message[start:at].decode("utf-8")
    attributes: dict[str, tuple[bytes, ...]] = {}
    at, end = content(message, at, end, SEQUENCE)
    while at < end:
        start, stop = content(message, at, end, SEQUENCE)
        at = stop
        name, start = content(message, start, stop, OCTETS)
        attribute = message[name:start].decode("utf-8").lower()
        start, stop = content(message, start, stop, SET)
        values = []
        while start < stop:
            first, start = content(message, start, stop, OCTETS)
            values.append(message[first:start])
        if values:
            attributes[attribute] = tuple(values)
    return dn, attributes


def unpacked_continuation(message: bytes) -> tuple[str, ...]:
    """Return the URLs of a part of the answer that other servers hold (RFC 4511 4.5.3)."""
    _, _, at, end, _ = envelope(message)
    return _texts(message, at, end)


def unpacked_result(message: bytes) -> Result:
    """Return how an operation ended."""
    _, _, at, stop, end = envelope(message)
    start, at = content(message, at, stop, ENUMERATED)
    code = int.from_bytes(message[start:at], "big", signed=True)
    if code not in RESULT_CODES:
        raise NotLdapError("a result code of no meaning")
    _, at = content(message, at, stop, OCTETS)  # the closest object that exists
    start, at = content(message, at, stop, OCTETS)
    text = message[start:at].decode("utf-8", "replace")
    referrals: tuple[str, ...] = ()
    challenge = b""
    for tag, first, last in elements(message, at, stop):
        if tag == _REFERRAL:
            referrals = _texts(message, first, last)
        elif tag == _CHALLENGE:
            challenge = message[first:last]
    return Result(
        code=code,
        description=RESULT_CODES[code],
        message=text,
        referrals=referrals,
        challenge=challenge,
        cookie=_cookie(message, stop, end),
    )


def tells_disconnection(message: bytes) -> bool:
    """Tell whether a message is the notice that the server ends the session."""
    _, operation, at, end, _ = envelope(message)
    return operation == EXTENDED and any(
        tag == _EXTENSION_NAME and message[start:stop] == _DISCONNECTION
        for tag, start, stop in elements(message, at, end)
    )


def _cookie(message: bytes, at: int, end: int) -> bytes | None:
    for name, value in _controls(message, at, end):
        if name == _PAGED_RESULTS:
            start, stop = content(value, 0, len(value), SEQUENCE)
            _, start = content(value, start, stop, INTEGER)
            start, stop = content(value, start, stop, OCTETS)
            return value[start:stop]
    return None


def _controls(message: bytes, at: int, end: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield name and value of each control that follows the operation (RFC 4511 4.1.11)."""
    if at == end:
        return
    at, end = content(message, at, end, _CONTROLS)
    while at < end:
        start, stop = content(message, at, end, SEQUENCE)
        at = stop
        name, start = content(message, start, stop, OCTETS)
        values = [message[first:last] for tag, first, last in elements(message, start, stop) if tag == OCTETS]
        yield message[name:start], values[0] if values else b""


def _texts(message: bytes, at: int, end: int) -> tuple[str, ...]:
    found = []
    while at < end:
        start, at = content(message, at, end, OCTETS)
        found.append(message[start:at].decode("utf-8", "replace"))
    return tuple(found)
