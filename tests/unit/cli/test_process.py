"""The command line as a process of its own: imports, streams, encodings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.cli.estate import COMPLIANT, NOW, record, start

HEAVY = ("pandas", "weasyprint", "ldap3", "msal", "requests", "jinja2", "pikepdf", "cryptography", "gssapi")
REPOSITORY = Path(__file__).parents[3]


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


def test_what_judges_is_loaded_while_sources_are_waited_for(tmp_path: Path) -> None:
    sign_in = {"username": "auditor@corp.example.com", "password": "env:PASSWORD"}
    connection = {
        "id": "corp", "kind": "hybrid", "hosts": ["dc1.corp.example.com"], "base_dns": ["DC=corp,DC=example,DC=com"],
        "username": "svc-h2r@corp.example.com", "target_ous": ["OU=Users,DC=corp,DC=example,DC=com"],
        "auditor": {"active_directory": sign_in},
    }  # fmt: skip
    inventory = {"version": 1, "organisation": "Contoso", "connections": [connection]}
    (tmp_path / "inventory.json").write_text(json.dumps(inventory))
    program = (
        "import os, sys, time\n"
        "from auditor import collection\n"
        "from auditor.cli import main\n"
        "def judges(): return 'auditor.concluded_run' in sys.modules, 'auditor.evaluate.evaluate' in sys.modules\n"
        "def wait_for_source(*_):\n"
        "    print(*judges())\n"
        "    latest = time.monotonic() + 60\n"
        "    while not all(judges()) and time.monotonic() < latest: time.sleep(0.01)\n"
        "    print(*judges(), flush=True)\n"
        "    os._exit(0)\n"
        "collection.collect_entry = wait_for_source\n"
        "sys.argv = ['auditor', 'run', '-c', 'inventory.json', '-o', 'runs', '-f', 'json']\n"
        "main()"
    )
    finished = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PASSWORD": "secret", "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.stdout.splitlines() == ["False False", "True True"], finished.stderr


def test_standard_output_holds_the_run_folder_and_nothing_else(tmp_path: Path) -> None:
    inventory = record(tmp_path, one=COMPLIANT.evidence())
    process = start("run", "-c", inventory, "-o", tmp_path / "runs", "-f", "json", "--now", NOW)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    (folder,) = (tmp_path / "runs").iterdir()
    assert out.decode().splitlines() == [str(folder)]
    assert err.decode().splitlines()[-1].startswith("auditor: compliant; ")
    assert json.loads((folder / "results.json").read_text())["run"]["argv"][-1] == NOW


@pytest.mark.parametrize("arguments", [["checks", "list", "--json"], ["matrix", "show"]])
def test_a_reader_that_goes_away_is_a_failure_and_no_finding(arguments: list[str]) -> None:
    with start(*arguments) as process:
        assert process.stdout is not None
        process.stdout.close()  # as `head` does when it has seen enough
        assert process.stderr is not None
        told = process.stderr.read().decode()
        assert process.wait(timeout=60) == 4, told
    assert told.splitlines()[-1].startswith("auditor: whatever reads standard output stopped")


def test_a_name_that_the_terminal_cannot_show_is_no_bug(tmp_path: Path) -> None:
    folder = tmp_path / "Łódź"
    folder.mkdir()
    inventory = record(folder, one=COMPLIANT.evidence())
    process = start("connections", "list", "-c", inventory, PYTHONIOENCODING="cp1252")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
