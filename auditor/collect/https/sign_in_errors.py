"""Refused sign-ins of Microsoft Entra ID in words, with what to do about them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from auditor.collect.https.answers import one_line
from auditor.model.evidence import Gap, GapKind
from auditor.model.message import joined, say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.model.evidence import Json

# https://learn.microsoft.com/entra/identity-platform/reference-error-codes
_ADVICE = {
    "50053": say("the sign-in is blocked after too many failures: find out who tries, then wait"),
    "53003": say("a Conditional Access policy blocks it: allow the application from where this tool runs"),
    "65001": say("nobody has consented to the application: grant admin consent to its permissions"),
    "90002": say("there is no such tenant: correct tenant_id"),
    "500011": say("the tenant does not know this service: it may lack the subscription, or the cloud is wrong"),
    "500014": say("this service is disabled in the tenant: enable its enterprise application"),
    "650052": say("the tenant has no subscription for this service, or consent is missing: grant admin consent"),
    "700016": say("the tenant does not know the application: correct client_id or tenant_id, or grant consent"),
    "700024": say("the clock of this machine is wrong: correct it and run again"),
    "700027": say("the application does not know the certificate, or it has expired: upload the current one"),
    "700030": say("the certificate is not accepted: upload one that the tenant's policy allows"),
    "900023": say("tenant_id is neither a tenant's id nor one of its domains: correct it"),
    "700211": say("no federated credential fits the token's issuer: correct it on the application"),
    "700212": say("no federated credential fits the token's audience: correct it on the application"),
    "700213": say("no federated credential fits the token's subject: correct it on the application"),
    "7000112": say("the application is disabled: enable it in the tenant"),
    "7000215": say("the client secret is wrong: configure the secret's value (not its id)"),
    "7000218": say("the application is no public client: allow public client flows, or sign in another way"),
    "7000222": say("the client secret has expired: create a new one and configure it"),
    "7000229": say("the application has no service principal in the tenant: grant admin consent"),
}

# RFC 8628 3.5, of a person who was to enter a code
_ADVICE_BY_NAME = {
    "access_denied": say("the person declined: run again"),
    "authorization_declined": say("the person declined: run again"),
    "bad_verification_code": say("the code is not known any more: run again"),
    "code_expired": say("the code was not entered in time: run again"),
    "expired_token": say("the code was not entered in time: run again"),
    "authorization_pending": say("the code was not entered in time: run again"),
    "slow_down": say("the code was not entered in time: run again"),
}


def refused_sign_in(error: Mapping[str, Json]) -> Gap:
    """Return the gap of a refused sign-in from the error object of the token endpoint (RFC 6749 5.2)."""
    description = str(error.get("error_description") or error.get("error") or "")
    found = re.search(r"AADSTS(\d+)", description)
    code = found[1] if found else ""
    error_code = one_line(str(error.get("error") or "")) or say("unknown error")
    name = f"AADSTS{code}" if code else error_code
    advice = _ADVICE_BY_NAME.get(str(error.get("error"))) or _ADVICE.get(code)
    if advice is None:
        first_line = description.splitlines()[0] if description else ""
        advice = say(
            "look it up in Microsoft's list of sign-in error codes ({description})", description=one_line(first_line)
        )
    message = say("sign-in refused, {name}: {advice}", name=name, advice=advice)
    return Gap(kind=GapKind.SIGN_IN_REFUSED, message=message)


def refused_managed_identity(error: Mapping[str, Json], status: int | None = None) -> Gap:
    """Return the gap of a managed identity that the machine's token service does not hand a token to.

    Azure's services word their errors each in their own way.
    """
    texts = (error.get(key) for key in ("error_description", "message", "error"))
    said = next((one_line(text) for text in texts if isinstance(text, str) and text.strip()), "")
    parts = (say("status {status}", status=status) if status else "", said)
    message = say(
        "managed identity refused ({words}): assign the identity to this machine, or correct client_id",
        words=joined(", ", filter(None, parts)),
    )
    return Gap(kind=GapKind.SIGN_IN_REFUSED, message=message)
