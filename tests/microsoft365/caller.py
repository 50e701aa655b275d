"""A client of the service: a session that trusts it, and tokens from MSAL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msal  # type: ignore[import-untyped]

if TYPE_CHECKING:
    import requests

    from tests.microsoft365.service import LocalMicrosoft365


class Caller:
    """A client with a session that trusts the service, and tokens from MSAL."""

    def __init__(self, service: LocalMicrosoft365, session: requests.Session) -> None:
        self.service, self.session = service, session
        self._tokens: dict[str, str] = {}

    def application(self, credential: Any = None, tenant: str = "") -> msal.ConfidentialClientApplication:
        auditor = self.service.tenant.auditor
        return msal.ConfidentialClientApplication(
            auditor.client_id,
            authority=f"{self.service.endpoints.login}/{tenant or self.service.tenant.id}",
            client_credential=credential or auditor.secrets[0].value,
            instance_discovery=False,
            http_client=self.session,
        )

    def sign_in(self, resource: str, credential: Any = None) -> dict[str, Any]:
        answer: dict[str, Any] = self.application(credential).acquire_token_for_client(
            [f"{resource}/.default"]
        )
        return answer

    def authorization(self, resource: str) -> dict[str, str]:
        if resource not in self._tokens:
            self._tokens[resource] = self.sign_in(resource)["access_token"]
        return {"Authorization": f"Bearer {self._tokens[resource]}"}

    def graph(self, path: str, *, method: str = "GET", **headers: str) -> requests.Response:
        base = self.service.endpoints.graph
        url = path if path.startswith("https:") else f"{base}{path}"
        return self.session.request(
            method, url, headers=self.authorization(base) | headers, timeout=10, allow_redirects=False
        )

    def exchange(
        self, cmdlet: str, *, url: str = "", headers: dict[str, str] | None = None, **parameters: Any
    ) -> requests.Response:
        base = self.service.endpoints.exchange
        return self.session.post(
            url or f"{base}/adminapi/beta/{self.service.tenant.id}/InvokeCommand",
            json={"CmdletInput": {"CmdletName": cmdlet, "Parameters": parameters}},
            headers=self.authorization(base) | (headers or {}),
            timeout=10,
            allow_redirects=False,
        )

    def rows(self, cmdlet: str, **parameters: Any) -> list[dict[str, Any]]:
        response = self.exchange(cmdlet, **parameters)
        assert response.status_code == 200, response.text
        rows: list[dict[str, Any]] = response.json()["value"]
        return rows

    def values(self, path: str, **headers: str) -> list[dict[str, Any]]:
        response = self.graph(path, **headers)
        assert response.status_code == 200, response.text
        values: list[dict[str, Any]] = response.json()["value"]
        return values
