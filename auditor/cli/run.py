"""`auditor run`, `readiness`, `collect`: what contacts directories and tenants."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from auditor.cli.console import LogFormat, say
from auditor.cli.destination import destination
from auditor.cli.invocation import ask, invocation, prompt
from auditor.cli.judging import Question, conclude
from auditor.cli.news import failure_is_told, tell_news
from auditor.cli.options import (
    DEFAULT_FAIL_ON,
    Baseline,
    Config,
    ConnectionIds,
    Executor,
    ExecutorOption,
    ExitZero,
    FailOn,
    FormatNames,
    FullAppendix,
    Language,
    LanguageName,
    LogFormatOption,
    NoProgress,
    Now,
    OutputDir,
    Quiet,
    Redact,
    RedactKey,
    Resume,
    Scheduler,
    Sign,
    SignPassphrase,
    Verbose,
    Waivers,
)
from auditor.cli.progress import Telling, progress
from auditor.cli.redaction import redaction_key
from auditor.cli.rendering import Output

_DEFAULT_CONFIG = Path("inventory.yaml")
_DEFAULT_OUTPUT = Path("runs")


def run(
    config: Config = _DEFAULT_CONFIG,
    output_dir: OutputDir = _DEFAULT_OUTPUT,
    format_names: FormatNames = None,
    full_appendix: FullAppendix = False,
    language: Language = LanguageName.EN,
    sign: Sign = None,
    sign_passphrase: SignPassphrase = None,
    connection: ConnectionIds = None,
    waivers: Waivers = None,
    baseline: Baseline = None,
    fail_on: FailOn = DEFAULT_FAIL_ON["review"],
    exit_zero: ExitZero = False,
    now: Now = None,
    resume: Resume = False,
    redact: Redact = False,
    redact_key: RedactKey = None,
    executor: ExecutorOption = Executor.LOCAL,
    scheduler: Scheduler = None,
    no_progress: NoProgress = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    log_format: LogFormatOption = LogFormat.TEXT,
) -> None:
    """Collect, judge, compare with the last run and report: the command to schedule.

    Exit codes: 0 everything verified and documented; 1 findings at or above --fail-on; 2 an input file or
    option is wrong, nothing was contacted; 3 no such finding, but something could not be verified; 4 the
    run itself failed; 130 interrupted.
    """
    judging = Question(kind="review", fail_on=fail_on, exit_zero=exit_zero, now=now, waivers=waivers, baseline=baseline)
    telling = Telling(no_progress=no_progress, quiet=quiet, verbose=verbose, log_format=log_format)
    output = Output(
        format_names=format_names,
        full_appendix=full_appendix,
        language=language,
        sign=sign,
        sign_passphrase=sign_passphrase,
    )
    away = _Away(redact=redact, key=redact_key)
    cluster = _scheduler(executor, scheduler)
    _run(config, output_dir, output, connection, judging, telling, away, resumes=resume, scheduler=cluster)


def readiness(
    config: Config = _DEFAULT_CONFIG,
    output_dir: OutputDir = _DEFAULT_OUTPUT,
    format_names: FormatNames = None,
    full_appendix: FullAppendix = False,
    language: Language = LanguageName.EN,
    sign: Sign = None,
    sign_passphrase: SignPassphrase = None,
    connection: ConnectionIds = None,
    waivers: Waivers = None,
    baseline: Baseline = None,
    fail_on: FailOn = DEFAULT_FAIL_ON["readiness"],
    exit_zero: ExitZero = False,
    now: Now = None,
    resume: Resume = False,
    redact: Redact = False,
    redact_key: RedactKey = None,
    executor: ExecutorOption = Executor.LOCAL,
    scheduler: Scheduler = None,
    no_progress: NoProgress = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    log_format: LogFormatOption = LogFormat.TEXT,
) -> None:
    """Say READY, NOT READY or CANNOT SAY for each connection, as a gate before it goes live.

    The same as `auditor run` with a stricter threshold and a page per connection that lists what blocks it.
    Exit codes: 0 READY; 1 NOT READY; 3 CANNOT SAY; 2, 4 and 130 as for `auditor run`.
    """
    judging = Question(
        kind="readiness", fail_on=fail_on, exit_zero=exit_zero, now=now, waivers=waivers, baseline=baseline
    )
    telling = Telling(no_progress=no_progress, quiet=quiet, verbose=verbose, log_format=log_format)
    output = Output(
        format_names=format_names,
        full_appendix=full_appendix,
        language=language,
        sign=sign,
        sign_passphrase=sign_passphrase,
    )
    away = _Away(redact=redact, key=redact_key)
    cluster = _scheduler(executor, scheduler)
    _run(config, output_dir, output, connection, judging, telling, away, resumes=resume, scheduler=cluster)


def collect(
    config: Config = _DEFAULT_CONFIG,
    output_dir: OutputDir = _DEFAULT_OUTPUT,
    connection: ConnectionIds = None,
    export: Annotated[
        Path | None,
        typer.Option(
            "--import",
            metavar="FILE",
            help="Take Exchange Online's answers from this export and do not ask it; "
            "see `auditor doctor --script exchange-export`.",
        ),
    ] = None,
    redact: Redact = False,
    redact_key: RedactKey = None,
    resume: Resume = False,
    no_progress: NoProgress = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    log_format: LogFormatOption = LogFormat.TEXT,
) -> None:
    """Collect evidence only, to be judged later or on another machine."""
    from auditor import pipeline  # noqa: PLC0415
    from auditor.preparation import prepare  # noqa: PLC0415

    away = _Away(redact=redact, key=redact_key)
    away.require_alone(resumes=resume, scheduler=None)
    key = redaction_key(redact_key, redact=redact)
    telling = Telling(no_progress=no_progress, quiet=quiet, verbose=verbose, log_format=log_format)
    prepared = prepare(config, connection or (), ask, prompt(), export=export)
    with destination(output_dir) as goal, progress(telling) as announce:
        write = partial(pipeline.collect_redacted, key=key) if redact else pipeline.collect
        finished = goal.settle(write(prepared, invocation(resumes=resume), goal.folder, announce))
        gaps = _count_gaps(finished.folder)
    print(finished.place)
    code = 3 if gaps else 0
    reason = f"{gaps} reads are not complete" if gaps else "every read is complete"
    say(
        f"auditor: evidence of {len(prepared.entries)} connections; {finished.place}; exit {code} ({reason})",
        exit_code=code,
        run_folder=finished.place,
    )
    raise typer.Exit(code)


def _scheduler(executor: Executor, scheduler: str | None) -> str | None:
    if executor is Executor.DASK and scheduler is None:
        raise typer.BadParameter("say where the cluster's scheduler is", param_hint="--scheduler")
    if executor is Executor.LOCAL and scheduler is not None:
        raise typer.BadParameter("is only used with --executor dask", param_hint="--scheduler")
    return scheduler


@dataclass(frozen=True, slots=True, kw_only=True)
class _Away:
    """Whether what is written is redacted, and the reference to the key of its tokens."""

    redact: bool
    key: str | None

    def require_alone(self, *, resumes: bool, scheduler: str | None) -> None:
        """Raise BadParameter for what would leave originals behind."""
        if self.redact and resumes:
            raise typer.BadParameter("what an interrupted run left is not redacted; leave --resume out")
        if self.redact and scheduler is not None:
            raise typer.BadParameter("a cluster keeps what it reads; redact on one machine", param_hint="--redact")


def _run(
    config: Path,
    output_dir: Path,
    output: Output,
    connection: list[str] | None,
    asked: Question,
    telling: Telling,
    away: _Away,
    *,
    resumes: bool,
    scheduler: str | None,
) -> None:
    from auditor import pipeline  # noqa: PLC0415 - --help must not load the collectors
    from auditor.errors import InvalidInput, Problem, collecting  # noqa: PLC0415
    from auditor.preparation import prepare  # noqa: PLC0415

    away.require_alone(resumes=resumes, scheduler=scheduler)
    problems: list[Problem] = []
    key = collecting(problems, lambda: redaction_key(away.key, redact=away.redact))
    formats = collecting(problems, output.formats)
    prepared = collecting(
        problems,
        lambda: prepare(
            config, connection or (), ask, prompt(), notifies=True, elsewhere=scheduler is not None
        ),
    )
    judging = collecting(problems, asked.judging)
    if formats is None or prepared is None or judging is None or problems:
        raise InvalidInput(problems)
    if judging.baseline is not None and not away.redact:  # else tokens are compared, which are not known yet
        from auditor.comparison import require_comparable  # noqa: PLC0415 - loads what judges

        require_comparable(judging.baseline, [entry.id for entry in prepared.entries])
    telling_failure = failure_is_told(prepared, output.language, redact=away.redact)
    with telling_failure, destination(output_dir, is_alone=True) as goal:
        if judging.baseline is None and not away.redact:
            goal.fetch_earlier([entry.id for entry in prepared.entries], judging.now)
        with progress(telling) as announce:
            by = invocation(resumes=resumes, scheduler=scheduler)
            write = partial(pipeline.run_redacted, key=key) if away.redact else pipeline.run
            finished = goal.settle(write(prepared, by, goal.folder, judging, formats, announce))
        tell_news(prepared, finished, output.language)
        told = conclude(finished, quiet=telling.quiet)
    raise told


def _count_gaps(folder: Path) -> int:
    from auditor.model.evidence import GapKind  # noqa: PLC0415
    from auditor.recorded_run import read_recorded_run  # noqa: PLC0415

    gaps = [source.gap for evidence, _ in read_recorded_run(folder).inputs for source in evidence.sources]
    return sum(gap is not None and gap.kind is not GapKind.NOT_LICENSED for gap in gaps)
