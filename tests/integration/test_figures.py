"""Every figure of every format, counted again from results.json alone."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import openpyxl
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit" / "report"))

from page import Page
from sample_results import sample_results

from auditor.evaluate.drift import compare_runs
from auditor.model.outcome import FindingOutcome, Outcome, Severity
from auditor.model.results import Counts
from auditor.report.formats import render
from auditor.report.html import render_diff_html
from auditor.report.results_json import write_results

OUTCOMES = ["satisfied", "partial", "missing", "unverifiable", "not_applicable"]
KINDS = ["missing", "partial", "excess", "unverifiable", "advisory"]
SEVERITIES = ["critical", "high", "medium", "low", "info"]


def larger():
    """Return a record in which every figure is another number; composed for this test."""
    sample = sample_results()
    connections = []
    for number, connection in enumerate(sample.connections):
        requirements = tuple(
            replace(connection.requirements[0], id=f"Q{place}", outcome=list(Outcome)[min(place // (number + 3), 4)])
            for place in range(23 + number)
        )
        counted = Counter(one.outcome.value for one in requirements)
        counts = Counts(evaluated=counted.total(), **{name: counted[name] for name in OUTCOMES})
        connections.append(replace(connection, requirements=requirements, counts=counts))
    findings = tuple(
        replace(
            sample.findings[0], key=f"KEY-{place}", title=f"Finding {place}", connection=connections[place % 2].id,
            outcome=list(FindingOutcome)[(place * place) % 5], severity=list(Severity)[(place // 2) % 5],
            waiver="W-1" if place % 7 == 0 and (place * place) % 5 < 3 else None,
        )
        for place in range(61)
    )
    told = Counter(one.outcome.value for one in findings if one.waiver is None)
    total = {name: sum(getattr(one.counts, name) for one in connections) for name in ("evaluated", *OUTCOMES)}
    counts = Counts(
        **total, excess=told["excess"], advisory=told["advisory"],
        waived=sum(one.waiver is not None for one in findings),
    )
    return replace(
        sample, connections=tuple(connections), findings=findings, summary=replace(sample.summary, counts=counts)
    )


@pytest.fixture(scope="module", params=["sample", "larger"])
def folder(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("figures")
    write_results(sample_results() if request.param == "sample" else larger(), folder / "results.json")
    render(folder / "results.json", ["html", "pdf", "csv", "xlsx", "md", "junit", "ocsf"], folder)
    return folder


@pytest.fixture(scope="module")
def plain(folder):
    return json.loads((folder / "results.json").read_bytes())


@pytest.fixture(scope="module")
def outcomes(plain):
    return Counter(one["outcome"] for connection in plain["connections"] for one in connection["requirements"])


def standing(plain, **wanted):
    return sum(
        one["waiver"] is None and all(one[name] == value for name, value in wanted.items()) for one in plain["findings"]
    )


def test_the_record_adds_up(plain, outcomes):
    counts = plain["summary"]["counts"]
    assert {name: counts[name] for name in OUTCOMES} == {name: outcomes[name] for name in OUTCOMES}
    assert counts["evaluated"] == outcomes.total()
    assert counts["excess"] == standing(plain, outcome="excess")
    assert counts["waived"] == sum(one["waiver"] is not None for one in plain["findings"])


def test_html(folder, plain, outcomes):
    page = Page((folder / "report.html").read_text(encoding="utf-8"))
    rows = page.table_after("Outcome", "Requirements")
    assert [row[-1] for row in rows] == [*(str(outcomes[name]) for name in OUTCOMES), str(outcomes.total())]
    severities = page.table_after("Severity", "Missing")
    for name, row in zip(SEVERITIES, severities, strict=False):
        told = [standing(plain, severity=name, outcome=kind) for kind in KINDS]
        waived = sum(one["severity"] == name and one["waiver"] is not None for one in plain["findings"])
        assert row[1:] == [*map(str, told), str(waived), str(sum(told) + waived)]
    assert severities[-1][-1] == str(len(plain["findings"]))
    kinds = Counter(one["outcome"] for one in plain["findings"])
    deviations = kinds["missing"] + kinds["partial"] + kinds["excess"]
    told = f"{deviations} deviations, {kinds['unverifiable']} unverifiable, {kinds['advisory']} advisories"
    assert told in " ".join(page.ids["findings"].split())
    for connection in plain["connections"]:
        own = Counter(one["outcome"] for one in connection["requirements"])
        words = ", ".join(f"{own[name]} {name.replace('_', ' ')}" for name in OUTCOMES if own[name])
        assert words in " ".join(page.ids["cover"].split())
        assert f"{len(connection['entitlements'])} entitlement" in " ".join(page.ids["review"].split())
    sources = [one for connection in plain["connections"] for one in connection["sources"]]
    unread = sum(not one["complete"] for one in sources)
    assert f"{unread} of {len(sources)} reads are not complete" in " ".join(page.ids["cover"].split())
    states = {name: len(plain["drift"][name]) for name in ("new", "changed", "resolved", "not_comparable")}
    entries = Counter(one["state"] for one in plain["drift"]["entries"] if one["subject"] == "entitlement")
    (changes,) = page.table_after("New", "Changed")
    assert changes == [*(str(states[name] + entries[name]) for name in states), str(plain["drift"]["compared"])]


def test_pdf(folder, plain, outcomes):
    done = subprocess.run(["pdftotext", "-layout", folder / "report.pdf", "-"], capture_output=True, check=True)
    text = " ".join(done.stdout.decode().split())
    assert re.search(rf"Evaluated {outcomes.total()}\b", text)
    for name in OUTCOMES:
        assert re.search(rf"{name.replace('_', ' ').capitalize()} {outcomes[name]}\b", text)
    for connection in plain["connections"]:
        own = Counter(one["outcome"] for one in connection["requirements"])
        assert f"{own['satisfied']} satisfied" in text


def test_csv_and_workbook(folder, plain, outcomes):
    findings = list(csv.DictReader(io.StringIO((folder / "findings.csv").read_text(encoding="utf-8"))))
    matrix = list(csv.DictReader(io.StringIO((folder / "matrix.csv").read_text(encoding="utf-8"))))
    assert Counter(row["outcome"] for row in matrix) == outcomes
    assert Counter(row["outcome"] for row in findings) == Counter(one["outcome"] for one in plain["findings"])
    book = openpyxl.load_workbook(folder / "workbook.xlsx")
    summary = {row[0]: row[1] for row in book["summary"].iter_rows(min_row=2, values_only=True)}
    assert {name: summary[name] for name in OUTCOMES} == {name: outcomes[name] for name in OUTCOMES}
    assert summary["evaluated"] == outcomes.total()
    assert summary["excess"] == standing(plain, outcome="excess")
    rows = {
        "findings": len(plain["findings"]),
        "matrix": outcomes.total(),
        "entitlements": sum(len(one["entitlements"]) for one in plain["connections"]),
        "evidence": sum(len(one["sources"]) for one in plain["connections"]),
        "waivers": len(plain["waivers"]),
        "drift": len(plain["drift"]["entries"]),
    }
    assert {name: book[name].max_row - 1 for name in rows} == rows


def test_summary(folder, outcomes):
    (total,) = re.findall(r"^\| \*\*All\*\* .*$", (folder / "summary.md").read_text(encoding="utf-8"), re.MULTILINE)
    cells = [cell.strip() for cell in total.strip("|").split("|")]
    assert cells[2:8] == [*(str(outcomes[name]) for name in OUTCOMES), str(outcomes.total())]


def test_junit(folder, plain):
    root = ET.parse(folder / "junit.xml").getroot()
    cases = list(root.iter("testcase"))
    assert int(root.get("tests")) == len(cases) == sum(int(suite.get("tests")) for suite in root)
    assert int(root.get("failures")) == len(root.findall(".//failure"))
    reach = SEVERITIES[: SEVERITIES.index(plain["run"]["fail_on"]) + 1]
    deciding = sum(standing(plain, severity=severity, outcome=kind) for severity in reach for kind in KINDS[:3])
    judged = {(one["connection"], one["check"], one["entitlement"], one["scope"]) for one in plain["findings"]}
    unjudged = sum(
        one["outcome"] in ("missing", "partial")
        and (connection["id"], one["check"], one["id"], one["scope"]) not in judged
        for connection in plain["connections"]
        for one in connection["requirements"]
    )
    assert int(root.get("failures")) == deciding + unjudged


def test_ocsf(folder, plain, outcomes):
    lines = [json.loads(line) for line in (folder / "ocsf.jsonl").read_text(encoding="ascii").splitlines()]
    told = Counter(one["compliance"]["status_code"] for one in lines)
    assert told == outcomes + Counter(one["outcome"] for one in plain["findings"])
    assert sum(one["status"] == "Suppressed" for one in lines) == plain["summary"]["counts"]["waived"]


def test_proposals(folder, plain):
    render(folder / "results.json", ["proposal"], folder)
    texts = {path.stem: path.read_text(encoding="utf-8") for path in (folder / "proposals").iterdir()}
    assert texts.keys() == {one["id"] for one in plain["connections"]}


def test_review_totals(folder, plain):
    page = Page((folder / "report.html").read_text(encoding="utf-8"))
    *rows, total = page.table_after("Connection", "Entitlements")
    for row, connection in zip(rows, plain["connections"], strict=True):
        held = {(one["kind"], one["id"], one["scope"].casefold()) for one in connection["entitlements"]}
        assert row[1:] == [str(len(held)), "0", "0", "0", str(len(held))]
    assert int(total[1]) == sum(int(row[1]) for row in rows)
    book = openpyxl.load_workbook(folder / "workbook.xlsx")
    assert book["review"].max_row - 1 == int(total[1])
    summary = {row[0]: row[1] for row in book["summary"].iter_rows(min_row=2, values_only=True)}
    assert summary["review: entitlements"] == summary["review: open"] == int(total[1])


def test_readiness_page(tmp_path):
    """One page per connection: what blocks, what could not be verified, what was waived, each counted again."""
    sample = larger()
    results = replace(sample, run=replace(sample.run, kind="readiness"))
    write_results(results, tmp_path / "results.json")
    render(tmp_path / "results.json", ["html"], tmp_path)
    plain = json.loads((tmp_path / "results.json").read_bytes())
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    reach = SEVERITIES[: SEVERITIES.index(plain["run"]["fail_on"]) + 1]
    pages = [text for name, text in page.ids.items() if name.startswith("readiness-")]
    assert len(pages) == len(plain["connections"])
    for connection, text in zip(plain["connections"], pages, strict=True):
        own = {"connection": connection["id"]}
        blocking = sum(standing(plain, severity=one, outcome=kind, **own) for one in reach for kind in KINDS[:3])
        unverified = sum(
            one["connection"] == connection["id"] and one["outcome"] == "unverifiable" for one in plain["findings"]
        )
        told = " ".join(text.split())
        assert blocking
        more = f"; {unverified} more could not be verified" if unverified else ""
        assert f"{blocking} findings block it{more}." in told
        waived = sum(one["connection"] == connection["id"] and one["waiver"] is not None for one in plain["findings"])
        assert len(re.findall(r"waiver W-\d+", told)) == waived
        own_outcomes = Counter(one["outcome"] for one in connection["requirements"])
        assert ", ".join(f"{own_outcomes[n]} {n.replace('_', ' ')}" for n in OUTCOMES if own_outcomes[n]) in told


def test_diff_page():
    before, after = sample_results(), larger()
    drift = compare_runs(before, after)
    page = Page(render_diff_html(before, after, drift))
    (row,) = page.table_after("New", "Changed")
    told = Counter((one.state.value, one.subject) for one in drift.entries)
    states = ("new", "changed", "resolved", "not_comparable")
    assert row == [*(str(told[one, "finding"] + told[one, "entitlement"]) for one in states), str(drift.compared)]
    assert f"{len(after.connections)} connections" in " ".join(page.text.split())
