"""An export as `exchange_export.ps1` would write it, composed from the local service: no PowerShell runs here.

The properties are those the script lists, so a test that reads such an export shows that they are enough.
"""

from __future__ import annotations

import re
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.microsoft365.caller import Caller

TYPES = {"DistributionGroups", "MailRecipients", "SecurityGroupCreationAndMembership"}
EXPORTED_AT = "2026-11-20T08:00:00Z"
EXPORTED_BY = "admin@contoso.example"
_LIST = re.compile(r"'(Get-\w+)' = @\(([^)]*)\)")


def script() -> str:
    return resources.files("auditor.least_privilege").joinpath("exchange_export.ps1").read_text(encoding="utf-8")


def exported_properties() -> dict[str, list[str]]:
    """Return the properties that the script keeps of each command's objects."""
    return {cmdlet: re.findall(r"'(\w+)'", names) for cmdlet, names in _LIST.findall(script())}


def compose_export(caller: Caller, *accounts: str) -> dict[str, Any]:
    """Return the export for accounts, each given by its UPN and by its object id."""
    properties = exported_properties()
    calls: list[dict[str, Any]] = []

    def answer(cmdlet: str, **parameters: Any) -> list[dict[str, Any]]:
        response = caller.exchange(cmdlet, **parameters)
        content = response.json()
        rows = content.get("value", [])
        error = None
        if response.status_code != 200:
            error = content["error"]["innererror"]["internalexception"]["message"]
        calls.append({
            "cmdlet": cmdlet,
            "parameters": parameters,
            "started_at": EXPORTED_AT,
            "finished_at": EXPORTED_AT,
            "error": error,
            "records": [{name: row.get(name) for name in properties[cmdlet]} for row in rows],
        })
        return rows

    for account in accounts:
        answer("Get-User", Identity=account)
        if "@" not in account:
            answer("Get-ManagementRoleAssignment", RoleAssignee=account)
    for group in answer("Get-RoleGroup", ResultSize="Unlimited"):
        answer("Get-RoleGroupMember", Identity=group["ExchangeObjectId"], ResultSize="Unlimited")
    answer("Get-ManagementRoleAssignment")
    answer("Get-ManagementScope")
    for role in answer("Get-ManagementRole"):
        if role["RoleType"] in TYPES:
            answer("Get-ManagementRoleEntry", Identity=f"{role['Name']}\\*", ResultSize="Unlimited")
    return {
        "format": "hire2retire-permission-auditor/exchange-export",
        "version": 1,
        "tenant_id": caller.service.tenant.id,
        "exported_by": EXPORTED_BY,
        "exported_at": EXPORTED_AT,
        "calls": calls,
    }
