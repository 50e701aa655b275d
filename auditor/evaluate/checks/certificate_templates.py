"""AD-PRV-015: certificates in another's name, through templates and enrolment services, without Domain Admins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.acl import AccessMask
from auditor.evaluate.directory.grants import aces_granting, entries_in_words, grants_on, path_to_ace
from auditor.evaluate.directory.holder import OPEN, ask, holder_without_domain_admins
from auditor.evaluate.directory.subtree import Container
from auditor.evaluate.findings import make_finding
from auditor.evaluate.remediation import revoke
from auditor.model.directory_entry import record_to_entry
from auditor.model.message import Message, joined, say
from auditor.model.outcome import FindingOutcome, Severity
from auditor.model.results import EvidenceReference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.acl import Ace, SecurityDescriptor, Token
    from auditor.evaluate.directory.holder import Held
    from auditor.evaluate.directory.judge import DirectoryFacts
    from auditor.evaluate.directory.membership import Membership
    from auditor.model.directory_entry import DirectoryEntry
    from auditor.model.results import Finding

_ENROLL = ("0e10c968-78fb-11d2-90d4-00c04f79dc55",)
# MS-CRTE 2.28, 2.27: the requester names the subject, or its alternative names; a manager approves
_ENROLLEE_SUPPLIES_SUBJECT = 0x1 | 0x10000
_NEEDS_APPROVAL = 0x2
# Extended key usages that sign in: client authentication, smart card logon, PKINIT, any purpose
_SIGN_IN_USAGES = frozenset({"1.3.6.1.5.5.7.3.2", "1.3.6.1.4.1.311.20.2.2", "1.3.6.1.5.2.3.4", "2.5.29.37.0"})


def check_certificate_templates(facts: DirectoryFacts) -> Iterator[Finding]:
    """Report templates and services the account may change, and published risky templates it may enrol in."""
    membership = facts.account.membership
    if membership is None:
        return
    holder = holder_without_domain_admins(membership)
    entries = tuple(map(record_to_entry, facts.evidence.read("certificate_services")))
    published = {name for entry in entries for name in entry.texts("certificateTemplates")}
    for entry in entries:
        container = Container(dn=entry.dn, descriptor=facts.evidence.descriptor(entry.descriptor))
        if container.descriptor is None:
            continue
        held = ask(_changes, container.descriptor, holder)
        what = say("change it")
        if (held is None or not held.is_certain) and _is_risky(entry) and entry.text("cn") in published:
            enrols = ask(_enrols, container.descriptor, holder)
            if enrols is not None and (held is None or enrols.is_certain):
                held, what = enrols, say("enrol, and the requester names the subject of a certificate that signs in")
        if held is not None:
            yield _finding(facts, membership, container, held, what)


def _finding(facts: DirectoryFacts, membership: Membership, container: Container, held: Held, what: Message) -> Finding:
    actual = entries_in_words(container, held.aces)
    return make_finding(
        check="AD-PRV-015",
        connection=facts.connection.id,
        outcome=FindingOutcome.EXCESS if held.is_certain else FindingOutcome.UNVERIFIABLE,
        severity=Severity.HIGH if held.is_certain else Severity.MEDIUM,
        principal=membership.account_sid,
        entitlement="certificate services",
        scope=container.dn,
        title=say(
            "Certificate services: the account may {what}"
            if held.is_certain
            else "Certificate services: the account may perhaps {what}",
            what=what,
        ),
        documented=say("nothing in certificate services"),
        actual=actual if held.is_certain else joined("; ", (OPEN, actual)),
        paths=tuple(path_to_ace(membership, container, ace) for ace in held.aces),
        evidence=(EvidenceReference(dataset="certificate_services", record=container.dn),),
        remediation=revoke([(container.dn, held.aces)]),
    )


def _changes(descriptor: SecurityDescriptor, token: Token) -> tuple[Ace, ...] | None:
    """One attribute is enough to make a template a risky one."""
    writing = AccessMask.WRITE_DAC | AccessMask.WRITE_OWNER | AccessMask.WRITE_PROPERTY
    aces = tuple(grant.ace for grant in grants_on(descriptor, token) if grant.rights & writing)
    return aces or aces_granting(descriptor, token, AccessMask.WRITE_DAC)  # without an ACE: by ownership, or no DACL


def _enrols(descriptor: SecurityDescriptor, token: Token) -> tuple[Ace, ...] | None:
    return aces_granting(descriptor, token, AccessMask.CONTROL_ACCESS, _ENROLL)


def _is_risky(entry: DirectoryEntry) -> bool:
    usages = set(entry.texts("pKIExtendedKeyUsage"))
    return (
        bool((entry.integer("msPKI-Certificate-Name-Flag") or 0) & _ENROLLEE_SUPPLIES_SUBJECT)
        and not (entry.integer("msPKI-Enrollment-Flag") or 0) & _NEEDS_APPROVAL
        and not (entry.integer("msPKI-RA-Signature") or 0)
        and (not usages or bool(usages & _SIGN_IN_USAGES))
    )
