"""The verified TLS socket as ldap3 uses it, bounded in time and size."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl

    from auditor.collect.directory.limits import Deadline


class AnswerTooLongError(OSError):
    """More came in answer to one request than any honest answer holds."""


class BoundedSocket:
    """Passes bytes on; raises TimeoutError or AnswerTooLongError instead of going on without end."""

    def __init__(
        self, tls_socket: ssl.SSLSocket, *, receive_s: float, answer_bytes: int, deadline: Deadline
    ) -> None:
        self._tls_socket = tls_socket
        self._receive_s = receive_s
        self._answer_bytes = answer_bytes
        self._deadline = deadline
        self._received = 0

    def sendall(self, message: bytes) -> None:
        """Send one request; its answer is counted from zero."""
        self._received = 0
        self._tls_socket.settimeout(self._deadline.within(self._receive_s))
        self._tls_socket.sendall(message)

    def recv(self, size: int) -> bytes:
        """Receive up to `size` bytes."""
        self._tls_socket.settimeout(self._deadline.within(self._receive_s))
        received = self._tls_socket.recv(size)
        self._received += len(received)
        if self._received > self._answer_bytes:
            raise AnswerTooLongError(f"an answer of more than {self._answer_bytes} bytes")
        return received

    def shutdown(self, how: int) -> None:
        """Shut the connection down."""
        self._tls_socket.shutdown(how)

    def close(self) -> None:
        """Close the connection."""
        self._tls_socket.close()
