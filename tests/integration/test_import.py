"""`auditor collect --import`: what an administrator exported is judged as what the service itself says.

The exports are composed: the script that writes them needs PowerShell and Exchange Online.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from auditor.cli import main
from tests.integration.audits import tenant_inventory
from tests.microsoft365.caller import Caller
from tests.microsoft365.exchange_export import EXPORTED_AT, EXPORTED_BY, compose_export, exported_properties, script
from tests.microsoft365.scenarios import SCENARIOS
from tests.microsoft365.service import LocalMicrosoft365
from tests.microsoft365.wire import System
from tests.unit.least_privilege.powershell import commands, methods, syntax_errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.microsoft365.scenarios import Scenario

    Auditor = Callable[..., tuple[int, str, str]]

# Each a different way to hold or to lack the roles, so that a property that is not exported shows
CHOSEN = sorted({*list(SCENARIOS)[::4], "exact", "nested_mail_enabled_security_group"} - {"crowd_in_member_group"})


@pytest.fixture
def auditor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Auditor:
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["auditor", *map(str, arguments)])
        with pytest.raises(SystemExit) as finished:
            main()
        told = capsys.readouterr()
        return int(finished.value.code or 0), told.out.strip(), told.err

    return run


def prepare(service: LocalMicrosoft365, scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Write the inventory, and return an export of the tenant."""
    inventory = tenant_inventory(service, scenario.service_account)
    Path("inventory.json").write_text(json.dumps(inventory), encoding="utf-8")
    monkeypatch.setenv("LAB_SECRET", service.tenant.auditor.secrets[0].value)
    with requests.Session() as session:
        session.trust_env = False
        session.verify = str(service.ca_file)
        user = service.tenant.user(scenario.service_account)
        accounts = [scenario.service_account, *([user.id] if user else [])]
        export = compose_export(Caller(service, session), *accounts)
    Path("export.json").write_text(json.dumps(export), encoding="utf-8")
    service.requests.clear()
    return export


def results_of(auditor: Auditor, evidence: str, output: str) -> dict[str, Any]:
    _, folder, err = auditor("evaluate", evidence, "-o", output, "-q", "--now", "2026-11-23T08:00:00Z")
    assert folder, err
    results: dict[str, Any] = json.loads((Path(folder) / "results.json").read_text(encoding="utf-8"))
    return results


@pytest.mark.parametrize("name", CHOSEN)
def test_an_export_is_judged_as_the_service_itself(
    auditor: Auditor, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    scenario = SCENARIOS[name]()
    with LocalMicrosoft365(scenario.tenant) as service:
        prepare(service, scenario, monkeypatch)
        _, live, _ = auditor("collect", "-c", "inventory.json", "-o", "live", "-q")
        service.requests.clear()
        _, imported, err = auditor("collect", "-c", "inventory.json", "-o", "imported", "-q", "--import", "export.json")
        assert imported, err
        assert not [each for each in service.requests if each.system is System.EXCHANGE]

    expected, found = results_of(auditor, live, "a"), results_of(auditor, imported, "b")

    def judged(results: dict[str, Any]) -> Any:
        (connection,) = results["connections"]
        rows = [(row["id"], row["outcome"], row["how"], row["paths"]) for row in connection["requirements"]]
        return rows, sorted((each["key"], each["outcome"], each["severity"]) for each in results["findings"])

    assert judged(found) == judged(expected)
    assert found["summary"] == expected["summary"]


def test_what_was_supplied_is_marked_everywhere(auditor: Auditor, monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = SCENARIOS["exact"]()
    with LocalMicrosoft365(scenario.tenant) as service:
        prepare(service, scenario, monkeypatch)
        code, evidence, _ = auditor("collect", "-c", "inventory.json", "-o", "runs", "-q", "--import", "export.json")
    assert code == 0

    _, folder, _ = auditor("evaluate", evidence, "-o", "judged", "-q", "-f", "json,html,csv")
    results = json.loads((Path(folder) / "results.json").read_text(encoding="utf-8"))
    (connection,) = results["connections"]
    supplied = [each for each in connection["sources"] if "supplied" in each["query"]]

    assert {each["dataset"] for each in supplied} >= {"role_groups", "management_roles", "exchange_user"}
    assert {each["endpoint"] for each in supplied} == {f"supplied: export.json, exported by {EXPORTED_BY}"}
    assert {each["started_at"] for each in supplied} == {EXPORTED_AT.replace("Z", ".000Z")}
    assert not [each for each in connection["sources"] if each not in supplied and "Get-" in str(each["query"])]
    (limitation,) = [each for each in results["limitations"] if each.startswith("contoso: Exchange Online was not")]
    assert supplied[0]["query"]["supplied"]["sha256"] in limitation
    page = (Path(folder) / "report.html").read_text(encoding="utf-8").replace("<wbr>", "")
    assert "Exchange Online was not asked" in page
    assert f"supplied: export.json, exported by {EXPORTED_BY}" in page


def test_what_is_not_in_the_export_is_not_verified(auditor: Auditor, monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = SCENARIOS["exact"]()
    with LocalMicrosoft365(scenario.tenant) as service:
        export = prepare(service, scenario, monkeypatch)
        without = [call for call in export["calls"] if call["cmdlet"] != "Get-ManagementRoleAssignment"]
        Path("export.json").write_text(json.dumps({**export, "calls": without}), encoding="utf-8")
        code, evidence, _ = auditor("collect", "-c", "inventory.json", "-o", "runs", "-q", "--import", "export.json")

    assert code == 3
    results = results_of(auditor, evidence, "judged")
    outcomes = {row["id"]: row["outcome"] for row in results["connections"][0]["requirements"]}
    assert outcomes["M1"] == "unverifiable"
    assert "missing" not in outcomes.values()


def test_an_export_of_another_tenant_counts_for_nothing(auditor: Auditor, monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = SCENARIOS["exact"]()
    with LocalMicrosoft365(scenario.tenant) as service:
        export = prepare(service, scenario, monkeypatch)
        other = {**export, "tenant_id": "00000000-0000-0000-0000-00000000000a"}
        Path("export.json").write_text(json.dumps(other), encoding="utf-8")
        code, evidence, _ = auditor("collect", "-c", "inventory.json", "-o", "runs", "-q", "--import", "export.json")

    assert code == 3
    outcomes = {
        row["id"]: row["outcome"] for row in results_of(auditor, evidence, "judged")["connections"][0]["requirements"]
    }
    assert {outcomes[each] for each in ("M1", "M2", "M3", "M5")} == {"unverifiable"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is no export"),
        (b"\xff", "is no export"),
        (b"[]", "is no export"),
        (b'{"format": "other"}', "is no export"),
        (None, "cannot be read"),
    ],
)
def test_a_file_that_is_no_export_contacts_nobody(
    auditor: Auditor, monkeypatch: pytest.MonkeyPatch, content: bytes | None, words: str
) -> None:
    scenario = SCENARIOS["exact"]()
    with LocalMicrosoft365(scenario.tenant) as service:
        prepare(service, scenario, monkeypatch)
        Path("export.json").unlink()
        if content is not None:
            Path("export.json").write_bytes(content)
        code, _, err = auditor("collect", "-c", "inventory.json", "-o", "runs", "--import", "export.json")

    assert code == 2
    assert words in err
    assert "doctor --script exchange-export" in err
    assert service.requests == []
    assert not Path("runs").exists()


def test_an_export_is_for_one_tenant(auditor: Auditor, monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = SCENARIOS["exact"]()
    with LocalMicrosoft365(scenario.tenant) as service:
        prepare(service, scenario, monkeypatch)
        inventory = json.loads(Path("inventory.json").read_text(encoding="utf-8"))
        (first,) = inventory["connections"]
        inventory["connections"].append({**first, "id": "other", "tenant": "other.onmicrosoft.example"})
        Path("inventory.json").write_text(json.dumps(inventory), encoding="utf-8")
        code, _, err = auditor("collect", "-c", "inventory.json", "-o", "runs", "--import", "export.json")

    assert code == 2
    assert "an export is of one tenant" in err
    assert service.requests == []


def test_the_script_only_reads_and_writes_one_file() -> None:
    text = script()

    assert syntax_errors(text) == []
    own = {"Format-Instant", "Format-Value", "Read-Answer"}
    harmless = {"Connect-ExchangeOnline", "ConvertTo-Json", "ForEach-Object", "Get-ConnectionInformation", "Out-Null"}
    assert commands(text) - own - harmless == set(exported_properties())
    assert all(name.startswith("Get-") for name in exported_properties())
    assert methods(text) == {
        "Add", "GetUnresolvedProviderPathFromPSPath", "ToArray", "ToString", "ToUniversalTime", "WriteAllText", "new",
    }


def test_the_command_prints_the_script(auditor: Auditor, monkeypatch: pytest.MonkeyPatch) -> None:
    code, out, _ = auditor("doctor", "--script", "exchange-export")

    assert code == 0
    assert out == script().strip()


def test_names_and_exports_from_outside_are_no_paths(auditor: Auditor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hostile texts in an export stay texts."""
    scenario = SCENARIOS["exact"]()
    hostile = "\u202e\x1b[2J<script>alert(1)</script>"
    with LocalMicrosoft365(replace(scenario.tenant)) as service:
        export = prepare(service, scenario, monkeypatch)
        Path("export.json").write_text(json.dumps({**export, "exported_by": hostile}), encoding="utf-8")
        code, evidence, err = auditor("collect", "-c", "inventory.json", "-o", "runs", "--import", "export.json")

    assert code == 0
    assert "\x1b" not in err
    _, folder, _ = auditor("evaluate", evidence, "-o", "judged", "-q", "-f", "html")
    page = (Path(folder) / "report.html").read_text(encoding="utf-8")
    assert "<script>alert(1)" not in page
    assert "\u202e" not in page
