from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest
from sample_results import FORMULA, HOSTILE, NAMES, clean_results, sample_results

from auditor.report.tables import (
    FINDING_COLUMNS,
    MATRIX_COLUMNS,
    csv_bytes,
    findings_table,
    matrix_table,
    neutralise_formula,
)


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_cell_that_a_spreadsheet_would_run_is_made_inert(start):
    assert neutralise_formula(f"{start}1") == f"'{start}1"


def test_other_cells_are_left_exactly_as_they_are():
    assert [neutralise_formula(cell) for cell in ("", "a=1", " =1", "'x")] == ["", "a=1", " =1", "'x"]


def test_findings_have_one_row_each_in_the_order_of_the_record():
    rows = rows_of(csv_bytes(findings_table(sample_results())))
    assert [row["key"] for row in rows] == [finding.key for finding in sample_results().findings]
    assert tuple(rows[0]) == FINDING_COLUMNS


def test_matrix_has_one_row_per_connection_requirement_and_scope():
    rows = rows_of(csv_bytes(matrix_table(sample_results())))
    expected = [
        (connection.id, requirement.id, requirement.scope, requirement.outcome.value)
        for connection in sample_results().connections
        for requirement in connection.requirements
    ]
    assert [(row["connection"], row["id"], row["scope"], row["outcome"]) for row in rows] == expected
    assert tuple(rows[0]) == MATRIX_COLUMNS


def test_no_cell_of_a_hostile_record_is_a_formula_and_no_name_is_changed():
    for table in (findings_table(sample_results()), matrix_table(sample_results())):
        rows = rows_of(csv_bytes(table))
        assert not [cell for row in rows for cell in row.values() if cell[:1] in set("=+-@\t\r")]
    titles = [row["title"] for row in rows_of(csv_bytes(findings_table(sample_results())))]
    assert f"'{FORMULA}" in titles
    assert any(NAMES in title for title in titles)


def test_hostile_text_stays_in_its_cell():
    sample = sample_results()
    text = "\n".join((*HOSTILE, 'a"b', "c\rd", "e,f", "\ud800"))
    hostile = replace(sample, findings=(replace(sample.findings[0], actual=text),))
    (row,) = rows_of(csv_bytes(findings_table(hostile)))
    assert row["actual"] == text.replace("\ud800", "\\ud800")


def test_a_record_without_findings_gives_a_header_alone():
    content = csv_bytes(findings_table(clean_results()))
    assert content.decode().splitlines() == [",".join(f'"{name}"' for name in FINDING_COLUMNS)]


def test_equal_records_give_equal_bytes():
    assert csv_bytes(matrix_table(sample_results())) == csv_bytes(matrix_table(sample_results()))
