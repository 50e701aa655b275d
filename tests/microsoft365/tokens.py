"""Access tokens: what they carry is what was granted when they were issued, as in Entra ID."""

from __future__ import annotations

import base64
import json
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.microsoft365 import catalog

if TYPE_CHECKING:
    from tests.microsoft365.objects import ServicePrincipal, User
    from tests.microsoft365.snapshot import Tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What one token allows: `permissions` are the application roles of its audience."""

    audience: str
    permissions: frozenset[str]
    directory_roles: frozenset[str]
    principal_id: str
    expires_at: float


class TokenIssuer:
    """Issues tokens shaped like JWTs and remembers what each one is good for."""

    def __init__(self, lifetime_seconds: int) -> None:
        self._lifetime = lifetime_seconds
        self._grants: dict[str, Grant] = {}

    def issue(
        self, tenant: Tenant, audience: str, permissions: frozenset[str], person: User | None = None
    ) -> dict[str, object]:
        """Return the token endpoint's answer for the auditing application, or for a person who uses it."""
        application = tenant.auditor
        principal: ServicePrincipal | User = person or next(
            p for p in tenant.service_principals if p.app_id == application.client_id
        )
        held = tenant.active_directory_roles(principal.id)
        expires_at = time.time() + self._lifetime
        token = jwt_shaped(
            {
                "aud": audience,
                "tid": tenant.id,
                "appid": application.client_id,
                "oid": principal.id,
                "idtyp": "user" if person else "app",
                "exp": int(expires_at),
                **({"scp": " ".join(sorted(permissions))} if person else {"roles": sorted(permissions)}),
                "wids": sorted(catalog.ENTRA_ROLES[role] for role in held),
            }
        )
        self._grants[token] = Grant(
            audience=audience,
            permissions=permissions,
            directory_roles=held,
            principal_id=principal.id,
            expires_at=expires_at,
        )
        return {
            "token_type": "Bearer",
            "expires_in": self._lifetime,
            "ext_expires_in": self._lifetime,
            "access_token": token,
        }

    def grant(self, authorization: str, audience: str) -> Grant | None:
        """Return what an Authorization header allows at an audience; None when it allows nothing."""
        scheme, _, token = authorization.partition(" ")
        grant = self._grants.get(token)
        if scheme.lower() != "bearer" or grant is None or grant.audience != audience:
            return None
        return grant if grant.expires_at > time.time() else None


def jwt_shaped(claims: dict[str, object]) -> str:
    """Return a token with these claims that nobody has signed."""
    parts = (
        json.dumps({"typ": "JWT", "alg": "none"}).encode(),
        json.dumps(claims).encode(),
        secrets.token_bytes(32),
    )
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
