"""Many connections, judged in processes: the same record as judged here, also when a process dies."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from auditor import judging
from auditor.errors import InvalidInput, RunFailed
from auditor.evaluate.evaluate import conclude_run
from auditor.judging import judge_recorded
from auditor.preparation import prepare
from auditor.recorded_run import RecordedRun, read_recorded_run, write_inputs
from auditor.report.results_json import parse_results, results_bytes
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
    monkeypatch.setattr(judging, "_processors", lambda: 2)


def content(recorded: RecordedRun) -> bytes:
    return results_bytes(conclude_run(judge_recorded(recorded, RUN), recorded.default_matrix, RUN))


def test_processes_give_the_same_record(recorded: RecordedRun, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    spread = content(recorded)
    monkeypatch.setattr(judging, "_processors", lambda: 1)
    assert content(recorded) == spread
    results = conclude_run(judge_recorded(recorded, RUN), recorded.default_matrix, RUN)
    assert len(results.connections) == COUNT
    assert parse_results(spread, tmp_path) == results  # what is rendered from memory is what was written


def test_altered_evidence_is_told_from_a_process_as_from_here(recorded: RecordedRun) -> None:
    account = next((recorded.connections[40].folder).glob("*-account.jsonl"))
    account.write_bytes(account.read_bytes() + b"{}\n")
    with pytest.raises(InvalidInput, match="altered") as refused:
        judge_recorded(recorded, RUN)
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
    recorded: RecordedRun, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, deaths: int, is_lost: bool
) -> None:
    expected = content(recorded)
    counter = tmp_path / "deaths"
    dying = tuple(
        DyingConnection(each, counter, deaths) if each.id == DYING else each for each in recorded.connections
    )
    object.__setattr__(recorded, "connections", dying)
    if is_lost:
        with pytest.raises(RunFailed, match=f"died {judging.TRIES} times"):
            judge_recorded(recorded, RUN)
    else:
        assert content(recorded) == expected
        assert counter.stat().st_size == deaths + 1


def test_few_connections_are_judged_here(recorded: RecordedRun, monkeypatch: pytest.MonkeyPatch) -> None:
    object.__setattr__(recorded, "connections", recorded.connections[: judging.WORTH_PROCESSES - 1])
    monkeypatch.setattr(judging, "_judge_in_processes", lambda *_: pytest.fail("not worth a process"))
    assert len(judge_recorded(recorded, RUN)) == judging.WORTH_PROCESSES - 1
