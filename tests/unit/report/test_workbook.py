from __future__ import annotations

import io
import zipfile
from collections import Counter
from dataclasses import replace

import openpyxl
import pytest
from sample_results import FORMULA, HOSTILE, NAMES, clean_results, sample_results

from auditor.report.review import review_items
from auditor.report.tables import csv_bytes, findings_table, matrix_table
from auditor.report.workbook import LONGEST_CELL, REVIEW_COLUMNS, cell_text, workbook_bytes

SHEETS = ["summary", "findings", "matrix", "entitlements", "evidence", "waivers", "drift", "review"]


def opened(results):
    return openpyxl.load_workbook(io.BytesIO(workbook_bytes(results, "0" * 64)))


def records(sheet):
    head, *rows = sheet.iter_rows(values_only=True)
    return [dict(zip(head, row, strict=True)) for row in rows]


def test_it_has_one_sheet_per_kind_of_thing():
    assert opened(sample_results()).sheetnames == SHEETS
    assert opened(clean_results()).sheetnames == SHEETS


@pytest.mark.parametrize("table", [findings_table, matrix_table])
def test_a_sheet_holds_what_the_csv_holds(table):
    sample = sample_results()
    name = table.__name__.removesuffix("_table")
    expected = [[cell_text(cell) for cell in row] for row in table(sample).itertuples(index=False)]
    _, *rows = opened(sample)[name].iter_rows(values_only=True)
    assert [[cell or "" for cell in row] for row in rows] == expected
    assert csv_bytes(table(sample)).count(b'"\n"') == len(expected)


def test_numbers_are_numbers_and_recomputed_from_the_record():
    sample = sample_results()
    summary = {row["fact"]: row["value"] for row in records(opened(sample)["summary"])}
    outcomes = Counter(one.outcome.value for connection in sample.connections for one in connection.requirements)
    assert {name: summary[name] for name in outcomes} == dict(outcomes)
    assert summary["evaluated"] == outcomes.total()
    assert summary["excess"] == sum(one.outcome == "excess" and not one.waiver for one in sample.findings)
    evidence = records(opened(sample)["evidence"])
    sources = [one for connection in sample.connections for one in connection.sources]
    assert [row["records"] for row in evidence] == [one.records for one in sources]


def test_no_cell_is_a_formula_or_a_link_whatever_it_says():
    sample = sample_results()
    starts = [f"{start}1+1" for start in "=+-@\t\r"]
    hostile = replace(
        sample,
        findings=tuple(
            replace(sample.findings[0], key=f"k{place}", title=text, actual="http://a.example/")
            for place, text in enumerate((*HOSTILE, *starts, "{=1+1}", "'=1", "mailto:a@b", "internal:A1"))
        ),
    )
    book = opened(hostile)
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type in {"s", "n"}
                assert cell.hyperlink is None
    titles = [row["title"] for row in records(book["findings"])]
    assert titles[5] == FORMULA
    assert "[U+202E]" in titles[1]
    with zipfile.ZipFile(io.BytesIO(workbook_bytes(hostile, "0" * 64))) as package:
        assert not [name for name in package.namelist() if "externalLink" in name or "vba" in name.lower()]
        sheets = [package.read(name).decode() for name in package.namelist() if name.startswith("xl/worksheets/sheet")]
    assert not any("<f>" in sheet or "<hyperlink" in sheet for sheet in sheets)


def test_a_text_that_fits_no_cell_is_cut_and_says_so():
    assert cell_text("x" * LONGEST_CELL) == "x" * LONGEST_CELL
    cut = cell_text("x" * 40_000)
    assert len(cut) == LONGEST_CELL
    assert cut.endswith("x [cut: 40000 characters, all of them in results.json]")


def test_the_review_sheet_asks_about_every_entitlement_once():
    sample = sample_results()
    rows = records(opened(sample)["review"])
    assert tuple(rows[0]) == REVIEW_COLUMNS
    assert [row["key"] for row in rows] == [item.key for item in review_items(sample.connections)]
    assert {(row["connection"], row["id"]) for row in rows} == {
        (connection.id, one.id or None) for connection in sample.connections for one in connection.entitlements
    }
    assert not any(row[name] for row in rows for name in ("decision", "reviewer", "date", "ticket", "comment"))


def test_what_is_held_in_two_ways_is_one_item_with_both_paths():
    sample = sample_results()
    connection = sample.connections[0]
    held = connection.entitlements[0]
    twice = replace(connection, entitlements=(held, replace(held, paths=(("svc-h2r", "another way"),))))
    (item,) = review_items((twice,))
    assert item.paths == (*held.paths, ("svc-h2r", "another way"))


def test_only_the_answers_can_be_changed():
    sheet = opened(sample_results())["review"]
    assert sheet.protection.sheet
    (rule,) = sheet.data_validations.dataValidation
    assert rule.formula1 == '"keep,change,remove"'


def test_names_of_any_script_are_kept():
    assert any(NAMES in str(row["title"]) for row in records(opened(sample_results())["matrix"])) or any(
        NAMES in str(row["actual"]) for row in records(opened(sample_results())["findings"])
    )


def test_equal_records_give_equal_bytes():
    assert workbook_bytes(sample_results(), "0" * 64) == workbook_bytes(sample_results(), "0" * 64)
