"""Why a directory refused a sign-in, in words an administrator can act on."""

from __future__ import annotations

import re
from enum import Enum, auto

from ldap3.core.results import RESULT_BUSY, RESULT_INVALID_CREDENTIALS, RESULT_UNAVAILABLE

from auditor.model.evidence import Gap, GapKind
from auditor.model.message import say

# Active Directory puts a Windows error code in its message: "AcceptSecurityContext error, data 52e, v4563".
_SUB_CODE = re.compile(r"\bdata ([0-9a-f]{3,8})\b", re.IGNORECASE)
_CHANNEL_BINDING = "80090346"  # SEC_E_BAD_BINDINGS


class SignInMethod(Enum):
    """How the tool signed in."""

    SIMPLE_BIND = auto()
    KERBEROS = auto()


_ALLOW = {
    SignInMethod.SIMPLE_BIND: say("allow simple bind over TLS for the auditing identity on this host"),
    SignInMethod.KERBEROS: say(
        "allow Kerberos (SASL GSSAPI without a security layer) over TLS for the auditing identity on this host"
    ),
}
_REASONS = {
    "525": (say("the account does not exist"), say("check the user name of the auditing identity")),
    "52e": (say("user name or password is wrong"), say("check user name and password of the auditing identity")),
    "52f": (say("a restriction of the account forbids the sign-in"), say("check the account's logon restrictions")),
    "530": (say("the account may not sign in at this time"), say("check the account's logon hours")),
    "531": (say("the account may not sign in from this computer"), say("check the account's `Log On To` list")),
    "532": (say("the password has expired"), say("set a new password for the auditing identity")),
    "533": (say("the account is disabled"), say("enable the auditing identity's account")),
    "568": (say("the account is in too many groups for a token"), say("reduce the account's group memberships")),
    "701": (say("the account has expired"), say("extend the account's expiry date")),
    "773": (say("the password must be changed first"), say("set a new password for the auditing identity")),
    "775": (say("the account is locked out"), say("unlock the account and find out what locks it")),
    _CHANNEL_BINDING: (
        say("the domain controller requires channel binding, which a simple bind does not carry"),
        say("check the policy `LDAP server channel binding token requirements` on the host"),
    ),
}
_KERBEROS_REASONS = {
    **_REASONS,
    "52e": (
        say("the host does not accept the ticket"),
        say("get a new ticket; check the clocks of this machine and the host"),
    ),
    _CHANNEL_BINDING: (
        say("the ticket is bound to another TLS connection than the domain controller sees"),
        say("connect to the domain controller itself, with no load balancer or TLS inspection in between"),
    ),
}


def refused_sign_in(
    endpoint: str,
    result_code: int,
    description: str,
    text: str,
    *,
    method: SignInMethod = SignInMethod.SIMPLE_BIND,
) -> Gap:
    """Return the gap a refused bind leaves.

    `result_code` and `description` are the LDAP result (RFC 4511 4.1.9), `text` the server's. That
    text is never repeated: a server that was just handed a credential could send it back.
    """
    if result_code in {RESULT_BUSY, RESULT_UNAVAILABLE}:
        message = say("{host} accepts no sign-in now ({description})", host=endpoint, description=description)
        return Gap(kind=GapKind.UNREACHABLE, message=message)
    if result_code != RESULT_INVALID_CREDENTIALS:
        return Gap(
            kind=GapKind.SIGN_IN_REFUSED,
            message=say(
                "{host} refused the sign-in: {description} (LDAP result {code})",
                host=endpoint,
                description=description,
                code=result_code,
            ),
            missing_permission=_ALLOW[method],
        )
    code = _sub_code(text)
    reasons = _REASONS if method is SignInMethod.SIMPLE_BIND else _KERBEROS_REASONS
    unknown = say("the credential is not accepted"), say("check the auditing identity's credential")
    reason, cure = reasons.get(code, unknown)
    if code:
        reason = say("{reason} (data {code})", reason=reason, code=code)
    message = say("{host} refused the sign-in: {reason}", host=endpoint, reason=reason)
    return Gap(kind=GapKind.SIGN_IN_REFUSED, message=message, missing_permission=cure)


def _sub_code(text: str) -> str:
    if _CHANNEL_BINDING in text:
        return _CHANNEL_BINDING
    match = _SUB_CODE.search(text)
    return match[1].lower() if match else ""
