"""The grid of target organizational units against the rights delegated on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.report.words import OUTCOMES, Word

if TYPE_CHECKING:
    from collections.abc import Iterable

    from auditor.model.results import RequirementResult


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeRow:
    """One scope: the outcome of the requirement, and one cell per part (None: not judged there)."""

    scope: str
    outcome: Word
    parts: tuple[Word | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeGrid:
    """One delegated requirement over all its scopes; `parts` are the column titles."""

    id: str
    title: str
    parts: tuple[str, ...]
    rows: tuple[ScopeRow, ...]


def scope_grids(requirements: Iterable[RequirementResult]) -> tuple[ScopeGrid, ...]:
    """Return one grid per delegated requirement, in the order of the record."""
    by_id: dict[str, list[RequirementResult]] = {}
    for requirement in requirements:
        if requirement.plane == "ad_delegation" and requirement.scope:
            by_id.setdefault(requirement.id, []).append(requirement)
    return tuple(_grid(alike) for alike in by_id.values())


def _grid(alike: list[RequirementResult]) -> ScopeGrid:
    titles = tuple(dict.fromkeys(part.title for requirement in alike for part in requirement.parts))
    return ScopeGrid(
        id=alike[0].id,
        title=alike[0].title,
        parts=titles,
        rows=tuple(_row(requirement, titles) for requirement in alike),
    )


def _row(requirement: RequirementResult, titles: tuple[str, ...]) -> ScopeRow:
    outcomes = {part.title: OUTCOMES[part.outcome] for part in requirement.parts}
    return ScopeRow(
        scope=requirement.scope,
        outcome=OUTCOMES[requirement.outcome],
        parts=tuple(outcomes.get(title) for title in titles),
    )
