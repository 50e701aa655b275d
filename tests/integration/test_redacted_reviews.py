"""Reviews of runs that leave the house: what was decided comes along, and nobody's name does."""

from __future__ import annotations

import json
import re
from pathlib import Path

import openpyxl
import pytest

from tests.integration.test_redacted_report import auditor, texts
from tests.integration.test_redacted_runs import FORMATS, SECOND, inventory, redact, run

DECISIONS = ("keep", "change", "remove", None)
SECRETS = ("Grażyna Prüfer", "Otto Operator", "JIRA-4711", "Łukasz says that svc-h2r-varna must go")


def fill(workbook, target, reviewer, decisions):
    book = openpyxl.load_workbook(workbook)
    sheet = book["review"]
    columns = {cell.value: cell.column for cell in sheet[1]}
    for row in range(2, sheet.max_row + 1):
        decision = decisions[row % len(decisions)]
        if decision is None:
            continue
        answer = {"decision": decision, "reviewer": reviewer, "date": "2026-11-29", "ticket": SECRETS[2]}
        for name, value in (answer | {"comment": SECRETS[3] if row % 2 else ""}).items():
            sheet.cell(row, columns[name]).value = value
    book.save(target)
    return target


@pytest.fixture(scope="module")
def reviewed(tmp_path_factory):
    """Return a run that was reviewed twice, by two people, one of whom prepared it; and the same redacted."""
    place = tmp_path_factory.mktemp("reviewed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOGNAME", SECRETS[1])
        source = run(
            "-c", inventory(place, corp="hybrid-munich", mail="exchange-migration"), "-o", place / "runs",
            "-f", "json,xlsx", "--now", SECOND,
        )
        for number, (reviewer, decisions) in enumerate(((SECRETS[0], DECISIONS), (SECRETS[1], (None, None, "keep")))):
            filled = fill(source / "workbook.xlsx", place / f"{number}.xlsx", reviewer, decisions)
            done = auditor("review", "import", filled, "--run", source, "--now", f"2026-11-29T1{number}:00:00Z")
            assert done.returncode == 0, done.stderr
    return source, redact(source, place / "away", formats=f"{FORMATS},pdf")


def records(reviewed):
    source, away = reviewed
    originals = [json.loads(path.read_text()) for path in sorted((source / "review").glob("*Z.json"))]
    return originals, json.loads((away / "inputs" / "reviews.json").read_text())


@pytest.mark.pdf
def test_every_decision_comes_along(reviewed):
    originals, redacted = records(reviewed)
    assert len(redacted) == len(originals) == 2
    for before, after in zip(originals, redacted, strict=True):
        assert after["counts"] == before["counts"]
        assert [*after["connections"].values()] == [*before["connections"].values()]
        assert after["imported_at"] == before["imported_at"]
        told = ("kind", "status", "decision", "date", "reviewer_prepared_the_run")
        assert [[one[name] for name in told] for one in after["decisions"]] == [
            [one[name] for name in told] for one in before["decisions"]
        ]
    assert {one["reviewer_prepared_the_run"] for one in redacted[1]["decisions"] if one["decision"]} == {True}
    _, away = reviewed
    counts = originals[0]["counts"]
    assert counts["keep"] * counts["change"] * counts["remove"] * counts["open"] > 0
    assert re.search(r"Reviewed: \d+ entitlements = ", (away / "summary.md").read_text())
    assert auditor("verify", away).returncode == 0


@pytest.mark.pdf
def test_nobody_is_named(reviewed):
    _, away = reviewed
    shown = [*texts(away)]
    assert [(name, word) for name, text in shown for word in SECRETS if word in text] == []
    reviewers = {one["reviewer"] for one in records(reviewed)[1][0]["decisions"] if one["decision"]}
    assert len(reviewers) == 1
    assert re.fullmatch(r"n[0-9a-f]{12}", *reviewers)


@pytest.mark.pdf
def test_a_review_that_was_altered_is_refused(reviewed, tmp_path):
    source, _ = reviewed
    path = next((source / "review").glob("*Z.json"))
    content = path.read_text()
    path.write_text(content.replace('"keep"', '"remove"', 1))
    try:
        done = auditor("report", source, "--redact", "-q", "-o", tmp_path, "-f", "json")
    finally:
        path.write_text(content)
    assert done.returncode == 2
    assert Path(path).name in done.stderr
    assert [*tmp_path.iterdir()] == []
