from __future__ import annotations

import io
from datetime import date

import openpyxl
import pytest
from sample_results import FORMULA, clean_results, sample_results

from auditor.errors import InvalidInput
from auditor.report.review import Decision, review_items, review_record, tally
from auditor.report.review_import import read_answers, read_content, run_of_workbook
from auditor.report.workbook import REVIEW_COLUMNS, workbook_bytes

DIGEST = "0" * 64
COLUMN = {name: place for place, name in enumerate(REVIEW_COLUMNS, start=1)}


@pytest.fixture
def edited(tmp_path):
    """Return what fills in a workbook as a person would, saves it, and reads it back."""

    def edit(change, results=None):
        results = results or sample_results()
        book = openpyxl.load_workbook(io.BytesIO(workbook_bytes(results, DIGEST)))
        change(book)
        path = tmp_path / "filled.xlsx"
        book.save(path)
        return read_answers(path, read_content(path), results, DIGEST)

    return edit


def answer(sheet, row, **cells):
    for name, value in cells.items():
        sheet.cell(row, COLUMN[name]).value = value


def problems(edited, change):
    with pytest.raises(InvalidInput) as caught:
        edited(change)
    return [f"{one.place}: {one.message}" for one in caught.value.problems]


def test_an_empty_worksheet_leaves_everything_open(edited):
    answers = edited(str)
    assert [one.item for one in answers] == list(review_items(sample_results().connections))
    assert tally(answers).open == tally(answers).items == len(answers)


def test_answers_are_read_as_they_were_given(edited):
    def fill(book):
        sheet = book["review"]
        answer(sheet, 2, decision="keep", reviewer="Zoë", date="2026-12-01", ticket="CHG-1", comment="=1+1")
        answer(sheet, 3, decision="Remove ", reviewer="Zoë", date=date(2026, 12, 2), ticket=4711)
        sheet.cell(3, COLUMN["comment"]).value = FORMULA
        sheet.cell(3, COLUMN["comment"]).data_type = "s"

    first, second, *others = edited(fill)
    assert (first.decision, first.reviewer, first.date, first.ticket) == (Decision.KEEP, "Zoë", "2026-12-01", "CHG-1")
    assert (second.decision, second.date, second.ticket) == (Decision.REMOVE, "2026-12-02", "4711")
    assert second.comment == FORMULA
    assert {one.decision for one in others} == {None}


def test_lines_may_be_sorted_and_filtered_and_empty_ones_added(edited):
    def reverse(book):
        sheet = book["review"]
        rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]
        rows[0][COLUMN["decision"] - 1 :] = ["change", "R", "2026-12-01", "T", None]
        for number, row in enumerate(reversed(rows), start=3):
            for place, value in enumerate(row, start=1):
                sheet.cell(number, place).value = value
        for place in range(1, len(REVIEW_COLUMNS) + 1):
            sheet.cell(2, place).value = None

    answers = edited(reverse)
    assert answers[0].decision is Decision.CHANGE
    assert tally(answers).change == 1


def test_every_problem_is_told_at_once_with_its_row(edited):
    def spoil(book):
        sheet = book["review"]
        answer(sheet, 2, decision="maybe", reviewer="R", date="2026-12-01")
        answer(sheet, 3, decision="keep", date="soon")
        answer(sheet, 4, reviewer="R", ticket="T")
        answer(sheet, 5, decision="keep", reviewer="R", date="2026-11-22")

    told = problems(edited, spoil)
    assert told == [
        "review row 2: the decision 'maybe' is none of keep, change, remove",
        "review row 3: has a decision and no reviewer",
        "review row 3: the date 'soon' is none; write for example 2026-11-23",
        "review row 4: has a reviewer and no decision",
        "review row 4: has a ticket and no decision",
        "review row 5: the date 2026-11-22 is before the run, which was on 2026-11-23",
    ]


def test_a_line_cannot_be_taken_away_invented_doubled_or_moved(edited):
    def spoil(book):
        sheet = book["review"]
        key, name = sheet.cell(2, 1).value, sheet.cell(2, COLUMN["entitlement"])
        sheet.cell(3, 1).value = "entitlement-0000000000000000"
        sheet.cell(4, 1).value = key
        name.value = "another name"

    told = problems(edited, spoil)
    keys = [item.key for item in review_items(sample_results().connections)]
    assert f"review row 2: entitlement is not what the run lists for {keys[0]}" in told
    assert "review row 3: the key 'entitlement-0000000000000000' is of no entitlement of this run" in told
    assert f"review row 4: the key {keys[0]} is there 2 times" in told
    assert sum("is missing" in one for one in told) == 2


def test_a_workbook_of_another_run_or_record_is_refused(tmp_path):
    path = tmp_path / "w.xlsx"
    path.write_bytes(workbook_bytes(sample_results(), DIGEST))
    assert run_of_workbook(path, read_content(path)) == sample_results().run.id
    with pytest.raises(InvalidInput, match="not of this record"):
        read_answers(path, read_content(path), sample_results(), "1" * 64)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"<html>", None])
def test_what_is_no_workbook_is_refused(tmp_path, content):
    path = tmp_path / "w.xlsx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidInput, match="cannot be read"):
        run_of_workbook(path, read_content(path))


@pytest.mark.parametrize("name", ["review", "summary"])
def test_a_workbook_without_its_sheets_is_refused(edited, name):
    told = problems(edited, lambda book: book.remove(book[name]))
    assert told == [f"{name}: this sheet is not there or cannot be read"]


def test_a_sheet_without_its_columns_is_refused(edited):
    def spoil(book):
        book["review"].cell(1, COLUMN["decision"]).value = "verdict"

    assert problems(edited, spoil)[0] == "review row 1: has no column decision"


def test_the_record_adds_up_over_all_and_over_each_connection(edited):
    def fill(book):
        sheet = book["review"]
        for row, word in enumerate(("keep", "remove", "change"), start=2):
            answer(sheet, row, decision=word, reviewer=sample_results().run.operator.upper(), date="2026-12-01")

    answers = edited(fill)
    record = review_record(sample_results(), DIGEST, answers, "2026-12-02T00:00:00.000Z", "importer")
    for counts in (record["counts"], *record["connections"].values()):
        assert counts["items"] == counts["keep"] + counts["change"] + counts["remove"] + counts["open"]
    for name in record["counts"]:
        assert record["counts"][name] == sum(one[name] for one in record["connections"].values())
    assert record["counts"]["items"] == len(record["decisions"]) == len(review_items(sample_results().connections))
    assert [one["reviewer_prepared_the_run"] for one in record["decisions"]].count(True) == 3


def test_a_run_with_nothing_held_has_nothing_to_decide(edited):
    results = clean_results()
    assert edited(str, results) == ()
