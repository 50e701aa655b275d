"""Why a directory refused a sign-in, in words an administrator can act on."""

from __future__ import annotations

import re
from enum import StrEnum

from ldap3.core.results import RESULT_BUSY, RESULT_INVALID_CREDENTIALS, RESULT_UNAVAILABLE

from auditor.model.evidence import Gap, GapKind

# Active Directory puts a Windows error code in its message: "AcceptSecurityContext error, data 52e, v4563".
_SUB_CODE = re.compile(r"\bdata ([0-9a-f]{3,8})\b", re.IGNORECASE)
_CHANNEL_BINDING = "80090346"  # SEC_E_BAD_BINDINGS


class SignInMethod(StrEnum):
    """How the tool signed in, in the words of a message."""

    SIMPLE_BIND = "simple bind"
    KERBEROS = "Kerberos (SASL GSSAPI without a security layer)"


_REASONS = {
    "525": ("the account does not exist", "check the user name of the auditing identity"),
    "52e": ("user name or password is wrong", "check user name and password of the auditing identity"),
    "52f": ("a restriction of the account forbids the sign-in", "check the account's logon restrictions"),
    "530": ("the account may not sign in at this time", "check the account's logon hours"),
    "531": ("the account may not sign in from this computer", "check the account's `Log On To` list"),
    "532": ("the password has expired", "set a new password for the auditing identity"),
    "533": ("the account is disabled", "enable the auditing identity's account"),
    "568": ("the account is in too many groups for a token", "reduce the account's group memberships"),
    "701": ("the account has expired", "extend the account's expiry date"),
    "773": ("the password must be changed first", "set a new password for the auditing identity"),
    "775": ("the account is locked out", "unlock the account and find out what locks it"),
    _CHANNEL_BINDING: (
        "the domain controller requires channel binding, which a simple bind does not carry",
        "check the policy `LDAP server channel binding token requirements` on the host",
    ),
}
_KERBEROS_REASONS = {
    **_REASONS,
    "52e": ("the host does not accept the ticket", "get a new ticket; check the clocks of this machine and the host"),
    _CHANNEL_BINDING: (
        "the ticket is bound to another TLS connection than the domain controller sees",
        "connect to the domain controller itself, with no load balancer or TLS inspection in between",
    ),
}


def refused_sign_in(
    endpoint: str,
    result_code: int,
    description: str,
    message: str,
    *,
    method: SignInMethod = SignInMethod.SIMPLE_BIND,
) -> Gap:
    """Return the gap a refused bind leaves.

    `result_code` and `description` are the LDAP result (RFC 4511 4.1.9), `message` the server's text. That
    text is never repeated: a server that was just handed a credential could send it back.
    """
    if result_code in {RESULT_BUSY, RESULT_UNAVAILABLE}:
        return Gap(kind=GapKind.UNREACHABLE, message=f"{endpoint} accepts no sign-in now ({description})")
    if result_code != RESULT_INVALID_CREDENTIALS:
        return Gap(
            kind=GapKind.SIGN_IN_REFUSED,
            message=f"{endpoint} refused the sign-in: {description} (LDAP result {result_code})",
            missing_permission=f"allow {method} over TLS for the auditing identity on this host",
        )
    code = _sub_code(message)
    reasons = _REASONS if method is SignInMethod.SIMPLE_BIND else _KERBEROS_REASONS
    reason, cure = reasons.get(code, ("the credential is not accepted", "check the auditing identity's credential"))
    shown = f" (data {code})" if code else ""
    return Gap(
        kind=GapKind.SIGN_IN_REFUSED,
        message=f"{endpoint} refused the sign-in: {reason}{shown}",
        missing_permission=cure,
    )


def _sub_code(message: str) -> str:
    if _CHANNEL_BINDING in message:
        return _CHANNEL_BINDING
    match = _SUB_CODE.search(message)
    return match[1].lower() if match else ""
