"""Compares two runs: what is new, resolved, changed, and what cannot be compared.

Requirements and findings are compared by their keys, entitlements by their identifiers. What is absent
from a run is absent in fact only if that run read what shows it; else it is not comparable. So a source
that fails never makes a finding look resolved, and one that works again makes none look new.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from auditor.evaluate.checks.waivers import OF_WAIVERS
from auditor.evaluate.findings import state_fingerprint
from auditor.evaluate.reach import Reading
from auditor.model.drift import DriftEntry, DriftRecord
from auditor.model.keys import entitlement_key, finding_key
from auditor.model.message import Message, joined, say, written
from auditor.model.outcome import DriftState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Literal

    from auditor.model.results import ConnectionResult, Finding, Results

# Findings about the comparison itself; comparing them would tell each change a second time.
ABOUT_THE_COMPARISON = frozenset({"AD-GOV-004", "META-008"})
_ABSENT = "absent"
_OPEN = "unverifiable"
_NOT_JUDGED = "not_judged"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    """One thing a run says. `state` is what is compared, `word` what it is called."""

    key: str
    subject: Literal["finding", "entitlement"]
    check: str
    connection: str
    title: str
    scope: str
    word: str
    state: frozenset[object]
    is_requirement: bool = False
    is_finding: bool = False
    datasets: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """One run, made ready for a comparison."""

    items: Mapping[str, _Item]
    readings: Mapping[str, Reading]
    matrices: Mapping[str, str]
    checks: frozenset[str]


def compare_runs(left: Results, right: Results) -> DriftRecord:
    """Return how one run differs from another, earlier one."""
    return compare(left, right.connections, right.findings, right.run.checks)


def compare(
    baseline: Results, connections: Sequence[ConnectionResult], findings: Iterable[Finding], checks: Iterable[str]
) -> DriftRecord:
    """Return how what was found now differs from `baseline`, in the order of state, connection and title."""
    before = _side(baseline.connections, baseline.findings, baseline.run.checks)
    after = _side(connections, findings, checks)
    states: Counter[DriftState | None] = Counter()
    entries = []
    for key in before.items.keys() | after.items.keys():
        left, right = before.items.get(key), after.items.get(key)
        state, reason = _compare(left, right, before, after)
        states[state] += 1
        if state is not None and _is_told(left, right):
            entries.append(_entry(left, right, state, reason))
    entries.sort(key=_order)
    return DriftRecord(
        baseline_run=baseline.run.id,
        baseline_evaluated_at=baseline.run.evaluated_at,
        compared=states.total() - states[DriftState.NOT_COMPARABLE],
        **{
            str(state): tuple(entry.key for entry in entries if entry.state is state and entry.subject == "finding")
            for state in DriftState
        },
        entries=tuple(entries),
        checks_added=tuple(sorted(after.checks - before.checks)),
        checks_removed=tuple(sorted(before.checks - after.checks)),
        connections_added=tuple(sorted(after.readings.keys() - before.readings.keys())),
        connections_removed=tuple(sorted(before.readings.keys() - after.readings.keys())),
        matrices_changed=tuple(
            sorted(name for name, used in after.matrices.items() if before.matrices.get(name, used) != used)
        ),
    )


def mark(findings: Iterable[Finding], drift: DriftRecord, baseline: Results | None, now: str) -> Iterator[Finding]:
    """Yield the findings with their drift, and the instant since which every run has reported them."""
    if baseline is None:
        yield from (replace(finding, first_seen=now) for finding in findings)
        return
    earlier = {finding.key: finding.first_seen or baseline.run.evaluated_at for finding in baseline.findings}
    new, changed, open_keys = frozenset(drift.new), frozenset(drift.changed), frozenset(drift.not_comparable)
    for finding in findings:
        state: Literal["new", "persisting", "changed"] | None = "persisting"
        if finding.key in open_keys or finding.check in ABOUT_THE_COMPARISON:
            state = None
        elif finding.key in new:
            state = "new"
        elif finding.key in changed:
            state = "changed"
        yield replace(finding, drift=state, first_seen=earlier.get(finding.key, now))


def _side(connections: Sequence[ConnectionResult], findings: Iterable[Finding], checks: Iterable[str]) -> _Side:
    items: dict[str, _Item] = {}
    for connection in connections:
        items.update((item.key, item) for item in _requirements(connection))
        for item in _entitlements(connection):
            items[item.key] = _joined(items.get(item.key), item)
    for finding in findings:
        if finding.check not in ABOUT_THE_COMPARISON:
            items[finding.key] = _finding(finding, items.get(finding.key))
    named = {item.check for item in items.values() if item.check}
    return _Side(
        items=items,
        readings={connection.id: Reading(connection.sources) for connection in connections},
        matrices={connection.id: connection.matrix.sha256 for connection in connections},
        checks=frozenset(checks) or frozenset(named),
    )


def _requirements(connection: ConnectionResult) -> Iterator[_Item]:
    for requirement in connection.requirements:
        yield _Item(
            key=finding_key(requirement.check, connection.id, requirement.id, requirement.scope),
            subject="finding",
            check=requirement.check,
            connection=connection.id,
            title=joined(": ", (requirement.id, written(requirement.documented))),
            scope=requirement.scope,
            word=str(requirement.outcome),
            state=frozenset(),  # one that is met is equal to one that is met, in whatever way
            is_requirement=True,
        )


def _finding(finding: Finding, requirement: _Item | None) -> _Item:
    return _Item(
        key=finding.key,
        subject="finding",
        check=finding.check,
        connection=finding.connection,
        title=finding.title if requirement is None else requirement.title,
        scope=finding.scope,
        word=str(finding.outcome),
        state=frozenset({state_fingerprint(finding)}),
        is_requirement=requirement is not None,
        is_finding=True,
        datasets=frozenset(each.dataset for each in finding.evidence),
    )


def _entitlements(connection: ConnectionResult) -> Iterator[_Item]:
    for entitlement in connection.entitlements:
        yield _Item(
            key=entitlement_key(connection.id, entitlement),
            subject="entitlement",
            check="",
            connection=connection.id,
            title=entitlement.name,
            scope=entitlement.scope,
            word=entitlement.status,
            state=frozenset(entitlement.paths),
            datasets=frozenset({entitlement.kind}),
        )


def _joined(known: _Item | None, item: _Item) -> _Item:
    """Return one item for an entitlement that is listed once for each way in which it is held."""
    return item if known is None else replace(known, state=known.state | item.state)


def _compare(
    left: _Item | None, right: _Item | None, before: _Side, after: _Side
) -> tuple[DriftState | None, str]:
    """Return how one thing differs, None for not at all, and why it is not comparable."""
    either = right or left
    if either is None:
        msg = "nothing to compare"
        raise ValueError(msg)
    for side, name in ((before, say("the earlier run")), (after, say("the later run"))):
        reason = _why_not_comparable(either, left if side is before else right, side, name)
        if reason:
            return DriftState.NOT_COMPARABLE, reason
    if left is not None and right is not None and (left.word == _NOT_JUDGED) != (right.word == _NOT_JUDGED):
        return DriftState.NOT_COMPARABLE, say("one of the runs could not judge it")
    was, is_now = _stands(left), _stands(right)
    if was and is_now:
        same = left is not None and right is not None and (left.word, left.state) == (right.word, right.state)
        return (None, "") if same else (DriftState.CHANGED, "")
    if was or is_now:
        return (DriftState.RESOLVED if was else DriftState.NEW), ""
    return None, ""


def _why_not_comparable(either: _Item, item: _Item | None, side: _Side, name: Message) -> str:
    reading = side.readings.get(either.connection)
    if item is not None:
        return say("{name} could not verify it", name=name) if item.word == _OPEN else ""
    if either.check and either.check not in side.checks:
        return say("{name} did not know the check {check}", name=name, check=either.check)
    if either.check in OF_WAIVERS:
        return ""  # they judge the waiver file, which is there whatever was read
    if reading is None:
        return say("{name} did not cover the connection", name=name)
    if either.is_requirement:
        return say("{name} did not judge it", name=name)
    missing = reading.missing_for(either.check, either.datasets, either.scope)
    return say("{name} could not read {missing}", name=name, missing=missing) if missing else ""


def _stands(item: _Item | None) -> bool:
    """Tell whether there is something to report: a finding, or an entitlement that is held."""
    return item is not None and (item.is_finding or item.subject == "entitlement")


def _is_told(left: _Item | None, right: _Item | None) -> bool:
    """Tell whether a person wants to read it: not that a met requirement has no counterpart."""
    return _stands(left) or _stands(right)


def _entry(left: _Item | None, right: _Item | None, state: DriftState, reason: str) -> DriftEntry:
    told = right if right is not None and (_stands(right) or left is None) else left
    if told is None:
        msg = "nothing to tell"
        raise ValueError(msg)
    return DriftEntry(
        key=told.key,
        subject=told.subject,
        state=state,
        connection=told.connection,
        title=told.title,
        scope=told.scope,
        before=left.word if left is not None else _ABSENT,
        after=right.word if right is not None else _ABSENT,
        reason=reason,
    )


def _order(entry: DriftEntry) -> tuple[int, str, str, str, str]:
    return tuple(DriftState).index(entry.state), entry.subject, entry.connection, entry.title, entry.key


