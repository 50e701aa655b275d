"""Keys by which findings and entitlements are told apart over runs: made of identifiers, never of names or wording."""

from __future__ import annotations

import hashlib
from typing import Protocol


def finding_key(check: str, connection: str, entitlement: str, scope: str) -> str:
    """Return `CHECK-<16 hex digits>`; the entitlement of a requirement is the requirement's id."""
    return f"{check}-{_digest(check, connection, entitlement, scope.casefold())}"


class Entitlement(Protocol):
    """What tells entitlements apart."""

    @property
    def kind(self) -> str: ...  # noqa: D102
    @property
    def id(self) -> str: ...  # noqa: D102
    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def scope(self) -> str: ...  # noqa: D102


def entitlement_key(connection: str, entitlement: Entitlement) -> str:
    """Return `entitlement-<16 hex digits>`: a digest of the identity."""
    return f"entitlement-{_digest(*entitlement_identity(connection, entitlement))}"


def entitlement_identity(connection: str, entitlement: Entitlement) -> tuple[str, ...]:
    """Return what tells entitlements apart. A consent's id is that of a grant of several scopes: its name counts."""
    name = entitlement.name if entitlement.kind == "consent" else ""
    return (connection, entitlement.kind, entitlement.id, entitlement.scope.casefold(), name)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]
