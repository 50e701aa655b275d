"""Failures of ldap3, TLS and sockets as gaps, without their texts: a server may have put anything there."""

from __future__ import annotations

from ldap3.core.exceptions import (
    LDAPException,
    LDAPSessionTerminatedByServerError,
    LDAPSocketReceiveError,
)
from pyasn1.error import PyAsn1Error

from auditor.collect.directory.bounded_socket import AnswerTooLongError
from auditor.model.evidence import Gap, GapKind
from auditor.model.message import say

# All that a call of ldap3 raises. Its decoder indexes into the answer without checking it, so a malformed
# answer surfaces as one of the built-in errors.
LDAP_FAILURES = (
    LDAPException, OSError, PyAsn1Error,
    LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError,
)
_SHOWN_CHARACTERS = 300


def communication_failure(endpoint: str, error: Exception) -> Gap:
    """Return the gap that a failure below the LDAP result leaves."""
    if isinstance(error, TimeoutError):
        return Gap(kind=GapKind.TIMED_OUT, message=say("{host} did not answer in time", host=endpoint))
    if isinstance(error, AnswerTooLongError):
        return Gap(kind=GapKind.MALFORMED, message=say("{host} sent an answer that does not end", host=endpoint))
    if type(error) is LDAPSocketReceiveError:  # ldap3 raises subclasses for sockets, itself for wrong answers
        return malformed_answer(endpoint)
    if isinstance(error, (OSError, LDAPSessionTerminatedByServerError)):
        return Gap(kind=GapKind.UNREACHABLE, message=say("{host} closed the connection", host=endpoint))
    return malformed_answer(endpoint)


def malformed_answer(endpoint: str) -> Gap:
    """Return the gap that an answer leaves which is not what LDAP promises."""
    return Gap(kind=GapKind.MALFORMED, message=say("{host} sent an answer that is not LDAP", host=endpoint))


def printable(text: str) -> str:
    """Return a server's text on one line, shortened, without control and direction marks."""
    flat = " ".join(text.split())[:_SHOWN_CHARACTERS]
    return "".join(shown if shown.isprintable() else "\N{REPLACEMENT CHARACTER}" for shown in flat)
