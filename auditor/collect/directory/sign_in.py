"""Signs in over a verified TLS connection: simple bind, never anonymous, never in clear text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldap3 import NONE, SIMPLE, Connection, Server

from auditor.collect.directory.bounded_socket import BoundedSocket
from auditor.collect.directory.failures import LDAP_FAILURES, communication_failure
from auditor.collect.directory.session import DirectorySession
from auditor.collect.directory.sign_in_errors import refused_sign_in
from auditor.errors import SourceError
from auditor.model.evidence import Gap, GapKind

if TYPE_CHECKING:
    import ssl

    from auditor.collect.directory.limits import Deadline, Limits
    from auditor.model.sign_in import Secret


def sign_in(
    tls_socket: ssl.SSLSocket,
    endpoint: str,
    *,
    username: str,
    password: Secret,
    limits: Limits,
    deadline: Deadline,
) -> DirectorySession:
    """Bind over an open, verified TLS connection (simple bind, RFC 4513 5.1.3) and return the session.

    Raises SourceError when the sign-in is refused or the connection fails; the socket is closed then.
    """
    transport = BoundedSocket(
        tls_socket, receive_s=limits.receive_s, answer_bytes=limits.answer_bytes, deadline=deadline
    )
    connection = _connection_over(transport, username, password)
    session = DirectorySession(connection, endpoint)
    gap = _bind(connection, endpoint, password)
    if gap is not None:
        session.close()
        raise SourceError(gap)
    return session


def _connection_over(transport: BoundedSocket, username: str, password: Secret) -> Connection:
    # ldap3 is handed the verified socket; a host that can never resolve (RFC 6761 6.4) keeps it from
    # ever opening a connection of its own, which would be unverified.
    server = Server("never-connect.invalid", port=636, use_ssl=True, get_info=NONE)
    connection = Connection(
        server,
        user=username,
        password=password.value,  # type: ignore[arg-type]  # as bytes: text would be changed by SASLprep
        authentication=SIMPLE,
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


def _bind(connection: Connection, endpoint: str, password: Secret) -> Gap | None:
    if not connection.user or not password.value:  # RFC 4513 5.1.2: either missing would be an anonymous bind
        return Gap(
            kind=GapKind.SIGN_IN_REFUSED, message="user name or password of the auditing identity is empty"
        )
    try:
        if connection.bind(read_server_info=False):
            return None
    except LDAP_FAILURES as error:
        return communication_failure(endpoint, error)
    result = connection.result
    return refused_sign_in(endpoint, result["result"], result["description"], result.get("message", ""))
