"""Sends requests over a connection of ldap3 and receives their answers (RFC 4511 4.2, 4.5).

ldap3 writes the requests. What comes is taken apart by `answers`: of an answer, raw values are all that is wanted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ldap3.core.exceptions import LDAPSessionTerminatedByServerError

from auditor.collect.directory.answers import (
    BIND_RESULT,
    CONTINUATION,
    ENTRY,
    INTERMEDIATE,
    SEARCH_RESULT,
    Result,
    envelope,
    tells_disconnection,
    unpacked_continuation,
    unpacked_result,
)
from auditor.collect.directory.ber import NotLdapError, size_of_first

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ldap3 import Connection

_RECEIVED_AT_ONCE = 16384  # bytes: one TLS record (RFC 8446 5.1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """All of the answer to a search: the result, the entries as they came, and the URLs of continuations."""

    result: Result
    entries: Sequence[bytes]
    continuations: Sequence[str]


class Wire:
    """Sends one request at a time and receives its answer. Raises what `LDAP_FAILURES` lists."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._received = bytearray()

    def send(
        self,
        operation: Literal["bindRequest", "searchRequest"],
        request: Any,  # noqa: ANN401 - ldap3's form of it
        controls: Sequence[Any] = (),
    ) -> int:
        """Send a request; return the number its answer goes by."""
        strategy: Any = self._connection.strategy
        number: int = self._connection.send(operation, request, list(controls) or None)
        del strategy._outstanding[number]  # noqa: SLF001 - ldap3 is not to wait for this answer
        return number

    def receive_bind(self, number: int) -> Result:
        """Wait for the answer to the bind sent as `number`."""
        operation, message = self._next_answer(number)
        if operation != BIND_RESULT:
            raise NotLdapError("not an answer to a bind")
        return unpacked_result(message)

    def receive(self, number: int) -> Answer:
        """Wait for the whole answer to the search sent as `number`."""
        entries: list[bytes] = []
        continuations: list[str] = []
        while True:
            operation, message = self._next_answer(number)
            if operation == ENTRY:
                entries.append(message)
            elif operation == SEARCH_RESULT:
                return Answer(result=unpacked_result(message), entries=entries, continuations=continuations)
            elif operation == CONTINUATION:
                continuations.extend(unpacked_continuation(message))
            elif operation != INTERMEDIATE:
                raise NotLdapError("not an answer to a search")

    def _next_answer(self, number: int) -> tuple[int, bytes]:
        """Return the next message, which must answer that request, and the tag of its operation."""
        message = self._next_message()
        answered, operation, *_ = envelope(message)
        if answered == number:
            return operation, message
        if answered == 0 and tells_disconnection(message):
            raise LDAPSessionTerminatedByServerError
        raise NotLdapError("an answer to something else")

    def _next_message(self) -> bytes:
        received = self._received
        while True:
            size = size_of_first(received)
            if size is not None and size <= len(received):
                message = bytes(received[:size])
                del received[:size]
                return message
            more = self._connection.socket.recv(_RECEIVED_AT_ONCE)
            if not more:
                raise LDAPSessionTerminatedByServerError
            received += more
