"""Findings with their place in the report, most urgent first."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.model.instants import parse_instant
from auditor.model.outcome import FindingOutcome
from auditor.report.words import FINDING_OUTCOMES, OTHER_OWNER, OWNERS, SEVERITIES, Word

if TYPE_CHECKING:
    from auditor.model.results import ConnectionResult, EvidenceReference, Finding, Results, Run

LONGEST_NAME = 100
DEVIATIONS = (FindingOutcome.MISSING, FindingOutcome.PARTIAL, FindingOutcome.EXCESS)


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceLink:
    """A reference into the evidence table; `anchor` is None when nothing of that name was read."""

    dataset: str
    record: str
    anchor: str | None
    quote: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingView:
    """A finding with its place in the report. It `decides` when it makes the verdict.

    `connection_anchor` is None for a connection that is not in the report. `age_days` counts from the run
    that first reported it.
    """

    finding: Finding
    anchor: str
    connection_name: str
    connection_anchor: str | None
    outcome: Word
    severity: Word
    owner: str
    decides: bool
    age_days: int
    evidence: tuple[EvidenceLink, ...]

    @property
    def places(self) -> tuple[EvidenceLink, ...]:
        """The references, each place once."""
        return tuple({(link.dataset, link.record): link for link in reversed(self.evidence)}.values())[::-1]

    @property
    def quotes(self) -> tuple[EvidenceLink, ...]:
        """The references that quote something."""
        return tuple(link for link in self.evidence if link.quote)


def finding_views(results: Results) -> tuple[FindingView, ...]:
    """Return every finding: deviations first, then unverifiable, then advisories; each by severity."""
    connections = {one.id: _Place(one) for one in results.connections}
    views = (_finding_view(results.run, connections.get(finding.connection), finding) for finding in results.findings)
    return tuple(sorted(views, key=_urgency))


def anchor(prefix: str, identifier: str) -> str:
    """Return an id for the document."""
    return f"{prefix}-{safe_name(identifier)}"


def safe_name(identifier: str) -> str:
    """Return `identifier` itself where it is safe in an address and as a file's name, else its digest."""
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", identifier) and len(identifier) <= LONGEST_NAME:
        return identifier
    return hashlib.sha256(identifier.encode("utf-8", "surrogatepass")).hexdigest()[:20]


def source_anchor(connection_id: str, place: int) -> str:
    """Return the id of the read at `place` (from 0) of a connection."""
    return f"{anchor('evidence', connection_id)}-{place + 1}"


class _Place:
    """A connection and where its reads are in the report, by dataset and subject, and the first of each dataset."""

    def __init__(self, connection: ConnectionResult) -> None:
        self.name = connection.name
        self.anchor = anchor("connection", connection.id)
        self._reads: dict[tuple[str, str | None], str] = {}
        for place, source in enumerate(connection.sources):
            address = source_anchor(connection.id, place)
            self._reads.setdefault((source.dataset, source.subject), address)
            self._reads.setdefault((source.dataset, None), address)

    def link(self, reference: EvidenceReference) -> EvidenceLink:
        # the read for this very object where there is one, else the first read of the dataset
        exact = self._reads.get((reference.dataset, reference.record))
        address = exact or self._reads.get((reference.dataset, None))
        return _evidence_link(reference, address)


def _finding_view(run: Run, place: _Place | None, finding: Finding) -> FindingView:
    return FindingView(
        finding=finding,
        anchor=anchor("finding", finding.key),
        connection_name=finding.connection if place is None else place.name,
        connection_anchor=None if place is None else place.anchor,
        outcome=FINDING_OUTCOMES[finding.outcome],
        severity=SEVERITIES[finding.severity],
        owner=OWNERS.get(finding.check.partition("-")[0], OTHER_OWNER),
        decides=(
            finding.outcome in DEVIATIONS and finding.waiver is None and finding.severity.reaches(run.fail_on)
        ),
        age_days=_age_days(finding.first_seen, run.evaluated_at),
        evidence=tuple(
            _evidence_link(reference, None) if place is None else place.link(reference)
            for reference in finding.evidence
        ),
    )


def _evidence_link(reference: EvidenceReference, address: str | None) -> EvidenceLink:
    return EvidenceLink(
        dataset=reference.dataset,
        record=reference.record,
        quote=reference.quote,
        words=reference.words,
        anchor=address,
    )


def _age_days(first_seen: str | None, evaluated_at: str) -> int:
    if first_seen is None:
        return 0
    return max(0, (parse_instant(evaluated_at) - parse_instant(first_seen)).days)


def _urgency(view: FindingView) -> tuple[int, int, int, str, str, str]:
    finding = view.finding
    kind = 0 if finding.outcome in DEVIATIONS else list(FindingOutcome).index(finding.outcome)
    outcome = list(FindingOutcome).index(finding.outcome)
    return kind, finding.severity.rank, outcome, finding.check, finding.connection, finding.key
