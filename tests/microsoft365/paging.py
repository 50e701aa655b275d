"""Server-side paging: what is left of an answer waits under an opaque token."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


class UnknownPageError(Exception):
    """The token was not given for this query, or not by this service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Rows of one page, and the token of the next; None after the last."""

    rows: tuple[dict[str, Any], ...]
    next_token: str | None


class Pages:
    """Cuts answers into pages."""

    def __init__(self) -> None:
        self._waiting: dict[str, tuple[str, tuple[dict[str, Any], ...]]] = {}

    def first(self, query: str, rows: Sequence[dict[str, Any]], size: int) -> Page:
        """The first page of the answer to a query."""
        token = None
        if len(rows) > size:
            token = secrets.token_urlsafe(24)
            self._waiting[token] = query, tuple(rows[size:])
        return Page(rows=tuple(rows[:size]), next_token=token)

    def next(self, query: str, token: str, size: int) -> Page:
        """A later page; the token stays good, so that a lost answer can be asked again."""
        known_query, rest = self._waiting.get(token, (None, ()))
        if known_query != query:
            raise UnknownPageError(token)
        return self.first(query, rest, size)
