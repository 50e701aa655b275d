"""Pseudonyms: equal for equal things, of the same form, and silent about what they stand for."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.acl import format_sid, parse_sid
from auditor.model.distinguished_name import parse_dn
from auditor.redaction.pseudonyms import Pseudonyms
from auditor.redaction.records import Redactor

SID = "S-1-5-21-111111-222222-333333-1104"
KEY = b"a key that is made for these tests"


def counted(text: str) -> str:
    """Return a text with its tokens counted: which token stands for what is a matter of the key."""
    tokens: dict[str, str] = {}
    return re.sub(r"(?<!\w)n[0-9a-f]{12}(?!\w)", lambda found: tokens.setdefault(found[0], f"n{len(tokens) + 1}"), text)


@pytest.mark.parametrize(
    ("value", "form"),
    [
        ("svc-h2r", "n1"),
        ("Hire to Retire", "n1"),
        ("svc@corp.example.com", "n1@n2.n3.n4"),
        ("CORP\\svc", "n1\\n2"),
        ("dc1.corp.example.com", "n1.n2.n3.n4"),
        ("DC1$", "n1$"),
        ("OU=Staff,OU=Users,DC=corp,DC=example", "OU=n1,OU=Users,DC=n2,DC=n3"),
        ("CN=AdminSDHolder,CN=System,DC=corp", "CN=AdminSDHolder,CN=System,DC=n1"),
        ("S-1-5-32-544", "S-1-5-32-544"),
        ("/", "/"),
        ("HTTP/web.corp.example:8443", "HTTP/n1.n2.n3:8443"),
        (
            "https://graph.microsoft.com/v1.0/users/svc@contoso.com?$select=id",
            "https://graph.microsoft.com/v1.0/users/n1@n2.n3?redacted",
        ),
        ("2026-11-23T08:00:00Z", "2026-11-23T08:00:00Z"),
        ("1.2.840.113556.1.4.803", "1.2.840.113556.1.4.803"),
        ("Unlimited", "Unlimited"),
        ("00000003-0000-0000-c000-000000000000", "00000003-0000-0000-c000-000000000000"),
    ],
)
def test_each_form_keeps_its_form(value: str, form: str) -> None:
    assert counted(Pseudonyms().text(value)) == form


@pytest.mark.parametrize(
    ("value", "form"),
    [
        ("10.1.2.3", r"2[45]\d\.\d+\.\d+\.\d+"),
        ("fe80::1", r"2001:db8::?[0-9a-f:]+"),
        (SID, r"S-1-5-21-\d+-\d+-\d+-1104"),
        ("9c2f5e8a-5471-5ca3-93c4-12b37dddcde5", r"a0000000-0000-4000-8000-[0-9a-f]{12}"),
        (
            "/administrativeUnits/9c2f5e8a-5471-5ca3-93c4-12b37dddcde5",
            r"/administrativeUnits/a0000000-0000-4000-8000-[0-9a-f]{12}",
        ),
        ("https://10.0.0.1:8443", r"https://2[45]\d\.\d+\.\d+\.\d+:8443"),
        ("B41A70075CE048F0365E66889E6659569256441B90E3A37C64D674286C6E468C", r"[0-9a-f]{64}"),
        ("da39a3ee5e6b4b0d3255bfef95601890afd80709", r"[0-9a-f]{40}"),
    ],
)
def test_identifiers_stay_identifiers_of_their_form(value: str, form: str) -> None:
    redacted = Pseudonyms(key=KEY).text(value)
    assert re.fullmatch(form, redacted)
    assert redacted.casefold() != value.casefold()
    assert Pseudonyms(key=KEY).text(value) == redacted


def test_tokens_are_those_of_the_key() -> None:
    texts = ["Contoso", "svc@contoso.com", SID, "10.1.2.3", "OU=Staff,DC=contoso"]
    one, same, other = Pseudonyms(key=KEY), Pseudonyms(key=KEY), Pseudonyms(key=b"another key")
    same.text("something that was redacted before")
    assert [one.text(text) for text in texts] == [same.text(text) for text in texts]
    assert not {one.text(text) for text in texts} & {other.text(text) for text in texts}
    assert Pseudonyms().name("Contoso") != Pseudonyms().name("Contoso")  # a key that nobody chose is nobody's
    assert KEY.decode() not in repr(one)


def test_the_same_name_is_the_same_token_wherever_it_stands() -> None:
    pseudonyms = Pseudonyms()
    pseudonym = pseudonyms.name("Contoso")
    assert pseudonyms.text("contoso") == pseudonym
    assert pseudonyms.text("CONTOSO\\svc").startswith(f"{pseudonym}\\")
    assert pseudonyms.text("svc@contoso.com").endswith(f"@{pseudonym}.{pseudonyms.name('com')}")
    assert f"DC={pseudonym}," in pseudonyms.text("OU=x,DC=contoso,DC=com")
    assert pseudonyms.text("contoso$") == f"{pseudonym}$"


def test_a_domain_is_the_same_token_in_text_and_bytes() -> None:
    pseudonyms = Pseudonyms()
    assert format_sid(pseudonyms.sids(parse_sid(SID))) == pseudonyms.text(SID)
    other = pseudonyms.text("S-1-5-21-111111-222222-333334-1104")
    assert other.startswith("S-1-5-21-")
    assert other != pseudonyms.text(SID)
    inside = b"before" + parse_sid(SID) + b"after"
    assert pseudonyms.sids(inside) == b"before" + parse_sid(pseudonyms.text(SID)) + b"after"


def test_what_is_below_stays_below() -> None:
    pseudonyms = Pseudonyms()
    outer, inner = "OU=Staff,DC=corp,DC=example", "CN=a\\,b,OU=Sub,OU=staff,DC=CORP,DC=example"
    assert parse_dn(pseudonyms.text(inner)).is_within(parse_dn(pseudonyms.text(outer)))


@given(st.text(min_size=1))
def test_no_text_is_left_as_it_was_unless_it_is_public(text: str) -> None:
    pseudonyms = Pseudonyms()
    redacted = pseudonyms.text(text)
    assert pseudonyms.text(text) == redacted
    words = [word for word in re.split(r"\W+", text) if len(word) > 4 and not pseudonyms.is_public(word)]
    assert not [word for word in words if word in redacted]


@pytest.mark.parametrize(
    "text",
    [
        "Fabrikam", "/Fabrikam/", "/fabrikam", "https://graph.microsoft.com/Fabrikam/v1.0", "https://fabrikam.com/hr",
        "CN=Fabrikam,DC=x", "fabrikam.onmicrosoft.com", "a@fabrikam.com", "FABRIKAM\\x", "fabrikam:443",
        "HTTP/fabrikam", "Fabrikam = 1", "x fabrikam y", "fabrikam$", "/administrativeUnits/Fabrikam",
        "OU=Fabrikam", "*.fabrikam.com",
        "{fabrikam}", "fabrikam\n", "Mail Recipients-Fabrikam", "TenantAdmins_Fabrikam",
    ],
)  # fmt: skip
def test_a_name_is_nowhere_left(text: str) -> None:
    assert "fabrikam" not in Pseudonyms().text(text).casefold()
    own = {"ext2irobb7b_fabrikam": text, "fabrikam_badge": text, "tags": [text, {"x": text}]}
    record = Redactor().record("user", {"displayName": text, **own}, {})
    assert "fabrikam" not in str(record).casefold()


@pytest.mark.parametrize(
    ("text", "expected"),
    [("the old password: Winter2026!", "password: Redacted1!"), ("runs the nightly job", "n1")],
)
def test_a_text_that_looks_like_a_secret_still_does(text: str, expected: str) -> None:
    record = Redactor().record("account", {"dn": "", "attributes": {"description": [text]}, "descriptor": None}, {})
    assert counted(str(record["attributes"])) == str({"description": [expected]})


def test_what_a_tenant_added_to_a_record_is_not_named() -> None:
    extension = "extension_9c2f5e8a54715ca393c412b37dddcde5_badge"
    record = Redactor().record("user", {extension: "4711", "accountEnabled": True, "jobTitle": "Clerk"}, {})
    assert counted(str(record)) == str({"n1": "n2", "accountEnabled": True, "jobTitle": "n3"})


def test_bytes_that_nobody_knows_are_blank() -> None:
    entry = {"dn": "", "attributes": {"thumbnailphoto": [{"base64": "c2VjcmV0"}]}, "descriptor": None}
    assert Redactor().record("account", entry, {})["attributes"] == {"thumbnailphoto": [{"base64": "AAAAAAAA"}]}
