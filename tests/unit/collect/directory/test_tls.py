from __future__ import annotations

import socket
import ssl
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import hashes

from auditor.collect.directory.limits import Deadline
from auditor.collect.directory.tls import Handshake, TlsTarget, shake_hands
from auditor.model.evidence import Gap, GapKind
from tests.unit.collect.directory.authority import DAY, Authority, Issued
from tests.unit.collect.directory.scripted_server import ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def try_host(
    port: int,
    *,
    ca_file: str | None,
    host: str = "127.0.0.1",
    name: str | None = None,
    timeout_s: float = 0.6,
) -> Handshake:
    target = TlsTarget(host=host, port=port, certificate_name=name or host, ca_file=ca_file)
    handshake = shake_hands(target, timeout_s=timeout_s, deadline=Deadline(10))
    if isinstance(handshake.outcome, ssl.SSLSocket):
        handshake.outcome.close()
    return handshake


def gap_of(handshake: Handshake) -> Gap:
    assert isinstance(handshake.outcome, Gap)
    return handshake.outcome


@contextmanager
def plain_server(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection, suppress(OSError):
                    serve(connection)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    with suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(timeout=5)


@pytest.mark.parametrize(("names", "host", "expected"), [
    (("127.0.0.1",), "127.0.0.1", None),
    (("dc1.corp.example.com",), "127.0.0.1", "dc1.corp.example.com"),
    (("*.corp.example.com",), "127.0.0.1", "dc1.corp.example.com"),
    (("localhost",), "localhost", None),
])
def test_a_host_is_trusted_by_its_address_or_the_name_it_must_carry(
    authority: Authority, names: tuple[str, ...], host: str, expected: str | None
) -> None:
    issued = authority.issue(*names)
    with ScriptedServer(pem_file=issued.pem_file) as server:
        handshake = try_host(server.port, ca_file=str(authority.ca_file), host=host, name=expected)
    assert isinstance(handshake.outcome, ssl.SSLSocket)
    assert (handshake.reachable, handshake.verified, handshake.name_matches) == (True, True, True)
    assert handshake.version in {"TLSv1.2", "TLSv1.3"}
    assert handshake.cipher


@pytest.mark.parametrize(("names", "expected"), [
    (("dc1.corp.example.com",), None),
    (("127.0.0.1",), "dc1.corp.example.com"),
    (("127.0.0.2",), None),
    ((), None),
])
def test_another_name_is_refused_although_the_chain_is_good(
    authority: Authority, names: tuple[str, ...], expected: str | None
) -> None:
    issued = authority.issue(*names)
    with ScriptedServer(pem_file=issued.pem_file) as server:
        handshake = try_host(server.port, ca_file=str(authority.ca_file), name=expected)
    assert gap_of(handshake).kind is GapKind.UNTRUSTED
    assert "is not for" in gap_of(handshake).message
    assert (handshake.verified, handshake.verification_error, handshake.name_matches) == (True, None, False)
    assert server.received == b""


def expired(authority: Authority) -> Issued:
    return authority.issue("127.0.0.1", ends_in=-DAY)


def self_signed(authority: Authority) -> Issued:
    return authority.issue("127.0.0.1", self_signed=True)


@pytest.mark.parametrize(("issue", "reason"), [(expired, "expired"), (self_signed, "self-signed")])
def test_a_bad_chain_is_refused_and_the_certificate_recorded_all_the_same(
    authority: Authority, issue: Callable[[Authority], Issued], reason: str
) -> None:
    issued = issue(authority)
    with ScriptedServer(pem_file=issued.pem_file) as server:
        handshake = try_host(server.port, ca_file=str(authority.ca_file))
    assert gap_of(handshake).kind is GapKind.UNTRUSTED
    assert reason in gap_of(handshake).message
    assert reason in (handshake.verification_error or "")
    assert (handshake.verified, handshake.name_matches) == (False, True)
    assert handshake.certificate is not None
    assert handshake.certificate.sha256 == issued.certificate.fingerprint(hashes.SHA256()).hex()
    assert server.received == b""


def test_a_certificate_of_another_authority_is_refused(
    authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = Authority(tmp_path_factory.mktemp("other"))
    with ScriptedServer(pem_file=authority.issue("127.0.0.1").pem_file) as server:
        handshake = try_host(server.port, ca_file=str(other.ca_file))
    assert gap_of(handshake).kind is GapKind.UNTRUSTED
    assert handshake.certificate is not None


def test_system_trust_does_not_know_our_authority(trusted: Issued) -> None:
    with ScriptedServer(pem_file=trusted.pem_file) as server:
        handshake = try_host(server.port, ca_file=None)
    assert gap_of(handshake).kind is GapKind.UNTRUSTED


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_authorities_that_cannot_be_loaded_trust_nobody(
    trusted: Issued, tmp_path_factory: pytest.TempPathFactory, content: str | None
) -> None:
    ca_file = tmp_path_factory.mktemp("ca") / "ca.pem"
    if content is not None:
        ca_file.write_text(content)
    with ScriptedServer(pem_file=trusted.pem_file) as server:
        handshake = try_host(server.port, ca_file=str(ca_file))
    assert gap_of(handshake).kind is GapKind.UNTRUSTED
    assert str(ca_file) in gap_of(handshake).message
    assert handshake.certificate is not None


def test_a_refused_port_is_unreachable(authority: Authority) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    handshake = try_host(port, ca_file=str(authority.ca_file))
    assert gap_of(handshake).kind is GapKind.UNREACHABLE
    assert not handshake.reachable


@pytest.mark.parametrize("host", ["no-such-host.invalid", "bad\0name", "a" * 300, "-.-", ""])
def test_what_is_no_host_is_unreachable(authority: Authority, host: str) -> None:
    handshake = try_host(1, ca_file=str(authority.ca_file), host=host, timeout_s=5)
    assert gap_of(handshake).kind is GapKind.UNREACHABLE


def hang_up(connection: socket.socket) -> None:
    connection.recv(10)


def say_hello(connection: socket.socket) -> None:
    connection.sendall(b"220 mail.example.com ESMTP\r\n" * 10)
    connection.recv(10_000)


def stay_silent(connection: socket.socket) -> None:
    while connection.recv(10_000):
        pass


@pytest.mark.parametrize(("serve", "kind"), [
    (hang_up, GapKind.UNREACHABLE),
    (say_hello, GapKind.MALFORMED),
    (stay_silent, GapKind.TIMED_OUT),
])
def test_a_port_that_speaks_no_tls_says_how(
    authority: Authority, serve: Callable[[socket.socket], None], kind: GapKind
) -> None:
    with plain_server(serve) as port:
        handshake = try_host(port, ca_file=str(authority.ca_file))
    assert gap_of(handshake).kind is kind
    assert handshake.reachable
    assert handshake.certificate is None


def test_no_time_left_is_a_time_out(authority: Authority, trusted: Issued) -> None:
    with ScriptedServer(pem_file=trusted.pem_file) as server:
        target = TlsTarget(
            host="127.0.0.1", port=server.port, certificate_name="127.0.0.1", ca_file=str(authority.ca_file)
        )
        handshake = shake_hands(target, timeout_s=1, deadline=Deadline(0))
    assert gap_of(handshake).kind is GapKind.TIMED_OUT
