"""AD-PRV-001 to 009, 014, 021: rights on the configured OUs and below that go further than the user task."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from auditor.acl import AccessMask
from auditor.evaluate.directory.beyond_task import everything_else, rights_beyond_task
from auditor.evaluate.directory.grants import Place, describe_places, path_to_ace, places_where
from auditor.evaluate.directory.holder import OPEN, holder_without_domain_admins
from auditor.evaluate.directory.subtree import read_subtree
from auditor.evaluate.directory.user_task import USER_CHILD_RIGHTS, USER_CLASS
from auditor.evaluate.findings import make_finding
from auditor.evaluate.remediation import revoke
from auditor.model.directory_entry import record_to_entry
from auditor.model.distinguished_name import is_dn_within
from auditor.model.message import Message, joined, say
from auditor.model.outcome import FindingOutcome, Severity
from auditor.model.results import EvidenceReference

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.acl import Ace
    from auditor.evaluate.directory.beyond_task import RightBeyondTask
    from auditor.evaluate.directory.judge import DirectoryFacts
    from auditor.evaluate.directory.membership import Membership
    from auditor.evaluate.directory.subtree import Subtree
    from auditor.model.results import Finding


_USER_TASK = say("create, delete and manage users below the OU")
_GROUP_TASK = say(
    "write members of groups; the steps of the page repeat the user task: {user_task}",
    user_task=_USER_TASK,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unit:
    """One OU that the product works in: with users, or in `assigns_groups` with groups."""

    dn: str
    subtree: Subtree
    assigns_groups: bool


def check_target_ou_excess(facts: DirectoryFacts) -> Iterator[Finding]:
    """Report each right beyond the user task once per target or group OU, with the containers where it is held."""
    membership = facts.account.membership
    if membership is None:
        return
    holder = holder_without_domain_admins(membership)
    for unit in _units(facts):
        groups = unit.subtree.alike(holder.possible)
        told: dict[tuple[str, Ace], AccessMask] = {}
        for right in rights_beyond_task(facts.schema):
            places = places_where(groups, right.question, holder)
            if places:
                for key in {(right.below, ace) for place in places for ace in place.aces}:
                    told[key] = told.get(key, AccessMask(0)) | right.rights
                yield _finding(facts, membership, unit, right, places)
        rest = everything_else(facts.schema, told, assigns_groups=unit.assigns_groups)
        places = places_where(groups, rest, holder)
        if places:
            yield _other_rights(facts, membership, unit, places)


def _units(facts: DirectoryFacts) -> Iterator[_Unit]:
    """Yield what was read; a group OU inside a target OU is told with that."""
    for dn, delegated in facts.delegations.items():
        if delegated.subtree is not None:
            yield _Unit(dn=dn, subtree=delegated.subtree, assigns_groups=False)
    for dn in facts.connection.group_ous:
        if any(is_dn_within(dn, target) for target in facts.connection.target_ous):
            continue
        for entry in map(record_to_entry, facts.evidence.read("group_ou", dn)):
            yield _Unit(dn=dn, subtree=read_subtree(facts.evidence, dn, entry), assigns_groups=True)


def _finding(
    facts: DirectoryFacts, membership: Membership, unit: _Unit, right: RightBeyondTask, places: Sequence[Place]
) -> Finding:
    is_certain = places[0].is_certain
    finding = _of_places(
        facts,
        membership,
        unit,
        places,
        check=right.check,
        entitlement=right.entitlement or right.check,
        title=say(
            "More than the user task: {held}" if is_certain else "Perhaps more than the user task: {held}",
            held=right.held,
        ),
    )
    if not is_certain:
        return replace(finding, outcome=FindingOutcome.UNVERIFIABLE)
    return replace(finding, outcome=FindingOutcome.EXCESS, severity=right.severity)


def _other_rights(facts: DirectoryFacts, membership: Membership, unit: _Unit, places: Sequence[Place]) -> Finding:
    guids = {guid for place in places for ace in place.aces for guid in _classes_of(ace)} - {USER_CLASS}
    classes = ", ".join(sorted(map(facts.schema.name_of_class, guids)))
    return _of_places(
        facts,
        membership,
        unit,
        places,
        check="AD-PRV-021",
        entitlement="other rights",
        title=say(
            "Other rights beyond the user task, for {classes}" if classes else "Other rights beyond the user task",
            classes=classes,
        ),
    )


def _of_places(  # noqa: PLR0913 - the facts of a finding
    facts: DirectoryFacts,
    membership: Membership,
    unit: _Unit,
    places: Sequence[Place],
    *,
    check: str,
    entitlement: str,
    title: Message,
) -> Finding:
    first = places[0]
    held = say("held without Domain Admins on {places}", places=describe_places(places))
    return make_finding(
        check=check,
        connection=facts.connection.id,
        outcome=FindingOutcome.ADVISORY,
        severity=Severity.MEDIUM,
        principal=membership.account_sid,
        entitlement=entitlement,
        scope=unit.dn,
        title=title,
        documented=_GROUP_TASK if unit.assigns_groups else _USER_TASK,
        actual=held if first.is_certain else joined("; ", (OPEN, held)),
        paths=tuple(path_to_ace(membership, first.container, ace) for ace in first.aces),
        evidence=(
            EvidenceReference(dataset="group_ou" if unit.assigns_groups else "target_ou", record=unit.dn),
            EvidenceReference(dataset="containers", record=unit.dn),
        ),
        remediation=revoke([(place.container.dn, place.aces) for place in places]),
    )


def _classes_of(ace: Ace) -> Iterator[str]:
    if ace.object_type is not None and int(ace.rights) & USER_CHILD_RIGHTS:
        yield ace.object_type
    if ace.inherited_object_type is not None:
        yield ace.inherited_object_type
