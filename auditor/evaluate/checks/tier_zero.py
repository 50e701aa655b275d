"""AD-PRV-010, 011: rights on the objects whose control is control of the domain, without Domain Admins."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from auditor.acl import AccessMask, Token
from auditor.evaluate.directory.grants import (
    aces_granting,
    entries_in_words,
    grants_below,
    grants_on,
    is_of_the_user_task,
    path_to_ace,
)
from auditor.evaluate.directory.holder import OPEN, ask, holder_without_domain_admins
from auditor.evaluate.directory.shipped import is_shipped
from auditor.evaluate.directory.subtree import Container
from auditor.evaluate.findings import make_finding
from auditor.evaluate.remediation import revoke
from auditor.model.directory_entry import record_to_entry
from auditor.model.distinguished_name import is_dn_within
from auditor.model.message import joined, say
from auditor.model.outcome import FindingOutcome, Severity
from auditor.model.results import EvidenceReference, Remediation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from auditor.acl import Ace, SecurityDescriptor
    from auditor.evaluate.directory.grants import Grant
    from auditor.evaluate.directory.holder import Held, Holder, Question
    from auditor.evaluate.directory.judge import DirectoryFacts
    from auditor.evaluate.directory.membership import Membership
    from auditor.model.results import Finding

_ANY_OTHER_CLASS = ""
_GET_CHANGES_ALL = "1131f6ad-9c07-11d1-f79f-00c04fc2dcd2"
_REPLICATION_RIGHTS = {
    "1131f6aa-9c07-11d1-f79f-00c04fc2dcd2": "DS-Replication-Get-Changes",
    _GET_CHANGES_ALL: "DS-Replication-Get-Changes-All",
    "89e95b76-444d-4c62-991a-0facbeda640c": "DS-Replication-Get-Changes-In-Filtered-Set",
}


def check_replication_rights(facts: DirectoryFacts) -> Iterator[Finding]:
    """AD-PRV-010: rights that give the secrets of the domain; those of built-in administration are an advisory."""
    membership, head = facts.account.membership, _head(facts)
    if membership is None or head is None or head.descriptor is None:
        return
    held = _replication(head.descriptor, holder_without_domain_admins(membership))
    certain = {guid: each for guid, each in held.items() if each.is_certain}
    if certain:
        severity = Severity.CRITICAL if _GET_CHANGES_ALL in certain else Severity.HIGH
        yield replace(_replication_finding(facts, membership, head, certain), severity=severity)
    elif held:
        finding = _replication_finding(facts, membership, head, held)
        yield replace(
            finding,
            outcome=FindingOutcome.UNVERIFIABLE,
            title=say("Perhaps may replicate from the domain: {rights}", rights=_names(held)),
            actual=joined("; ", (OPEN, finding.actual)),
        )
    else:
        yield from _inherent_replication(facts, membership, head.dn, head.descriptor)


def _head(facts: DirectoryFacts) -> Container | None:
    entry = next((record_to_entry(record) for record in facts.evidence.read("domain")), None)
    return None if entry is None else Container(dn=entry.dn, descriptor=facts.evidence.descriptor(entry.descriptor))


def _replication(head: SecurityDescriptor, holder: Holder) -> dict[str, Held]:
    answers = {guid: ask(_replicating(guid), head, holder) for guid in _REPLICATION_RIGHTS}
    return {guid: held for guid, held in answers.items() if held is not None}


def _replicating(guid: str) -> Question:
    return lambda descriptor, token: aces_granting(descriptor, token, AccessMask.CONTROL_ACCESS, (guid,))


def _replication_finding(
    facts: DirectoryFacts, membership: Membership, head: Container, held: dict[str, Held]
) -> Finding:
    aces = tuple(dict.fromkeys(ace for each in held.values() for ace in each.aces))
    return make_finding(
        check="AD-PRV-010",
        connection=facts.connection.id,
        outcome=FindingOutcome.EXCESS,
        severity=Severity.MEDIUM,
        principal=membership.account_sid,
        entitlement="replication",
        scope=head.dn,
        title=say("May replicate from the domain: {rights}", rights=_names(held)),
        documented=say("nothing on the domain head"),
        actual=say("held without Domain Admins: {entries}", entries=entries_in_words(head, aces)),
        paths=tuple(path_to_ace(membership, head, ace) for ace in aces),
        evidence=(EvidenceReference(dataset="domain"),),
        remediation=revoke([(head.dn, aces)]),
    )


def _names(rights: Iterable[str]) -> str:
    return ", ".join(_REPLICATION_RIGHTS[guid] for guid in rights)


def _inherent_replication(
    facts: DirectoryFacts, membership: Membership, dn: str, head: SecurityDescriptor
) -> Iterator[Finding]:
    aces = _replicating(_GET_CHANGES_ALL)(head, Token(membership.token))
    if aces is None:
        return
    through = ", ".join(dict.fromkeys(membership.names.get(ace.trustee, ace.trustee) for ace in aces))
    yield make_finding(
        check="AD-PRV-010",
        connection=facts.connection.id,
        outcome=FindingOutcome.ADVISORY,
        severity=Severity.HIGH,
        principal=membership.account_sid,
        entitlement="replication through built-in administration",
        scope=dn,
        title=say("May replicate every secret of the domain, as all its administrators may"),
        documented=say("member of Domain Admins"),
        actual=say(
            "inherent to {through}; without built-in administration the account does not hold it",
            through=through,
        ),
        evidence=(EvidenceReference(dataset="domain"),),
        remediation=Remediation(text=say("It ends when the account is no longer in {through}.", through=through)),
    )


def check_tier_zero(facts: DirectoryFacts) -> Iterator[Finding]:
    """AD-PRV-011: anything beyond reading on a tier-0 object; replication is told by AD-PRV-010."""
    membership, head = facts.account.membership, _head(facts)
    if membership is None:
        return
    holder = holder_without_domain_admins(membership)
    entries = map(record_to_entry, facts.evidence.read("tier_zero"))
    others = (Container(dn=each.dn, descriptor=facts.evidence.descriptor(each.descriptor)) for each in entries)
    for container in (*((head,) if head else ()), *others):
        is_head = container is head
        if container.descriptor is not None:
            held = ask(_beyond_reading(facts, container.dn, is_head=is_head), container.descriptor, holder)
            if held is not None:
                dataset = "domain" if is_head else "tier_zero"
                yield _tier_zero_finding(facts, membership, container, held, dataset=dataset)


def _beyond_reading(facts: DirectoryFacts, dn: str, *, is_head: bool) -> Question:
    """Ask for entries on the object and explicit ones for what lies below; of the head, AD-PRV-013 tells the latter.

    On an object inside a target OU the user task is documented.
    """
    has_task = any(is_dn_within(dn, target) for target in facts.connection.target_ous)

    def question(descriptor: SecurityDescriptor, token: Token) -> tuple[Ace, ...] | None:
        if descriptor.dacl is None:
            return ()
        grants = [*grants_on(descriptor, token), *(() if is_head else _grants_below(descriptor, token))]
        found = [
            grant.ace
            for grant in grants
            if not _is_told_or_shipped(grant) and not (has_task and is_of_the_user_task(grant))
        ]
        return tuple(dict.fromkeys(found)) if found or descriptor.owner in token.sids else None

    return question


def _grants_below(descriptor: SecurityDescriptor, token: Token) -> Iterator[Grant]:
    """Explicit entries, on the classes that entries name and on any other."""
    classes = {ace.inherited_object_type or _ANY_OTHER_CLASS for ace in descriptor.dacl or ()}
    for class_guid in sorted(classes):
        yield from (grant for grant in grants_below(descriptor, token, class_guid) if not grant.ace.is_inherited)


def _is_told_or_shipped(grant: Grant) -> bool:
    ace = grant.ace
    if grant.rights == AccessMask.CONTROL_ACCESS and ace.object_type in _REPLICATION_RIGHTS:
        return True
    return is_shipped(ace, grant.rights)


def _tier_zero_finding(
    facts: DirectoryFacts, membership: Membership, container: Container, held: Held, *, dataset: str
) -> Finding:
    descriptor = container.descriptor
    owns = descriptor is not None and descriptor.owner in membership.without_domain_admins
    actual = say(
        "the account or a group of it owns the object; held without Domain Admins: {entries}"
        if owns
        else "held without Domain Admins: {entries}",
        entries=entries_in_words(container, held.aces),
    )
    return make_finding(
        check="AD-PRV-011",
        connection=facts.connection.id,
        outcome=FindingOutcome.EXCESS if held.is_certain else FindingOutcome.UNVERIFIABLE,
        severity=Severity.CRITICAL if held.is_certain else Severity.MEDIUM,
        principal=membership.account_sid,
        entitlement="beyond reading",
        scope=container.dn,
        title=say(
            "Rights on a tier-0 object: {dn}" if held.is_certain else "Perhaps rights on a tier-0 object: {dn}",
            dn=container.dn,
        ),
        documented=say("nothing beyond the target OUs"),
        actual=actual if held.is_certain else joined("; ", (OPEN, actual)),
        paths=tuple(path_to_ace(membership, container, ace) for ace in held.aces),
        evidence=(EvidenceReference(dataset=dataset, record=container.dn),),
        remediation=revoke([(container.dn, held.aces)]),
    )
