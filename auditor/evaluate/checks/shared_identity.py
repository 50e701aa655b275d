"""META-009: one identity that administers both sides (rule A13)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.evaluate.directory.judge import DirectoryFacts
from auditor.evaluate.fields import text
from auditor.evaluate.findings import make_finding
from auditor.evaluate.tenant.judge import TenantFacts
from auditor.model.outcome import FindingOutcome, Severity
from auditor.model.results import EvidenceReference, Remediation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.model.results import Finding


def check_shared_identity(facts: Sequence[DirectoryFacts | TenantFacts]) -> Iterator[Finding]:
    """Report a Domain Admin whose synchronised account holds directory roles; matched by SID."""
    domain_admins = {
        each.account.membership.account_sid: each
        for each in facts
        if isinstance(each, DirectoryFacts) and each.account.membership and each.account.membership.is_domain_admin
    }
    for each in facts:
        if not isinstance(each, TenantFacts) or each.account.user is None or not each.entra_roles.active:
            continue
        sid = text(each.account.user, "onPremisesSecurityIdentifier")
        if sid in domain_admins:
            yield make_finding(
                check="META-009",
                connection=each.connection.id,
                outcome=FindingOutcome.ADVISORY,
                severity=Severity.HIGH,
                principal=sid,
                entitlement="shared identity",
                scope=domain_admins[sid].connection.id,
                title="One identity is Domain Admin and holds directory roles in Entra ID",
                documented="two accounts: one for the directory, one for Exchange Online",
                actual=f"the account of {domain_admins[sid].connection.id} is synchronised and used here as well",
                evidence=(EvidenceReference(dataset="user"),),
                remediation=Remediation(text="Use separate accounts on the two sides."),
            )
