"""The local Microsoft 365 service: HTTPS on loopback for sign-in, Graph and Exchange Online."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import struct
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from auditor.model.connection import Endpoints
from tests.microsoft365.certificates import issue_server_identity
from tests.microsoft365.exchange import Exchange, command_of
from tests.microsoft365.faults import Fault, FaultKind, Faults
from tests.microsoft365.faulty_responses import ALTERATIONS, alteration, replacement
from tests.microsoft365.graph import Graph
from tests.microsoft365.login import Login
from tests.microsoft365.machine import Machine
from tests.microsoft365.tokens import TokenIssuer
from tests.microsoft365.wire import Request, Response, System

if TYPE_CHECKING:
    from types import TracebackType

    from tests.microsoft365.snapshot import Tenant

_MEGABYTE = b"x" * (1 << 20)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedRequest:
    """One request as received, without headers, form fields or tokens.

    `status` is None when no status line was sent.
    """

    system: System
    method: str
    path: str
    query: dict[str, str]
    cmdlet: str | None
    parameters: dict[str, Any] | None
    carried_authorization: bool
    status: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Loopback ports of the three systems; 0 lets the machine choose."""

    login: int = 0
    graph: int = 0
    exchange: int = 0


@dataclass(kw_only=True)
class _Listener:
    """What one listening server serves, and the connections it has open."""

    service: LocalMicrosoft365
    system: System
    tls: ssl.SSLContext | None
    open_connections: set[socket.socket] = field(default_factory=set)


class LocalMicrosoft365:
    """Serves a tenant while the context is open.

    `tenant` may be replaced at any time; tokens keep what they were issued with. `foreign` and
    `foreign_plain` are origins that must never be called; calls to them are logged as `System.FOREIGN`.
    `machine` is where a managed identity gets its tokens.
    """

    def __init__(
        self,
        tenant: Tenant,
        *,
        graph_page_size: int = 100,
        exchange_page_size: int = 1000,
        token_lifetime_seconds: int = 3599,
        ports: Ports = Ports(),
    ) -> None:
        self.tenant = tenant
        self.faults = Faults()
        self.requests: list[LoggedRequest] = []
        self.stopping = threading.Event()
        self.failures: list[Exception] = []
        self._page_sizes = graph_page_size, exchange_page_size
        self._token_lifetime = token_lifetime_seconds
        self._ports = ports
        self._resources = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as starting:
            folder = Path(starting.enter_context(tempfile.TemporaryDirectory(prefix="microsoft365-")))
            tls = self._issue_certificates(folder)
            login = self._listen(starting, System.LOGIN, tls, self._ports.login)
            graph = self._listen(starting, System.GRAPH, tls, self._ports.graph)
            exchange = self._listen(starting, System.EXCHANGE, tls, self._ports.exchange)
            self.machine = f"http://127.0.0.1:{self._listen(starting, System.MACHINE, None, 0)}"
            self.foreign = f"https://127.0.0.1:{self._listen(starting, System.FOREIGN, tls, 0)}"
            self.foreign_plain = f"http://127.0.0.1:{self._listen(starting, System.FOREIGN, None, 0)}"
            starting.callback(self.stopping.set)
            self.endpoints = Endpoints(
                login=f"https://127.0.0.1:{login}",
                graph=f"https://127.0.0.1:{graph}",
                exchange=f"https://127.0.0.1:{exchange}",
            )
            self._connect_systems()
            self._resources = starting.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._resources.close()
        if self.failures and error is None:
            raise ExceptionGroup("the local service itself failed", self.failures)

    def _issue_certificates(self, folder: Path) -> ssl.SSLContext:
        identity = issue_server_identity()
        self.ca_file = folder / "authority.pem"
        self.ca_file.write_text(identity.authority)
        chain = folder / "server.pem"
        chain.write_text(identity.server.private_key + identity.server.certificate)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(chain)
        return tls

    def _listen(
        self, starting: contextlib.ExitStack, system: System, tls: ssl.SSLContext | None, port: int
    ) -> int:
        listener = _Listener(service=self, system=system, tls=tls)
        server = _Server(("127.0.0.1", port), _Handler, listener)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), name=f"microsoft365-{system}")
        thread.start()
        starting.callback(thread.join)
        starting.callback(server.stop)
        return int(server.server_address[1])

    def _connect_systems(self) -> None:
        def current() -> Tenant:
            return self.tenant

        graph_page, exchange_page = self._page_sizes
        tokens = TokenIssuer(self._token_lifetime)
        self._login = Login(current, self.endpoints, tokens)
        self._machine = Machine(current, self._login)
        self._graph = Graph(current, self.endpoints, tokens, graph_page)
        self._exchange = Exchange(current, self.endpoints, tokens, exchange_page)

    def real_answer(self, request: Request) -> Response:
        """The answer of a system that has no fault."""
        match request.system:
            case System.LOGIN:
                return self._login.answer(request)
            case System.MACHINE:
                return self._machine.answer(request)
            case System.GRAPH:
                return self._graph.answer(request)
            case System.EXCHANGE:
                return self._exchange.answer(request)
            case System.FOREIGN:
                return Response(status=200, body=b"{}", headers={"Content-Type": "application/json"})

    def log(self, request: Request, status: int | None) -> None:
        """Record a request; nothing secret is kept."""
        command = command_of(request) if request.system is System.EXCHANGE else None
        self.requests.append(
            LoggedRequest(
                system=request.system,
                method=request.method,
                path=request.path,
                query=dict(request.query),
                cmdlet=command.name if command else None,
                parameters=command.parameters if command else None,
                carried_authorization="authorization" in request.headers,
                status=status,
            )
        )


class _Server(ThreadingHTTPServer):
    """Handshakes in the thread of each connection, so that one slow caller holds up nobody else."""

    daemon_threads = False

    def __init__(
        self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler], listener: _Listener
    ) -> None:
        super().__init__(address, handler)
        self.listener = listener

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        tls = self.listener.tls
        if tls is not None:
            connection = tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        self.listener.open_connections.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        self.listener.open_connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that hangs up or distrusts the certificate is no news; a bug in here is."""
        error = sys.exception()
        if isinstance(error, Exception) and not isinstance(error, OSError):
            self.listener.service.failures.append(error)

    def stop(self) -> None:
        """Stop listening, hang up on everybody, and wait for the connections to end."""
        self.shutdown()
        for connection in tuple(self.listener.open_connections):
            with contextlib.suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    """Reads a request, lets a fault strike or a system answer, logs, writes."""

    protocol_version = "HTTP/1.1"
    server_version = "composed-microsoft365/1"
    sys_version = ""
    disable_nagle_algorithm = True  # head and body are written apart
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """Requests are kept in `LocalMicrosoft365.requests`."""

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def do_PATCH(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def _serve(self) -> None:
        request = self._request()
        service = self.server.listener.service
        fault = service.faults.strike(request)
        if fault is None:
            self._send(request, service.real_answer(request))
        elif fault.kind in ALTERATIONS:
            self._send(request, alteration(fault, service.real_answer(request), service.foreign))
        else:
            self._fail(request, fault)

    def _request(self) -> Request:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length", "0"))
        return Request(
            system=self.server.listener.system,
            method=self.command,
            path=unquote(parts.path),
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(length),
        )

    def _fail(self, request: Request, fault: Fault) -> None:
        service = self.server.listener.service
        match fault.kind:
            case FaultKind.HANG:
                service.log(request, None)
                service.stopping.wait(fault.seconds)
                self.close_connection = True
            case FaultKind.CONNECTION_RESET:
                service.log(request, None)
                self._reset()
            case FaultKind.DROPPED_MID_BODY:
                response = service.real_answer(request)
                self._send_head(request, response, content_length=len(response.body))
                self.wfile.write(response.body[: len(response.body) // 2])
                self.close_connection = True
            case FaultKind.OVERSIZED_BODY:
                self._send_head(request, Response(status=200, headers={"Content-Type": "application/json"}))
                self._send_oversized(fault.megabytes)
            case _:
                self._send(request, replacement(fault, request, service.foreign, service.foreign_plain))

    def _send(self, request: Request, response: Response) -> None:
        self._send_head(request, response, content_length=len(response.body))
        self.wfile.write(response.body)

    def _send_head(self, request: Request, response: Response, content_length: int | None = None) -> None:
        self.server.listener.service.log(request, response.status)
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        if content_length is None:
            self.send_header("Connection", "close")
        else:
            self.send_header("Content-Length", str(content_length))
        self.end_headers()

    def _send_oversized(self, megabytes: int) -> None:
        """Well-formed JSON without end in sight; its length is not announced."""
        self.wfile.write(b'{"value": [], "padding": "')
        for _ in range(megabytes):
            self.wfile.write(_MEGABYTE)
        self.wfile.write(b'"}')

    def _reset(self) -> None:
        """End the connection with RST: a zero linger time discards what is unsent (RFC 9293 section 3.6)."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())
