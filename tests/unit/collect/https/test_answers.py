"""Answers of a service that may be anything."""

from __future__ import annotations

import pytest

from auditor.collect.https.answers import (
    LONGEST_QUOTE,
    Answer,
    ErrorReport,
    TransientFault,
    fail,
    object_id,
    one_line,
)
from auditor.errors import SourceError
from auditor.model.evidence import GapKind


def answer(status: int = 200, body: bytes = b"", **headers: str) -> Answer:
    return Answer(status_code=status, headers=headers, body=body)


def test_a_json_object_is_read_with_and_without_byte_order_mark() -> None:
    assert answer(body=b'{"a": 1}').json_object() == {"a": 1}
    assert answer(body=b'\xef\xbb\xbf{"a": 1}').json_object() == {"a": 1}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\0" * 64,
        b"<html>",
        b'{"a": NaN}',
        b'{"a": "\xff"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"a": ' + b"1" * 5000 + b"}",
        b'{"a": 1e999}',
        b'{"a": -1e999}',
    ],
    ids=range(13),
)
def test_anything_else_is_no_object(body: bytes) -> None:
    assert answer(body=body).json_object() is None


def test_foreign_text_becomes_one_printable_line_of_bounded_length() -> None:
    assert one_line("a\r\nb\x1b[31m\u202e\0c\ud800") == "a b [31m c"
    assert len(one_line("x" * 10_000)) == LONGEST_QUOTE + 3


def test_only_a_guid_is_an_object_id() -> None:
    guid = "6F1D0000-0000-0000-0000-00000000000a"
    assert object_id(guid) == guid
    for value in (f"{guid}/x", f"{guid}\n", "", None, 1, "svc@contoso.example"):
        assert object_id(value) is None


def test_what_was_sent_in_confidence_is_removed_from_body_and_headers() -> None:
    cleaned = answer(403, b"you sent t0ken", Echo="Bearer t0ken").without("t0ken")

    assert cleaned.body == b"you sent [removed]"
    assert cleaned.headers["echo"] == "Bearer [removed]"


@pytest.mark.parametrize(
    ("status", "kind", "is_transient"),
    [
        (400, GapKind.MALFORMED, False),
        (401, GapKind.SIGN_IN_REFUSED, False),
        (403, GapKind.NOT_PERMITTED, False),
        (404, GapKind.MALFORMED, False),
        (408, GapKind.TIMED_OUT, True),
        (418, GapKind.MALFORMED, False),
        (429, GapKind.THROTTLED, True),
        (500, GapKind.UNREACHABLE, True),
        (502, GapKind.UNREACHABLE, True),
        (503, GapKind.UNREACHABLE, True),
        (504, GapKind.UNREACHABLE, True),
        (302, GapKind.MALFORMED, False),
    ],
)
def test_a_status_decides_kind_and_retry_when_the_service_says_nothing(
    status: int, kind: GapKind, is_transient: bool
) -> None:
    with pytest.raises((SourceError, TransientFault)) as caught:
        fail(answer(status), ErrorReport(code="", message=""), call="GET /x", missing_permission="R")

    fault = caught.value
    assert isinstance(fault, SourceError | TransientFault)
    assert isinstance(fault, TransientFault) is is_transient
    assert fault.gap.kind is kind
    assert fault.gap.missing_permission == ("R" if kind is GapKind.NOT_PERMITTED else None)
    assert fault.gap.message == f"GET /x answered {status}"
