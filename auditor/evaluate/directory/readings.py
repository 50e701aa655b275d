"""The two readings of the vendor's pages: Domain Admins and delegation, or one of them (rule A1)."""

from __future__ import annotations

from dataclasses import replace

from auditor.evaluate.judgement import Judgement, Scoped, with_note
from auditor.matrix.profile import Delegation, DirectoryGroup, Requirement
from auditor.model.message import say, written
from auditor.model.outcome import Outcome, combine_all_of, combine_any_of

Judged = list[tuple[Requirement, list[Scoped]]]


def legs_of(judged: Judged) -> dict[str, list[Judgement]]:
    """Return the judgements of the two conditions on the account, by the kind of their need."""
    legs: dict[str, list[Judgement]] = {}
    for requirement, found in judged:
        if isinstance(requirement.needs, (DirectoryGroup, Delegation)):
            legs.setdefault(requirement.needs.type, []).extend(scoped.judgement for scoped in found)
    return legs


def accept_one_leg(judged: Judged) -> Judged:
    """Read the two conditions on the bind account as alternatives (rule A1, the vendor's other wording)."""
    legs = {name: combine_all_of(each.outcome for each in found) for name, found in legs_of(judged).items()}
    combined = combine_any_of(legs.values())
    if combined is Outcome.MISSING or len(legs) < 2:  # noqa: PLR2004 - one of two
        return judged
    return [
        (
            requirement,
            [_excuse(scoped, combined) for scoped in found]
            if isinstance(requirement.needs, (DirectoryGroup, Delegation))
            and legs[requirement.needs.type] is not combined
            else found,
        )
        for requirement, found in judged
    ]


def _excuse(scoped: Scoped, combined: Outcome) -> Scoped:
    if scoped.judgement.outcome in (Outcome.SATISFIED, Outcome.NOT_APPLICABLE):
        return scoped
    reason = say(
        "{outcome} by itself ({reason}); the profile asks for one of two conditions, and the other one is {combined}",
        outcome=written(str(scoped.judgement.outcome)),
        reason=scoped.judgement.reason,
        combined=written(str(combined)),
    )
    return replace(scoped, judgement=replace(scoped.judgement, outcome=Outcome.NOT_APPLICABLE, reason=reason))


def note_other_reading(judged: Judged) -> Judged:
    """Say when the vendor's "one of" wording would be met although both conditions are asked for (rule A1)."""
    legs = {name: combine_all_of(each.outcome for each in found) for name, found in legs_of(judged).items()}
    if Outcome.SATISFIED not in legs.values() or set(legs.values()) == {Outcome.SATISFIED}:
        return judged
    note = say(
        "The vendor's other wording asks for either Domain Admins or delegation; under it this connection would pass."
    )
    return [
        (
            requirement,
            [replace(scoped, judgement=with_note(scoped.judgement, note)) for scoped in found]
            if isinstance(requirement.needs, (DirectoryGroup, Delegation))
            and legs[requirement.needs.type] is not Outcome.SATISFIED
            else found,
        )
        for requirement, found in judged
    ]
