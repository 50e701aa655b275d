"""Many connections, judged and rendered in processes: byte for byte as here, also when a process dies."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import resource
import signal
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from auditor import processes
from auditor.errors import InvalidInput, RunFailed
from auditor.evaluate.evaluate import conclude_run
from auditor.judging import judge_recorded
from auditor.preparation import prepare
from auditor.processes import Spread, here, spread_over_processors
from auditor.recorded_run import RecordedRun, read_recorded_run, write_inputs
from auditor.report.formats import Record, render_record
from auditor.report.results_json import read_results, write_results
from tests.unit.cli.estate import COMPLIANT, DEVIATING, OPEN, write_inventory
from tests.unit.evaluate.composed import RUN
from tests.unit.evaluate.recorded import write_evidence

if TYPE_CHECKING:
    from pathlib import Path

COUNT = 48
DYING = "connection-30"


@pytest.fixture
def recorded(tmp_path: Path) -> RecordedRun:
    """Record a run of many connections."""
    run = tmp_path / "run"
    systems = [each.evidence() for each in (COMPLIANT, DEVIATING, OPEN)]
    entries = []
    for number in range(COUNT):
        system, name = systems[number % 3], f"connection-{number:02}"
        write_evidence(system, run / "evidence" / name)
        entries.append({"id": name, "kind": str(system.connection.kind), "replay": f"run/evidence/{name}"})
    prepared = prepare(write_inventory(tmp_path, entries), (), lambda place: place)
    write_inputs(run, prepared, operator="me", host="here", tool_version="1", argv=())
    return read_recorded_run(run)


@pytest.fixture(autouse=True)
def two_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_processors", lambda: 2)


def run_over(recorded: RecordedRun, folder: Path, spread: Spread) -> dict[str, bytes]:
    """Judge, write and render; return every file by its name."""
    folder.mkdir()
    results = conclude_run(judge_recorded(recorded, RUN, spread), recorded.default_matrix, RUN)
    file = folder / "results.json"
    sha256 = write_results(results, file, spread)
    assert sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert read_results(file) == results  # what is rendered from memory is what was written
    for language in ("en", "de"):
        record = Record(file=file, sha256=sha256, results=results, spread=spread, language=language)
        render_record(record, ("html", "csv"), folder / language)
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def in_processes(recorded: RecordedRun, folder: Path) -> dict[str, bytes]:
    spread = spread_over_processors(len(recorded.connections))
    assert spread is not here
    return run_over(recorded, folder, spread)


@pytest.mark.parametrize("kind", ["review", "readiness"])
def test_processes_write_the_same_files(
    recorded: RecordedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(f"{__name__}.RUN", replace(RUN, kind=kind))
    files = in_processes(recorded, tmp_path / "spread")
    assert files == run_over(recorded, tmp_path / "here", here)
    assert set(files) == {
        "results.json", *(f"{language}/{name}" for language in ("en", "de") for name in
                          ("report.html", "findings.csv", "matrix.csv"))
    }
    assert files["en/report.html"].count(b'<section class="connection"') == COUNT


def test_altered_evidence_is_told_from_a_process_as_from_here(recorded: RecordedRun) -> None:
    account = next((recorded.connections[40].folder).glob("*-account.jsonl"))
    account.write_bytes(account.read_bytes() + b"{}\n")
    with pytest.raises(InvalidInput, match="altered") as refused:
        judge_recorded(recorded, RUN, spread_over_processors(COUNT))
    assert refused.value.problems[0].file == str(recorded.connections[40].folder)


class DyingConnection:
    """A connection that kills a copy of the process, `times` times; in the process itself it is slow."""

    def __init__(self, connection: Any, deaths: Path, times: int) -> None:
        self.id, self.matrix, self.folder = connection.id, connection.matrix, connection.folder
        self._connection, self._deaths, self._times = connection, deaths, times

    def evidence(self) -> Any:
        if multiprocessing.parent_process() is None:
            time.sleep(0.1)  # so that the copies get something to do
        elif self._deaths.stat().st_size < self._times:
            with self._deaths.open("a") as stream:
                stream.write("x")
            os.kill(os.getpid(), signal.SIGKILL)
        return self._connection.evidence()


@pytest.mark.parametrize(("deaths", "is_lost"), [(1, False), (2, False), (3, True)])
def test_a_process_that_dies_costs_a_retry(
    recorded: RecordedRun, tmp_path: Path, deaths: int, is_lost: bool
) -> None:
    expected = run_over(recorded, tmp_path / "here", here)
    counter = tmp_path / "deaths"
    counter.touch()
    dying = tuple(DyingConnection(each, counter, deaths) for each in recorded.connections)
    object.__setattr__(recorded, "connections", dying)
    if is_lost:
        with pytest.raises(RunFailed, match=f"died {processes.TRIES} times"):
            judge_recorded(recorded, RUN, spread_over_processors(COUNT))
    else:
        assert in_processes(recorded, tmp_path / "spread") == expected
    assert counter.stat().st_size == deaths


def _who(slow: Path, number: int) -> tuple[int, int]:
    """Tell who works on an item; this process waits until another has done one."""
    if multiprocessing.parent_process() is None:
        while not slow.exists():
            time.sleep(0.01)
    else:
        slow.touch()
    return number, os.getpid()


def test_this_process_and_another_share_the_work_in_order(tmp_path: Path) -> None:
    done = list(spread_over_processors(COUNT)(partial(_who, tmp_path / "begun"), range(3000)))
    assert [number for number, _ in done] == list(range(3000))
    assert len({process for _, process in done}) == 2
    assert os.getpid() in {process for _, process in done}


def test_what_is_worked_on_is_not_sent() -> None:
    unsendable = [lambda: 1, lambda: 2]
    assert list(spread_over_processors(COUNT)(lambda each: each(), unsendable)) == [1, 2]


def test_no_process_is_left_when_the_work_is_given_up() -> None:
    work = spread_over_processors(COUNT)(time.sleep, [0.01] * 1000)
    next(work)
    assert multiprocessing.active_children()
    work.close()  # type: ignore[attr-defined]
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("number", range(4))
def test_a_bug_in_a_process_is_a_bug_of_the_run(number: int) -> None:
    items = [1] * 4
    items[number] = 0
    with pytest.raises(ZeroDivisionError):
        list(spread_over_processors(COUNT)(partial(divmod, 1), items))


def test_of_several_failures_the_first_in_order_is_raised() -> None:
    with pytest.raises(KeyError, match="3"):
        list(spread_over_processors(COUNT)({}.__getitem__, range(3, 40)))


def _fill(size: int) -> bytes:
    if multiprocessing.parent_process() is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    else:
        time.sleep(0.1)
    return bytes(size)


def test_a_full_disk_is_told_as_such() -> None:
    with pytest.raises(OSError, match="too large"):
        list(spread_over_processors(COUNT)(_fill, [10_000] * 20))


def test_few_connections_need_no_process() -> None:
    assert spread_over_processors(processes.WORTH_PROCESSES - 1) is here
    assert spread_over_processors(COUNT) is not here


def test_one_processor_needs_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_processors", lambda: 1)
    assert spread_over_processors(COUNT) is here


def test_processes_are_copied_on_linux_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    assert spread_over_processors(COUNT) is here
