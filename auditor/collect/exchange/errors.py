"""What Exchange Online says when it fails, or when it returns less than there is."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from auditor.collect.https.answers import ErrorReport
from auditor.model.evidence import GapKind

if TYPE_CHECKING:
    from auditor.collect.https.answers import Answer
    from auditor.model.evidence import Json, Record

_ABSENT = "ManagementObjectNotFoundException"
_TRANSIENT = (
    "BackendCommunicationException",
    "CmdletProxyNotAvailableFailure",
    "ServerBusyException",
    "TransientException",
)
# Neither grant: 401. The application role without a directory role or role group: 403, body of NULs.
_DENIED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_ABOUT_ABSENCE = frozenset({HTTPStatus.OK, HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND})


def read_exchange_error(answer: Answer, content: Record) -> ErrorReport:
    """Return type and text of the exception behind an error answer.

    `error.message` always reads "Invalid Operation"; the cause is the internal exception, or the first
    detail in the form `|type|text`. The HTTP status does not tell absence: 400 and 404 both occur.
    """
    error = _object(content.get("error")) or _object(content.get("@odata.error"))
    exception, text = _exception(error)
    exception = exception or answer.headers.get("X-ExceptionType", "")
    return ErrorReport(
        code=exception.rpartition(".")[2] or _text(error.get("code")),
        message=text or answer.headers.get("x-ms-diagnostics", "") or _plain_text(answer, content),
        kind=_kind(answer.status_code, exception),
        is_transient=answer.status_code not in _DENIED and exception.endswith(_TRANSIENT),
    )


def read_exchange_shortfall(content: Record) -> str | None:
    """Return the warning that more objects exist than were returned, if there is one."""
    warnings = content.get("@adminapi.warnings")
    texts = [text for text in warnings if isinstance(text, str)] if isinstance(warnings, list) else []
    return next((text for text in texts if _tells_of_more(text.casefold())), None)


def _tells_of_more(warning: str) -> bool:
    return "resultsize" in warning or "more results" in warning


def _kind(status: int, exception: str) -> GapKind | None:
    if status in _DENIED:
        return GapKind.NOT_PERMITTED
    if status in _ABOUT_ABSENCE and exception.endswith(_ABSENT):
        return GapKind.NOT_FOUND
    return None


def _exception(error: dict[str, Json]) -> tuple[str, str]:
    internal = _object(_object(error.get("innererror")).get("internalexception"))
    details = error.get("details")
    first = _object(details[0]) if isinstance(details, list) and details else {}
    detailed_type, detailed_text = _split_detail(_text(first.get("message")))
    message = _text(internal.get("message")) or detailed_text or _text(error.get("message"))
    return _text(internal.get("type")) or detailed_type, message


def _split_detail(detail: str) -> tuple[str, str]:
    """Split `|type|text` and `code|type|text`; anything else is text."""
    found = re.fullmatch(r"[^|]*\|([\w.]+)\|(.*)", detail, re.DOTALL)
    return (found[1], found[2]) if found else ("", detail)


def _plain_text(answer: Answer, content: Record) -> str:
    """Return a body that is a sentence, as for too many concurrent requests; a web page is none."""
    return "" if content or answer.body.lstrip().startswith(b"<") else answer.text


def _object(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""
