"""The command line as a process of its own: imports, interrupts, encodings."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.unit.cli.estate import COMPLIANT, NOW, record, write_inventory

HEAVY = ("pandas", "weasyprint", "ldap3", "msal", "requests", "jinja2", "pikepdf", "cryptography", "gssapi")
REPOSITORY = Path(__file__).parents[3]


def start(*arguments: str | Path, **environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "auditor", *map(str, arguments)],
        cwd=REPOSITORY,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["connections", "--help"], ["--version"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    program = (
        "import sys; sys.argv = ['auditor', *sys.argv[1:]]\n"
        "from auditor.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print('LOADED', sorted({HEAVY} & sys.modules.keys()))".replace(str(HEAVY), str(set(HEAVY)))
    )
    finished = subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert finished.stdout.splitlines()[-1] == "LOADED []"


@pytest.fixture
def silent_server():
    """A server that accepts connections and never says a word; yields its port and when somebody came."""
    came = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        accepted = []

        def accept() -> None:
            try:
                while True:
                    accepted.append(listener.accept()[0])
                    came.set()
            except OSError:
                return

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield listener.getsockname()[1], came
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(timeout=5)
        for connection in accepted:
            connection.close()


@pytest.mark.skipif(os.name == "nt", reason="interrupts are sent in another way")
@pytest.mark.parametrize("command", ["run", "collect"])
def test_an_interrupt_ends_a_hanging_collection_with_130_and_leaves_nothing(
    tmp_path: Path, silent_server: tuple[int, threading.Event], command: str
) -> None:
    port, came = silent_server
    entry = {
        "id": "corp",
        "kind": "hybrid",
        "hosts": ["127.0.0.1"],
        "port": port,
        "base_dns": ["DC=corp,DC=example,DC=com"],
        "username": "svc@corp.example.com",
        "target_ous": ["OU=Staff,DC=corp,DC=example,DC=com"],
        "auditor": {"active_directory": {"username": "audit@corp.example.com", "password": "env:AUDIT_PASSWORD"}},
    }
    inventory = write_inventory(tmp_path, [entry])
    process = start(command, "-c", inventory, "-o", tmp_path / "runs", AUDIT_PASSWORD="S3cret-of-the-test")
    try:
        assert came.wait(timeout=30), "the collection never started"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, out) == (130, b""), err
    assert b"exit 130 (interrupted)" in err.splitlines()[-1]
    assert b"Traceback" not in err
    assert b"S3cret" not in err
    assert list((tmp_path / "runs").iterdir()) == []


def test_standard_output_holds_the_run_folder_and_nothing_else(tmp_path: Path) -> None:
    inventory = record(tmp_path, one=COMPLIANT.evidence())
    process = start("run", "-c", inventory, "-o", tmp_path / "runs", "-f", "json", "--now", NOW)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    (folder,) = (tmp_path / "runs").iterdir()
    assert out.decode().splitlines() == [str(folder)]
    assert err.decode().splitlines()[-1].startswith("auditor: compliant; ")
    assert json.loads((folder / "results.json").read_text())["run"]["argv"][-1] == NOW


def test_a_name_that_the_terminal_cannot_show_is_no_bug(tmp_path: Path) -> None:
    folder = tmp_path / "Łódź"
    folder.mkdir()
    inventory = record(folder, one=COMPLIANT.evidence())
    process = start("connections", "list", "-c", inventory, PYTHONIOENCODING="cp1252")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
