"""Proposed entries: they load as they stand, whatever the account is called."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auditor.inventory.entries import LiveEntry
from auditor.inventory.proposal import propose_id, proposed_entry
from auditor.model.connection import (
    CLOUD_ENDPOINTS,
    Cloud,
    Endpoints,
    ExchangeOnlineConnection,
    HybridConnection,
)

if TYPE_CHECKING:
    from tests.unit.inventory.conftest import Load

HEAD = """\
version: 1
organisation: Contoso
defaults:
  auditor:
    active_directory: {username: a@b.c, password: "env:P"}
    microsoft365: {tenant_id: c.com, client_id: 00000000-0000-0000-0000-000000000001, client_secret: "env:S"}
connections:
"""
UNIT = "OU=St\u00e4ff \\# 1: 'x' \U0001f600,DC=corp,DC=example"
HYBRID = HybridConnection(
    id="corp",
    name="corp",
    profile="hybrid-exchange-online",
    hosts=("10.1.0.10", "dc2.corp.example"),
    port=3269,
    base_dns=("DC=corp,DC=example",),
    username="svc@corp.example",
    target_ous=(UNIT,),
    group_ous=(),
    tls_server_name="dc1.corp.example",
    global_catalog=True,
)
TENANT = ExchangeOnlineConnection(
    id="t",
    name="t",
    profile="hybrid-exchange-online",
    tenant="contoso.onmicrosoft.com",
    service_account="svc@contoso.com",
    cloud=Cloud.CUSTOM,
    endpoints=Endpoints(login="https://l", graph="https://g", exchange="https://e"),
    vendor_app_id="00000000-0000-0000-0000-000000000002",
)


@pytest.mark.parametrize(
    "account", ["other@corp.example", "CN=o: #'her\\, \\\"x\\\" \u202e,OU=x,DC=corp,DC=example", "CORP\\other"]
)
def test_a_hybrid_entry_loads_as_it_was_found(load: Load, account: str) -> None:
    text = proposed_entry("found", account, HYBRID, [UNIT], ["what\nconnections: []", "# it holds"])

    (entry,) = load(HEAD + text).connections

    assert isinstance(entry, LiveEntry)
    found = entry.connection
    assert isinstance(found, HybridConnection)
    assert (found.username, found.target_ous, found.hosts, found.port) == (account, (UNIT,), HYBRID.hosts, 3269)
    assert (found.tls_server_name, found.global_catalog) == ("dc1.corp.example", True)


@pytest.mark.parametrize("cloud", list(Cloud))
def test_an_entry_of_a_tenant_loads_as_it_was_found(load: Load, cloud: Cloud) -> None:
    endpoints = CLOUD_ENDPOINTS.get(cloud, TENANT.endpoints)
    connection = ExchangeOnlineConnection(
        id="t",
        name="t",
        profile=TENANT.profile,
        tenant=TENANT.tenant,
        service_account=TENANT.service_account,
        cloud=cloud,
        endpoints=endpoints,
        vendor_app_id=TENANT.vendor_app_id,
    )
    text = proposed_entry("found", "other@contoso.com", connection, [], [])

    (entry,) = load(HEAD + text).connections

    assert isinstance(entry, LiveEntry)
    assert isinstance(entry.connection, ExchangeOnlineConnection)
    assert entry.connection.service_account == "other@contoso.com"
    assert (entry.connection.cloud, entry.connection.endpoints) == (cloud, endpoints)


@pytest.mark.parametrize(
    ("account", "expected"),
    [
        ("Svc H2R@contoso.com", "found-svc-h2r"),
        ("CORP\\svc", "found-svc"),
        ("CN=O'Brien,OU=x,DC=y", "found-o-brien"),
        ("\u202e@x", "found-account"),
        ("a" * 200 + "@x", "found-" + "a" * 48),
        ("taken@x", "found-taken-2"),
    ],
)
def test_an_id_is_usable_and_free(account: str, expected: str) -> None:
    assert propose_id(account, ["Found-Taken", "other"]) == expected
