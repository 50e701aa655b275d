"""The record as a workbook: one sheet per kind of thing, and a review sheet to fill in.

Every cell from the record is written as text or as a number, never as a formula or a link. The review sheet
is read back by `auditor.report.review_import`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

import xlsxwriter

from auditor.model.instants import parse_instant
from auditor.report import tables
from auditor.report.review import NO_DECISIONS, Decision, review_items, tally
from auditor.report.visible_text import make_visible
from auditor.report.words import OUTCOMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd
    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

    from auditor.model.results import Results
    from auditor.report.review import Answer, Decisions

SUMMARY_SHEET, REVIEW_SHEET = "summary", "review"
RUN_ROW, DIGEST_ROW = "run", "results_sha256"  # rows of the summary sheet that say what the workbook is about
ITEM_COLUMNS = ("key", "connection", "account", "kind", "entitlement", "id", "scope", "status", "paths")
ANSWER_COLUMNS = ("decision", "reviewer", "date", "ticket", "comment")
REVIEW_COLUMNS = (*ITEM_COLUMNS, *ANSWER_COLUMNS)

LONGEST_CELL = 32_767  # of every spreadsheet program
_WIDTHS = {"title": 45, "documented": 40, "actual": 45, "why": 45, "paths": 45, "remediation": 45, "scope": 40,
           "query": 45, "name": 30, "entitlement": 30, "subject": 35, "endpoint": 35, "reason": 40, "key": 30}
_WIDTH = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class _Formats:
    """Cell formats: of the head, of what is listed, and of what a person may fill in."""

    head: Format
    body: Format
    open: Format


def workbook_bytes(results: Results, results_sha256: str, decisions: Decisions = NO_DECISIONS) -> bytes:
    """Return the workbook, the review sheet filled in with what was decided. Equal records give equal bytes."""
    content = BytesIO()
    # rows are written out as they come, so that memory does not grow with the evidence
    workbook = xlsxwriter.Workbook(
        content,
        {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False},
    )
    workbook.set_properties(
        {
            "title": "Hire2Retire permission audit",
            "created": parse_instant(results.run.evaluated_at).replace(tzinfo=None),
        }
    )
    body = {"text_wrap": True, "valign": "top"}
    formats = _Formats(
        head=workbook.add_format(body | {"bold": True, "bg_color": "#E8EDF3", "bottom": 1}),
        body=workbook.add_format(body),
        open=workbook.add_format(body | {"locked": False, "bg_color": "#FFFBE6"}),
    )
    summary = _summary_rows(results, results_sha256, decisions)
    _write_sheet(workbook, SUMMARY_SHEET, ("fact", "value"), summary, formats)
    for name, table in (
        ("findings", tables.findings_table(results)),
        ("matrix", tables.matrix_table(results)),
        ("entitlements", tables.entitlements_table(results)),
        ("evidence", tables.evidence_table(results)),
        ("waivers", tables.waivers_table(results)),
        ("drift", tables.drift_table(results)),
    ):
        _write_sheet(workbook, name, tuple(table.columns), _rows(table), formats)
    _write_review(workbook, decisions.of(review_items(results.connections)), formats)
    workbook.close()
    return content.getvalue()


def _summary_rows(results: Results, results_sha256: str, decisions: Decisions) -> list[tuple[str, object]]:
    run, counts = results.run, results.summary.counts
    facts: list[tuple[str, object]] = [
        ("organisation", run.organisation),
        ("verdict", results.summary.verdict.value),
        (RUN_ROW, run.id),
        ("evaluated_at", run.evaluated_at),
        ("matrix", f"{run.matrix.id} {run.matrix.version}"),
        ("fail_on", run.fail_on.value),
        ("tool", f"{run.tool.name} {run.tool.version}"),
        (DIGEST_ROW, results_sha256),
    ]
    facts += [(name, getattr(counts, name)) for name in (*OUTCOMES, "evaluated", "excess", "advisory", "waived")]
    facts += [(f"verdict of {one.id}", one.verdict.value) for one in results.connections]
    decided = asdict(tally(decisions.of(review_items(results.connections))))
    facts += [(f"review: {'entitlements' if name == 'items' else name}", count) for name, count in decided.items()]
    return facts


def _rows(table: pd.DataFrame) -> Iterable[Sequence[object]]:
    return table.itertuples(index=False, name=None)


def _write_sheet(
    workbook: Workbook,
    name: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    formats: _Formats,
) -> Worksheet:
    sheet = workbook.add_worksheet(name)
    for place, column in enumerate(columns):
        sheet.set_column(place, place, _WIDTHS.get(column, _WIDTH))
    sheet.freeze_panes(1, 0)
    sheet.write_row(0, 0, columns, formats.head)
    last = 0
    for last, row in enumerate(rows, start=1):
        for place, value in enumerate(row):
            if isinstance(value, int):
                sheet.write_number(last, place, value, formats.body)
            elif value != "":
                is_answer = name == REVIEW_SHEET and columns[place] in ANSWER_COLUMNS
                sheet.write_string(last, place, cell_text(str(value)), formats.open if is_answer else formats.body)
    sheet.autofilter(0, 0, last, len(columns) - 1)
    return sheet


def _write_review(workbook: Workbook, answers: Sequence[Answer], formats: _Formats) -> None:
    rows = [
        (one.item.key, one.item.connection, one.item.account, one.item.kind, one.item.name, one.item.id, one.item.scope,
         one.item.status, "\n".join(" > ".join(path) for path in one.item.paths),
         one.decision.value if one.decision else "", one.reviewer, one.date, one.ticket, one.comment)
        for one in answers
    ]
    decision = len(ITEM_COLUMNS)
    sheet = _write_sheet(workbook, REVIEW_SHEET, REVIEW_COLUMNS, rows, formats)
    sheet.set_column(decision, len(REVIEW_COLUMNS) - 1, _WIDTH, formats.open)
    if answers:
        choice: dict[str, Any] = {
            "validate": "list",
            "source": [one.value for one in Decision],
            "error_title": "Decision",
            "error_message": f"Choose {', '.join(Decision)}, or leave the cell empty.",
        }
        sheet.data_validation(1, decision, len(answers), decision, choice)
    # Against slips of the hand only: what was listed stays as it is, the decisions can be filled in.
    sheet.protect("", {"autofilter": True, "sort": True, "format_columns": True, "format_rows": True})


def cell_text(text: str) -> str:
    """Return `text` with deceptive characters spelled out, cut with a note when it is longer than a cell can be."""
    shown = make_visible(text)
    if len(shown) <= LONGEST_CELL:
        return shown
    note = f" [cut: {len(shown)} characters, all of them in results.json]"
    return shown[: LONGEST_CELL - len(note)] + note
