"""Access tokens of the auditing identity. They live in memory and die with the run."""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import msal  # type: ignore[import-untyped]

from auditor.collect.https.answers import OK, RETRIED_STATUSES, Answer, ErrorReport, TransientFault, fail
from auditor.collect.https.certificates import CertificateUnusable, load_certificate
from auditor.collect.https.sign_in_errors import refused_sign_in
from auditor.collect.https.transport import Call
from auditor.errors import SourceError
from auditor.model.evidence import Gap, GapKind
from auditor.model.sign_in import CertificateCredential, ClientSecretCredential, CloudSignIn

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import NoReturn

    from auditor.collect.https.transport import Transport
    from auditor.model.evidence import Record
    from auditor.model.sign_in import Secret, SecretReference

_REFUSALS = frozenset({400, 401, 403})
_TOKEN = re.compile(r"[\x21-\x7e]+")


def check_certificate(secret: Secret, password: Secret | None) -> str | None:
    """Return what is wrong with an application certificate, or None. Contacts nobody."""
    try:
        load_certificate(secret, password)
    except CertificateUnusable as problem:
        return str(problem)
    return None


class Tokens:
    """Signs one application in and hands out its tokens, one per service."""

    def __init__(
        self,
        transport: Transport,
        *,
        login: str,
        sign_in: CloudSignIn,
        secrets: Mapping[SecretReference, Secret],
    ) -> None:
        self._channel = _SignInChannel(transport)
        self._login = login
        self._sign_in = sign_in
        self._secrets = secrets
        self._application: msal.ConfidentialClientApplication | None = None
        self._failures: dict[str, Gap] = {}
        self._has_signed_in = False
        self._lock = threading.RLock()  # one thread signs in, the others wait for its token

    def token(self, service: str) -> str:
        """Return a token for `service` (`https://host`), signing in when there is none.

        Raises SourceError. A sign-in that failed is not repeated: later calls say why nothing was sent.
        """
        with self._lock:
            return self._token(service)

    def _token(self, service: str) -> str:
        failure = self._failures.get(service)
        if failure is not None:
            message = f"not asked for, because: {failure.message}"
            raise SourceError(replace(failure, kind=GapKind.NOT_ATTEMPTED, message=message))
        try:
            token = self._acquire(service)
        except SourceError as error:
            self._failures[service] = error.gap
            raise
        self._has_signed_in = True
        return token

    def discard(self) -> None:
        """Forget every token: a right granted a moment ago shows in a new one only."""
        with self._lock:
            if self._application is not None:
                self._application.remove_tokens_for_client()

    @property
    def signed_in_as(self) -> str:
        """Who signed in, in words; says so when nobody did."""
        identity = f"application {self._sign_in.client_id} of tenant {self._sign_in.tenant_id}"
        return identity if self._has_signed_in else f"nobody ({identity} could not sign in)"

    def _acquire(self, service: str) -> str:
        if self._application is None:
            self._application = self._register()
        result = self._application.acquire_token_for_client([f"{service}/.default"])
        token = result.get("access_token")
        if not isinstance(token, str):
            raise SourceError(refused_sign_in(result))
        return token

    def _register(self) -> msal.ConfidentialClientApplication:
        return msal.ConfidentialClientApplication(
            self._sign_in.client_id,
            client_credential=self._credential(),
            authority=f"{self._login}/{quote(self._sign_in.tenant_id, safe='')}",
            instance_discovery=False,  # nobody else is to be asked about the configured host
            azure_region=msal.ConfidentialClientApplication.DISABLE_MSAL_FORCE_REGION,
            http_client=self._channel,
        )

    def _credential(self) -> str | dict[str, str]:
        match self._sign_in.credential:
            case ClientSecretCredential(client_secret=reference):
                return self._secrets[reference].reveal_text()
            case CertificateCredential(certificate=reference, password=password):
                return self._certificate_credential(reference, password)

    def _certificate_credential(
        self, reference: SecretReference, password: SecretReference | None
    ) -> dict[str, str]:
        try:
            pair = load_certificate(self._secrets[reference], self._secrets[password] if password else None)
        except CertificateUnusable as problem:
            message = f"no sign-in: the application's certificate cannot be used: {problem}"
            raise SourceError(Gap(kind=GapKind.SIGN_IN_REFUSED, message=message)) from problem
        # without a thumbprint MSAL derives the SHA-256 one from the certificate
        return {"private_key": pair.private_key, "public_certificate": pair.certificate}


class _SignInChannel:
    """The `http_client` of MSAL. It hands over good answers only: MSAL logs the bodies of bad ones."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def get(self, url: str, **_: Any) -> Answer:  # noqa: ANN401
        call = Call(name="sign-in (discovery)", method="GET", url=url)
        return self._transport.ask(call, self._require_discovery)

    def post(self, url: str, *, data: Mapping[str, str], headers: Mapping[str, str], **_: Any) -> Answer:  # noqa: ANN401
        call = Call(
            name="sign-in",
            method="POST",
            url=url,
            headers={**headers, "Content-Type": "application/x-www-form-urlencoded"},
            body=urlencode(data).encode("ascii"),
        )
        credential = data.get("client_secret") or data.get("client_assertion") or ""
        return self._transport.ask(call, lambda answer: _require_token(answer, credential))

    def close(self) -> None:
        """Leave the session open: it belongs to the transport."""

    def _require_discovery(self, answer: Answer) -> Answer:
        """Accept OpenID Connect discovery only if it sends the credential to the configured host."""
        content = _require_json(answer, call="sign-in (discovery)")
        endpoint = content.get("token_endpoint")
        if not isinstance(endpoint, str) or not isinstance(content.get("authorization_endpoint"), str):
            raise SourceError(_malformed("sign-in (discovery) names no token endpoint"))
        if self._transport.allow_list.objection("POST", endpoint, None) is not None:
            raise SourceError(_malformed("sign-in (discovery) names a token endpoint at a foreign address"))
        return answer


def _require_token(answer: Answer, credential: str) -> Answer:
    token = _require_json(answer, call="sign-in", credential=credential).get("access_token")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise SourceError(_malformed("sign-in was answered without a usable token"))
    return answer


def _require_json(answer: Answer, *, call: str, credential: str = "") -> Record:
    content = answer.json_object()
    if answer.status_code == OK and content is None:
        raise TransientFault(_malformed(f"{call} was answered with something that is not JSON"))
    if answer.status_code == OK and content is not None and "error" not in content:
        return content
    return _refuse(answer.without(credential) if credential else answer, call=call)


def _refuse(answer: Answer, *, call: str) -> NoReturn:
    content = answer.json_object() or {}
    if "error" in content and answer.status_code not in RETRIED_STATUSES:
        raise SourceError(refused_sign_in(content))
    report = ErrorReport(
        code=str(content.get("error", "")),
        message=str(content.get("error_description", "")),
        kind=GapKind.SIGN_IN_REFUSED if answer.status_code in _REFUSALS else None,
    )
    fail(answer, report, call=call, missing_permission=None)


def _malformed(message: str) -> Gap:
    return Gap(kind=GapKind.MALFORMED, message=message)
