"""Keys by which findings and entitlements are told apart over runs: made of identifiers, never of names or wording."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from auditor.model.results import EntitlementRecord


def finding_key(check: str, connection: str, entitlement: str, scope: str) -> str:
    """Return `CHECK-<16 hex digits>`; the entitlement of a requirement is the requirement's id."""
    return f"{check}-{_digest(check, connection, entitlement, scope.casefold())}"


def entitlement_key(connection: str, entitlement: EntitlementRecord) -> str:
    """Return `entitlement-<16 hex digits>`. A consent's id is that of a grant of several scopes: its name counts."""
    name = entitlement.name if entitlement.kind == "consent" else ""
    scope = entitlement.scope.casefold()
    return f"entitlement-{_digest(connection, entitlement.kind, entitlement.id, scope, name)}"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]
