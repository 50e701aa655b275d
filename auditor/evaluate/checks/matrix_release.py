"""META-005: the matrix that was judged against is a released one, and recent."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING

from auditor.evaluate.findings import make_finding
from auditor.model.connection import ConnectionKind
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
_MONTH = re.compile(r"(\d{4})-(\d{2})")


def check_matrix(facts: DirectoryFacts | TenantFacts, matrix: Matrix, now: datetime) -> Iterator[Finding]:
    """META-005: its digest is that of a profile of this version, its date within the last twelve months."""
    source = matrix.profile.source
    if not matrix.is_released:
        yield _finding(
            facts,
            matrix,
            scope="digest",
            title="The matrix is not one that this version of the tool was released with",
            actual=f"profile {matrix.profile.id}, version {matrix.profile.version}, SHA-256 {matrix.sha256}",
            cure="Compare it with the released profiles (`auditor matrix diff`). If it is meant, have somebody else "
            "review it, and keep its digest with the decision.",
        )
    found = _MONTH.match(source.date)
    if found is not None and now.date() - date(int(found[1]), min(max(int(found[2]), 1), 12), 1) > _RECENT:
        yield _finding(
            facts,
            matrix,
            scope="age",
            title="The matrix is older than a year",
            actual=f"the page as it was in {source.date}; the vendor may have changed it since",
            cure=f"Compare the page ({source.url}) with the profile, and update the profile or its date.",
        )


def _finding(
    facts: DirectoryFacts | TenantFacts, matrix: Matrix, *, scope: str, title: str, actual: str, cure: str
) -> Finding:
    principal = facts.account.principal
    is_tenant = facts.connection.kind is ConnectionKind.EXCHANGE_ONLINE
    return make_finding(
        check="META-005",
        connection=facts.connection.id,
        outcome=FindingOutcome.ADVISORY,
        severity=Severity.LOW,
        principal=(principal.object_id if is_tenant else principal.sid) or principal.name,
        entitlement=matrix.profile.id,
        scope=scope,
        title=title,
        documented="a released profile that was compared with the vendor's page within a year",
        actual=actual,
        remediation=Remediation(text=cure),
    )
