"""What is told, and whether it is news."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.model.results import Results


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """News of one run: a line, the summary in Markdown, and facts for programs."""

    subject: str
    summary: str
    facts: Mapping[str, str | int | None]


def is_news(results: Results, earlier: Results | None) -> bool:
    """Tell whether a run differs from the one before: its findings, its entitlements, or a connection's verdict.

    The first run is news. What stays unverifiable is news once, by its verdict.
    """
    if earlier is None:
        return True
    before = {connection.id: connection.verdict for connection in earlier.connections}
    return bool(results.drift.differences) or any(
        before.get(connection.id) != connection.verdict for connection in results.connections
    )


def message_of(results: Results, summary: str) -> Message:
    """Return the message about a finished run."""
    run, drift = results.run, results.drift
    verdict = str(results.summary.verdict).replace("_", " ")
    changed = "first run"
    if drift.baseline_run:
        changed = f"{len(drift.new)} new, {len(drift.resolved)} resolved, {len(drift.changed)} changed"
        if drift.entitlement_differences:
            changed += f", {drift.entitlement_differences} entitlements differ"
    return Message(
        subject=f"Hire2Retire permissions of {run.organisation}: {verdict}, {changed}",
        summary=summary,
        facts={
            "organisation": run.organisation,
            "run": run.id,
            "kind": run.kind,
            "evaluated_at": run.evaluated_at,
            "verdict": str(results.summary.verdict),
            "exit_code": run.exit.code,
            "reason": run.exit.reason,
            "baseline_run": drift.baseline_run,
            "new": len(drift.new),
            "resolved": len(drift.resolved),
            "changed": len(drift.changed),
            "not_comparable": len(drift.not_comparable),
            "entitlement_differences": drift.entitlement_differences,
        },
    )


def message_of_failure(organisation: str, reason: str, exit_code: int) -> Message:
    """Return the message about a run that failed: the accounts were not reviewed."""
    return Message(
        subject=f"Hire2Retire permissions of {organisation}: the review itself failed",
        summary=f"Nothing was reviewed: {reason}\n",
        facts={
            "organisation": organisation, "run": None, "verdict": None, "exit_code": exit_code, "reason": reason,
        },
    )
