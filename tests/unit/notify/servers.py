"""A mail server and a web server on this machine that take messages, refuse them, or keep one waiting."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from tests.microsoft365.certificates import issue_server_identity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from email.message import EmailMessage
    from pathlib import Path

USER, PASSWORD = "auditor", "S3cret-of-the-mail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """A server's certificate and the authority that vouches for it."""

    ca_file: Path
    context: ssl.SSLContext


def make_trust(folder: Path) -> Trust:
    """Issue a certificate for 127.0.0.1."""
    identity = issue_server_identity()
    (folder / "authority.pem").write_text(identity.authority)
    (folder / "server.pem").write_text(identity.server.private_key + identity.server.certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return Trust(ca_file=folder / "authority.pem", context=context)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@dataclass
class Mailbox:
    """What a mail server got; `refuses` answers recipients, `on_data` may say something else than 250."""

    refuses: frozenset[str] = frozenset()
    on_data: Callable[[], str] = lambda: "250 OK"
    mails: list[tuple[list[str], bytes]] = field(default_factory=list)
    was_upgraded: list[bool] = field(default_factory=list)

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if address in self.refuses:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        answer = self.on_data()
        if answer.startswith("250"):
            self.mails.append((list(envelope.rcpt_tos), envelope.content))
            self.was_upgraded.append(session.ssl is not None)
        return answer


@contextlib.contextmanager
def mail_server(mailbox: Mailbox, trust: Trust, security: str) -> Iterator[int]:
    """Serve SMTP with `security`; yield the port."""
    port = free_port()
    options: dict[str, Any] = {
        "tls": {"ssl_context": trust.context},
        "starttls": {"tls_context": trust.context, "require_starttls": True},
        "none": {},
    }[security]
    if security != "none":
        options["authenticator"] = lambda *args: AuthResult(
            success=(args[-1].login, args[-1].password) == (USER.encode(), PASSWORD.encode()), handled=False
        )
        options["auth_require_tls"] = security == "starttls"
    controller = Controller(mailbox, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


@dataclass
class Requests:
    """What a web server got, and what it answers with."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0
    drips: bool = False
    bodies: list[Any] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)


@contextlib.contextmanager
def web_server(got: Requests, trust: Trust) -> Iterator[str]:
    """Serve HTTPS; yield the address."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

        def do_POST(self) -> None:
            got.paths.append(self.path)
            got.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            with contextlib.suppress(OSError):
                if got.drips:
                    for char in "HTTP/1.1 200 OK and so on":
                        self.wfile.write(char.encode())
                        time.sleep(0.1)
                time.sleep(got.delay_s)
                self.send_response(got.status, "said by the server: S3cret-of-the-server")
                for name, value in got.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = trust.context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_address[1]}/hook?sig=S3cret-of-the-hook"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def silent_server() -> Iterator[int]:
    """Accept connections and never say a word; yield the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:  # the backlog accepts
        yield int(listener.getsockname()[1])


def body_of(mail: EmailMessage) -> str:
    """Return a mail's text."""
    return str(mail.get_content())
