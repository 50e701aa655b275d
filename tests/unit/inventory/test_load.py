"""Good inventories, and what becomes of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from auditor.inventory.entries import LiveEntry, ReplayEntry, SecretUse
from auditor.inventory.load import load_inventory
from auditor.inventory.schema import inventory_schema
from auditor.model.connection import (
    CLOUD_ENDPOINTS,
    Cloud,
    ConnectionKind,
    Endpoints,
    ExchangeOnlineConnection,
    HybridConnection,
)
from auditor.model.sign_in import (
    CertificateCredential,
    ClientSecretCredential,
    CloudSignIn,
    DeviceCodeCredential,
    FederatedCredential,
    KerberosSignIn,
    ManagedIdentityCredential,
    PasswordSignIn,
    SecretReference,
)
from tests.unit.inventory.conftest import KNOWN_PROFILES

CLIENT_ID = "00000000-0000-0000-0000-000000000005"

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from auditor.inventory.entries import Inventory

    Load: TypeAlias = Callable[[str | bytes], Inventory]

WHOLE = """\
version: 1
organisation: Contoso Ltd
defaults:
  profile: hybrid-exchange-online
  auditor:
    active_directory: {username: auditor@corp.example.com, password: "env:AUDIT_AD_PASSWORD"}
    microsoft365:
      tenant_id: 3f0c0000-0000-0000-0000-000000000001
      client_id: 9A1B0000-0000-0000-0000-000000000002
      certificate: "file:secrets/audit.pfx"
      certificate_password: "keyring:auditor/pfx"
connections:
  - id: corp-hybrid
    kind: hybrid
    name: Connection-Directory Service
    hosts: [10.1.0.10, dc1.corp.example.com, "fd00::1"]
    port: 3269
    base_dns: ["DC=corp,DC=example,DC=com"]
    username: svc-h2r@corp.example.com
    tls_server_name: dc1.corp.example.com
    ca_file: root.pem
    target_ous: ["OU=Staff,DC=corp,DC=example,DC=com"]
    group_ous: ["OU=Groups,DC=corp,DC=example,DC=com"]
    password: "env:H2R_AD_PASSWORD"
    global_catalog: true
    profile: hybrid-active-directory
    auditor: {active_directory: {username: 'CORP\\auditor', password: "prompt:"}}
  - id: contoso-exchange
    kind: exchange_online
    name: Exchange Online
    tenant: contoso.onmicrosoft.com
    service_account: svc-h2r@contoso.com
    vendor_app_id: 00000000-0000-0000-0000-000000000003
    linked_to: corp-hybrid
  - id: lab
    kind: exchange_online
    tenant: 3f0c0000-0000-0000-0000-000000000001
    service_account: 00000000-0000-0000-0000-000000000004
    cloud: custom
    endpoints:
      login: https://localhost:8443/
      graph: https://127.0.0.1:8443
      exchange: "https://[::1]:8443"
    ca_file: root.pem
    profile: profile.yaml
    auditor:
      microsoft365:
        tenant_id: contoso.com
        client_id: 00000000-0000-0000-0000-000000000005
        client_secret: "prompt:"
  - id: recorded
    kind: hybrid
    replay: evidence/corp
"""

MINIMAL_HYBRID = """\
version: 1
organisation: Contoso
defaults: {auditor: {active_directory: {username: a@b.c, password: "env:P"}}}
connections:
- id: corp
  kind: hybrid
  hosts: [dc1]
  base_dns: ["DC=corp"]
  username: 'CN=svc,DC=corp'
"""


def test_every_field_arrives(load: Load, folder: Path) -> None:
    inventory = load(WHOLE)
    assert (inventory.organisation, inventory.default_profile) == ("Contoso Ltd", "hybrid-exchange-online")
    assert inventory.path == folder / "inventory.yaml"
    hybrid, exchange, lab, recorded = inventory.connections
    assert isinstance(hybrid, LiveEntry)
    assert hybrid.connection == HybridConnection(
        id="corp-hybrid",
        name="Connection-Directory Service",
        profile="hybrid-active-directory",
        hosts=("10.1.0.10", "dc1.corp.example.com", "fd00::1"),
        port=3269,
        base_dns=("DC=corp,DC=example,DC=com",),
        username="svc-h2r@corp.example.com",
        target_ous=("OU=Staff,DC=corp,DC=example,DC=com",),
        group_ous=("OU=Groups,DC=corp,DC=example,DC=com",),
        tls_server_name="dc1.corp.example.com",
        ca_file=str(folder / "root.pem"),
        global_catalog=True,
    )
    assert hybrid.own_password == SecretReference("env", "H2R_AD_PASSWORD")
    assert isinstance(exchange, LiveEntry)
    assert exchange.connection == ExchangeOnlineConnection(
        id="contoso-exchange",
        name="Exchange Online",
        profile="hybrid-exchange-online",
        tenant="contoso.onmicrosoft.com",
        service_account="svc-h2r@contoso.com",
        cloud=Cloud.GLOBAL,
        endpoints=CLOUD_ENDPOINTS[Cloud.GLOBAL],
        vendor_app_id="00000000-0000-0000-0000-000000000003",
        linked_to="corp-hybrid",
    )
    assert isinstance(lab, LiveEntry)
    assert isinstance(lab.connection, ExchangeOnlineConnection)
    assert lab.connection.endpoints == Endpoints(
        login="https://localhost:8443", graph="https://127.0.0.1:8443", exchange="https://[::1]:8443"
    )
    assert (lab.connection.name, lab.connection.profile) == ("lab", str(folder / "profile.yaml"))
    assert recorded == ReplayEntry(
        id="recorded", kind=ConnectionKind.HYBRID, folder=folder / "evidence/corp", name=None, profile=None, line=51
    )


def test_a_connections_own_sign_in_goes_before_the_default(load: Load, folder: Path) -> None:
    hybrid, exchange, lab, _ = load(WHOLE).connections
    assert isinstance(hybrid, LiveEntry)
    assert hybrid.sign_in == PasswordSignIn(
        username="CORP\\auditor",
        password=SecretReference("prompt", "connections[0].auditor.active_directory.password"),
    )
    assert isinstance(exchange, LiveEntry)
    assert exchange.sign_in == CloudSignIn(
        tenant_id="3f0c0000-0000-0000-0000-000000000001",
        client_id="9A1B0000-0000-0000-0000-000000000002",
        credential=CertificateCredential(
            certificate=SecretReference("file", str(folder / "secrets/audit.pfx")),
            password=SecretReference("keyring", "auditor/pfx"),
        ),
    )
    assert isinstance(lab, LiveEntry)
    assert isinstance(lab.sign_in, CloudSignIn)
    assert lab.sign_in.credential == ClientSecretCredential(
        client_secret=SecretReference("prompt", "connections[2].auditor.microsoft365.client_secret")
    )


@pytest.mark.parametrize(
    ("fields", "username"),
    [("{kerberos: true}", None), ("{kerberos: true, username: audit@B.C}", "audit@B.C")],
)
def test_kerberos_needs_no_secret_and_may_name_its_principal(load: Load, fields: str, username: str | None) -> None:
    (entry,) = load(MINIMAL_HYBRID.replace('{username: a@b.c, password: "env:P"}', fields)).connections
    assert isinstance(entry, LiveEntry)
    assert entry.sign_in == KerberosSignIn(username=username)
    assert entry.secret_uses == ()


def test_secret_uses_are_those_of_the_connections_asked_for(load: Load, folder: Path) -> None:
    inventory = load(WHOLE)
    file = str(folder / "inventory.yaml")
    assert inventory.secret_uses({"contoso-exchange", "recorded"}) == (
        SecretUse(
            reference=SecretReference("file", str(folder / "secrets/audit.pfx")),
            file=file,
            line=10,
            place="defaults.auditor.microsoft365.certificate",
            is_certificate=True,
        ),
        SecretUse(
            reference=SecretReference("keyring", "auditor/pfx"),
            file=file,
            line=11,
            place="defaults.auditor.microsoft365.certificate_password",
        ),
    )
    assert [(use.line, use.place) for use in inventory.secret_uses({"corp-hybrid"})] == [
        (27, "connections[0].auditor.active_directory.password"),
        (24, "connections[0].password"),
    ]
    assert inventory.secret_uses(()) == ()


def test_a_secret_shared_by_connections_is_used_once(load: Load) -> None:
    text = MINIMAL_HYBRID + MINIMAL_HYBRID[MINIMAL_HYBRID.index("- id") :].replace("id: corp", "id: second")
    inventory = load(text)
    assert len(inventory.connections) == 2
    assert len(inventory.secret_uses({"corp", "second"})) == 1


def test_what_may_be_left_out_has_its_default(load: Load) -> None:
    (entry,) = load(MINIMAL_HYBRID).connections
    assert isinstance(entry, LiveEntry)
    connection = entry.connection
    assert isinstance(connection, HybridConnection)
    assert (connection.name, connection.port, connection.profile) == ("corp", 636, "hybrid-exchange-online")
    assert (connection.target_ous, connection.group_ous, connection.global_catalog) == ((), (), False)
    assert (connection.ca_file, connection.tls_server_name, entry.own_password) == (None, None, None)
    assert (entry.id, entry.kind) == ("corp", ConnectionKind.HYBRID)


def test_an_empty_list_of_target_ous_is_accepted(load: Load) -> None:
    (entry,) = load(MINIMAL_HYBRID + "  target_ous: []\n").connections
    assert isinstance(entry, LiveEntry)
    assert isinstance(entry.connection, HybridConnection)
    assert entry.connection.target_ous == ()


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: b"\xef\xbb\xbf" + text.encode(),
    ],
    ids=["windows line endings", "byte order mark"],
)
def test_files_written_on_windows_read_the_same(load: Load, encode: Callable[[str], bytes]) -> None:
    assert load(encode(WHOLE)) == load(WHOLE)


def test_json_is_an_inventory_too(load: Load) -> None:
    inventory = load(
        json.dumps(
            {
                "version": 1,
                "organisation": "Contoso",
                "connections": [
                    {"id": "r", "kind": "exchange_online", "replay": "evidence/corp", "name": "Recorded"}
                ],
            }
        )
    )
    (entry,) = inventory.connections
    assert isinstance(entry, ReplayEntry)
    assert (entry.kind, entry.name) == (ConnectionKind.EXCHANGE_ONLINE, "Recorded")


def test_an_alias_may_name_a_list_once(load: Load) -> None:
    text = MINIMAL_HYBRID.replace('["DC=corp"]', '&bases ["DC=corp"]') + "  target_ous: *bases\n"
    (entry,) = load(text).connections
    assert isinstance(entry, LiveEntry)
    assert isinstance(entry.connection, HybridConnection)
    assert entry.connection.target_ous == ("DC=corp",)


def test_relative_paths_start_from_the_file_wherever_the_tool_runs(
    load: Load, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(MINIMAL_HYBRID + "  ca_file: root.pem\n")
    monkeypatch.chdir(folder.parent)
    (entry,) = load_inventory(Path(folder.name, "inventory.yaml"), KNOWN_PROFILES).connections
    assert isinstance(entry, LiveEntry)
    assert entry.connection.ca_file == str(folder / "root.pem")


@pytest.mark.parametrize(
    "username",
    [
        "svc@corp.example.com",
        "'CORP\\svc h2r'",
        "corp.example.com\\svc",
        "'CN=svc,OU=a b,DC=corp'",
        "svc.h2r+x@corp",
    ],
)
def test_accounts_may_be_written_in_three_ways(load: Load, username: str) -> None:
    text = MINIMAL_HYBRID.replace("'CN=svc,DC=corp'", username)
    (entry,) = load(text).connections
    assert isinstance(entry, LiveEntry)
    assert isinstance(entry.connection, HybridConnection)
    assert entry.connection.username == username.strip("'")


def test_the_json_schema_names_every_key() -> None:
    schema = inventory_schema()
    assert set(schema["required"]) == {"version", "organisation", "connections"}
    assert schema["additionalProperties"] is False
    definitions = schema["$defs"]
    assert set(definitions["ReplayFields"]["properties"]) == {"id", "kind", "name", "profile", "replay"}
    assert definitions["HybridFields"]["properties"]["port"]["maximum"] == 65535
    json.dumps(schema)


@pytest.mark.parametrize(
    ("sign_in", "expected"),
    [
        (
            "managed_identity: true",
            CloudSignIn(tenant_id=None, client_id=None, credential=ManagedIdentityCredential()),
        ),
        (
            f"managed_identity: true, client_id: {CLIENT_ID}",
            CloudSignIn(tenant_id=None, client_id=CLIENT_ID, credential=ManagedIdentityCredential()),
        ),
        (
            f"tenant_id: contoso.com, client_id: {CLIENT_ID}, device_code: true",
            CloudSignIn(tenant_id="contoso.com", client_id=CLIENT_ID, credential=DeviceCodeCredential()),
        ),
        (
            f"tenant_id: contoso.com, client_id: {CLIENT_ID}, federated_token: 'file:/run/token'",
            CloudSignIn(
                tenant_id="contoso.com",
                client_id=CLIENT_ID,
                credential=FederatedCredential(token_file=SecretReference("file", "/run/token")),
            ),
        ),
    ],
)
def test_every_way_to_sign_in_at_microsoft_365(load: Load, sign_in: str, expected: CloudSignIn) -> None:
    inventory = load(
        "version: 1\norganisation: Contoso\n"
        f"defaults: {{auditor: {{microsoft365: {{{sign_in}}}}}}}\n"
        "connections:\n  - {id: a, kind: exchange_online, tenant: contoso.com, service_account: s@contoso.com}\n"
    )
    (entry,) = inventory.connections
    assert isinstance(entry, LiveEntry)
    assert entry.sign_in == expected
    tokens = [use.reference.locator for use in entry.secret_uses]
    assert tokens == (["/run/token"] if "federated_token" in sign_in else [])
