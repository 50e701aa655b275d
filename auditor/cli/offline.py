"""`auditor evaluate`, `report`, `verify`: from what was recorded; nothing is contacted."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from auditor.cli.console import LogFormat, say, visible
from auditor.cli.destination import destination, run_here, shown
from auditor.cli.judging import Question, conclude, say_left_out
from auditor.cli.options import (
    DEFAULT_FAIL_ON,
    Baseline,
    ExitZero,
    FailOnOfKind,
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
    Sign,
    SignPassphrase,
    Verbose,
    Waivers,
)
from auditor.cli.progress import Telling, progress
from auditor.cli.redaction import redaction_key
from auditor.cli.rendering import Output

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
    full_appendix: FullAppendix = False,
    language: Language = LanguageName.EN,
    sign: Sign = None,
    sign_passphrase: SignPassphrase = None,
    waivers: Waivers = None,
    baseline: Baseline = None,
    fail_on: FailOnOfKind = None,
    exit_zero: ExitZero = False,
    now: Now = None,
    no_progress: NoProgress = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    log_format: LogFormatOption = LogFormat.TEXT,
) -> None:
    """Judge recorded evidence. Nothing is contacted; the same evidence, matrix and --now give the same bytes.

    What was collected for `auditor readiness` is judged as that. It is compared with another run, and waivers apply,
    only when they are named.
    """
    from auditor import comparison, concluded_run  # noqa: PLC0415
    from auditor.recorded_run import read_recorded_run  # noqa: PLC0415

    output = Output(
        format_names=format_names,
        full_appendix=full_appendix,
        language=language,
        sign=sign,
        sign_passphrase=sign_passphrase,
        default=("json",),
    )
    formats = output.formats()
    with run_here(source) as folder:
        recorded = read_recorded_run(folder)
        recorded.require_usable()
        kind = recorded.facts.kind
        asked = Question(
            kind=kind,
            fail_on=fail_on or DEFAULT_FAIL_ON[kind],
            exit_zero=exit_zero,
            now=now,
            waivers=waivers,
            baseline=baseline,
        )
        judging = asked.judging()
        comparison.require_comparable(judging.baseline, [each.id for each in recorded.facts.connections])
        telling = Telling(no_progress=no_progress, quiet=quiet, verbose=verbose, log_format=log_format)
        with destination(output_dir) as goal:
            with progress(telling) as announce:
                finished = goal.settle(concluded_run.judge_again(recorded, goal.folder, judging, formats, announce))
            told = conclude(finished, quiet=quiet)
    raise told


def report(
    source: Annotated[Path, typer.Argument(metavar="RESULTS", help="A run folder or its results.json.")],
    output_dir: OutputDir = _DEFAULT_OUTPUT,
    format_names: FormatNames = None,
    full_appendix: FullAppendix = False,
    language: Language = LanguageName.EN,
    sign: Sign = None,
    sign_passphrase: SignPassphrase = None,
    redact: Redact = False,
    redact_key: RedactKey = None,
    no_progress: NoProgress = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    log_format: LogFormatOption = LogFormat.TEXT,
) -> None:
    """Render results again, into a folder of its own. Exits with 0 when everything asked for was written."""
    from auditor import concluded_run  # noqa: PLC0415

    output = Output(
        format_names=format_names,
        full_appendix=full_appendix,
        language=language,
        sign=sign,
        sign_passphrase=sign_passphrase,
    )
    formats = output.formats()
    key = redaction_key(redact_key, redact=redact)
    telling = Telling(no_progress=no_progress, quiet=quiet, verbose=verbose, log_format=log_format)
    with run_here(source) as run_folder, destination(output_dir) as goal, progress(telling) as announce:
        write = partial(concluded_run.report_redacted, key=key) if redact else concluded_run.report
        finished = goal.settle(write(run_folder, goal.folder, formats, announce))
    print(finished.place)
    say_left_out(finished)
    say(
        f"auditor: rendered {', '.join(formats.names)}; {finished.place}; exit 0 (written)",
        exit_code=0,
        run_folder=finished.place,
    )


def verify(
    run_folder: RunArgument,
    trust: Annotated[
        Path | None,
        typer.Option("--trust", metavar="FILE", help="PEM certificates that must vouch for the signer of every PDF."),
    ] = None,
) -> None:
    """Check every file of a run folder against its manifest, the signatures of its PDFs, and with veraPDF, where the
    machine has it, their claim of PDF/A.

    Exits with 1 when something differs. Without --trust a signature shows that nothing changed since it was made,
    not who made it.
    """
    from auditor.history.manifest import verify_run  # noqa: PLC0415
    from auditor.report.signature import read_roots  # noqa: PLC0415

    roots = read_roots(trust) if trust is not None else ()
    with run_here(run_folder) as folder:
        differences = [*verify_run(folder)]
        for path in sorted(folder.glob("*.pdf")):
            differences += _differences_of_signature(path, roots)
            differences += _differences_of_validation(path)
    for difference in differences:
        print(visible(difference))
    if differences:
        say(f"auditor: {shown(run_folder)}: {len(differences)} differences; exit 1 (not what was written)")
        raise typer.Exit(1)
    say(f"auditor: {shown(run_folder)}: every file is as the manifest records it; exit 0 (verified)")


def _differences_of_validation(path: Path) -> list[str]:
    """Return what a validator of this machine, if there is one, finds wrong with a PDF, and say what it found else."""
    from auditor.report.pdf_validation import validate_claim  # noqa: PLC0415

    found = validate_claim(path)
    if found is None:
        return []
    holds, words = found
    if holds is False:
        return [f"{path.name}: {words}"]
    say(f"{path.name}: {words}")
    return []


def _differences_of_signature(path: Path, roots: tuple[Any, ...]) -> list[str]:
    """Return what is wrong with the signatures of a PDF, and say what is known of those that are right."""
    from auditor.report.signature import SigningUnavailable, UnreadablePdf, check_signatures, is_signed  # noqa: PLC0415

    try:
        content = path.read_bytes()
        if not is_signed(content):
            return [f"{path.name}: is not signed"] if roots else []
        statuses = check_signatures(content, roots)
    except UnreadablePdf as error:
        return [f"{path.name}: {error}"]
    except SigningUnavailable as unavailable:
        say(f"{path.name}: is signed, and the signature was not checked: {unavailable}")
        return []
    for status in statuses:
        trust = {None: "whose certificate was checked against no root (--trust)", True: "trusted", False: "not trusted"}
        say(
            f"{path.name}: signed {status.signed_at} by {status.signer}, {trust[status.is_trusted]}; "
            f"certificate SHA-256 {status.certificate_sha256}"
        )
    return [
        f"{path.name}: {fault}"
        for status in statuses
        for fault, is_so in (
            ("its signature does not fit its content", not status.is_sound),
            (f"its signer {status.signer} is not trusted", status.is_trusted is False),
        )
        if is_so
    ]
