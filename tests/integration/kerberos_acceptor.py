"""The server's side of a Kerberos sign-in (RFC 4752), for what the lab's domain controller does not do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import gssapi
from gssapi.exceptions import BadChannelBindingsError
from gssapi.raw import ChannelBindings

if TYPE_CHECKING:
    from pathlib import Path

IN_PROGRESS, SUCCESS, INVALID_CREDENTIALS = 14, 0, 49  # RFC 4511 4.1.9
BAD_BINDINGS = "80090346: LdapErr: DSID-0C090587, comment: AcceptSecurityContext error, data 80090346, v4563"


@dataclass(kw_only=True)
class Acceptor:
    """Takes tickets for the service in `keytab` that are bound to `channel`, as Windows does when told to.

    `layers` are the security layers it offers. `answers` are the layers that clients chose.
    """

    keytab: Path
    channel: bytes
    layers: int = 7
    answers: list[bytes] = field(default_factory=list)
    _context: Any = None

    def __call__(self, token: bytes) -> tuple[int, str, bytes | None]:
        if self._context is None:
            credentials = gssapi.Credentials(usage="accept", store={"keytab": str(self.keytab)})
            bindings = ChannelBindings(application_data=self.channel)
            self._context = gssapi.SecurityContext(creds=credentials, usage="accept", channel_bindings=bindings)
            self._context.__DEFER_STEP_ERRORS__ = False  # say at once that the bindings are wrong
            try:
                return IN_PROGRESS, "", self._context.step(token)
            except BadChannelBindingsError:
                return INVALID_CREDENTIALS, BAD_BINDINGS, None
        if not token:
            return IN_PROGRESS, "", self._context.wrap(bytes([self.layers, 0, 0, 0]), encrypt=False).message
        self.answers.append(self._context.unwrap(token).message)
        return SUCCESS, "", None
