"""The sign-in service: OpenID discovery and the token endpoint for client credentials."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from tests.microsoft365 import catalog
from tests.microsoft365.tokens import jwt_shaped
from tests.microsoft365.wire import Request, Response, json_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    from auditor.model.connection import Endpoints
    from tests.microsoft365.snapshot import Tenant
    from tests.microsoft365.tokens import TokenIssuer

_DISCOVERY = re.compile(r"/([^/]+)/v2\.0/\.well-known/openid-configuration")
_TOKEN = re.compile(r"/([^/]+)/oauth2/v2\.0/token")
_DEVICE_CODE = re.compile(r"/([^/]+)/oauth2/v2\.0/devicecode")
_DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_REFRESH_TOKEN = "composed-refresh-token"
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

# AADSTS code -> HTTP status, OAuth error, text
_REFUSALS = {
    53003: (400, "invalid_grant", "Access has been blocked by Conditional Access policies."),
    65001: (400, "invalid_grant", "The application has not been consented to."),
    90002: (
        400,
        "invalid_tenant",
        "Tenant not found. Check that the tenant ID is right and is in this cloud.",
    ),
    500011: (400, "invalid_resource", "The resource principal was not found in the tenant."),
    650052: (400, "invalid_client", "The organization lacks a service principal for the resource."),
    700016: (400, "unauthorized_client", "The application was not found in the directory."),
    700023: (401, "invalid_client", "The audience of the client assertion is not this token endpoint."),
    700024: (401, "invalid_client", "The client assertion is not within its valid time range."),
    700027: (401, "invalid_client", "The certificate of the client assertion is not registered."),
    900144: (400, "invalid_request", "The request body lacks a required parameter."),
    1002012: (
        400,
        "invalid_scope",
        "Client credentials need the scope of one resource with the suffix /.default.",
    ),
    7000215: (401, "invalid_client", "Invalid client secret provided."),
    7000216: (401, "invalid_client", "A client_secret or client_assertion is required."),
    7000222: (401, "invalid_client", "The provided client secret keys are expired."),
}


class SignInError(Exception):
    """A sign-in that fails with an AADSTS code."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(code)


@dataclass(frozen=True, slots=True)
class Login:
    """Answers the calls MSAL makes for an application."""

    tenant: Callable[[], Tenant]
    endpoints: Endpoints
    tokens: TokenIssuer
    asked_for: dict[str, str] = field(default_factory=dict)  # of the one sign-in with a device code

    def answer(self, request: Request) -> Response:
        """Answer one request."""
        try:
            if found := _DISCOVERY.fullmatch(request.path):
                return self._discovery(found[1])
            if (found := _TOKEN.fullmatch(request.path)) and request.method == "POST":
                return self._token(found[1], request)
            if (found := _DEVICE_CODE.fullmatch(request.path)) and request.method == "POST":
                return self._device_code(found[1], request)
        except SignInError as refusal:
            return refusal_response(refusal.code)
        return Response(status=404)

    def _require_tenant(self, name: str) -> Tenant:
        tenant = self.tenant()
        if not tenant.answers_to(name):
            raise SignInError(90002)
        return tenant

    def _discovery(self, name: str) -> Response:
        tenant = self._require_tenant(name)
        base = f"{self.endpoints.login}/{tenant.id}"
        return json_response(
            200,
            {
                "issuer": f"{base}/v2.0",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "token_endpoint": self._token_endpoint(tenant),
                "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
                "jwks_uri": f"{base}/discovery/v2.0/keys",
                "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
                "response_types_supported": ["code"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["RS256"],
            },
        )

    def _token_endpoint(self, tenant: Tenant) -> str:
        return f"{self.endpoints.login}/{tenant.id}/oauth2/v2.0/token"

    def _token(self, name: str, request: Request) -> Response:
        tenant = self._require_tenant(name)
        form = {key: values[-1] for key, values in parse_qs(request.body.decode()).items()}
        application = tenant.auditor
        if form.get("grant_type") in {_DEVICE_GRANT, "refresh_token"}:
            return self._token_of_person(tenant, form)
        if form.get("grant_type") != "client_credentials" or "scope" not in form:
            raise SignInError(900144)
        if form.get("client_id") != application.client_id:
            raise SignInError(700016)
        if application.refused_with is not None:
            raise SignInError(application.refused_with)
        self._check_credential(tenant, form)
        audience, permissions = self._resource(tenant, form["scope"])
        return json_response(200, self.tokens.issue(tenant, audience, permissions))

    def _check_credential(self, tenant: Tenant, form: dict[str, str]) -> None:
        if form.get("client_assertion") in tenant.auditor.federated_tokens:
            return
        if "client_secret" in form:
            _check_secret(tenant, form["client_secret"])
        elif form.get("client_assertion_type") == _ASSERTION_TYPE and "client_assertion" in form:
            _check_assertion(tenant, form["client_assertion"], self._token_endpoint(tenant))
        else:
            raise SignInError(7000216)

    def _device_code(self, name: str, request: Request) -> Response:
        """Begin a sign-in with a device code (RFC 8628 3.2)."""
        tenant = self._require_tenant(name)
        form = {key: values[-1] for key, values in parse_qs(request.body.decode()).items()}
        if form.get("client_id") != tenant.auditor.client_id or None in form.values() or "None" in form.values():
            raise SignInError(700016)
        self.asked_for["scope"] = form["scope"]
        return json_response(
            200,
            {
                "user_code": "COMPOSED1",
                "device_code": "composed-device-code",
                "verification_uri": "https://login.example/device",
                "expires_in": 900,
                "interval": 0,
                "message": "composed",
            },
        )

    def _token_of_person(self, tenant: Tenant, form: dict[str, str]) -> Response:
        person = tenant.user(tenant.auditor.person or "")
        if form["grant_type"] == _DEVICE_GRANT:
            self.asked_for["polls"] = f"{int(self.asked_for.get('polls', '0')) + 1}"
            if person is None or int(self.asked_for["polls"]) <= tenant.auditor.polls_before_entry:
                error = "authorization_pending" if person else "authorization_declined"
                return json_response(400, {"error": error, "error_description": "composed"})
        elif form.get("refresh_token") != _REFRESH_TOKEN or person is None:
            raise SignInError(7000215)
        audience, _ = self._resource(tenant, form.get("scope", self.asked_for["scope"]))
        permissions = self.permissions_of(tenant, audience) or frozenset()
        if catalog.EXCHANGE_MANAGE_AS_APP in permissions:
            permissions = frozenset({catalog.EXCHANGE_MANAGE})
        about = {"oid": person.id, "tid": tenant.id, "preferred_username": person.user_principal_name, "sub": person.id}
        ids = json.dumps({"uid": person.id, "utid": tenant.id}).encode()
        return json_response(
            200,
            self.tokens.issue(tenant, audience, permissions, person)
            | {
                "scope": f"{audience}/.default",
                "refresh_token": _REFRESH_TOKEN,
                "id_token": jwt_shaped(about | {"aud": form["client_id"], "iss": self.endpoints.login}),
                "client_info": base64.urlsafe_b64encode(ids).rstrip(b"=").decode(),
            },
        )

    def permissions_of(self, tenant: Tenant, resource: str) -> frozenset[str] | None:
        """Return what the auditing application was granted at a resource; None when there is no such resource."""
        if resource == self.endpoints.graph:
            return tenant.auditor.graph_permissions
        if resource == self.endpoints.exchange:
            return frozenset({catalog.EXCHANGE_MANAGE_AS_APP} if tenant.auditor.exchange_manage_as_app else ())
        return None

    def _resource(self, tenant: Tenant, scope: str) -> tuple[str, frozenset[str]]:
        """Return the audience of a `/.default` scope and the application roles granted there."""
        scopes = [part for part in scope.split() if part not in {"openid", "profile", "offline_access"}]
        if len(scopes) != 1 or not scopes[0].endswith("/.default"):
            raise SignInError(1002012)
        resource = scopes[0].removesuffix("/.default")
        permissions = self.permissions_of(tenant, resource)
        if permissions is None:
            raise SignInError(500011)
        return resource, permissions


def refusal_response(code: int) -> Response:
    """The body of the token endpoint for an AADSTS code."""
    status, error, text = _REFUSALS[code]
    now = dt.datetime.now(dt.UTC)
    trace = "00000000-0000-0000-0000-0000000000a1"
    return json_response(
        status,
        {
            "error": error,
            "error_description": f"AADSTS{code}: {text} Trace ID: {trace} Timestamp: {now:%FT%TZ}",
            "error_codes": [code],
            "timestamp": f"{now:%F %TZ}",
            "trace_id": trace,
            "correlation_id": trace,
            "error_uri": f"https://login.microsoftonline.com/error?code={code}",
        },
    )


def _check_secret(tenant: Tenant, value: str) -> None:
    known = [secret for secret in tenant.auditor.secrets if secret.value == value]
    if not known:
        raise SignInError(7000215)
    if all(secret.expired for secret in known):
        raise SignInError(7000222)


def _check_assertion(tenant: Tenant, assertion: str, token_endpoint: str) -> None:
    """Check signature, audience and time range of a client assertion (RFC 7523 section 3)."""
    try:
        header = jwt.get_unverified_header(assertion)
        jwt.decode(
            assertion,
            _registered_key(tenant, header),
            algorithms=["PS256", "RS256"],
            audience=token_endpoint,
            options={"require": ["exp", "aud", "iss", "sub"]},
            issuer=tenant.auditor.client_id,
        )
    except jwt.InvalidAudienceError:
        raise SignInError(700023) from None
    except (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError):
        raise SignInError(700024) from None
    except jwt.InvalidTokenError:
        raise SignInError(700027) from None


def _registered_key(tenant: Tenant, header: dict[str, str]) -> RSAPublicKey:
    """Return the key of the registered certificate that `x5t#S256` (SHA-256) or `x5t` (SHA-1) names."""
    for pem in tenant.auditor.certificates:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        named = {
            certificate.fingerprint(hashes.SHA256()): header.get("x5t#S256", ""),
            certificate.fingerprint(hashes.SHA1()): header.get("x5t", ""),
        }
        if any(_decoded(text) == fingerprint for fingerprint, text in named.items()):
            key: RSAPublicKey = certificate.public_key()  # type: ignore[assignment]
            return key
    raise SignInError(700027)


def _decoded(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        return b""
