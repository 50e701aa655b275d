from __future__ import annotations

import re
from dataclasses import replace

import pytest
from sample_results import HOSTILE, NAMES, UNCOVERED, clean_results, sample_results

from auditor.cli.diff import _line
from auditor.model.drift import DriftEntry, DriftRecord
from auditor.model.outcome import DriftState
from auditor.report.finding_view import finding_views
from auditor.report.html import render_html
from auditor.report.summary_md import (
    CHANGES_SHOWN,
    CONNECTIONS_SHOWN,
    FINDINGS_SHOWN,
    LONGEST_TEXT,
    inline,
    summary_bytes,
)
from auditor.report.view import build_view

TICKET_LIMIT = 32_767


def text_of(results):
    return summary_bytes(results).decode("utf-8")


def rows_of(results):
    lines = [line for line in text_of(results).splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_the_table_holds_the_counts_of_every_connection_and_they_add_up():
    sample = sample_results()
    head, _, *rows = rows_of(sample)
    assert head[2:] == [
        "Satisfied", "Partial", "Missing", "Unverifiable", "Not applicable", "Evaluated", "Excess", "Waived",
    ]
    for row, connection in zip(rows, sample.connections, strict=False):
        requirements = [one.outcome.value for one in connection.requirements]
        told = dict(zip(head[2:], map(int, row[2:]), strict=True))
        assert row[0] == connection.id
        assert told["Evaluated"] == len(requirements) == sum(list(told.values())[:5])
        assert told["Missing"] == requirements.count("missing")
    assert [int(cell) for cell in rows[-1][2:8]] == [
        sum(int(row[place]) for row in rows[:-1]) for place in range(2, 8)
    ]


def test_it_names_what_decides_and_what_is_open():
    sample = sample_results()
    text = text_of(sample)
    for view in finding_views(sample):
        if view.decides or view.finding.outcome == "unverifiable":
            assert inline(view.finding.title) in text
    assert "There is no earlier run" in text_of(clean_results())
    assert "Nothing: all of it was read." in text_of(clean_results())


def entry(state, *, subject="finding", title="one", before="absent", after="excess"):
    return DriftEntry(
        key=f"{state}-{title}", subject=subject, state=state, connection="c" * 160, title=title, scope="y" * 500,
        before=before, after=after,
    )


def test_what_changed_comes_first_and_is_named():
    changes = (
        entry(DriftState.NEW, subject="entitlement", title="Payroll"),
        entry(DriftState.NEW, title="Member of Payroll"),
        entry(DriftState.RESOLVED, title="M8", before="missing", after="satisfied"),
        entry(DriftState.CHANGED, title="M7", before="partial", after="missing"),
        entry(DriftState.NOT_COMPARABLE, title="M9"),
    )
    drift = DriftRecord(baseline_run="b", new=("1",), resolved=("2",), changed=("3",), entries=changes)
    old = replace(sample_results().findings[0], drift="persisting", first_seen="2026-01-02T03:04:05.000Z")
    text = text_of(replace(sample_results(), drift=drift, findings=(old,)))
    sections = [line for line in text.splitlines() if line.startswith("## ")]
    assert sections[0] == "## Since the last run"
    told = text.partition("## Since the last run")[2].partition("\n## ")[0]
    assert [line.partition(" (")[0] for line in told.splitlines() if line.startswith("- ")] == [
        "- **New:** Member of Payroll", "- **Resolved:** M8", "- **Changed:** M7", "- **New:** Payroll",
    ]
    assert "was partial, now missing" in told
    assert "Entitlements that differ: 1." in told
    assert "Persisting deviations: 1, the oldest since 2026-01-02." in told


def test_what_changed_and_has_its_old_word_is_told_as_that():
    sample = sample_results()
    entry = replace(sample.drift.entries[0], state=DriftState.CHANGED, before="excess", after="excess")
    results = replace(sample, drift=replace(sample.drift, changed=(entry.key,), entries=(entry,)))
    page = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", render_html(build_view(results, "0" * 64))))
    for told in (summary_bytes(results).decode("utf-8"), page, _line(entry)):
        assert "still excess, in another way" in told
        assert "now excess" not in told
        assert "-> excess" not in told
    assert "weiterhin Überschuss, auf andere Weise" in summary_bytes(results, language="de").decode("utf-8")


def test_an_open_requirement_without_a_finding_is_not_passed_over():
    sample = replace(sample_results(), findings=())
    assert "Nothing: all of it was read." not in text_of(sample)


def test_it_fits_a_ticket_however_much_there_is_to_tell():
    sample = sample_results()
    long = replace(sample.findings[0], title="x" * 5000, scope="y" * 5000, connection="z" * 5000)
    many = tuple(replace(long, key=f"k{number}") for number in range(500))
    connections = tuple(replace(sample.connections[0], id=f"{'c' * 300}{number}") for number in range(300))
    drift = DriftRecord(baseline_run="r" * 500, entries=(entry(DriftState.NEW, title="x" * 5000),) * 500)
    text = text_of(replace(sample, findings=many, connections=connections, drift=drift))
    assert len(text) <= TICKET_LIMIT
    assert f"and {500 - CHANGES_SHOWN} more" in text
    assert f"and {500 - FINDINGS_SHOWN} more" in text
    assert f"and {300 - CONNECTIONS_SHOWN} more" in text


@pytest.mark.parametrize(
    "text",
    [*(one for one in HOSTILE if one != UNCOVERED), "@everyone", "#1", "[a](javascript:alert(1))", "![](x)",
     "http://a.example/", "www.a.example", "**b**", "a `b` ``c``", "`", "<!-- -->", "&lt;", "a\nb",
     "| a | b |", "~~a~~", "$\\LaTeX$", "a_b_c", ":+1:", " a ", "\\*"],
)
def test_text_that_markdown_could_read_is_in_a_code_span(text):
    shown = inline(text)
    fence = re.match("`+", shown)[0]
    assert shown.endswith(fence)
    assert len(shown) > 2 * len(fence)
    assert max(map(len, re.findall("`+", shown[len(fence) : -len(fence)])), default=0) < len(fence)
    assert not re.search("[\x00-\x1f\u202e\u200b]", shown)


@pytest.mark.parametrize(
    "text", ["", NAMES, UNCOVERED, "M8 is missing: Create user objects", "OU=Staff,DC=corp", "a (b), 5%."]
)
def test_ordinary_text_is_left_readable(text):
    assert inline(text) == text


def test_a_cell_cannot_open_another_one():
    sample = sample_results()
    hostile = replace(sample, connections=(replace(sample.connections[0], id="a | b"),))
    (line,) = [line for line in text_of(hostile).splitlines() if "a \\| b" in line]
    assert len(re.findall(r"(?<!\\)\|", line)) == 11


def test_a_long_text_is_cut_where_one_can_see_it():
    assert inline("x" * 500) == "x" * (LONGEST_TEXT - 1) + "…"
