"""Judges the user task on one target OU and on everything below it, without Domain Admins."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from auditor.acl import (
    AccessMask,
    GuidKind,
    Token,
    name_of_object_type,
    rights_in_words,
    well_known_guid,
)
from auditor.evaluate.directory.origin import UNKNOWN_ORIGIN, hands_down
from auditor.evaluate.directory.subtree import Inhabitants, Subtree, auditor_lists, read_inhabitants, read_subtree
from auditor.evaluate.directory.user_task import (
    PartDecision,
    TaskPart,
    decide_user_task,
    holds_anything_for_users,
    may_be_defeated,
)
from auditor.evaluate.judgement import Judgement, describe_gap
from auditor.evaluate.remediation import delegate
from auditor.model.directory_entry import record_to_entry
from auditor.model.distinguished_name import dns_above
from auditor.model.evidence import GapKind
from auditor.model.outcome import Outcome
from auditor.model.results import EvidenceReference, Path, Remediation, RequirementPart

if TYPE_CHECKING:
    from auditor.acl import Ace
    from auditor.evaluate.directory.membership import Membership
    from auditor.evaluate.directory.subtree import Container
    from auditor.model.evidence import Evidence, Gap

_NAMES_SHOWN = 5
_ORGANIZATIONAL_UNIT = well_known_guid("organizationalUnit", GuidKind.CLASS)


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
        malformed = _unverifiable("its security descriptor is malformed", (reference,))
        return Delegated(judgement=malformed, subtree=None)
    judgement = _judge_token(subtree, membership, reference)
    if judgement.outcome not in (Outcome.SATISFIED, Outcome.PARTIAL):
        return Delegated(judgement=judgement, subtree=subtree)
    inhabitants = read_inhabitants(evidence, target_ou)
    told = _people_reached(inhabitants, Token(membership.without_domain_admins))
    return Delegated(
        judgement=replace(judgement, note=f"{judgement.note} {told}".strip()), subtree=subtree, inhabitants=inhabitants
    )


def _people_reached(inhabitants: Inhabitants, token: Token) -> str:
    """Count the users that live below by whether the delegation reaches them."""
    if inhabitants.gap is not None:
        return f"The users below were not all read: {describe_gap(inhabitants.gap)}."
    users = [each for each in inhabitants.found if not each.is_group]
    if not users:
        return "No user lives below."
    unread = sum(each.descriptor is None for each in users)
    reached = sum(each.is_controlled_by(token) for each in users)
    counts = [f"{reached} under full control", f"{len(users) - reached - unread} not"]
    counts += [f"{unread} not readable"] if unread else []
    return f"Users who live below: {len(users)}, {', '.join(counts)}."


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
                f"it depends on groups whose membership path could not be read: {names}",
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


def _unverifiable(reason: str, evidence: tuple[EvidenceReference, ...]) -> Judgement:
    return Judgement(outcome=Outcome.UNVERIFIABLE, reason=reason, actual="not readable", evidence=evidence)


def _judge_unseen(evidence: Evidence, target_ou: str, gap: Gap | None, reference: EvidenceReference) -> Judgement:
    """Tell an OU that does not exist from one the auditing identity may not see."""
    if gap is None:
        return _unverifiable(
            "its security descriptor was not returned (needed: Read permissions on the OU)", (reference,)
        )
    if gap.kind is not GapKind.NOT_FOUND:
        return _unverifiable(describe_gap(gap), (reference,))
    ancestor = next((record_to_entry(record) for record in evidence.read("nearest_ancestor", target_ou)), None)
    if ancestor is not None and auditor_lists(evidence, ancestor):
        return Judgement(
            outcome=Outcome.MISSING,
            reason="the target OU does not exist",
            actual="no such object",
            remediation=Remediation(
                text="Correct the target OU in the inventory and in the product, or create the OU."
            ),
            evidence=(reference, EvidenceReference(dataset="nearest_ancestor", record=target_ou)),
        )
    return _unverifiable(
        "the directory shows no such object, and the auditing identity may not list what is there "
        "(needed: List contents on the containers above)",
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
    denials = _denials(subtree, on_target, membership)
    return Judgement(
        outcome=outcome,
        how=_how(on_target, membership) if outcome is Outcome.SATISFIED else "",
        reason=_reason(outcome, subtree, on_target, failing, denials),
        actual=_actual(on_target, failing),
        note=_note(subtree, on_target),
        paths=tuple(dict.fromkeys(path for found in paths.values() for path in found)),
        parts=tuple(
            _part(each, failing[each.part], subtree, paths[each.part], denials.get(each.part, "")) for each in on_target
        ),
        evidence=(reference, EvidenceReference(dataset="containers", record=subtree.target.dn)),
        remediation=_remediation(failing, denials, membership.sign_in_name),
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
        aces = ", ".join(str(index) for index in _indexes(target, part.aces))
        found[part.part] = tuple((*path, f"ACE {aces} on {target.dn}") for path in names)
    return found


def _indexes(container: Container, aces: tuple[Ace, ...]) -> list[int]:
    dacl = container.descriptor.dacl if container.descriptor else None
    return sorted(dacl.index(ace) for ace in aces) if dacl else []


def _reason(
    outcome: Outcome,
    subtree: Subtree,
    parts: tuple[PartDecision, ...],
    failing: dict[TaskPart, list[str]],
    denials: dict[TaskPart, str],
) -> str:
    if outcome is Outcome.SATISFIED:
        count = len(subtree.readable) - 1
        below = f" and reaches {_containers(count)} below" if count else ""
        return f"the user task is delegated on the OU{below}"
    if outcome is Outcome.MISSING:
        return "nothing beyond reading is delegated to the account or its groups"
    sentences = list(denials.values())
    sentences += _where_failing({part: dns for part, dns in failing.items() if dns and part not in denials}, subtree)
    if any(not part.is_certain for part in parts):
        sentences.append("a conditional ACE decides, and its condition cannot be evaluated from outside")
    if subtree.unread:
        sentences.append(f"security descriptors not readable: {_some(subtree.unread)} (needed: Read permissions)")
    if subtree.unlisted:
        listed = _some(subtree.unlisted)
        sentences.append(f"contents not listed to the auditing identity: {listed} (needed: List contents)")
    if subtree.gap is not None:
        sentences.append(describe_gap(subtree.gap))
    return "; ".join(dict.fromkeys(sentences))


def _containers(count: int) -> str:
    return "the one container" if count == 1 else f"all {count} containers"


def _denials(subtree: Subtree, parts: tuple[PartDecision, ...], membership: Membership) -> dict[TaskPart, str]:
    """Say for each part that a deny ACE on the OU defeats what is denied to whom."""
    found = {}
    for part in parts:
        ace = part.denied_by
        if ace is not None:
            (index,) = _indexes(subtree.target, (ace,))
            what, whom = _denied_in_words(ace), membership.names.get(ace.trustee, ace.trustee)
            found[part.part] = f"deny ACE {index} on {subtree.target.dn} takes {what} from {whom}"
    return found


def _denied_in_words(ace: Ace) -> str:
    words = " and ".join(rights_in_words(ace.mask))
    if ace.object_type is None:
        return words
    names = (name_of_object_type(ace.object_type, AccessMask(bit)) for bit in AccessMask(ace.rights))
    return f"{words} ({next((name for name in names if name), ace.object_type)})"


def _where_failing(failing: dict[TaskPart, list[str]], subtree: Subtree) -> list[str]:
    """Say where parts fail; parts that fail at the same places are told together."""
    places: dict[tuple[str, ...], list[str]] = {}
    for part, dns in failing.items():
        places.setdefault(tuple(dns), []).append(str(part))
    return [f"{' and '.join(parts)}: {_at(dns, subtree)}" for dns, parts in places.items()]


def _at(dns: tuple[str, ...], subtree: Subtree) -> str:
    if dns[0] == subtree.target.dn:
        return "not delegated on the OU itself"
    failing = set(dns)
    is_blocked = any(
        each.dn in failing for each in subtree.readable if each.descriptor and each.descriptor.is_dacl_protected
    )
    why = " (inheritance is blocked there)" if is_blocked else ""
    return f"the delegation does not reach {_some(dns)}{why}"


def _remediation(failing: dict[TaskPart, list[str]], denials: dict[TaskPart, str], trustee: str) -> Remediation | None:
    if denials:
        told = "; ".join(dict.fromkeys(denials.values()))
        return Remediation(text=f"{told}. Remove that entry; where it names a group, leaving the group helps as well.")
    lacking = {dn for dns in failing.values() for dn in dns}
    # Where a container lacks it, those below it inherit once it is delegated there, unless they block inheritance.
    highest = [dn for dn in sorted(lacking) if not any(above in lacking for above in dns_above(dn))]
    return delegate(highest, trustee) if highest else None


def _some(names: tuple[str, ...] | list[str]) -> str:
    shown = "; ".join(names[:_NAMES_SHOWN])
    return shown if len(names) <= _NAMES_SHOWN else f"{shown}; and {len(names) - _NAMES_SHOWN} more"


def _actual(parts: tuple[PartDecision, ...], failing: dict[TaskPart, list[str]]) -> str:
    held = [str(part.part) for part in parts if part.is_held and not failing[part.part]]
    partly = [f"{part.part} (not everywhere below)" for part in parts if part.is_held and failing[part.part]]
    return ", ".join(held + partly) or "none of the three rights"


def _note(subtree: Subtree, parts: tuple[PartDecision, ...]) -> str:
    if any(part.is_null_dacl for part in parts):
        return "The OU has a NULL DACL: everyone may do everything on it, and users below inherit nothing."
    dacl = subtree.target.descriptor.dacl if subtree.target.descriptor else None
    indexes = sorted({
        index for part in parts for index in _indexes(subtree.target, part.aces) if dacl and dacl[index].is_inherited
    })
    return " ".join(
        f"ACE {index} is inherited from {_origin(subtree, dacl[index])}." for index in indexes if dacl is not None
    )


def _origin(subtree: Subtree, ace: Ace) -> str:
    """Name the closest object above that carries an inherited ACE explicitly."""
    for above in subtree.above:
        if above.descriptor is not None and any(
            hands_down(own, ace, _ORGANIZATIONAL_UNIT) for own in above.descriptor.dacl or ()
        ):
            return above.dn
    return UNKNOWN_ORIGIN


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
        reason=denial or (_at(tuple(failing), subtree) if failing else ""),
        paths=paths,
    )
