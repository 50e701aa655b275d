"""AD-GOV-004 and META-008: what changed in the directory since the last run, and whether that run can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.evaluate.findings import make_finding
from auditor.model.message import say, written
from auditor.model.outcome import DriftState, FindingOutcome, Severity
from auditor.model.results import Remediation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from auditor.model.drift import DriftRecord
    from auditor.model.results import Finding

_VERBS = {
    DriftState.NEW: "{entitlement} is held since the last run",
    DriftState.RESOLVED: "{entitlement} is no longer held",
    DriftState.CHANGED: "{entitlement} is held in another way",
}
_TOLD_OTHERWISE = "excess"  # what is in excess is a finding of its own, and one that goes is a resolved one
_UNREMARKABLE = frozenset({"baseline", "absent"})


def check_changes(drift: DriftRecord, principals: Mapping[str, str]) -> Iterator[Finding]:
    """AD-GOV-004: an entitlement came, went or changed, and no finding says so.

    `principals` are the audited accounts of the hybrid connections, by connection id.
    """
    for entry in drift.entries:
        if entry.subject != "entitlement" or entry.state not in _VERBS or entry.connection not in principals:
            continue
        statuses = {entry.before, entry.after}
        if _TOLD_OTHERWISE in statuses or statuses <= _UNREMARKABLE:
            continue
        yield make_finding(
            check="AD-GOV-004",
            connection=entry.connection,
            outcome=FindingOutcome.ADVISORY,
            severity=Severity.MEDIUM,
            principal=principals[entry.connection],
            entitlement=entry.key,
            scope=entry.scope,
            title=say(_VERBS[entry.state], entitlement=written(entry.title)),
            documented=say("every entitlement that comes or goes has a ticket"),
            actual=say(
                "before: {before}; now: {after}; compared with run {run}",
                before=written(entry.before),
                after=written(entry.after),
                run=drift.baseline_run or "",
            ),
            remediation=Remediation(text=say("Find the change's ticket, or ask who made it.")),
        )


def check_earlier_runs(altered: Iterable[str], connection: str) -> Iterator[Finding]:
    """META-008: an earlier run is not as it was written; it was not compared with. `altered` are folder names."""
    for folder in altered:
        yield make_finding(
            check="META-008",
            connection=connection,
            outcome=FindingOutcome.ADVISORY,
            severity=Severity.LOW,
            principal="",
            entitlement=folder,
            scope="",
            title=say("The earlier run {folder} is not as it was written", folder=folder),
            documented=say("results are as their manifest records them"),
            actual=say("its results.json does not have the recorded SHA-256; the run was not compared with"),
            remediation=Remediation(text=say("Find out who changed it: `auditor verify` names the files.")),
        )
