"""AD-PRV-001 to 009, 014, 021: rights on the target OUs and below that go further than the user task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.acl import AccessMask, Token
from auditor.evaluate.directory.beyond_task import rights_beyond_task
from auditor.evaluate.directory.grants import Place, describe_places, grants_on, path_to_ace, places_where
from auditor.evaluate.directory.user_task import USER_CLASS
from auditor.evaluate.findings import make_finding
from auditor.evaluate.remediation import revoke
from auditor.model.outcome import FindingOutcome, Severity
from auditor.model.results import EvidenceReference

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.acl import Ace, SecurityDescriptor
    from auditor.evaluate.directory.beyond_task import RightBeyondTask
    from auditor.evaluate.directory.judge import DirectoryFacts
    from auditor.evaluate.directory.membership import Membership
    from auditor.evaluate.directory.subtree import Subtree
    from auditor.model.results import Finding

_CHILD_RIGHTS = AccessMask.CREATE_CHILD | AccessMask.DELETE_CHILD


def check_target_ou_excess(facts: DirectoryFacts) -> Iterator[Finding]:
    """Report each right beyond the user task once per target OU, with the containers where it is held."""
    membership = facts.account.membership
    if membership is None:
        return
    token = Token(membership.without_domain_admins)
    for ou, delegated in facts.delegations.items():
        if delegated.subtree is None:
            continue
        for excess in rights_beyond_task(facts.schema, token):
            places = places_where(delegated.subtree.alike(token), excess.question)
            if places:
                yield _finding(facts, membership, ou, excess, places)
        yield from _other_features(facts, membership, ou, delegated.subtree, token)


def _finding(
    facts: DirectoryFacts, membership: Membership, ou: str, excess: RightBeyondTask, places: Sequence[Place]
) -> Finding:
    first = places[0]
    return make_finding(
        check=excess.check,
        connection=facts.connection.id,
        outcome=FindingOutcome.EXCESS,
        severity=excess.severity,
        principal=membership.account_sid,
        entitlement=excess.check,
        scope=ou,
        title=f"More than the user task: {excess.held}",
        documented="create, delete and manage users below the OU",
        actual=f"held without Domain Admins on {describe_places(places)}",
        paths=tuple(path_to_ace(membership, first.container, ace) for ace in first.aces),
        evidence=(
            EvidenceReference(dataset="target_ou", record=ou),
            EvidenceReference(dataset="containers", record=ou),
        ),
        remediation=revoke([(place.container.dn, place.aces) for place in places]),
    )


def _other_features(
    facts: DirectoryFacts, membership: Membership, ou: str, subtree: Subtree, token: Token
) -> Iterator[Finding]:
    """AD-PRV-021: create or delete objects of other classes, which the page does not ask for."""
    places = places_where(subtree.alike(token), lambda descriptor: _for_other_classes(descriptor, token))
    if not places:
        return
    classes = sorted({facts.schema.name_of_class(ace.object_type or "") for place in places for ace in place.aces})
    yield make_finding(
        check="AD-PRV-021",
        connection=facts.connection.id,
        outcome=FindingOutcome.ADVISORY,
        severity=Severity.MEDIUM,
        principal=membership.account_sid,
        entitlement="create or delete other classes",
        scope=ou,
        title=f"Creating or deleting objects of other classes: {', '.join(classes)}",
        documented="create, delete and manage users below the OU",
        actual=f"held without Domain Admins on {describe_places(places)}",
        paths=tuple(path_to_ace(membership, places[0].container, ace) for ace in places[0].aces),
        evidence=(
            EvidenceReference(dataset="target_ou", record=ou),
            EvidenceReference(dataset="containers", record=ou),
        ),
        remediation=revoke([(place.container.dn, place.aces) for place in places]),
    )


def _for_other_classes(descriptor: SecurityDescriptor, token: Token) -> tuple[Ace, ...] | None:
    aces = tuple(
        grant.ace
        for grant in grants_on(descriptor, token)
        if grant.rights & _CHILD_RIGHTS and grant.ace.object_type not in (None, USER_CLASS)
    )
    return aces or None
