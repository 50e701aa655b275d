"""Runs on a Dask cluster of processes on this machine: the same record, and what becomes of what dies."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import re
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from auditor.history.manifest import verify_run
from auditor.preparation import prepare, prepare_here
from tests.microsoft365.scenarios import SCENARIOS
from tests.microsoft365.service import LocalMicrosoft365
from tests.unit.cli.estate import COMPLIANT, DEVIATING, NOW, OPEN, REPOSITORY, record, start, write_inventory
from tests.unit.cli.test_interrupts import hybrid, tenant
from tests.unit.notify.servers import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.unit.cli.estate import Auditor

pytest.importorskip("distributed")
SECRET = "S3cret-of-the-worker"


class Cluster:
    """A scheduler and its workers, each a process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        self.address = f"tcp://127.0.0.1:{free_port()}"
        port = self.address.rpartition(":")[2]
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard")

    def _start(self, role: str, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        log = (self._folder / f"{role}-{len(self._processes)}.log").open("wb")
        process = subprocess.Popen(
            [sys.executable, "-m", "distributed.cli.dask_" + role, *arguments],
            cwd=REPOSITORY, stdout=log, stderr=log, env={**os.environ, **environment},
        )
        log.close()
        self._processes.append(process)
        return process

    def worker(self, **environment: str) -> subprocess.Popen[bytes]:
        """Start a worker; wait until the scheduler knows it."""
        arguments = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(self._folder))
        before = len(self._processes)
        process = self._start("worker", self.address, *arguments, **environment)
        log = self._folder / f"worker-{before}.log"
        for _ in range(600):
            if re.search(rb"Registered to", log.read_bytes()):
                return process
            time.sleep(0.1)
        raise AssertionError(log.read_text())

    def stop(self) -> None:
        for process in reversed(self._processes):
            process.kill()
            process.wait()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    (tmp_path / "cluster").mkdir()
    started = Cluster(tmp_path / "cluster")
    try:
        yield started
    finally:
        started.stop()


@pytest.mark.parametrize("share_bytes", [1, 1 << 16, 1 << 30])
def test_a_cluster_gives_the_same_record(
    auditor: Auditor, cluster: Cluster, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, share_bytes: int
) -> None:
    monkeypatch.setattr("auditor.cluster.SHARE_BYTES", share_bytes)
    for _ in range(2):
        cluster.worker()
    systems = [COMPLIANT, DEVIATING, OPEN]
    inventory = record(tmp_path, **{f"c{number}": systems[number % 3].evidence() for number in range(9)})
    options = ("run", "-c", inventory, "-f", "json", "--now", NOW, "-o")
    here = auditor(*options, tmp_path / "here")
    there = auditor(*options, tmp_path / "there", "--executor", "dask", "--scheduler", cluster.address)
    assert (here.code, there.code) == (1, 1), there.err
    one, other = here.results, there.results
    for results in (one, other):
        results["run"].pop("argv")
    assert one == other
    assert verify_run(there.folder) == ()
    assert auditor("evaluate", there.folder, "-o", tmp_path / "again", "--now", NOW).code == 1


def test_secrets_are_resolved_on_the_worker_and_never_sent(auditor: Auditor, cluster: Cluster, tmp_path: Path) -> None:
    scenario = SCENARIOS["exact"]()
    with LocalMicrosoft365(scenario.tenant) as service:
        secret = service.tenant.auditor.secrets[0].value
        inventory = write_inventory(tmp_path, [tenant(service, scenario.service_account)])
        options = ("run", "-c", inventory, "-o", tmp_path / "runs", "-f", "json")
        spread = (*options, "--executor", "dask", "--scheduler", cluster.address)
        assert auditor(*options).code == 2  # this process has no such variable
        lonely = auditor(*spread)
        assert (lonely.code, lonely.last_line.partition(";")[0]) == (4, "auditor: the cluster has no worker")
        lacking = cluster.worker()
        refused = auditor(*spread)
        assert (refused.code, refused.out, service.requests) == (2, "", [])
        assert "TENANT_SECRET is not set" in refused.err
        assert "worker tcp://127.0.0.1:" in refused.err
        lacking.kill()
        lacking.wait()
        cluster.worker(TENANT_SECRET=secret)
        finished = auditor(*spread)
        assert finished.code == 0, finished.err
        assert service.requests
    for path in (p for p in tmp_path.rglob("*") if p.is_file()):
        assert secret.encode() not in path.read_bytes(), path


def test_what_is_sent_holds_no_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AUDIT_PASSWORD", SECRET)
    notification = {"kind": "webhook", "url": "env:HOOK"}
    monkeypatch.setenv("HOOK", f"https://127.0.0.1/{SECRET}")
    inventory = write_inventory(tmp_path, [hybrid(1)], notifications=[notification])
    prepared = prepare(inventory, (), lambda place: place, notifies=True)
    assert SECRET in str([secret.value for secret in prepared.secrets.values()])
    sent = prepared.without_secrets(prepared.entries)
    assert SECRET.encode() not in pickle.dumps(sent)
    assert (sent.secrets, sent.inventory.channels) == ({}, ())
    assert [secret.value for secret in prepare_here(sent).secrets.values()] == [SECRET.encode()]


def test_a_worker_that_dies_mid_connection_costs_a_retry(cluster: Cluster, tmp_path: Path) -> None:
    scenario = SCENARIOS["exact"]()
    with LocalMicrosoft365(scenario.tenant) as service:
        secret = service.tenant.auditor.secrets[0].value
        answer, came = service.real_answer, threading.Event()

        def slow(request: object) -> object:
            came.set()
            time.sleep(0.3)
            return answer(request)  # type: ignore[arg-type]

        service.real_answer = slow  # type: ignore[assignment,method-assign]
        dying = cluster.worker(TENANT_SECRET=secret)
        inventory = write_inventory(tmp_path, [tenant(service, scenario.service_account)])
        process = start(
            "run", "-c", inventory, "-o", tmp_path / "runs", "-f", "json",
            "--executor", "dask", "--scheduler", cluster.address,
        )
        assert came.wait(60)
        cluster.worker(TENANT_SECRET=secret)
        dying.send_signal(signal.SIGKILL)
        service.real_answer = answer  # type: ignore[method-assign]
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    results = json.loads((tmp_path / "runs" / out.decode().strip().rpartition("/")[2] / "results.json").read_bytes())
    assert results["connections"][0]["verdict"] == "compliant"


def test_a_lost_scheduler_is_a_clear_failure(
    cluster: Cluster, tmp_path: Path, silent_server: tuple[int, threading.Event]
) -> None:
    port, came = silent_server
    cluster.worker(AUDIT_PASSWORD=SECRET)
    inventory = write_inventory(tmp_path, [hybrid(port)])
    process = start(
        "run", "-c", inventory, "-o", tmp_path / "runs", "-f", "json",
        "--executor", "dask", "--scheduler", cluster.address,
    )
    assert came.wait(60)
    cluster.scheduler.kill()
    _, err = process.communicate(timeout=120)
    assert process.returncode == 4, err
    last = err.decode().splitlines()[-1]
    assert f"the scheduler {cluster.address} was lost" in last or "was given up by the cluster" in last
    assert "exit 4 (the run failed)" in last
    assert b"Traceback" not in err
    assert list((tmp_path / "runs").iterdir()) == []


def test_no_scheduler_is_a_clear_failure(auditor: Auditor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("auditor.cluster.CONNECT_S", 1)
    inventory = record(tmp_path, one=COMPLIANT.evidence())
    options = ("run", "-c", inventory, "-o", tmp_path / "runs", "-f", "json", "--executor", "dask")
    failed = auditor(*options, "--scheduler", f"tcp://127.0.0.1:{free_port()}")
    assert failed.code == 4
    assert "does not answer" in failed.last_line
    without_certificates = auditor(*options, "--scheduler", "tls://127.0.0.1:1")
    assert (without_certificates.code, "Traceback" in without_certificates.err) == (4, False)
    assert "does not answer" in without_certificates.last_line
    assert "configuration of TLS" in without_certificates.err
    for wrong in (options, ("run", "-c", inventory, "--scheduler", "tcp://127.0.0.1:1")):
        assert auditor(*wrong).code == 2
    with contextlib.suppress(FileNotFoundError):
        assert list((tmp_path / "runs").iterdir()) == []
