"""The second volume of the PDF: every read of the run by what was asked, made in parts side by side and joined.

One long table would take a single process minutes and gigabytes, which grow with the rows; parts take little of
both and every core. The parts are not tagged, because joining would lose the tags: the volume claims PDF/A-3u, and
the first volume carries the same record as an attachment.
"""

from __future__ import annotations

import io
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pikepdf

from auditor.report.evidence_view import Question, SourceView, by_question, source_views
from auditor.report.html import render_appendix_html
from auditor.report.languages import ENGLISH
from auditor.report.pdf import render_part

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.model.results import Results

ROWS_PER_PART = 2500


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRow:
    """A read of one connection, and what it alone asked beyond its question."""

    connection: str
    question: Question
    read: SourceView
    varying: tuple[tuple[str, str], ...]


def render_appendix(results: Results, results_sha256: str, language: str = ENGLISH) -> bytes:
    """Return the volume as PDF; equal records give equal bytes.

    Raises PdfUnavailable when this machine cannot make one, RunFailed when a part was not made in time or in memory.
    """
    documents = appendix_documents(results, results_sha256, language)
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as workers:  # each waits for a process of its own
        return _join(list(workers.map(lambda html: render_part(html.encode("utf-8")), documents)))


def appendix_documents(results: Results, results_sha256: str, language: str = ENGLISH) -> list[str]:
    """Return the parts as HTML, at least one."""
    rows = [
        EvidenceRow(connection=connection.id, question=question, read=read, varying=varying)
        for connection in results.connections
        for question in by_question(source_views(connection))
        for read, varying in question.reads
    ]
    starts = range(0, max(1, len(rows)), ROWS_PER_PART)
    return [
        render_appendix_html(
            language,
            run=results.run,
            results_sha256=results_sha256,
            rows=rows[start : start + ROWS_PER_PART],
            part=number,
            parts=len(starts),
            first=min(start + 1, len(rows)),
            last=min(start + ROWS_PER_PART, len(rows)),
            total=len(rows),
        )
        for number, start in enumerate(starts, start=1)
    ]


def _join(parts: Sequence[bytes]) -> bytes:
    """Return one PDF of all parts: with the metadata of the first, and the bookmarks of each."""
    joined = io.BytesIO()
    with pikepdf.open(io.BytesIO(parts[0])) as volume:
        titles = [(_title(volume), 0)]
        for part in parts[1:]:
            with pikepdf.open(io.BytesIO(part)) as document:
                titles.append((_title(document), len(volume.pages)))
                volume.pages.extend(document.pages)
        with volume.open_outline() as outline:
            outline.root[:] = [pikepdf.OutlineItem(title, page) for title, page in titles]
        volume.save(joined, deterministic_id=True)
    return joined.getvalue()


def _title(document: pikepdf.Pdf) -> str:
    with document.open_outline() as outline:
        return outline.root[0].title
