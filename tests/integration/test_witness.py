"""The domain controller as witness: with the connection's own password it is asked what it computes itself."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from auditor.cli import main
from tests.integration.audits import CASES, directory_inventory
from tests.lab.estate import LAB_PASSWORD

if TYPE_CHECKING:
    from pathlib import Path

    from tests.lab.domain_controller import DomainController

pytestmark = pytest.mark.directory


def witnessed(
    controller: DomainController,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    *names: str,
    password: str = LAB_PASSWORD,
) -> dict[str, Any]:
    """Audit cases with their accounts' own password, and return the record."""
    inventory = directory_inventory(controller, [CASES[name] for name in names])
    for connection in inventory["connections"]:
        connection["password"] = "env:OWN_PASSWORD"
    file = folder / "inventory.json"
    file.write_text(json.dumps(inventory), encoding="utf-8")
    monkeypatch.setenv("LAB_PASSWORD", LAB_PASSWORD)
    monkeypatch.setenv("OWN_PASSWORD", password)
    arguments = ["run", "-q", "-c", str(file), "-o", str(folder / "runs"), "-f", "json"]
    monkeypatch.setattr(sys, "argv", ["auditor", *arguments])
    with pytest.raises(SystemExit):
        main()
    (run,) = (folder / "runs").iterdir()
    for path in run.rglob("*"):
        assert path.is_dir() or password.encode() not in path.read_bytes(), path
    results: dict[str, Any] = json.loads((run / "results.json").read_text(encoding="utf-8"))
    return results


def test_agreement_is_told_for_every_target_ou(
    domain_controller: DomainController, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("exact", "denied", "superset", "da-nested")
    results = witnessed(domain_controller, tmp_path, monkeypatch, *names)
    told = {(each["scope"], each["outcome"]) for each in results["findings"] if each["check"] == "AD-COL-012"}
    targets = {domain_controller.dn(target.dn) for name in names for target in CASES[name].targets}
    assert told == {(target, "advisory") for target in targets}


def test_a_difference_is_a_finding_of_its_own(
    domain_controller: DomainController, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Samba leaves the groups out of its token that Everyone is in: here the two truly differ."""
    results = witnessed(domain_controller, tmp_path, monkeypatch, "well-known")
    (finding,) = [
        each for each in results["findings"] if each["check"] == "AD-COL-012" and each["outcome"] == "unverifiable"
    ]
    assert finding["scope"] == domain_controller.dn("OU=world,OU=Targets")
    assert "only the evaluation grants: create user" in finding["actual"]


def test_a_wrong_password_costs_the_witness_and_nothing_else(
    domain_controller: DomainController, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = witnessed(domain_controller, tmp_path, monkeypatch, "exact", password="no such Passw0rd!")
    (connection,) = results["connections"]
    assert {row["id"]: row["outcome"] for row in connection["requirements"]}["M8"] == "satisfied"
    (source,) = [each for each in connection["sources"] if each["dataset"] == "effective_rights"]
    assert not source["complete"]
    assert "own password" in source["missing_permission"]
    assert not [each for each in results["findings"] if each["check"] == "AD-COL-012" and each["outcome"] == "advisory"]
