"""Why there is no Kerberos sign-in, in words an administrator can act on."""

from __future__ import annotations

from auditor.model.evidence import Gap, GapKind
from auditor.model.message import Message, say

# MIT Kerberos and Heimdal number the errors of RFC 4120 7.5.9 from here on, and their own above 127.
_FIRST_KRB5_ERROR = -1765328384
_CREDENTIALS_EXPIRED = 11  # the routine error of RFC 2743 1.2.1.1, in the third byte of a major status
_TICKET_EXPIRED = 32

_NEW_TICKET = say("get a new ticket with kinit, or name a keytab in KRB5_CLIENT_KTNAME")
_CLOCK = say("set the clock of this machine by the domain's; Kerberos allows five minutes")
_KDC = say("check the realm in krb5.conf, and that this machine reaches a domain controller on port 88")


def _reasons(service: str) -> dict[int, tuple[GapKind, Message, Message]]:
    wrong_key = (
        GapKind.SIGN_IN_REFUSED,
        say("the keytab does not hold the account's password"),
        say("make the keytab anew"),
    )
    return {
        6: (
            GapKind.SIGN_IN_REFUSED,
            say("the domain does not know the account"),
            say("check the auditing identity's principal"),
        ),
        7: (
            GapKind.NOT_ATTEMPTED,
            say("the domain knows no service {service}", service=service),
            say("name the host as its service principal name does (hosts, tls_server_name); see rdns in krb5.conf"),
        ),
        12: (
            GapKind.SIGN_IN_REFUSED,
            say("a policy forbids the sign-in"),
            say("check the account's logon restrictions"),
        ),
        14: (
            GapKind.SIGN_IN_REFUSED,
            say("the domain and this machine share no encryption type for the account"),
            say("make the keytab anew, with AES keys"),
        ),
        18: (
            GapKind.SIGN_IN_REFUSED,
            say("the account is disabled, expired or locked out, or may not sign in at this time"),
            say("check the state and the logon hours of the auditing identity's account"),
        ),
        23: (
            GapKind.SIGN_IN_REFUSED,
            say("the password has expired or must be changed"),
            say("set a new password for the auditing identity, and make its keytab anew"),
        ),
        24: wrong_key,
        31: wrong_key,
        _TICKET_EXPIRED: (GapKind.SIGN_IN_REFUSED, say("the Kerberos ticket has expired"), _NEW_TICKET),
        33: (GapKind.SIGN_IN_REFUSED, say("the Kerberos ticket is not yet valid"), _CLOCK),
        37: (GapKind.SIGN_IN_REFUSED, say("the clocks differ too much"), _CLOCK),
        41: (
            GapKind.SIGN_IN_REFUSED,
            say("the host could not read the ticket for {service}", service=service),
            say(
                "check that the host named is the one that answers, and that {service} belongs to it alone",
                service=service,
            ),
        ),
        141: (
            GapKind.NOT_ATTEMPTED,
            say("there is no Kerberos ticket for the auditing identity"),
            say("get one with kinit, or name a keytab in KRB5_CLIENT_KTNAME"),
        ),
        154: (GapKind.UNREACHABLE, say("no Kerberos server is known for the realm"), _KDC),
        156: (GapKind.UNREACHABLE, say("no Kerberos server of the realm answers"), _KDC),
    }


def kerberos_failure(endpoint: str, service: str, major: int, minor: int) -> Gap:
    """Return the gap that a failure of GSS-API leaves, from its major and minor status.

    A code that is not known counts as a refusal, so that nothing is tried twice. The library's texts are
    never repeated: a Kerberos server may have put anything there.
    """
    code = (minor - _FIRST_KRB5_ERROR) % 2**32  # the minor status is an unsigned number
    if major >> 16 & 0xFF == _CREDENTIALS_EXPIRED:
        code = _TICKET_EXPIRED
    reasons = _reasons(service)
    if code not in reasons:
        return Gap(
            kind=GapKind.SIGN_IN_REFUSED,
            message=say(
                "no Kerberos sign-in at {host}: the Kerberos library failed (status {major}, {minor})",
                host=endpoint,
                major=f"{major:#x}",
                minor=minor,
            ),
            missing_permission=say("run `kinit` and `kvno` by hand with the same krb5.conf, and see what they say"),
        )
    kind, reason, cure = reasons[code]
    message = say("no Kerberos sign-in at {host}: {reason}", host=endpoint, reason=reason)
    return Gap(kind=kind, message=message, missing_permission=cure)
