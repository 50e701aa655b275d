"""`auditor run`, `collect`, `evaluate`, `report`, `verify`: the stages, together and one by one."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditor.cli.console import progress, say, visible
from auditor.cli.invocation import ask, invocation
from auditor.cli.options import (
    Config,
    ConnectionIds,
    ExitZero,
    FailOn,
    FormatNames,
    NoProgress,
    Now,
    OutputDir,
    Quiet,
    Verbose,
    instant,
    split_formats,
)
from auditor.model.outcome import Severity

if TYPE_CHECKING:
    from auditor.model.results import Results
    from auditor.pipeline import Finished, Formats, Judging

_DEFAULT_CONFIG = Path("inventory.yaml")
_DEFAULT_OUTPUT = Path("runs")

RunArgument = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")]


def run(
    config: Config = _DEFAULT_CONFIG,
    output_dir: OutputDir = _DEFAULT_OUTPUT,
    format_names: FormatNames = None,
    connection: ConnectionIds = None,
    fail_on: FailOn = Severity.MEDIUM,
    exit_zero: ExitZero = False,
    now: Now = None,
    no_progress: NoProgress = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Collect, judge and report: the command to schedule.

    Exit codes: 0 everything verified and documented; 1 findings at or above --fail-on; 2 an input file or
    option is wrong, nothing was contacted; 3 no such finding, but something could not be verified; 4 the
    run itself failed; 130 interrupted.
    """
    from auditor import pipeline  # noqa: PLC0415 - --help must not load the collectors
    from auditor.preparation import prepare  # noqa: PLC0415

    formats = _formats(format_names)
    prepared = prepare(config, connection or (), ask)
    with progress(is_quiet=quiet, is_plain=no_progress, is_verbose=verbose) as announce:
        finished = pipeline.run(
            prepared,
            invocation(),
            output_dir,
            _judging(now, fail_on, exit_zero=exit_zero),
            formats,
            announce,
        )
    _conclude(finished, quiet=quiet)


def collect(
    config: Config = _DEFAULT_CONFIG,
    output_dir: OutputDir = _DEFAULT_OUTPUT,
    connection: ConnectionIds = None,
    no_progress: NoProgress = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Collect evidence only, to be judged later or on another machine."""
    from auditor import pipeline  # noqa: PLC0415
    from auditor.preparation import prepare  # noqa: PLC0415

    prepared = prepare(config, connection or (), ask)
    with progress(is_quiet=quiet, is_plain=no_progress, is_verbose=verbose) as announce:
        finished = pipeline.collect(prepared, invocation(), output_dir, announce)
    print(finished.folder)
    gaps = _count_gaps(finished.folder)
    code = 3 if gaps else 0
    reason = f"{gaps} reads are not complete" if gaps else "every read is complete"
    say(f"auditor: evidence of {len(prepared.entries)} connections; {finished.folder}; exit {code} ({reason})")
    raise typer.Exit(code)


def evaluate(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="EVIDENCE",
            help="A folder written by `auditor collect` or `auditor run`, "
            "or one connection's folder below its evidence/.",
        ),
    ],
    output_dir: OutputDir = _DEFAULT_OUTPUT,
    format_names: FormatNames = None,
    fail_on: FailOn = Severity.MEDIUM,
    exit_zero: ExitZero = False,
    now: Now = None,
    no_progress: NoProgress = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Judge recorded evidence. Nothing is contacted; the same evidence, matrix and --now give the same bytes."""
    from auditor import pipeline  # noqa: PLC0415
    from auditor.recorded_run import read_recorded_run  # noqa: PLC0415

    formats = _formats(format_names, default=("json",))
    recorded = read_recorded_run(source)
    with progress(is_quiet=quiet, is_plain=no_progress, is_verbose=verbose) as announce:
        finished = pipeline.judge_again(
            recorded, output_dir, _judging(now, fail_on, exit_zero=exit_zero), formats, announce
        )
    _conclude(finished, quiet=quiet)


def report(
    source: Annotated[Path, typer.Argument(metavar="RESULTS", help="A run folder or its results.json.")],
    output_dir: OutputDir = _DEFAULT_OUTPUT,
    format_names: FormatNames = None,
    no_progress: NoProgress = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Render results again, into a folder of its own. Exits with 0 when everything asked for was written."""
    from auditor import pipeline  # noqa: PLC0415

    formats = _formats(format_names)
    with progress(is_quiet=quiet, is_plain=no_progress, is_verbose=verbose) as announce:
        finished = pipeline.report(source, output_dir, formats, announce)
    print(finished.folder)
    _say_left_out(finished)
    say(f"auditor: rendered {', '.join(formats.names)}; {finished.folder}; exit 0 (written)")


def verify(run_folder: RunArgument) -> None:
    """Check every file of a run folder against its manifest. Exits with 1 when something differs."""
    from auditor.history.manifest import verify_run  # noqa: PLC0415

    differences = verify_run(run_folder)
    for difference in differences:
        print(visible(difference))
    if differences:
        say(f"auditor: {run_folder}: {len(differences)} differences; exit 1 (not what was written)")
        raise typer.Exit(1)
    say(f"auditor: {run_folder}: every file is as the manifest records it; exit 0 (verified)")


def _formats(names: list[str] | None, default: tuple[str, ...] = ()) -> Formats:
    from auditor.pipeline import Formats  # noqa: PLC0415
    from auditor.report.formats import require_known_formats  # noqa: PLC0415

    wanted = split_formats(names) if names or not default else default
    require_known_formats(wanted)
    return Formats(names=wanted, are_chosen=bool(names))


def _judging(now: str | None, fail_on: Severity, *, exit_zero: bool) -> Judging:
    from auditor.pipeline import Judging  # noqa: PLC0415

    return Judging(now=instant(now), fail_on=fail_on, exit_zero=exit_zero)


def _count_gaps(folder: Path) -> int:
    from auditor.model.evidence import GapKind  # noqa: PLC0415
    from auditor.recorded_run import read_recorded_run  # noqa: PLC0415

    gaps = [source.gap for evidence, _ in read_recorded_run(folder).inputs for source in evidence.sources]
    return sum(gap is not None and gap.kind is not GapKind.NOT_LICENSED for gap in gaps)


def _say_left_out(finished: Finished) -> None:
    for line in f"no PDF: {finished.left_out}".split("\n") if finished.left_out else ():
        say(line)


def _say_verdicts(results: Results) -> None:
    width = max(len(connection.id) for connection in results.connections)
    for connection in results.connections:
        counts = asdict(connection.counts)
        told = ("satisfied", "partial", "missing", "unverifiable", "not_applicable", "excess")
        words = ", ".join(f"{counts[name]} {name.replace('_', ' ')}" for name in told if counts[name])
        say(f"{connection.id.ljust(width)}  {connection.verdict.ljust(13)}  {words}")


def _conclude(finished: Finished, *, quiet: bool) -> None:
    """Say where the run is, and end with the line that says it all."""
    print(finished.folder)
    _say_left_out(finished)
    results = finished.results
    if results is None:
        raise typer.Exit(0)
    if not quiet:
        _say_verdicts(results)
    counts = results.summary.counts
    report_file = next(
        (
            finished.folder / name
            for name in ("report.html", "report.pdf", "results.json")
            if (finished.folder / name).exists()
        ),
        finished.folder,
    )
    say(
        f"auditor: {results.summary.verdict}; {counts.evaluated} evaluated = {counts.satisfied} satisfied "
        f"+ {counts.partial} partial "
        f"+ {counts.missing} missing + {counts.unverifiable} unverifiable + {counts.not_applicable} not applicable; "
        f"{counts.excess} excess, {counts.advisory} advisory; {report_file}; "
        f"exit {results.run.exit.code} ({results.run.exit.reason})"
    )
    raise typer.Exit(results.run.exit.code)
