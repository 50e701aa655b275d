"""The reads of a connection as the report shows them: one by one, or by question where there are very many."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from auditor.model.instants import parse_instant
from auditor.report.finding_view import source_anchor
from auditor.report.words import GAP_KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from auditor.model.results import ConnectionResult, SourceRecord

MANY = 400  # reads of one connection, beyond which they are listed by question
PRINTED = 200  # of many reads, printed on paper; the record that is attached has all

_SUBJECT = "\x00"  # stands for the subject in a query that names it


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceView:
    """A read with its place in the report. `query` holds (name, text) rows, `problem` why it is not complete, if so."""

    source: SourceRecord
    anchor: str
    query: tuple[tuple[str, str], ...]
    problem: str

    @property
    def took_ms(self) -> int:
        """Return how long it took in milliseconds."""
        took = parse_instant(self.source.finished_at) - parse_instant(self.source.started_at)
        return round(took.total_seconds() * 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Reads that asked the same of the same place. `common` is what all asked, `reads` are with what varies.

    In `common` the subject of a read is written as `{subject}`.
    """

    dataset: str
    endpoint: str
    common: tuple[tuple[str, str], ...]
    reads: tuple[tuple[SourceView, tuple[tuple[str, str], ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceView:
    """All reads of a connection; `questions` only where there are many; what is printed, and how many are not."""

    sources: tuple[SourceView, ...]
    questions: tuple[Question, ...]
    printed: tuple[SourceView, ...]

    @property
    def is_long(self) -> bool:
        """Tell whether there are too many reads to list one by one."""
        return bool(self.questions)

    @property
    def unread(self) -> tuple[SourceView, ...]:
        """The reads that are not complete."""
        return tuple(view for view in self.sources if not view.source.complete)

    @property
    def printed_unread(self) -> tuple[SourceView, ...]:
        """Those of them that are printed."""
        return tuple(view for view in self.printed if not view.source.complete)

    @property
    def unprinted(self) -> int:
        """How many reads are not printed."""
        return len(self.sources) - len(self.printed)


def evidence_view(connection: ConnectionResult, referenced: frozenset[str]) -> EvidenceView:
    """Return the reads of a connection; findings refer to those whose anchors are `referenced`."""
    views = source_views(connection)
    if len(views) <= MANY:
        return EvidenceView(sources=views, questions=(), printed=views)
    return EvidenceView(sources=views, questions=by_question(views), printed=_printed(views, referenced))


def source_views(connection: ConnectionResult) -> tuple[SourceView, ...]:
    """Return the reads of a connection in the order of the record."""
    return tuple(
        SourceView(
            source=source,
            anchor=source_anchor(connection.id, place),
            query=_query_rows(source.query),
            problem="" if source.complete else what_was_wrong(source),
        )
        for place, source in enumerate(connection.sources)
    )


def _query_rows(query: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return what was asked as (name, text) rows."""
    return tuple((name, json_text(value)) for name, value in query.items())


def json_text(value: Any) -> str:  # noqa: ANN401  # any JSON value
    """Return a text as it is, and anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def unread(connection: ConnectionResult) -> tuple[SourceRecord, ...]:
    """Return the reads of a connection that are not complete."""
    return tuple(source for source in connection.sources if not source.complete)


def what_was_wrong(source: SourceRecord) -> str:
    """Return in words why a read is not complete."""
    kind = source.error_kind or "incomplete"
    return GAP_KINDS.get(kind, kind)


def _printed(views: Sequence[SourceView], referenced: frozenset[str]) -> tuple[SourceView, ...]:
    """Return what findings refer to, and of the others those first that are not complete."""
    needed = {view.anchor for view in views if view.anchor in referenced}
    others = sorted((view for view in views if view.anchor not in needed), key=lambda view: view.source.complete)
    chosen = needed | {view.anchor for view in others[: max(0, PRINTED - len(needed))]}
    return tuple(view for view in views if view.anchor in chosen)


def by_question(views: Sequence[SourceView]) -> tuple[Question, ...]:
    """Group reads by what they asked, in the order in which it was asked first."""
    alike: dict[tuple[str, str, tuple[str, ...]], list[SourceView]] = {}
    for view in views:
        names = tuple(name for name, _ in view.query)
        alike.setdefault((view.source.dataset, view.source.endpoint, names), []).append(view)
    return tuple(_question(dataset, endpoint, reads) for (dataset, endpoint, _), reads in alike.items())


def _question(dataset: str, endpoint: str, reads: list[SourceView]) -> Question:
    templates = [_template(view) for view in reads]
    is_common = [len({template[place] for template in templates}) == 1 for place in range(len(templates[0]))]
    common = [
        (name, text.replace(_SUBJECT, "{subject}"))
        for (name, text), same in zip(templates[0], is_common, strict=True)
        if same
    ]
    return Question(
        dataset=dataset,
        endpoint=endpoint,
        common=tuple(common),
        reads=tuple(
            (view, tuple(row for row, same in zip(view.query, is_common, strict=True) if not same)) for view in reads
        ),
    )


def _template(view: SourceView) -> tuple[tuple[str, str], ...]:
    subject = view.source.subject
    if not subject:
        return view.query
    return tuple((name, text.replace(subject, _SUBJECT)) for name, text in view.query)
