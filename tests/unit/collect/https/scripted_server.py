"""An HTTPS server on loopback that sends prepared bytes, one script per request."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from typing import TYPE_CHECKING, Self

from tests.microsoft365.certificates import issue_server_identity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    Script = bytes | Callable[[ssl.SSLSocket], None]

IDENTITY = issue_server_identity()


def http(status: int, body: bytes = b"{}", **headers: str) -> bytes:
    """Return a whole response; header names are given with underscores."""
    # Said, because it is done: else a caller may send its next request into the closing connection
    lines = [f"HTTP/1.1 {status} Prepared", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


class ScriptedServer:
    """Answers the n-th request with the n-th script, and every later one with the last.

    A script is the bytes to send, or a function that does with the connection what it likes; after it
    the connection is closed. `received` holds the raw requests.
    """

    def __init__(self, folder: Path, *scripts: Script) -> None:
        self.scripts = scripts
        self.received: list[bytes] = []
        self.ca_file = folder / "authority.pem"
        self.ca_file.write_text(IDENTITY.authority)
        chain = folder / "server.pem"
        chain.write_text(IDENTITY.server.private_key + IDENTITY.server.certificate)
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(chain)

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        self.base = f"https://127.0.0.1:{self._listener.getsockname()[1]}"
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                raw, _ = self._listener.accept()
            except OSError:
                return
            # a caller that distrusts the certificate or hangs up is no news
            with (
                contextlib.suppress(OSError),
                raw,
                self._tls.wrap_socket(raw, server_side=True) as connection,
            ):
                connection.settimeout(5)
                self._answer(connection)

    def _answer(self, connection: ssl.SSLSocket) -> None:
        self.received.append(_read_request(connection))
        script = self.scripts[min(len(self.received), len(self.scripts)) - 1]
        if isinstance(script, bytes):
            connection.sendall(script)
        else:
            script(connection)


def _read_request(connection: ssl.SSLSocket) -> bytes:
    content = b""
    while b"\r\n\r\n" not in content:
        content += connection.recv(65536)
    head, _, body = content.partition(b"\r\n\r\n")
    announced = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    length = int(announced[0].split(b":")[1]) if announced else 0
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def pieces(parts: Iterable[bytes], pause: Callable[[], None]) -> Callable[[ssl.SSLSocket], None]:
    """Return a script that sends parts one by one and calls `pause` after each."""

    def send(connection: ssl.SSLSocket) -> None:
        for part in parts:
            connection.sendall(part)
            pause()

    return send
