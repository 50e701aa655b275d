"""From a service's answers to the evidence of one connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.collect.https.answers import one_line
from auditor.errors import SourceError
from auditor.model.evidence import Gap, GapKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from auditor.collect.evidence_writer import EvidenceWriter, OpenRead
    from auditor.collect.https.service import Service
    from auditor.collect.https.transport import Call
    from auditor.model.evidence import Json, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One read: the dataset and subject it fills, the call, and the least right the call needs.

    `belongs` tells whether a record is about what was asked for. A service that ignores a filter or an
    identity answers with other objects, which must not count for this one. `must_exist`: the service
    reports absence as an error, so that an answer without records proves nothing.
    """

    dataset: str
    call: Call
    query: Mapping[str, Json]
    least_permission: str
    subject: str = ""
    belongs: Callable[[Record], bool] = lambda _: True
    must_exist: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """The records a read has stored, and its gap."""

    records: tuple[Record, ...]
    gap: Gap | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorder:
    """Asks one service and writes what it says. No method raises for a failure of the source."""

    service: Service
    writer: EvidenceWriter
    announce: Callable[[str], None]

    def record_object(self, question: Question) -> Recorded:
        """Ask for a single object."""
        self.announce(question.dataset)
        kept: list[Record] = []
        with self._read(question) as read:
            record = self.service.ask(question.call, question.least_permission)
            if not question.belongs(record):
                raise SourceError(_foreign(question))
            read.add(record)
            kept.append(record)
        return Recorded(records=tuple(kept), gap=read.gap)

    def record_collection(self, question: Question) -> Recorded:
        """Ask for a collection, page by page; what came before a failure is kept."""
        self.announce(question.dataset)
        kept: list[Record] = []
        with self._read(question) as read:
            for page in self.service.pages(question.call, question.least_permission):
                read.pages = page.number
                own = [record for record in page.records if question.belongs(record)]
                for record in own:
                    read.add(record)
                kept += own
                if len(own) < len(page.records):
                    read.leave_gap(_foreign(question))
                if page.shortfall is not None:
                    read.leave_gap(_short(question, page.shortfall))
            if question.must_exist and not kept:
                read.leave_gap(_silent(question))
        return Recorded(records=tuple(kept), gap=read.gap)

    def _read(self, question: Question) -> AbstractContextManager[OpenRead]:
        return self.writer.read(
            question.dataset, endpoint=self.service.base, query=question.query, subject=question.subject
        )

    def leave_out(self, cause: Gap, *datasets: str) -> None:
        """Record that datasets were not asked for, because of `cause`."""
        for dataset in datasets:
            self.writer.leave_gap(dataset, cause, endpoint=self.service.base)


def _foreign(question: Question) -> Gap:
    message = f"{one_line(question.call.name)} answered with other objects than asked for; they were left out"
    return Gap(kind=GapKind.MALFORMED, message=message)


def _silent(question: Question) -> Gap:
    message = f"{one_line(question.call.name)} answered with nothing, without saying that it does not exist"
    return Gap(kind=GapKind.MALFORMED, message=message)


def _short(question: Question, warning: str) -> Gap:
    message = f"{one_line(question.call.name)} warns that there is more: {one_line(warning)}"
    return Gap(kind=GapKind.INCOMPLETE, message=message)
