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
    drift_table,
    entitlements_table,
    evidence_table,
    findings_table,
    matrix_table,
    neutralise_formula,
    waivers_table,
)
from auditor.report.visible_text import make_visible


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
        (connection.id, requirement.id, make_visible(requirement.scope), requirement.outcome.value)
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


def test_hostile_text_stays_in_its_cell_and_can_be_seen():
    sample = sample_results()
    text = "\n".join((*HOSTILE, 'a"b', "c\rd", "e,f", "\ud800"))
    hostile = replace(sample, findings=(replace(sample.findings[0], actual=text),))
    (row,) = rows_of(csv_bytes(findings_table(hostile)))
    seen = text
    for character in "\u202e\u200b\u0007\r\ud800":
        seen = seen.replace(character, f"[U+{ord(character):04X}]")
    assert row["actual"] == seen


def test_the_other_tables_hold_everything_the_record_lists():
    sample = sample_results()
    assert [(row["connection"], row["id"], row["status"]) for row in entitlements_table(sample).to_dict("records")] == [
        (connection.id, one.id, one.status) for connection in sample.connections for one in connection.entitlements
    ]
    read = evidence_table(sample).to_dict("records")
    sources = [one for connection in sample.connections for one in connection.sources]
    assert [row["sha256"] for row in read] == [one.sha256 for one in sources]
    assert sum(row["records"] for row in read) == sum(one.records for one in sources)
    assert [row["complete"] for row in read] == ["yes" if one.complete else "no" for one in sources]
    assert [row["id"] for row in waivers_table(sample).to_dict("records")] == ["W-1", "W-2", "W-3"]
    told = drift_table(sample).to_dict("records")
    assert [(row["key"], row["state"]) for row in told] == [(one.key, one.state) for one in sample.drift.entries]


def test_a_difference_that_is_only_listed_by_its_key_is_in_the_table_as_well():
    sample = sample_results()
    bare = replace(sample, drift=replace(sample.drift, entries=()))
    rows = drift_table(bare).to_dict("records")
    assert [row["state"] for row in rows] == ["new", "resolved", "changed", "not_comparable"]
    assert rows[1]["key"] == sample.drift.resolved[0]


def test_a_record_without_findings_gives_a_header_alone():
    content = csv_bytes(findings_table(clean_results()))
    assert content.decode().splitlines() == [",".join(f'"{name}"' for name in FINDING_COLUMNS)]


def test_equal_records_give_equal_bytes():
    assert csv_bytes(matrix_table(sample_results())) == csv_bytes(matrix_table(sample_results()))
