"""Runs that somebody stops: they end at once, hold nothing, and what they read can be taken up again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from auditor.history.manifest import verify_run
from tests.microsoft365.scenarios import SCENARIOS
from tests.microsoft365.service import LocalMicrosoft365
from tests.unit.cli.estate import COMPLIANT, REPOSITORY, record, start, write_inventory

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator
    from pathlib import Path

    from tests.unit.cli.estate import Auditor

SECONDS = 10
SECRET = "S3cret-of-the-test"


def hybrid(port: int) -> dict[str, Any]:
    """Describe a connection to a directory at a port of this machine."""
    return {
        "id": "corp",
        "kind": "hybrid",
        "hosts": ["127.0.0.1"],
        "port": port,
        "base_dns": ["DC=corp,DC=example,DC=com"],
        "username": "svc@corp.example.com",
        "target_ous": ["OU=Staff,DC=corp,DC=example,DC=com"],
        "auditor": {"active_directory": {"username": "audit@corp.example.com", "password": "env:AUDIT_PASSWORD"}},
    }


def tenant(service: LocalMicrosoft365, service_account: str) -> dict[str, Any]:
    """Describe a connection to the local Microsoft 365 service."""
    sign_in = {
        "tenant_id": service.tenant.id,
        "client_id": service.tenant.auditor.client_id,
        "client_secret": "env:TENANT_SECRET",
    }
    endpoints = service.endpoints
    return {
        "id": "contoso",
        "kind": "exchange_online",
        "tenant": service.tenant.initial_domain,
        "service_account": service_account,
        "cloud": "custom",
        "endpoints": {"login": endpoints.login, "graph": endpoints.graph, "exchange": endpoints.exchange},
        "ca_file": str(service.ca_file),
        "auditor": {"microsoft365": sign_in},
    }


@contextmanager
def stopped(
    command: str, inventory: Path, output: Path, came: threading.Event, how: signal.Signals, **secrets: str
) -> Iterator[str]:
    """Stop a command once it hangs on the silent server, and has read the tenant if it has its secret; yield what
    it said.
    """
    process = start(command, "-c", inventory, "-o", output, AUDIT_PASSWORD=SECRET, **secrets)
    try:
        assert came.wait(timeout=60), "the collection never came to the silent server"
        for _ in range(600 if secrets else 0):
            if list(output.glob(".incomplete-*/evidence/contoso/sources.json")):
                break
            time.sleep(0.1)
        process.send_signal(how)
        out, err = process.communicate(timeout=SECONDS)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, out) == (130, b""), err
    assert b"exit 130 (interrupted)" in err.splitlines()[-1]
    assert b"Traceback" not in err
    assert b"S3cret" not in err
    yield err.decode()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", ["run", "collect"])
def test_a_stop_ends_a_hanging_collection_and_leaves_nothing_without_evidence(
    tmp_path: Path, silent_server: tuple[int, threading.Event], command: str, how: signal.Signals
) -> None:
    port, came = silent_server
    inventory = write_inventory(tmp_path, [hybrid(port)])
    with stopped(command, inventory, tmp_path / "runs", came, how):
        assert list((tmp_path / "runs").iterdir()) == []


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize("command", ["run", "collect"])
def test_what_a_stopped_run_read_is_not_read_again(
    auditor: Auditor,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    silent_server: tuple[int, threading.Event],
    command: str,
    is_first: bool,
) -> None:
    port, came = silent_server
    output = tmp_path / "runs"
    scenario = SCENARIOS["exact"]()
    formats = ("-f", "json") if command == "run" else ()
    with LocalMicrosoft365(scenario.tenant) as service:
        secret = service.tenant.auditor.secrets[0].value
        connections = [tenant(service, scenario.service_account), hybrid(port)]  # one that hangs holds up no other
        inventory = write_inventory(tmp_path, connections if is_first else connections[::-1])
        with stopped(command, inventory, output, came, signal.SIGTERM, TENANT_SECRET=secret) as told:
            (kept,) = output.iterdir()
            assert kept.name.startswith(".incomplete-")
            assert str(kept) in told
            assert "--resume" in told
        assert auditor("verify", kept).code == 2
        evidence = {path.name: path.read_bytes() for path in (kept / "evidence" / "contoso").iterdir()}
        monkeypatch.setenv("AUDIT_PASSWORD", SECRET)
        monkeypatch.setenv("TENANT_SECRET", secret)
        plain = json.loads(inventory.read_text())
        plain["connections"][is_first]["port"] = 1  # nobody listens there, and another inventory it is
        other = tmp_path / "other.json"
        other.write_text(json.dumps(plain))
        service.requests.clear()
        anew = auditor(command, "-c", other, "-o", output, "--resume", *formats)
        assert "begins anew" in anew.err
        assert service.requests
        assert kept.is_dir()
        (kept / "inputs" / "inventory.json").write_bytes(other.read_bytes())
        service.requests.clear()
        resumed = auditor(command, "-c", other, "-o", output, "--resume", *formats)
        assert resumed.code == (1 if command == "run" else 3), resumed.err  # port 1 is not the documented one
        assert service.requests == []
    assert "contoso: taken from the interrupted run" in resumed.err
    assert not kept.exists()
    assert {path.name: path.read_bytes() for path in (resumed.folder / "evidence" / "contoso").iterdir()} == evidence
    assert verify_run(resumed.folder) == ()
    assert sorted(output.iterdir()) == sorted([anew.folder, resumed.folder])


def run_command(folder: Path, what: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own, with one command that does `what`."""
    (folder / "another.py").write_text(
        "import atexit, os, threading, time\n"
        "from auditor.__main__ import run_process\n"
        "from auditor.cli.app import app\n"
        f"app.command('another')(lambda: {what})\n"
        "run_process()\n"
    )
    return subprocess.run(
        [sys.executable, "-m", "another", "another"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(REPOSITORY)])},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("is_read", [True, False])
def test_nothing_is_cleaned_up_under_a_read_that_nobody_waits_for(tmp_path: Path, is_read: bool) -> None:
    read = "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()"
    process = run_command(tmp_path, f"(atexit.register(os._exit, 99), print('said'), {read if is_read else 0})")
    assert (process.returncode, process.stdout) == (0 if is_read else 99, "said\n"), process.stderr


@pytest.mark.parametrize("how", ["SIGINT", "SIGTERM"])
def test_a_stop_has_its_exit_code_even_while_a_module_is_loaded(tmp_path: Path, how: str) -> None:
    loading = f"import os, signal, time; os.kill(os.getpid(), signal.{how}); time.sleep(60)"
    process = run_command(tmp_path, f"exec({loading!r})")
    assert (process.returncode, process.stdout) == (130, ""), process.stderr
    assert process.stderr.splitlines() == ["auditor: interrupted; exit 130 (interrupted)"]


def test_a_stop_while_judging_keeps_nothing_of_the_judgement(
    auditor: Auditor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    inventory = record(tmp_path, corp=COMPLIANT.evidence())
    options = ("-c", inventory, "-o", tmp_path / "runs", "-f", "json")
    with monkeypatch.context() as patch:
        patch.setattr("auditor.history.run_folder._flush", stop)  # as late as can be: the manifest is written
        stopped_run = auditor("run", *options)
    assert (stopped_run.code, stopped_run.out) == (130, "")
    (kept,) = (tmp_path / "runs").iterdir()
    assert not (kept / "manifest.json").exists()
    assert auditor("run", *options, "--resume").code == 0
    assert [each.name.startswith(".") for each in (tmp_path / "runs").iterdir()] == [False]


def test_judging_again_and_rendering_keep_nothing_when_stopped(
    auditor: Auditor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    inventory = record(tmp_path, corp=COMPLIANT.evidence())
    finished = auditor("run", "-c", inventory, "-o", tmp_path / "runs", "-f", "json")
    monkeypatch.setattr("auditor.history.run_folder._flush", stop)
    for command in ("evaluate", "report"):
        again = auditor(command, finished.folder, "-o", tmp_path / "again", "-f", "json")
        assert (again.code, again.out) == (130, "")
        assert list((tmp_path / "again").iterdir()) == []
