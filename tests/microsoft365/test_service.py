"""Sign-in with real MSAL, the request log, and the service on its own."""

from __future__ import annotations

import base64
import binascii
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jwt
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from tests.microsoft365.certificates import KeyAndCertificate, issue_application_certificate
from tests.microsoft365.objects import ClientSecret
from tests.microsoft365.scenarios import SERVICE_ACCOUNT, documented_shape, exact
from tests.microsoft365.wire import System

if TYPE_CHECKING:
    from tests.microsoft365.caller import Caller


def test_msal_signs_in_with_a_secret_to_each_resource_separately(caller: Caller) -> None:
    graph = caller.sign_in(caller.service.endpoints.graph)
    exchange = caller.sign_in(caller.service.endpoints.exchange)
    assert graph["token_type"] == exchange["token_type"] == "Bearer"
    assert caller.graph("/v1.0/organization").status_code == 200
    foreign = {"Authorization": f"Bearer {exchange['access_token']}"}
    assert caller.graph("/v1.0/organization", **foreign).status_code == 401


def _thumbprint(certificate: KeyAndCertificate) -> str:
    return x509.load_pem_x509_certificate(certificate.certificate.encode()).fingerprint(hashes.SHA1()).hex()


@pytest.mark.parametrize("with_thumbprint", [False, True], ids=["PS256 by SHA-256", "RS256 by SHA-1"])
def test_msal_signs_in_with_a_certificate(serve: Any, with_thumbprint: bool) -> None:
    certificate = issue_application_certificate()
    caller = serve(documented_shape(certificates=(certificate.certificate,)).build())
    credential = {"private_key": certificate.private_key, "public_certificate": certificate.certificate}
    if with_thumbprint:
        credential["thumbprint"] = _thumbprint(certificate)
    assert "access_token" in caller.sign_in(caller.service.endpoints.graph, credential)


def test_a_certificate_that_is_not_registered_is_refused(caller: Caller) -> None:
    other = issue_application_certificate()
    credential = {"private_key": other.private_key, "public_certificate": other.certificate}
    assert caller.sign_in(caller.service.endpoints.graph, credential)["error_codes"] == [700027]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"aud": "https://elsewhere.example/token"}, 700023),
        ({"exp": 1}, 700024),
        ({"iss": "someone else"}, 700027),
    ],
)
def test_an_assertion_for_elsewhere_or_another_time_is_refused(
    serve: Any, changes: dict[str, Any], code: int
) -> None:
    certificate = issue_application_certificate()
    caller = serve(documented_shape(certificates=(certificate.certificate,)).build())
    tenant = caller.service.tenant
    endpoint = f"{caller.service.endpoints.login}/{tenant.id}/oauth2/v2.0/token"
    claims = {
        "aud": endpoint,
        "iss": tenant.auditor.client_id,
        "sub": tenant.auditor.client_id,
        "exp": int(time.time()) + 300,
    }
    name = base64.urlsafe_b64encode(binascii.unhexlify(_thumbprint(certificate))).decode()
    assertion = jwt.encode(
        claims | changes, certificate.private_key, algorithm="RS256", headers={"x5t": name}
    )
    answer = caller.session.post(
        endpoint,
        timeout=10,
        data={
            "grant_type": "client_credentials",
            "client_id": tenant.auditor.client_id,
            "client_assertion": assertion,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "scope": f"{caller.service.endpoints.graph}/.default",
        },
    )
    assert answer.json()["error_codes"] == [code]


def test_a_wrong_secret_and_an_expired_secret_are_told_apart(serve: Any) -> None:
    caller = serve(
        documented_shape(secrets=(ClientSecret(value="old", expired=True), ClientSecret(value="new"))).build()
    )
    graph = caller.service.endpoints.graph
    assert caller.sign_in(graph, "wrong")["error_codes"] == [7000215]
    assert caller.sign_in(graph, "old")["error_codes"] == [7000222]
    assert "access_token" in caller.sign_in(graph, "new")


def test_an_unknown_tenant_is_refused_at_discovery(caller: Caller) -> None:
    url = f"{caller.service.endpoints.login}/elsewhere.example/v2.0/.well-known/openid-configuration"
    answer = caller.session.get(url, timeout=10)
    assert (answer.status_code, answer.json()["error_codes"]) == (400, [90002])
    with pytest.raises(ValueError, match="elsewhere"):
        caller.application(tenant="elsewhere.example")


def test_a_tenant_is_also_known_by_its_domains(caller: Caller) -> None:
    for domain in (caller.service.tenant.domain, caller.service.tenant.initial_domain):
        app = caller.application(tenant=domain)
        answer = app.acquire_token_for_client([f"{caller.service.endpoints.graph}/.default"])
        assert "access_token" in answer


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"client_id": "unknown"}, 700016),
        ({"client_secret": ""}, 7000216),
        ({"scope": "https://elsewhere.example/.default"}, 500011),
        ({"scope": "User.Read"}, 1002012),
        ({"grant_type": "password"}, 900144),
    ],
)
def test_a_token_request_must_be_complete_and_known(caller: Caller, form: dict[str, str], code: int) -> None:
    auditor = caller.service.tenant.auditor
    complete = {
        "client_id": auditor.client_id,
        "client_secret": auditor.secrets[0].value,
        "grant_type": "client_credentials",
        "scope": f"{caller.service.endpoints.graph}/.default",
    }
    url = f"{caller.service.endpoints.login}/{caller.service.tenant.id}/oauth2/v2.0/token"
    answer = caller.session.post(url, data=complete | form, timeout=10)
    assert answer.json()["error_codes"] == [code]


def test_a_sign_in_can_be_refused_by_policy(serve: Any) -> None:
    caller = serve(documented_shape(refused_with=53003).build())
    answer = caller.sign_in(caller.service.endpoints.graph)
    assert "AADSTS53003" in answer["error_description"]


def test_a_caller_that_does_not_trust_the_authority_gets_nowhere(caller: Caller) -> None:
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(caller.service.endpoints.graph, verify=True, timeout=10)
    assert [request for request in caller.service.requests if request.system is System.GRAPH] == []


def test_an_expired_token_is_refused(serve: Any) -> None:
    caller = serve(exact().tenant, token_lifetime_seconds=1)
    assert caller.graph("/v1.0/organization").status_code == 200
    time.sleep(1.1)
    assert caller.graph("/v1.0/organization").status_code == 401


def test_requests_are_logged_without_secrets(serve: Any) -> None:
    caller = serve(exact().tenant)
    caller.rows("Get-RoleGroup", ResultSize="Unlimited")
    caller.values("/v1.0/organization")
    log = caller.service.requests
    command = next(entry for entry in log if entry.system is System.EXCHANGE)
    assert (command.cmdlet, command.parameters, command.status) == (
        "Get-RoleGroup",
        {"ResultSize": "Unlimited"},
        200,
    )
    text = repr(log)
    assert caller.service.tenant.auditor.secrets[0].value not in text
    for resource in (caller.service.endpoints.graph, caller.service.endpoints.exchange):
        assert caller.authorization(resource)["Authorization"].removeprefix("Bearer ") not in text


def test_the_service_runs_standalone() -> None:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "tests.microsoft365", "disabled_account"]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        facts = dict(process.stdout.readline().split() for _ in range(8))
        with requests.Session() as session:
            session.trust_env = False
            url = f"{facts['login']}/{facts['tenant']}/v2.0/.well-known/openid-configuration"
            answer = session.get(url, verify=facts["ca_file"], timeout=10)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 0
    assert answer.headers["Server"].startswith("composed-microsoft365")
    assert facts["service_account"] == SERVICE_ACCOUNT
    assert not Path(facts["ca_file"]).exists()
