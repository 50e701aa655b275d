"""Faults that tests put between a caller and the services, each visible on the wire."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from tests.microsoft365.exchange import command_of

if TYPE_CHECKING:
    from tests.microsoft365.wire import Request, System


class FaultKind(StrEnum):
    """What goes wrong: the first group replaces the answer, the second alters it, the third breaks HTTP."""

    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not found"
    THROTTLED = "throttled"
    SERVER_ERROR = "server error"
    BAD_GATEWAY = "bad gateway"
    UNAVAILABLE = "unavailable"
    GATEWAY_TIMEOUT = "gateway timeout"
    TRANSIENT_CMDLET_ERROR = "transient cmdlet error"
    EMBEDDED_ERROR = "embedded error"
    HTML = "html"
    EMPTY_BODY = "empty body"
    EXPIRED_PAGE = "expired page"
    REDIRECT_TO_FOREIGN_HOST = "redirect to foreign host"
    REDIRECT_TO_PLAIN_HTTP = "redirect to plain http"
    NO_PREMIUM_2_LICENCE = "no premium 2 licence"
    NO_PREMIUM_TENANT = "no premium tenant"

    TRUNCATED_JSON = "truncated json"
    FOREIGN_NEXT_LINK = "foreign next link"
    BLANK_NEXT_LINK = "blank next link"
    MORE_RESULTS_WARNING = "more results warning"

    HANG = "hang"
    CONNECTION_RESET = "connection reset"
    DROPPED_MID_BODY = "dropped mid body"
    OVERSIZED_BODY = "oversized body"


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Which calls: a system, and for it a path prefix and words of the query, or a cmdlet and its Identity."""

    system: System
    path: str = ""
    cmdlet: str | None = None
    identity: str | None = None
    query: str = ""

    def covers(self, request: Request) -> bool:
        """Tell whether a request is one of these calls."""
        if request.system is not self.system or not request.path.startswith(self.path):
            return False
        if self.query not in "&".join(f"{name}={value}" for name, value in request.query.items()):
            return False
        if self.cmdlet is None:
            return True
        command = command_of(request)
        if command is None or command.name != self.cmdlet:
            return False
        return self.identity is None or command.parameters.get("Identity") == self.identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault of matching calls: after `skip` calls that are spared, `times` times, or for good when None.

    `retry_after` is the text of that header. `seconds` bounds HANG, `megabytes` sizes OVERSIZED_BODY.
    """

    match: Match
    kind: FaultKind
    times: int | None = None
    skip: int = 0
    retry_after: str | None = None
    seconds: float = 30
    megabytes: int = 40


class Faults:
    """The faults in force, and how often each has struck."""

    def __init__(self) -> None:
        self._matched: list[tuple[Fault, int]] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Put a fault in force."""
        with self._lock:
            self._matched.append((fault, 0))

    def clear(self) -> None:
        """Take every fault out of force."""
        with self._lock:
            self._matched.clear()

    def strike(self, request: Request) -> Fault | None:
        """Return the first fault that strikes this request, and count it."""
        with self._lock:
            for index, (fault, matched) in enumerate(self._matched):
                if not _concerns(fault, request):
                    continue
                self._matched[index] = fault, matched + 1
                if fault.skip <= matched and (fault.times is None or matched < fault.skip + fault.times):
                    return fault
        return None


def _concerns(fault: Fault, request: Request) -> bool:
    if fault.kind is FaultKind.EXPIRED_PAGE and "$skiptoken" not in request.query:
        return False
    return fault.match.covers(request)
