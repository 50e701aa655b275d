"""The verdict, the counts and the exit code, from requirements and findings after the waivers."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from auditor.model.message import say, written
from auditor.model.outcome import FindingOutcome, Outcome, Severity, Verdict
from auditor.model.results import Counts, Exit, Summary

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from auditor.model.results import ConnectionResult, Finding, RequirementResult

_DEVIATIONS = frozenset({FindingOutcome.MISSING, FindingOutcome.PARTIAL, FindingOutcome.EXCESS})


def conclude(connection: ConnectionResult, findings: Iterable[Finding], fail_on: Severity) -> ConnectionResult:
    """Return the connection with the verdict and the counts that its requirements and `findings` make."""
    own = tuple(finding for finding in findings if finding.connection == connection.id)
    return replace(
        connection,
        verdict=_verdict(connection.requirements, own, fail_on),
        counts=_count(connection.requirements, own),
    )


def summarise(connections: Sequence[ConnectionResult], findings: Iterable[Finding]) -> Summary:
    """Return the verdict on the run, that of its worst connection, and the counts of all.

    A finding of no connection here, such as that of a waiver for another one, is counted here only.
    """
    known = {connection.id for connection in connections}
    strangers = _count((), [finding for finding in findings if finding.connection not in known])
    total: Counter[str] = Counter()
    for counts in (*(connection.counts for connection in connections), strangers):
        total.update(asdict(counts))
    order = (Verdict.NON_COMPLIANT, Verdict.INCONCLUSIVE, Verdict.COMPLIANT)
    verdicts = {connection.verdict for connection in connections}
    return Summary(verdict=next(verdict for verdict in order if verdict in verdicts), counts=Counts(**total))


def exit_of(summary: Summary, fail_on: Severity, *, exit_zero: bool) -> Exit:
    """Return the exit code with its reason in words."""
    severity, waived = written(str(fail_on)), summary.counts.waived
    code, reason = {
        Verdict.NON_COMPLIANT: (1, say("findings at or above {severity}", severity=severity)),
        Verdict.INCONCLUSIVE: (3, say("something in scope could not be verified")),
        Verdict.COMPLIANT: (
            0,
            say(
                "everything in scope verified, no finding at or above {severity}, {waived} waived"
                if waived
                else "everything in scope verified, no finding at or above {severity}",
                severity=severity,
                waived=waived,
            ),
        ),
    }[summary.verdict]
    if exit_zero and code:
        return Exit(code=0, reason=say("{reason}; --exit-zero was given", reason=reason))
    return Exit(code=code, reason=reason)


def _verdict(results: Iterable[RequirementResult], findings: Sequence[Finding], fail_on: Severity) -> Verdict:
    """Deviations that stand come first, then what stays open, then compliance."""
    if any(
        finding.outcome in _DEVIATIONS and finding.waiver is None and finding.severity.reaches(fail_on)
        for finding in findings
    ):
        return Verdict.NON_COMPLIANT
    is_open = any(result.outcome is Outcome.UNVERIFIABLE for result in results)
    if is_open or any(finding.outcome is FindingOutcome.UNVERIFIABLE for finding in findings):
        return Verdict.INCONCLUSIVE
    return Verdict.COMPLIANT


def _count(results: Iterable[RequirementResult], findings: Iterable[Finding]) -> Counts:
    """Count requirements by outcome, whether waived or not, and findings by kind; waived ones apart."""
    outcomes = Counter(result.outcome for result in results)
    kinds = Counter(None if finding.waiver is not None else finding.outcome for finding in findings)
    return Counts(
        evaluated=outcomes.total(),
        satisfied=outcomes[Outcome.SATISFIED],
        partial=outcomes[Outcome.PARTIAL],
        missing=outcomes[Outcome.MISSING],
        unverifiable=outcomes[Outcome.UNVERIFIABLE],
        not_applicable=outcomes[Outcome.NOT_APPLICABLE],
        excess=kinds[FindingOutcome.EXCESS],
        advisory=kinds[FindingOutcome.ADVISORY],
        waived=kinds[None],
    )
