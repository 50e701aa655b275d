"""The formats a report is written in: one visible registry, one function each.

Every renderer reads the record and nothing else. Heavy libraries are imported by the renderer that
needs them, so that HTML, CSV and JSON are written on a machine that cannot make a PDF.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from auditor.errors import InvalidInput, Problem, RunFailed
from auditor.processes import here
from auditor.report.results_json import parse_results, read_content

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from auditor.model.results import Results
    from auditor.processes import Spread
    from auditor.report.review import Decisions


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A record to render: `file` is results.json, `language` that of what people read.

    `reviews` are the recorded reviews of the run, as `read_decisions` takes them.
    `spread` says where what is said of each connection is rendered.
    """

    file: Path
    sha256: str
    results: Results
    language: str = "en"
    reviews: bytes = b""
    spread: Spread = here

    def content(self) -> bytes:
        """Return results.json byte for byte. Raises RunFailed when it is no longer what was read."""
        content = read_content(self.file)
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise RunFailed(f"{self.file} was altered while it was rendered")
        return content

    def decisions(self) -> Decisions:
        """Return what the reviews decided. Raises InvalidInput when they are about something else."""
        from auditor.report.decisions import read_decisions  # noqa: PLC0415

        return read_decisions(self.reviews, self.results, self.sha256)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """The files that one format wrote."""

    format: str
    files: tuple[Path, ...]


def _write_json(record: Record, folder: Path) -> tuple[Path, ...]:
    path = folder / "results.json"
    return (path if path == record.file else _write(path, record.content()),)


def _write_html(record: Record, folder: Path) -> tuple[Path, ...]:
    from auditor.report.html import html_pieces  # noqa: PLC0415  # jinja2 and fontTools on demand
    from auditor.report.translation import translated  # noqa: PLC0415
    from auditor.report.view import build_view  # noqa: PLC0415

    view = build_view(translated(record.results, record.language), record.sha256, record.decisions())
    path = folder / "report.html"
    try:
        with path.open("w", encoding="utf-8", newline="\n") as stream:
            stream.writelines(html_pieces(view, record.language, record.spread))
    except OSError as error:
        raise _cannot_be_written(path, error) from error
    return (path,)


def _write_csv(record: Record, folder: Path) -> tuple[Path, ...]:
    from auditor.report.tables import csv_bytes, findings_table, matrix_table  # noqa: PLC0415  # pandas

    return (
        _write(folder / "findings.csv", csv_bytes(findings_table(record.results))),
        _write(folder / "matrix.csv", csv_bytes(matrix_table(record.results))),
    )


def _write_xlsx(record: Record, folder: Path) -> tuple[Path, ...]:
    from auditor.report.workbook import workbook_bytes  # noqa: PLC0415  # pandas and xlsxwriter

    content = workbook_bytes(record.results, record.sha256, record.decisions())
    return (_write(folder / "workbook.xlsx", content),)


def _write_md(record: Record, folder: Path) -> tuple[Path, ...]:
    from auditor.report.summary_md import summary_bytes  # noqa: PLC0415

    return (_write(folder / "summary.md", summary_bytes(record.results, record.decisions(), record.language)),)


def _write_ocsf(record: Record, folder: Path) -> tuple[Path, ...]:
    from auditor.report.ocsf import ocsf_bytes  # noqa: PLC0415

    return (_write(folder / "ocsf.jsonl", ocsf_bytes(record.results)),)


def _write_junit(record: Record, folder: Path) -> tuple[Path, ...]:
    from auditor.report.junit import junit_bytes  # noqa: PLC0415

    return (_write(folder / "junit.xml", junit_bytes(record.results)),)


def _write_proposals(record: Record, folder: Path) -> tuple[Path, ...]:
    from auditor.report.finding_view import safe_name  # noqa: PLC0415
    from auditor.report.proposal import proposal_bytes  # noqa: PLC0415
    from auditor.report.translation import translated  # noqa: PLC0415

    told = translated(record.results, record.language)
    proposals = folder / "proposals"
    proposals.mkdir(exist_ok=True)
    return tuple(
        _write(
            proposals / f"{safe_name(connection.id)}.txt",
            proposal_bytes(told, connection, record.sha256, record.language),
        )
        for connection in told.connections
    )


def _write_pdf(record: Record, folder: Path) -> tuple[Path, ...]:
    from auditor.report.pdf import render_pdf  # noqa: PLC0415

    return (_write(folder / "report.pdf", render_pdf(record.content(), record.language, record.reviews)),)


def _write_appendix(record: Record, folder: Path) -> tuple[Path, ...]:
    from auditor.report.appendix import render_appendix  # noqa: PLC0415  # jinja2, fontTools and pikepdf

    content = render_appendix(record.results, record.sha256, record.language)
    return (_write(folder / "appendix.pdf", content),)


Renderer: TypeAlias = Callable[[Record, "Path"], "tuple[Path, ...]"]

# In the order they are written: those that a machine may be unable to write come last.
FORMATS: dict[str, Renderer] = {
    "json": _write_json,
    "html": _write_html,
    "csv": _write_csv,
    "xlsx": _write_xlsx,
    "md": _write_md,
    "junit": _write_junit,
    "ocsf": _write_ocsf,
    "proposal": _write_proposals,
    "pdf": _write_pdf,
    "appendix": _write_appendix,
}


def require_known_formats(formats: Iterable[str]) -> None:
    """Raise InvalidInput, one problem per unknown format, listing the known ones."""
    problems = [
        Problem(
            file="--format",
            line=None,
            place="",
            message=f"{name!r} is not a format",
            cure=f"choose from {', '.join(FORMATS)}",
        )
        for name in dict.fromkeys(formats)
        if name not in FORMATS
    ]
    if problems:
        raise InvalidInput(problems)


def render(results_json: Path, formats: Iterable[str], folder: Path) -> tuple[Rendered, ...]:
    """Write `results_json` in each of `formats` into `folder`, which is made when it is not there.

    Raises InvalidInput for an unknown format or a file that is no record, before anything is written;
    PdfUnavailable or RunFailed when a format cannot be written, after every format before it has been.
    """
    wanted = frozenset(formats)
    require_known_formats(sorted(wanted))
    return render_record(read_record(results_json), wanted, folder)


def read_record(results_json: Path) -> Record:
    """Read a record. Raises InvalidInput when the file is none."""
    content = read_content(results_json)
    sha256 = hashlib.sha256(content).hexdigest()
    return Record(file=results_json, sha256=sha256, results=parse_results(content, results_json))


def render_record(record: Record, wanted: Collection[str], folder: Path) -> tuple[Rendered, ...]:
    """Write a record as `render` does, in formats that are known."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunFailed(f"{folder} cannot be made: {error.strerror}") from error
    return tuple(
        Rendered(format=name, files=write(record, folder))
        for name, write in FORMATS.items()
        if name in wanted
    )


def _write(path: Path, content: bytes) -> Path:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise _cannot_be_written(path, error) from error
    return path


def _cannot_be_written(path: Path, error: OSError) -> RunFailed:
    return RunFailed(f"{path} cannot be written: {error.strerror}")
