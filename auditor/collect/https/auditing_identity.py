"""What the tenant lets the auditing identity do, as its tokens tell, and what time its services think it is."""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING

from auditor.errors import SourceError
from auditor.model.evidence import Gap, GapKind

if TYPE_CHECKING:
    from auditor.collect.https.recorder import Recorder
    from auditor.model.evidence import Record

# https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference; nothing here is confidential
_CLAIMS = ("appid", "oid", "idtyp", "roles", "scp", "wids")


def record_auditing_identity(recorder: Recorder) -> None:
    """Sign in to a service, and write what the token says about its holder; the token itself is not kept."""
    service = recorder.service
    recorder.announce("auditing_identity")
    with recorder.writer.read(
        "auditing_identity", endpoint=service.base, query={"token": service.base}, subject=service.base
    ) as read:
        read.add(_claims(service.tokens.token(service.base)))


def record_service_clock(recorder: Recorder) -> None:
    """Write by how many seconds the service's clock is ahead of this machine's, if it has answered."""
    service = recorder.service
    clock = service.transport.clock_of(service.base)
    if clock is None:
        return
    recorder.announce("service_clock")
    query = {"header": "Date"}
    with recorder.writer.read("service_clock", endpoint=service.base, query=query, subject=service.base) as read:
        read.add({"date": clock.date, "ahead_s": clock.ahead_s})


def _claims(token: str) -> Record:
    """Return the claims about the holder; nothing is trusted because of them, so the signature is not checked."""
    try:
        payload = token.split(".")[1]
        content = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError, binascii.Error) as error:
        raise SourceError(_unreadable()) from error
    if not isinstance(content, dict):
        raise SourceError(_unreadable())
    return {name: content[name] for name in _CLAIMS if name in content}


def _unreadable() -> Gap:
    return Gap(kind=GapKind.MALFORMED, message="the token does not say what it permits")
