"""What every finding about a tenant has in common: whose it is, and where it is mended in the portals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.evaluate.findings import make_finding
from auditor.model.message import Message, say
from auditor.model.results import EvidenceReference, Remediation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from auditor.evaluate.tenant.judge import TenantFacts
    from auditor.model.outcome import FindingOutcome, Severity
    from auditor.model.results import Finding, Path

ADMIN_ROLES = say("Exchange admin center > Roles > Admin roles")
DIRECTORY_ROLES = say("Microsoft Entra admin center > Roles & admins")
GROUPS = say("Microsoft Entra admin center > Groups")
APPLICATIONS = say("Microsoft Entra admin center > Enterprise applications")
USERS = say("Microsoft Entra admin center > Users")
CONDITIONAL_ACCESS = say("Microsoft Entra admin center > Protection > Conditional Access")


def tenant_finding(  # noqa: PLR0913 - a finding has this many facts, and every caller names them
    facts: TenantFacts,
    *,
    check: str,
    outcome: FindingOutcome,
    severity: Severity,
    entitlement: str,
    scope: str,
    title: Message,
    documented: Message,
    actual: Message,
    cure: Message,
    portal: Message,
    commands: Iterable[str] = (),
    paths: Iterable[Path] = (),
    evidence: Iterable[str | EvidenceReference] = (),
) -> Finding:
    """Build a finding about the audited account; a dataset's name alone refers to all of it."""
    references = (each if isinstance(each, EvidenceReference) else EvidenceReference(dataset=each) for each in evidence)
    return make_finding(
        check=check,
        connection=facts.connection.id,
        outcome=outcome,
        severity=severity,
        principal=facts.account.object_id or facts.account.name,
        entitlement=entitlement,
        scope=scope,
        title=title,
        documented=documented,
        actual=actual,
        paths=tuple(dict.fromkeys(paths)),
        evidence=tuple(references),
        remediation=Remediation(
            text=say("{cure} Portal: {portal}.", cure=cure, portal=portal), commands=tuple(commands)
        ),
    )
