"""AD-PRV-014: passwords of group managed service accounts, without Domain Admins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.acl import AccessMask, MalformedDescriptor, parse_descriptor
from auditor.evaluate.directory.grants import aces_granting, entries_in_words, path_to_ace
from auditor.evaluate.directory.holder import OPEN, ask, holder_without_domain_admins
from auditor.evaluate.directory.subtree import Container
from auditor.evaluate.findings import make_finding
from auditor.evaluate.remediation import revoke
from auditor.model.directory_entry import record_to_entry
from auditor.model.message import Message, joined, say
from auditor.model.outcome import FindingOutcome, Severity
from auditor.model.results import EvidenceReference, Remediation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.acl import Ace, SecurityDescriptor, Token
    from auditor.evaluate.directory.holder import Held, Holder, Question
    from auditor.evaluate.directory.judge import DirectoryFacts
    from auditor.evaluate.directory.membership import Membership
    from auditor.evaluate.directory.schema import DirectorySchema
    from auditor.model.directory_entry import DirectoryEntry
    from auditor.model.results import Finding

_WHO_RETRIEVES = "msDS-GroupMSAMembership"
_CLASS = "msDS-GroupManagedServiceAccount"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Power:
    """What the account may do with one service account, by the entries of which descriptor, and what ends it."""

    words: Message
    container: Container
    held: Held
    cure: Remediation


def check_managed_service_accounts(facts: DirectoryFacts) -> Iterator[Finding]:
    """Report each group managed service account whose password the account may retrieve, or say who may."""
    membership = facts.account.membership
    if membership is None:
        return
    holder = holder_without_domain_admins(membership)
    for entry in map(record_to_entry, facts.evidence.read("managed_service_accounts")):
        try:
            powers = [*_retrieving(entry, holder), *_naming(facts, entry, holder)]
        except MalformedDescriptor:
            yield _malformed(facts, membership, entry.dn)
            continue
        graver = sorted(powers, key=lambda power: not power.held.is_certain)
        if graver:
            yield _finding(facts, membership, entry.dn, graver[0])


def _retrieving(entry: DirectoryEntry, holder: Holder) -> Iterator[_Power]:
    """The password goes to whom the attribute's own descriptor grants reading (MS-ADTS 3.1.1.4.4)."""
    for raw in entry.octets(_WHO_RETRIEVES):
        descriptor = parse_descriptor(raw)
        held = ask(_reads, descriptor, holder)
        if held is not None:
            yield _Power(
                words=say("retrieve its password"),
                container=Container(dn=f"{_WHO_RETRIEVES} of {entry.dn}", descriptor=descriptor),
                held=held,
                cure=Remediation(
                    text=say(
                        "Take the account, or the group that leads to it, out of those who may retrieve the password "
                        "(Set-ADServiceAccount -PrincipalsAllowedToRetrieveManagedPassword).",
                    )
                ),
            )


def _reads(descriptor: SecurityDescriptor, token: Token) -> tuple[Ace, ...] | None:
    return aces_granting(descriptor, token, AccessMask.READ_PROPERTY)


def _naming(facts: DirectoryFacts, entry: DirectoryEntry, holder: Holder) -> Iterator[_Power]:
    descriptor = facts.evidence.descriptor(entry.descriptor)
    held = None if descriptor is None else ask(_writes(facts.schema), descriptor, holder)
    if held is not None:
        yield _Power(
            words=say("say who retrieves its password"),
            container=Container(dn=entry.dn, descriptor=descriptor),
            held=held,
            cure=revoke([(entry.dn, held.aces)]),
        )


def _writes(schema: DirectorySchema) -> Question:
    types = schema.object_types(_WHO_RETRIEVES, _CLASS)

    def question(descriptor: SecurityDescriptor, token: Token) -> tuple[Ace, ...] | None:
        rights = (AccessMask.WRITE_PROPERTY, AccessMask.WRITE_DAC, AccessMask.WRITE_OWNER)
        answers = (aces_granting(descriptor, token, right, types) for right in rights)
        return next((aces for aces in answers if aces is not None), None)

    return question


def _finding(facts: DirectoryFacts, membership: Membership, dn: str, power: _Power) -> Finding:
    held, actual = power.held, entries_in_words(power.container, power.held.aces)
    return make_finding(
        check="AD-PRV-014",
        connection=facts.connection.id,
        outcome=FindingOutcome.EXCESS if held.is_certain else FindingOutcome.UNVERIFIABLE,
        severity=Severity.CRITICAL if held.is_certain else Severity.MEDIUM,
        principal=membership.account_sid,
        entitlement="managed service account",
        scope=dn,
        title=say(
            "Managed service account: the account may {power}"
            if held.is_certain
            else "Managed service account: the account may perhaps {power}",
            power=power.words,
        ),
        documented=say("nothing on service accounts"),
        actual=actual if held.is_certain else joined("; ", (OPEN, actual)),
        paths=tuple(path_to_ace(membership, power.container, ace) for ace in held.aces),
        evidence=(EvidenceReference(dataset="managed_service_accounts", record=dn),),
        remediation=power.cure,
    )


def _malformed(facts: DirectoryFacts, membership: Membership, dn: str) -> Finding:
    return make_finding(
        check="AD-PRV-014",
        connection=facts.connection.id,
        outcome=FindingOutcome.UNVERIFIABLE,
        severity=Severity.MEDIUM,
        principal=membership.account_sid,
        entitlement="managed service account",
        scope=dn,
        title=say("Managed service account: who may retrieve its password is malformed"),
        documented=say("nothing on service accounts"),
        actual=say("{attribute} is no security descriptor", attribute=_WHO_RETRIEVES),
        evidence=(EvidenceReference(dataset="managed_service_accounts", record=dn),),
        remediation=Remediation(text=say("Name again who may retrieve the password, then run again.")),
    )
