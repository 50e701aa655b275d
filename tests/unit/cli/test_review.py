"""`auditor review import`: decisions recorded with the run, and verified with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import openpyxl
import pytest

from tests.unit.cli.estate import COMPLIANT, NOW, record

if TYPE_CHECKING:
    from tests.unit.cli.estate import Auditor


@pytest.fixture
def run(tmp_path: Path, auditor: Auditor) -> Path:
    inventory = record(tmp_path, corp=COMPLIANT.evidence())
    finished = auditor("run", "-c", inventory, "-o", tmp_path / "runs", "--now", NOW, "-f", "json,xlsx")
    return Path(finished.out.strip())


def fill(run: Path, target: Path, **cells: object) -> Path:
    book = openpyxl.load_workbook(run / "workbook.xlsx")
    head = [cell.value for cell in book["review"][1]]
    for name, value in cells.items():
        book["review"].cell(2, head.index(name) + 1).value = value
    book.save(target)
    return target


def test_decisions_are_recorded_with_the_run_and_verified(tmp_path: Path, run: Path, auditor: Auditor) -> None:
    filled = fill(run, tmp_path / "filled.xlsx", decision="keep", reviewer="R. Viewer", date="2026-11-24", ticket="T-1")
    finished = auditor("review", "import", filled, "-o", tmp_path / "runs", "--now", "2026-11-25T09:00:00Z")
    assert finished.code == 0
    path = Path(finished.out.strip())
    assert path == run / "review" / "20261125T090000Z.json"
    content = json.loads(path.read_text())
    items = content["counts"]["items"]
    assert content["counts"] == {"items": items, "keep": 1, "change": 0, "remove": 0, "open": items - 1}
    assert content["decisions"][0]["ticket"] == "T-1"
    assert f"auditor: {items} entitlements = 1 keep + 0 change + 0 remove + {items - 1} open" in finished.last_line
    assert path.with_suffix(".xlsx").read_bytes() == filled.read_bytes()
    assert auditor("verify", run).code == 0


def test_a_later_review_stands_beside_the_earlier_one(tmp_path: Path, run: Path, auditor: Auditor) -> None:
    filled = fill(run, tmp_path / "filled.xlsx", decision="keep", reviewer="R. Viewer", date="2026-11-24")
    for _ in range(2):
        assert auditor("review", "import", filled, "--run", run, "--now", "2026-11-25T09:00:00Z").code == 0
    assert sorted(path.name for path in (run / "review").glob("*.json")) == [
        "20261125T090000Z.2.json", "20261125T090000Z.json", "manifest.json",
    ]
    assert auditor("verify", run).code == 0


@pytest.mark.parametrize("how", ["alter", "add", "remove", "manifest", "other run"])
def test_verify_finds_what_was_done_to_a_review(tmp_path: Path, run: Path, auditor: Auditor, how: str) -> None:
    filled = fill(run, tmp_path / "filled.xlsx", decision="keep", reviewer="R. Viewer", date="2026-11-24")
    path = Path(auditor("review", "import", filled, "--run", run).out.strip())
    manifest = run / "review" / "manifest.json"
    if how == "alter":
        path.write_text(path.read_text().replace('"keep"', '"remove"'))
    elif how == "add":
        (run / "review" / "x.json").write_text("{}")
    elif how == "remove":
        path.unlink()
    elif how == "manifest":
        manifest.unlink()
    else:
        content = json.loads(manifest.read_text())
        manifest.write_text(json.dumps(content | {"run_manifest": "0" * 64}))
    finished = auditor("verify", run)
    assert finished.code == 1
    assert finished.out.startswith("review/")


def test_a_wrong_workbook_is_refused_and_nothing_is_written(tmp_path: Path, run: Path, auditor: Auditor) -> None:
    filled = fill(run, tmp_path / "filled.xlsx", decision="perhaps", reviewer="R", date="2026-11-24")
    finished = auditor("review", "import", filled, "--run", run)
    assert finished.code == 2
    assert "perhaps" in finished.err
    assert not (run / "review").exists()
    assert auditor("review", "import", filled, "-o", tmp_path / "elsewhere").code == 2


def test_decisions_are_not_recorded_with_an_altered_run(tmp_path: Path, run: Path, auditor: Auditor) -> None:
    filled = fill(run, tmp_path / "filled.xlsx")
    (run / "results.json").write_text((run / "results.json").read_text() + " ")
    finished = auditor("review", "import", filled, "--run", run)
    assert finished.code == 2
    assert "as its manifest records it" in finished.err


def decided(run: Path, tmp_path: Path, auditor: Auditor, row: int = 2, **cells: object) -> None:
    book = openpyxl.load_workbook(run / "workbook.xlsx")
    head = [cell.value for cell in book["review"][1]]
    for name, value in ({"reviewer": "R. Viewer", "date": "2026-11-24"} | cells).items():
        book["review"].cell(row, head.index(name) + 1).value = value
    book.save(tmp_path / "filled.xlsx")
    assert auditor("review", "import", tmp_path / "filled.xlsx", "--run", run).code == 0


def review_rows(folder: Path) -> list[dict[str, object]]:
    head, *rows = openpyxl.load_workbook(folder / "workbook.xlsx")["review"].iter_rows(values_only=True)
    return [dict(zip(map(str, head), row, strict=True)) for row in rows]


def rendered_again(run: Path, target: Path, auditor: Auditor) -> Path:
    finished = auditor("report", run, "-o", target, "-f", "json,html,xlsx,md")
    assert finished.code == 0, finished.err
    return Path(finished.out.strip())


def test_a_report_rendered_again_shows_what_was_decided(tmp_path: Path, run: Path, auditor: Auditor) -> None:
    decided(run, tmp_path, auditor, decision="keep", ticket="T-1", comment="until <b>May</b>")
    decided(run, tmp_path, auditor, row=3, decision="remove", reviewer="Second Person")
    again = rendered_again(run, tmp_path / "again", auditor)
    first, second, *others = review_rows(again)
    assert [first[name] for name in ("decision", "reviewer", "date", "ticket", "comment")] == [
        "keep", "R. Viewer", "2026-11-24", "T-1", "until <b>May</b>",
    ]
    assert (second["decision"], second["reviewer"]) == ("remove", "Second Person")
    assert {each["decision"] for each in others} <= {None}
    items = len(others) + 2
    told = f"{items} entitlements = 1 keep + 0 change + 1 remove + {items - 2} open"
    assert f"Reviewed: {told}." in (again / "summary.md").read_text()
    page = (again / "report.html").read_text()
    assert "out of 2 recorded reviews" in page
    assert "until &lt;b&gt;May" in page
    assert "Second Person" in page
    assert auditor("verify", again).code == 0
    twice = rendered_again(again, tmp_path / "twice", auditor)  # what it was rendered with is carried on
    for name in ("report.html", "workbook.xlsx", "summary.md", "inputs/reviews.json"):
        assert (twice / name).read_bytes() == (again / name).read_bytes(), name


def test_the_last_decision_counts_and_an_open_line_takes_none_back(tmp_path: Path, run: Path, auditor: Auditor) -> None:
    decided(run, tmp_path, auditor, decision="keep", reviewer="R. Viewer")
    decided(run, tmp_path, auditor, decision="change", reviewer="Second Person")
    decided(run, tmp_path, auditor, row=3, decision="keep")
    first, *_ = review_rows(rendered_again(run, tmp_path / "again", auditor))
    assert (first["decision"], first["reviewer"]) == ("change", "Second Person")


def test_a_report_filled_in_can_be_read_back(tmp_path: Path, run: Path, auditor: Auditor) -> None:
    decided(run, tmp_path, auditor, decision="keep")
    again = rendered_again(run, tmp_path / "again", auditor)
    assert auditor("review", "import", again / "workbook.xlsx", "--run", run).code == 0


def test_without_a_review_nothing_is_shown_as_decided(tmp_path: Path, run: Path, auditor: Auditor) -> None:
    again = rendered_again(run, tmp_path / "again", auditor)
    assert not (again / "inputs").exists()
    assert "recorded review" not in (again / "report.html").read_text()


def test_an_altered_review_is_not_shown(tmp_path: Path, run: Path, auditor: Auditor) -> None:
    decided(run, tmp_path, auditor, decision="keep")
    (path,) = (each for each in (run / "review").glob("*.json") if each.name != "manifest.json")
    path.write_text(path.read_text().replace('"keep"', '"remove"'))
    finished = auditor("report", run, "-o", tmp_path / "again", "-f", "html")
    assert finished.code == 2
    assert "altered" in finished.err
    assert not (tmp_path / "again").exists()


def test_who_prepared_the_run_is_told_apart(tmp_path: Path, run: Path, auditor: Auditor) -> None:
    operator = json.loads((run / "results.json").read_text())["run"]["operator"]
    filled = fill(run, tmp_path / "filled.xlsx", decision="keep", reviewer=operator, date="2026-11-24")
    assert "a second person should review" in auditor("review", "import", filled, "--run", run).err
