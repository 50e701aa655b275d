"""AD-GOV-003 and META-006: every exception is valid, matched, and approved by someone else than its owner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.evaluate.findings import make_finding
from auditor.model.message import Message, say, written
from auditor.model.outcome import FindingOutcome, Severity, WaiverState
from auditor.model.results import Remediation

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from auditor.model.results import Finding, WaiverRecord

OF_WAIVERS = frozenset({"AD-GOV-003", "META-006"})
_SELF_APPROVED = "self-approved"
_WORDS = {
    WaiverState.EXPIRING: (
        "Waiver {id} ends soon",
        Severity.LOW,
        say("Correct what was accepted, or decide again and renew it."),
    ),
    WaiverState.EXPIRED: (
        "Waiver {id} has expired",
        Severity.MEDIUM,
        say("Correct what was accepted, or decide again and renew it."),
    ),
    WaiverState.VOID: (
        "Waiver {id} is void",
        Severity.MEDIUM,
        say("Look at the finding as it is now and decide again."),
    ),
    WaiverState.UNMATCHED: (
        "Waiver {id} matches no finding",
        Severity.LOW,
        say("Remove the waiver, or correct what it names. Keep it where this run left its connection out."),
    ),
}


def check_waivers(records: Iterable[WaiverRecord], hybrid_connections: Collection[str]) -> Iterator[Finding]:
    """Report each waiver that ends soon, has ended, is void, matches nothing, or was approved by its owner."""
    for record in records:
        check = "AD-GOV-003" if record.connection in hybrid_connections else "META-006"
        if record.state in _WORDS:
            title, severity, cure = _WORDS[record.state]
            yield _finding(check, record, scope="", title=title, severity=severity, cure=cure)
        if record.is_self_approved:
            yield _finding(
                check,
                record,
                scope=_SELF_APPROVED,
                title="Waiver {id} was approved by its owner",
                severity=Severity.MEDIUM,
                cure=say("Let someone else than the owner approve it; until then it has no effect."),
            )


def _finding(check: str, record: WaiverRecord, *, scope: str, title: str, severity: Severity, cure: Message) -> Finding:
    return make_finding(
        check=check,
        connection=record.connection,
        outcome=FindingOutcome.ADVISORY,
        severity=severity,
        principal=record.principal,
        entitlement=f"waiver {record.id}",
        scope=scope,
        title=say(title, id=record.id),
        documented=say("a waiver names one finding as it is, ends, and is approved by someone else than its owner"),
        actual=say(
            "waiver {id} of {check}, owner {owner}, approved by {approved_by}: {note}",
            id=record.id,
            check=record.check,
            owner=record.owner,
            approved_by=record.approved_by,
            note=written(record.note),
        ),
        remediation=Remediation(text=cure),
    )
