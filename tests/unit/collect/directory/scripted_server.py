"""A TLS server on a loopback address that answers LDAP as a test says, and remembers what it was sent."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self, TypeAlias

from tests.unit.collect.directory import ber

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

Attributes: TypeAlias = "Mapping[str, Sequence[bytes | str]]"
Answer: TypeAlias = "Callable[[Request], bytes]"
Accept: TypeAlias = "Callable[[bytes], tuple[int, str, bytes | None]]"

BASE, CHILDREN, SUBTREE = 0, 1, 2  # RFC 4511 4.5.1.2

HEAD = "DC=corp,DC=example,DC=com"
CONFIGURATION = f"CN=Configuration,{HEAD}"
ROOT_DSE: Attributes = {
    "namingContexts": [HEAD, CONFIGURATION],
    "defaultNamingContext": [HEAD],
    "configurationNamingContext": [CONFIGURATION],
    "dnsHostName": ["dc1.corp.example.com"],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A search that arrived. `filter` is the raw BER; `page_size` and `cookie` those of the paged results control."""

    message_id: int
    base: str
    scope: int
    filter: bytes
    attributes: tuple[str, ...]
    controls: tuple[str, ...]
    page_size: int
    cookie: bytes

    @property
    def is_subtree(self) -> bool:
        return self.scope == SUBTREE

    def entry(self, dn: str | bytes, attributes: Attributes) -> bytes:
        return ber.entry(self.message_id, dn, attributes)

    def done(
        self, code: int = 0, text: str = "", *, cookie: bytes = b"", referrals: Sequence[str] = ()
    ) -> bytes:
        paged = ber.PAGED_RESULTS.decode() in self.controls
        return ber.done(
            self.message_id, code, text, cookie=cookie if paged and not code else None, referrals=referrals
        )


def nothing(request: Request) -> bytes:
    """Answer that there is no such object, or nothing that matches."""
    return request.done() if request.is_subtree else request.done(32, "0000208D: NameErr: NO_OBJECT")


def directory(
    objects: Mapping[str, Attributes], matches: Mapping[bytes, Sequence[str]] | None = None
) -> Answer:
    """Answer base searches from `objects`, subtree searches with the DNs whose key is part of the filter."""

    def answer(request: Request) -> bytes:
        if not request.is_subtree:
            found = objects.get(request.base)
            return nothing(request) if found is None else request.entry(request.base, found) + request.done()
        dns = [dn for part, names in (matches or {}).items() if part in request.filter for dn in names]
        return b"".join(request.entry(dn, objects[dn]) for dn in dns) + request.done()

    return answer


@dataclass(kw_only=True)
class ScriptedServer:
    """Speaks TLS with the certificate of `pem_file`, accepts binds with `bind_code`, searches with `answer`.

    `accept` is given each token of a SASL bind, and returns result code, text and challenge.
    `binds` holds (name, password) as sent, `requests` the searches, `received` every byte inside of TLS.
    """

    pem_file: Path
    answer: Answer = nothing
    root_dse: Attributes = field(default_factory=lambda: ROOT_DSE)
    bind_code: int = 0
    bind_text: str = ""
    accept: Accept | None = None
    address: str = "127.0.0.1"
    port: int = 0
    binds: list[tuple[str, bytes]] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    received: bytearray = field(default_factory=bytearray)
    handshakes: int = 0

    def __enter__(self) -> Self:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(self.pem_file)
        self._listener = socket.create_server((self.address, self.port))
        self.port = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for open_socket in (self._listener, *self._open):
            with suppress(OSError):
                open_socket.shutdown(socket.SHUT_RDWR)
            open_socket.close()
        for thread in self._threads:
            thread.join(timeout=5)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                plain, _ = self._listener.accept()
                thread = threading.Thread(target=self._serve, args=(plain,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, plain: socket.socket) -> None:
        # IndexError: bytes that are no LDAP, from a stranger who took this port for one just given up
        with suppress(OSError, IndexError), self._context.wrap_socket(plain, server_side=True) as connection:
            self._open.append(connection)
            self.handshakes += 1
            pending = b""
            while received := connection.recv(65536):
                self.received += received
                pending += received
                while 0 < (size := ber.size_of_first(pending)) <= len(pending):
                    answer = self._answer(pending[:size])
                    pending = pending[size:]
                    if not answer:
                        return
                    connection.sendall(answer)

    def _answer(self, raw: bytes) -> bytes:
        ((_, envelope),) = ber.parts(raw)
        (_, number), (tag, operation), *controls = ber.parts(envelope)
        message_id = int.from_bytes(number, "big")
        if tag == ber.BIND_REQUEST:
            _, (_, name), (kind, password) = ber.parts(operation)
            if kind == ber.SASL_BIND and self.accept is not None:
                _, (_, token) = ber.parts(password)
                return ber.bind_response(message_id, *self.accept(token))
            self.binds.append((name.decode(), password))
            return ber.bind_response(message_id, self.bind_code, self.bind_text)
        if tag != ber.SEARCH_REQUEST:
            return b""
        request = _request(message_id, operation, controls[0][1] if controls else b"")
        self.requests.append(request)
        if not request.base and not request.is_subtree and "tokenGroups" not in request.attributes:
            return request.entry("", self.root_dse) + request.done()
        return self.answer(request)


def _request(message_id: int, search: bytes, controls: bytes) -> Request:
    (_, base), (_, scope), _, _, _, _, (kind, condition), (_, attributes) = ber.parts(search)
    values = {}
    for _, control in ber.parts(controls):
        (_, oid), *_, (_, value) = ber.parts(control)
        values[oid] = value
    size, cookie = b"", b""
    if ber.PAGED_RESULTS in values:
        ((_, paged),) = ber.parts(values[ber.PAGED_RESULTS])
        (_, size), (_, cookie) = ber.parts(paged)
    return Request(
        message_id=message_id,
        base=base.decode(),
        scope=scope[0],
        filter=ber.tlv(kind, condition),
        attributes=tuple(name.decode() for _, name in ber.parts(attributes)),
        controls=tuple(oid.decode() for oid in values),
        page_size=int.from_bytes(size, "big"),
        cookie=cookie,
    )
