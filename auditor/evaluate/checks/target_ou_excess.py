"""AD-PRV-001 to 009, 014, 021: rights on the target OUs and below that go further than the user task."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from auditor.acl import AccessMask
from auditor.evaluate.directory.beyond_task import everything_else, rights_beyond_task
from auditor.evaluate.directory.grants import Place, describe_places, path_to_ace, places_where
from auditor.evaluate.directory.holder import OPEN, holder_without_domain_admins
from auditor.evaluate.directory.user_task import USER_CHILD_RIGHTS, USER_CLASS
from auditor.evaluate.findings import make_finding
from auditor.evaluate.remediation import revoke
from auditor.model.outcome import FindingOutcome, Severity
from auditor.model.results import EvidenceReference

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.acl import Ace
    from auditor.evaluate.directory.beyond_task import RightBeyondTask
    from auditor.evaluate.directory.judge import DirectoryFacts
    from auditor.evaluate.directory.membership import Membership
    from auditor.model.results import Finding


def check_target_ou_excess(facts: DirectoryFacts) -> Iterator[Finding]:
    """Report each right beyond the user task once per target OU, with the containers where it is held."""
    membership = facts.account.membership
    if membership is None:
        return
    holder = holder_without_domain_admins(membership)
    for ou, delegated in facts.delegations.items():
        if delegated.subtree is None:
            continue
        groups = delegated.subtree.alike(holder.possible)
        told: dict[tuple[str, Ace], AccessMask] = {}
        for right in rights_beyond_task(facts.schema):
            places = places_where(groups, right.question, holder)
            if places:
                for key in {(right.below, ace) for place in places for ace in place.aces}:
                    told[key] = told.get(key, AccessMask(0)) | right.rights
                yield _finding(facts, membership, ou, right, places)
        places = places_where(groups, everything_else(facts.schema, told), holder)
        if places:
            yield _other_rights(facts, membership, ou, places)


def _finding(
    facts: DirectoryFacts, membership: Membership, ou: str, right: RightBeyondTask, places: Sequence[Place]
) -> Finding:
    finding = _of_places(
        facts,
        membership,
        ou,
        places,
        check=right.check,
        entitlement=right.entitlement or right.check,
        title=f"More than the user task: {right.held}",
    )
    if not places[0].is_certain:
        return replace(finding, outcome=FindingOutcome.UNVERIFIABLE, title=f"Perhaps m{finding.title[1:]}")
    return replace(finding, outcome=FindingOutcome.EXCESS, severity=right.severity)


def _other_rights(facts: DirectoryFacts, membership: Membership, ou: str, places: Sequence[Place]) -> Finding:
    guids = {guid for place in places for ace in place.aces for guid in _classes_of(ace)} - {USER_CLASS}
    classes = ", ".join(sorted(map(facts.schema.name_of_class, guids)))
    return _of_places(
        facts,
        membership,
        ou,
        places,
        check="AD-PRV-021",
        entitlement="other rights",
        title=f"Other rights beyond the user task{f', for {classes}' if classes else ''}",
    )


def _of_places(  # noqa: PLR0913 - the facts of a finding
    facts: DirectoryFacts,
    membership: Membership,
    ou: str,
    places: Sequence[Place],
    *,
    check: str,
    entitlement: str,
    title: str,
) -> Finding:
    first = places[0]
    return make_finding(
        check=check,
        connection=facts.connection.id,
        outcome=FindingOutcome.ADVISORY,
        severity=Severity.MEDIUM,
        principal=membership.account_sid,
        entitlement=entitlement,
        scope=ou,
        title=title,
        documented="create, delete and manage users below the OU",
        actual=f"{'' if first.is_certain else f'{OPEN}; '}held without Domain Admins on {describe_places(places)}",
        paths=tuple(path_to_ace(membership, first.container, ace) for ace in first.aces),
        evidence=(
            EvidenceReference(dataset="target_ou", record=ou),
            EvidenceReference(dataset="containers", record=ou),
        ),
        remediation=revoke([(place.container.dn, place.aces) for place in places]),
    )


def _classes_of(ace: Ace) -> Iterator[str]:
    if ace.object_type is not None and int(ace.rights) & USER_CHILD_RIGHTS:
        yield ace.object_type
    if ace.inherited_object_type is not None:
        yield ace.inherited_object_type
