"""A Graph call on its way through, the routes it can take, and the errors it can end in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.microsoft365.objects import User
    from tests.microsoft365.snapshot import Tenant
    from tests.microsoft365.tokens import Grant
    from tests.microsoft365.wire import Request

Row: TypeAlias = dict[str, Any]

_QUOTED = "((?:[^']|'')+)"


class GraphError(Exception):
    """An answer with Graph's error body."""

    def __init__(self, status: int, code: str, message: str) -> None:
        self.status, self.code, self.message = status, code, message
        super().__init__(code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One permitted call on its way through: its handler reads the tenant and answers with rows."""

    tenant: Tenant
    grant: Grant
    request: Request
    arguments: tuple[str, ...]
    beta: bool

    @property
    def eventual(self) -> bool:
        """Tell whether the advanced query header was sent."""
        return self.request.headers.get("consistencylevel", "").lower() == "eventual"

    def allowed(self, *permissions: str) -> bool:
        """Tell whether the application was granted one of the permissions."""
        return bool(self.grant.permissions & set(permissions))

    def user(self) -> User:
        """The user the path names."""
        found = self.tenant.user(self.arguments[0])
        if found is None:
            raise not_found(self.arguments[0])
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A path, the permissions of which one is needed, what it answers, and the fields it filters on.

    `{id}` also matches the key in parentheses, `{key}` an alternate key. `filtered` handlers apply the
    filter themselves.
    """

    path: str
    any_of: tuple[str, ...]
    handler: Callable[[Call], list[Row] | Row]
    filters: tuple[str, ...] = ()
    filter_required: bool = False
    expands: tuple[str, ...] = ()
    filtered: bool = False
    beta_only: bool = False

    def match(self, path: str) -> tuple[str, ...] | None:
        """Return the keys in the path when this is its route; a quote inside a quoted key is doubled."""
        pattern = re.escape(self.path).replace(r"/\{id\}", rf"(?:/([^/()$][^/()]*)|\('{_QUOTED}'\))")
        pattern = pattern.replace(r"\{key\}", _QUOTED)
        found = re.fullmatch(pattern, path, re.IGNORECASE)
        return tuple(key.replace("''", "'") for key in found.groups() if key) if found else None


def denied() -> GraphError:
    """The application lacks the permission of the call."""
    return GraphError(
        403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."
    )


def not_found(key: str) -> GraphError:
    """The object does not exist, or a related one does not."""
    return GraphError(
        404,
        "Request_ResourceNotFound",
        f"Resource '{key}' does not exist or one of its queried reference-property objects are not present.",
    )
