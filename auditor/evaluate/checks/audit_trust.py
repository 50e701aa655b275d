"""META-002 to 004 and META-007: whether the audit itself can be trusted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from auditor.evaluate.checks.tenant_finding import ADMIN_ROLES, APPLICATIONS, DIRECTORY_ROLES, tenant_finding
from auditor.evaluate.fields import same, text, texts
from auditor.evaluate.judgement import Held, NotHeld
from auditor.evaluate.tenant.built_in_roles import (
    BUILT_IN_ROLE_NAMES,
    DIRECTORY_READERS,
    GLOBAL_READER,
    SECURITY_READER,
)
from auditor.model.message import Message, data, joined, say
from auditor.model.outcome import FindingOutcome, Severity
from auditor.model.results import EvidenceReference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.evaluate.tenant.judge import TenantFacts
    from auditor.evaluate.tenant.role_assignments import RoleAssignment
    from auditor.model.results import Finding

_OF_ACCOUNT = "management_role_assignments_of_account"
_TOLERATED_S = 300
_READS = re.compile(r"(^|\.)Read(Basic)?(\.|$)")
_NEEDED_TO_READ = frozenset({"Exchange.ManageAsApp", "Exchange.Manage", "openid", "profile", "email", "offline_access"})
# Claims that every token carries in place of a role (the default roles of users and of applications).
_NO_ROLES = frozenset({"b79fbf4d-3ef9-4689-8143-76b194e85509", "0997a1d0-0d1d-4acb-b408-d5ca73121e90"})
_READING_ROLES = frozenset({GLOBAL_READER, SECURITY_READER, DIRECTORY_READERS})


def check_witnesses(facts: TenantFacts) -> Iterator[Finding]:
    """META-002: what the members of role groups say against what Exchange and Entra say themselves."""
    for assignment in facts.exchange.assignments.all:
        words = _disagreement(assignment, facts)
        if words is None:
            continue
        yield tenant_finding(
            facts,
            check="META-002",
            outcome=FindingOutcome.UNVERIFIABLE,
            severity=Severity.MEDIUM,
            entitlement=assignment.name,
            scope=say("role assignment"),
            title=say("Two witnesses disagree about {role_name}", role_name=assignment.role_name),
            documented=say("both ways to read the account's roles agree"),
            actual=words,
            cure=say("Wait for a recent change to reach all of Exchange Online, then run again."),
            portal=ADMIN_ROLES,
            commands=("Get-ManagementRoleAssignment -RoleAssignee ... -GetEffectiveUsers",),
            evidence=(EvidenceReference(dataset=_OF_ACCOUNT), "role_group_members"),
        )
    for role in {(each.template_id, each.scope): each for each in facts.entra_roles.contradicted}.values():
        yield tenant_finding(
            facts,
            check="META-002",
            outcome=FindingOutcome.UNVERIFIABLE,
            severity=Severity.MEDIUM,
            entitlement=role.template_id,
            scope=role.scope,
            title=say("Two witnesses disagree about the directory role {name}", name=role.name),
            documented=say("both ways to read the account's roles agree"),
            actual=say(
                "listed among memberships or schedules, and not among the role assignments, which were all read",
            ),
            cure=say("Wait for a recent change to reach all of Entra ID, then run again."),
            portal=joined(" > ", (DIRECTORY_ROLES, role.name)),
            paths=(role.path,),
            evidence=("role_assignments", "role_assignment_instances", "transitive_member_of"),
        )


def _disagreement(assignment: RoleAssignment, facts: TenantFacts) -> Message | None:
    """Say how two witnesses disagree; whether Exchange's own answer sees through groups of Entra is not documented."""
    group = facts.exchange.role_groups.find(assignment.assignee) if assignment.is_of_role_group else None
    if group is None or assignment.is_told_by_exchange is None:
        return None
    if assignment.is_told_by_exchange and isinstance(group.claim, NotHeld):
        return say(
            "{name}: listed for the account, which is not among the members of {group_name}",
            name=assignment.name,
            group_name=group.name,
        )
    if assignment.is_told_by_exchange or not isinstance(group.claim, Held):
        return None
    steps = [step for path in group.claim.paths for step in path]
    if any(step.startswith(("group ", "Entra role ")) for step in steps):
        return None
    return say(
        "{name}: not listed for the account, which is a member of {group_name}",
        name=assignment.name,
        group_name=group.name,
    )


def check_auditing_identity(facts: TenantFacts) -> Iterator[Finding]:
    """META-003: the auditing identity only reads, and is not what it audits."""
    for service, read in facts.evidence.reads_of("auditing_identity"):
        for claims in read:
            permissions = (*texts(claims, "roles"), *text(claims, "scp").split())
            problems = _rights_beyond_reading(permissions, texts(claims, "wids"))
            if same(text(claims, "oid"), facts.account.object_id or ""):
                problems.append(say("it is the audited account: a self-assessment"))
            if same(text(claims, "appid"), facts.connection.vendor_app_id or ""):
                problems.append(say("it is the vendor's application, which is audited here"))
            problems += _role_groups_of(text(claims, "oid"), facts)
            if problems:
                yield _identity_finding(facts, service, problems)


def _rights_beyond_reading(permissions: tuple[str, ...], directory_roles: tuple[str, ...]) -> list[Message]:
    further = [each for each in permissions if each not in _NEEDED_TO_READ and not _READS.search(each)]
    held = {each.casefold() for each in directory_roles} - _NO_ROLES - _READING_ROLES
    return [
        *(say("it holds {permission}", permission=permission) for permission in further),
        *(
            say("it is {role}", role=BUILT_IN_ROLE_NAMES[role])
            if role in BUILT_IN_ROLE_NAMES
            else say("it is holder of the directory role {role}", role=role)
            for role in sorted(held)
        ),
    ]


def _role_groups_of(auditor_id: str, facts: TenantFacts) -> list[Message]:
    found = []
    for group in facts.exchange.role_groups.all:
        is_member = any(
            same(text(member, "ExternalDirectoryObjectId"), auditor_id)
            for member in facts.evidence.read("role_group_members", group.id)
        )
        writing = [role for role in texts(group.record, "Roles") if not role.startswith("View-Only")]
        if is_member and writing:
            found.append(
                say(
                    "it is in the role group {name} with {writing}",
                    name=group.name,
                    writing=", ".join(writing),
                )
            )
    return found


def _identity_finding(facts: TenantFacts, service: str, problems: list[Message]) -> Finding:
    return tenant_finding(
        facts,
        check="META-003",
        outcome=FindingOutcome.ADVISORY,
        severity=Severity.MEDIUM,
        entitlement="auditing identity",
        scope=service,
        title=say("The auditing identity can do more than read, or audits itself"),
        documented=say("an identity of its own that only reads"),
        actual=joined("; ", problems),
        cure=say("Use an application of its own with the permissions that the documentation lists, and no others."),
        portal=say("{applications} > the auditing application > Permissions", applications=APPLICATIONS),
        evidence=(EvidenceReference(dataset="auditing_identity", record=service),),
    )


def check_only_reads_were_sent(facts: TenantFacts) -> Iterator[Finding]:
    """META-004: every query in the evidence is a read; the transport refuses all others before they are sent."""
    for source in facts.evidence.sources:
        method, cmdlet = str(source.query.get("method", "GET")), str(source.query.get("cmdlet", "Get-"))
        if method != "GET" or not cmdlet.startswith("Get-"):
            yield tenant_finding(
                facts,
                check="META-004",
                outcome=FindingOutcome.UNVERIFIABLE,
                severity=Severity.HIGH,
                entitlement=source.dataset,
                scope=source.subject,
                title=say("The evidence records a request that is no read: {dataset}", dataset=source.dataset),
                documented=say("the tool only reads"),
                actual=data(f"{method} {cmdlet}"),
                cure=say("Do not use this evidence; find out how it came about."),
                portal=say("none"),
                evidence=(source.dataset,),
            )


def check_clocks(facts: TenantFacts) -> Iterator[Finding]:
    """META-007: the services' clocks and this machine's differ by no more than five minutes."""
    for service, read in facts.evidence.reads_of("service_clock"):
        for record in read:
            ahead_s = record.get("ahead_s")
            if isinstance(ahead_s, int) and abs(ahead_s) > _TOLERATED_S:
                yield tenant_finding(
                    facts,
                    check="META-007",
                    outcome=FindingOutcome.ADVISORY,
                    severity=Severity.LOW,
                    entitlement="clock",
                    scope=service,
                    title=say("The clock of the auditing machine is wrong, or the service's"),
                    documented=say("clocks differ by no more than five minutes"),
                    # By how much is in the evidence: it differs a little each time, and nothing changed by that
                    actual=say(
                        "{service} is more than five minutes ahead"
                        if ahead_s > 0
                        else "{service} is more than five minutes behind",
                        service=service,
                    ),
                    cure=say("Synchronise the machine's clock; ends and ages in this report are judged by it."),
                    portal=say("none"),
                    evidence=(EvidenceReference(dataset="service_clock", record=service),),
                )
