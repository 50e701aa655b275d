"""The child process that makes a PDF: `python -m auditor.report.pdf_child render-LANGUAGE|part|probe`.

`render-LANGUAGE` reads results.json and the reviews from standard input, `part` the HTML of a part of the volume of
evidence; both write the PDF to standard output. Exits 3 when a library of WeasyPrint cannot be loaded, with the
reason as the last line on standard error.
"""

from __future__ import annotations

import gc
import hashlib
import io
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import pikepdf

from auditor.model.instants import parse_instant
from auditor.report.pdf import BETWEEN, UNAVAILABLE
from auditor.report.template_files import templates_folder

if TYPE_CHECKING:
    from auditor.model.results import Results

MEMORY_LIMIT_BYTES = 6 * 1024**3


def main() -> None:
    """Do the task named by the only argument."""
    output = _claim_stdout()
    _limit_memory()
    gc.disable()  # the process is short-lived, and walking an ever larger tree costs more than the layout
    try:
        import weasyprint  # noqa: F401, PLC0415  # loads pango, which may be missing
    except OSError as error:
        sys.stdout.flush()  # WeasyPrint's banner comes first, the reason last
        print(str(error).splitlines()[0].split(".  ")[0], file=sys.stderr)  # noqa: T201  # the parent reads this line
        sys.exit(UNAVAILABLE)
    task = sys.argv[1]
    if task == "probe":
        pdf = _probe()
    elif task == "part":
        pdf = _part(sys.stdin.buffer.read())
    else:
        pdf = _render(sys.stdin.buffer.read(), task.removeprefix("render-"))
    output.write(pdf)
    output.close()


def _claim_stdout() -> io.BufferedWriter:
    """Return standard output for the PDF alone: whatever a library prints goes to standard error."""
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return output


def _limit_memory() -> None:
    if sys.platform != "win32":
        import resource  # noqa: PLC0415  # not on Windows

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold the whole record
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        limit = MEMORY_LIMIT_BYTES if hard == resource.RLIM_INFINITY else min(hard, MEMORY_LIMIT_BYTES)
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))




def _probe() -> bytes:
    from auditor.report.html import print_style  # noqa: PLC0415

    return _write_pdf('<html lang="en"><title>Probe</title><p>Probe', print_style(), [])


def _render(given: bytes, language: str) -> bytes:
    from auditor.report.decisions import read_decisions  # noqa: PLC0415
    from auditor.report.html import print_style, render_print_html  # noqa: PLC0415
    from auditor.report.results_json import parse_results  # noqa: PLC0415
    from auditor.report.translation import translated  # noqa: PLC0415
    from auditor.report.view import build_view  # noqa: PLC0415

    content, _, reviews = given.partition(BETWEEN)
    results, digest = parse_results(content, Path("results.json")), hashlib.sha256(content).hexdigest()
    view = build_view(translated(results, language), digest, read_decisions(reviews, results, digest))
    attachments = _attachments(results, content, reviews)
    pdf = _write_pdf(render_print_html(view, language), print_style(language), attachments)
    return _without_double_associations(pdf)


def _part(html: bytes) -> bytes:
    from auditor.report.html import appendix_style  # noqa: PLC0415

    return _write_pdf(html.decode("utf-8"), appendix_style(), [], variant="pdf/a-3u")


def _attachments(results: Results, content: bytes, reviews: bytes) -> list[Any]:
    """Return the attached files, sorted by name as a PDF name tree must be (ISO 32000-1 7.9.6)."""
    from weasyprint import Attachment  # noqa: PLC0415

    from auditor.report.tables import csv_bytes, findings_table  # noqa: PLC0415

    evaluated_at = parse_instant(results.run.evaluated_at)
    files = (
        ("findings.csv", csv_bytes(findings_table(results)), "Findings as a table", "Data"),
        ("results.json", content, "The record this report is rendered from", "Source"),
        ("reviews.json", reviews, "The recorded reviews that the worksheet shows", "Supplement"),
    )
    return [
        Attachment(
            string=body,
            name=name,
            description=description,
            relationship=relationship,
            created=evaluated_at,  # the default is now, and would make every rendering differ
            modified=evaluated_at,
        )
        for name, body, description, relationship in files
        if body
    ]


def _write_pdf(html: str, style: str, attachments: list[Any], *, variant: str = "pdf/a-3a") -> bytes:
    from weasyprint import CSS, HTML  # noqa: PLC0415
    from weasyprint.text.fonts import FontConfiguration  # noqa: PLC0415
    from weasyprint.urls import URLFetcher, URLFetcherResponse  # noqa: PLC0415

    class BundledFontsOnly(URLFetcher):  # type: ignore[misc]  # WeasyPrint has no types
        """Serves `asset:<file name>` from the bundled fonts and nothing else, neither files nor network."""

        def fetch(self, url: str, headers: object = None) -> URLFetcherResponse:  # noqa: ARG002
            fonts = templates_folder() / "fonts"
            for font in fonts.glob("*.woff2"):
                if url == f"asset:{font.name}":
                    return URLFetcherResponse(url, font.read_bytes(), {"Content-Type": "font/woff2"})
            raise ValueError(f"{url[:80]!r} is not a bundled font")

    complaints = _Complaints()
    logging.getLogger("weasyprint").addHandler(complaints)
    fetcher = BundledFontsOnly()
    fonts = FontConfiguration()
    sheet = CSS(string=style, font_config=fonts, url_fetcher=fetcher)
    document = HTML(string=html, url_fetcher=fetcher, media_type="print")
    pdf: bytes = document.write_pdf(
        stylesheets=[sheet], font_config=fonts, pdf_variant=variant, attachments=attachments
    )
    complaints.refuse_missing_glyphs()
    return pdf


class _Complaints(logging.StreamHandler[TextIO]):
    """Prints what WeasyPrint complains of on standard error, and keeps it."""

    def __init__(self) -> None:
        super().__init__(sys.stderr)
        self.setLevel(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Print and keep one message."""
        super().emit(record)
        self.messages.append(record.getMessage())

    def refuse_missing_glyphs(self) -> None:
        """Raise ValueError when a character was drawn as an empty box, which PDF/A forbids."""
        missing = [message for message in self.messages if ".notdef" in message]
        if missing:
            raise ValueError(missing[0])


def _without_double_associations(pdf: bytes) -> bytes:
    """Return `pdf` with each attachment once in the catalogue's AF array; WeasyPrint lists it twice."""
    written = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf)) as document:
        once = {item.objgen: item for item in document.Root.AF}
        document.Root.AF = pikepdf.Array(once.values())
        document.save(written, deterministic_id=True)
    return written.getvalue()


if __name__ == "__main__":
    main()
