"""`auditor evaluate`, `report`, `verify`: from what was recorded; nothing is contacted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from auditor.cli.console import LogFormat, say, visible
from auditor.cli.judging import Question, chosen_formats, conclude, say_left_out
from auditor.cli.options import (
    Baseline,
    ExitZero,
    FailOn,
    FormatNames,
    LogFormatOption,
    NoProgress,
    Now,
    OutputDir,
    Quiet,
    Verbose,
    Waivers,
)
from auditor.cli.progress import Telling, progress
from auditor.model.outcome import Severity

_DEFAULT_OUTPUT = Path("runs")

RunArgument = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")]


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
    waivers: Waivers = None,
    baseline: Baseline = None,
    fail_on: FailOn = Severity.MEDIUM,
    exit_zero: ExitZero = False,
    now: Now = None,
    no_progress: NoProgress = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    log_format: LogFormatOption = LogFormat.TEXT,
) -> None:
    """Judge recorded evidence. Nothing is contacted; the same evidence, matrix and --now give the same bytes.

    It is compared with another run, and waivers apply, only when they are named.
    """
    from auditor import pipeline  # noqa: PLC0415
    from auditor.recorded_run import read_recorded_run  # noqa: PLC0415

    formats = chosen_formats(format_names, default=("json",))
    recorded = read_recorded_run(source)
    asked = Question(kind="review", fail_on=fail_on, exit_zero=exit_zero, now=now, waivers=waivers, baseline=baseline)
    judging = asked.judging()
    pipeline.require_comparable(judging, [each.id for each in recorded.facts.connections])
    telling = Telling(no_progress=no_progress, quiet=quiet, verbose=verbose, log_format=log_format)
    with progress(telling) as announce:
        finished = pipeline.judge_again(recorded, output_dir, judging, formats, announce)
    conclude(finished, quiet=quiet)


def report(
    source: Annotated[Path, typer.Argument(metavar="RESULTS", help="A run folder or its results.json.")],
    output_dir: OutputDir = _DEFAULT_OUTPUT,
    format_names: FormatNames = None,
    no_progress: NoProgress = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    log_format: LogFormatOption = LogFormat.TEXT,
) -> None:
    """Render results again, into a folder of its own. Exits with 0 when everything asked for was written."""
    from auditor import pipeline  # noqa: PLC0415

    formats = chosen_formats(format_names)
    telling = Telling(no_progress=no_progress, quiet=quiet, verbose=verbose, log_format=log_format)
    with progress(telling) as announce:
        finished = pipeline.report(source, output_dir, formats, announce)
    print(finished.folder)
    say_left_out(finished)
    say(
        f"auditor: rendered {', '.join(formats.names)}; {finished.folder}; exit 0 (written)",
        exit_code=0,
        run_folder=str(finished.folder),
    )


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
