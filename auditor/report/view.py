"""Turns results into the one context that the HTML and the PDF are rendered from."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from auditor.model.outcome import FindingOutcome, Outcome, Severity, Verdict
from auditor.report.access_picture import AccessPicture, access_picture
from auditor.report.access_tree import access_tree
from auditor.report.changes import Changes, TrendPoint, changes_of, trend_of
from auditor.report.check_lists import CheckLists, check_lists
from auditor.report.evidence_view import EvidenceView, evidence_view, json_text, unread, what_was_wrong
from auditor.report.finding_view import DEVIATIONS, FindingView, anchor, finding_views
from auditor.report.review import NO_DECISIONS, Answer, Decisions, review_items, tally
from auditor.report.review import Tally as ReviewTally
from auditor.report.scope_grid import ScopeGrid, scope_grids
from auditor.report.waivers import WaiverView, waiver_views
from auditor.report.words import (
    OTHER_OWNER,
    OUTCOMES,
    OWNERS,
    READINESS_VERDICTS,
    REVIEW_VERDICTS,
    SEVERITIES,
    Word,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from auditor.model.results import (
        ConnectionResult,
        Finding,
        RequirementResult,
        Results,
    )

SHORTLIST_LENGTH = 8  # actions printed per owner; the rest are counted and linked


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How often a word occurs."""

    word: Word
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SeverityTally:
    """Findings of one severity: those that stand, in the order of `FindingOutcome`, and the waived."""

    word: Word
    by_outcome: tuple[int, ...]
    waived: int

    @property
    def standing(self) -> int:
        """Findings that are not waived."""
        return sum(self.by_outcome)

    @property
    def total(self) -> int:
        """All findings of this severity."""
        return self.standing + self.waived


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionView:
    """One connection's part of the report; `findings` are its own, most urgent first.

    `review` holds the entitlements to decide on, excess first, with what was decided.
    What its sections show is worked out when it is asked for, in the process that renders them.
    """

    connection: ConnectionResult
    anchor: str
    verdict: Word
    findings: tuple[FindingView, ...]
    review: tuple[Answer, ...]

    @property
    def tallies(self) -> tuple[Tally, ...]:
        """Its requirements by outcome."""
        return _tallies(self.connection.requirements)

    @property
    def configuration(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Its configuration as (name, lines) rows."""
        return tuple((name, _lines(value)) for name, value in self.connection.configuration.items())

    @property
    def deciding(self) -> tuple[FindingView, ...]:
        """Findings that make the verdict."""
        return tuple(view for view in self.findings if view.decides)

    @property
    def open(self) -> tuple[FindingView, ...]:
        """Findings that say what could not be verified."""
        return tuple(view for view in self.findings if view.finding.outcome is FindingOutcome.UNVERIFIABLE)

    @property
    def waived(self) -> tuple[FindingView, ...]:
        """Findings that do not count."""
        return tuple(view for view in self.findings if view.finding.waiver)

    @property
    def grids(self) -> tuple[ScopeGrid, ...]:
        """Target organizational units against the rights delegated on them."""
        return scope_grids(self.connection.requirements)

    @property
    def unverifiable(self) -> tuple[RequirementResult, ...]:
        """Requirements that could not be judged."""
        return tuple(one for one in self.connection.requirements if one.outcome is Outcome.UNVERIFIABLE)

    @property
    def evidence(self) -> EvidenceView:
        """Its reads."""
        links = (link.anchor for view in self.findings for link in view.evidence)
        return evidence_view(self.connection, frozenset(link for link in links if link is not None))

    @property
    def review_tally(self) -> ReviewTally:
        """Its entitlements by decision."""
        return tally(self.review)

    @property
    def access(self) -> AccessPicture:
        """What the account reaches, and through what."""
        return access_picture(access_tree(self.connection, tuple(view.finding for view in self.findings)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortlist:
    """What one owner should do first; `further` actions are not printed."""

    owner: str
    actions: tuple[FindingView, ...]
    further: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportView:
    """Everything the templates show. Every number is counted here from requirements and findings."""

    results: Results
    results_sha256: str
    verdict: Word
    verdict_reason: str
    connections: tuple[ConnectionView, ...]
    findings: tuple[FindingView, ...]
    tallies: tuple[Tally, ...]
    severities: tuple[SeverityTally, ...]
    shortlists: tuple[Shortlist, ...]
    changes: Changes
    trend: tuple[TrendPoint, ...]
    waivers: tuple[WaiverView, ...]
    decisions: Decisions
    checks: CheckLists

    @property
    def review_tally(self) -> ReviewTally:
        """Entitlements by decision, over all connections."""
        return tally(answer for connection in self.connections for answer in connection.review)

    @property
    def evaluated(self) -> int:
        """Requirements judged, over all connections."""
        return sum(tally.count for tally in self.tallies)

    @property
    def standing(self) -> tuple[Tally, ...]:
        """Findings that are not waived, by severity."""
        return tuple(Tally(word=tally.word, count=tally.standing) for tally in self.severities)

    @property
    def deviations(self) -> tuple[FindingView, ...]:
        """Missing, partial and excess findings, waived ones included."""
        return tuple(view for view in self.findings if view.finding.outcome in DEVIATIONS)

    @property
    def unverifiable(self) -> tuple[FindingView, ...]:
        """Findings that say what could not be verified."""
        return self._of(FindingOutcome.UNVERIFIABLE)

    @property
    def advisories(self) -> tuple[FindingView, ...]:
        """Good-practice observations."""
        return self._of(FindingOutcome.ADVISORY)

    @property
    def unread_kinds(self) -> tuple[tuple[str, int], ...]:
        """Why reads are not complete, with counts, most frequent first."""
        kinds = Counter(what_was_wrong(source) for one in self.connections for source in unread(one.connection))
        return tuple(kinds.most_common())

    @property
    def partly_read(self) -> tuple[ConnectionView, ...]:
        """Connections with reads that are not complete."""
        return tuple(one for one in self.connections if unread(one.connection))

    @property
    def reads(self) -> int:
        """Reads recorded, over all connections."""
        return sum(len(one.connection.sources) for one in self.connections)

    def _of(self, outcome: FindingOutcome) -> tuple[FindingView, ...]:
        return tuple(view for view in self.findings if view.finding.outcome is outcome)


def build_view(results: Results, results_sha256: str, decisions: Decisions = NO_DECISIONS) -> ReportView:
    """Return the report's context; `results_sha256` is the digest of the results.json it comes from."""
    findings = finding_views(results)
    own: dict[str, list[FindingView]] = {}
    for view in findings:
        own.setdefault(view.finding.connection, []).append(view)
    requirements = [one for connection in results.connections for one in connection.requirements]
    verdicts = READINESS_VERDICTS if results.run.kind == "readiness" else REVIEW_VERDICTS
    return ReportView(
        results=results,
        results_sha256=results_sha256,
        verdict=verdicts[results.summary.verdict],
        verdict_reason=_verdict_reason(results.summary.verdict, results.run.fail_on),
        connections=tuple(
            ConnectionView(
                connection=connection,
                anchor=anchor("connection", connection.id),
                verdict=verdicts[connection.verdict],
                findings=tuple(own.get(connection.id, ())),
                review=decisions.of(sorted(review_items([connection]), key=lambda item: item.status != "excess")),
            )
            for connection in results.connections
        ),
        findings=findings,
        tallies=_tallies(requirements),
        severities=tuple(_severity_tally(severity, results.findings) for severity in Severity),
        shortlists=_shortlists(findings),
        changes=changes_of(results.drift, results.connections, findings),
        trend=trend_of(results, verdicts),
        waivers=waiver_views(results, findings),
        decisions=decisions,
        checks=check_lists(results),
    )


def _verdict_reason(verdict: Verdict, threshold: Severity) -> str:
    definition = REVIEW_VERDICTS[verdict].definition
    return definition.replace("{severity}", threshold)


def _tallies(requirements: Iterable[RequirementResult]) -> tuple[Tally, ...]:
    counts = Counter(requirement.outcome for requirement in requirements)
    return tuple(Tally(word=OUTCOMES[outcome], count=counts[outcome]) for outcome in Outcome)


def _severity_tally(severity: Severity, findings: Iterable[Finding]) -> SeverityTally:
    alike = [finding for finding in findings if finding.severity is severity]
    standing = Counter(finding.outcome for finding in alike if finding.waiver is None)
    return SeverityTally(
        word=SEVERITIES[severity],
        by_outcome=tuple(standing[outcome] for outcome in FindingOutcome),
        waived=sum(finding.waiver is not None for finding in alike),
    )


def _shortlists(findings: tuple[FindingView, ...]) -> tuple[Shortlist, ...]:
    actionable = [
        view
        for view in findings
        if view.finding.outcome is not FindingOutcome.ADVISORY and view.finding.waiver is None
    ]
    shortlists = []
    for owner in (*OWNERS.values(), OTHER_OWNER):
        actions = tuple(view for view in actionable if view.owner == owner)
        if actions:
            further = max(0, len(actions) - SHORTLIST_LENGTH)
            shortlists.append(Shortlist(owner=owner, actions=actions[:SHORTLIST_LENGTH], further=further))
    return tuple(shortlists)


def _lines(value: Any) -> tuple[str, ...]:  # noqa: ANN401  # any JSON value of the configuration
    if isinstance(value, dict):
        return tuple(f"{name}: {json_text(one)}" for name, one in value.items())
    if isinstance(value, list | tuple):
        return tuple(json_text(one) for one in value)
    return () if value is None else (json_text(value),)
