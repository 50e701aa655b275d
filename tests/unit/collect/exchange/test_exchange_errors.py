"""What Exchange Online says when it fails, or returns less than there is."""

from __future__ import annotations

from typing import Any

import pytest
from requests.structures import CaseInsensitiveDict

from auditor.collect.exchange.errors import read_exchange_error, read_exchange_shortfall
from auditor.collect.https.answers import Answer, ErrorReport
from auditor.model.evidence import GapKind

ABSENT = "Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException"
BUSY = "Microsoft.Exchange.Data.Directory.ServerBusyException"


def failure(exception: str, text: str = "Readable text") -> dict[str, Any]:
    return {
        "error": {
            "code": "BadRequest",
            "message": "Invalid Operation",
            "details": [{"code": "Client", "target": "", "message": f"|{exception}|{text}"}],
            "innererror": {
                "message": "Invalid Operation",
                "internalexception": {"message": text, "type": exception},
            },
        }
    }


def report(status: int, content: dict[str, Any], body: bytes = b"", **headers: str) -> ErrorReport:
    named = CaseInsensitiveDict({name.replace("_", "-"): value for name, value in headers.items()})
    return read_exchange_error(Answer(status_code=status, headers=named, body=body), content)


@pytest.mark.parametrize(
    ("status", "exception", "expected"),
    [
        (400, ABSENT, GapKind.NOT_FOUND),
        (404, ABSENT, GapKind.NOT_FOUND),
        (500, ABSENT, None),
        (404, "", None),
        (400, "System.ArgumentException", None),
        (401, "", GapKind.NOT_PERMITTED),
        (403, "", GapKind.NOT_PERMITTED),
        (403, ABSENT, GapKind.NOT_PERMITTED),
    ],
)
def test_the_exception_tells_absence_and_the_status_denial(
    status: int, exception: str, expected: GapKind | None
) -> None:
    assert report(status, failure(exception)).kind is expected


@pytest.mark.parametrize("exception", [BUSY, "X.TransientException", "CmdletProxyNotAvailableFailure"])
def test_some_exceptions_pass_whatever_the_status(exception: str) -> None:
    assert report(400, failure(exception)).is_transient
    assert not report(403, failure(exception)).is_transient
    assert not report(400, failure("System.ArgumentException", "TransientException")).is_transient


def test_the_inner_text_is_quoted_and_not_the_useless_outer_one() -> None:
    whole = failure(ABSENT)
    details_only = failure(ABSENT)
    del details_only["error"]["innererror"]
    with_code = {"error": {"details": [{"message": f"Client|{ABSENT}|Readable text"}]}}
    for content in (whole, details_only, with_code):
        found = report(400, content)
        assert (found.code, found.message) == ("ManagementObjectNotFoundException", "Readable text")


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"error": None},
        {"error": "x"},
        {"error": []},
        {"error": {"details": "x"}},
        {"error": {"details": [1]}},
        {"error": {"innererror": {"internalexception": [1]}}},
        {"error": {"details": [{"message": "a|b"}]}},
    ],
)
def test_an_error_of_another_shape_claims_nothing(content: dict[str, Any]) -> None:
    assert report(400, content).kind is None


def test_a_body_of_nul_bytes_is_explained_by_its_header() -> None:
    found = report(403, {}, b"\0" * 64, x_ms_diagnostics='2000003;reason="no role"')

    assert found.kind is GapKind.NOT_PERMITTED
    assert "no role" in found.message


def test_a_plain_sentence_is_quoted_and_a_web_page_is_not() -> None:
    assert report(429, {}, b"Too many concurrent requests.").message == "Too many concurrent requests."
    assert report(502, {}, b" <html>Gateway</html>").message == ""


@pytest.mark.parametrize(
    ("warnings", "expected"),
    [
        ([], None),
        (None, None),
        ("text", None),
        ([7, {"a": 1}], None),
        (["The object has been corrupted."], None),
        (["There are MORE RESULTS available."], "There are MORE RESULTS available."),
        (["Note.", "Erhöhen Sie den Wert für ResultSize."], "Erhöhen Sie den Wert für ResultSize."),
    ],
)
def test_only_a_warning_of_more_results_makes_a_read_short(warnings: object, expected: str | None) -> None:
    assert read_exchange_shortfall({"@adminapi.warnings": warnings}) == expected  # type: ignore[dict-item]
