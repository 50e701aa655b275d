"""Reads the recorded reviews of a run, so that its report shows what was decided."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from auditor.errors import InvalidInput, Problem
from auditor.report.review import NO_DECISIONS, Answer, Decision, Decisions, review_items

if TYPE_CHECKING:
    from auditor.model.results import Results

_CURE = "take the reviews as `auditor review import` recorded them, with the run they are about"


class _Decided(BaseModel):
    model_config = ConfigDict(extra="ignore")  # what a decision is about is told by the record of the run
    key: str
    name: str
    decision: Decision | None
    reviewer: str
    date: str
    ticket: str
    comment: str


class _Review(BaseModel):
    model_config = ConfigDict(extra="ignore")
    schema_version: Literal["1.0"]
    run: str
    results_sha256: str
    imported_at: str
    imported_by: str
    decisions: tuple[_Decided, ...]


_REVIEWS = TypeAdapter(tuple[_Review, ...])


def read_decisions(reviews: bytes, results: Results, results_sha256: str) -> Decisions:
    """Return what was decided; `reviews` is a JSON array of records, the earliest first, or empty.

    The last review that decides on an entitlement counts: one that leaves it open takes nothing back. Raises
    InvalidInput when the records cannot be read or are about another record of a run.
    """
    if not reviews:
        return NO_DECISIONS
    try:
        records = _REVIEWS.validate_json(reviews)
    except ValidationError as error:
        raise InvalidInput([_problem(f"cannot be read: {error.errors(include_url=False)[0]['msg']}")]) from error
    others = [record for record in records if record.results_sha256 != results_sha256]
    if others:
        raise InvalidInput([_problem(f"is about another record, of run {other.run}") for other in others])
    if not records:
        return NO_DECISIONS
    items = {item.key: item for item in review_items(results.connections)}
    decided = {one.key: one for record in records for one in record.decisions if one.decision is not None}
    answers = {
        key: Answer(
            item=items[key],
            decision=one.decision,
            reviewer=one.reviewer,
            date=one.date,
            ticket=one.ticket,
            comment=one.comment,
        )
        for key, one in decided.items()
        if key in items
    }
    unknown = tuple((key, one.name, one.decision) for key, one in decided.items() if key not in items and one.decision)
    last = records[-1]
    return Decisions(
        answers=answers, unknown=unknown, reviews=len(records), last_at=last.imported_at, last_by=last.imported_by
    )


def _problem(message: str) -> Problem:
    return Problem(file=str(Path("review")), line=None, place="RUN", message=message, cure=_CURE)
