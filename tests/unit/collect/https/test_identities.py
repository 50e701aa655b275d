"""Signing in without a secret: managed identity, workload identity federation, a person with a device code."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from auditor.collect.https.allow_list import is_on_this_machine
from auditor.errors import SourceError
from auditor.model.connection import Endpoints
from auditor.model.evidence import Gap, GapKind
from auditor.model.sign_in import (
    CloudSignIn,
    DeviceCodeCredential,
    FederatedCredential,
    ManagedIdentityCredential,
    SecretReference,
)
from tests.microsoft365.machine import APP_SERVICE_PATH, IDENTITY_HEADER
from tests.microsoft365.service import LocalMicrosoft365
from tests.microsoft365.tenant import TenantBuilder
from tests.microsoft365.wire import System
from tests.unit.collect.https.scripted_server import ScriptedServer, http
from tests.unit.collect.https.test_tokens import tokens

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from auditor.collect.https.tokens import Tokens

PERSON = "reviewer@contoso.example"
FEDERATED = "composed.federated.token"


def build() -> TenantBuilder:
    builder = TenantBuilder()
    builder.user(PERSON)
    return builder


TENANT = build().build()
KNOWN = replace(
    TENANT,
    auditor=replace(
        TENANT.auditor,
        has_machine_identity=True,
        federated_tokens=(FEDERATED, f"{FEDERATED}-renewed"),
        person=PERSON,
        polls_before_entry=2,
    ),
)


@pytest.fixture
def service() -> Iterator[LocalMicrosoft365]:
    with LocalMicrosoft365(KNOWN) as running:
        yield running


@pytest.fixture
def machine(service: LocalMicrosoft365, monkeypatch: pytest.MonkeyPatch) -> LocalMicrosoft365:
    """The service, as a virtual machine of Azure would find it."""
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", service.machine)
    return service


def local(service: LocalMicrosoft365, **options: object) -> Tokens:
    return tokens(service.endpoints, service.ca_file, **options)  # type: ignore[arg-type]


def gap_of(asked: Tokens, resource: str) -> Gap:
    with pytest.raises(SourceError) as caught:
        asked.token(resource)
    return caught.value.gap


MANAGED = ManagedIdentityCredential()


@pytest.mark.parametrize("client_id", [None, KNOWN.auditor.client_id], ids=["system-assigned", "user-assigned"])
def test_a_managed_identity_gets_its_tokens_from_the_machine_alone(
    machine: LocalMicrosoft365, client_id: str | None
) -> None:
    asked = local(machine, credential=MANAGED, client_id=client_id)

    graph, exchange = asked.token(machine.endpoints.graph), asked.token(machine.endpoints.exchange)

    assert graph != exchange
    assert {each.system for each in machine.requests} == {System.MACHINE}
    assert len(machine.requests) == 2
    assert asked.signed_in_as == f"managed identity {client_id or 'of this machine'}"
    assert "24 hours" in asked.stale_rights


def test_a_managed_identity_of_an_app_service_is_asked_where_the_environment_says(
    service: LocalMicrosoft365, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{service.machine}{APP_SERVICE_PATH}")
    monkeypatch.setenv("IDENTITY_HEADER", IDENTITY_HEADER)

    assert local(service, credential=MANAGED, client_id=None).token(service.endpoints.graph)


def test_no_proxy_comes_between_the_machine_and_its_identity(
    machine: LocalMicrosoft365, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)

    assert local(machine, credential=MANAGED, client_id=None).token(machine.endpoints.graph)


@pytest.mark.parametrize(
    "host", ["http://evil.example", "http://10.0.0.4", "http://127.0.0.1@evil.example", "https://evil.example"]
)
def test_an_environment_that_names_another_machine_is_not_followed(
    service: LocalMicrosoft365, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", host)

    gap = gap_of(local(service, credential=MANAGED, client_id=None), service.endpoints.graph)

    assert gap.kind is GapKind.MALFORMED
    assert "not on this machine" in gap.message


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://169.254.169.254/metadata/identity/oauth2/token?resource=x", True),
        ("http://localhost:40342/metadata/identity/oauth2/token?resource=x", True),
        ("http://127.0.0.1:41741/msi/token?resource=x", True),
        ("http://169.254.129.4:8081/msi/token?resource=x", True),
        ("http://169.254.169.254.evil.example/x?y", False),
        ("http://localhost.evil.example/x?y", False),
        ("http://8.8.8.8/metadata/identity/oauth2/token?resource=x", False),
        ("http://0.0.0.0/x?y", False),
        ("https://127.0.0.1/x?y", False),
        ("http://2130706433/x?y", False),
    ],
)
def test_what_counts_as_this_machine(url: str, expected: bool) -> None:
    assert is_on_this_machine(url) is expected


def test_a_machine_without_the_identity_says_so(machine: LocalMicrosoft365) -> None:
    machine.tenant = TENANT

    gap = gap_of(local(machine, credential=MANAGED, client_id=None), machine.endpoints.graph)

    assert gap.kind is GapKind.SIGN_IN_REFUSED
    assert "Identity not found" in gap.message
    assert "assign the identity" in gap.message


def test_a_machine_that_is_not_of_azure_is_told_apart(
    service: LocalMicrosoft365, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:1")

    gap = gap_of(local(service, credential=MANAGED, client_id=None), service.endpoints.graph)

    assert gap.kind is GapKind.UNREACHABLE
    assert "a machine of Azure" in gap.message


def test_a_federated_token_is_read_again_whenever_it_is_used(service: LocalMicrosoft365, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{FEDERATED}\n")
    credential = FederatedCredential(token_file=SecretReference("file", str(file)))
    asked, graph = local(service, credential=credential), service.endpoints.graph
    first = asked.token(graph)

    file.write_text(f"{FEDERATED}-renewed")
    service.tenant = replace(KNOWN, auditor=replace(KNOWN.auditor, federated_tokens=(f"{FEDERATED}-renewed",)))

    assert asked.renew_once(graph, first) != first


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "cannot be read"), (b" \n", "holds no federated token"), (b"\xff", "cannot be read"), (b"wrong", "AADSTS")],
)
def test_a_federated_token_that_is_no_use_is_a_gap(
    service: LocalMicrosoft365, tmp_path: Path, content: bytes | None, words: str
) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    credential = FederatedCredential(token_file=SecretReference("file", str(file)))

    gap = gap_of(local(service, credential=credential), service.endpoints.graph)

    assert gap.kind is GapKind.SIGN_IN_REFUSED
    assert words in gap.message


def test_a_person_signs_in_once_for_both_services(service: LocalMicrosoft365, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    told: list[str] = []
    asked = local(service, credential=DeviceCodeCredential(), prompt=told.append)

    graph, exchange = asked.token(service.endpoints.graph), asked.token(service.endpoints.exchange)

    assert told == ["to sign in, open https://login.example/device and enter COMPOSED1"]
    assert graph != exchange
    assert asked.renew_once(service.endpoints.exchange, exchange) != exchange
    assert asked.person == PERSON
    assert asked.signed_in_as.startswith(f"{PERSON} through application ")
    polls = [each.path.rpartition("/")[2] for each in service.requests]
    assert polls == ["openid-configuration", "devicecode", *["token"] * 5]
    for confidential in ("composed-refresh-token", graph, exchange):
        assert confidential not in caplog.text


def test_a_person_who_declines_is_a_gap(service: LocalMicrosoft365) -> None:
    service.tenant = TENANT
    asked = local(service, credential=DeviceCodeCredential(), prompt=lambda _: None)

    gap = gap_of(asked, service.endpoints.graph)

    assert gap.kind is GapKind.SIGN_IN_REFUSED
    assert "declined" in gap.message
    assert asked.person is None


@pytest.mark.parametrize(
    "code",
    [
        b"{}",
        b'{"device_code": "d", "user_code": "u", "verification_uri": "v", "interval": "soon"}',
        b'{"device_code": "d", "user_code": "u\\u001b[2J", "verification_uri": "v"}',
        b'{"device_code": "d", "user_code": 7, "verification_uri": "v"}',
    ],
)
def test_a_code_that_cannot_be_told_is_not(tmp_path: Path, code: bytes) -> None:
    with ScriptedServer(tmp_path, b"") as server:
        server.scripts = (discovery(server, server.base), http(200, code))

        assert gap_of(scripted(server), server.base).kind is GapKind.MALFORMED


def test_a_device_code_is_asked_for_at_the_configured_host_alone(tmp_path: Path) -> None:
    with ScriptedServer(tmp_path, b"") as server:
        server.scripts = (discovery(server, "https://evil.example"),)

        gap = gap_of(scripted(server), server.base)

    assert "foreign address" in gap.message
    assert len(server.received) == 1


@pytest.mark.parametrize(
    "about", ['"id_token": "x"', '"id_token": 7', '"client_info": "!", "id_token": "a.e30.b"', '"expires_in": "soon"']
)
def test_a_person_who_cannot_be_told_is_a_gap(tmp_path: Path, about: str) -> None:
    with ScriptedServer(tmp_path, b"") as server:
        code = b'{"device_code": "d", "user_code": "u", "verification_uri": "v", "interval": 0, "expires_in": 9}'
        token = f'{{"access_token": "t", "token_type": "Bearer", {about}}}'.encode()
        server.scripts = (discovery(server, server.base), http(200, code), http(200, token))

        assert gap_of(scripted(server), server.base).kind is GapKind.MALFORMED


def discovery(server: ScriptedServer, device_host: str) -> bytes:
    base = f"{server.base}/t/oauth2/v2.0"
    endpoints = f'"authorization_endpoint": "{base}/authorize", "token_endpoint": "{base}/token"'
    content = f'{{{endpoints}, "device_authorization_endpoint": "{device_host}/t/oauth2/v2.0/devicecode"}}'
    return http(200, content.encode())


def scripted(server: ScriptedServer) -> Tokens:

    endpoints = Endpoints(login=server.base, graph=server.base, exchange=server.base)
    return tokens(endpoints, server.ca_file, credential=DeviceCodeCredential(), prompt=lambda _: None)


def test_only_a_managed_identity_has_no_tenant() -> None:
    with pytest.raises(ValueError, match="tenant_id"):
        CloudSignIn(tenant_id=None, client_id="x", credential=DeviceCodeCredential())
