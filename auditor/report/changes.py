"""What changed since the earlier run, and how the runs went so far, as the report shows them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.model.outcome import DriftState
from auditor.report.finding_view import DEVIATIONS
from auditor.report.words import DRIFT_STATES, Word

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from auditor.model.drift import DriftEntry, DriftRecord
    from auditor.model.outcome import Verdict
    from auditor.model.results import ConnectionResult, Counts, Results
    from auditor.report.finding_view import FindingView


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference: with the finding when it still exists, with what was recorded of it when that is known."""

    key: str
    finding: FindingView | None
    entry: DriftEntry | None
    connection_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeGroup:
    """The differences of one kind."""

    word: Word
    findings: tuple[Change, ...]
    entitlements: tuple[Change, ...]

    @property
    def count(self) -> int:
        """How many differences there are."""
        return len(self.findings) + len(self.entitlements)


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """Why something is not comparable, with the findings and the number of entitlements it concerns."""

    connection_name: str
    reason: str
    findings: tuple[Change, ...]
    entitlements: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """A comparison. `groups` are new, changed and resolved; `obstacles` tell what is not comparable."""

    drift: DriftRecord
    groups: tuple[ChangeGroup, ...]
    not_comparable: ChangeGroup
    obstacles: tuple[Obstacle, ...]
    persisting: tuple[FindingView, ...]

    @property
    def all_groups(self) -> tuple[ChangeGroup, ...]:
        """Every kind, in the order of the report."""
        return (*self.groups, self.not_comparable)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendPoint:
    """One run of the trend."""

    run: str
    evaluated_at: str
    verdict: Word
    counts: Counts


def changes_of(
    drift: DriftRecord, connections: Iterable[ConnectionResult], findings: tuple[FindingView, ...]
) -> Changes:
    """Return the comparison with what is needed to read it."""
    names = {connection.id: connection.name for connection in connections}
    by_key = {view.finding.key: view for view in findings}
    groups = {state: _group(state, drift, names, by_key) for state in DriftState}
    return Changes(
        drift=drift,
        groups=tuple(groups[state] for state in (DriftState.NEW, DriftState.CHANGED, DriftState.RESOLVED)),
        not_comparable=groups[DriftState.NOT_COMPARABLE],
        obstacles=_obstacles(groups[DriftState.NOT_COMPARABLE]),
        persisting=tuple(
            view for view in findings if view.finding.drift == "persisting" and view.finding.outcome in DEVIATIONS
        ),
    )


def trend_of(results: Results, verdicts: Mapping[Verdict, Word]) -> tuple[TrendPoint, ...]:
    """Return the runs so far with this one as the last; nothing when this is the first."""
    if not results.trend:
        return ()
    earlier = (
        TrendPoint(
            run=point.run, evaluated_at=point.evaluated_at, verdict=verdicts[point.verdict], counts=point.counts
        )
        for point in results.trend
    )
    current = TrendPoint(
        run=results.run.id,
        evaluated_at=results.run.evaluated_at,
        verdict=verdicts[results.summary.verdict],
        counts=results.summary.counts,
    )
    return (*earlier, current)


def _group(
    state: DriftState, drift: DriftRecord, names: Mapping[str, str], by_key: Mapping[str, FindingView]
) -> ChangeGroup:
    entries = {entry.key: entry for entry in drift.entries if entry.state is state}
    keys: tuple[str, ...] = getattr(drift, state)
    return ChangeGroup(
        word=DRIFT_STATES[state],
        findings=tuple(_change(key, entries.get(key), names, by_key.get(key)) for key in keys),
        entitlements=tuple(
            _change(key, entry, names, None) for key, entry in entries.items() if entry.subject == "entitlement"
        ),
    )


def _change(key: str, entry: DriftEntry | None, names: Mapping[str, str], finding: FindingView | None) -> Change:
    connection = entry.connection if entry is not None else ""
    name = finding.connection_name if finding is not None else names.get(connection, connection)
    return Change(key=key, finding=finding, entry=entry, connection_name=name)


def _obstacles(group: ChangeGroup) -> tuple[Obstacle, ...]:
    entitlements = Counter(_place(change) for change in group.entitlements)
    places = dict.fromkeys(_place(change) for change in (*group.findings, *group.entitlements))
    return tuple(
        Obstacle(
            connection_name=name,
            reason=reason,
            findings=tuple(change for change in group.findings if _place(change) == (name, reason)),
            entitlements=entitlements[name, reason],
        )
        for name, reason in places
    )


def _place(change: Change) -> tuple[str, str]:
    return change.connection_name, change.entry.reason if change.entry is not None else ""
