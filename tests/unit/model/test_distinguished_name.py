"""Distinguished names: what is one, and which are equal."""

from __future__ import annotations

import time

import pytest

from auditor.model.distinguished_name import AttributeValue, parse_dn


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("OU=Staff,DC=corp,DC=com", "ou=staff, dc=CORP , DC = com"),
        (r"CN=Doe\, Jane,DC=x", r"CN=Doe\2C Jane,DC=x"),
        (r"CN=caf\C3\A9,DC=x", "CN=CAFÉ,DC=x"),
        ("CN=cafe\u0301,DC=x", "CN=caf\u00e9,DC=x"),
        ("CN=a+UID=b,DC=x", "uid=B + cn=A,DC=x"),
        (r"CN=a\=b,DC=x", "CN=a=b,DC=x"),
        (r"CN=\ a,DC=x", r"CN=\20a,DC=x"),
        ("CN=#04024869,DC=x", "cn=#04024869,DC=x"),
        ("CN=Straße,DC=x", "CN=STRASSE,DC=x"),
    ],
)
def test_spellings_of_one_name_are_equal(one: str, other: str) -> None:
    assert parse_dn(one) == parse_dn(other)
    assert hash(parse_dn(one)) == hash(parse_dn(other))
    assert parse_dn(one).normalised == parse_dn(other).normalised


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("CN=a,DC=x", "OU=a,DC=x"),
        ("CN=a  b,DC=x", "CN=a b,DC=x"),
        (r"CN=a\ ,DC=x", "CN=a,DC=x"),
        (r"CN=a\,DC\=x", "CN=a,DC=x"),
        (r"CN=a\+SN\=b,DC=x", "CN=a+SN=b,DC=x"),
        (r"CN=\#0402,DC=x", "CN=#0402,DC=x"),
    ],
)
def test_different_names_differ(one: str, other: str) -> None:
    assert parse_dn(one) != parse_dn(other)
    assert parse_dn(one).normalised != parse_dn(other).normalised


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r"CN=a\0ADEL:1", "a\nDEL:1"),
        (r"CN=\41\\41", "A\\41"),
        (r"CN=a\\ ", "a\\"),
        (r"CN=a \  ", "a  "),
        (r"CN=\"q\" \<\>\;\+", '"q" <>;+'),
        ("CN=#0aFF ", b"\x0a\xff"),
        ("CN=x#y", "x#y"),
    ],
)
def test_values_are_unescaped(text: str, value: str | bytes) -> None:
    ((part,),) = parse_dn(text).relative_names
    assert part == AttributeValue(type="CN", value=value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "cannot be empty"),
        ("  ", "cannot be empty"),
        ("corp.example.com", "at character 1, an attribute type"),
        ("CORP\\svc", "at character 1, an attribute type"),
        ("CN=a,", "at the end, an attribute type"),
        (",CN=a", "at character 1, an attribute type"),
        ("CN=a,,DC=x", "at character 6, an attribute type"),
        ("CN=a+,DC=x", "at character 6, an attribute type"),
        ("CN=,DC=x", "at character 4, the value is empty"),
        ("CN=", "at the end, the value is empty"),
        ('CN="a",DC=x', "the quoted form is not supported"),
        ("CN=a;DC=x", "at character 5, a character stands here that must be escaped"),
        ("CN=a<b", "at character 5"),
        ("CN=a\\", "at character 5"),
        ("CN=a\\z", "at character 5"),
        ("CN=a\0b", "at character 5"),
        (r"CN=a\C3", "the escaped bytes are not UTF-8"),
        ("CN=#1", "pairs of hexadecimal digits"),
        ("CN=#12x", "at character 7"),
        ("1.=a", "an attribute type"),
        ("C N=a", "an attribute type"),
        ("<GUID=a>", "an attribute type"),
        ("ldap://dc1/DC=x", "an attribute type"),
    ],
)
def test_what_is_no_name_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_dn(text)


def test_a_refusal_shows_hostile_text_escaped() -> None:
    with pytest.raises(ValueError, match=r"\\x1b\[31m"):
        parse_dn("\x1b[31m")


def test_the_written_form_keeps_the_operators_spelling() -> None:
    text = r"CN=Doe\, Jane\0A,OU=Sales+L=Zürich,DC=Corp"
    assert str(parse_dn(text)) == text
    assert str(parse_dn(' OU = \\ a"'[:-1] + "\\  , DC=x")) == r"OU=\ a\ ,DC=x"


def test_a_name_is_within_itself_and_what_is_above_it() -> None:
    name = parse_dn("OU=A,OU=B,DC=corp,DC=com")
    assert name.is_within(parse_dn("ou=a,ou=b,dc=corp,dc=com"))
    assert name.is_within(parse_dn("dc=CORP, dc=com"))
    assert not name.is_within(parse_dn("OU=Z,OU=A,OU=B,DC=corp,DC=com"))
    assert not name.is_within(parse_dn("DC=orp,DC=com"))
    assert not parse_dn(r"CN=a\,DC=corp,DC=com").is_within(parse_dn("DC=corp,DC=com"))


def test_parents_lead_to_the_top() -> None:
    parent = parse_dn(r"CN=a\,b,DC=corp,DC=com").parent
    assert parent == parse_dn("DC=corp,DC=com")
    assert parent is not None
    assert parent.parent == parse_dn("DC=com")
    assert parse_dn("DC=com").parent is None


@pytest.mark.parametrize(
    ("text", "is_dc_form", "domain"),
    [
        ("DC=Corp,dc=Example,DC=com", True, "corp.example.com"),
        ("OU=a,DC=corp,DC=com", False, "corp.com"),
        ("DC=a,OU=b,DC=com", False, "com"),
        ("DC=a+OU=b,DC=com", False, "com"),
        ("DC=#0402,DC=com", False, "com"),
        ("CN=a", False, None),
    ],
)
def test_domain_components(text: str, is_dc_form: bool, domain: str | None) -> None:
    name = parse_dn(text)
    assert name.is_dc_form is is_dc_form
    assert name.dns_domain == domain


def test_hostile_text_costs_linear_time() -> None:
    started = time.process_time()
    with pytest.raises(ValueError, match="at character"):
        parse_dn("CN=a" + " " * 200_000 + "b" + " " * 200_000 + ";")
    assert time.process_time() - started < 2
