"""Refused sign-ins in words."""

from __future__ import annotations

import pytest

from auditor.collect.https.sign_in_errors import refused_sign_in
from auditor.model.evidence import GapKind


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("53003", "Conditional Access"),
        ("65001", "consent"),
        ("90002", "tenant_id"),
        ("500011", "subscription"),
        ("650052", "consent"),
        ("700016", "client_id"),
        ("700024", "clock"),
        ("700027", "certificate"),
        ("7000215", "client secret is wrong"),
        ("7000222", "expired"),
    ],
)
def test_a_known_refusal_says_what_to_do(code: str, advice: str) -> None:
    description = f"AADSTS{code}: Something. Trace ID: 0"
    gap = refused_sign_in(
        {"error": "invalid_client", "error_description": description, "error_codes": [int(code)]}
    )

    assert gap.kind is GapKind.SIGN_IN_REFUSED
    assert gap.message.startswith(f"sign-in refused, AADSTS{code}: ")
    assert advice in gap.message
    assert "Trace ID" not in gap.message


def test_an_unknown_refusal_quotes_the_first_line() -> None:
    description = "AADSTS1234567: A new reason.\r\nTrace ID: 0"

    message = refused_sign_in({"error": "invalid_request", "error_description": description}).message

    assert message.startswith("sign-in refused, AADSTS1234567: ")
    assert "A new reason." in message
    assert "Trace ID" not in message


@pytest.mark.parametrize(
    "error", [{}, {"error": None}, {"error": ""}, {"error": {"code": 1}}, {"error": "\x00\n"}]
)
def test_a_refusal_without_words_is_still_a_refusal(error: dict[str, object]) -> None:
    gap = refused_sign_in(error)  # type: ignore[arg-type]

    assert gap.kind is GapKind.SIGN_IN_REFUSED
    assert gap.message.startswith("sign-in refused, ")
    assert gap.message.isprintable()
