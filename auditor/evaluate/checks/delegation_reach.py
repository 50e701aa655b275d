"""AD-PRV-012, 013, 018: delegation beside and above the target OUs, and entries for accounts that are gone."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from auditor.acl import RIGHTS_BEYOND_READ, AccessMask, AceKind, Token, domain_of_sid, rid_of_sid
from auditor.evaluate.directory.grants import entries_in_words, path_to_ace
from auditor.evaluate.directory.holder import OPEN, Holder, holder_without_domain_admins
from auditor.evaluate.directory.shipped import is_shipped
from auditor.evaluate.directory.subtree import Ancestors, Container
from auditor.evaluate.directory.well_known import BASELINE_BUILT_IN, DOMAIN_USERS_RID, EVERYONE, IN_EVERY_TOKEN
from auditor.evaluate.findings import make_finding
from auditor.evaluate.remediation import revoke
from auditor.model.directory_entry import record_to_entry
from auditor.model.distinguished_name import parsed_dn
from auditor.model.message import Message, joined, say
from auditor.model.outcome import FindingOutcome, Severity
from auditor.model.results import EvidenceReference, Remediation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.acl import Ace
    from auditor.evaluate.directory.judge import DirectoryFacts
    from auditor.evaluate.directory.membership import Membership
    from auditor.model.results import Finding

_FIRST_RID_OF_ACCOUNTS = 1000  # below are those every domain has, MS-SAMR 2.2.1.14
_SIDS_SHOWN = 10
_GRANTING = frozenset({AceKind.ALLOW, AceKind.CONDITIONAL_ALLOW})


def check_delegation_outside(facts: DirectoryFacts) -> Iterator[Finding]:
    """AD-PRV-012: explicit entries for the account or a group of its own on other containers."""
    membership = facts.account.membership
    if membership is None:
        return
    own = _apart_from_everybody(membership)
    for entry in map(record_to_entry, facts.evidence.read("other_containers")):
        container = Container(dn=entry.dn, descriptor=facts.evidence.descriptor(entry.descriptor))
        yield from _delegations(facts, membership, own, container, check="AD-PRV-012")


def check_delegation_above(facts: DirectoryFacts) -> Iterator[Finding]:
    """AD-PRV-013: explicit entries on objects above the target OUs, those that are target OUs themselves left out."""
    membership = facts.account.membership
    if membership is None:
        return
    ancestors = Ancestors(facts.evidence)
    targets = {name for name in map(parsed_dn, facts.connection.target_ous) if name is not None}
    above = {container.dn: container for ou in facts.connection.target_ous for container in ancestors.of(ou)}
    own = _apart_from_everybody(membership)
    for container in above.values():
        name = parsed_dn(container.dn)
        if name is not None and targets.isdisjoint(name.lineage()):
            yield from _delegations(facts, membership, own, container, check="AD-PRV-013")


# By whether every account is in the group, and whether the object lies above the target OUs
_TITLES = {
    (False, False): "Delegated to {name} outside the target OUs: {dn}",
    (False, True): "Delegated to {name} above the target OUs: {dn}",
    (True, False): "Delegated to {name}, which every account is in, outside the target OUs: {dn}",
    (True, True): "Delegated to {name}, which every account is in, above the target OUs: {dn}",
}


def _delegations(
    facts: DirectoryFacts, membership: Membership, own: Holder, container: Container, *, check: str
) -> Iterator[Finding]:
    """An object without a DACL counts as delegated to Everyone."""
    descriptor = container.descriptor
    if descriptor is None:
        return
    by_trustee: dict[str, list[Ace]] = {EVERYONE: []} if descriptor.dacl is None else {}
    for ace in descriptor.dacl or ():
        if ace.trustee not in own.possible.sids or ace.is_inherited:  # of most entries of a domain
            continue
        beyond_reading = AccessMask(ace.rights) & RIGHTS_BEYOND_READ
        if ace.kind in _GRANTING and beyond_reading and not is_shipped(ace, beyond_reading):
            by_trustee.setdefault(ace.trustee, []).append(ace)
    for trustee, aces in by_trustee.items():
        finding = _finding(facts, membership, container, trustee, aces, check=check)
        if aces and not (trustee in own.certain.sids and any(ace.kind is AceKind.ALLOW for ace in aces)):
            actual = joined("; ", (OPEN, finding.actual))
            finding = replace(finding, outcome=FindingOutcome.UNVERIFIABLE, actual=actual)
        yield finding


def _apart_from_everybody(membership: Membership) -> Holder:
    """Return the account with the groups of its own, without those that every account is in."""
    holder = holder_without_domain_admins(membership)
    certain, possible = (
        Token(frozenset(sid for sid in token.sids if not _is_everybody(sid)))
        for token in (holder.certain, holder.possible)
    )
    return Holder(certain=certain, possible=possible)


def _is_everybody(sid: str) -> bool:
    if sid in IN_EVERY_TOKEN or sid in BASELINE_BUILT_IN:
        return True
    return domain_of_sid(sid) is not None and rid_of_sid(sid) == DOMAIN_USERS_RID


def _is_in_every_token(membership: Membership, trustee: str) -> bool:
    """Tell whether the account is in a group only because everybody is: the grant is not its own excess."""
    way = membership.ways_without_domain_admins.get(trustee, ())
    return any(sid in IN_EVERY_TOKEN for sid in way)


def _finding(
    facts: DirectoryFacts, membership: Membership, container: Container, trustee: str, aces: list[Ace], *, check: str
) -> Finding:
    is_above = check == "AD-PRV-013"
    name = membership.names.get(trustee, trustee)
    is_own = trustee == membership.account_sid
    is_shared = _is_in_every_token(membership, trustee)
    return make_finding(
        check=check,
        connection=facts.connection.id,
        outcome=FindingOutcome.ADVISORY if is_shared else FindingOutcome.EXCESS,
        severity=Severity.HIGH if is_above or is_own else Severity.MEDIUM,
        principal=membership.account_sid,
        entitlement=trustee,
        scope=container.dn,
        title=say(
            _TITLES[is_shared, is_above],
            name=name,
            dn=container.dn,
        ),
        documented=say("delegated control of the target OUs"),
        actual=entries_in_words(container, aces),
        paths=tuple(path_to_ace(membership, container, ace) for ace in aces),
        evidence=(EvidenceReference(dataset="ancestors" if is_above else "other_containers", record=container.dn),),
        remediation=revoke([(container.dn, aces)]),
    )


def check_orphans(facts: DirectoryFacts) -> Iterator[Finding]:
    """AD-PRV-018: explicit entries on target OUs for SIDs behind which no account shows; other domains stay open."""
    membership, read = facts.account.membership, facts.evidence.read("trustees")
    if membership is None or not read.absence_is_proven:
        return
    domain = domain_of_sid(membership.account_sid)
    known = {entry.sid for entry in map(record_to_entry, read)} | membership.names.keys() | membership.token
    for ou, delegated in facts.delegations.items():
        unknown: Counter[str] = Counter()
        for descriptor, containers in delegated.subtree.descriptors if delegated.subtree else ():
            for ace in descriptor.dacl or ():
                if not ace.is_inherited and ace.trustee not in known and _is_account(ace.trustee):
                    unknown[ace.trustee] += containers
        gone = {sid: count for sid, count in sorted(unknown.items()) if domain_of_sid(sid) == domain}
        foreign = {sid: count for sid, count in sorted(unknown.items()) if sid not in gone}
        if gone:
            yield _orphan_finding(facts, membership, ou, gone)
        if foreign:
            yield _foreign_finding(facts, membership, ou, foreign)


def _is_account(sid: str) -> bool:
    return domain_of_sid(sid) is not None and rid_of_sid(sid) >= _FIRST_RID_OF_ACCOUNTS


def _orphan_finding(facts: DirectoryFacts, membership: Membership, ou: str, gone: dict[str, int]) -> Finding:
    return make_finding(
        check="AD-PRV-018",
        connection=facts.connection.id,
        outcome=FindingOutcome.ADVISORY,
        severity=Severity.LOW,
        principal=membership.account_sid,
        entitlement="entries without an account",
        scope=ou,
        title=say("Entries for {count} SIDs behind which no account shows", count=len(gone)),
        documented=say("nothing is documented about other entries"),
        actual=say("deleted, or hidden from the auditing identity: {gone}", gone=_counted(gone)),
        evidence=(EvidenceReference(dataset="trustees"), EvidenceReference(dataset="containers", record=ou)),
        remediation=Remediation(text=say("Make sure that these accounts are gone, then remove their entries.")),
    )


def _foreign_finding(facts: DirectoryFacts, membership: Membership, ou: str, foreign: dict[str, int]) -> Finding:
    return make_finding(
        check="AD-PRV-018",
        connection=facts.connection.id,
        outcome=FindingOutcome.UNVERIFIABLE,
        severity=Severity.LOW,
        principal=membership.account_sid,
        entitlement="entries for other domains",
        scope=ou,
        title=say("Entries for {count} SIDs of other domains, which were not asked for", count=len(foreign)),
        documented=say("nothing is documented about other entries"),
        actual=say(
            "whether an account is behind them, only their own domain knows: {foreign}",
            foreign=_counted(foreign),
        ),
        evidence=(EvidenceReference(dataset="containers", record=ou),),
        remediation=Remediation(
            text=say(
                "Ask in the domain of each SID for its account; remove entries of those gone.",
            )
        ),
    )


def _counted(sids: dict[str, int]) -> Message:
    shown = ", ".join(f"{sid} ({count})" for sid, count in list(sids.items())[:_SIDS_SHOWN])
    more = say(" and {count} more", count=len(sids) - _SIDS_SHOWN) if len(sids) > _SIDS_SHOWN else ""
    return say("{shown}{more}; in brackets the entries of each", shown=shown, more=more)
