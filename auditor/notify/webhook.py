"""Web addresses that take JSON: one of Microsoft Teams, or any other."""

from __future__ import annotations

import ssl
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import requests
import urllib3

from auditor.model.notification import WebhookChannel, WebhookForm
from auditor.notify.failure import NotTold, network_trouble

if TYPE_CHECKING:
    from auditor.model.sign_in import Secret
    from auditor.notify.message import Message

MOST_CHARACTERS = 18_000  # Teams takes 28 KB, and each character may be written as three bytes or as an escape


def post(channel: WebhookChannel, url: Secret, message: Message, timeout_s: float) -> None:
    """Post a message. Raises NotTold, which holds neither the address nor text of the server."""
    session = requests.Session()
    session.auth = lambda request: request  # anything set keeps requests from looking into ~/.netrc
    body = _teams(message) if channel.form is WebhookForm.TEAMS else {**message.facts, "subject": message.subject,
                                                                      "summary": message.summary}
    try:
        with session, session.post(
            url.reveal_text().strip(),
            json=body,
            timeout=timeout_s,
            allow_redirects=False,  # the body is for this address alone
            verify=channel.ca_file or True,
            stream=True,  # nothing of the answer is read but its status
        ) as response:
            status = response.status_code
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        # Their text holds the address
        raise NotTold(_trouble(error)) from None
    if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        raise NotTold(f"the server answered {status}")


def _teams(message: Message) -> dict[str, Any]:
    """Return a message with an adaptive card, as a Teams workflow takes it ("post to a channel when a webhook ...")."""
    summary = message.summary
    if len(summary) > MOST_CHARACTERS:
        summary = f"{summary[:MOST_CHARACTERS]}\n\n{message.when_cut}"
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [
            {"type": "TextBlock", "text": message.subject, "weight": "Bolder", "wrap": True},
            {"type": "TextBlock", "text": summary, "wrap": True},
        ],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _trouble(error: BaseException) -> str:
    pending: list[object] = [error]
    while pending:
        cause = pending.pop(0)
        if isinstance(cause, ssl.SSLCertVerificationError):
            return network_trouble(cause)
        if isinstance(cause, requests.Timeout | urllib3.exceptions.TimeoutError) and not isinstance(
            cause, urllib3.exceptions.NewConnectionError  # derived from a timeout
        ):
            return network_trouble(TimeoutError())
        if isinstance(cause, BaseException):
            pending += [*cause.args, getattr(cause, "reason", None), cause.__cause__, cause.__context__]
    return network_trouble(error)
