"""Tries every host of a connection: TCP, TLS, sign-in. The first that accepts the sign-in is read from."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.collect.directory.reader import require_found
from auditor.collect.directory.session import DirectorySession, SearchRequest
from auditor.collect.directory.sign_in import SimpleBind, sign_in
from auditor.collect.directory.tls import Handshake, TlsTarget, shake_hands
from auditor.errors import SourceError
from auditor.model.evidence import Gap, GapKind
from auditor.model.instants import format_instant
from auditor.model.message import say

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from auditor.collect.directory.limits import Deadline, Limits
    from auditor.collect.evidence_writer import EvidenceWriter
    from auditor.model.connection import HybridConnection
    from auditor.model.evidence import Json, Record
    from auditor.model.sign_in import KerberosSignIn

_ROOT_DSE = SearchRequest(base="", attributes=(
    "defaultNamingContext", "rootDomainNamingContext", "configurationNamingContext", "schemaNamingContext",
    "namingContexts", "dnsHostName", "serverName", "ldapServiceName", "domainFunctionality",
    "forestFunctionality", "domainControllerFunctionality", "supportedCapabilities", "isGlobalCatalogReady",
    "isSynchronized",
))


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedInHost:
    """An open session and what its host says of itself."""

    target: TlsTarget
    session: DirectorySession
    root_dse: Mapping[str, tuple[str, ...]]


@dataclass(slots=True, kw_only=True)
class HostTrials:
    """Tries hosts one after the other. A refused credential goes to no further host: accounts lock out."""

    connection: HybridConnection
    identity: SimpleBind | KerberosSignIn
    writer: EvidenceWriter
    limits: Limits
    deadline: Deadline
    refused: Gap | None = None
    signed_in: SignedInHost | None = None

    def try_all(self, announce: Callable[[str], None]) -> SignedInHost | Gap:
        """Record every host; return the first that accepted the sign-in, or why none did."""
        gaps = []
        for host in dict.fromkeys(self.connection.hosts):
            announce(f"connecting to {host}")
            gap = self._try(host)
            if gap is not None:
                gaps.append(gap)
        return self.signed_in or self.refused or next(iter(gaps), _no_host())

    def _try(self, host: str) -> Gap | None:
        target = TlsTarget(
            host=host,
            port=self.connection.port,
            certificate_name=self.connection.tls_server_name or host,
            ca_file=self.connection.ca_file,
        )
        record: Record = {
            "host": host, "port": target.port, "reachable": False, "tls": None, "certificate": None,
            "signed_in": False, "root_dse": None,
        }
        with self.writer.read(
            "host", endpoint=target.endpoint, query=_ROOT_DSE.as_query(), subject=host
        ) as read:
            try:
                self._sign_in_to(target, record)
            finally:
                read.add(record)  # also for a host that failed: what was seen of it is evidence
        if read.gap is not None and read.gap.kind is GapKind.SIGN_IN_REFUSED:
            self.refused = read.gap
        return read.gap

    def _sign_in_to(self, target: TlsTarget, record: Record) -> None:
        handshake = shake_hands(target, timeout_s=self.limits.connect_s, deadline=self.deadline)
        record.update(_observed(handshake))
        if isinstance(handshake.outcome, Gap):
            raise SourceError(handshake.outcome)
        if self.refused is not None:
            handshake.outcome.close()
            raise SourceError(_not_offered_again(self.refused))
        session = sign_in(
            handshake.outcome,
            target,
            self.identity,
            limits=self.limits,
            deadline=self.deadline,
        )
        with ExitStack() as cleanup:
            cleanup.callback(session.close)
            record["signed_in"] = True
            root_dse = _read_root_dse(session)
            record["root_dse"] = {name: list(values) for name, values in root_dse.items()}
            if self.signed_in is None:
                self.signed_in = SignedInHost(target=target, session=session, root_dse=root_dse)
                cleanup.pop_all()


def sign_in_again(
    host: SignedInHost, identity: SimpleBind | KerberosSignIn, *, limits: Limits, deadline: Deadline
) -> DirectorySession:
    """Open one more session with a host. Raises SourceError when it does not let us in; nothing is tried again."""
    handshake = shake_hands(host.target, timeout_s=limits.connect_s, deadline=deadline)
    if isinstance(handshake.outcome, Gap):
        raise SourceError(handshake.outcome)
    return sign_in(handshake.outcome, host.target, identity, limits=limits, deadline=deadline)


def _observed(handshake: Handshake) -> Record:
    facts = handshake.certificate
    tls: Json = {"version": handshake.version, "cipher": handshake.cipher} if handshake.version else None
    certificate: Json = None if facts is None else {
        "sha256": facts.sha256,
        "subject": facts.subject,
        "issuer": facts.issuer,
        "names": list(facts.names),
        "not_before": format_instant(facts.not_before),
        "not_after": format_instant(facts.not_after),
        "verified": handshake.verified,
        "error": handshake.verification_error,
        "name_matches": handshake.name_matches,
    }
    return {"reachable": handshake.reachable, "tls": tls, "certificate": certificate}


def _read_root_dse(session: DirectorySession) -> dict[str, tuple[str, ...]]:
    root_dse = require_found(session.object_at(_ROOT_DSE))
    spelling = {name.lower(): name for name in _ROOT_DSE.attributes}
    return {spelling.get(name, name): root_dse.texts(name) for name in root_dse.attributes}


def _not_offered_again(refused: Gap) -> Gap:
    return Gap(
        kind=GapKind.NOT_ATTEMPTED,
        message=say(
            "no sign-in was attempted after a refusal, to keep the account from being locked out: {message}",
            message=refused.message,
        ),
        missing_permission=refused.missing_permission,
    )


def _no_host() -> Gap:
    return Gap(kind=GapKind.NOT_ATTEMPTED, message=say("the connection names no host"))
