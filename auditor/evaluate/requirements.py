"""Turns a profile's requirements into results, leaf by leaf, combined as the profile says."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from auditor.evaluate.judgement import Judgement, combine
from auditor.matrix.profile import AllOf, AnyOf, Need
from auditor.model.message import Message, say, written
from auditor.model.results import RequirementResult

if TYPE_CHECKING:
    from collections.abc import Callable

    from auditor.matrix.profile import Requirement

    JudgeLeaf: TypeAlias = Callable[[Need], Judgement]


def judge_need(need: Need, judge_leaf: JudgeLeaf) -> Judgement:
    """Judge a need; combinations are judged part by part with `judge_leaf`."""
    if isinstance(need, (AllOf, AnyOf)):
        judgements = tuple(judge_need(part, judge_leaf) for part in need.parts)
        return combine(tuple(title_of(part) for part in need.parts), judgements, every=isinstance(need, AllOf))
    return judge_leaf(need)


def title_of(need: Need) -> Message:
    """Name a need in a few words."""
    name = getattr(need, "name", "")
    if need.type == "entra_role":
        return say("Entra role {name}", name=name)
    return say("Exchange role {name}", name=name) if need.type == "exchange_role" else written(name or need.type)


def to_result(requirement: Requirement, scope: str, judgement: Judgement) -> RequirementResult:
    """Return the row of the results for one requirement in one scope."""
    return RequirementResult(
        id=requirement.id,
        check=requirement.check,
        title=written(requirement.feature),
        scope=scope,
        plane=requirement.plane,
        basis=requirement.basis,
        outcome=judgement.outcome,
        how=judgement.how,
        reason=judgement.reason,
        documented=written(requirement.documented),
        actual=judgement.actual,
        note=judgement.note,
        paths=judgement.paths,
        parts=judgement.parts,
        evidence=judgement.evidence,
        remediation=judgement.remediation,
    )
