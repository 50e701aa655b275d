"""The review worksheet: one line per entitlement of each connection, for a person to decide on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from auditor.model.keys import entitlement_key

if TYPE_CHECKING:
    from auditor.model.results import Path, Results


class Decision(StrEnum):
    """What a reviewer may decide about an entitlement."""

    KEEP = "keep"
    CHANGE = "change"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewItem:
    """An entitlement to decide on, with every path by which it is held."""

    key: str
    connection: str
    account: str
    kind: str
    name: str
    id: str
    scope: str
    status: Literal["documented", "excess", "baseline", "not_judged"]
    paths: tuple[Path, ...]


def review_items(results: Results) -> tuple[ReviewItem, ...]:
    """Return one item per entitlement, in the order of the record; what is held in several ways is one item."""
    items: dict[str, ReviewItem] = {}
    for connection in results.connections:
        for held in connection.entitlements:
            key = entitlement_key(connection.id, held)
            known = items.get(key)
            if known is not None:
                items[key] = replace(known, paths=tuple(dict.fromkeys((*known.paths, *held.paths))))
                continue
            items[key] = ReviewItem(
                key=key,
                connection=connection.id,
                account=connection.principal.name,
                kind=held.kind,
                name=held.name,
                id=held.id,
                scope=held.scope,
                status=held.status,
                paths=held.paths,
            )
    return tuple(items.values())
