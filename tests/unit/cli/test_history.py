"""`auditor diff`, `history`, `waivers` and `readiness`."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from xml.etree import ElementTree as ET

import pytest

from auditor.errors import RunFailed
from auditor.history.lock import only_run
from auditor.history.manifest import verify_run
from tests.unit.cli.estate import COMPLIANT, DEVIATING, NOW, OPEN, record
from tests.unit.evaluate.composed import REFUSED
from tests.unit.evaluate.composed_tenant import Tenant, assignment, role

if TYPE_CHECKING:
    from tests.unit.cli.estate import Auditor, Finished

LOW = Tenant().with_assignments(
    assignment("View-Only Recipients", "svc-h2r", kind="User"), roles=(role("View-Only Recipients"),)
)


def run(auditor: Auditor, folder: Path, day: int, *options: str | Path, **systems: Any) -> Finished:
    inventory = record(folder / f"estate-{day}", **{name: each.evidence() for name, each in systems.items()})
    now = NOW.replace("-23T", f"-{day}T")
    return auditor("run", "-c", inventory, "-o", folder / "runs", "-f", "json", "--now", now, *options)


def test_diff_tells_what_changed_as_text_json_and_html(auditor: Auditor, tmp_path: Path) -> None:
    first, second = run(auditor, tmp_path, 21, corp=COMPLIANT), run(auditor, tmp_path, 22, corp=DEVIATING)
    page = tmp_path / "diff.html"
    told = auditor("diff", first.folder, second.folder, "--html", page)
    assert told.code == 0
    assert any(line.startswith("new ") and "satisfied -> missing" in line for line in told.out.splitlines())
    drift = json.loads(auditor("diff", first.folder, second.folder / "results.json", "--json").out)
    recorded = second.results["drift"]
    lists = ("new", "resolved", "changed", "not_comparable", "compared")
    assert {name: drift[name] for name in lists} == {name: recorded[name] for name in lists}
    assert drift["baseline_run"] == first.results["run"]["id"]
    html = page.read_text(encoding="utf-8")
    assert "<h3>New</h3>" in html
    assert "http-equiv=\"Content-Security-Policy\"" in html
    back = auditor("diff", second.folder, first.folder)
    assert "A is the later one" in back.err
    assert "resolved" in back.out


def test_the_page_of_a_comparison_is_in_the_language_that_was_asked_for(auditor: Auditor, tmp_path: Path) -> None:
    low, tenant = run(auditor, tmp_path, 21, contoso=LOW), run(auditor, tmp_path, 22, contoso=Tenant())
    page = tmp_path / "diff.html"
    assert auditor("diff", low.folder, tenant.folder, "--html", page, "--language", "de").code == 0
    html = page.read_text(encoding="utf-8")
    assert "<h3>Behoben</h3>" in html
    entries = tenant.results["drift"]["entries"]
    of_earlier_run = [each["title"] for each in entries if each["after"] == "absent" and each["subject"] == "finding"]
    assert of_earlier_run
    assert not [title for title in of_earlier_run if title in html]


def test_two_equal_runs_differ_in_nothing(auditor: Auditor, tmp_path: Path) -> None:
    first, second = (run(auditor, tmp_path, day, corp=DEVIATING, contoso=OPEN) for day in (21, 22))
    told = auditor("diff", first.folder, second.folder)
    assert told.code == 0
    assert "0 differences" in told.last_line
    assert {line.partition("  ")[0] for line in told.out.splitlines()} <= {"not comparable"}


def test_nothing_compared_is_an_error(auditor: Auditor, tmp_path: Path) -> None:
    first = run(auditor, tmp_path, 21, corp=COMPLIANT)
    other = run(auditor, tmp_path, 22, contoso=Tenant())
    refused = auditor("diff", first.folder, other.folder)
    assert (refused.code, refused.out) == (2, "")
    assert "covers no connection of the other run" in refused.err
    inventory = tmp_path / "estate-22" / "inventory.json"
    baseline = auditor("run", "-c", inventory, "-o", tmp_path / "more", "--baseline", first.folder, "-f", "json")
    assert (baseline.code, baseline.out) == (2, "")
    assert not (tmp_path / "more").exists()
    blind = Tenant(gaps={(source.dataset, source.subject): REFUSED for source in Tenant().evidence().sources})
    unread = run(auditor, tmp_path, 23, contoso=blind)
    failed = auditor("diff", other.folder, unread.folder)
    assert (failed.code, failed.out) == (4, "")
    assert "nothing could be compared" in failed.last_line


@pytest.mark.parametrize("what", ["nowhere", "altered"])
def test_a_run_that_cannot_be_read_is_bad_input(auditor: Auditor, tmp_path: Path, what: str) -> None:
    first = run(auditor, tmp_path, 21, corp=COMPLIANT)
    if what == "altered":
        with (first.folder / "results.json").open("a") as stream:
            stream.write(" ")
    wrong = first.folder if what == "altered" else tmp_path / what
    for command in (("diff", wrong, first.folder), ("report", wrong, "-o", tmp_path / "again", "-f", "json")):
        refused = auditor(*command)
        assert (refused.code, refused.out) == (2, "")
        assert "Traceback" not in refused.err
    both = auditor("diff", tmp_path / "one", tmp_path / "two")
    assert all(str(tmp_path / name) in both.err for name in ("one", "two"))


def test_the_problems_of_all_files_are_told_at_once(auditor: Auditor, tmp_path: Path) -> None:
    (tmp_path / "inventory.yaml").write_text("version: 2\n")
    (tmp_path / "waivers.yaml").write_text("version: 2\nwaivers: []\n")
    options = ("--waivers", tmp_path / "waivers.yaml", "--baseline", tmp_path / "nowhere")
    refused = auditor("run", "-c", tmp_path / "inventory.yaml", "-o", tmp_path / "runs", *options)
    assert refused.code == 2
    for name in ("inventory.yaml", "waivers.yaml", "nowhere"):
        assert name in refused.err
    assert not (tmp_path / "runs").exists()


def accept(auditor: Auditor, file: Path, finished: Finished, outcome: str, *more: str) -> Finished:
    key = next(each["key"] for each in finished.results["findings"] if each["outcome"] == outcome)
    options = ("--reason", "cut-over", "--owner", "o@x", "--expires", "2026-12-24", "--now", NOW)
    return auditor("waivers", "add", file, "--run", finished.folder, "--finding", key, *options, *more)


def test_a_finding_is_accepted_listed_and_stops_counting(auditor: Auditor, tmp_path: Path) -> None:
    file = tmp_path / "waivers.yaml"
    first = run(auditor, tmp_path, 21, contoso=LOW, fail=LOW)
    assert accept(auditor, file, first, "excess", "--approved-by", "a@x", "--ticket", "CHG-1").out == "W-001\n"
    assert accept(auditor, file, first, "excess", "--approved-by", "o@X").code == 2
    second = run(auditor, tmp_path, 23, "--waivers", file, "--fail-on", "low", contoso=LOW)
    assert (second.code, second.results["summary"]["counts"]["waived"]) == (0, 1)
    assert "1 waived" in second.last_line
    assert (second.folder / "inputs" / "waivers.yaml").read_bytes() == file.read_bytes()
    assert verify_run(second.folder) == ()
    (listed,) = json.loads(auditor("waivers", "list", file, "--json", "--now", NOW).out)
    assert (listed["id"], listed["state"], listed["ticket"]) == ("W-001", "active", "CHG-1")
    assert json.loads(auditor("waivers", "expiring", file, "--json", "--now", NOW).out) == []
    later = ("--json", "--now", "2026-12-01T00:00:00Z")
    assert [each["state"] for each in json.loads(auditor("waivers", "expiring", file, *later).out)] == ["expiring"]
    over = ("--json", "--now", "2026-12-25T00:00:00Z")
    assert [each["state"] for each in json.loads(auditor("waivers", "expiring", file, *over).out)] == ["expired"]
    assert "W-001" in auditor("waivers", "list", file, "--now", NOW).out


def test_evaluate_takes_waivers_and_a_baseline_too(auditor: Auditor, tmp_path: Path) -> None:
    file = tmp_path / "waivers.yaml"
    first = run(auditor, tmp_path, 21, "--fail-on", "low", contoso=LOW)
    accept(auditor, file, first, "excess", "--approved-by", "a@x")
    options = ("-o", tmp_path / "again", "--now", NOW, "--fail-on", "low")
    plain = auditor("evaluate", first.folder, *options)
    assert (plain.code, plain.results["drift"]["baseline_run"]) == (1, None)
    accepted = auditor("evaluate", first.folder, *options, "--waivers", file, "--baseline", first.folder)
    assert (accepted.code, accepted.results["summary"]["counts"]["waived"]) == (0, 1)
    assert accepted.results["drift"]["baseline_run"] == first.results["run"]["id"]


def test_what_could_not_be_verified_cannot_be_accepted(auditor: Auditor, tmp_path: Path) -> None:
    finished = run(auditor, tmp_path, 21, contoso=OPEN)
    refused = accept(auditor, tmp_path / "waivers.yaml", finished, "unverifiable", "--approved-by", "a@x")
    assert (refused.code, refused.out) == (2, "")
    assert "could not be verified" in refused.err
    assert not (tmp_path / "waivers.yaml").exists()


@pytest.mark.parametrize(
    ("system", "word", "code"), [(COMPLIANT, "READY", 0), (LOW, "NOT READY", 1), (OPEN, "CANNOT SAY", 3)]
)
def test_readiness_is_a_gate(auditor: Auditor, tmp_path: Path, system: Any, word: str, code: int) -> None:
    inventory = record(tmp_path, one=system.evidence())
    finished = auditor("readiness", "-c", inventory, "-o", tmp_path / "runs", "-f", "json,html,junit", "--now", NOW)
    assert finished.code == code
    assert finished.last_line.startswith(f"auditor: {word}; ")
    assert (finished.results["run"]["kind"], finished.results["run"]["fail_on"]) == ("readiness", "low")
    html = (finished.folder / "report.html").read_text(encoding="utf-8")
    page = html[html.index('id="readiness-connection-one"') : html.index('id="connection-one"')]
    assert word in page
    root = ET.fromstring((finished.folder / "junit.xml").read_bytes())
    skipped = sum(int(suite.get("skipped", "")) for suite in root)
    assert (int(root.get("failures", "")) > 0, skipped > 0) == (code == 1, code == 3)
    for finding in finished.results["findings"]:
        if finding["outcome"] in ("missing", "excess", "unverifiable"):
            assert finding["key"] in page
    again = auditor("evaluate", finished.folder, "-o", tmp_path / "again", "-f", "json", "--now", NOW)
    assert (again.code, again.last_line.partition(";")[0]) == (code, f"auditor: {word}")
    assert (again.folder / "results.json").read_bytes() == (finished.folder / "results.json").read_bytes()


def test_prune_removes_what_is_old_and_what_killed_runs_left(auditor: Auditor, tmp_path: Path) -> None:
    runs = [run(auditor, tmp_path, day, corp=COMPLIANT).folder for day in (20, 21, 22, 23)]
    left = tmp_path / "runs" / ".incomplete-abc"
    left.mkdir()
    dry = auditor("history", "prune", "-o", tmp_path / "runs", "--keep", "2", "--dry-run")
    assert {Path(line) for line in dry.out.splitlines()} == {*runs[:2], left}
    assert all(each.is_dir() for each in (*runs, left))
    done = auditor("history", "prune", "-o", tmp_path / "runs", "--keep", "2", "--older-than", "1d", "--now", NOW)
    assert done.code == 0
    assert sorted((tmp_path / "runs").iterdir()) == sorted(runs[2:])
    listed = json.loads(auditor("history", "list", "-o", tmp_path / "runs", "--json").out)
    assert [Path(each["folder"]) for each in listed] == runs[:1:-1]


def test_prune_says_what_it_cannot_remove(auditor: Auditor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for day in (21, 22):
        run(auditor, tmp_path, day, corp=COMPLIANT)

    def refuse(*_: object) -> NoReturn:
        raise OSError(errno.EROFS, "Read-only file system")

    with monkeypatch.context() as patched:
        patched.setattr("pathlib.Path.rename", refuse)
        refused = auditor("history", "prune", "-o", tmp_path / "runs", "--keep", "1")
    assert refused.code == 4
    assert "cannot be removed (Read-only file system)" in refused.last_line
    assert "Traceback" not in refused.err


def test_a_run_stands_although_what_an_interrupted_one_left_cannot_be_removed(
    auditor: Auditor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(folder: Path) -> NoReturn:
        raise RunFailed(f"{folder}: cannot be removed")

    monkeypatch.setattr("auditor.pipeline.interrupted_runs", lambda *_: (tmp_path / "left",))
    monkeypatch.setattr("auditor.pipeline.discard", refuse)
    finished = run(auditor, tmp_path, 21, "--resume", corp=COMPLIANT)
    assert finished.code == 0
    assert "left: cannot be removed" in finished.err
    assert verify_run(finished.folder) == ()


@pytest.mark.parametrize("options", [(), ("--keep", "0"), ("--older-than", "soon"), ("--keep", "1", "-o", "nowhere")])
def test_prune_without_a_limit_is_refused(auditor: Auditor, tmp_path: Path, options: tuple[str, ...]) -> None:
    finished = auditor("history", "prune", "-o", tmp_path, *options)
    assert (finished.code, finished.out) == (2, "")


def test_a_second_run_on_the_same_folder_is_refused(auditor: Auditor, tmp_path: Path) -> None:
    with only_run(tmp_path / "runs"):
        refused = run(auditor, tmp_path, 21, corp=COMPLIANT)
        pruned = auditor("history", "prune", "-o", tmp_path / "runs", "--keep", "1")
    for finished in (refused, pruned):
        assert (finished.code, finished.out) == (4, "")
        assert "another run is under way there" in finished.last_line
    assert list((tmp_path / "runs").iterdir()) == []
