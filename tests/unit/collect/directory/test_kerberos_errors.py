"""Every way a Kerberos sign-in fails has its words; only some of them are a refused credential."""

from __future__ import annotations

import pytest

from auditor.collect.directory.kerberos_errors import kerberos_failure
from auditor.model.evidence import GapKind

ENDPOINT, SERVICE = "ldaps://dc1:636", "ldap/dc1.corp.example.com"
FAILURE, NO_CREDENTIAL, CREDENTIALS_EXPIRED = 13 << 16, 7 << 16, 11 << 16  # RFC 2744 3.9.1
KRB5 = 2**32 - 1765328384  # as the unsigned number that GSS-API hands out


@pytest.mark.parametrize(("code", "kind", "words"), [
    (6, GapKind.SIGN_IN_REFUSED, "does not know the account"),
    (7, GapKind.NOT_ATTEMPTED, f"knows no service {SERVICE}"),
    (12, GapKind.SIGN_IN_REFUSED, "policy"),
    (14, GapKind.SIGN_IN_REFUSED, "no encryption type"),
    (18, GapKind.SIGN_IN_REFUSED, "disabled, expired or locked out"),
    (23, GapKind.SIGN_IN_REFUSED, "password has expired or must be changed"),
    (24, GapKind.SIGN_IN_REFUSED, "keytab does not hold"),
    (31, GapKind.SIGN_IN_REFUSED, "keytab does not hold"),
    (32, GapKind.SIGN_IN_REFUSED, "ticket has expired"),
    (33, GapKind.SIGN_IN_REFUSED, "not yet valid"),
    (37, GapKind.SIGN_IN_REFUSED, "clocks differ"),
    (41, GapKind.SIGN_IN_REFUSED, f"could not read the ticket for {SERVICE}"),
    (141, GapKind.NOT_ATTEMPTED, "no Kerberos ticket"),
    (154, GapKind.UNREACHABLE, "is known for the realm"),
    (156, GapKind.UNREACHABLE, "answers"),
])
def test_each_error_is_told_in_words_with_a_cure(code: int, kind: GapKind, words: str) -> None:
    gap = kerberos_failure(ENDPOINT, SERVICE, FAILURE, KRB5 + code)
    assert gap.kind is kind
    assert words in gap.message
    assert ENDPOINT in gap.message
    assert gap.missing_permission
    assert "{" not in gap.message + gap.missing_permission


def test_the_signed_number_of_another_library_means_the_same() -> None:
    assert kerberos_failure(ENDPOINT, SERVICE, FAILURE, -1765328384 + 37) == kerberos_failure(
        ENDPOINT, SERVICE, FAILURE, KRB5 + 37
    )


def test_expiry_is_told_by_gss_api_itself() -> None:
    assert "ticket has expired" in kerberos_failure(ENDPOINT, SERVICE, CREDENTIALS_EXPIRED, 100001).message


@pytest.mark.parametrize("minor", [0, 100001, KRB5 + 60, KRB5 + 5000, 2**32 - 1])
def test_an_unknown_error_counts_as_a_refusal(minor: int) -> None:
    gap = kerberos_failure(ENDPOINT, SERVICE, NO_CREDENTIAL, minor)
    assert gap.kind is GapKind.SIGN_IN_REFUSED
    assert str(minor) in gap.message
