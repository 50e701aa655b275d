"""What the commands that judge share: how to judge, how much to tell, and the last line."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from auditor.cli.console import say
from auditor.cli.destination import run_here
from auditor.cli.options import instant
from auditor.model.outcome import Severity, Verdict

if TYPE_CHECKING:
    from datetime import date

    from auditor.assignment import Finished, Judging
    from auditor.model.drift import DriftRecord
    from auditor.model.results import Results, RunKind
    from auditor.model.waiver import WaiverFile

# What the report says in capitals, too
_READINESS_WORDS = {
    Verdict.COMPLIANT: "READY",
    Verdict.NON_COMPLIANT: "NOT READY",
    Verdict.INCONCLUSIVE: "CANNOT SAY",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """How to judge, as the options say it."""

    kind: RunKind
    fail_on: Severity
    exit_zero: bool
    now: str | None
    waivers: Path | None
    baseline: Path | None

    def judging(self) -> Judging:
        """Read the files that the options name. Raises InvalidInput with the problems of all of them."""
        from auditor.assignment import Judging  # noqa: PLC0415 - --help must not load it
        from auditor.errors import InvalidInput, Problem, collecting  # noqa: PLC0415

        at = instant(self.now)
        problems: list[Problem] = []
        waivers, baseline = self.waivers, self.baseline
        accepted = collecting(problems, lambda: _load(waivers, at.date())) if waivers else None
        earlier = collecting(problems, lambda: _read(baseline)) if baseline else None
        if problems:
            raise InvalidInput(problems)
        return Judging(
            kind=self.kind,
            now=at,
            fail_on=self.fail_on,
            exit_zero=self.exit_zero,
            waivers=accepted,
            baseline=earlier,
        )


def _load(waivers: Path, today: date) -> WaiverFile:
    from auditor.waivers.load import load_waivers  # noqa: PLC0415 - most runs have none

    return load_waivers(waivers, today)


def _read(run: Path) -> Results:
    from auditor import comparison  # noqa: PLC0415 - --help must not load it

    with run_here(run) as folder:
        return comparison.read_run(folder)


def say_left_out(finished: Finished) -> None:
    """Say which format this machine could not make, and what it would need."""
    for line in f"no PDF: {finished.left_out}".split("\n") if finished.left_out else ():
        say(line)


def _say_drift(drift: DriftRecord) -> None:
    """Say in one line what changed."""
    if drift.baseline_run is None:
        say("changed: there is no earlier run to compare with")
        return
    held = f"; {drift.entitlement_differences} entitlements differ" if drift.entitlement_differences else ""
    say(
        f"changed since {drift.baseline_run}: {len(drift.new)} new, {len(drift.resolved)} resolved, "
        f"{len(drift.changed)} changed, {len(drift.not_comparable)} not comparable{held}; {drift.compared} compared"
    )


def _verdict_word(results: Results, verdict: Verdict) -> str:
    return _READINESS_WORDS[verdict] if results.run.kind == "readiness" else str(verdict)


def _say_verdicts(results: Results) -> None:
    _say_drift(results.drift)
    width = max(len(connection.id) for connection in results.connections)
    for connection in results.connections:
        counts = asdict(connection.counts)
        told = ("satisfied", "partial", "missing", "unverifiable", "not_applicable", "excess", "waived")
        words = ", ".join(f"{counts[name]} {name.replace('_', ' ')}" for name in told if counts[name])
        say(f"{connection.id.ljust(width)}  {_verdict_word(results, connection.verdict).ljust(13)}  {words}")


def conclude(finished: Finished, *, quiet: bool) -> typer.Exit:
    """Say where the run is, end with the line that says it all, and return the exit that it names."""
    print(finished.place)
    say_left_out(finished)
    results = finished.results
    if results is None:
        return typer.Exit(0)
    if not quiet:
        _say_verdicts(results)
    counts = results.summary.counts
    waived = f", {counts.waived} waived" if counts.waived else ""
    report_file = next(
        (
            f"{finished.place}/{name}"
            for name in ("report.html", "report.pdf", "results.json")
            if (finished.folder / name).exists()
        ),
        finished.place,
    )
    say(
        f"auditor: {_verdict_word(results, results.summary.verdict)}; {counts.evaluated} evaluated = "
        f"{counts.satisfied} satisfied + {counts.partial} partial "
        f"+ {counts.missing} missing + {counts.unverifiable} unverifiable + {counts.not_applicable} not applicable; "
        f"{counts.excess} excess, {counts.advisory} advisory{waived}; {report_file}; "
        f"exit {results.run.exit.code} ({results.run.exit.reason})",
        verdict=str(results.summary.verdict),
        exit_code=results.run.exit.code,
        run_folder=finished.place,
    )
    return typer.Exit(results.run.exit.code)
