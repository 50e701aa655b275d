"""What an access token says about its holder. Nothing is trusted because of it, so no signature is checked."""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING

from auditor.errors import SourceError
from auditor.model.evidence import Gap, GapKind
from auditor.model.message import say

if TYPE_CHECKING:
    from auditor.model.evidence import Record

# https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference; nothing here is confidential
_CLAIMS = ("appid", "oid", "idtyp", "roles", "scp", "wids")
_RIGHTS = ("roles", "scp", "wids")


def claims_of(token: str) -> Record:
    """Return the claims about the holder. Raises SourceError when the token shows none."""
    try:
        payload = token.split(".")[1]
        content = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError, binascii.Error) as error:
        raise SourceError(_unreadable()) from error
    if not isinstance(content, dict):
        raise SourceError(_unreadable())
    return {name: content[name] for name in _CLAIMS if name in content}


def rights_in(token: str) -> str | None:
    """Return what a token permits, to be compared with another's; None when it does not say."""
    try:
        claims = claims_of(token)
    except SourceError:
        return None
    return json.dumps([claims.get(name) for name in _RIGHTS])


def _unreadable() -> Gap:
    return Gap(kind=GapKind.MALFORMED, message=say("the token does not say what it permits"))
