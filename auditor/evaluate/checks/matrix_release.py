"""META-005, AD-GOV-001 and 002: the matrix judged against is a released one, recent, approved and current."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING

from auditor.evaluate.findings import make_finding
from auditor.model.connection import ConnectionKind
from auditor.model.message import Message, say
from auditor.model.outcome import FindingOutcome, Severity
from auditor.model.results import Remediation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from auditor.evaluate.directory.judge import DirectoryFacts
    from auditor.evaluate.tenant.judge import TenantFacts
    from auditor.matrix.profile import Matrix
    from auditor.model.results import Finding

_RECENT = timedelta(days=366)
_RELEASED = say("a released profile that was compared with the vendor's page within a year")
_MONTH = re.compile(r"([1-9]\d{3})-(\d{2})")


def check_matrix(facts: DirectoryFacts | TenantFacts, matrix: Matrix, now: datetime) -> Iterator[Finding]:
    """META-005: its digest is that of a profile of this version, its date within the last twelve months."""
    source = matrix.profile.source
    if not matrix.is_released:
        yield _finding(
            facts,
            matrix,
            scope="digest",
            title=say("The matrix is not one that this version of the tool was released with"),
            actual=_name(matrix),
            cure=say(
                "Compare it with the released profiles (`auditor matrix diff`). If it is meant, have somebody else "
                "review it, and keep its digest with the decision."
            ),
        )
    month = _month(source.date)
    if month is not None and now.date() - month > _RECENT:
        yield _finding(
            facts,
            matrix,
            scope="age",
            title=say("The matrix is older than a year"),
            actual=say("the page as it was in {date}; the vendor may have changed it since", date=source.date),
            cure=say("Compare the page ({url}) with the profile, and update the profile or its date.", url=source.url),
        )


def check_matrix_approval(facts: DirectoryFacts, matrix: Matrix) -> Iterator[Finding]:
    """AD-GOV-001: what this project releases states what the vendor documents, and counts as approved.

    Of any other the tool knows no approval. A waiver of this finding records one: who owns it, who else approved it,
    under which ticket, until when and, in its fingerprint, of which digest.
    """
    if not matrix.is_released:
        yield _finding(
            facts,
            matrix,
            check="AD-GOV-001",
            severity=Severity.HIGH,
            scope="approval",
            title=say("No approval is known of the matrix that the connection is judged against"),
            documented=say("a released profile, or one whose approval is recorded"),
            actual=_name(matrix),
            cure=say(
                "Have somebody else than its author compare it with what the vendor documents, and record that with "
                "`auditor waivers add`. The waiver ends when the profile changes or its time is up."
            ),
        )


def check_matrix_is_current(facts: DirectoryFacts, matrix: Matrix) -> Iterator[Finding]:
    """AD-GOV-002: no profile of this version has its id and states a later version of the vendor's page."""
    released = matrix.released
    month, latest = _month(matrix.profile.source.date), _month(released.source.date) if released else None
    if released is not None and month is not None and latest is not None and month < latest:
        yield _finding(
            facts,
            matrix,
            check="AD-GOV-002",
            severity=Severity.MEDIUM,
            scope="version",
            title=say("A newer version of the matrix has been released"),
            documented=say("the released profile that states the latest version of the vendor's page"),
            actual=say(
                "{matrix}, the page as it was in {date}; released: version {version}, SHA-256 {digest}, the page as it "
                "was in {released}",
                matrix=_name(matrix),
                date=matrix.profile.source.date,
                version=released.version,
                digest=released.sha256,
                released=released.source.date,
            ),
            cure=say("Compare the two (`auditor matrix diff`), and judge against the newer one."),
        )


def _month(text: str) -> date | None:
    found = _MONTH.match(text)
    return None if found is None else date(int(found[1]), min(max(int(found[2]), 1), 12), 1)


def _name(matrix: Matrix) -> Message:
    return say(
        "profile {id}, version {version}, SHA-256 {digest}",
        id=matrix.profile.id,
        version=matrix.profile.version,
        digest=matrix.sha256,
    )


def _finding(  # noqa: PLR0913 - in what these findings differ
    facts: DirectoryFacts | TenantFacts,
    matrix: Matrix,
    *,
    check: str = "META-005",
    severity: Severity = Severity.LOW,
    scope: str,
    title: Message,
    documented: Message = _RELEASED,
    actual: Message,
    cure: Message,
) -> Finding:
    principal = facts.account.principal
    is_tenant = facts.connection.kind is ConnectionKind.EXCHANGE_ONLINE
    return make_finding(
        check=check,
        connection=facts.connection.id,
        outcome=FindingOutcome.ADVISORY,
        severity=severity,
        principal=(principal.object_id if is_tenant else principal.sid) or principal.name,
        entitlement=matrix.profile.id,
        scope=scope,
        title=title,
        documented=documented,
        actual=actual,
        remediation=Remediation(text=cure),
    )
