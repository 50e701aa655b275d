"""AD-PRV-010, 011: rights on the objects whose control is control of the domain, without Domain Admins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.acl import AccessMask, Token, format_ace_sddl
from auditor.evaluate.directory.grants import aces_granting, grants_on, path_to_ace
from auditor.evaluate.directory.subtree import Container
from auditor.evaluate.directory.well_known import AUTHENTICATED_USERS, EVERYONE
from auditor.evaluate.findings import make_finding
from auditor.evaluate.remediation import revoke
from auditor.model.directory_entry import record_to_entry
from auditor.model.outcome import FindingOutcome, Severity
from auditor.model.results import EvidenceReference, Remediation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.acl import Ace
    from auditor.evaluate.directory.grants import Grant
    from auditor.evaluate.directory.judge import DirectoryFacts
    from auditor.evaluate.directory.membership import Membership
    from auditor.model.results import Finding

_GET_CHANGES_ALL = "1131f6ad-9c07-11d1-f79f-00c04fc2dcd2"
_REPLICATION_RIGHTS = {
    "1131f6aa-9c07-11d1-f79f-00c04fc2dcd2": "DS-Replication-Get-Changes",
    _GET_CHANGES_ALL: "DS-Replication-Get-Changes-All",
    "89e95b76-444d-4c62-991a-0facbeda640c": "DS-Replication-Get-Changes-In-Filtered-Set",
}
# What every domain lets everybody do, as Windows ships it: (trustee, right, object type).
_SHIPPED_GRANTS = frozenset(
    {
        (AUTHENTICATED_USERS, AccessMask.CONTROL_ACCESS, "ccc2dc7d-a6ad-4a7a-8846-c04e3cc53501"),  # Unexpire-Password
        (
            AUTHENTICATED_USERS,
            AccessMask.CONTROL_ACCESS,
            "280f369c-67c7-438e-ae98-1d46f3c6f541",
        ),  # Update-Password-Not-…
        (AUTHENTICATED_USERS, AccessMask.CONTROL_ACCESS, "05c74c5e-4deb-43b4-bd9f-86664c2a7fd5"),  # Enable-Per-User-…
        (AUTHENTICATED_USERS, AccessMask.CONTROL_ACCESS, "ab721a55-1e2f-11d0-9819-00aa0040529b"),  # Send-To
        (EVERYONE, AccessMask.CONTROL_ACCESS, "ab721a53-1e2f-11d0-9819-00aa0040529b"),  # User-Change-Password
    }
)


def check_replication_rights(facts: DirectoryFacts) -> Iterator[Finding]:
    """AD-PRV-010: rights that give the secrets of the domain; those of Domain Admins are inherent and an advisory."""
    membership, head = facts.account.membership, _head(facts)
    if membership is None or head is None:
        return
    held = _replication_aces(head, Token(membership.without_domain_admins))
    if held:
        yield make_finding(
            check="AD-PRV-010",
            connection=facts.connection.id,
            outcome=FindingOutcome.EXCESS,
            severity=Severity.CRITICAL if _GET_CHANGES_ALL in held else Severity.HIGH,
            principal=membership.account_sid,
            entitlement="replication",
            scope=head.dn,
            title=f"May replicate from the domain: {', '.join(_REPLICATION_RIGHTS[guid] for guid in held)}",
            documented="nothing on the domain head",
            actual=f"held without Domain Admins: {_in_sddl(tuple(ace for aces in held.values() for ace in aces))}",
            paths=tuple(path_to_ace(membership, head, ace) for aces in held.values() for ace in aces),
            evidence=(EvidenceReference(dataset="domain"),),
            remediation=revoke([(head.dn, aces) for aces in held.values()]),
        )
    elif membership.is_domain_admin and _replication_aces(head, Token(membership.token)):
        yield make_finding(
            check="AD-PRV-010",
            connection=facts.connection.id,
            outcome=FindingOutcome.ADVISORY,
            severity=Severity.HIGH,
            principal=membership.account_sid,
            entitlement="replication through Domain Admins",
            scope=head.dn,
            title="May replicate every secret of the domain, as all Domain Admins may",
            documented="member of Domain Admins",
            actual="inherent to Domain Admins and Administrators; without them the account does not hold it",
            evidence=(EvidenceReference(dataset="domain"),),
            remediation=Remediation(text="It ends when the account leaves Domain Admins."),
        )


def _head(facts: DirectoryFacts) -> Container | None:
    entry = next((record_to_entry(record) for record in facts.evidence.read("domain")), None)
    return None if entry is None else Container(dn=entry.dn, descriptor=facts.evidence.descriptor(entry.descriptor))


def _replication_aces(head: Container, token: Token) -> dict[str, tuple[Ace, ...]]:
    if head.descriptor is None:
        return {}
    found = {
        guid: aces_granting(head.descriptor, token, AccessMask.CONTROL_ACCESS, (guid,)) for guid in _REPLICATION_RIGHTS
    }
    return {guid: aces for guid, aces in found.items() if aces is not None}


def check_tier_zero(facts: DirectoryFacts) -> Iterator[Finding]:
    """AD-PRV-011: anything beyond reading on a tier-0 object; replication is told by AD-PRV-010."""
    membership, head = facts.account.membership, _head(facts)
    if membership is None:
        return
    token = Token(membership.without_domain_admins)
    others = (
        Container(dn=entry.dn, descriptor=facts.evidence.descriptor(entry.descriptor))
        for entry in map(record_to_entry, facts.evidence.read("tier_zero"))
    )
    for container in (*((head,) if head else ()), *others):
        if container.descriptor is None:
            continue
        grants = [grant for grant in grants_on(container.descriptor, token) if not _is_told_or_shipped(grant)]
        owns = container.descriptor.owner in token.sids
        if grants or owns:
            yield _tier_zero_finding(facts, membership, container, grants, owns=owns)


def _is_told_or_shipped(grant: Grant) -> bool:
    ace = grant.ace
    if grant.rights is AccessMask.CONTROL_ACCESS and ace.object_type in _REPLICATION_RIGHTS:
        return True
    return (ace.trustee, grant.rights, ace.object_type) in _SHIPPED_GRANTS


def _tier_zero_finding(
    facts: DirectoryFacts, membership: Membership, container: Container, grants: list[Grant], *, owns: bool
) -> Finding:
    aces = tuple(grant.ace for grant in grants)
    dataset = "tier_zero" if container.dn != getattr(_head(facts), "dn", None) else "domain"
    ownership = "the account or a group of it owns the object; " if owns else ""
    return make_finding(
        check="AD-PRV-011",
        connection=facts.connection.id,
        outcome=FindingOutcome.EXCESS,
        severity=Severity.CRITICAL,
        principal=membership.account_sid,
        entitlement="beyond reading",
        scope=container.dn,
        title=f"Rights on a tier-0 object: {container.dn}",
        documented="nothing beyond the target OUs",
        actual=f"{ownership}held without Domain Admins: {_in_sddl(aces) or 'by ownership'}",
        paths=tuple(path_to_ace(membership, container, ace) for ace in aces),
        evidence=(EvidenceReference(dataset=dataset, record=container.dn),),
        remediation=revoke([(container.dn, aces)]),
    )


def _in_sddl(aces: tuple[Ace, ...]) -> str:
    return " ".join(dict.fromkeys(map(format_ace_sddl, aces)))
