from __future__ import annotations

import pytest

from auditor.acl import domain_of_sid, format_sid, parse_sid, rid_of_sid

BINARY = bytes.fromhex("010500000000000515000000dcf4dc3b833d2b46828ba62800020000")
TEXT = "S-1-5-21-1004336348-1177238915-682003330-512"


def test_a_domain_sid_reads_and_writes_as_windows_does():
    assert format_sid(BINARY) == TEXT
    assert parse_sid(TEXT) == BINARY


def test_a_large_authority_is_hexadecimal_in_text():
    assert format_sid(parse_sid("S-1-0x123456789abc-7")) == "S-1-0x123456789abc-7"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "S-1",
        "S-2-5-18",
        "S-1-5-",
        "S-1-5--18",
        "S-1-5-4294967296",
        "S-1-5-18 ",
        "S-1-5-18\n",
        "S-1-5-\u0661",
        "S-1-99999999999999-1",
        "S-1-5-" + "-".join("1" * 16),
    ],
)
def test_text_that_is_no_sid_is_refused(text):
    with pytest.raises(ValueError, match="no SID"):
        parse_sid(text)


@pytest.mark.parametrize(
    "raw", [b"", BINARY[:-1], BINARY + b"\0", b"\x02" + BINARY[1:], b"\x01\x10" + bytes(70)]
)
def test_bytes_that_are_no_sid_are_refused(raw):
    with pytest.raises(ValueError, match="no SID"):
        format_sid(raw)


@pytest.mark.parametrize(
    ("sid", "domain"),
    [
        (TEXT, "S-1-5-21-1004336348-1177238915-682003330"),
        ("S-1-5-21-1004336348-1177238915-682003330", None),
        ("S-1-5-32-544", None),
        ("S-1-5-21-1-2-3-4-5", None),
    ],
)
def test_only_domain_accounts_have_a_domain(sid, domain):
    assert domain_of_sid(sid) == domain


def test_the_rid_is_the_last_sub_authority():
    assert rid_of_sid(TEXT) == 512
    assert rid_of_sid("S-1-5-32-544") == 544


def test_a_sid_without_sub_authorities_has_no_rid():
    with pytest.raises(ValueError, match="no sub-authority"):
        rid_of_sid("S-1-5")
