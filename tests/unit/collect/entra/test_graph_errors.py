"""What Microsoft Graph says when it fails."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from auditor.collect.entra.errors import read_graph_error
from auditor.collect.https.answers import Answer
from auditor.model.evidence import GapKind

if TYPE_CHECKING:
    from auditor.model.evidence import Record


def kind(status: int, code: str | None) -> GapKind | None:
    content: Record = {"error": {"code": code, "message": "m"}} if code is not None else {}
    body = json.dumps(content).encode()
    return read_graph_error(Answer(status_code=status, headers={}, body=body), content).kind


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (404, "Request_ResourceNotFound", GapKind.NOT_FOUND),
        (404, "ResourceNotFound", None),
        (404, None, None),
        (200, "Request_ResourceNotFound", None),
        (403, "Authorization_RequestDenied", GapKind.NOT_PERMITTED),
        (200, "Authorization_RequestDenied", GapKind.NOT_PERMITTED),
        (403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant", GapKind.NOT_LICENSED),
        (400, "AadPremiumLicenseRequired", GapKind.NOT_LICENSED),
        (403, "Something", None),
        (401, "InvalidAuthenticationToken", GapKind.SIGN_IN_REFUSED),
    ],
)
def test_a_code_decides_only_what_it_says(status: int, code: str | None, expected: GapKind | None) -> None:
    assert kind(status, code) is expected


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        ({"error": {"code": "A", "message": "b", "innerError": {"request-id": "x"}}}, "A", "b"),
        ({"@odata.error": {"code": "A", "message": "b"}}, "A", "b"),
        ({"odata.error": {"code": "A"}}, "A", ""),
        ({"error": "words"}, "", "words"),
        ({"error": {"code": None, "message": None}}, "", ""),
        ({"error": 7}, "", ""),
        ({}, "", ""),
    ],
)
def test_code_and_message_are_found_wherever_they_stand(
    content: dict[str, object], code: str, message: str
) -> None:
    report = read_graph_error(Answer(status_code=400, headers={}, body=b""), content)  # type: ignore[arg-type]

    assert (report.code, report.message) == (code, message)
