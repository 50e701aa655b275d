"""META-009 and AD-GOV-007: one identity that administers both sides (rule A13), or serves several connections."""

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


def check_shared_account(facts: Sequence[DirectoryFacts | TenantFacts]) -> Iterator[Finding]:
    """Report an account of the directory on each of the connections it serves; matched by SID."""
    served: dict[str, list[DirectoryFacts]] = {}
    for each in facts:
        if isinstance(each, DirectoryFacts) and each.account.membership is not None:
            served.setdefault(each.account.membership.account_sid, []).append(each)
    for sid, sharing in served.items():
        for each in sharing if len(sharing) > 1 else ():
            others = ", ".join(other.connection.id for other in sharing if other is not each)
            yield make_finding(
                check="AD-GOV-007",
                connection=each.connection.id,
                outcome=FindingOutcome.ADVISORY,
                severity=Severity.HIGH,
                principal=sid,
                entitlement="shared account",
                scope="connections",
                title=f"The account also serves {others}",
                documented="a service account for the connection",
                actual=f"{sid} is the account of this connection and of {others}",
                evidence=(EvidenceReference(dataset="account"),),
                remediation=Remediation(
                    text="Use one account per connection, above all where one of them is a test environment: a "
                    "password that leaks there opens the other as well."
                ),
            )
