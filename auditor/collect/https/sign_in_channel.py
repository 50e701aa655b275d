"""The `http_client`s of MSAL: they hand over good answers only, because MSAL logs the bodies of bad ones."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from auditor.collect.https.answers import (
    OK,
    RETRIED_STATUSES,
    UNAUTHORIZED,
    Answer,
    ErrorReport,
    TransientFault,
    fail,
)
from auditor.collect.https.sign_in_errors import refused_managed_identity, refused_sign_in
from auditor.collect.https.transport import Call
from auditor.errors import SourceError
from auditor.model.evidence import Gap, GapKind
from auditor.model.message import Message, say

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import NoReturn

    from auditor.collect.https.transport import Transport
    from auditor.model.evidence import Json, Record

_REFUSALS = frozenset({400, 401, 403})
_TOKEN = re.compile(r"[\x21-\x7e]+")
# RFC 8628 3.5: the person has not entered the code yet; asking goes on
_STILL_WAITING = frozenset({"authorization_pending", "slow_down"})
_CREDENTIALS = ("client_secret", "client_assertion", "device_code", "refresh_token")
# Azure asks for another try after these: an identity that was assigned a moment ago, a service that restarts
_RETRIED_BY_MACHINES = RETRIED_STATUSES | {404, 410}
_SECONDS = re.compile(r"[0-9]{1,10}")


class SignInChannel:
    """To the sign-in service of the tenant."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def get(self, url: str, **_: Any) -> Answer:  # noqa: ANN401
        """Send the one GET of a sign-in: OpenID Connect discovery."""
        call = Call(name=say("sign-in (discovery)"), method="GET", url=url)
        return self._transport.ask(call, self._require_discovery)

    def post(
        self,
        url: str,
        *,
        data: Mapping[str, str | None],
        headers: Mapping[str, str],
        **_: Any,  # noqa: ANN401
    ) -> Answer:
        """Ask for a token, or for the code that a person is to enter."""
        self._require_own(url)
        call = Call(
            name=say("sign-in"),
            method="POST",
            url=url,
            headers={**headers, "Content-Type": "application/x-www-form-urlencoded"},
            body=urlencode({key: value for key, value in data.items() if value is not None}).encode("ascii"),
        )
        credentials = tuple(credential for key in _CREDENTIALS if (credential := data.get(key)))
        require = _require_code if url.endswith("/devicecode") else _require_token
        return self._transport.ask(call, lambda answer: require(answer, credentials))

    def close(self) -> None:
        """Leave the session open: it belongs to the transport."""

    def _require_discovery(self, answer: Answer) -> Answer:
        """Accept OpenID Connect discovery only if it sends the credential to the configured host."""
        content = _require_json(answer, call=say("sign-in (discovery)"))
        if not all(isinstance(content.get(name), str) for name in ("token_endpoint", "authorization_endpoint")):
            raise SourceError(_malformed(say("sign-in (discovery) names no token endpoint")))
        self._require_own(str(content["token_endpoint"]))
        return answer

    def _require_own(self, endpoint: str) -> None:
        if self._transport.allow_list.objection("POST", endpoint, None) is not None:
            raise SourceError(_malformed(say("sign-in (discovery) names an endpoint at a foreign address")))


class MachineChannel:
    """To the token service of the machine itself, for a managed identity."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def get(self, url: str, *, params: Mapping[str, str], headers: Mapping[str, str], **_: Any) -> Answer:  # noqa: ANN401
        """Ask for a token."""
        call = Call(name=say("managed identity"), method="GET", url=f"{url}?{urlencode(params)}", headers=headers)
        objection = self._transport.allow_list.objection(call.method, call.url, None)
        if objection is not None:  # where to ask is told by the environment, not by this tool
            message = say("managed identity: the environment names a token service that is not on this machine")
            raise SourceError(_malformed(message))
        try:
            return self._transport.ask(call, _require_machine_token)
        except SourceError as error:
            if error.gap.kind not in {GapKind.UNREACHABLE, GapKind.TIMED_OUT}:
                raise
            message = say(
                "{message}: is this a machine of Azure, or one connected with Azure Arc?", message=error.gap.message
            )
            raise SourceError(Gap(kind=error.gap.kind, message=message)) from error

    def close(self) -> None:
        """Leave the session open: it belongs to the transport."""


def _require_machine_token(answer: Answer) -> Answer:
    """Accept a token, and the challenge of Azure Arc, which MSAL answers with a file only administrators read."""
    if answer.status_code == UNAUTHORIZED and "WWW-Authenticate" in answer.headers:
        return answer
    content = answer.json_object() or {}
    if answer.status_code in _RETRIED_BY_MACHINES:
        gap = refused_managed_identity(content, answer.status_code)
        raise TransientFault(gap, answer.headers.get("Retry-After"))
    if answer.status_code != OK or "error" in content:
        raise SourceError(refused_managed_identity(content, answer.status_code))
    expiry = content.get("expires_in") or content.get("expires_on")
    if not _is_token(content.get("access_token")) or not _SECONDS.fullmatch(str(expiry)):
        raise SourceError(_malformed(say("managed identity: the machine answered without a usable token")))
    return answer


def _is_token(value: Json) -> bool:
    return isinstance(value, str) and _TOKEN.fullmatch(value) is not None


def _require_token(answer: Answer, credentials: tuple[str, ...]) -> Answer:
    content = answer.json_object() or {}
    if content.get("error") in _STILL_WAITING and answer.status_code in _REFUSALS:
        return answer
    if not _is_token(_require_json(answer, call=say("sign-in"), credentials=credentials).get("access_token")):
        raise SourceError(_malformed(say("sign-in was answered without a usable token")))
    return answer


def _require_code(answer: Answer, credentials: tuple[str, ...]) -> Answer:
    content = _require_json(answer, call=say("sign-in"), credentials=credentials)
    if not all(_is_token(content.get(name)) for name in ("device_code", "user_code", "verification_uri")):
        raise SourceError(_malformed(say("sign-in was answered without a code to enter")))
    if not all(_SECONDS.fullmatch(str(content.get(name, 0))) for name in ("interval", "expires_in")):
        raise SourceError(_malformed(say("sign-in was answered with a code of no certain life")))
    return answer


def _require_json(answer: Answer, *, call: Message, credentials: tuple[str, ...] = ()) -> Record:
    content = answer.json_object()
    if answer.status_code == OK and content is None:
        raise TransientFault(_malformed(say("{call} was answered with something that is not JSON", call=call)))
    if answer.status_code == OK and content is not None and "error" not in content:
        return content
    for credential in credentials:
        answer = answer.without(credential)
    return _refuse(answer, call=call)


def _refuse(answer: Answer, *, call: Message) -> NoReturn:
    content = answer.json_object() or {}
    if "error" in content and answer.status_code not in RETRIED_STATUSES:
        raise SourceError(refused_sign_in(content))
    report = ErrorReport(
        code=str(content.get("error", "")),
        message=str(content.get("error_description", "")),
        kind=GapKind.SIGN_IN_REFUSED if answer.status_code in _REFUSALS else None,
    )
    fail(answer, report, call=call, missing_permission=None)


def _malformed(message: Message) -> Gap:
    return Gap(kind=GapKind.MALFORMED, message=message)
