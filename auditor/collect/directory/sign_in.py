"""Signs in over a verified TLS connection: by simple bind or Kerberos, once, never in clear text."""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ldap3 import ANONYMOUS, NONE, SASL, SIMPLE, Connection, Server
from ldap3.core.results import RESULT_SASL_BIND_IN_PROGRESS, RESULT_SUCCESS
from ldap3.operation.bind import bind_operation

from auditor.collect.directory.bounded_socket import BoundedSocket
from auditor.collect.directory.certificates import tls_server_end_point
from auditor.collect.directory.failures import LDAP_FAILURES, communication_failure, malformed_answer
from auditor.collect.directory.kerberos import KerberosClient
from auditor.collect.directory.reader import require_found
from auditor.collect.directory.session import DirectorySession, SearchRequest
from auditor.collect.directory.sign_in_errors import SignInMethod, refused_sign_in
from auditor.collect.directory.wire import Wire
from auditor.errors import SourceError
from auditor.model.evidence import Gap, GapKind
from auditor.model.message import say

if TYPE_CHECKING:
    import ssl

    from auditor.collect.directory.answers import Result
    from auditor.collect.directory.limits import Deadline, Limits
    from auditor.collect.directory.tls import TlsTarget
    from auditor.model.sign_in import KerberosSignIn, Secret

_DNS_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class SimpleBind:
    """A name that a bind accepts, and its password."""

    username: str
    password: Secret


def sign_in(
    tls_socket: ssl.SSLSocket,
    target: TlsTarget,
    identity: SimpleBind | KerberosSignIn,
    *,
    limits: Limits,
    deadline: Deadline,
) -> DirectorySession:
    """Bind over an open, verified TLS connection and return the session.

    A password is sent in a simple bind (RFC 4513 5.1.3), a Kerberos ticket in a SASL bind (RFC 4752).
    Raises SourceError when the sign-in is refused or the connection fails; the socket is closed then.
    """
    certificate = tls_socket.getpeercert(binary_form=True)
    transport = BoundedSocket(
        tls_socket, receive_s=limits.receive_s, answer_bytes=limits.answer_bytes, deadline=deadline
    )
    connection = _connection_over(transport)
    unbound = DirectorySession(connection, target.endpoint)
    with ExitStack() as on_failure:
        on_failure.callback(unbound.close)
        if isinstance(identity, SimpleBind):
            _bind_with_password(connection, target.endpoint, identity)
            signed_in_as = identity.username
        else:
            client = KerberosClient(
                target.endpoint,
                principal=identity.username,
                service_host=_service_host(target, unbound),
                channel_binding=tls_server_end_point(certificate) if certificate else None,
            )
            _bind_with_ticket(connection, target.endpoint, client)
            signed_in_as = client.principal
        on_failure.pop_all()
    return DirectorySession(connection, target.endpoint, signed_in_as=signed_in_as)


def _connection_over(transport: BoundedSocket) -> Connection:
    # ldap3 is handed the verified socket; a host that can never resolve (RFC 6761 6.4) keeps it from
    # ever opening a connection of its own, which would be unverified.
    server = Server("never-connect.invalid", port=636, use_ssl=True, get_info=NONE)
    connection = Connection(
        server,
        authentication=ANONYMOUS,  # of its own accord; the binds are sent below
        read_only=True,
        check_names=False,
        auto_referrals=False,
        auto_range=False,  # ldap3 would drop the rest of a range silently when a part fails
        return_empty_attributes=False,
    )
    connection.socket = transport
    connection.strategy._outstanding = {}  # noqa: SLF001  # what its open() does besides connecting
    connection.closed = False
    connection.listening = True
    return connection


def _bind_with_password(connection: Connection, endpoint: str, identity: SimpleBind) -> None:
    if not identity.username or not identity.password.value:  # RFC 4513 5.1.2: else the bind would be anonymous
        raise SourceError(Gap(
            kind=GapKind.SIGN_IN_REFUSED, message=say("user name or password of the auditing identity is empty")
        ))
    # The password as bytes: text would be changed by SASLprep
    result = _bind(connection, endpoint, SIMPLE, identity.username, identity.password.value)
    _require_success(endpoint, result, SignInMethod.SIMPLE_BIND)


def _bind_with_ticket(connection: Connection, endpoint: str, client: KerberosClient) -> None:
    challenge: bytes | None = None
    while True:
        response = client.respond(challenge)
        result = _bind(connection, endpoint, SASL, None, None, "GSSAPI", response)
        if result.code != RESULT_SASL_BIND_IN_PROGRESS:
            break
        challenge = result.challenge
    _require_success(endpoint, result, SignInMethod.KERBEROS)
    if not client.is_finished:  # a success before the host has proved who it is
        raise SourceError(malformed_answer(endpoint))


def _bind(connection: Connection, endpoint: str, *authentication: Any) -> Result:  # noqa: ANN401
    wire = Wire(connection)
    try:
        return wire.receive_bind(wire.send("bindRequest", bind_operation(connection.version, *authentication)))
    except LDAP_FAILURES as error:
        raise SourceError(communication_failure(endpoint, error)) from error


def _require_success(endpoint: str, result: Result, method: SignInMethod) -> None:
    if result.code != RESULT_SUCCESS:
        raise SourceError(
            refused_sign_in(endpoint, result.code, result.description, result.message, method=method)
        )


def _service_host(target: TlsTarget, unbound: DirectorySession) -> str:
    """Return the host of the service principal: the name in use, or the one that goes with an address.

    The rootDSE may be read before a bind (MS-ADTS 3.1.1.3.2); what it says comes from the verified host.
    """
    if _DNS_NAME.fullmatch(target.certificate_name):
        return target.certificate_name
    root_dse = require_found(unbound.object_at(SearchRequest(base="", attributes=("dnsHostName",))))
    name = next(iter(root_dse.texts("dnsHostName")), "")
    if not _DNS_NAME.fullmatch(name):
        raise SourceError(Gap(
            kind=GapKind.NOT_ATTEMPTED,
            message=say(
                "{host} does not say its DNS name, which its Kerberos service is called by", host=target.endpoint
            ),
            missing_permission=say("name the host by its DNS name in hosts, or set tls_server_name to it"),
        ))
    return name
