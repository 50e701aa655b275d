"""How long a directory may take, and how much it may send, before the tool gives up on it."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Seconds for a connect or a handshake, for one receive, and for all of one connection; bytes per answer.

    1,000 entries of a page with descriptors of the largest size (64 KiB) fit into the default answer.
    """

    connect_s: float = 8.0
    receive_s: float = 30.0
    overall_s: float = 1800.0
    answer_bytes: int = 128 * 1024 * 1024


DEFAULT_LIMITS = Limits()


class Deadline:
    """The moment at which reading one connection must be over."""

    def __init__(self, seconds: float) -> None:
        self._ends_at = time.monotonic() + seconds

    def within(self, seconds: float) -> float:
        """Return `seconds`, or the time left when that is less. Raises TimeoutError when none is left."""
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time allowed for this connection is over")
        return min(seconds, left)
