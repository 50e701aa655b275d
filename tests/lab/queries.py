"""Questions to a lab's domain controller, asked without the auditor's own code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import ldap3
from ldap3.protocol.microsoft import security_descriptor_control

from auditor.acl.sid import format_sid

if TYPE_CHECKING:
    from tests.lab.cases import Case
    from tests.lab.domain_controller import DomainController


def read(
    connection: ldap3.Connection,
    dn: str,
    *attributes: str,
    scope: Literal["BASE", "LEVEL", "SUBTREE"] = ldap3.BASE,
    only: str = "(objectClass=*)",
    flags: int | None = 5,
) -> dict[str, dict[str, list[bytes]]]:
    """Return the entries found, by DN as the server spells it, without the attributes it left out."""
    controls = None if flags is None else security_descriptor_control(sdflags=flags)
    connection.search(dn, only, scope, attributes=list(attributes), controls=controls)
    entries: list[dict[str, Any]] = connection.response or []
    return {
        entry["dn"]: {name: values for name, values in entry["raw_attributes"].items() if values}
        for entry in entries
        if entry["type"] == "searchResEntry"
    }


def group_sids(connection: ldap3.Connection, controller: DomainController, case: Case) -> set[str]:
    """Return the SIDs of the groups a case's account is in, as the domain controller counts them."""
    (entry,) = read(connection, controller.dn(case.account_dn), "tokenGroups").values()
    return {format_sid(value) for value in entry.get("tokenGroups", [])}
