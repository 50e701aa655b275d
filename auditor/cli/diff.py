"""`auditor diff`: what changed between two runs."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditor.cli.console import say, visible
from auditor.cli.destination import run_here
from auditor.cli.options import AsJson, Language, LanguageName

if TYPE_CHECKING:
    from auditor.model.drift import DriftEntry, DriftRecord


def diff(
    earlier: Annotated[Path, typer.Argument(metavar="A", help="The earlier run: its folder or its results.json.")],
    later: Annotated[Path, typer.Argument(metavar="B", help="The later run.")],
    as_json: AsJson = False,
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Also write it as an HTML file.")] = None,
    language: Language = LanguageName.EN,
) -> None:
    """Compare two runs: new, resolved, changed, not comparable.

    Exits with 0 whether they differ or not, with 2 when they share no connection, and with 4 when nothing of what
    they share could be compared: that is no answer.
    """
    from auditor import comparison  # noqa: PLC0415 - --help must not load it

    with run_here(earlier) as left, run_here(later) as right:
        before, after, drift = comparison.diff(left, right)
    if as_json:
        print(json.dumps(asdict(drift), indent=2))
    else:
        _print_entries(drift)
    if html is not None:
        comparison.write_diff(before, after, drift, html, language)
    if before.run.evaluated_at > after.run.evaluated_at:
        say(f"note: A is the later one ({before.run.evaluated_at} and {after.run.evaluated_at})")
    differences = len(drift.differences)
    say(
        f"auditor: {differences} differences, {len(drift.entries) - differences} not comparable, "
        f"{drift.compared} compared; exit 0 (compared)"
    )


def _print_entries(drift: DriftRecord) -> None:
    for name in ("connections_added", "connections_removed", "matrices_changed", "checks_added", "checks_removed"):
        if listed := getattr(drift, name):
            print(visible(f"{name.replace('_', ' ')}: {', '.join(listed)}"))
    for entry in drift.entries:
        print(visible(_line(entry)))


def _line(entry: DriftEntry) -> str:
    where = f" [{entry.scope}]" if entry.scope else ""
    why = f" ({entry.reason})" if entry.reason else ""
    change = f"{entry.before} -> {entry.after}"
    if entry.before == entry.after:
        change = f"still {entry.before}, in another way"
    return f"{entry.state.replace('_', ' ').ljust(14)}  {entry.connection}  {entry.title}{where}: {change}{why}"
