"""Options that several commands share."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditor.cli.console import LogFormat, speak
from auditor.model.instants import parse_instant
from auditor.model.outcome import Severity

if TYPE_CHECKING:
    from auditor.model.results import RunKind

DEFAULT_FORMATS = ("json", "html", "csv", "xlsx", "md", "junit", "ocsf", "proposal", "pdf")


class Executor(StrEnum):
    """What reads and judges connections."""

    LOCAL = "local"
    DASK = "dask"


class LanguageName(StrEnum):
    """The languages of the report."""

    EN = "en"
    DE = "de"


def _parse_now(text: str | None) -> str | None:
    if text is not None:
        try:
            parse_instant(text)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error
    return text


Config = Annotated[
    Path,
    typer.Option("--config", "-c", help="The inventory file that lists the connections.", show_default=True),
]
OutputDir = Annotated[
    Path, typer.Option("--output-dir", "-o", help="Where run folders are written; each run makes its own.")
]
FormatNames = Annotated[
    list[str] | None,
    typer.Option("--format", "-f", help=f"{', '.join(DEFAULT_FORMATS)}; repeat or separate with commas. Default: all."),
]
Language = Annotated[
    LanguageName, typer.Option("--language", help="The language of what people read.")
]
FullAppendix = Annotated[
    bool, typer.Option("--full-appendix", help="Also write all reads of the evidence as a second volume, appendix.pdf.")
]
Sign = Annotated[
    str | None,
    typer.Option(
        "--sign",
        metavar="KEY",
        help="Sign the PDFs (PAdES) with this PKCS#12 file, or with a token: "
        "pkcs11:token=LABEL;object=LABEL?module-path=FILE. Needs the extra `sign`.",
    ),
]
SignPassphrase = Annotated[
    str | None,
    typer.Option(
        "--sign-passphrase",
        metavar="REFERENCE",
        help="Where its passphrase or PIN is: env:NAME, file:PATH, keyring:SERVICE/NAME or prompt:.",
    ),
]
ConnectionIds = Annotated[
    list[str] | None,
    typer.Option("--connection", help="Only this connection; repeat for more. All when not given."),
]
_FAIL_ON_HELP = "Findings from this severity on make the run fail with exit code 1."
DEFAULT_FAIL_ON: dict[RunKind, Severity] = {"review": Severity.MEDIUM, "readiness": Severity.LOW}
FailOn = Annotated[Severity, typer.Option("--fail-on", help=_FAIL_ON_HELP)]
FailOnOfKind = Annotated[
    Severity | None,
    typer.Option("--fail-on", help=f"{_FAIL_ON_HELP} Default: medium, low for what was collected for readiness."),
]
ExitZero = Annotated[
    bool, typer.Option("--exit-zero", help="Exit with 0 whatever the verdict; the record keeps the verdict.")
]
Now = Annotated[
    str | None,
    typer.Option(
        "--now",
        callback=_parse_now,
        help="Judge as of this instant, for example 2026-11-23T08:00:00Z. Default: now.",
    ),
]
Waivers = Annotated[
    Path | None,
    typer.Option("--waivers", help="The file of accepted findings; see `auditor waivers`."),
]
Baseline = Annotated[
    Path | None,
    typer.Option("--baseline", metavar="RUN", help="Compare with this run, not the last one of the same connections."),
]
Resume = Annotated[
    bool,
    typer.Option("--resume", help="Take from interrupted runs of this inventory what they read within a day."),
]
ExecutorOption = Annotated[
    Executor, typer.Option("--executor", help="Where connections are read and judged: here, or on a Dask cluster.")
]
Scheduler = Annotated[
    str | None, typer.Option("--scheduler", metavar="ADDRESS", help="The cluster's scheduler: tls://host:8786.")
]
Redact = Annotated[
    bool,
    typer.Option(
        "--redact",
        help="Tokens in place of every name, host, SID and id in all that is written, the evidence too: it can leave "
        "the house.",
    ),
]
RedactKey = Annotated[
    str | None,
    typer.Option(
        "--redact-key",
        metavar="REFERENCE",
        help="A secret of your own: what is redacted with the same one has the same tokens and can be compared. "
        "env:NAME, file:PATH, keyring:SERVICE/NAME or prompt:.",
    ),
]
NoProgress = Annotated[bool, typer.Option("--no-progress", help="Plain lines instead of bars.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Only the last line and errors.")]
LogFormatOption = Annotated[
    LogFormat,
    typer.Option("--log-format", callback=speak, is_eager=True, help="json: each line is one object, for collectors."),
]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Every step on a line of its own.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print data as JSON.")]


def current_time() -> datetime:
    """Return the current time in UTC; the tool's only clock."""
    return datetime.now(UTC)


def instant(now: str | None) -> datetime:
    """Return the instant to judge at."""
    return current_time() if now is None else parse_instant(now)


def split_formats(names: list[str] | None) -> tuple[str, ...]:
    """Return the formats asked for, comma-separated values taken apart; all of them when none was."""
    wanted = [part.strip().lower() for name in names or () for part in name.split(",") if part.strip()]
    return tuple(dict.fromkeys(wanted)) or DEFAULT_FORMATS
