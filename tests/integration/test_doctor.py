"""`auditor doctor` against a domain controller and the local Microsoft 365 service, as a user would run it."""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from auditor.cli import main
from auditor.least_privilege.rights import GRAPH_PERMISSIONS, RIGHTS
from tests.integration.audits import CASES, directory_inventory, tenant_inventory
from tests.lab.cases import TARGETS
from tests.lab.estate import LAB_PASSWORD
from tests.microsoft365.scenarios import SCENARIOS
from tests.microsoft365.service import LocalMicrosoft365
from tests.microsoft365.wire import System

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.lab.domain_controller import DomainController

SCENARIO = SCENARIOS["role_through_role_assignable_group"]()
# Graph takes these for the permissions they are listed with, too
COVERED_BY = {
    "Organization.Read.All": ("User.Read.All",),
    "RoleAssignmentSchedule.Read.Directory": ("RoleManagement.Read.Directory",),
    "RoleEligibilitySchedule.Read.Directory": ("RoleManagement.Read.Directory",),
}
SUPERSET = "Directory.Read.All"


@dataclass(frozen=True)
class Finished:
    code: int
    out: str
    err: str

    @property
    def reads(self) -> list[dict[str, Any]]:
        reads: list[dict[str, Any]] = json.loads(self.out)["connections"][0]["reads"]
        return reads

    @property
    def rights(self) -> dict[str, str]:
        return {each["name"]: each["in_place"] for each in json.loads(self.out)["connections"][0]["rights"]}


@pytest.fixture
def doctor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Finished]:
    """Return a function that runs `auditor doctor` on an inventory and checks that it leaves nothing behind."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()

    def run(inventory: dict[str, Any], *options: str) -> Finished:
        file = tmp_path / "inventory.json"
        file.write_text(json.dumps(inventory), encoding="utf-8")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(tempfile, "tempdir", str(scratch))
        monkeypatch.setattr(sys, "argv", ["auditor", "doctor", "-c", str(file), *options])
        with pytest.raises(SystemExit) as finished:
            main()
        assert sorted(path.name for path in tmp_path.iterdir()) == ["inventory.json", "scratch"]
        assert list(scratch.iterdir()) == []
        told = capsys.readouterr()
        return Finished(int(finished.value.code or 0), told.out, told.err)

    return run


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalMicrosoft365]:
    monkeypatch.setenv("LAB_SECRET", SCENARIO.tenant.auditor.secrets[0].value)
    with LocalMicrosoft365(SCENARIO.tenant, graph_page_size=1, exchange_page_size=2) as running:
        yield running


def without(*permissions: str) -> Any:
    auditor = SCENARIO.tenant.auditor
    return replace(
        SCENARIO.tenant, auditor=replace(auditor, graph_permissions=auditor.without_permissions(*permissions))
    )


def test_everything_can_be_read(doctor: Callable[..., Finished], service: LocalMicrosoft365) -> None:
    finished = doctor(tenant_inventory(service, SCENARIO.service_account), "--json")

    assert finished.code == 0, finished.out
    assert {read["state"] for read in finished.reads} == {"works"}
    assert set(finished.rights.values()) <= {"yes", "not_known"}
    assert "exit 0 (everything can be read)" in finished.err.splitlines()[-1]


def test_no_second_page_is_asked_for(doctor: Callable[..., Finished], service: LocalMicrosoft365) -> None:
    doctor(tenant_inventory(service, SCENARIO.service_account), "--json")

    assert not [each for each in service.requests if "$skiptoken" in each.query]
    assert {each.method for each in service.requests if each.system is System.GRAPH} == {"GET"}
    cmdlets = {each.cmdlet for each in service.requests if each.system is System.EXCHANGE}
    assert all(cmdlet and cmdlet.startswith("Get-") for cmdlet in cmdlets)


@pytest.mark.parametrize("permission", sorted(set(GRAPH_PERMISSIONS) - {SUPERSET}))
def test_each_missing_permission_is_named_for_each_read_that_needs_it(
    doctor: Callable[..., Finished], service: LocalMicrosoft365, permission: str
) -> None:
    service.tenant = without(permission, SUPERSET, *COVERED_BY.get(permission, ()))
    finished = doctor(tenant_inventory(service, SCENARIO.service_account), "--json")

    assert finished.code == 3
    named = {read["dataset"] for read in finished.reads if read["missing_right"].endswith(f" {permission}")}
    asked = {read["dataset"] for read in finished.reads}
    (right,) = (right for right in RIGHTS if right.name == permission)
    if "not_asked" not in {read["state"] for read in finished.reads}:
        assert named == right.datasets & asked
    assert named
    assert finished.rights[permission] == "no"


def test_neither_grant_at_exchange_is_named(doctor: Callable[..., Finished], service: LocalMicrosoft365) -> None:
    service.tenant = replace(
        SCENARIO.tenant, auditor=replace(SCENARIO.tenant.auditor, exchange_manage_as_app=False)
    )
    finished = doctor(tenant_inventory(service, SCENARIO.service_account))

    assert finished.code == 3
    assert "RIGHT MISSING  role_groups" in finished.out
    assert "grant: application role Exchange.ManageAsApp" in finished.out
    assert "MISSING        Exchange.ManageAsApp" in finished.out


def test_a_refused_sign_in_leaves_nothing_to_ask(doctor: Callable[..., Finished], service: LocalMicrosoft365) -> None:
    service.tenant = replace(SCENARIO.tenant, auditor=replace(SCENARIO.tenant.auditor, refused_with=53003))
    finished = doctor(tenant_inventory(service, SCENARIO.service_account), "--json")

    assert finished.code == 3
    assert {read["state"] for read in finished.reads} == {"failed", "not_asked"}
    assert any("Conditional Access policy blocks it" in read["message"] for read in finished.reads)
    assert set(finished.rights.values()) == {"not_known"}


def test_a_script_contacts_nobody_and_needs_no_secret(
    doctor: Callable[..., Finished], service: LocalMicrosoft365, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LAB_SECRET")
    finished = doctor(tenant_inventory(service, SCENARIO.service_account), "--script", "microsoft365")

    assert finished.code == 0
    assert finished.out.startswith("#Requires")
    assert service.requests == []
    other = doctor(tenant_inventory(service, SCENARIO.service_account), "--script", "active-directory")
    assert other.code == 2


@pytest.mark.directory
def test_the_auditor_of_the_lab_reads_all_that_is_open_and_is_told_what_is_not(
    doctor: Callable[..., Finished], domain_controller: DomainController, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAB_PASSWORD", LAB_PASSWORD)
    inventory = directory_inventory(domain_controller, [next(iter(CASES.values()))])
    hidden = [domain_controller.dn(f"OU={name},{TARGETS}") for name in ("unreadable", "empty-dacl", "nowhere")]
    inventory["connections"][0]["group_ous"] = hidden

    finished = doctor(inventory, "--json")

    assert finished.code == 3
    states = {(read["dataset"], read["subject"]): read for read in finished.reads}
    for dn in hidden[:2]:
        assert states["group_ou", dn]["state"] == "right_missing"
        assert "read permissions" in states["group_ou", dn]["missing_right"]
    assert states["group_ou", hidden[2]]["state"] == "not_found"
    for dataset in ("account", "auditing_identity", "groups", "token_groups", "domain"):
        assert states[dataset, ""]["state"] == "works"
    assert finished.rights["member of Windows Authorization Access Group"] == "yes"
    assert finished.rights["an ordinary account of the domain"] == "yes"
