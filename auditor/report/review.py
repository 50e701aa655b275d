"""The review worksheet: one line per entitlement of each connection, for a person to decide on, and the answers."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

from auditor.model.keys import entitlement_identity, entitlement_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from auditor.model.results import ConnectionResult, Path, Results


class Decision(StrEnum):
    """What a reviewer may decide about an entitlement."""

    KEEP = "keep"
    CHANGE = "change"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewItem:
    """An entitlement to decide on, with every path by which it is held."""

    connection: str
    account: str
    kind: str
    name: str
    id: str
    scope: str
    status: Literal["documented", "excess", "baseline", "not_judged"]
    paths: tuple[Path, ...]

    @property
    def key(self) -> str:
        """The key of the entitlement, worked out anew each time: a large estate has many, and few of them are told."""
        return entitlement_key(self.connection, self)


def review_items(connections: Iterable[ConnectionResult]) -> tuple[ReviewItem, ...]:
    """Return one item per entitlement, in the order of the record; what is held in several ways is one item."""
    items: dict[tuple[str, ...], ReviewItem] = {}
    for connection in connections:
        for held in connection.entitlements:
            identity = entitlement_identity(connection.id, held)
            known = items.get(identity)
            if known is not None:
                items[identity] = replace(known, paths=tuple(dict.fromkeys((*known.paths, *held.paths))))
                continue
            items[identity] = ReviewItem(
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A reviewer's answer about one item. Without a `decision` the item is still open and nothing else is set."""

    item: ReviewItem
    decision: Decision | None = None
    reviewer: str = ""
    date: str = ""
    ticket: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many items there are and what was decided; the four kinds add up to `items`."""

    items: int
    keep: int
    change: int
    remove: int
    open: int


def tally(answers: Iterable[Answer]) -> Tally:
    """Count answers by decision."""
    counted = Counter(answer.decision for answer in answers)
    return Tally(
        items=counted.total(),
        keep=counted[Decision.KEEP],
        change=counted[Decision.CHANGE],
        remove=counted[Decision.REMOVE],
        open=counted[None],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """What the recorded reviews of a run decided: the last decision on each entitlement, by its key.

    `unknown` are decisions on keys that the run does not list, as (key, name, decision). `reviews` counts the records.
    """

    answers: Mapping[str, Answer]
    unknown: tuple[tuple[str, str, Decision], ...]
    reviews: int
    last_at: str
    last_by: str

    def of(self, items: Iterable[ReviewItem]) -> tuple[Answer, ...]:
        """Return an answer for each item; those without a decision are open."""
        known = self.answers
        return tuple((known.get(item.key) if known else None) or Answer(item=item) for item in items)


NO_DECISIONS = Decisions(answers={}, unknown=(), reviews=0, last_at="", last_by="")


def review_record(
    results: Results, results_sha256: str, answers: tuple[Answer, ...], imported_at: str, imported_by: str
) -> dict[str, Any]:
    """Return the record of an imported worksheet, in the order of the file that it is written to."""
    connections = dict.fromkeys(answer.item.connection for answer in answers)
    return {
        "schema_version": "1.0",
        "run": results.run.id,
        "results_sha256": results_sha256,
        "imported_at": imported_at,
        "imported_by": imported_by,
        "counts": asdict(tally(answers)),
        "connections": {
            connection: asdict(tally(answer for answer in answers if answer.item.connection == connection))
            for connection in connections
        },
        "decisions": [
            {
                "key": answer.item.key,
                "connection": answer.item.connection,
                "account": answer.item.account,
                "kind": answer.item.kind,
                "name": answer.item.name,
                "id": answer.item.id,
                "scope": answer.item.scope,
                "status": answer.item.status,
                "decision": answer.decision.value if answer.decision is not None else None,
                "reviewer": answer.reviewer,
                "reviewer_prepared_the_run": answer.reviewer.casefold() == results.run.operator.casefold(),
                "date": answer.date,
                "ticket": answer.ticket,
                "comment": answer.comment,
            }
            for answer in answers
        ],
    }
