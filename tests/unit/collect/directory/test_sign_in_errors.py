from __future__ import annotations

import pytest

from auditor.collect.directory.sign_in_errors import SignInMethod, refused_sign_in
from auditor.model.evidence import GapKind

ENDPOINT = "ldaps://dc1:636"


@pytest.mark.parametrize(("code", "words"), [
    ("525", "does not exist"),
    ("52e", "password is wrong"),
    ("52f", "restriction of the account"),
    ("530", "at this time"),
    ("531", "from this computer"),
    ("532", "password has expired"),
    ("533", "disabled"),
    ("568", "too many groups"),
    ("701", "account has expired"),
    ("773", "must be changed"),
    ("775", "locked out"),
    ("52E", "password is wrong"),
])
def test_active_directory_says_why_it_refuses(code: str, words: str) -> None:
    text = f"80090308: LdapErr: DSID-0C090446, comment: AcceptSecurityContext error, data {code}, v4563"
    gap = refused_sign_in(ENDPOINT, 49, "invalidCredentials", text)
    assert gap.kind is GapKind.SIGN_IN_REFUSED
    assert words in gap.message
    assert gap.missing_permission


def test_channel_binding_is_no_wrong_password() -> None:
    text = "80090346: LdapErr: DSID-0C090587, comment: AcceptSecurityContext error, data 80090346, v4563"
    gap = refused_sign_in(ENDPOINT, 49, "invalidCredentials", text)
    assert "channel binding" in gap.message


@pytest.mark.parametrize("text", [
    "", "Simple Bind Failed: NT_STATUS_LOGON_FAILURE", "data abcdef0, you typed hunter2",
])
def test_an_unknown_reason_is_a_refusal_without_the_server_s_text(text: str) -> None:
    gap = refused_sign_in(ENDPOINT, 49, "invalidCredentials", text)
    assert gap.kind is GapKind.SIGN_IN_REFUSED
    assert "not accepted" in gap.message
    assert "hunter2" not in gap.message
    assert "NT_STATUS" not in gap.message


@pytest.mark.parametrize(("code", "kind"), [
    (8, GapKind.SIGN_IN_REFUSED),
    (53, GapKind.SIGN_IN_REFUSED),
    (51, GapKind.UNREACHABLE),
    (52, GapKind.UNREACHABLE),
])
def test_other_results_are_told_apart_from_a_busy_host(code: int, kind: GapKind) -> None:
    assert refused_sign_in(ENDPOINT, code, "described", "").kind is kind


@pytest.mark.parametrize(("code", "words"), [
    ("525", "does not exist"),
    ("52e", "does not accept the ticket"),
    ("52f", "restriction of the account"),
    ("530", "at this time"),
    ("531", "from this computer"),
    ("532", "password has expired"),
    ("533", "disabled"),
    ("568", "too many groups"),
    ("701", "account has expired"),
    ("773", "must be changed"),
    ("775", "locked out"),
    ("80090346", "bound to another TLS connection"),
    ("57", "not accepted"),
])
def test_a_refused_ticket_is_no_wrong_password(code: str, words: str) -> None:
    text = f"8009030C: LdapErr: DSID-0C0906B0, comment: AcceptSecurityContext error, data {code}, v4563"
    gap = refused_sign_in(ENDPOINT, 49, "invalidCredentials", text, method=SignInMethod.KERBEROS)
    assert gap.kind is GapKind.SIGN_IN_REFUSED
    assert words in gap.message
    assert gap.missing_permission
    assert "password is wrong" not in gap.message


def test_a_host_without_gssapi_is_told_what_to_allow() -> None:
    gap = refused_sign_in(ENDPOINT, 7, "authMethodNotSupported", "", method=SignInMethod.KERBEROS)
    assert gap.kind is GapKind.SIGN_IN_REFUSED
    assert "GSSAPI" in (gap.missing_permission or "")
