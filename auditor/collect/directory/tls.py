"""Opens a TLS connection to one host, verified before anything but the handshake is sent."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.collect.directory.certificates import CertificateFacts, read_certificate
from auditor.collect.directory.failures import printable
from auditor.model.evidence import Gap, GapKind
from auditor.model.message import Message, say

if TYPE_CHECKING:
    from auditor.collect.directory.limits import Deadline


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsTarget:
    """One host, the name its certificate must carry, and the authorities to trust (None: the system's)."""

    host: str
    port: int
    certificate_name: str
    ca_file: str | None

    @property
    def endpoint(self) -> str:
        """The URL of the host, as it stands in evidence and messages."""
        return f"ldaps://{self}"

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshake:
    """What happened on the way to a verified TLS connection.

    `outcome` is the open socket only when the chain was verified and the certificate carries the expected
    name. `verified` is about the chain alone; `verification_error` says why it is not.
    """

    outcome: ssl.SSLSocket | Gap
    reachable: bool
    version: str | None = None
    cipher: str | None = None
    certificate: CertificateFacts | None = None
    verified: bool = False
    verification_error: str | None = None
    name_matches: bool = False


def shake_hands(target: TlsTarget, *, timeout_s: float, deadline: Deadline) -> Handshake:
    """Connect, verify chain and name, and return the open socket or the reason why there is none.

    A certificate that fails verification is fetched once more without verification, for its facts only:
    that second connection carries the handshake and nothing else.
    """
    try:
        tcp_socket = _connect(target, deadline.within(timeout_s))
    except (OSError, ValueError) as error:  # ValueError: not a host name at all
        return Handshake(reachable=False, outcome=_unreachable(target, error))
    try:
        tls_socket = _open_tls(tcp_socket, target, verify=True)
    except (ssl.SSLCertVerificationError, _TrustUnavailableError) as error:
        verify_message = printable(getattr(error, "verify_message", ""))
        reason = error.reason if isinstance(error, _TrustUnavailableError) else verify_message
        return _untrusted(target, reason, timeout_s=timeout_s, deadline=deadline)
    except (OSError, ValueError) as error:
        return Handshake(reachable=True, outcome=_no_tls(target, error))
    return _check_name(target, tls_socket)


class _TrustUnavailableError(Exception):
    """The authorities to trust cannot be loaded."""

    def __init__(self, reason: Message) -> None:
        self.reason = reason
        super().__init__(reason)


def _connect(target: TlsTarget, timeout_s: float) -> socket.socket:
    return socket.create_connection((target.host, target.port), timeout=timeout_s)


def _open_tls(tcp_socket: socket.socket, target: TlsTarget, *, verify: bool) -> ssl.SSLSocket:
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.check_hostname = False  # names are compared by CertificateFacts.names_host, chain or no chain
        context.verify_mode = ssl.CERT_REQUIRED if verify else ssl.CERT_NONE
        if verify:
            _load_authorities(context, target.ca_file)
        return context.wrap_socket(tcp_socket, server_hostname=target.certificate_name)
    finally:
        tcp_socket.close()  # the TLS socket, if there is one, has taken over the descriptor


def _load_authorities(context: ssl.SSLContext, ca_file: str | None) -> None:
    if ca_file is None:
        context.load_default_certs()
        return
    try:
        context.load_verify_locations(cafile=ca_file)
    except OSError as error:  # ssl.SSLError is one
        reason = say("ca_file {file} cannot be used: {error}", file=printable(ca_file), error=printable(str(error)))
        raise _TrustUnavailableError(reason) from error


def _untrusted(target: TlsTarget, reason: str, *, timeout_s: float, deadline: Deadline) -> Handshake:
    gap = Gap(
        kind=GapKind.UNTRUSTED,
        message=say("the certificate of {host} is not trusted: {reason}", host=str(target), reason=reason),
        missing_permission=say("install a valid certificate on the host, or name its authority in ca_file"),
    )
    try:
        tcp_socket = _connect(target, deadline.within(timeout_s))
        with _open_tls(tcp_socket, target, verify=False) as tls_socket:  # nothing is sent over this one
            facts, version, cipher = _session_facts(tls_socket)
    except (OSError, ValueError):
        return Handshake(reachable=True, outcome=gap, verification_error=reason)
    return Handshake(
        reachable=True,
        outcome=gap,
        version=version,
        cipher=cipher,
        certificate=facts,
        verification_error=reason,
        name_matches=facts is not None and facts.names_host(target.certificate_name),
    )


def _check_name(target: TlsTarget, tls_socket: ssl.SSLSocket) -> Handshake:
    facts, version, cipher = _session_facts(tls_socket)
    name_matches = facts is not None and facts.names_host(target.certificate_name)
    if not name_matches:
        tls_socket.close()
    return Handshake(
        reachable=True,
        outcome=tls_socket if name_matches else _wrong_name(target, facts),
        version=version,
        cipher=cipher,
        certificate=facts,
        verified=True,
        name_matches=name_matches,
    )


def _session_facts(tls_socket: ssl.SSLSocket) -> tuple[CertificateFacts | None, str | None, str | None]:
    der = tls_socket.getpeercert(binary_form=True)
    cipher = tls_socket.cipher()
    return read_certificate(der) if der else None, tls_socket.version(), cipher[0] if cipher else None


def _wrong_name(target: TlsTarget, facts: CertificateFacts | None) -> Gap:
    carried = printable(", ".join(facts.names)) if facts else ""
    return Gap(
        kind=GapKind.UNTRUSTED,
        message=say(
            "the certificate of {host} is not for {name}; it carries {carried}",
            host=printable(str(target)),
            name=printable(repr(target.certificate_name)),
            carried=carried or say("no subject alternative name that can be read"),
        ),
        missing_permission=say(
            "connect by a name the certificate carries, set tls_server_name to one of them, or install a certificate "
            "for the configured host"
        ),
    )


def _unreachable(target: TlsTarget, error: Exception) -> Gap:
    if isinstance(error, TimeoutError):
        message = say("{host} did not accept a connection in time: {error}", host=str(target), error=str(error))
        return Gap(kind=GapKind.TIMED_OUT, message=message)
    if isinstance(error, (socket.gaierror, ValueError)):
        message = say("{host} cannot be reached: the name is not known", host=str(target))
        return Gap(kind=GapKind.UNREACHABLE, message=message)
    reason = str(getattr(error, "strerror", None) or error)
    message = say("{host} cannot be reached: {reason}", host=str(target), reason=reason)
    return Gap(kind=GapKind.UNREACHABLE, message=message)


def _no_tls(target: TlsTarget, error: Exception) -> Gap:
    if isinstance(error, TimeoutError):
        message = say("{host} did not complete the TLS handshake in time", host=str(target))
        return Gap(kind=GapKind.TIMED_OUT, message=message)
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)) or not isinstance(error, ssl.SSLError):
        return Gap(
            kind=GapKind.UNREACHABLE,
            message=say(
                "{host} closed the connection during the TLS handshake: {error}",
                host=str(target),
                error=printable(str(error)),
            ),
            missing_permission=say("check that the port speaks LDAP over TLS and that the host has a certificate"),
        )
    return Gap(
        kind=GapKind.MALFORMED,
        message=say(
            "{host} does not speak TLS 1.2 or newer here: {error}",
            host=str(target),
            error=printable(error.reason or str(error)),
        ),
        missing_permission=say("name the port of LDAP over TLS (636)"),
    )
