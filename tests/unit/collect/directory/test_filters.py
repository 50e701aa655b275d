from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldap3.operation.search import compile_filter, parse_filter

from auditor.collect.directory.filters import filter_value


def sent(value: str | bytes) -> bytes:
    """Return the value that goes over the wire for a filter with `value` in it."""
    text = f"(&(objectClass=user)(sAMAccountName={filter_value(value)}))"
    parsed = parse_filter(text, None, True, True, None, False)  # type: ignore[no-untyped-call]
    equality = compile_filter(parsed.elements[0])["and"][1]  # type: ignore[no-untyped-call]
    return bytes(equality["equalityMatch"]["assertionValue"])


@given(st.binary(min_size=1, max_size=30))
def test_every_value_arrives_as_it_is(value: bytes) -> None:
    assert sent(value) == value


@pytest.mark.parametrize("name", [
    "svc)(objectClass=*", "*", "a\\2a", " leading and trailing ", "#hash", "Müller, Jörg", "\u202eevil",
    "nul\0",
])
def test_a_name_never_becomes_a_filter(name: str) -> None:
    assert sent(name) == name.encode()


def test_a_plain_name_stays_readable() -> None:
    assert filter_value("svc-h2r_1@corp.example.com") == "svc-h2r_1@corp.example.com"
