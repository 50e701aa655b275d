"""A TLS server on a loopback address that answers LDAP as a test says, and remembers what it was sent."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self, TypeAlias

from ldap3.protocol.rfc4511 import LDAPMessage
from ldap3.strategy.base import BaseStrategy
from ldap3.utils.asn1 import encode
from pyasn1.codec.ber import decoder

from tests.unit.collect.directory import ber

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

Attributes: TypeAlias = "Mapping[str, Sequence[bytes | str]]"
Answer: TypeAlias = "Callable[[Request], bytes]"

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
    """A search that arrived. `filter` is the raw BER; `cookie` that of the paged results control."""

    message_id: int
    base: str
    is_subtree: bool
    filter: bytes
    attributes: tuple[str, ...]
    controls: tuple[str, ...]
    cookie: bytes

    def entry(self, dn: str | bytes, attributes: Attributes) -> bytes:
        return ber.entry(self.message_id, dn, attributes)

    def done(self, code: int = 0, text: str = "", *, cookie: bytes = b"", referrals: Sequence[str] = ()) -> bytes:
        paged = ber.PAGED_RESULTS.decode() in self.controls
        return ber.done(
            self.message_id, code, text, cookie=cookie if paged and not code else None, referrals=referrals
        )


def nothing(request: Request) -> bytes:
    """Answer that there is no such object, or nothing that matches."""
    return request.done() if request.is_subtree else request.done(32, "0000208D: NameErr: NO_OBJECT")


def directory(objects: Mapping[str, Attributes], matches: Mapping[bytes, Sequence[str]] | None = None) -> Answer:
    """Answer base searches from `objects`, subtree searches with those DNs whose key is part of the filter."""

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

    `binds` holds (name, password) as sent, `requests` the searches, `received` every byte inside of TLS.
    """

    pem_file: Path
    answer: Answer = nothing
    root_dse: Attributes = field(default_factory=lambda: ROOT_DSE)
    bind_code: int = 0
    bind_text: str = ""
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
        with suppress(OSError), self._context.wrap_socket(plain, server_side=True) as connection:
            self._open.append(connection)
            self.handshakes += 1
            pending = b""
            while received := connection.recv(65536):
                self.received += received
                pending += received
                while 0 < (size := BaseStrategy.compute_ldap_message_size(pending)) <= len(pending):
                    answer = self._answer(pending[:size])
                    pending = pending[size:]
                    if not answer:
                        return
                    connection.sendall(answer)

    def _answer(self, raw: bytes) -> bytes:
        message, _ = decoder.decode(raw, asn1Spec=LDAPMessage())
        message_id = int(message["messageID"])
        operation = message["protocolOp"]
        if operation.getName() == "bindRequest":
            bind = operation["bindRequest"]
            self.binds.append((str(bind["name"]), bytes(bind["authentication"]["simple"])))
            return ber.bind_response(message_id, self.bind_code, self.bind_text)
        if operation.getName() != "searchRequest":
            return b""
        request = _request(message_id, operation["searchRequest"], message["controls"])
        self.requests.append(request)
        if not request.base and not request.is_subtree and "tokenGroups" not in request.attributes:
            return request.entry("", self.root_dse) + request.done()
        return self.answer(request)


def _request(message_id: int, search: LDAPMessage, controls: LDAPMessage) -> Request:
    cookie = b""
    names = []
    for control in controls if controls.hasValue() else ():
        names.append(str(control["controlType"]))
        if names[-1].encode() == ber.PAGED_RESULTS:
            value, _ = decoder.decode(bytes(control["controlValue"]))
            cookie = bytes(value[1])
    return Request(
        message_id=message_id,
        base=str(search["baseObject"]),
        is_subtree=int(search["scope"]) == 2,
        filter=encode(search["filter"]),
        attributes=tuple(map(str, search["attributes"])),
        controls=tuple(names),
        cookie=cookie,
    )
