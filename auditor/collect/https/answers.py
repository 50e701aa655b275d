"""Answers of the tenant's services, and how a failed one turns into words."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NoReturn

from requests.structures import CaseInsensitiveDict

from auditor.errors import SourceError
from auditor.model.evidence import Gap, GapKind
from auditor.model.message import NOTHING, Message, say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.model.evidence import Record

RETRIED_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
OK = 200
UNAUTHORIZED = 401
REMOVED = "[removed]"
LONGEST_QUOTE = 300  # characters of a foreign text shown in a message

_GUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_KIND_BY_STATUS = {
    401: GapKind.SIGN_IN_REFUSED,
    403: GapKind.NOT_PERMITTED,
    408: GapKind.TIMED_OUT,
    429: GapKind.THROTTLED,
    500: GapKind.UNREACHABLE,
    502: GapKind.UNREACHABLE,
    503: GapKind.UNREACHABLE,
    504: GapKind.UNREACHABLE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One HTTP answer, read to its end. Header names compare without case."""

    status_code: int
    headers: Mapping[str, str]
    body: bytes

    def without(self, confidential: str) -> Answer:
        """Return the answer with a text removed that was sent in confidence and must not be kept."""
        headers = {name: value.replace(confidential, REMOVED) for name, value in self.headers.items()}
        body = self.body.replace(confidential.encode("utf-8"), REMOVED.encode("ascii"))
        return replace(self, headers=CaseInsensitiveDict(headers), body=body)

    @property
    def text(self) -> str:
        """The body as UTF-8, with replacement marks for what is not."""
        return self.body.decode("utf-8", "replace")

    def json_object(self) -> Record | None:
        """Return the JSON object of the body, or None when it is no such thing."""
        try:
            text = self.body.decode("utf-8-sig")
            content = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
        except (ValueError, RecursionError):
            return None
        return content if isinstance(content, dict) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorReport:
    """What a service says about its failure. `kind` is None when only the HTTP status decides."""

    code: str
    message: str
    kind: GapKind | None = None
    is_transient: bool = False


class TransientFault(Exception):
    """A failure worth another try; when no try is left, `gap` stands."""

    def __init__(self, gap: Gap, retry_after: str | None = None) -> None:
        self.gap = gap
        self.retry_after = retry_after
        super().__init__(gap.message)


def fail(
    answer: Answer,
    report: ErrorReport,
    *,
    call: str,
    missing_permission: Message | None,
    stale_rights: Message = NOTHING,
) -> NoReturn:
    """Raise what a failed answer means: TransientFault when a retry may help, else SourceError.

    `stale_rights` says why a right may have been granted and not count yet.
    """
    kind = report.kind or _KIND_BY_STATUS.get(answer.status_code, GapKind.MALFORMED)
    said = ": ".join(part for part in (one_line(report.code), one_line(report.message)) if part)
    message = say("{call} answered {status}", call=call, status=answer.status_code)
    if said:
        message = say("{call} answered {status}: {said}", call=call, status=answer.status_code, said=said)
    if stale_rights and kind is GapKind.NOT_PERMITTED:
        message = say("{message} ({hint})", message=message, hint=stale_rights)
    gap = Gap(
        kind=kind,
        message=message,
        missing_permission=missing_permission if kind is GapKind.NOT_PERMITTED else None,
    )
    if report.is_transient or answer.status_code in RETRIED_STATUSES:
        raise TransientFault(gap, answer.headers.get("Retry-After"))
    raise SourceError(gap)


def object_id(value: object) -> str | None:
    """Return `value` if it is an object id: it comes from a source and goes into paths and filters."""
    return value if isinstance(value, str) and _GUID.fullmatch(value) else None


def one_line(text: str) -> str:
    """Return foreign text fit for a message: printable, on one line, of bounded length."""
    printable = "".join(" " if unicodedata.category(character)[0] == "C" else character for character in text)
    words = " ".join(printable.split())
    return words if len(words) <= LONGEST_QUOTE else f"{words[:LONGEST_QUOTE]}..."


def _finite(number: str) -> float:
    """Return a number that JSON can hold again: `1e999` would become Infinity, which it cannot."""
    value = float(number)
    return value if math.isfinite(value) else _refuse_constant(number)


def _refuse_constant(name: str) -> NoReturn:
    msg = f"{name} is not JSON"
    raise ValueError(msg)
