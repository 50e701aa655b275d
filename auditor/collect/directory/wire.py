"""Asks searches over a signed-in connection and takes the answers apart (RFC 4511 4.5).

ldap3 writes the requests and reads the results. Entries, of which there are thousands, are unpacked here: raw values
are all that is wanted of them, and every length is compared with what is there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ldap3.core.exceptions import LDAPSessionTerminatedByServerError
from ldap3.utils.asn1 import decode_message_fast

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ldap3 import Connection

_RECEIVED_AT_ONCE = 16384  # bytes: one TLS record (RFC 8446 5.1)
_LARGEST_LENGTH = 4  # bytes; LDAP numbers go no further (RFC 4511 4.1.1)
_DISCONNECTION = "1.3.6.1.4.1.1466.20036"  # RFC 4511 4.4.1
# Tags of RFC 4511 appendix B and X.690
_INTEGER, _OCTETS, _SEQUENCE, _SET, _ENTRY = 0x02, 0x04, 0x30, 0x31, 0x64


class NotLdapError(ValueError):
    """What came is no answer to what was asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """All of one answer: the result as ldap3 reads it, the entries as they came, and the URLs of continuations."""

    result: Mapping[str, Any]
    entries: Sequence[bytes]
    continuations: Sequence[str]


class Wire:
    """Sends one search at a time and receives its answer. Raises what `LDAP_FAILURES` lists."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._received = bytearray()

    def send(self, request: Any, controls: Sequence[Any]) -> int:  # noqa: ANN401 - ldap3's form of a search
        """Send a search; return the number its answer goes by."""
        strategy: Any = self._connection.strategy
        number: int = self._connection.send("searchRequest", request, controls)
        del strategy._outstanding[number]  # noqa: SLF001 - ldap3 is not to wait for this answer
        return number

    def receive(self, number: int) -> Answer:
        """Wait for the whole answer to the search sent as `number`."""
        strategy: Any = self._connection.strategy
        entries: list[bytes] = []
        continuations: list[str] = []
        while True:
            message = self._next_message()
            answers, operation = _envelope(message)
            if operation == _ENTRY and answers == number:
                entries.append(message)
                continue
            other = strategy.decode_response_fast(decode_message_fast(message))  # type: ignore[no-untyped-call]
            if answers == 0 and other.get("responseName") == _DISCONNECTION:
                raise LDAPSessionTerminatedByServerError
            if answers != number:
                raise NotLdapError("an answer to something else")
            if other["type"] == "searchResDone":
                return Answer(result=other, entries=entries, continuations=continuations)
            if other["type"] == "searchResRef":
                continuations.extend(other["uri"] or ())
            elif other["type"] != "intermediateResponse":
                raise NotLdapError("not an answer to a search")

    def _next_message(self) -> bytes:
        received = self._received
        while True:
            size = _size_of_first(received)
            if size is not None and size <= len(received):
                message = bytes(received[:size])
                del received[:size]
                return message
            more = self._connection.socket.recv(_RECEIVED_AT_ONCE)
            if not more:
                raise LDAPSessionTerminatedByServerError
            received += more


def unpacked_entry(message: bytes) -> tuple[str, dict[str, tuple[bytes, ...]]]:
    """Return DN and raw values by lower-case name of an entry. Raises ValueError when it is none."""
    _, at, end = _element(message, 0, len(message))
    _, _, at = _element(message, at, end)
    at, end = _content(message, at, end, _ENTRY)
    start, at = _content(message, at, end, _OCTETS)
    dn = message[start:at].decode("utf-8")
    attributes: dict[str, tuple[bytes, ...]] = {}
    at, end = _content(message, at, end, _SEQUENCE)
    while at < end:
        start, stop = _content(message, at, end, _SEQUENCE)
        at = stop
        name, start = _content(message, start, stop, _OCTETS)
        attribute = message[name:start].decode("utf-8").lower()
        start, stop = _content(message, start, stop, _SET)
        values = []
        while start < stop:
            first, start = _content(message, start, stop, _OCTETS)
            values.append(message[first:start])
        if values:
            attributes[attribute] = tuple(values)
    return dn, attributes


def _envelope(message: bytes) -> tuple[int, int]:
    """Return the number of the request that a message answers, and the tag of its operation."""
    at, end = _content(message, 0, len(message), _SEQUENCE)
    start, at = _content(message, at, end, _INTEGER)
    operation, _, _ = _element(message, at, end)
    return int.from_bytes(message[start:at], "big", signed=True), operation


def _content(data: bytes, at: int, end: int, tag: int) -> tuple[int, int]:
    """Return start and end of the content of the element at `at`, which must have that tag."""
    found, start, stop = _element(data, at, end)
    if found != tag:
        raise NotLdapError(f"an element with tag {found:#x} in place of {tag:#x}")
    return start, stop


def _element(data: bytes, at: int, end: int) -> tuple[int, int, int]:
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


def _size_of_first(received: bytearray) -> int | None:
    """Return how long the first message is, None while that cannot be told yet."""
    if len(received) < 2:  # noqa: PLR2004 - tag and length
        return None
    if received[0] != _SEQUENCE:
        raise NotLdapError("a message that is none")
    length = received[1]
    if length < 0x80:  # noqa: PLR2004 - the short form, X.690 8.1.3.4
        return 2 + length
    size = length - 0x80
    if not 0 < size <= _LARGEST_LENGTH:
        raise NotLdapError("a length that is none")
    return 2 + size + int.from_bytes(received[2 : 2 + size], "big") if len(received) >= 2 + size else None
