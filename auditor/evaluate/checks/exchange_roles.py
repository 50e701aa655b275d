"""EXO-003 (operability), EXO-005, EXO-010 to 014, EXO-016: Exchange roles beyond or beside the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.evaluate.fields import same
from auditor.evaluate.findings import make_finding
from auditor.evaluate.judgement import Held, Unknown
from auditor.evaluate.remediation import quote
from auditor.evaluate.tenant.entitlements import (
    delegating_assignments,
    excess_role_assignments,
    open_role_assignments,
    paths_of,
)
from auditor.evaluate.tenant.exchange_roles import judge_exchange_role, judge_role_group
from auditor.evaluate.tenant.role_groups import (
    BUILT_IN_COLLECTIONS,
    ORGANIZATION_MANAGEMENT,
    RECIPIENT_MANAGEMENT,
)
from auditor.matrix.exchange_defaults import EXCHANGE_DEFAULTS
from auditor.matrix.profile import EntraRole, ExchangeRole
from auditor.model.connection import ConnectionKind
from auditor.model.message import Message, data, say
from auditor.model.outcome import FindingOutcome, Outcome, Severity
from auditor.model.results import EvidenceReference, Remediation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.evaluate.tenant.judge import TenantFacts
    from auditor.evaluate.tenant.role_assignments import RoleAssignment
    from auditor.model.results import Finding, Path

_ASSIGNMENTS = EvidenceReference(dataset="management_role_assignments")
_ROLE_GROUPS = EvidenceReference(dataset="role_groups")
_HIGH = frozenset(each.casefold() for each in EXCHANGE_DEFAULTS.far_reaching_role_types)
_MAIL_RECIPIENTS = ExchangeRole(type="exchange_role", name="Mail Recipients", role_type="MailRecipients")


def check_built_in_role_groups(facts: TenantFacts) -> Iterator[Finding]:
    """EXO-010 and EXO-012: Organization Management, Recipient Management (rule A10)."""
    for group in facts.exchange.role_groups.all:
        if group.name not in BUILT_IN_COLLECTIONS or not isinstance(group.claim, Held):
            continue
        is_organization = group.name == ORGANIZATION_MANAGEMENT
        member = facts.account.object_id or facts.account.name
        yield _finding(
            facts,
            check="EXO-010" if is_organization else "EXO-012",
            severity=Severity.CRITICAL if is_organization else Severity.MEDIUM,
            entitlement=group.id,
            title=say("The account is in {name}", name=group.name),
            actual=say("member of {name}", name=group.name),
            paths=group.claim.paths,
            cure=say(
                "Put the account into a role group of the documented roles, then remove it from {name}.",
                name=group.name,
            ),
            commands=(f"Remove-RoleGroupMember -Identity {quote(group.name)} -Member {quote(member)}",),
        )


def check_excess_roles(facts: TenantFacts) -> Iterator[Finding]:
    """EXO-011: every other effective role, once; those that only come with a built-in role group are told there."""
    by_role: dict[str, list[RoleAssignment]] = {}
    for assignment in excess_role_assignments(facts):
        if not _is_told_by_its_group(assignment, facts):
            by_role.setdefault(assignment.role_name, []).append(assignment)
    for name, assignments in sorted(by_role.items()):
        role = assignments[0].role
        yield _finding(
            facts,
            check="EXO-013" if role and same(role.role_type, "ApplicationImpersonation") else "EXO-011",
            severity=severity_of_role(role.role_type if role else name),
            entitlement=role.id if role else name,
            title=say("Exchange role {name} is not in the matrix", name=name),
            actual=say("{name} through {assignee}", name=name, assignee=assignments[0].assignee),
            paths=[path for assignment in assignments for path in paths_of(assignment)],
            cure=say("Remove {name} if the product does not need it.", name=name),
            commands=tuple(
                f"Remove-ManagementRoleAssignment -Identity {quote(assignment.name)}" for assignment in assignments
            ),
        )


def _is_told_by_its_group(assignment: RoleAssignment, facts: TenantFacts) -> bool:
    """Tell whether EXO-010 or EXO-012 reports the role: it comes with the built-in role group by default."""
    group = facts.exchange.role_groups.find(assignment.assignee)
    if group is None or not isinstance(group.claim, Held):
        return False
    if group.name == ORGANIZATION_MANAGEMENT:
        return True
    built_in = EXCHANGE_DEFAULTS.role_group(RECIPIENT_MANAGEMENT)
    return group.name == RECIPIENT_MANAGEMENT and built_in is not None and assignment.role_name in built_in.roles


def check_open_questions(facts: TenantFacts) -> Iterator[Finding]:
    """EXO-011, unverifiable: role groups and assignments of which it is not known whether they reach the account.

    Where a read failed, that read is reported, not everything that hangs on it.
    """
    for group in facts.exchange.role_groups.all:
        if isinstance(group.claim, Unknown) and not _rests_on_a_gap(group.claim, facts):
            yield _finding(
                facts,
                check="EXO-011",
                severity=Severity.MEDIUM,
                entitlement=f"role group {group.id}",
                outcome=FindingOutcome.UNVERIFIABLE,
                title=say("Whether the account is in the role group {name} is open", name=group.name),
                actual=group.claim.reason,
                paths=(),
                cure=say("Mend what keeps the members from being matched, then run again."),
            )
    for assignment in open_role_assignments(facts):
        is_of_listed_group = facts.exchange.role_groups.find(assignment.assignee) is not None
        if isinstance(assignment.claim, Unknown) and (is_of_listed_group or _rests_on_a_gap(assignment.claim, facts)):
            continue  # told by the role group, or by the read
        reason = assignment.claim.reason if isinstance(assignment.claim, Unknown) else assignment.uncertain
        yield _finding(
            facts,
            check="EXO-011",
            severity=Severity.MEDIUM,
            entitlement=f"assignment {assignment.name}",
            outcome=FindingOutcome.UNVERIFIABLE,
            title=say("Whether the account holds {role_name} is open", role_name=assignment.role_name),
            actual=reason or say("the type of the role {role_name} could not be read", role_name=assignment.role_name),
            paths=paths_of(assignment),
            cure=say("Make the role and its assignee readable, then run again."),
        )


def severity_of_role(role_type: str) -> Severity:
    """Return how urgent an undocumented role is, by its RoleType."""
    plain = role_type.replace(" ", "").casefold()
    if plain in _HIGH:
        return Severity.HIGH
    return Severity.LOW if plain.startswith(("viewonly", "view-only")) else Severity.MEDIUM


def check_delegating_assignments(facts: TenantFacts) -> Iterator[Finding]:
    """EXO-014: roles the account may grant; those of Organization Management are told by EXO-010."""
    for assignment in delegating_assignments(facts):
        if _is_told_by_its_group(assignment, facts):
            continue
        yield _finding(
            facts,
            check="EXO-014",
            severity=Severity.HIGH,
            entitlement=assignment.name,
            title=say("The account may grant the role {role_name} to others", role_name=assignment.role_name),
            actual=say("delegating assignment {name}", name=assignment.name),
            paths=paths_of(assignment),
            cure=say("Remove the delegating assignment; a provisioning account grants no roles."),
            commands=(f"Remove-ManagementRoleAssignment -Identity {quote(assignment.name)}",),
        )


def _rests_on_a_gap(claim: Unknown, facts: TenantFacts) -> bool:
    return any(facts.evidence.read(item.dataset, item.record).gap is not None for item in claim.evidence)


def check_direct_assignments(facts: TenantFacts) -> Iterator[Finding]:
    """EXO-016: documented roles assigned to the account itself."""
    direct = [
        assignment
        for need in facts.documented_exchange_roles
        for assignment in facts.exchange.of_type(need.role_type)
        if assignment.is_effective and assignment.is_of_account
    ]
    if direct:
        yield _finding(
            facts,
            check="EXO-016",
            severity=Severity.LOW,
            entitlement="direct assignments",
            outcome=FindingOutcome.ADVISORY,
            title=say("Documented roles are assigned to the account itself"),
            actual=data(", ".join(sorted(assignment.role_name for assignment in direct))),
            paths=[path for assignment in direct for path in paths_of(assignment)],
            cure=say("Give the roles through a role group."),
        )


def check_single_role_group(facts: TenantFacts) -> Iterator[Finding]:
    """EXO-005: the roles come from several role groups (rule A9)."""
    if not facts.documented_exchange_roles:
        return
    judgement = judge_role_group(facts.documented_exchange_roles, facts.account, facts.exchange)
    if judgement.outcome is Outcome.SATISFIED and judgement.how == "union":
        yield _finding(
            facts,
            check="EXO-005",
            severity=Severity.LOW,
            entitlement="single role group",
            outcome=FindingOutcome.ADVISORY,
            title=say("The documented roles come from several role groups"),
            actual=judgement.reason,
            paths=judgement.paths,
            cure=say("Create one role group with the documented roles and make the account a member of it alone."),
        )


def check_shared_mailbox_operability(facts: TenantFacts) -> Iterator[Finding]:
    """EXO-003 as advice: User Administrator cannot manage shared mailboxes, Mail Recipients can (rule A4)."""
    rests_on_entra = any(
        isinstance(requirement.needs, EntraRole)
        for requirement in facts.profile.of_kind(ConnectionKind.EXCHANGE_ONLINE)
    )
    if (
        not rests_on_entra
        or judge_exchange_role(_MAIL_RECIPIENTS, facts.account, facts.exchange).outcome is not Outcome.MISSING
    ):
        return
    yield _finding(
        facts,
        check="EXO-003",
        severity=Severity.MEDIUM,
        entitlement="shared mailbox operability",
        outcome=FindingOutcome.ADVISORY,
        title=say("Shared mailboxes will not work with User Administrator alone"),
        actual=say(
            "Microsoft documents that User Administrator cannot manage shared mailboxes; Mail Recipients is not held",
        ),
        cure=say("Give the account Mail Recipients through its role group."),
        paths=(),
    )


def _finding(  # noqa: PLR0913 - one keyword per fact of the finding
    facts: TenantFacts,
    *,
    check: str,
    severity: Severity,
    entitlement: str,
    title: Message,
    actual: Message,
    cure: Message,
    paths: Sequence[Path],
    outcome: FindingOutcome = FindingOutcome.EXCESS,
    commands: tuple[str, ...] = (),
) -> Finding:
    names = ", ".join(need.name for need in facts.documented_exchange_roles)
    return make_finding(
        check=check,
        connection=facts.connection.id,
        outcome=outcome,
        severity=severity,
        principal=facts.account.object_id or facts.account.name,
        entitlement=entitlement,
        scope="organization",
        title=title,
        documented=say("Exchange roles {names}, from one role group", names=names),
        actual=actual,
        paths=tuple(dict.fromkeys(paths)),
        evidence=(_ROLE_GROUPS, _ASSIGNMENTS),
        remediation=Remediation(text=cure, commands=commands),
    )
