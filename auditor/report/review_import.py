"""Reads the review sheet of a workbook back: what a person filled in, checked against the run it is about."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any, TypeAlias

from python_calamine import CalamineError, CalamineWorkbook

from auditor.errors import InvalidInput, Problem
from auditor.model.instants import parse_instant
from auditor.report.review import Answer, Decision, ReviewItem, review_items
from auditor.report.workbook import (
    ANSWER_COLUMNS,
    DIGEST_ROW,
    REVIEW_COLUMNS,
    REVIEW_SHEET,
    RUN_ROW,
    SUMMARY_SHEET,
    cell_text,
)

if TYPE_CHECKING:
    from pathlib import Path

    from auditor.model.results import Results

Rows: TypeAlias = list[list[Any]]  # cells as calamine gives them: text, numbers, dates, truths

CURE = "fill in the columns decision, reviewer, date, ticket and comment of the workbook of this run, and nothing else"
_COMPARED = {"connection": "connection", "entitlement": "name", "scope": "scope", "status": "status"}


def read_content(path: Path) -> bytes:
    """Return the workbook byte for byte. Raises InvalidInput when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput([_problem(path, "", f"cannot be read: {error.strerror}")]) from error


def run_of_workbook(path: Path, content: bytes) -> str:
    """Return the id of the run that a workbook says it is of; `path` only names the file in problems.

    Raises InvalidInput when it is not one of ours.
    """
    return _facts(path, _open(path, content)).get(RUN_ROW, "")


def read_answers(path: Path, content: bytes, results: Results, results_sha256: str) -> tuple[Answer, ...]:
    """Return one answer per entitlement of the run, in the order of the record.

    Raises InvalidInput with every problem: a workbook of another run, a line that is missing, twice there,
    unknown or altered, an answer that is not complete.
    """
    workbook = _open(path, content)
    facts = _facts(path, workbook)
    if (facts.get(RUN_ROW), facts.get(DIGEST_ROW)) != (cell_text(results.run.id), results_sha256):
        message = f"is of run {facts.get(RUN_ROW) or '(none named)'}, not of this record of {results.run.id}"
        raise InvalidInput([_problem(path, "", message, "give the run that the workbook was written with: --run RUN")])
    items = {item.key: item for item in review_items(results.connections)}
    reading = _Reading(path=path, items=items, not_before=parse_instant(results.run.evaluated_at).date())
    answers = reading.read(_rows(path, workbook, REVIEW_SHEET))
    if reading.problems:
        raise InvalidInput(reading.problems)
    return tuple(answers[key] for key in items)


@dataclass(slots=True)
class _Reading:
    """One pass over the sheet that collects answers and problems."""

    path: Path
    items: dict[str, ReviewItem]
    not_before: date
    problems: list[Problem] = field(default_factory=list)

    def read(self, rows: Rows) -> dict[str, Answer]:
        columns = [_text(cell) for cell in rows[0]] if rows else []
        absent = [name for name in REVIEW_COLUMNS if name not in columns]
        if absent:
            self._say(1, f"has no column {', '.join(absent)}")
            return {}
        places = {name: columns.index(name) for name in REVIEW_COLUMNS}
        answers: dict[str, Answer] = {}
        seen: Counter[str] = Counter()
        for number, row in enumerate(rows[1:], start=2):
            cells = {name: row[place] if place < len(row) else "" for name, place in places.items()}
            key = _text(cells["key"])
            if not any(_text(cell) for cell in cells.values()):
                continue
            seen[key] += 1
            item = self.items.get(key)
            if item is None:
                self._say(number, f"the key {key!r} is of no entitlement of this run")
            elif seen[key] > 1:
                self._say(number, f"the key {key} is there {seen[key]} times")
            elif self._is_as_listed(number, item, cells):
                answers[key] = self._answer(number, item, cells)
        for key in self.items.keys() - seen.keys():
            self._say(None, f"the line of {key} ({self.items[key].name}) is missing")
        return answers

    def _is_as_listed(self, number: int, item: ReviewItem, cells: dict[str, Any]) -> bool:
        """Tell whether a line is about its item: sorting some columns and not the others would mix them up."""
        altered = [
            column
            for column, name in _COMPARED.items()
            if _words(_text(cells[column])) != _words(cell_text(getattr(item, name)))
            and "_x" not in getattr(item, name)  # spreadsheets read _x0041_ as a letter
        ]
        for column in altered:
            self._say(number, f"{column} is not what the run lists for {item.key}")
        return not altered

    def _answer(self, number: int, item: ReviewItem, cells: dict[str, Any]) -> Answer:
        given = {name: _text(cells[name]) for name in ANSWER_COLUMNS}
        word = given["decision"].lower()
        if not word:
            for name in ("reviewer", "date", "ticket", "comment"):
                if given[name]:
                    self._say(number, f"has a {name} and no decision")
            return Answer(item=item)
        if word not in set(Decision):
            self._say(number, f"the decision {given['decision']!r} is none of {', '.join(Decision)}")
            return Answer(item=item)
        if not given["reviewer"]:
            self._say(number, "has a decision and no reviewer")
        return Answer(
            item=item,
            decision=Decision(word),
            reviewer=given["reviewer"],
            date=self._date(number, cells["date"]),
            ticket=given["ticket"],
            comment=given["comment"],
        )

    def _date(self, number: int, cell: Any) -> str:  # noqa: ANN401 - any cell of a workbook
        try:
            day = cell.date() if isinstance(cell, datetime) else date.fromisoformat(_text(cell))
        except ValueError:
            self._say(number, f"the date {_text(cell)!r} is none; write for example {self.not_before}")
            return ""
        if day < self.not_before:
            self._say(number, f"the date {day} is before the run, which was on {self.not_before}")
        return day.isoformat()

    def _say(self, number: int | None, message: str) -> None:
        self.problems.append(_problem(self.path, f"{REVIEW_SHEET} row {number}" if number else REVIEW_SHEET, message))


def _open(path: Path, content: bytes) -> CalamineWorkbook:
    try:
        return CalamineWorkbook.from_filelike(BytesIO(content))
    except CalamineError as error:
        raise InvalidInput([_problem(path, "", "cannot be read as a workbook")]) from error


def _rows(path: Path, workbook: CalamineWorkbook, name: str) -> Rows:
    try:
        return workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
    except CalamineError as error:
        raise InvalidInput([_problem(path, name, "this sheet is not there or cannot be read")]) from error


def _facts(path: Path, workbook: CalamineWorkbook) -> dict[str, str]:
    return {_text(row[0]): _text(row[1]) for row in _rows(path, workbook, SUMMARY_SHEET) if len(row) > 1}


def _text(cell: Any) -> str:  # noqa: ANN401 - any cell of a workbook
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))  # a ticket that is a number
    return str(cell).strip()


def _words(text: str) -> list[str]:
    return text.split()


def _problem(path: Path, place: str, message: str, cure: str = CURE) -> Problem:
    return Problem(file=str(path), line=None, place=place, message=message, cure=cure)
