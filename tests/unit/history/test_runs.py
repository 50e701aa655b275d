"""The runs below a folder: the baseline of the next, and which may go."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from auditor.history.manifest import write_manifest
from auditor.history.run_folder import discard
from auditor.history.runs import choose_for_removal, find_baseline, past_runs

if TYPE_CHECKING:
    from pathlib import Path

FIRST = datetime(2026, 11, 1, 6, tzinfo=UTC)


def write_run(output: Path, day: int, connections: tuple[str, ...] = ("a", "b"), **changes: Any) -> Path:
    at = FIRST + timedelta(days=day)
    name = f"{at:%Y%m%dT%H%M%SZ}-{'-'.join(connections)}"
    folder = output / name
    (folder / "evidence").mkdir(parents=True)
    run = {"id": name, "kind": "review", "evaluated_at": at.isoformat().replace("+00:00", "Z"), "exit": {"code": 0}}
    content = {
        "run": run,
        "summary": {"verdict": "compliant", "counts": {"evaluated": 1}},
        "connections": [{"id": each, "more": 1} for each in connections],
        **changes,
    }
    (folder / "results.json").write_text(json.dumps(content), encoding="utf-8")
    write_manifest(folder, name)
    return folder


def test_the_baseline_is_the_last_run_of_the_same_connections(tmp_path: Path) -> None:
    first = write_run(tmp_path, 0)
    write_run(tmp_path, 1, ("a", "c"))
    found = find_baseline(tmp_path, ("b", "a"), FIRST + timedelta(days=9))
    assert found.results == first / "results.json"


def test_without_one_it_is_the_last_that_shares_a_connection(tmp_path: Path) -> None:
    write_run(tmp_path, 0, ("a", "x"))
    last = write_run(tmp_path, 1, ("a", "y"))
    write_run(tmp_path, 2, ("z",))
    assert find_baseline(tmp_path, ("a", "b"), FIRST + timedelta(days=9)).results == last / "results.json"
    assert find_baseline(tmp_path, ("none",), FIRST + timedelta(days=9)).results is None
    assert find_baseline(tmp_path / "nowhere", ("a",), FIRST).results is None


def test_a_run_of_that_instant_or_later_is_no_earlier_one(tmp_path: Path) -> None:
    first, second = write_run(tmp_path, 0), write_run(tmp_path, 1)
    found = find_baseline(tmp_path, ("a", "b"), FIRST + timedelta(days=1))
    assert (found.results, found.later) == (first / "results.json", 0)
    back = find_baseline(tmp_path, ("a", "b"), FIRST)
    assert (back.results, back.later) == (None, 1)
    assert second.is_dir()


def test_altered_results_are_passed_over_and_named(tmp_path: Path) -> None:
    first, second = write_run(tmp_path, 0), write_run(tmp_path, 1)
    path = second / "results.json"
    path.write_text(path.read_text().replace("compliant", "inconclusive"))
    found = find_baseline(tmp_path, ("a", "b"), FIRST + timedelta(days=9))
    assert (found.results, found.altered) == (first / "results.json", (second.name,))
    assert [each.is_unaltered for each in past_runs(tmp_path)] == [False, True]


@pytest.mark.parametrize("missing", ["results.json", "manifest.json", "evidence"])
def test_what_is_no_whole_run_is_none(tmp_path: Path, missing: str) -> None:
    whole, half = write_run(tmp_path, 0), write_run(tmp_path, 1)
    (half / missing).rename(half / "elsewhere")
    hidden = write_run(tmp_path, 2)
    hidden.rename(tmp_path / f".incomplete-{hidden.name}")
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    assert [each.folder for each in past_runs(tmp_path)] == [whole]


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"run": {}}', "\xff", '{"run": {"evaluated_at": "x"}}'])
def test_a_record_that_nobody_can_read_is_no_run(tmp_path: Path, content: str) -> None:
    folder = write_run(tmp_path, 0)
    (folder / "results.json").write_text(content, encoding="latin-1")
    write_manifest(folder, "run")
    assert list(past_runs(tmp_path)) == []


@pytest.mark.parametrize(
    ("keep", "older_than", "left"),
    [
        (1, None, [9]),
        (3, None, [9, 8, 7]),
        (20, None, list(range(9, -1, -1))),
        (None, 4, [9, 8, 7, 6, 5]),
        (None, 0, [9]),
        (8, 4, [9, 8, 7, 6, 5, 4, 3, 2]),
        (2, 6, [9, 8, 7, 6, 5, 4, 3]),
    ],
)
def test_what_is_kept(tmp_path: Path, keep: int | None, older_than: int | None, left: list[int]) -> None:
    for day in range(10):
        write_run(tmp_path, day)
    age = None if older_than is None else timedelta(days=older_than)
    now = FIRST + timedelta(days=9)
    for run in choose_for_removal(list(past_runs(tmp_path)), keep=keep, older_than=age, now=now):
        discard(run.folder)
    assert [(each.evaluated_at - FIRST).days for each in past_runs(tmp_path)] == left
    assert len(list(tmp_path.iterdir())) == len(left)


@pytest.mark.parametrize("trouble", ["altered", "later"])
def test_what_the_next_run_is_compared_with_stays_also_beside_a_run_that_cannot_be(
    tmp_path: Path, trouble: str
) -> None:
    write_run(tmp_path, 0)
    comparable, other = write_run(tmp_path, 1), write_run(tmp_path, 2 if trouble == "altered" else 50)
    if trouble == "altered":
        with (other / "results.json").open("a") as stream:
            stream.write(" ")
    now = FIRST + timedelta(days=9)
    for run in choose_for_removal(list(past_runs(tmp_path)), keep=1, older_than=None, now=now):
        discard(run.folder)
    assert {each.folder for each in past_runs(tmp_path)} == {comparable, other}
    assert find_baseline(tmp_path, ("a", "b"), now).results == comparable / "results.json"


def test_the_baseline_of_every_set_of_connections_and_altered_runs_stay(tmp_path: Path) -> None:
    alone, altered = write_run(tmp_path, 0, ("a",)), write_run(tmp_path, 1)
    write_run(tmp_path, 2)
    last = write_run(tmp_path, 3)
    with (altered / "results.json").open("a") as stream:
        stream.write(" ")
    runs = list(past_runs(tmp_path))
    going = choose_for_removal(runs, keep=1, older_than=timedelta(0), now=FIRST + timedelta(days=99))
    assert {each.folder for each in runs} - {each.folder for each in going} == {alone, altered, last}
