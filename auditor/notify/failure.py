"""Why news could not be told, in words that hold no secret and no text of a server."""

from __future__ import annotations

import ssl


class NotTold(Exception):
    """A channel did not take a message. Never ends a run."""


def network_trouble(error: BaseException) -> str:
    """Return what went wrong below the protocol."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the server's certificate cannot be verified: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return f"the connection failed ({type(error).__name__})"
