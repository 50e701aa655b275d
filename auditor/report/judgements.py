"""Every requirement with the finding it led to, and the findings that belong to no requirement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.report.finding_view import finding_views

if TYPE_CHECKING:
    from auditor.model.results import ConnectionResult, RequirementResult, Results
    from auditor.report.finding_view import FindingView


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgements:
    """What was judged for one connection: (requirement, its finding or None) pairs, then the other findings.

    `connection` is None for findings of a connection that is not in the record.
    """

    connection: ConnectionResult | None
    requirements: tuple[tuple[RequirementResult, FindingView | None], ...]
    others: tuple[FindingView, ...]


def judgements(results: Results) -> tuple[Judgements, ...]:
    """Return every requirement and every finding once, connection by connection in the order of the record."""
    views = finding_views(results)
    known = {connection.id for connection in results.connections}
    listed = tuple(
        _of_connection(connection, [view for view in views if view.finding.connection == connection.id])
        for connection in results.connections
    )
    strays = tuple(view for view in views if view.finding.connection not in known)
    return (*listed, Judgements(connection=None, requirements=(), others=strays)) if strays else listed


def _of_connection(connection: ConnectionResult, views: list[FindingView]) -> Judgements:
    by_place = {(view.finding.check, view.finding.entitlement, view.finding.scope): view for view in views}
    requirements = tuple(
        (requirement, by_place.get((requirement.check, requirement.id, requirement.scope)))
        for requirement in connection.requirements
    )
    taken = {id(view) for _, view in requirements if view is not None}
    return Judgements(
        connection=connection,
        requirements=requirements,
        others=tuple(view for view in views if id(view) not in taken),
    )
