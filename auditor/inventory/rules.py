"""The rules between the fields of an inventory.

They read plain values, so that one wrong field does not hide what is wrong elsewhere; a value of the
wrong kind is skipped, because its field's own rule has refused it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from auditor.inventory.fields import is_principal
from auditor.model.connection import Cloud, ConnectionKind
from auditor.model.distinguished_name import parse_dn
from auditor.strict_yaml import did_you_mean, dotted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from auditor.errors import Problem
    from auditor.strict_yaml import Document, Place

Connections: TypeAlias = "list[tuple[Place, dict[str, Any]]]"

_SYSTEMS = {ConnectionKind.HYBRID: "active_directory", ConnectionKind.EXCHANGE_ONLINE: "microsoft365"}
_CLOUD_SIGN_INS = ("certificate", "client_secret", "managed_identity", "federated_token", "device_code")
_DN_LISTS = ("base_dns", "target_ous", "group_ous")


def broken_rules(document: Document) -> Iterator[Problem]:
    """Yield a problem for each rule between fields that the document breaks."""
    connections = _connections(document)
    yield from _repeated_ids(document, connections)
    yield from _broken_links(document, connections)
    yield from _directory_credential(document, ("defaults", "auditor", "active_directory"))
    yield from _cloud_credential(document, ("defaults", "auditor", "microsoft365"))
    for place, connection in connections:
        if "replay" not in connection:
            yield from _missing_sign_in(document, place, connection)
            if connection.get("kind") == ConnectionKind.HYBRID:
                yield from _directory_credential(document, (*place, "auditor", "active_directory"))
            if connection.get("kind") == ConnectionKind.EXCHANGE_ONLINE:
                yield from _cloud_credential(document, (*place, "auditor", "microsoft365"))
                yield from _custom_cloud(document, place, connection)
        yield from _repeated(document, (*place, "hosts"), str.lower)
        for key in _DN_LISTS:
            yield from _repeated(document, (*place, key), _dn_key)


def _connections(document: Document) -> Connections:
    entries = document.content.get("connections")
    if not isinstance(entries, list):
        return []
    return [(("connections", i), entry) for i, entry in enumerate(entries) if isinstance(entry, dict)]


def _value(document: Document, place: Place) -> Any:  # noqa: ANN401
    """Return what stands at `place`, or None when nothing does."""
    value: Any = document.content
    for step in place:
        if isinstance(step, str) and not isinstance(value, dict):
            return None
        value = value.get(step) if isinstance(value, dict) else value[step]
    return value


def _repeated_ids(document: Document, connections: Connections) -> Iterator[Problem]:
    """Ids name folders, and some file systems do not tell upper from lower case."""
    first: dict[str, Place] = {}
    for connection_place, connection in connections:
        place = (*connection_place, "id")
        if not isinstance(connection.get("id"), str):
            continue
        earlier = first.setdefault(connection["id"].casefold(), place)
        if earlier != place:
            message = f"repeats {dotted(earlier)} on line {document.line(earlier)}"
            yield document.problem(place, message, "choose another id; upper and lower case count as equal")


def _broken_links(document: Document, connections: Connections) -> Iterator[Problem]:
    hybrids = {
        connection["id"]
        for _, connection in connections
        if connection.get("kind") == ConnectionKind.HYBRID and isinstance(connection.get("id"), str)
    }
    for place, connection in connections:
        target = connection.get("linked_to")
        if not isinstance(target, str) or target in hybrids:
            continue
        names = ", ".join(sorted(hybrids)) or "none"
        cure = f"{did_you_mean(target, hybrids)}hybrid connections are: {names}"
        yield document.problem((*place, "linked_to"), "names no hybrid connection of this file", cure)


def _missing_sign_in(document: Document, place: Place, connection: dict[str, Any]) -> Iterator[Problem]:
    for kind, system in _SYSTEMS.items():
        own, shared = (*place, "auditor", system), ("defaults", "auditor", system)
        is_given = _value(document, own) is not None or _value(document, shared) is not None
        if connection.get("kind") == kind and not is_given:
            cure = f"add {dotted(shared)} for all connections, or {dotted(own)}"
            yield document.problem(place, "has no sign-in for the auditing identity", cure)


def _directory_credential(document: Document, place: Place) -> Iterator[Problem]:
    sign_in = _value(document, place)
    if not isinstance(sign_in, dict):
        return
    username = sign_in.get("username")
    if "kerberos" not in sign_in:
        for key in ("username", "password"):
            if key not in sign_in:
                cure = "add it, or sign in with the current ticket: kerberos: true"
                yield document.problem((*place, key), "is missing", cure)
    elif "password" in sign_in:
        cure = "remove password to sign in with a ticket, or kerberos to sign in with the password"
        yield document.problem(place, "has both kerberos and password", cure)
    elif isinstance(username, str) and not is_principal(username):
        cure = "write it as klist shows it, like audit@CORP.EXAMPLE.COM, or remove it to use the current ticket"
        yield document.problem((*place, "username"), "is no Kerberos principal of Active Directory", cure)


def _cloud_credential(document: Document, place: Place) -> Iterator[Problem]:
    sign_in = _value(document, place)
    if not isinstance(sign_in, dict):
        return
    given = [key for key in _CLOUD_SIGN_INS if sign_in.get(key) is not None]
    if len(given) != 1:
        message = f"has both {' and '.join(given)}" if given else "has nothing to sign in with"
        yield document.problem(place, message, f"give one of {', '.join(_CLOUD_SIGN_INS)}")
    for key in ("tenant_id", "client_id"):
        if key not in sign_in and given != ["managed_identity"]:
            yield document.problem((*place, key), "is missing", "add it; only a managed identity does without")
    if sign_in.get("certificate_password") is not None and "certificate" not in given:
        yield document.problem((*place, "certificate_password"), "stands without a certificate", "remove it")


def _custom_cloud(document: Document, place: Place, connection: dict[str, Any]) -> Iterator[Problem]:
    is_custom = connection.get("cloud") == Cloud.CUSTOM
    if is_custom and connection.get("endpoints") is None:
        cure = "add endpoints with login, graph and exchange"
        yield document.problem((*place, "endpoints"), "is missing, and cloud is custom", cure)
    if not is_custom:
        for key in ("endpoints", "ca_file"):
            if connection.get(key) is not None:
                cure = "remove it, or write cloud: custom"
                yield document.problem((*place, key), "is only used when cloud is custom", cure)


def _repeated(document: Document, place: Place, key_of: Callable[[str], str]) -> Iterator[Problem]:
    values = _value(document, place)
    first: dict[str, int] = {}
    for i, value in enumerate(values if isinstance(values, list) else []):
        if isinstance(value, str):
            earlier = first.setdefault(key_of(value), i)
            if earlier != i:
                message = f"repeats {dotted((*place, earlier))}"
                yield document.problem((*place, i), message, "keep one of the two")


def _dn_key(value: str) -> str:
    try:
        return parse_dn(value).normalised
    except ValueError:
        return value
