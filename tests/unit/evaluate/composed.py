"""Evidence composed in memory, and the record it is judged to."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from auditor.evaluate.evaluate import RunFacts, evaluate
from auditor.matrix.load import load_matrix
from auditor.model.evidence import Evidence, Gap, GapKind, Read, Record, Source
from auditor.model.outcome import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from auditor.matrix.profile import Matrix, Requirement
    from auditor.model.connection import Connection
    from auditor.model.results import Finding, RequirementResult, Results

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
MATRIX = load_matrix("hybrid-exchange-online")
REFUSED = Gap(kind=GapKind.NOT_PERMITTED, message="access denied", missing_permission="the right to read it")
NOT_FOUND = Gap(kind=GapKind.NOT_FOUND, message="no such object")
RUN = RunFacts(
    kind="review",
    organisation="Contoso",
    operator="tester",
    host="here",
    tool_version="0",
    argv=(),
    fail_on=Severity.MEDIUM,
    exit_zero=False,
    now=NOW,
)

Question: TypeAlias = "tuple[str, str]"  # dataset and subject


def read_of(question: Question, records: Iterable[Record], gap: Gap | None = None) -> tuple[Source, Read]:
    """Return what a collection leaves of one question."""
    dataset, subject = question
    records = tuple(records)
    source = Source(
        dataset=dataset,
        subject=subject,
        endpoint="test",
        query={},
        started_at=NOW,
        finished_at=NOW,
        records=len(records),
        pages=1,
        complete=gap is None,
        gap=gap,
        sha256=hashlib.sha256(repr(records).encode("utf-8", "backslashreplace")).hexdigest(),
    )
    return source, Read(source=source, records=records, gap=gap)


def compose(
    connection: Connection,
    answers: Mapping[Question, Iterable[Record]],
    gaps: Mapping[Question, Gap],
    descriptors: Mapping[str, bytes],
) -> Evidence:
    """Build evidence; a question with a gap keeps no record."""
    reads = [
        read_of(question, () if question in gaps else answers[question], gaps.get(question)) for question in answers
    ]
    reads += [read_of(question, (), gap) for question, gap in gaps.items() if question not in answers]
    return Evidence(
        connection=connection,
        reads=tuple(reads),
        descriptors=descriptors,
        collected_by={"signed_in_as": "auditor"},
        sha256=hashlib.sha256(repr(reads).encode("utf-8", "backslashreplace")).hexdigest(),
    )


def matrix(*requirements: Requirement, **rules: Any) -> Matrix:
    """Return the default matrix with other rules, and with other requirements if there are any."""
    profile = replace(MATRIX.profile, rules=replace(MATRIX.profile.rules, **rules))
    return replace(MATRIX, profile=replace(profile, requirements=requirements or profile.requirements))


def judge(*evidence: Evidence, against: Matrix = MATRIX, **run: Any) -> Results:
    """Judge connections against one matrix."""
    return evaluate([(each, against) for each in evidence], against, replace(RUN, **run))


def row(results: Results, requirement: str, scope: str | None = None) -> RequirementResult:
    """Return the one row of a requirement, in a scope if it has several."""
    (found,) = (
        each
        for connection in results.connections
        for each in connection.requirements
        if each.id == requirement and scope in {None, each.scope}
    )
    return found


def outcome(results: Results, requirement: str, scope: str | None = None) -> str:
    """Return the outcome of the one row of a requirement."""
    return str(row(results, requirement, scope).outcome)


def findings(results: Results, check: str) -> list[Finding]:
    """Return the findings of a check."""
    return [each for each in results.findings if each.check == check]


def told(results: Results, check: str) -> list[tuple[str, str]]:
    """Return outcome and severity of every finding of a check."""
    return [(str(each.outcome), str(each.severity)) for each in findings(results, check)]
