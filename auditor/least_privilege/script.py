"""The set-up scripts: a body that is the same for everybody, and what the inventory says about this place."""

from __future__ import annotations

from enum import StrEnum
from importlib import resources
from typing import TYPE_CHECKING

from auditor.least_privilege.rights import GRAPH_PERMISSIONS
from auditor.model.connection import Cloud
from auditor.model.distinguished_name import parsed_dn
from auditor.model.sign_in import ManagedIdentityCredential

if TYPE_CHECKING:
    from collections.abc import Iterable

    from auditor.model.connection import ExchangeOnlineConnection, HybridConnection
    from auditor.model.sign_in import CloudSignIn, DirectorySignIn

_PLACE = "#INVENTORY#"
# PowerShell takes typographic quotes for plain ones (its grammar: single-quote-character)
_SINGLE_QUOTES = "'\u2018\u2019\u201a\u201b"
_GRAPH_ENVIRONMENTS = {
    Cloud.GLOBAL: "Global",
    Cloud.GCC_HIGH: "USGov",
    Cloud.DOD: "USGovDoD",
    Cloud.CHINA: "China",
    Cloud.CUSTOM: "Global",
}
_EXCHANGE_ENVIRONMENTS = {
    Cloud.GLOBAL: "O365Default",
    Cloud.GCC_HIGH: "O365USGovGCCHigh",
    Cloud.DOD: "O365USGovDoD",
    Cloud.CHINA: "O365China",
    Cloud.CUSTOM: "O365Default",
}


class ScriptName(StrEnum):
    """What a script is for: to set the auditing identity up, or to export what Exchange Online tells."""

    ACTIVE_DIRECTORY = "active-directory"
    MICROSOFT365 = "microsoft365"
    EXCHANGE_EXPORT = "exchange-export"


def directory_script(connections: Iterable[HybridConnection], sign_in: DirectorySignIn) -> str:
    """Return the script for one auditing identity of a domain and all the OUs it has to read."""
    listed = tuple(connections)
    units = dict.fromkeys(unit for each in listed for unit in (*each.target_ous, *each.group_ous))
    return _filled(
        "active_directory.ps1",
        f"$Server = {quoted(listed[0].tls_server_name or listed[0].hosts[0])}",
        f"$AccountName = {quoted(_account_name(sign_in.username or 'auditor'))}",
        f"$OrganizationalUnits = {_listed(units)}",
    )


def tenant_script(connection: ExchangeOnlineConnection, sign_in: CloudSignIn) -> str:
    """Return the script for the auditing identity of a tenant."""
    is_managed = isinstance(sign_in.credential, ManagedIdentityCredential)
    return _filled(
        "microsoft365.ps1",
        f"$TenantId = {quoted(sign_in.tenant_id or connection.tenant)}",
        f"$ClientId = {quoted(sign_in.client_id or '')}",
        f"$IsManagedIdentity = ${str(is_managed).lower()}",
        f"$GraphEnvironment = {quoted(_GRAPH_ENVIRONMENTS[connection.cloud])}",
        f"$ExchangeEnvironment = {quoted(_EXCHANGE_ENVIRONMENTS[connection.cloud])}",
        f"$GraphPermissions = {_listed(GRAPH_PERMISSIONS)}",
    )


def exchange_export_script() -> str:
    """Return the script that exports what Exchange Online tells; it only reads."""
    return _body("exchange_export.ps1")


def quoted(text: str) -> str:
    """Return text as a literal string of PowerShell, in which nothing is expanded."""
    return "'" + "".join(2 * each if each in _SINGLE_QUOTES else each for each in text) + "'"


def _listed(texts: Iterable[str]) -> str:
    lines = "".join(f"    {quoted(text)}\n" for text in texts)
    return f"@(\n{lines})"


def _account_name(username: str) -> str:
    """Return the sAMAccountName that a UPN, `DOMAIN\\name` or DN most likely stands for."""
    if (name := parsed_dn(username)) is not None:
        return str(name.relative_names[0][0].value)
    return username.rpartition("\\")[2].partition("@")[0]


def _filled(name: str, *assignments: str) -> str:
    return _body(name).replace(_PLACE, "\n".join(assignments), 1)


def _body(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
