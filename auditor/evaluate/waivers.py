"""Which findings a person has accepted. A waiver covers one finding in one state until one day."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from auditor.evaluate.findings import state_fingerprint
from auditor.model.instants import format_instant
from auditor.model.keys import finding_key
from auditor.model.message import Message, say
from auditor.model.outcome import FindingOutcome, WaiverState
from auditor.model.results import WaiverRecord
from auditor.model.waiver import EXPIRES_SOON, Waiver

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from auditor.model.results import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Waived:
    """Findings after the waivers, and how each waiver stood."""

    findings: tuple[Finding, ...]
    records: tuple[WaiverRecord, ...]


def apply_waivers(findings: Sequence[Finding], waivers: Iterable[Waiver], now: datetime) -> Waived:
    """Mark the findings that a waiver in effect covers; they keep their outcome and stop counting.

    What could not be verified is never covered: nobody can accept what nobody has seen.
    """
    by_key = {finding.key: finding for finding in findings}
    records = tuple(_record(waiver, by_key, now) for waiver in waivers)
    covering: dict[str | None, str] = {}
    for record in records:
        if record.in_effect:
            covering.setdefault(record.finding, record.id)
    marked = (replace(finding, waiver=covering.get(finding.key)) for finding in findings)
    return Waived(findings=tuple(marked), records=records)


def _record(waiver: Waiver, by_key: dict[str, Finding], now: datetime) -> WaiverRecord:
    finding = by_key.get(finding_key(waiver.check, waiver.connection, waiver.entitlement, waiver.scope))
    if finding is not None and finding.principal != waiver.principal:
        finding = None  # the account was replaced: its successor was not accepted
    state, note = _state(waiver, finding, now)
    if waiver.is_self_approved:
        note = say("{note}; not in effect, because its owner approved it", note=note)
    holds = state in (WaiverState.ACTIVE, WaiverState.EXPIRING)
    texts = {each.name: getattr(waiver, each.name) for each in fields(Waiver)}
    return WaiverRecord(
        **texts | {"created": waiver.created.isoformat(), "expires": waiver.expires.isoformat()},
        state=state,
        in_effect=holds and not waiver.is_self_approved,
        is_self_approved=waiver.is_self_approved,
        finding=finding.key if finding is not None else None,
        note=note,
    )


def _state(waiver: Waiver, finding: Finding | None, now: datetime) -> tuple[WaiverState, Message]:
    ends = say("{instant} (end of {expires}, UTC)", instant=format_instant(waiver.ends_at), expires=str(waiver.expires))
    if waiver.is_expired(now):
        return WaiverState.EXPIRED, say("it ended at {ends}", ends=ends)
    if finding is None:
        return WaiverState.UNMATCHED, say("no finding of this run is the one it names")
    if finding.outcome is FindingOutcome.UNVERIFIABLE:
        return WaiverState.VOID, say("what it accepts could not be verified in this run")
    if state_fingerprint(finding) != waiver.accepted_fingerprint:
        return WaiverState.VOID, say("the finding is no longer in the state that was accepted")
    if waiver.expires_within(EXPIRES_SOON, now):
        return WaiverState.EXPIRING, say("it ends at {ends}", ends=ends)
    return WaiverState.ACTIVE, say("it ends at {ends}", ends=ends)
