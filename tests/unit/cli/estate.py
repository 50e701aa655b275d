"""Inventories of recorded connections, and the command line in this process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from auditor.cli import main
from tests.unit.evaluate.composed import REFUSED
from tests.unit.evaluate.composed_directory import DELEGATES, DOMAIN_USERS, USERS, Directory, service_account
from tests.unit.evaluate.composed_tenant import Tenant
from tests.unit.evaluate.recorded import write_evidence

if TYPE_CHECKING:
    from auditor.model.evidence import Evidence

REPOSITORY = Path(__file__).parents[3]
NOW = "2026-11-23T08:00:00Z"
COMPLIANT = Directory()
DEVIATING = Directory(accounts=(service_account("H2R Delegates"),), token=(DOMAIN_USERS, USERS, DELEGATES))
OPEN = Tenant(gaps={("consent_grants", ""): REFUSED})


def record(folder: Path, **connections: Evidence) -> Path:
    """Write evidence and an inventory that replays it; return the inventory's path."""
    entries = []
    for name, evidence in connections.items():
        write_evidence(evidence, folder / "evidence" / name)
        entries.append({"id": name, "kind": str(evidence.connection.kind), "replay": f"evidence/{name}"})
    return write_inventory(folder, entries)


def write_inventory(folder: Path, entries: list[dict[str, Any]], **top: Any) -> Path:
    """Write an inventory file and return its path."""
    path = folder / "inventory.json"
    content = {"version": 1, "organisation": "Contoso", "connections": entries, **top}
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What a command left: its exit code and what it said where."""

    code: int
    out: str
    err: str

    @property
    def last_line(self) -> str:
        """The last line on standard error."""
        return self.err.splitlines()[-1]

    @property
    def folder(self) -> Path:
        """The run folder, which is all that standard output holds."""
        (line,) = self.out.splitlines()
        return Path(line)

    @property
    def results(self) -> dict[str, Any]:
        """The record of the run."""
        found: dict[str, Any] = json.loads((self.folder / "results.json").read_text(encoding="utf-8"))
        return found


def start(*arguments: str | Path, **environment: str) -> subprocess.Popen[bytes]:
    """Start a command as a process of its own, with these environment variables more."""
    return subprocess.Popen(
        [sys.executable, "-m", "auditor", *map(str, arguments)],
        cwd=REPOSITORY,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


class Auditor:
    """Runs `auditor` in this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *arguments: str | Path) -> Finished:
        """Run a command to its end."""
        self._monkeypatch.setattr(sys, "argv", ["auditor", *map(str, arguments)])
        with pytest.raises(SystemExit) as finished:
            main()
        told = self._capsys.readouterr()
        code = finished.value.code
        return Finished(code=code if isinstance(code, int) else 0, out=told.out, err=told.err)
