"""The whole tool against the real domain controller: every case of the lab gets the answer that is known."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.lab.cases import AUDITOR
from tests.lab.estates import KNOWN_ANSWERS
from tests.lab.domain_controller import LAB_PASSWORD

if TYPE_CHECKING:
    from pathlib import Path

    from tests.lab.cases import Case
    from tests.lab.domain_controller import DomainController

CASES = {case.name: case for case in KNOWN_ANSWERS.cases}


@pytest.fixture(scope="session")
def audited(domain_controller: DomainController, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Audit one hybrid connection per case with `auditor run`, as a user would, and return the record."""
    folder = tmp_path_factory.mktemp("known-answers")
    inventory = folder / "inventory.json"
    inventory.write_text(json.dumps(_inventory(domain_controller)), encoding="utf-8")
    finished = subprocess.run(
        [sys.executable, "-m", "auditor", "run", "-c", str(inventory), "-o", str(folder / "runs"), "-f", "json"],
        env={**os.environ, "LAB_PASSWORD": LAB_PASSWORD}, capture_output=True, text=True, check=False,
    )
    assert finished.returncode == 1, finished.stderr
    results: dict[str, Any] = json.loads((folder_of(finished.stdout) / "results.json").read_text(encoding="utf-8"))
    return results


def folder_of(stdout: str) -> Path:
    from pathlib import Path  # noqa: PLC0415

    return Path(stdout.strip())


def _inventory(controller: DomainController) -> dict[str, Any]:
    password = "env:LAB_PASSWORD"
    return {
        "version": 1,
        "organisation": "Lab",
        "defaults": {"auditor": {"active_directory": {
            "username": controller.user_principal_name(AUDITOR), "password": password,
        }}},
        "connections": [_connection(controller, case) for case in CASES.values()],
    }


def _connection(controller: DomainController, case: Case) -> dict[str, Any]:
    return {
        "id": case.name, "kind": "hybrid", "name": case.why, "hosts": [controller.address],
        "tls_server_name": controller.domain.host_name, "ca_file": str(controller.ca_file),
        "base_dns": [controller.domain.head], "username": controller.user_principal_name(case.account),
        "target_ous": [controller.dn(target.dn) for target in case.targets],
    }


def _of(results: dict[str, Any], name: str) -> dict[str, Any]:
    return next(connection for connection in results["connections"] if connection["id"] == name)


@pytest.mark.directory
@pytest.mark.parametrize("name", CASES)
def test_domain_admins_as_known(audited: dict[str, Any], name: str) -> None:
    row = next(row for row in _of(audited, name)["requirements"] if row["id"] == "M7")
    assert row["outcome"] == CASES[name].domain_admins, row["reason"]


@pytest.mark.directory
@pytest.mark.parametrize("name", CASES)
def test_delegation_as_known(
    audited: dict[str, Any], name: str, domain_controller: DomainController
) -> None:
    rows = {row["scope"]: row for row in _of(audited, name)["requirements"] if row["id"] == "M8"}
    told = {ou: (row["outcome"], row["reason"]) for ou, row in rows.items()}
    known = {domain_controller.dn(target.dn): str(target.delegation) for target in CASES[name].targets}
    assert {ou: outcome for ou, (outcome, _) in told.items()} == known, told


@pytest.mark.directory
@pytest.mark.parametrize("name", CASES)
def test_without_domain_admins_is_the_same_judgement(audited: dict[str, Any], name: str) -> None:
    connection = _of(audited, name)
    rows = {row["scope"]: row["outcome"] for row in connection["requirements"] if row["id"] == "M8"}
    assert {each["scope"]: each["outcome"] for each in connection["without_domain_admins"]} == rows


@pytest.mark.directory
@pytest.mark.parametrize("name", CASES)
def test_excess_groups_as_known(audited: dict[str, Any], name: str) -> None:
    excess = {
        each["name"] for each in _of(audited, name)["entitlements"]
        if each["kind"] == "ad_group" and each["status"] == "excess"
    }
    assert excess == CASES[name].excess_groups
    found = {finding["entitlement"] for finding in audited["findings"]
             if finding["connection"] == name and finding["check"] in ("AD-GRP-004", "AD-GRP-005")}
    assert len(found) == len(excess)


@pytest.mark.directory
def test_tls_is_as_documented(audited: dict[str, Any]) -> None:
    rows = [row for connection in audited["connections"] for row in connection["requirements"] if row["id"] == "M9"]
    assert len(rows) == len(CASES)
    assert {row["outcome"] for row in rows} == {"satisfied"}
