"""ENT-014: groups and applications the account owns, through which it can give itself more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.evaluate.checks.tenant_finding import APPLICATIONS, GROUPS, tenant_finding
from auditor.evaluate.fields import flag, same, text
from auditor.evaluate.remediation import quote
from auditor.model.outcome import FindingOutcome, Severity
from auditor.model.results import EvidenceReference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.evaluate.tenant.judge import TenantFacts
    from auditor.model.evidence import Record
    from auditor.model.results import Finding

_COMMANDS = {
    "group": "Remove-MgGroupOwnerByRef -GroupId",
    "application": "Remove-MgApplicationOwnerByRef -ApplicationId",
    "servicePrincipal": "Remove-MgServicePrincipalOwnerByRef -ServicePrincipalId",
}


def check_owned_objects(facts: TenantFacts) -> Iterator[Finding]:
    """Report owned objects that hold roles or permissions; owning others gives nothing away."""
    for owned in facts.evidence.read("owned_objects"):
        kind, owned_id = text(owned, "@odata.type").rpartition(".")[2], text(owned, "id")
        holds = _why_privileged(kind, owned, facts)
        if not holds:
            continue
        name = text(owned, "displayName") or owned_id
        what = {"servicePrincipal": "service principal"}.get(kind, kind)
        command = _COMMANDS.get(kind, "")
        owner = quote(facts.account.object_id or "")
        yield tenant_finding(
            facts,
            check="ENT-014",
            outcome=FindingOutcome.EXCESS,
            severity=Severity.HIGH,
            entitlement=owned_id,
            scope="owner",
            title=f"The account owns the {what} {name}",
            documented="the account owns nothing that holds roles or permissions",
            actual=f"owner of {name}, which {holds}; an owner adds members or credentials",
            cure="Remove the account from the owners.",
            portal=f"{GROUPS if kind == 'group' else APPLICATIONS} > {name} > Owners",
            commands=(f"{command} {quote(owned_id)} -DirectoryObjectId {owner}",) if command else (),
            paths=((facts.account.name, f"owner of {what} {name}"),),
            evidence=(EvidenceReference(dataset="owned_objects", record=owned_id),),
        )


def _why_privileged(kind: str, owned: Record, facts: TenantFacts) -> str:
    if kind == "group":
        return _why_group_is_privileged(owned, facts)
    principals = [text(owned, "id")] if kind == "servicePrincipal" else []
    if kind == "application":
        found = facts.evidence.read("owned_application_principal", text(owned, "appId"))
        principals = [text(principal, "id") for principal in found]
    if any(_has_roles(principal, facts) for principal in principals):
        return "holds directory roles"
    granted = [facts.evidence.read("owned_app_role_assignments", principal).records for principal in principals]
    return "holds application permissions" if any(granted) else ""


def _why_group_is_privileged(owned: Record, facts: TenantFacts) -> str:
    if flag(owned, "isAssignableToRole") is True or _has_roles(text(owned, "id"), facts):
        return "may hold directory roles"
    is_member = any(
        same(text(member, "ExternalDirectoryObjectId"), text(owned, "id"))
        for _, read in facts.evidence.reads_of("role_group_members")
        for member in read
    )
    return "is a member of an Exchange role group" if is_member else ""


def _has_roles(principal_id: str, facts: TenantFacts) -> bool:
    read = facts.evidence.read("role_assignments", principal_id)
    return any(same(text(record, "principalId"), principal_id) for record in read)
