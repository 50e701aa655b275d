"""ENT-014: groups and applications the account owns, through which it can give itself more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.evaluate.checks.tenant_finding import APPLICATIONS, GROUPS, tenant_finding
from auditor.evaluate.fields import flag, same, text
from auditor.evaluate.remediation import quote
from auditor.model.message import NOTHING, Message, data, say
from auditor.model.outcome import FindingOutcome, Severity
from auditor.model.results import EvidenceReference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.evaluate.tenant.judge import TenantFacts
    from auditor.model.evidence import Read, Record
    from auditor.model.results import Finding

_COMMANDS = {
    "group": "Remove-MgGroupOwnerByRef -GroupId",
    "application": "Remove-MgApplicationOwnerByRef -ApplicationId",
    "servicePrincipal": "Remove-MgServicePrincipalOwnerByRef -ServicePrincipalId",
}


_KINDS = {
    "group": say("group"),
    "application": say("application"),
    "servicePrincipal": say("service principal"),
}


def check_owned_objects(facts: TenantFacts) -> Iterator[Finding]:
    """Report owned objects that hold roles or permissions; owning others gives nothing away."""
    for owned in facts.evidence.read("owned_objects"):
        kind, owned_id = text(owned, "@odata.type").rpartition(".")[2], text(owned, "id")
        holds = _why_privileged(kind, owned, facts)
        if not holds:
            continue
        name = text(owned, "displayName") or owned_id
        what = _KINDS.get(kind, data(kind))
        command = _COMMANDS.get(kind, "")
        owner = quote(facts.account.object_id or "")
        yield tenant_finding(
            facts,
            check="ENT-014",
            outcome=FindingOutcome.EXCESS,
            severity=Severity.HIGH,
            entitlement=owned_id,
            scope="owner",
            title=say("The account owns the {what} {name}", what=what, name=name),
            documented=say("the account owns nothing that holds roles or permissions"),
            actual=say("owner of {name}, which {holds}; an owner adds members or credentials", name=name, holds=holds),
            cure=say("Remove the account from the owners."),
            portal=say(
                "{place} > {name} > Owners",
                place=GROUPS if kind == "group" else APPLICATIONS,
                name=name,
            ),
            commands=(f"{command} {quote(owned_id)} -DirectoryObjectId {owner}",) if command else (),
            paths=((facts.account.name, say("owner of {what} {name}", what=what, name=name)),),
            evidence=(EvidenceReference(dataset="owned_objects", record=owned_id),),
        )


def _why_privileged(kind: str, owned: Record, facts: TenantFacts) -> Message:
    if kind == "group":
        return _why_group_is_privileged(owned, facts)
    principals = [text(owned, "id")] if kind == "servicePrincipal" else []
    if kind == "application":
        found = facts.evidence.read("owned_application_principal", text(owned, "appId"))
        principals = [text(principal, "id") for principal in found]
    if any(_has_roles(principal, facts) for principal in principals):
        return say("holds directory roles")
    granted = [facts.evidence.read("owned_app_role_assignments", principal).records for principal in principals]
    return say("holds application permissions") if any(granted) else NOTHING


def _why_group_is_privileged(owned: Record, facts: TenantFacts) -> Message:
    if flag(owned, "isAssignableToRole") is True or _has_roles(text(owned, "id"), facts):
        return say("may hold directory roles")
    members = (read for _, read in facts.evidence.reads_of("role_group_members"))
    if any(_holds(read, "ExternalDirectoryObjectId", owned) for read in members):
        return say("is a member of an Exchange role group")
    # All these groups are members of role groups
    outer = [group for group, read in facts.evidence.reads_of("group_members") if _holds(read, "id", owned)]
    if not outer:
        return NOTHING
    return say("is in the group {group}, a member of an Exchange role group", group=outer[0])


def _holds(read: Read, key: str, owned: Record) -> bool:
    return any(same(text(member, key), text(owned, "id")) for member in read)


def _has_roles(principal_id: str, facts: TenantFacts) -> bool:
    read = facts.evidence.read("role_assignments", principal_id)
    return any(same(text(record, "principalId"), principal_id) for record in read)
