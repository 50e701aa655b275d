"""What a judgement says, and the three answers a question to the evidence can have."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from auditor.model.message import NOTHING, Message, joined, say, written
from auditor.model.outcome import Outcome, combine_all_of, combine_any_of
from auditor.model.results import EvidenceReference, Path, Remediation, RequirementPart

if TYPE_CHECKING:
    from auditor.model.evidence import Gap


@dataclass(frozen=True, slots=True)
class Held:
    """The evidence proves it. `paths` lead from the account to the grant, shortest first."""

    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class NotHeld:
    """Everything that could prove it was read completely, and it is not there."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """It was not seen, but not everything that could prove it was read."""

    reason: Message
    evidence: tuple[EvidenceReference, ...] = ()


Claim: TypeAlias = Held | NotHeld | Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The outcome of one need in one scope, with everything a reader needs to follow it.

    `remediation` is what would meet the need; None leaves it to the general advice for the requirement.
    """

    outcome: Outcome
    how: str = ""
    reason: Message
    actual: Message
    note: Message = NOTHING
    paths: tuple[Path, ...] = ()
    parts: tuple[RequirementPart, ...] = ()
    evidence: tuple[EvidenceReference, ...] = ()
    remediation: Remediation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoped:
    """A judgement and the scope it holds for: a DN, a host, an account; in words."""

    scope: str
    judgement: Judgement


def describe_gap(gap: Gap) -> Message:
    """Say in one sentence what could not be read and which right would change that."""
    if gap.missing_permission:
        return say("{message} (needed: {right})", message=written(gap.message), right=written(gap.missing_permission))
    return written(gap.message)


def combine(titles: tuple[Message, ...], judgements: tuple[Judgement, ...], *, every: bool) -> Judgement:
    """Combine the judgements of several needs: all of them (`every`) or one of them."""
    outcome = (combine_all_of if every else combine_any_of)(judgement.outcome for judgement in judgements)
    deciding = [judgement for judgement in judgements if judgement.outcome is outcome]
    shown = judgements if outcome is Outcome.SATISFIED and every else deciding
    return Judgement(
        outcome=outcome,
        how=_one_word(tuple(judgement.how for judgement in deciding)),
        reason=joined("; ", dict.fromkeys(judgement.reason for judgement in shown if judgement.reason)),
        actual=joined("; ", dict.fromkeys(judgement.actual for judgement in judgements if judgement.actual)),
        paths=tuple(path for judgement in judgements for path in judgement.paths),
        parts=tuple(
            RequirementPart(
                title=title,
                outcome=judgement.outcome,
                how=judgement.how,
                reason=judgement.reason,
                paths=judgement.paths,
            )
            for title, judgement in zip(titles, judgements, strict=True)
        ),
        evidence=tuple(dict.fromkeys(item for judgement in judgements for item in judgement.evidence)),
        remediation=_join(
            [judgement.remediation for judgement in judgements if judgement.outcome is not Outcome.SATISFIED]
        ),
    )


def _join(remediations: list[Remediation | None]) -> Remediation | None:
    known = [remediation for remediation in remediations if remediation is not None]
    if not known:
        return None
    return Remediation(
        text=joined(" ", dict.fromkeys(remediation.text for remediation in known)),
        commands=tuple(dict.fromkeys(command for remediation in known for command in remediation.commands)),
    )


def _one_word(words: tuple[str, ...]) -> str:
    distinct = {word for word in words if word}
    return distinct.pop() if len(distinct) == 1 else ", ".join(sorted(distinct))


def with_note(judgement: Judgement, note: Message) -> Judgement:
    """Return the judgement with one more sentence in its note."""
    return replace(judgement, note=joined(" ", filter(None, (judgement.note, note))))
