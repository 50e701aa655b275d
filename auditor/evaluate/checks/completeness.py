"""META-001: whatever could not be read and is not told by a requirement is told here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.evaluate.findings import make_finding
from auditor.evaluate.judgement import describe_gap
from auditor.model.evidence import GapKind, is_answer
from auditor.model.message import NOTHING, say, written
from auditor.model.outcome import FindingOutcome, Outcome, Severity
from auditor.model.results import EvidenceReference, Remediation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.model.evidence import Evidence, Source
    from auditor.model.results import Finding, RequirementResult


def check_completeness(
    evidence: Evidence, results: Sequence[RequirementResult], told: Sequence[Finding]
) -> Iterator[Finding]:
    """Report each gap that no unverifiable requirement or finding refers to.

    Without a licence for Privileged Identity Management its schedules do not exist: that is no gap. The same goes
    for Conditional Access and for the activity of sign-ins.
    """
    referred = {
        (item.dataset, item.record)
        for result in results
        if result.outcome is Outcome.UNVERIFIABLE
        for item in result.evidence
    } | {
        (item.dataset, item.record)
        for finding in told
        if finding.outcome is FindingOutcome.UNVERIFIABLE
        for item in finding.evidence
    }
    failed = any(source.gap and source.gap.kind is not GapKind.NOT_ATTEMPTED for source in evidence.sources)
    has_cause = failed or bool(referred)
    for source in evidence.sources:
        if has_cause and source.gap and source.gap.kind is GapKind.NOT_ATTEMPTED:
            continue  # the read that failed first is told
        is_told = (source.dataset, source.subject) in referred or (source.dataset, "") in referred
        if not is_told and _leaves_something_open(source) and not _follows_from_target(source, evidence):
            yield _finding(evidence.connection.id, source)


def _follows_from_target(source: Source, evidence: Evidence) -> bool:
    """Tell whether containers were not read because their target OU was not: the judgement of that OU tells it."""
    target = evidence.read("target_ou", source.subject)
    return source.dataset == "containers" and target.source is not None and target.gap is not None


def _leaves_something_open(source: Source) -> bool:
    return source.gap is not None and not is_answer(source.dataset, source.gap.kind)


def _finding(connection: str, source: Source) -> Finding:
    gap = source.gap
    reason = describe_gap(gap) if gap is not None else NOTHING
    what = say(
        "{dataset} of {subject}" if source.subject else "{dataset}", dataset=source.dataset, subject=source.subject
    )
    cure = (
        say("Grant the auditing identity: {missing_permission}.", missing_permission=written(gap.missing_permission))
        if gap is not None and gap.missing_permission
        else say("Mend what the message names and run again.")
    )
    return make_finding(
        check="META-001",
        connection=connection,
        outcome=FindingOutcome.UNVERIFIABLE,
        severity=Severity.MEDIUM,
        principal="",
        entitlement=source.dataset,
        scope=source.subject,
        title=say("Not read: {what}", what=what),
        documented=say("every source is read completely"),
        actual=reason,
        evidence=(EvidenceReference(dataset=source.dataset, record=source.subject),),
        remediation=Remediation(text=cure),
    )
