"""The verdict on one page of Markdown: for a ticket or the summary of a pipeline's step.

Text from a directory or tenant may hold markup, links or mentions of people. Where it holds more than
letters, digits and harmless punctuation it becomes a code span, in which nothing is interpreted.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from auditor.model.instants import parse_instant
from auditor.model.outcome import FindingOutcome
from auditor.report.finding_view import DEVIATIONS, finding_views
from auditor.report.languages import ENGLISH, plain_texts
from auditor.report.review import NO_DECISIONS, review_items, tally
from auditor.report.translation import translated
from auditor.report.visible_text import make_visible
from auditor.report.words import DRIFT_STATES, DRIFT_WORDS, OUTCOMES, READINESS_VERDICTS, REVIEW_VERDICTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from auditor.model.results import Counts, Results
    from auditor.report.finding_view import FindingView
    from auditor.report.languages import Texts
    from auditor.report.review import Decisions

CHANGES_SHOWN = 12
FINDINGS_SHOWN = 15
CONNECTIONS_SHOWN = 40
LONGEST_TEXT = 160  # so that everything stays below 32,767 characters, the limit of common ticket systems

_PLAIN = re.compile(r"[^\W_]*(?:[ ,.;:'()/=%+-]+[^\W_]+)*[.)%]*")
_LINK_OR_EMOJI = re.compile(r"//|\bwww\.|:\S", re.IGNORECASE)


def summary_bytes(results: Results, decisions: Decisions = NO_DECISIONS, language: str = ENGLISH) -> bytes:
    """Return the page in UTF-8. Equal records give equal bytes."""
    lines = _lines(translated(results, language), decisions, plain_texts(language))
    return ("\n".join(lines) + "\n").encode("utf-8")


def inline(text: str) -> str:
    """Return `text` for the middle of a line: cut when it is long, in a code span when Markdown could read it."""
    shown = make_visible(text, keep="")
    shown = shown if len(shown) <= LONGEST_TEXT else f"{shown[: LONGEST_TEXT - 1]}…"
    if _PLAIN.fullmatch(shown.removesuffix("…")) and not _LINK_OR_EMOJI.search(shown):
        return shown
    ticks = "`" * (1 + max((len(run) for run in re.findall("`+", shown)), default=0))
    padding = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{ticks}{padding}{shown}{padding}{ticks}"


def _lines(results: Results, decisions: Decisions, t: Texts) -> Iterator[str]:
    run = results.run
    verdicts = READINESS_VERDICTS if run.kind == "readiness" else REVIEW_VERDICTS
    verdict = verdicts[results.summary.verdict]
    title = t(verdict.text).upper() if run.kind == "readiness" else t(verdict.text)
    views = finding_views(results)
    organisation = inline(run.organisation)
    yield t("# {verdict}: Hire2Retire permissions of {organisation}", verdict=title, organisation=organisation)
    yield ""
    evaluated_at = f"{parse_instant(run.evaluated_at):%Y-%m-%d %H:%M} UTC"
    yield f"{t(verdict.definition, severity=t(run.fail_on))} {t('Evaluated {instant}.', instant=evaluated_at)}"
    yield ""
    yield from _changes(results, t)
    yield f"## {t('Connections')}"
    yield ""
    outcomes = (t(word.text) for word in OUTCOMES.values())
    yield _row((t("Connection"), t("Verdict"), *outcomes, t("Evaluated"), t("Excess"), t("Waived")))
    yield _row(("---", "---", *("--:" for _ in OUTCOMES), "--:", "--:", "--:"))
    for connection in results.connections[:CONNECTIONS_SHOWN]:
        yield _row((inline(connection.id), t(verdicts[connection.verdict].text), *_counts(connection.counts)))
    further = len(results.connections) - CONNECTIONS_SHOWN
    if further > 0:
        yield _row((t("and {count} more", count=further), *("" for _ in range(len(OUTCOMES) + 4))))
    yield _row((f"**{t('All')}**", f"**{t(verdict.text)}**", *_counts(results.summary.counts)))
    yield ""
    yield from _findings(
        t("Decides the verdict"),
        t("Nothing: no deviation stands at or above the threshold."),
        [view for view in views if view.decides],
        t,
    )
    unread = sum(not source.complete for connection in results.connections for source in connection.sources)
    open_points = results.summary.counts.unverifiable + unread
    yield from _findings(
        t("Could not be verified"),
        t("{count} requirements and reads; see the report.", count=open_points)
        if open_points
        else t("Nothing: all of it was read."),
        [view for view in views if view.finding.outcome is FindingOutcome.UNVERIFIABLE],
        t,
    )
    if decisions.reviews:
        counts = tally(decisions.of(review_items(results.connections)))
        yield t(
            "Reviewed: {items} entitlements = {keep} keep + {change} change + {remove} remove + {open} open.",
            items=counts.items,
            keep=counts.keep,
            change=counts.change,
            remove=counts.remove,
            open=counts.open,
        )
        yield ""
    yield t(
        "Run {run}, matrix {matrix}, {tool}; exit code {code}.",
        run=inline(run.id),
        matrix=f"{inline(run.matrix.id)} {inline(run.matrix.version)}",
        tool=f"{inline(run.tool.name)} {inline(run.tool.version)}",
        code=run.exit.code,
    )


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _counts(counts: Counts) -> list[str]:
    names = (*OUTCOMES, "evaluated", "excess", "waived")
    return [str(getattr(counts, name)) for name in names]


def _findings(title: str, nothing: str, views: list[FindingView], t: Texts) -> Iterator[str]:
    yield f"## {title}"
    yield ""
    if not views:
        yield nothing
    for view in views[:FINDINGS_SHOWN]:
        where = f", {inline(view.finding.scope)}" if view.finding.scope else ""
        yield (
            f"- **{t(view.severity.text)}, {t(view.finding.outcome)}:** {inline(view.finding.title)} "
            f"({inline(view.finding.connection)}{where})"
        )
    if len(views) > FINDINGS_SHOWN:
        yield f"- {t('and {count} more in the report', count=len(views) - FINDINGS_SHOWN)}"
    yield ""


def _changes(results: Results, t: Texts) -> Iterator[str]:
    yield f"## {t('Since the last run')}"
    yield ""
    drift = results.drift
    if drift.baseline_run is None:
        yield t("There is no earlier run to compare with.")
        yield ""
        return
    told = ", ".join(f"{len(getattr(drift, state))} {t(word.text).lower()}" for state, word in DRIFT_STATES.items())
    yield t("Findings, compared with {run}: {told}.", run=inline(drift.baseline_run), told=told)
    if drift.entitlement_differences:
        yield t("Entitlements that differ: {count}.", count=drift.entitlement_differences)
    persisting = [one for one in results.findings if one.drift == "persisting" and one.outcome in DEVIATIONS]
    if persisting:
        since = min(one.first_seen or results.run.evaluated_at for one in persisting)
        first_seen = f"{parse_instant(since):%Y-%m-%d}"
        yield t("Persisting deviations: {count}, the oldest since {date}.", count=len(persisting), date=first_seen)
    yield ""
    changes = sorted(drift.differences, key=lambda entry: entry.subject != "finding")  # those of findings first
    for entry in changes[:CHANGES_SHOWN]:
        where = f", {inline(entry.scope)}" if entry.scope else ""
        before, after = (
            t(DRIFT_WORDS[each]) if each in DRIFT_WORDS else inline(each) for each in (entry.before, entry.after)
        )
        change = t("was {before}, now {after}", before=before, after=after)
        if before == after:
            change = t("still {state}, in another way", state=before)
        yield (
            f"- **{t(DRIFT_STATES[entry.state].text)}:** {inline(entry.title)} "
            f"({inline(entry.connection)}{where}; {change})"
        )
    if len(changes) > CHANGES_SHOWN:
        yield f"- {t('and {count} more in the report', count=len(changes) - CHANGES_SHOWN)}"
    if changes:
        yield ""
