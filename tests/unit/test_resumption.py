"""What of an interrupted run need not be read again: whole, fresh, of the same connection and inventory."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from auditor.history.lock import locked
from auditor.inventory.entries import LiveEntry
from auditor.model.evidence import Gap, GapKind
from auditor.model.sign_in import KerberosSignIn
from auditor.preparation import prepare
from auditor.recorded_run import write_inputs
from auditor.resumption import holds_evidence, interrupted_runs, read_before
from tests.unit.cli.estate import COMPLIANT, OPEN, record
from tests.unit.evaluate.composed import NOW
from tests.unit.evaluate.composed_directory import HOST, STAFF, Directory
from tests.unit.evaluate.composed_tenant import Tenant
from tests.unit.evaluate.recorded import write_evidence

if TYPE_CHECKING:
    from pathlib import Path

    from auditor.model.evidence import Evidence


def entry(evidence: Evidence) -> LiveEntry:
    """Return the entry of an inventory that the evidence was collected for."""
    return LiveEntry(
        connection=evidence.connection, sign_in=KerberosSignIn(username=None), own_password=None, secret_uses=()
    )


def left_behind(folder: Path, name: str, *systems: Evidence, tool_version: str = "1") -> tuple[Path, Path]:
    """Write what an interrupted run of an inventory left; return that inventory and the folder."""
    inventory = record(folder / "estate", one=COMPLIANT.evidence()) if not (folder / "estate").exists() else (
        folder / "estate" / "inventory.json"
    )
    left = folder / "runs" / f".incomplete-{name}"
    left.mkdir(parents=True)
    prepared = prepare(inventory, (), lambda place: place)
    write_inputs(left, prepared, operator="me", host="here", tool_version=tool_version, argv=())
    for evidence in systems:
        write_evidence(evidence, left / "evidence" / evidence.connection.id)
    return inventory, left


@pytest.mark.parametrize("system", [Directory(), Tenant(), OPEN])
def test_whole_evidence_of_the_last_day_is_taken(tmp_path: Path, system: Directory | Tenant) -> None:
    evidence = system.evidence()
    _, left = left_behind(tmp_path, "a", evidence)
    found = read_before([left], entry(evidence), NOW + timedelta(hours=23))
    assert found == left / "evidence" / evidence.connection.id
    assert read_before([left], entry(evidence), NOW + timedelta(hours=25)) is None
    assert read_before([left], entry(evidence), NOW - timedelta(seconds=1)) is None  # the clock was moved back
    other = replace(evidence.connection, name="another name")
    assert read_before([left], replace(entry(evidence), connection=other), NOW) is None


@pytest.mark.parametrize("kind", list(GapKind))
def test_what_another_try_could_read_is_read_again(tmp_path: Path, kind: GapKind) -> None:
    gap = Gap(kind=kind, message="composed")
    evidence = Directory(gaps={("containers", STAFF): gap}).evidence()
    _, left = left_behind(tmp_path, "a", evidence)
    transient = {"unreachable", "timed_out", "throttled", "incomplete", "malformed"}
    assert (read_before([left], entry(evidence), NOW) is None) == (kind in transient)
    unreachable = Directory(gaps={("host", HOST): gap}).evidence()
    _, later = left_behind(tmp_path, "b", unreachable)
    assert (read_before([later], entry(unreachable), NOW) is None) == (kind in transient)


@pytest.mark.parametrize("damage", ["half", "altered", "cut", "none"])
def test_evidence_that_is_not_whole_is_not_taken(tmp_path: Path, damage: str) -> None:
    evidence = COMPLIANT.evidence()
    _, left = left_behind(tmp_path, "a", evidence)
    folder = left / "evidence" / evidence.connection.id
    sources = folder / "sources.json"
    if damage == "half":
        sources.unlink()
    elif damage == "altered":
        with next(folder.glob("*-account.jsonl")).open("ab") as stream:
            stream.write(b"{}\n")
    elif damage == "cut":
        sources.write_bytes(sources.read_bytes()[:100])
    assert holds_evidence(left) == (damage != "half")
    assert (read_before([left], entry(evidence), NOW) is None) == (damage != "none")


def test_only_what_nobody_fills_of_the_same_inventory_and_version_is_looked_at(tmp_path: Path) -> None:
    evidence = COMPLIANT.evidence()
    inventory, first = left_behind(tmp_path, "a", evidence)
    _, second = left_behind(tmp_path, "b", evidence)
    left_behind(tmp_path, "c", evidence, tool_version="2")
    _, elsewhere = left_behind(tmp_path, "d", evidence)
    (elsewhere / "inputs" / "inventory.json").write_text("{}")
    (tmp_path / "runs" / ".incomplete-e").mkdir()
    os.utime(first / "inputs" / "run.json", (2e9, 2e9))
    assert interrupted_runs(tmp_path / "runs", inventory, "1") == (first, second)
    with locked(first):
        assert interrupted_runs(tmp_path / "runs", inventory, "1") == (second,)
    newest = read_before((second, first), entry(evidence), NOW)
    assert newest is not None
    assert newest.is_relative_to(second)
