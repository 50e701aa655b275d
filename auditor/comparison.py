"""Runs beside each other: the earlier one that a run is compared with, and any two of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from auditor.errors import InvalidInput, Problem, RunFailed, collecting
from auditor.evaluate.drift import compare_runs
from auditor.evaluate.evaluate import EarlierRuns
from auditor.history.manifest import MANIFEST, unaltered
from auditor.history.runs import RESULTS, find_baseline
from auditor.report.results_json import read_results

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from auditor.collection import Announce
    from auditor.model.drift import DriftRecord
    from auditor.model.results import Results


def read_run(path: Path) -> Results:
    """Read the record of a run folder, or a results.json. Raises InvalidInput when it is not as it was written."""
    if not path.is_dir():
        return read_results(path)
    if (path / MANIFEST).exists() and unaltered(path, RESULTS) is None:
        message = f"{RESULTS} is not as {MANIFEST} records it"
        raise InvalidInput([_problem(path, message, "`auditor verify` says what differs; take another run")])
    return read_results(path / RESULTS)


def require_comparable(baseline: Results | None, connections: Collection[str]) -> None:
    """Raise InvalidInput when the chosen baseline has none of these connections: nothing compared is no answer."""
    if baseline is not None:
        _require_common(Path("--baseline"), baseline, connections)


def _require_common(place: Path, baseline: Results, connections: Collection[str]) -> None:
    known = [connection.id for connection in baseline.connections]
    if not set(known) & set(connections):
        message = f"covers no connection of the other run, only {', '.join(known)}"
        raise InvalidInput([_problem(place, message, "take runs of the same connections")])


def diff(left: Path, right: Path) -> tuple[Results, Results, DriftRecord]:
    """Compare two runs, the earlier one first.

    Raises InvalidInput when one cannot be read or they share no connection, RunFailed when nothing of
    what they share could be compared.
    """
    problems: list[Problem] = []
    before = collecting(problems, lambda: read_run(left))
    after = collecting(problems, lambda: read_run(right))
    if before is None or after is None:
        raise InvalidInput(problems)
    _require_common(left, before, [connection.id for connection in after.connections])
    drift = compare_runs(before, after)
    if not drift.compared:
        reasons = ", ".join(dict.fromkeys(entry.reason for entry in drift.entries if entry.reason))
        raise RunFailed(f"nothing could be compared: {reasons or 'the runs judged nothing alike'}")
    return before, after, drift


def write_diff(before: Results, after: Results, drift: DriftRecord, path: Path, language: str) -> None:
    """Write a comparison as an HTML file in a language of the report. Raises RunFailed when it cannot be written."""
    from auditor.report.html import render_diff_html  # noqa: PLC0415 - jinja2 and fontTools on demand
    from auditor.report.translation import translated  # noqa: PLC0415

    # What was resolved is told in sentences of the earlier run
    told = translated(replace(after, drift=drift, messages=(*after.messages, *before.messages)), language)
    page = render_diff_html(translated(before, language), told, told.drift, language)
    try:
        path.write_text(page, encoding="utf-8", newline="\n")
    except OSError as error:
        raise RunFailed(f"{path} cannot be written: {error.strerror}") from error


def earlier_runs(output_dir: Path, connections: Collection[str], now: datetime, announce: Announce) -> EarlierRuns:
    """Return what a run of these connections is compared with: the last unaltered one that is there."""
    found = find_baseline(output_dir, connections, now)
    if found.later:
        announce("", f"{found.later} runs in {output_dir} are later than this one and not compared with: see the clock")
    if found.results is None:
        return EarlierRuns(altered=found.altered)
    try:
        return EarlierRuns(baseline=read_results(found.results), altered=found.altered)
    except InvalidInput:
        announce("", f"not compared with {found.results.parent}: this version cannot read its record")
        return EarlierRuns(altered=found.altered)


def _problem(path: Path, message: str, cure: str) -> Problem:
    return Problem(file=str(path), line=None, place="RUN", message=message, cure=cure)
