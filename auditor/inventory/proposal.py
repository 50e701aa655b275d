"""Inventory entries to propose, as text that a person reads, corrects and adds to the file."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from auditor.model.connection import Cloud, HybridConnection

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from auditor.model.connection import Connection, ExchangeOnlineConnection

_NO_ID_CHARACTER = re.compile(r"[^a-z0-9._-]+")
_LONGEST_NAME = 48


def propose_id(account: str, taken: Collection[str]) -> str:
    """Return an id for an account that no other connection has, case ignored."""
    name = account.partition(",")[0].rpartition("=")[2].partition("@")[0].rpartition("\\")[2]
    stem = f"found-{_NO_ID_CHARACTER.sub('-', name.casefold())[:_LONGEST_NAME].strip('-._') or 'account'}"
    known = {each.casefold() for each in taken}
    candidates = (stem if number == 1 else f"{stem}-{number}" for number in range(1, len(known) + 2))
    return next(each for each in candidates if each not in known)


def proposed_entry(
    connection_id: str, account: str, connection: Connection, units: Iterable[str], remarks: Iterable[str]
) -> str:
    """Return an entry of the `connections:` list that reaches `account` as `connection` is reached, with remarks."""
    fields = (
        _hybrid(account, connection, units)
        if isinstance(connection, HybridConnection)
        else _exchange_online(account, connection)
    )
    lines = [f"  - id: {connection_id}"]
    lines += [f"    # {' '.join(remark.split())}" for remark in remarks]
    lines += [f"    {name}: {_scalar(value)}" for name, value in fields]
    return "\n".join(lines)


def _hybrid(
    account: str, connection: HybridConnection, units: Iterable[str]
) -> Iterator[tuple[str, object]]:
    yield "kind", "hybrid"
    yield "hosts", list(connection.hosts)
    yield "port", connection.port
    yield "base_dns", list(connection.base_dns)
    yield "username", account
    yield "target_ous", list(units)
    if connection.tls_server_name is not None:
        yield "tls_server_name", connection.tls_server_name
    if connection.ca_file is not None:
        yield "ca_file", connection.ca_file
    if connection.global_catalog:
        yield "global_catalog", True
    yield "profile", connection.profile


def _exchange_online(account: str, connection: ExchangeOnlineConnection) -> Iterator[tuple[str, object]]:
    yield "kind", "exchange_online"
    yield "tenant", connection.tenant
    yield "service_account", account
    if connection.vendor_app_id is not None:
        yield "vendor_app_id", connection.vendor_app_id
    yield "cloud", connection.cloud
    if connection.cloud is Cloud.CUSTOM:
        endpoints = connection.endpoints
        yield "endpoints", {"login": endpoints.login, "graph": endpoints.graph, "exchange": endpoints.exchange}
        if connection.ca_file is not None:
            yield "ca_file", connection.ca_file
    yield "profile", connection.profile


def _scalar(value: object) -> str:
    """Write a value as JSON, which is YAML; what is not printable is spelled out, as both languages allow."""
    text = json.dumps(value, ensure_ascii=False)
    return "".join(
        each if each.isprintable() else f"\\u{ord(each):04x}" if ord(each) <= 0xFFFF else f"\\U{ord(each):08x}"  # noqa: PLR2004
        for each in text
    )
