"""AD-COL-003, AD-COL-005: certificates and base DNs of a hybrid connection."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from auditor.evaluate.fields import text
from auditor.evaluate.findings import make_finding
from auditor.model.distinguished_name import parse_dn
from auditor.model.instants import parse_instant
from auditor.model.message import NOTHING, Message, say, written
from auditor.model.outcome import FindingOutcome, Severity
from auditor.model.results import EvidenceReference, Remediation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.evaluate.directory.judge import DirectoryFacts
    from auditor.model.evidence import Record
    from auditor.model.results import Finding

_EXPIRES_SOON = timedelta(days=30)


def check_certificates(facts: DirectoryFacts, now: datetime) -> Iterator[Finding]:
    """AD-COL-003: each host's certificate is trusted, names the host, and does not end within 30 days."""
    for host in facts.connection.hosts:
        record = next(iter(facts.evidence.read("host", host)), None)
        certificate = record.get("certificate") if record else None
        if not isinstance(certificate, dict):
            continue
        trouble = _certificate_trouble(certificate, now)
        if trouble:
            yield make_finding(
                check="AD-COL-003",
                connection=facts.connection.id,
                outcome=FindingOutcome.ADVISORY,
                severity=Severity.MEDIUM,
                principal=host,
                entitlement="certificate",
                scope=host,
                title=say("Certificate of {host}: {trouble}", host=host, trouble=trouble),
                documented=say("TLS with a certificate that can be verified"),
                actual=say("{trouble}; SHA-256 {sha}", trouble=trouble, sha=text(certificate, "sha256")),
                evidence=(EvidenceReference(dataset="host", record=host),),
                remediation=Remediation(
                    text=say(
                        "Issue a certificate that names what the connection uses, or set tls_server_name to the name "
                        "in the certificate and ca_file to its issuing authority; renew it before it ends."
                    )
                ),
            )


def _certificate_trouble(certificate: Record, now: datetime) -> Message:
    if certificate.get("verified") is False:
        return written(text(certificate, "error")) or say("it cannot be verified")
    if certificate.get("name_matches") is False:
        return say("it does not name the configured host")
    try:
        ends_at = parse_instant(text(certificate, "not_after"))
    except ValueError:
        return say("its end of validity is not readable")
    if ends_at <= now:
        return say("it ended at {not_after}", not_after=text(certificate, "not_after"))
    if ends_at - now <= _EXPIRES_SOON:
        return say("it ends at {not_after}, within 30 days", not_after=text(certificate, "not_after"))
    return NOTHING


def check_base_dns(facts: DirectoryFacts) -> Iterator[Finding]:
    """AD-COL-005: target OUs lie below a base DN, and base DNs have the documented form (rule A17)."""
    bases = [parse_dn(base) for base in facts.connection.base_dns]
    for ou in facts.connection.target_ous:
        if not any(parse_dn(ou).is_within(base) for base in bases):
            yield _base_dn_finding(
                facts,
                ou,
                FindingOutcome.MISSING,
                Severity.HIGH,
                say("A target OU lies outside every base DN"),
                say("the product searches below its base DNs only"),
                say("Add the base DN of this OU's domain to the connection."),
            )
    for base, configured in zip(bases, facts.connection.base_dns, strict=True):
        if not base.is_dc_form:
            yield _base_dn_finding(
                facts,
                configured,
                FindingOutcome.ADVISORY,
                Severity.LOW,
                say("A base DN is not in the documented form"),
                say("it works in LDAP, but the page shows DC= components only"),
                say("Use the DN of the domain as base DN."),
            )


def _base_dn_finding(  # noqa: PLR0913 - one row per fact of the finding
    facts: DirectoryFacts,
    scope: str,
    outcome: FindingOutcome,
    severity: Severity,
    title: Message,
    actual: Message,
    cure: Message,
) -> Finding:
    return make_finding(
        check="AD-COL-005",
        connection=facts.connection.id,
        outcome=outcome,
        severity=severity,
        principal=facts.connection.username,
        entitlement="base DN",
        scope=scope,
        title=title,
        documented=say("base DN in the form DC=example-domain,DC=com"),
        actual=actual,
        remediation=Remediation(text=cure),
        evidence=(EvidenceReference(dataset="target_ou", record=scope),),
    )
