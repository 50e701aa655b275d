"""Refused sign-ins of Microsoft Entra ID in words, with what to do about them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from auditor.collect.https.answers import one_line
from auditor.model.evidence import Gap, GapKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.model.evidence import Json

# https://learn.microsoft.com/entra/identity-platform/reference-error-codes
_ADVICE = {
    "50053": "the sign-in is blocked after too many failures: find out who tries, then wait",
    "53003": "a Conditional Access policy blocks it: allow the application from where this tool runs",
    "65001": "nobody has consented to the application: grant admin consent to its permissions",
    "90002": "there is no such tenant: correct tenant_id",
    "500011": "the tenant does not know this service: it may lack the subscription, or the cloud is wrong",
    "500014": "this service is disabled in the tenant: enable its enterprise application",
    "650052": "the tenant has no subscription for this service, or consent is missing: grant admin consent",
    "700016": "the tenant does not know the application: correct client_id or tenant_id, or grant consent",
    "700024": "the clock of this machine is wrong: correct it and run again",
    "700027": "the application does not know the certificate, or it has expired: upload the current one",
    "700030": "the certificate is not accepted: upload one that the tenant's policy allows",
    "900023": "tenant_id is neither a tenant's id nor one of its domains: correct it",
    "700211": "no federated credential fits the token's issuer: correct it on the application",
    "700212": "no federated credential fits the token's audience: correct it on the application",
    "700213": "no federated credential fits the token's subject: correct it on the application",
    "7000112": "the application is disabled: enable it in the tenant",
    "7000215": "the client secret is wrong: configure the secret's value (not its id)",
    "7000218": "the application is no public client: allow public client flows, or sign in another way",
    "7000222": "the client secret has expired: create a new one and configure it",
    "7000229": "the application has no service principal in the tenant: grant admin consent",
}

# RFC 8628 3.5, of a person who was to enter a code
_ADVICE_BY_NAME = {
    "access_denied": "the person declined: run again",
    "authorization_declined": "the person declined: run again",
    "bad_verification_code": "the code is not known any more: run again",
    "code_expired": "the code was not entered in time: run again",
    "expired_token": "the code was not entered in time: run again",
    "authorization_pending": "the code was not entered in time: run again",
    "slow_down": "the code was not entered in time: run again",
}


def refused_sign_in(error: Mapping[str, Json]) -> Gap:
    """Return the gap of a refused sign-in from the error object of the token endpoint (RFC 6749 5.2)."""
    description = str(error.get("error_description") or error.get("error") or "")
    found = re.search(r"AADSTS(\d+)", description)
    code = found[1] if found else ""
    name = f"AADSTS{code}" if code else one_line(str(error.get("error") or "unknown error"))
    advice = _ADVICE_BY_NAME.get(str(error.get("error"))) or _ADVICE.get(code)
    if advice is None:
        first_line = description.splitlines()[0] if description else ""
        advice = f"look it up in Microsoft's list of sign-in error codes ({one_line(first_line)})"
    return Gap(kind=GapKind.SIGN_IN_REFUSED, message=f"sign-in refused, {name}: {advice}")


def refused_managed_identity(error: Mapping[str, Json], status: int | None = None) -> Gap:
    """Return the gap of a managed identity that the machine's token service does not hand a token to.

    Azure's services word their errors each in their own way.
    """
    texts = (error.get(key) for key in ("error_description", "message", "error"))
    said = next((one_line(text) for text in texts if isinstance(text, str) and text.strip()), "")
    words = ", ".join(part for part in (f"status {status}" if status else "", said) if part)
    advice = "assign the identity to this machine, or correct client_id"
    return Gap(kind=GapKind.SIGN_IN_REFUSED, message=f"managed identity refused ({words}): {advice}")
