"""AD-GOV-008 and META-008: evidence that is judged again is as the run that recorded it wrote it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.evaluate.findings import make_finding
from auditor.model.connection import ConnectionKind
from auditor.model.message import NOTHING, joined, say
from auditor.model.outcome import FindingOutcome, Severity
from auditor.model.results import Remediation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.model.evidence import Evidence
    from auditor.model.results import Finding

_SHOWN = 10


def check_recorded_evidence(evidence: Evidence, principal: str) -> Iterator[Finding]:
    """Report evidence that a manifest contradicts: whatever it shows, it proves nothing."""
    if not evidence.altered:
        return
    is_directory = evidence.connection.kind is ConnectionKind.HYBRID
    further = len(evidence.altered) - _SHOWN
    more = say("; and {count} more", count=further) if further > 0 else NOTHING
    yield make_finding(
        check="AD-GOV-008" if is_directory else "META-008",
        connection=evidence.connection.id,
        outcome=FindingOutcome.UNVERIFIABLE,
        severity=Severity.HIGH if is_directory else Severity.LOW,
        principal=principal,
        entitlement="evidence",
        scope="manifest",
        title=say("The recorded evidence is not as it was written"),
        documented=say("every file has the SHA-256 that the manifest of its run records"),
        actual=joined("", (joined("; ", evidence.altered[:_SHOWN]), more)),
        remediation=Remediation(
            text=say("Believe nothing of this connection here. Find out who changed the files, and collect again."),
            commands=("auditor verify RUN",),
        ),
    )
