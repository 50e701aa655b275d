"""Judges the connection itself: TLS on the documented port, on every host, with base DNs as documented."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from auditor.evaluate.fields import text
from auditor.evaluate.judgement import Judgement, describe_gap
from auditor.model.message import Message, joined, say, written
from auditor.model.outcome import Outcome
from auditor.model.results import EvidenceReference, HostRecord

if TYPE_CHECKING:
    from auditor.matrix.profile import Ldaps
    from auditor.model.connection import HybridConnection
    from auditor.model.evidence import Evidence, Read, Record


def judge_host(need: Ldaps, evidence: Evidence, connection: HybridConnection, host: str) -> Judgement:
    """Judge one configured host: the port first, because it is known; then what answered there."""
    reference = EvidenceReference(dataset="host", record=host)
    documented = {need.port} | ({need.global_catalog_port} if connection.global_catalog else set())
    if connection.port not in documented:
        expected = joined(say(" or "), (str(port) for port in sorted(documented)))
        return Judgement(
            outcome=Outcome.MISSING,
            reason=say("port {port} is configured, documented is {expected}", port=connection.port, expected=expected),
            actual=say("port {port}", port=connection.port),
            evidence=(reference,),
        )
    read = evidence.read("host", host)
    record = next(iter(read), {})
    tls = record.get("tls")
    if not _trusted_tls(record):
        return Judgement(
            outcome=Outcome.UNVERIFIABLE,
            reason=describe_gap(read.gap) if read.gap else say("the host's TLS and certificate were not verified"),
            actual=say("port {port}, no verified answer", port=connection.port),
            evidence=(reference,),
        )
    version = text(tls, "version") if isinstance(tls, dict) else ""
    return Judgement(
        outcome=Outcome.SATISFIED,
        how="exact",
        reason=say("LDAP over TLS answers on port {port}", port=connection.port),
        actual=say("port {port}, {version}", port=connection.port, version=version or "TLS"),
        evidence=(reference,),
    )


def _trusted_tls(record: Record) -> bool:
    certificate = record.get("certificate")
    if not isinstance(record.get("tls"), dict) or not isinstance(certificate, dict):
        return False
    return certificate.get("verified") is True and certificate.get("name_matches") is True


def host_records(evidence: Evidence, connection: HybridConnection) -> tuple[HostRecord, ...]:
    """Return the hosts as the report shows them."""
    return tuple(_host_record(evidence.read("host", host), connection, host) for host in connection.hosts)


def _host_record(read: Read, connection: HybridConnection, host: str) -> HostRecord:
    record = next(iter(read), {})
    tls, certificate, root_dse = (_mapping(record.get(name)) for name in ("tls", "certificate", "root_dse"))
    gap = describe_gap(read.gap) if read.gap else ""
    signed_in = record.get("signed_in") is True
    return HostRecord(
        host=host,
        port=connection.port,
        reachable=record.get("reachable") is True,
        tls=" ".join(str(tls[name]) for name in ("version", "cipher") if tls.get(name)) or say("none"),
        certificate=_certificate_in_words(certificate),
        sign_in=say("signed in") if signed_in else gap or say("not signed in"),
        domain=next(iter(_texts(root_dse.get("defaultNamingContext"))), ""),
    )


def _certificate_in_words(certificate: dict[str, Any]) -> Message:
    if not certificate:
        return say("not seen")
    return say(
        "verified; for {names}; until {instant}; SHA-256 {digest}"
        if certificate.get("verified") is True
        else "not verified: {error}; for {names}; until {instant}; SHA-256 {digest}",
        error=written(str(certificate.get("error") or "unknown")),
        names=", ".join(_texts(certificate.get("names"))),
        instant=str(certificate.get("not_after")),
        digest=str(certificate.get("sha256")),
    )


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(value: object) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()
