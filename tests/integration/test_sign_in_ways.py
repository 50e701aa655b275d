"""Every way to sign in to Microsoft 365, from the inventory to the evidence, with the real command line."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from auditor.cli import main
from tests.integration.audits import tenant_inventory
from tests.microsoft365.certificates import issue_application_certificate
from tests.microsoft365.scenarios import SCENARIOS
from tests.microsoft365.service import LocalMicrosoft365
from tests.microsoft365.wire import System

if TYPE_CHECKING:
    from pathlib import Path

APPLICATION = issue_application_certificate()
SCENARIO = SCENARIOS["exact"]()
TENANT = replace(
    SCENARIO.tenant,
    auditor=replace(
        SCENARIO.tenant.auditor,
        certificates=(APPLICATION.certificate,),
        federated_tokens=("composed.federated.token",),
        has_machine_identity=True,
    ),
)
IDS = {"tenant_id": TENANT.id, "client_id": TENANT.auditor.client_id}


@pytest.mark.parametrize(
    ("sign_in", "signed_in_as"),
    [
        ({**IDS, "certificate": "file:audit.pem"}, f"application {IDS['client_id']}"),
        ({**IDS, "client_secret": "env:LAB_SECRET"}, f"application {IDS['client_id']}"),
        ({**IDS, "federated_token": "file:token"}, f"application {IDS['client_id']}"),
        ({"managed_identity": True}, "managed identity of this machine"),
        ({"managed_identity": True, "client_id": IDS["client_id"]}, f"managed identity {IDS['client_id']}"),
    ],
    ids=["certificate", "client secret", "federated token", "system-assigned", "user-assigned"],
)
def test_an_unattended_way_collects_everything_and_leaves_no_secret(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    sign_in: dict[str, Any],
    signed_in_as: str,
) -> None:
    (tmp_path / "audit.pem").write_text(APPLICATION.private_key + APPLICATION.certificate)
    (tmp_path / "token").write_text("composed.federated.token\n")
    monkeypatch.setenv("LAB_SECRET", TENANT.auditor.secrets[0].value)
    with LocalMicrosoft365(TENANT) as service:
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", service.machine)
        code, run = _collect(tmp_path, monkeypatch, capsys, service, sign_in)
        login = [request for request in service.requests if request.system is System.LOGIN]

    assert code == 0
    written = {path: path.read_text(encoding="utf-8") for path in run.rglob("*") if path.is_file()}
    evidence = json.loads(written[run / "evidence" / "contoso" / "connection.json"])
    assert evidence["collected_by"]["signed_in_as"].startswith(signed_in_as)
    assert bool(login) is ("managed_identity" not in sign_in)
    for confidential in (TENANT.auditor.secrets[0].value, "composed.federated.token", "PRIVATE KEY", "Bearer", "eyJ"):
        assert not [path for path, text in written.items() if confidential in text], confidential


def test_a_device_code_without_a_terminal_contacts_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with LocalMicrosoft365(TENANT) as service:
        code, _ = _collect(tmp_path, monkeypatch, capsys, service, {**IDS, "device_code": True})

    assert code == 2
    assert service.requests == []


def _collect(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    service: LocalMicrosoft365,
    sign_in: dict[str, Any],
) -> tuple[int, Path]:
    inventory = tenant_inventory(service, SCENARIO.service_account)
    inventory["defaults"]["auditor"]["microsoft365"] = sign_in
    file = folder / "inventory.json"
    file.write_text(json.dumps(inventory), encoding="utf-8")
    arguments = ["auditor", "collect", "-q", "-c", str(file), "-o", str(folder / "runs")]
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(SystemExit) as finished:
        main()
    return int(finished.value.code or 0), folder / capsys.readouterr().out.strip()
