"""AD-PRV-015: certificates in another's name, through templates and enrolment services, without Domain Admins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.acl import AccessMask, Token, format_ace_sddl
from auditor.evaluate.directory.grants import aces_granting, path_to_ace
from auditor.evaluate.directory.subtree import Container
from auditor.evaluate.findings import make_finding
from auditor.evaluate.remediation import revoke
from auditor.model.directory_entry import record_to_entry
from auditor.model.outcome import FindingOutcome, Severity
from auditor.model.results import EvidenceReference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.acl import Ace
    from auditor.evaluate.directory.judge import DirectoryFacts
    from auditor.model.directory_entry import DirectoryEntry
    from auditor.model.results import Finding

_ENROLL = ("0e10c968-78fb-11d2-90d4-00c04f79dc55",)
# MS-CRTE 2.26, 2.27: the requester names the subject; a manager approves
_ENROLLEE_SUPPLIES_SUBJECT = 0x1
_NEEDS_APPROVAL = 0x2
# Extended key usages that sign in: client authentication, smart card logon, PKINIT, any purpose
_SIGN_IN_USAGES = frozenset({"1.3.6.1.5.5.7.3.2", "1.3.6.1.4.1.311.20.2.2", "1.3.6.1.5.2.3.4", "2.5.29.37.0"})


def check_certificate_templates(facts: DirectoryFacts) -> Iterator[Finding]:
    """Report templates and services the account may change, and published risky templates it may enrol in."""
    membership = facts.account.membership
    if membership is None:
        return
    token = Token(membership.without_domain_admins)
    entries = tuple(map(record_to_entry, facts.evidence.read("certificate_services")))
    published = {name for entry in entries for name in entry.texts("certificateTemplates")}
    for entry in entries:
        container = Container(dn=entry.dn, descriptor=facts.evidence.descriptor(entry.descriptor))
        if container.descriptor is None:
            continue
        held = _changes(container, token)
        what = "may change it"
        if held is None and _is_risky(entry) and entry.text("cn") in published:
            held = aces_granting(container.descriptor, token, AccessMask.CONTROL_ACCESS, _ENROLL)
            what = "may enrol, and the requester names the subject of a certificate that signs in"
        if held is not None:
            yield make_finding(
                check="AD-PRV-015",
                connection=facts.connection.id,
                outcome=FindingOutcome.EXCESS,
                severity=Severity.HIGH,
                principal=membership.account_sid,
                entitlement="certificate services",
                scope=entry.dn,
                title=f"Certificate services: the account {what}",
                documented="nothing in certificate services",
                actual=" ".join(map(format_ace_sddl, held)) or "by ownership",
                paths=tuple(path_to_ace(membership, container, ace) for ace in held),
                evidence=(EvidenceReference(dataset="certificate_services", record=entry.dn),),
                remediation=revoke([(entry.dn, held)]),
            )


def _changes(container: Container, token: Token) -> tuple[Ace, ...] | None:
    descriptor = container.descriptor
    if descriptor is None:
        return None
    rights = (AccessMask.WRITE_DAC, AccessMask.WRITE_OWNER, AccessMask.WRITE_PROPERTY)
    answers = [answer for right in rights if (answer := aces_granting(descriptor, token, right)) is not None]
    return tuple(dict.fromkeys(ace for answer in answers for ace in answer)) if answers else None


def _is_risky(entry: DirectoryEntry) -> bool:
    usages = set(entry.texts("pKIExtendedKeyUsage"))
    return (
        bool((entry.integer("msPKI-Certificate-Name-Flag") or 0) & _ENROLLEE_SUPPLIES_SUBJECT)
        and not (entry.integer("msPKI-Enrollment-Flag") or 0) & _NEEDS_APPROVAL
        and not (entry.integer("msPKI-RA-Signature") or 0)
        and (not usages or bool(usages & _SIGN_IN_USAGES))
    )
