"""Why there is no Kerberos sign-in, in words an administrator can act on."""

from __future__ import annotations

from auditor.model.evidence import Gap, GapKind

# MIT Kerberos and Heimdal number the errors of RFC 4120 7.5.9 from here on, and their own above 127.
_FIRST_KRB5_ERROR = -1765328384
_CREDENTIALS_EXPIRED = 11  # the routine error of RFC 2743 1.2.1.1, in the third byte of a major status
_TICKET_EXPIRED = 32

_NEW_TICKET = "get a new ticket with kinit, or name a keytab in KRB5_CLIENT_KTNAME"
_CLOCK = "set the clock of this machine by the domain's; Kerberos allows five minutes"
_KDC = "check the realm in krb5.conf, and that this machine reaches a domain controller on port 88"
_REASONS = {
    6: (GapKind.SIGN_IN_REFUSED, "the domain does not know the account", "check the auditing identity's principal"),
    7: (
        GapKind.NOT_ATTEMPTED,
        "the domain knows no service {service}",
        "name the host as its service principal name does (hosts, tls_server_name); see rdns in krb5.conf",
    ),
    12: (GapKind.SIGN_IN_REFUSED, "a policy forbids the sign-in", "check the account's logon restrictions"),
    14: (
        GapKind.SIGN_IN_REFUSED,
        "the domain and this machine share no encryption type for the account",
        "make the keytab anew, with AES keys",
    ),
    18: (
        GapKind.SIGN_IN_REFUSED,
        "the account is disabled, expired or locked out, or may not sign in at this time",
        "check the state and the logon hours of the auditing identity's account",
    ),
    23: (
        GapKind.SIGN_IN_REFUSED,
        "the password has expired or must be changed",
        "set a new password for the auditing identity, and make its keytab anew",
    ),
    24: (GapKind.SIGN_IN_REFUSED, "the keytab does not hold the account's password", "make the keytab anew"),
    31: (GapKind.SIGN_IN_REFUSED, "the keytab does not hold the account's password", "make the keytab anew"),
    _TICKET_EXPIRED: (GapKind.SIGN_IN_REFUSED, "the Kerberos ticket has expired", _NEW_TICKET),
    33: (GapKind.SIGN_IN_REFUSED, "the Kerberos ticket is not yet valid", _CLOCK),
    37: (GapKind.SIGN_IN_REFUSED, "the clocks differ too much", _CLOCK),
    41: (
        GapKind.SIGN_IN_REFUSED,
        "the host could not read the ticket for {service}",
        "check that the host named is the one that answers, and that {service} belongs to it alone",
    ),
    141: (
        GapKind.NOT_ATTEMPTED,
        "there is no Kerberos ticket for the auditing identity",
        "get one with kinit, or name a keytab in KRB5_CLIENT_KTNAME",
    ),
    154: (GapKind.UNREACHABLE, "no Kerberos server is known for the realm", _KDC),
    156: (GapKind.UNREACHABLE, "no Kerberos server of the realm answers", _KDC),
}


def kerberos_failure(endpoint: str, service: str, major: int, minor: int) -> Gap:
    """Return the gap that a failure of GSS-API leaves, from its major and minor status.

    A code that is not known counts as a refusal, so that nothing is tried twice. The library's texts are
    never repeated: a Kerberos server may have put anything there.
    """
    code = (minor - _FIRST_KRB5_ERROR) % 2**32  # the minor status is an unsigned number
    if major >> 16 & 0xFF == _CREDENTIALS_EXPIRED:
        code = _TICKET_EXPIRED
    if code not in _REASONS:
        return Gap(
            kind=GapKind.SIGN_IN_REFUSED,
            message=f"no Kerberos sign-in at {endpoint}: the Kerberos library failed (status {major:#x}, {minor})",
            missing_permission="run `kinit` and `kvno` by hand with the same krb5.conf, and see what they say",
        )
    kind, reason, cure = _REASONS[code]
    return Gap(
        kind=kind,
        message=f"no Kerberos sign-in at {endpoint}: {reason.format(service=service)}",
        missing_permission=cure.format(service=service),
    )
