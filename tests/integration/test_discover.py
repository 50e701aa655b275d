"""`auditor connections discover` against a domain controller and the local Microsoft 365 service."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from auditor.cli import main
from auditor.inventory.load import load_inventory
from auditor.matrix.load import known_profiles
from tests.integration.audits import CASES, directory_inventory, tenant_inventory
from tests.lab.estate import LAB_PASSWORD
from tests.microsoft365.faults import Fault, FaultKind, Match
from tests.microsoft365.scenarios import VENDOR_APP_ID
from tests.microsoft365.service import LocalMicrosoft365
from tests.microsoft365.tenant import Tenant, TenantBuilder
from tests.microsoft365.wire import System

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.lab.domain_controller import DomainController

    Discover = Callable[..., tuple[int, str, str]]

AUDITED = "svc-h2r@contoso.example"
ALL_THREE = ("Distribution Groups", "Mail Recipients", "Security Group Creation and Membership")


def tenant() -> Tenant:
    """People who hold documented roles in every way, and some who do not."""
    builder = TenantBuilder()
    audited = builder.user(AUDITED)
    inner = builder.role_group("Inner", members=[builder.user("nested@contoso.example")])
    everybody = builder.group("Everybody", mail_enabled=True, members=[builder.user("member@contoso.example"), audited])
    application = builder.service_principal("Some application")
    builder.role_group("H2R Provisioning", roles=ALL_THREE, members=[audited, inner, everybody, application])
    builder.role_group("Help", roles=["Reset Password"], members=[builder.user("help@contoso.example")])
    builder.assign_role("Mail Recipients", to=builder.user("direct@contoso.example"))
    builder.assign_role("Mail Recipients", to=builder.user("delegating@contoso.example"), delegating=True)
    builder.assign_role("Mail Recipients", to=builder.user("disabled@contoso.example"), enabled=False)
    copy = builder.custom_role("Fewer Recipients", parent="Mail Recipients", without=["Set-Mailbox"])
    builder.role_group("Fewer", roles=[copy], members=[builder.user("copy@contoso.example")])
    vendor = builder.service_principal("Hire2Retire", app_id=VENDOR_APP_ID)
    builder.consent(vendor, "User.ReadWrite.All Group.ReadWrite.All", principal=builder.user("told@contoso.example"))
    return builder.build()


TENANT = tenant()
EXPECTED = {"nested", "member", "direct", "copy"}


@pytest.fixture
def discover(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Discover:
    def run(inventory: dict[str, Any], *options: str) -> tuple[int, str, str]:
        file = tmp_path / "inventory.json"
        file.write_text(json.dumps(inventory), encoding="utf-8")
        monkeypatch.setenv("LAB_SECRET", TENANT.auditor.secrets[0].value)
        monkeypatch.setenv("LAB_PASSWORD", LAB_PASSWORD)
        monkeypatch.setattr(sys, "argv", ["auditor", "connections", "discover", "-c", str(file), *options])
        with pytest.raises(SystemExit) as finished:
            main()
        told = capsys.readouterr()
        return int(finished.value.code or 0), told.out, told.err

    return run


def test_whoever_holds_documented_roles_is_found_once_with_the_way(discover: Discover) -> None:
    with LocalMicrosoft365(TENANT, graph_page_size=1, exchange_page_size=2) as service:
        code, out, err = discover(tenant_inventory(service, AUDITED), "--json")

    assert code == 0, err
    found = {each["account"]: each for each in json.loads(out)["found"]}
    people = {account.partition("@")[0] for account in found if "@" in account}
    ids = {each["id"] for each in found.values()}
    by_name = {each["name"]: each for each in found.values()}
    assert len(found) == len(ids) == len(EXPECTED) + 2
    assert people <= EXPECTED
    assert {*EXPECTED, "Some application"} <= set(by_name)
    assert by_name["nested"]["holds"] == [f"{', '.join(ALL_THREE)}, through H2R Provisioning > Inner"]
    assert by_name["member"]["holds"] == [f"{', '.join(ALL_THREE)}, through H2R Provisioning > Everybody"]
    assert by_name["direct"]["holds"] == ["Mail Recipients, assigned directly"]
    assert by_name["copy"]["holds"] == ["Fewer Recipients, through Fewer"]
    assert by_name["Some application"]["is_application"] is True
    told = TENANT.user("told@contoso.example")
    assert told is not None
    assert found[told.id]["holds"] == [
        "the vendor's application may act in its name: User.ReadWrite.All, Group.ReadWrite.All"
    ]
    assert not [each for each in service.requests if each.system is System.GRAPH and each.method != "GET"]


def test_the_entries_load_and_then_nothing_more_is_found(discover: Discover, tmp_path: Path) -> None:
    with LocalMicrosoft365(TENANT) as service:
        inventory = tenant_inventory(service, AUDITED)
        _, out, _ = discover(inventory)
        head = json.dumps({key: value for key, value in inventory.items() if key != "connections"})
        file = tmp_path / "reviewed.yaml"
        file.write_text(f"{head[1:-1]}\n".replace(', "defaults"', '\n"defaults"').replace(', "organisation"',
                        '\n"organisation"') + out, encoding="utf-8")
        proposed = load_inventory(file, known_profiles()).connections
        entries = [
            {**inventory["connections"][0], "id": each.id, "service_account": each.connection.service_account}
            for each in proposed
        ]
        code, again, err = discover({**inventory, "connections": [*inventory["connections"], *entries]}, "--json",
                                    "--connection", "contoso")

    assert len(proposed) == len(EXPECTED) + 2
    assert code == 0, err
    assert json.loads(again)["found"] == []


def test_what_could_not_be_read_is_told_and_the_rest_stands(discover: Discover) -> None:
    with LocalMicrosoft365(TENANT) as service:
        service.faults.add(Fault(match=Match(system=System.GRAPH, path="/v1.0/groups"), kind=FaultKind.FORBIDDEN))
        code, out, err = discover(tenant_inventory(service, AUDITED), "--json")

    assert code == 3
    told = json.loads(out)
    names = {each["name"] for each in told["found"]}
    assert "nested" in names
    assert "member" not in names
    assert any("Everybody" in each for each in told["unread"])
    assert "there may be more" in err.splitlines()[-1]


@pytest.mark.directory
@pytest.mark.parametrize("name", ["exact", "superset"])
def test_whoever_is_delegated_a_target_ou_is_found(
    discover: Discover, domain_controller: DomainController, name: str
) -> None:
    """The connection audits somebody else; whoever the case delegates the OU to is in no inventory."""
    case = CASES[name]
    inventory = directory_inventory(domain_controller, [case])
    (connection,) = inventory["connections"]
    delegated = connection["username"]
    code, out, err = discover(inventory, "--json")
    assert code == 0, err
    assert delegated not in {each["account"] for each in json.loads(out)["found"]}

    connection["username"] = inventory["defaults"]["auditor"]["active_directory"]["username"]
    code, out, err = discover(inventory, "--json")

    assert code == 0, err
    (found,) = [each for each in json.loads(out)["found"] if each["account"] == delegated]
    assert found["target_ous"] == connection["target_ous"]
    assert found["id"].startswith("S-1-5-21-")
    assert "create user objects, delete user objects, full control of user objects below" in found["holds"][0]


@pytest.mark.directory
@pytest.mark.parametrize("name", ["via-group", "loop"])
def test_members_of_a_delegated_group_are_found_through_it(
    discover: Discover, domain_controller: DomainController, name: str
) -> None:
    case = CASES[name]
    inventory = directory_inventory(domain_controller, [case])
    (connection,) = inventory["connections"]
    delegated = connection["username"]
    connection["username"] = inventory["defaults"]["auditor"]["active_directory"]["username"]

    code, out, err = discover(inventory, "--json")

    assert code == 0, err
    (found,) = [each for each in json.loads(out)["found"] if each["account"] == delegated]
    assert ", through " in found["holds"][0]
