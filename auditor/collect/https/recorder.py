"""From a service's answers to the evidence of one connection."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Protocol

from auditor.collect.https.answers import one_line
from auditor.errors import SourceError
from auditor.model.evidence import Gap, GapKind
from auditor.model.message import say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from auditor.collect.evidence_writer import EvidenceWriter, OpenRead
    from auditor.collect.https.service import LeastRight, Page
    from auditor.collect.https.transport import Call
    from auditor.collect.https.workers import Workers
    from auditor.model.evidence import Json, Record, Source

# A failure that asking again would not change; others are asked again for the next connection.
_LASTING = frozenset({GapKind.NOT_FOUND, GapKind.NOT_LICENSED, GapKind.NOT_PERMITTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One read: the dataset and subject it fills, the call, and the least right the call needs.

    `belongs` tells whether a record is about what was asked for. A service that ignores a filter or an
    identity answers with other objects, which must not count for this one. `must_exist`: the service
    reports absence as an error, so that an answer without records proves nothing. `kept` names the fields
    that later reads depend on; everything else goes to disk and is forgotten.
    """

    dataset: str
    call: Call
    query: Mapping[str, Json]
    least_right: LeastRight
    subject: str = ""
    belongs: Callable[[Record], bool] = lambda _: True
    must_exist: bool = False
    is_object: bool = False
    kept: frozenset[str] = frozenset()


class Asked(Protocol):
    """Who answers: a service, or what was exported from one. `provenance` is added to the query of each read."""

    @property
    def base(self) -> str:
        """What the evidence names as the endpoint."""

    @property
    def provenance(self) -> Mapping[str, Json]:
        """What is to be known of every answer."""

    def ask(self, call: Call, right: LeastRight) -> Record:
        """Return the object that answers a call. Raises SourceError."""

    def pages(self, call: Call, right: LeastRight) -> Iterator[Page]:
        """Yield the pages of the list that answers a call. Raises SourceError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What a read has kept of its records, and its gap."""

    records: tuple[Record, ...]
    gap: Gap | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    file: Path
    source: Source
    recorded: Recorded


@dataclass(frozen=True, slots=True)
class Answers:
    """What a service has told in this run, so that no connection asks it again."""

    _told: dict[tuple[str, str, str, bytes | None], _Told] = field(default_factory=dict)

    def find(self, question: Question) -> _Told | None:
        """Return what the same question was answered."""
        return self._told.get(_identity(question))

    def remember(self, question: Question, told: _Told) -> None:
        """Keep an answer that would be the same if it were asked for again."""
        gap = told.source.gap
        if gap is None or gap.kind in _LASTING:
            self._told[_identity(question)] = told


def _identity(question: Question) -> tuple[str, str, str, bytes | None]:
    return question.dataset, question.subject, question.call.url, question.call.body


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorder:
    """Asks one service and writes what it says. No failure of the source is raised.

    The evidence has the order in which the questions are asked, whatever the order of the answers.
    """

    service: Asked
    writer: EvidenceWriter
    workers: Workers
    answers: Answers
    announce: Callable[[str], None]
    _pending: list[Future[Recorded]] = field(default_factory=list)

    def ask(self, question: Question) -> Future[Recorded]:
        """Begin a read, or repeat what the same question was answered for an earlier connection."""
        self.announce(question.dataset)
        place = self.writer.reserve()
        told = self.answers.find(question)
        if told is not None:
            self.writer.repeat(place, told.file, told.source)
            repeated: Future[Recorded] = Future()
            repeated.set_result(told.recorded)
            return repeated
        pending = self.workers.submit(partial(self._record, question, place))
        self._pending.append(pending)
        return pending

    def finish(self) -> None:
        """Wait for every read that was begun."""
        for pending in self._pending:
            pending.result()

    def _record(self, question: Question, place: int) -> Recorded:
        kept: list[Record] = []
        with self.writer.read(
            question.dataset,
            endpoint=self.service.base,
            query={**question.query, **self.service.provenance},
            subject=question.subject,
            place=place,
        ) as read:
            for record in self._records(question, read):
                read.add(record)
                if question.kept:
                    kept.append({name: record[name] for name in record if name in question.kept})
            if question.must_exist and not read.records:
                read.leave_gap(_silent(question))
        recorded = Recorded(records=tuple(kept), gap=read.gap)
        file, source = self.writer.stored(place)
        self.answers.remember(question, _Told(file=file, source=source, recorded=recorded))
        return recorded

    def _records(self, question: Question, read: OpenRead) -> Iterator[Record]:
        """Yield the records about what was asked for, page by page; what came before a failure counts."""
        if question.is_object:
            record = self.service.ask(question.call, question.least_right)
            if not question.belongs(record):
                raise SourceError(_foreign(question))
            yield record
            return
        for page in self.service.pages(question.call, question.least_right):
            read.pages = page.number
            read.answered = page.answered
            own = [record for record in page.records if question.belongs(record)]
            yield from own
            if len(own) < len(page.records):
                read.leave_gap(_foreign(question))
            if page.shortfall is not None:
                read.leave_gap(_short(question, page.shortfall))

    def leave_out(self, cause: Gap, *datasets: str) -> None:
        """Record that datasets were not asked for, because of `cause`."""
        for dataset in datasets:
            self.writer.leave_gap(dataset, cause, endpoint=self.service.base)

    def leave_out_for(self, dependencies: Iterable[Future[Recorded]], *datasets: str) -> None:
        """Record that datasets were not asked for in full, if a read failed that tells whom to ask about.

        What the tenant has no licence for does not exist in it, so nothing depends on that.
        """
        gaps = (dependency.result().gap for dependency in dependencies)
        causes = (gap for gap in gaps if gap is not None and gap.kind is not GapKind.NOT_LICENSED)
        cause = next(causes, None)
        if cause is not None:
            self.leave_out(cause, *datasets)


def _foreign(question: Question) -> Gap:
    message = say("{call} answered with other objects than asked for; they were left out", call=question.call.name)
    return Gap(kind=GapKind.MALFORMED, message=message)


def _silent(question: Question) -> Gap:
    message = say("{call} answered with nothing, without saying that it does not exist", call=question.call.name)
    return Gap(kind=GapKind.MALFORMED, message=message)


def _short(question: Question, warning: str) -> Gap:
    message = say("{call} warns that there is more: {warning}", call=question.call.name, warning=one_line(warning))
    return Gap(kind=GapKind.INCOMPLETE, message=message)
