"""Whole audits with the real command line, shared by the integration tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from auditor.cli import main
from tests.lab.cases import AUDITOR
from tests.lab.estate import LAB_PASSWORD
from tests.lab.estates import KNOWN_ANSWERS
from tests.microsoft365.scenarios import VENDOR_APP_ID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.lab.cases import Case
    from tests.lab.domain_controller import DomainController
    from tests.microsoft365.scenarios import Scenario
    from tests.microsoft365.service import LocalMicrosoft365

    Audit = Callable[[LocalMicrosoft365, Scenario], "tuple[int, dict[str, Any]]"]

CASES = {case.name: case for case in KNOWN_ANSWERS.cases}


@pytest.fixture(scope="session")
def audited(audited_folder: Path) -> dict[str, Any]:
    """Return the record of the run over all cases."""
    results: dict[str, Any] = json.loads((audited_folder / "results.json").read_text(encoding="utf-8"))
    return results


@pytest.fixture(scope="session")
def audited_folder(domain_controller: DomainController, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Audit one hybrid connection per case with `auditor run`, as a user would, and return the run folder."""
    folder = tmp_path_factory.mktemp("known-answers")
    inventory = folder / "inventory.json"
    inventory.write_text(json.dumps(directory_inventory(domain_controller, CASES.values())), encoding="utf-8")
    finished = subprocess.run(
        [
            sys.executable,
            "-m",
            "auditor",
            "run",
            "-c",
            str(inventory),
            "-o",
            str(folder / "runs"),
            "-f",
            "json",
        ],
        env={**os.environ, "LAB_PASSWORD": LAB_PASSWORD},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 1, finished.stderr
    return Path(finished.stdout.strip())


def directory_inventory(controller: DomainController, cases: Iterable[Case]) -> dict[str, Any]:
    """Describe one hybrid connection per case."""
    password = "env:LAB_PASSWORD"
    return {
        "version": 1,
        "organisation": "Lab",
        "defaults": {
            "auditor": {
                "active_directory": {
                    "username": controller.user_principal_name(AUDITOR),
                    "password": password,
                }
            }
        },
        "connections": [_connection(controller, case) for case in cases],
    }


def _connection(controller: DomainController, case: Case) -> dict[str, Any]:
    return {
        "id": case.name,
        "kind": "hybrid",
        "name": case.why,
        "hosts": [controller.address],
        "tls_server_name": controller.domain.host_name,
        "ca_file": str(controller.ca_file),
        "base_dns": [controller.domain.head],
        "username": controller.user_principal_name(case.account),
        "target_ous": [controller.dn(target.dn) for target in case.targets],
    }


def tenant_inventory(service: LocalMicrosoft365, service_account: str) -> dict[str, Any]:
    """Describe one Exchange Online connection to the local service."""
    endpoints = service.endpoints
    return {
        "version": 1,
        "organisation": "Contoso",
        "defaults": {
            "auditor": {
                "microsoft365": {
                    "tenant_id": service.tenant.id,
                    "client_id": service.tenant.auditor.client_id,
                    "client_secret": "env:LAB_SECRET",
                }
            }
        },
        "connections": [
            {
                "id": "contoso",
                "kind": "exchange_online",
                "name": "Exchange Online",
                "tenant": service.tenant.initial_domain,
                "service_account": service_account,
                "vendor_app_id": VENDOR_APP_ID,
                "cloud": "custom",
                "endpoints": {
                    "login": endpoints.login,
                    "graph": endpoints.graph,
                    "exchange": endpoints.exchange,
                },
                "ca_file": str(service.ca_file),
            }
        ],
    }


@pytest.fixture
def audit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Audit:
    """Return a function that runs `auditor run` on a scenario and returns its exit code and record."""

    def run(service: LocalMicrosoft365, scenario: Scenario) -> tuple[int, dict[str, Any]]:
        file = tmp_path / "inventory.json"
        file.write_text(json.dumps(tenant_inventory(service, scenario.service_account)), encoding="utf-8")
        monkeypatch.setenv("LAB_SECRET", service.tenant.auditor.secrets[0].value)
        monkeypatch.setattr(
            sys, "argv", ["auditor", "run", "-q", "-c", str(file), "-o", str(tmp_path / "runs"), "-f", "json"]
        )
        with pytest.raises(SystemExit) as finished:
            main()
        folder = capsys.readouterr().out.strip()
        assert folder, "no run folder"
        return int(finished.value.code or 0), json.loads((Path(folder) / "results.json").read_text(encoding="utf-8"))

    return run


def outcomes(results: dict[str, Any]) -> dict[str, str]:
    """Return the outcome of every requirement of the one connection."""
    return {row["id"]: row["outcome"] for row in results["connections"][0]["requirements"]}
