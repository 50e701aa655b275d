"""Many connections, judged and rendered in processes: byte for byte as here, also when a process dies."""

from __future__ import annotations

import os
import signal
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
from auditor.report.results_json import parse_results, write_results
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
    write_results(results, folder / "results.json", spread)
    content = (folder / "results.json").read_bytes()
    assert parse_results(content, folder) == results  # what is rendered from memory is what was written
    for language in ("en", "de"):
        record = Record(content=content, results=results, spread=spread, language=language)
        render_record(record, ("html", "csv"), folder / language)
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def in_processes(recorded: RecordedRun, folder: Path) -> dict[str, bytes]:
    with spread_over_processors(len(recorded.connections)) as spread:
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
    with pytest.raises(InvalidInput, match="altered") as refused, spread_over_processors(COUNT) as spread:
        judge_recorded(recorded, RUN, spread)
    assert refused.value.problems[0].file == str(recorded.connections[40].folder)


class DyingConnection:
    """A connection during which its process is killed, `times` times."""

    def __init__(self, connection: Any, counter: Path, times: int) -> None:
        self.id, self.matrix, self.folder = connection.id, connection.matrix, connection.folder
        self._connection, self._counter, self._times = connection, counter, times

    def evidence(self) -> Any:
        with self._counter.open("a") as stream:
            stream.write("x")
        if self._counter.stat().st_size <= self._times:
            os.kill(os.getpid(), signal.SIGKILL)
        return self._connection.evidence()


@pytest.mark.parametrize(("deaths", "is_lost"), [(1, False), (2, False), (3, True)])
def test_a_process_that_dies_costs_a_retry(
    recorded: RecordedRun, tmp_path: Path, deaths: int, is_lost: bool
) -> None:
    expected = run_over(recorded, tmp_path / "here", here)
    counter = tmp_path / "deaths"
    dying = tuple(
        DyingConnection(each, counter, deaths) if each.id == DYING else each for each in recorded.connections
    )
    object.__setattr__(recorded, "connections", dying)
    if is_lost:
        with (
            pytest.raises(RunFailed, match=f"died {processes.TRIES} times"),
            spread_over_processors(COUNT) as spread,
        ):
            judge_recorded(recorded, RUN, spread)
    else:
        assert in_processes(recorded, tmp_path / "spread") == expected
        assert counter.stat().st_size == deaths + 1


def _die(counter: Path, number: int) -> int:
    """Kill the process that comes first to a certain item."""
    if number == 11 and not counter.exists():
        counter.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number


def test_what_was_done_before_a_process_died_is_given_once(tmp_path: Path) -> None:
    with spread_over_processors(COUNT) as spread:
        assert list(spread(partial(_die, tmp_path / "died"), range(40))) == [number * number for number in range(40)]
    assert (tmp_path / "died").exists()


def test_a_bug_in_a_process_is_a_bug_of_the_run() -> None:
    with pytest.raises(ZeroDivisionError), spread_over_processors(COUNT) as spread:
        list(spread(partial(divmod, 1), [1, 0]))


def test_few_connections_need_no_process() -> None:
    with spread_over_processors(processes.WORTH_PROCESSES - 1) as few, spread_over_processors(COUNT) as many:
        assert few is here
        assert many is not here


def test_one_processor_needs_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_processors", lambda: 1)
    with spread_over_processors(COUNT) as spread:
        assert spread is here
