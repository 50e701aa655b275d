"""Settings through which somebody else acts as the account, or the account as others."""

from __future__ import annotations

import pytest

from auditor.evaluate.checks.secrets_in_text import looks_like_a_secret
from tests.unit.evaluate.composed import findings, judge, told
from tests.unit.evaluate.composed_account import delegate, domain_admin
from tests.unit.evaluate.composed_directory import (
    DOMAIN,
    HOST,
    TRUSTED_HOST,
    Directory,
    ace,
    descriptor,
    service_account,
)

WITH_NAMED_HOST = {HOST: {**TRUSTED_HOST, "root_dse": {"dnsHostName": ["dc1.corp.example.com"]}}}
OTHER = f"{DOMAIN}-1700"
BASE = 0x100200  # an account that is sensitive and cannot be delegated


@pytest.mark.parametrize(
    ("attributes", "check", "severity", "words"),
    [
        ({"servicePrincipalName": ["HTTP/h2r", "HTTP/h2r.x"]}, "AD-KRB-001", "critical", "HTTP/h2r, HTTP/h2r.x"),
        ({"userAccountControl": BASE | 0x80000}, "AD-KRB-002", "critical", "any service"),
        ({"msDS-AllowedToDelegateTo": "cifs/files.corp"}, "AD-KRB-003", "high", "cifs/files.corp"),
        ({"userAccountControl": BASE | 0x1000000}, "AD-KRB-003", "high", "protocol transition"),
        ({"msDS-AllowedToDelegateTo": "krbtgt/CORP"}, "AD-KRB-003", "critical", "krbtgt/CORP"),
        ({"msDS-AllowedToDelegateTo": f"ldap/{HOST}:636"}, "AD-KRB-003", "critical", HOST),
        ({"msDS-AllowedToDelegateTo": "cifs/DC1.corp.example.com"}, "AD-KRB-003", "critical", "DC1"),
        ({"msDS-AllowedToDelegateTo": "cifs/dc1"}, "AD-KRB-003", "critical", "cifs/dc1"),
        ({"msDS-KeyCredentialLink": "B:828:00:CN=x"}, "AD-KRB-007", "high", "1 value"),
        ({"userAccountControl": 0x200}, "AD-KRB-005", "medium", "not set"),
    ],
)
def test_each_exposure_is_an_advisory(attributes: dict[str, object], check: str, severity: str, words: str) -> None:
    directory = Directory(
        accounts=(service_account("Domain Admins", "H2R Delegates", **attributes),), hosts=WITH_NAMED_HOST
    )
    results = judge(directory.evidence())
    assert told(results, check) == [("advisory", severity)]
    assert words in findings(results, check)[0].actual
    assert findings(results, check)[0].remediation.commands
    assert results.summary.verdict == "compliant"


def test_outside_domain_admins_a_service_principal_name_is_less_and_delegation_of_the_sign_in_nothing() -> None:
    results = judge(delegate(servicePrincipalName="HTTP/h2r", userAccountControl=0x200).evidence())
    assert told(results, "AD-KRB-001") == [("advisory", "high")]
    assert told(results, "AD-KRB-005") == []


def test_protected_users_cannot_be_delegated_either() -> None:
    protected = f"{DOMAIN}-525"
    base = domain_admin(userAccountControl=0x200)
    results = judge(Directory(accounts=base.accounts, token=(*base.token, protected)).evidence())
    assert told(results, "AD-KRB-005") == []


def test_those_who_may_act_on_behalf_are_named() -> None:
    allowed = descriptor(ace(0xF01FF, OTHER))
    results = judge(domain_admin(**{"msDS-AllowedToActOnBehalfOfOtherIdentity": allowed}).evidence())
    assert told(results, "AD-KRB-004") == [("advisory", "high")]
    assert OTHER in findings(results, "AD-KRB-004")[0].actual


def test_malformed_bytes_of_those_who_may_act_on_behalf_are_told_too() -> None:
    results = judge(domain_admin(**{"msDS-AllowedToActOnBehalfOfOtherIdentity": b"\x01\x00"}).evidence())
    assert told(results, "AD-KRB-004") == [("advisory", "high")]
    assert "nobody readable" in findings(results, "AD-KRB-004")[0].actual


@pytest.mark.parametrize(
    "text",
    [
        "Password: hunter22",
        "H2R bind account, pw=Sommer2024",
        "Kennwort ist Winter",
        "mot de passe: soleil",
        "hasło: zima2024",
        "svc Passw0rd!1x rotates never",
        "pwd -> abcd",
    ],
)
@pytest.mark.parametrize("attribute", ["description", "info", "comment"])
def test_a_secret_in_readable_text_is_reported_and_never_repeated(text: str, attribute: str) -> None:
    results = judge(domain_admin(**{attribute: text}).evidence())
    assert told(results, "AD-KRB-009") == [("advisory", "high")]
    assert text not in str(findings(results, "AD-KRB-009"))


@pytest.mark.parametrize(
    "text",
    [
        "Hire2Retire service account, password rotated yearly by IAM",
        "Password policy: see wiki".replace("Password policy", "Policy"),
        "Owner: Robin.Doe1@corp.example.com",
        "https://wiki.corp.example.com/H2R?page=1#Top",
        "CHG-2024-00012 approved",
        "Hire2Retire-Production",
        "CORP\\svc-H2R!1",
        "",
    ],
)
def test_ordinary_text_is_no_secret(text: str) -> None:
    assert not looks_like_a_secret(text)
