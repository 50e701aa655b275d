"""What is told, and whether it is news."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from auditor.model.results import Results


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """News of one run: a line, the summary in Markdown, and facts for programs.

    `when_cut` stands below a summary that a channel does not take as a whole.
    """

    subject: str
    summary: str
    facts: Mapping[str, str | int | None]
    when_cut: str


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


def message_of(results: Results, summary: str, t: Callable[..., str]) -> Message:
    """Return the message about a finished run. `t` gives texts in the language of the summary."""
    run, drift = results.run, results.drift
    verdict = t(str(results.summary.verdict).replace("_", " "))
    changed = t("first run")
    if drift.baseline_run:
        counted = {"new": len(drift.new), "resolved": len(drift.resolved), "changed": len(drift.changed)}
        changed = t("{new} new, {resolved} resolved, {changed} changed", **counted)
        if drift.entitlement_differences:
            differing = t("{count} entitlements differ", count=drift.entitlement_differences)
            changed = f"{changed}, {differing}"
    return Message(
        subject=t(
            "Hire2Retire permissions of {organisation}: {verdict}, {changed}",
            organisation=run.organisation,
            verdict=verdict,
            changed=changed,
        ),
        summary=summary,
        when_cut=_when_cut(t),
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


def message_of_failure(organisation: str, reason: str, exit_code: int, t: Callable[..., str]) -> Message:
    """Return the message about a run that failed: the accounts were not reviewed. `t` gives texts in a language."""
    return Message(
        subject=t("Hire2Retire permissions of {organisation}: the review itself failed", organisation=organisation),
        summary=f"{t('Nothing was reviewed: {reason}', reason=reason)}\n",
        when_cut=_when_cut(t),
        facts={
            "organisation": organisation, "run": None, "verdict": None, "exit_code": exit_code, "reason": reason,
        },
    )


def _when_cut(t: Callable[..., str]) -> str:
    return t("(cut: see the report)")
