"""What Microsoft Graph says when it fails."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from auditor.collect.https.answers import ErrorReport
from auditor.model.evidence import GapKind

if TYPE_CHECKING:
    from auditor.collect.https.answers import Answer
    from auditor.model.evidence import Json, Record

# https://learn.microsoft.com/graph/errors, and the licence errors of the governance and reporting calls
_KIND_BY_CODE = {
    "AadPremiumLicenseRequired": GapKind.NOT_LICENSED,
    "Authentication_RequestFromNonPremiumTenantOrB2CTenant": GapKind.NOT_LICENSED,
    "Authorization_RequestDenied": GapKind.NOT_PERMITTED,
    "InvalidAuthenticationToken": GapKind.SIGN_IN_REFUSED,
}
_ABSENT = "Request_ResourceNotFound"


def read_graph_error(answer: Answer, content: Record) -> ErrorReport:
    """Return code and message of an error answer.

    Only status 404 together with Graph's own code says that an object does not exist: a proxy or a
    mistyped path answers 404 as well.
    """
    error = _error_object(content)
    code, message = str(error.get("code") or ""), str(error.get("message") or "")
    is_absent = answer.status_code == HTTPStatus.NOT_FOUND and code == _ABSENT
    kind = GapKind.NOT_FOUND if is_absent else _KIND_BY_CODE.get(code)
    return ErrorReport(code=code, message=message, kind=kind)


def _error_object(content: Record) -> dict[str, Json]:
    for key in ("error", "@odata.error", "odata.error"):
        match content.get(key):
            case dict(error):
                return error
            case str(text):
                return {"message": text}
    return {}

