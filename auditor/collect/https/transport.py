"""Sends requests and reads answers: allow-list, timeouts, size cap, bounded retries, deadline."""

from __future__ import annotations

import http.client
import random
import ssl
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import count
from typing import TYPE_CHECKING, TypeVar

import requests
import urllib3

from auditor.collect.https.allow_list import ForbiddenRequest, is_on_this_machine, origin
from auditor.collect.https.answers import Answer, TransientFault, one_line
from auditor.errors import SourceError
from auditor.model.evidence import Gap, GapKind
from auditor.model.message import say

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from auditor.collect.https.allow_list import AllowList

T = TypeVar("T")
USER_AGENT = "hire2retire-permission-auditor"
READ_BYTES = 65536

_TIMEOUTS = (TimeoutError, requests.Timeout, urllib3.exceptions.TimeoutError)
_DAMAGES = (http.client.IncompleteRead, urllib3.exceptions.DecodeError)


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Time and chance, so that tests need not wait for either."""

    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = _utc_now
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[float, float], float] = random.uniform


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportLimits:
    """How long and how much, for one tenant. Durations in seconds; `attempts` counts the first one."""

    connect_timeout_s: float = 10
    read_timeout_s: float = 90
    attempts: int = 4
    first_backoff_s: float = 1
    longest_wait_s: float = 120
    call_deadline_s: float = 240
    connection_deadline_s: float = 1800
    largest_answer_bytes: int = 32 * 1024 * 1024
    concurrent_graph_reads: int = 8
    concurrent_exchange_reads: int = 6
    pace: Pace = field(default_factory=Pace)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request; `name` stands for it in messages."""

    name: str
    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """What a service said the time is (RFC 9110 6.6.1), and by how many seconds that is ahead of this machine."""

    date: str
    ahead_s: int


class _Session(requests.Session):
    """A session that never looks where a redirect leads."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002
        return None


class Transport:
    """One session for all services of one tenant, for use by several threads; `close` it after use.

    `ca_file` replaces the trusted certificates. A connection's deadline starts with construction, and again
    with `renew_deadline`.
    """

    def __init__(self, allow_list: AllowList, *, ca_file: str | None, limits: TransportLimits) -> None:
        self.allow_list = allow_list
        self._verify: str | bool = ca_file or True
        self._limits = limits
        self._pace = limits.pace
        self._deadline = limits.pace.monotonic() + limits.connection_deadline_s
        self._held_until: dict[tuple[str, int] | None, float] = {}
        self._clocks: dict[tuple[str, int] | None, Clock] = {}
        self._session = _Session()
        self._session.headers["User-Agent"] = USER_AGENT
        # Anything set here keeps `requests` from replacing our token by an entry of ~/.netrc.
        self._session.auth = lambda request: request

    def close(self) -> None:
        """Close every connection."""
        self._session.close()

    def renew_deadline(self) -> None:
        """Start the time of another connection to the same tenant."""
        self._deadline = self._pace.monotonic() + self._limits.connection_deadline_s

    def elapsed_s(self) -> float:
        """Return the seconds since some fixed moment."""
        return self._pace.monotonic()

    def clock_of(self, url: str) -> Clock | None:
        """Return the clock a service showed with its first answer, if it has answered."""
        return self._clocks.get(origin(url))

    def ask(self, call: Call, interpret: Callable[[Answer], T]) -> T:
        """Send a call until `interpret` accepts the answer.

        `interpret` raises TransientFault to ask for another try. Raises SourceError when no try or no
        time is left, ForbiddenRequest when the call is none of the tool's reads.
        """
        give_up_at = min(self._deadline, self._pace.monotonic() + self._limits.call_deadline_s)
        for attempt in count(1):
            try:
                self._await_turn(call, give_up_at)
                return interpret(self._send(call, give_up_at))
            except TransientFault as fault:
                wait_s = self._wait_s(attempt, fault.retry_after)
                if attempt >= self._limits.attempts or self._pace.monotonic() + wait_s >= give_up_at:
                    raise SourceError(fault.gap) from fault
                if fault.retry_after is None:
                    self._pace.sleep(wait_s)
                else:  # the service wants to be left alone, by every thread
                    self._held_until[origin(call.url)] = self._pace.monotonic() + wait_s
        raise AssertionError  # pragma: no cover

    def _await_turn(self, call: Call, give_up_at: float) -> None:
        """Wait as long as a service has asked not to be called."""
        now = self._pace.monotonic()
        wait_s = self._held_until.get(origin(call.url), now) - now
        if wait_s <= 0:
            return
        if now + wait_s >= give_up_at:
            raise SourceError(
                _gap(GapKind.THROTTLED, "{call} was not sent: the service asks to wait for too long", call)
            )
        self._pace.sleep(wait_s)

    def _wait_s(self, attempt: int, retry_after: str | None) -> float:
        asked_s = self._asked_wait_s(retry_after)
        if asked_s is not None:
            return min(max(asked_s, 0), self._limits.longest_wait_s)
        ceiling_s = self._limits.first_backoff_s * 2 ** (attempt - 1)
        return self._pace.jitter(0, min(ceiling_s, self._limits.longest_wait_s))

    def _asked_wait_s(self, retry_after: str | None) -> float | None:
        """Read Retry-After (RFC 9110 10.2.3): seconds or an HTTP date."""
        if retry_after is None:
            return None
        if retry_after.strip().isascii() and retry_after.strip().isdigit():
            return float(retry_after)
        moment = _moment(retry_after)
        return None if moment is None else (moment - self._pace.now()).total_seconds()

    def _send(self, call: Call, give_up_at: float) -> Answer:
        request = self._prepare(call)
        left_s = give_up_at - self._pace.monotonic()
        if left_s <= 0:
            raise SourceError(_gap(GapKind.TIMED_OUT, "{call} was not sent: the time for it is used up", call))
        session, limits = self._session, self._limits
        trust = session.merge_environment_settings(request.url or "", {}, True, self._verify, None)
        if is_on_this_machine(request.url or ""):
            trust["proxies"] = {}  # a proxy would ask for the identity of another machine, or keep this one's
        try:
            with session.send(
                request,
                allow_redirects=False,
                timeout=(min(limits.connect_timeout_s, left_s), min(limits.read_timeout_s, left_s)),
                **trust,
            ) as response:
                return self._read(call, response, give_up_at)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise _network_fault(call, error) from error
        except OSError as error:  # raised by requests when the CA file is missing
            raise SourceError(_gap(GapKind.UNTRUSTED, "{call} was not sent: no usable CA file", call)) from error

    def _prepare(self, call: Call) -> requests.PreparedRequest:
        request = self._session.prepare_request(
            requests.Request(call.method, call.url, headers=dict(call.headers), data=call.body)
        )
        objection = self.allow_list.objection(call.method, request.url or "", call.body)
        if objection is not None:
            raise ForbiddenRequest(f"{call.name}: {objection}")
        return request

    def _read(self, call: Call, response: requests.Response, give_up_at: float) -> Answer:
        body = bytearray()
        # read1 returns what has arrived, so a peer that drips single bytes meets the deadline too
        while chunk := response.raw.read1(READ_BYTES, decode_content=True):
            body += chunk
            if len(body) > self._limits.largest_answer_bytes:
                raise SourceError(_gap(GapKind.MALFORMED, "{call} answered with more than the tool accepts", call))
            if self._pace.monotonic() >= give_up_at:
                raise TransientFault(_gap(GapKind.TIMED_OUT, "{call} did not finish its answer in time", call))
        self._note_clock(call, response.headers.get("Date", ""))
        return Answer(status_code=response.status_code, headers=response.headers, body=bytes(body))

    def _note_clock(self, call: Call, date: str) -> None:
        shown = _moment(date)
        if shown is None:
            return
        ahead_s = round((shown - self._pace.now()).total_seconds())
        self._clocks.setdefault(origin(call.url), Clock(date=date, ahead_s=ahead_s))


def _moment(date: str) -> datetime | None:
    """Read an HTTP date; None when it is none, or none that the calendar has."""
    try:
        moment = parsedate_to_datetime(date)
    except (ValueError, OverflowError):
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC)


def _gap(kind: GapKind, template: str, call: Call, **values: str) -> Gap:
    return Gap(kind=kind, message=say(template, call=call.name, **values))


def _network_fault(call: Call, error: Exception) -> Exception:
    """Sort a failure below HTTP. Only a certificate that cannot be verified is final at once."""
    causes = _causes(error)
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            reason = one_line(cause.verify_message)
            template = "{call} was not sent: server certificate: {reason}"
            return SourceError(_gap(GapKind.UNTRUSTED, template, call, reason=reason))
    if any(_is_timeout(cause) for cause in causes):
        return TransientFault(_gap(GapKind.TIMED_OUT, "{call} was not answered in time", call))
    if any(isinstance(cause, _DAMAGES) for cause in causes):
        return TransientFault(_gap(GapKind.MALFORMED, "{call} was answered with a truncated or damaged body", call))
    name = type(causes[-1]).__name__
    template = "{call} got no answer: the connection failed ({error})"
    return TransientFault(_gap(GapKind.UNREACHABLE, template, call, error=name))


def _is_timeout(cause: BaseException) -> bool:
    # urllib3 derives a refused connection from its timeout
    return isinstance(cause, _TIMEOUTS) and not isinstance(cause, urllib3.exceptions.NewConnectionError)


def _causes(error: BaseException) -> list[BaseException]:
    """Return an exception and everything it wraps, outermost first.

    requests and urllib3 hand the inner exception over as an argument, as `reason`, or as the cause.
    """
    found: list[BaseException] = []
    pending: list[object] = [error]
    while pending:
        candidate = pending.pop(0)
        if isinstance(candidate, BaseException) and candidate not in found:
            found.append(candidate)
            pending += [*candidate.args, getattr(candidate, "reason", None), candidate.__cause__]
    return found
