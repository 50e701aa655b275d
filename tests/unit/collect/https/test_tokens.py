"""Signing in at the local service, and at one that misbehaves."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    load_pem_private_key,
    pkcs12,
)

from auditor.collect.https.allow_list import AllowList
from auditor.collect.https.tokens import Tokens
from auditor.collect.https.transport import Pace, Transport, TransportLimits
from auditor.errors import SourceError
from auditor.model.connection import Endpoints
from auditor.model.evidence import Gap, GapKind
from auditor.model.sign_in import (
    CertificateCredential,
    ClientSecretCredential,
    CloudCredential,
    CloudSignIn,
    ManagedIdentityCredential,
    Secret,
    SecretReference,
)
from tests.microsoft365.certificates import issue_application_certificate
from tests.microsoft365.service import LocalMicrosoft365
from tests.microsoft365.tenant import TenantBuilder
from tests.microsoft365.wire import System
from tests.unit.collect.https.scripted_server import ScriptedServer, http

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SECRET = SecretReference("env", "SECRET")
PASSWORD = SecretReference("env", "PASSWORD")
LIMITS = TransportLimits(attempts=2, pace=Pace(sleep=lambda _: None))
APPLICATION = issue_application_certificate()
PEM = (APPLICATION.private_key + APPLICATION.certificate).encode()
TENANT = TenantBuilder().build()
KNOWN = replace(TENANT, auditor=replace(TENANT.auditor, certificates=(APPLICATION.certificate,)))
CLIENT_SECRET = TENANT.auditor.secrets[0].value.encode()


def pfx() -> bytes:
    return pkcs12.serialize_key_and_certificates(
        None,
        load_pem_private_key(PEM, None),  # type: ignore[arg-type]
        x509.load_pem_x509_certificate(APPLICATION.certificate.encode()),
        None,
        BestAvailableEncryption(b"open"),
    )


@pytest.fixture(scope="module")
def running() -> Iterator[LocalMicrosoft365]:
    with LocalMicrosoft365(KNOWN) as service:
        yield service


@pytest.fixture
def service(running: LocalMicrosoft365) -> LocalMicrosoft365:
    running.tenant = KNOWN
    running.requests.clear()
    return running


def tokens(
    endpoints: Endpoints,
    ca_file: Path,
    *,
    secret: bytes = CLIENT_SECRET,
    credential: CloudCredential | None = None,
    client_id: str | None = TENANT.auditor.client_id,
    limits: TransportLimits = LIMITS,
    prompt: Callable[[str], None] | None = None,
) -> Tokens:
    is_machine = isinstance(credential, ManagedIdentityCredential)
    allow_list = AllowList(
        endpoints=endpoints, regional_hosts=False, managed_identity=is_machine, device_code=prompt is not None
    )
    sign_in = CloudSignIn(
        tenant_id=None if is_machine else TENANT.id,
        client_id=client_id,
        credential=credential or ClientSecretCredential(client_secret=SECRET),
    )
    secrets = {SECRET: Secret(secret), PASSWORD: Secret(b"open")}
    transport = Transport(allow_list, ca_file=str(ca_file), limits=limits)
    return Tokens(transport, login=endpoints.login, sign_in=sign_in, secrets=secrets, prompt=prompt)


def local(service: LocalMicrosoft365, **options: object) -> Tokens:
    return tokens(service.endpoints, service.ca_file, **options)  # type: ignore[arg-type]


def gap_of(asked: Tokens, resource: str) -> Gap:
    with pytest.raises(SourceError) as caught:
        asked.token(resource)
    return caught.value.gap


def test_each_service_gets_a_token_of_its_own_and_one_only(service: LocalMicrosoft365) -> None:
    asked = local(service)

    graph, exchange = asked.token(service.endpoints.graph), asked.token(service.endpoints.exchange)

    assert graph != exchange
    assert asked.token(service.endpoints.graph) == graph
    assert [request.path.rpartition("/")[2] for request in service.requests] == [
        "openid-configuration",
        "token",
        "token",
    ]
    assert {request.system for request in service.requests} == {System.LOGIN}


def test_reads_refused_with_the_same_token_renew_it_once(service: LocalMicrosoft365) -> None:
    asked, graph = local(service), service.endpoints.graph
    refused = asked.token(graph)

    first, second = asked.renew_once(graph, refused), asked.renew_once(graph, refused)

    assert first == second == asked.token(graph)
    assert first != refused
    assert len([each for each in service.requests if each.path.endswith("/token")]) == 2


def test_a_right_granted_since_shows_in_a_new_token_and_a_fresh_one_is_kept(service: LocalMicrosoft365) -> None:
    seconds = [0.0]
    pace = Pace(sleep=lambda _: None, monotonic=lambda: seconds[0])
    asked, graph = local(service, limits=TransportLimits(pace=pace)), service.endpoints.graph
    service.tenant = replace(KNOWN, auditor=replace(KNOWN.auditor, graph_permissions=frozenset()))
    refused = asked.token(graph)
    service.tenant = KNOWN

    assert asked.with_other_rights(graph, refused) is None, "it is fresh"
    seconds[0] = 61
    newer = asked.with_other_rights(graph, refused)
    assert newer not in {None, refused}
    assert asked.with_other_rights(graph, refused) == newer, "another read was refused with the old one, too"

    seconds[0] = 600
    assert asked.with_other_rights(graph, str(newer)) is None, "the new one says the same"


@pytest.mark.parametrize(
    ("secret", "credential"),
    [
        (PEM, CertificateCredential(certificate=SECRET)),
        (pfx(), CertificateCredential(certificate=SECRET, password=PASSWORD)),
    ],
    ids=["pem", "pfx"],
)
def test_a_certificate_signs_in(
    service: LocalMicrosoft365, secret: bytes, credential: CertificateCredential
) -> None:
    assert local(service, secret=secret, credential=credential).token(service.endpoints.graph)


def test_the_environment_does_not_send_the_credential_to_a_region(
    service: LocalMicrosoft365, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MSAL_FORCE_REGION", "westeurope")

    assert local(service).token(service.endpoints.graph)


def test_a_failed_sign_in_is_not_repeated_and_keeps_its_cause(service: LocalMicrosoft365) -> None:
    asked = local(service, secret=b"wrong")
    cause = gap_of(asked, service.endpoints.graph)
    requests = len(service.requests)

    later = gap_of(asked, service.endpoints.graph)

    assert later.kind is GapKind.NOT_ATTEMPTED
    assert cause.message in later.message
    assert len(service.requests) == requests
    assert asked.signed_in_as.startswith("nobody")


def test_a_certificate_that_cannot_be_read_contacts_nobody(service: LocalMicrosoft365) -> None:
    asked = local(service, secret=b"junk", credential=CertificateCredential(certificate=SECRET))

    gap = gap_of(asked, service.endpoints.graph)

    assert gap.kind is GapKind.SIGN_IN_REFUSED
    assert service.requests == []


def discovery(server: ScriptedServer, token_endpoint: object) -> bytes:
    content = {
        "authorization_endpoint": f"{server.base}/t/oauth2/v2.0/authorize",
        "token_endpoint": token_endpoint,
    }
    return http(200, json.dumps(content).encode())


def scripted(server: ScriptedServer) -> Tokens:
    endpoints = Endpoints(login=server.base, graph=server.base, exchange=server.base)
    return tokens(endpoints, server.ca_file)


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://evil.example/t/oauth2/v2.0/token",
        "http://127.0.0.1/t/oauth2/v2.0/token",
        "BASE/t/oauth2/v2.0/elsewhere",
        "BASE@evil.example/t/oauth2/v2.0/token",
        "",
        None,
        7,
    ],
)
def test_the_credential_goes_to_the_configured_host_alone(tmp_path: Path, endpoint: object) -> None:
    with ScriptedServer(tmp_path, b"") as server:
        named = endpoint.replace("BASE", server.base) if isinstance(endpoint, str) else endpoint
        server.scripts = (discovery(server, named),)

        assert gap_of(scripted(server), server.base).kind is GapKind.MALFORMED

        assert not any(CLIENT_SECRET in request for request in server.received)


@pytest.mark.parametrize(
    "body",
    [
        b'{"access_token": "s3cret-part-of-a-tok',
        b"{}",
        b'{"access_token": 7}',
        b'{"access_token": "a\\r\\nX: b"}',
        b'{"access_token": ""}',
        b"[]",
    ],
)
def test_a_useless_token_is_malformed_and_is_not_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, body: bytes
) -> None:
    caplog.set_level(logging.DEBUG)
    with ScriptedServer(tmp_path, b"") as server:
        server.scripts = (discovery(server, f"{server.base}/t/oauth2/v2.0/token"), http(200, body))

        assert gap_of(scripted(server), server.base).kind is GapKind.MALFORMED

    assert "s3cret" not in caplog.text
    assert CLIENT_SECRET.decode() not in caplog.text


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (
            http(401, b'{"error": "invalid_client", "error_description": "you sent composed-client-secret"}'),
            GapKind.SIGN_IN_REFUSED,
        ),
        (http(403, b"<html>composed-client-secret</html>"), GapKind.SIGN_IN_REFUSED),
        (http(429, b"composed-client-secret"), GapKind.THROTTLED),
        (
            http(503, b'{"error": "temporarily_unavailable", "error_description": "composed-client-secret"}'),
            GapKind.UNREACHABLE,
        ),
        (http(200, b'{"error": "composed-client-secret"}'), GapKind.SIGN_IN_REFUSED),
    ],
)
def test_an_echoed_secret_is_not_shown(tmp_path: Path, answer: bytes, kind: GapKind) -> None:
    with ScriptedServer(tmp_path, b"") as server:
        server.scripts = (discovery(server, f"{server.base}/t/oauth2/v2.0/token"), answer)

        gap = gap_of(scripted(server), server.base)

    assert gap.kind is kind
    assert CLIENT_SECRET.decode() not in gap.message
