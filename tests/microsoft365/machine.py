"""The token services that Azure puts on a machine for its managed identity: plain HTTP, no secret."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.microsoft365.wire import Request, Response, json_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.microsoft365.login import Login
    from tests.microsoft365.snapshot import Tenant

IMDS_PATH = "/metadata/identity/oauth2/token"  # virtual machines
APP_SERVICE_PATH = "/msi/token"
IDENTITY_HEADER = "composed-identity-header"
_HEADERS = {IMDS_PATH: ("metadata", "true"), APP_SERVICE_PATH: ("x-identity-header", IDENTITY_HEADER)}


@dataclass(frozen=True, slots=True)
class Machine:
    """Hands out tokens of the auditing application as those of a managed identity.

    A token is kept and handed out again, whatever was granted since, as Azure does for up to a day.
    """

    tenant: Callable[[], Tenant]
    login: Login
    _kept: dict[str, dict[str, object]] = field(default_factory=dict)

    def answer(self, request: Request) -> Response:
        """Answer one request."""
        name, value = _HEADERS.get(request.path, ("", ""))
        if request.method != "GET" or not name:
            return Response(status=404)
        if request.headers.get(name) != value or "x-forwarded-for" in request.headers:
            return _refusal("The request lacks a required header.")
        if not self._has_identity(request.query.get("client_id")):
            return _refusal("Identity not found")
        resource = request.query.get("resource", "")
        if resource not in self._kept:
            permissions = self.login.permissions_of(self.tenant(), resource)
            if permissions is None:
                return _refusal(f"The resource principal named {resource} was not found in the tenant.")
            self._kept[resource] = self.login.tokens.issue(self.tenant(), resource, permissions)
        kept = self._kept[resource]
        # numbers are texts here, unlike at the sign-in service
        return json_response(
            200,
            {
                "access_token": kept["access_token"],
                "expires_in": str(kept["expires_in"]),
                "expires_on": str(4102444800),
                "resource": resource,
                "token_type": "Bearer",
            },
        )

    def _has_identity(self, client_id: str | None) -> bool:
        auditor = self.tenant().auditor
        return auditor.has_machine_identity and client_id in {None, auditor.client_id}


def _refusal(text: str) -> Response:
    return json_response(400, {"error": "invalid_request", "error_description": text})
