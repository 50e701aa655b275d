"""Judges the user task on one target OU and on everything below it, without Domain Admins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.acl import Token
from auditor.evaluate.directory.delegation_words import (
    advice,
    denials_in_words,
    held_in_words,
    indexes_in,
    note_in_words,
    place_in_words,
    reason_in_words,
)
from auditor.evaluate.directory.subtree import Inhabitants, Subtree, auditor_lists, read_inhabitants, read_subtree
from auditor.evaluate.directory.user_task import (
    PartDecision,
    TaskPart,
    decide_user_task,
    holds_anything_for_users,
    may_be_defeated,
)
from auditor.evaluate.judgement import Judgement, describe_gap, with_note
from auditor.evaluate.quotes import quote_aces
from auditor.model.directory_entry import record_to_entry
from auditor.model.evidence import GapKind
from auditor.model.message import Message, joined, say
from auditor.model.outcome import Outcome
from auditor.model.results import EvidenceReference, Path, Remediation, RequirementPart

if TYPE_CHECKING:
    from auditor.evaluate.directory.membership import Membership
    from auditor.evaluate.directory.subtree import Container
    from auditor.model.evidence import Evidence, Gap


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegated:
    """One target OU: its judgement, and what was read of it. `subtree` is None when its descriptor was not.

    `inhabitants` are None where nothing is delegated that could reach them.
    """

    judgement: Judgement
    subtree: Subtree | None
    inhabitants: Inhabitants | None = None


def judge_delegation(
    evidence: Evidence, membership: Membership, target_ou: str, above: tuple[Container, ...]
) -> Delegated:
    """Judge one target OU with the objects above it. The token is that after leaving Domain Admins (rule A2)."""
    reference = EvidenceReference(dataset="target_ou", record=target_ou)
    read = evidence.read("target_ou", target_ou)
    entry = next((record_to_entry(record) for record in read), None)
    if entry is None or entry.descriptor is None:
        return Delegated(judgement=_judge_unseen(evidence, target_ou, read.gap, reference), subtree=None)
    subtree = read_subtree(evidence, target_ou, entry, above)
    if subtree.target.descriptor is None:
        malformed = _unverifiable(say("its security descriptor is malformed"), (reference,))
        return Delegated(judgement=malformed, subtree=None)
    judgement = _judge_token(subtree, membership, reference)
    if judgement.outcome not in (Outcome.SATISFIED, Outcome.PARTIAL):
        return Delegated(judgement=judgement, subtree=subtree)
    inhabitants = read_inhabitants(evidence, target_ou)
    told = _people_reached(inhabitants, Token(membership.without_domain_admins))
    return Delegated(judgement=with_note(judgement, told), subtree=subtree, inhabitants=inhabitants)


def _people_reached(inhabitants: Inhabitants, token: Token) -> Message:
    """Count the users that live below by whether the delegation reaches them."""
    if inhabitants.gap is not None:
        return say("The users below were not all read: {gap}.", gap=describe_gap(inhabitants.gap))
    users = [each for each in inhabitants.found if not each.is_group]
    if not users:
        return say("No user lives below.")
    unread = sum(each.descriptor is None for each in users)
    reached = sum(each.is_controlled_by(token) for each in users)
    counts = [
        say("{reached} under full control", reached=reached),
        say("{count} not", count=len(users) - reached - unread),
    ]
    counts += [say("{unread} not readable", unread=unread)] if unread else []
    return say("Users who live below: {count}, {counts}.", count=len(users), counts=joined(", ", counts))


def _judge_token(subtree: Subtree, membership: Membership, reference: EvidenceReference) -> Judgement:
    certain = _judge_subtree(subtree, membership, membership.without_domain_admins, reference)
    perhaps = membership.without_domain_admins | membership.perhaps_without_domain_admins
    if membership.perhaps_without_domain_admins:
        possible = _judge_subtree(subtree, membership, perhaps, reference)
        if possible.outcome is not certain.outcome:
            names = ", ".join(
                membership.names.get(sid, sid) for sid in sorted(membership.perhaps_without_domain_admins)
            )
            return _unverifiable(
                say("it depends on groups whose membership path could not be read: {names}", names=names),
                (reference, EvidenceReference(dataset="groups")),
            )
    gap = membership.token_gap or membership.well_known_gap
    if gap is not None and not _stands_without_whole_token(certain, subtree, perhaps):
        dataset = "token_groups" if membership.token_gap else "well_known_memberships"
        return _unverifiable(describe_gap(gap), (EvidenceReference(dataset=dataset),))
    return certain


def _stands_without_whole_token(judgement: Judgement, subtree: Subtree, sids: frozenset[str]) -> bool:
    """A grant that was seen stands unless somebody unseen in the token is denied."""
    return judgement.outcome is Outcome.SATISFIED and not any(
        may_be_defeated(each.descriptor, Token(sids)) for each in subtree.readable if each.descriptor is not None
    )


def _unverifiable(reason: Message, evidence: tuple[EvidenceReference, ...]) -> Judgement:
    return Judgement(outcome=Outcome.UNVERIFIABLE, reason=reason, actual=say("not readable"), evidence=evidence)


def _judge_unseen(evidence: Evidence, target_ou: str, gap: Gap | None, reference: EvidenceReference) -> Judgement:
    """Tell an OU that does not exist from one the auditing identity may not see."""
    if gap is None:
        return _unverifiable(
            say("its security descriptor was not returned (needed: Read permissions on the OU)"), (reference,)
        )
    if gap.kind is not GapKind.NOT_FOUND:
        return _unverifiable(describe_gap(gap), (reference,))
    ancestor = next((record_to_entry(record) for record in evidence.read("nearest_ancestor", target_ou)), None)
    if ancestor is not None and auditor_lists(evidence, ancestor):
        return Judgement(
            outcome=Outcome.MISSING,
            reason=say("the target OU does not exist"),
            actual=say("no such object"),
            remediation=Remediation(
                text=say("Correct the target OU in the inventory and in the product, or create the OU.")
            ),
            evidence=(reference, EvidenceReference(dataset="nearest_ancestor", record=target_ou)),
        )
    return _unverifiable(
        say(
            "the directory shows no such object, and the auditing identity may not list what is there "
            "(needed: List contents on the containers above)",
        ),
        (reference, EvidenceReference(dataset="nearest_ancestor", record=target_ou)),
    )


def _judge_subtree(
    subtree: Subtree, membership: Membership, sids: frozenset[str], reference: EvidenceReference
) -> Judgement:
    token = Token(sids)
    decisions = {
        container.dn: parts
        for group in subtree.alike(token)
        for parts in (decide_user_task(group.descriptor, token),)
        for container in group.containers
    }
    on_target = decisions[subtree.target.dn]
    failing: dict[TaskPart, list[str]] = {part.part: [] for part in on_target}
    for dn, parts in decisions.items():
        for part in parts:
            if not part.is_held:
                failing[part.part].append(dn)
    outcome = _outcome(subtree, token, decisions, failing)
    paths = _paths(subtree.target, on_target, membership, sids)
    denials = denials_in_words(subtree, on_target, membership)
    return Judgement(
        outcome=outcome,
        how=_how(on_target, membership) if outcome is Outcome.SATISFIED else "",
        reason=reason_in_words(outcome, subtree, on_target, failing, denials),
        actual=held_in_words(on_target, failing),
        note=note_in_words(subtree, on_target),
        paths=tuple(dict.fromkeys(path for found in paths.values() for path in found)),
        parts=tuple(
            _part(each, failing[each.part], subtree, paths[each.part], denials.get(each.part, "")) for each in on_target
        ),
        evidence=(
            reference,
            EvidenceReference(dataset="containers", record=subtree.target.dn),
            *_quotes(reference, subtree.target, on_target, membership),
        ),
        remediation=advice(subtree, on_target, failing, denials, membership.sign_in_name),
    )


def _outcome(
    subtree: Subtree,
    token: Token,
    decisions: dict[str, tuple[PartDecision, ...]],
    failing: dict[TaskPart, list[str]],
) -> Outcome:
    if any(not part.is_certain for parts in decisions.values() for part in parts):
        return Outcome.UNVERIFIABLE
    if not any(failing.values()):
        return Outcome.SATISFIED if subtree.is_whole else Outcome.UNVERIFIABLE
    holds_something = any(holds_anything_for_users(group.descriptor, token) for group in subtree.alike(token))
    if holds_something:
        return Outcome.PARTIAL
    return Outcome.MISSING if subtree.is_whole else Outcome.UNVERIFIABLE


def _how(parts: tuple[PartDecision, ...], membership: Membership) -> str:
    if any(part.is_wider for part in parts):
        return "superset"
    return (
        "exact"
        if all(trustee == membership.account_sid for part in parts for trustee in part.trustees)
        else "via_group"
    )


def _paths(
    target: Container, parts: tuple[PartDecision, ...], membership: Membership, sids: frozenset[str]
) -> dict[TaskPart, tuple[Path, ...]]:
    found: dict[TaskPart, tuple[Path, ...]] = {}
    for part in parts:
        names = (membership.path_without_domain_admins_to(sid) for sid in part.trustees if sid in sids)
        aces = ", ".join(str(index) for index in indexes_in(target, part.aces))
        found[part.part] = tuple((*path, say("ACE {aces} on {dn}", aces=aces, dn=target.dn)) for path in names)
    return found


def _quotes(
    reference: EvidenceReference, target: Container, parts: tuple[PartDecision, ...], membership: Membership
) -> tuple[EvidenceReference, ...]:
    """Quote the entries of the OU's DACL that decide: those that deny first, then those that grant."""
    aces = [*(part.denied_by for part in parts if part.denied_by), *(ace for part in parts for ace in part.aces)]
    indexed = ((indexes_in(target, (ace,))[0], ace, membership.names.get(ace.trustee, ace.trustee)) for ace in aces)
    return quote_aces(reference.dataset, reference.record, indexed)


def _part(
    part: PartDecision, failing: list[str], subtree: Subtree, paths: tuple[Path, ...], denial: str
) -> RequirementPart:
    if not failing:
        outcome = Outcome.SATISFIED
    elif len(failing) == len(subtree.readable) and not part.is_partly_held:
        outcome = Outcome.MISSING
    else:
        outcome = Outcome.PARTIAL
    if not part.is_certain:
        outcome = Outcome.UNVERIFIABLE
    return RequirementPart(
        title=str(part.part),
        outcome=outcome,
        how="superset" if part.is_held and part.is_wider else "",
        reason=denial or (place_in_words(tuple(failing), subtree) if failing else ""),
        paths=paths,
    )
