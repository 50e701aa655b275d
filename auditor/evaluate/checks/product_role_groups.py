"""EXO-008, EXO-015, EXO-018 to 020: the product's role groups, who else is in them, and who controls them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.evaluate.checks.exchange_roles import severity_of_role
from auditor.evaluate.checks.tenant_finding import ADMIN_ROLES, GROUPS, tenant_finding
from auditor.evaluate.fields import same, text, texts
from auditor.evaluate.judgement import Claim, Held, NotHeld, Unknown
from auditor.evaluate.listing import and_more, digest_of
from auditor.evaluate.remediation import quote
from auditor.evaluate.tenant.account import is_guid
from auditor.evaluate.tenant.entitlements import is_excess
from auditor.evaluate.tenant.product_role_groups import product_role_groups
from auditor.evaluate.tenant.role_groups import ORGANIZATION_MANAGEMENT
from auditor.model.message import Message, data, joined, say
from auditor.model.outcome import FindingOutcome, Severity
from auditor.model.results import EvidenceReference

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.evaluate.tenant.judge import TenantFacts
    from auditor.evaluate.tenant.product_role_groups import MemberGroup, ProductRoleGroup
    from auditor.evaluate.tenant.role_assignments import RoleAssignment
    from auditor.evaluate.tenant.role_groups import RoleGroupMembership
    from auditor.model.results import Finding, Path

_LISTED = 20  # names shown; the evidence has them all


def check_role_group_state(facts: TenantFacts) -> Iterator[Finding]:
    """EXO-008: what each of the product's role groups is now, so that a later run shows what changed."""
    for product in product_role_groups(facts):
        own = (each for each in facts.exchange.assignments.all if _is_of(each.assignee, product, facts))
        roles = sorted({each.role_name for each in own})
        ids = sorted([*(member for member, _ in product.people), *(group.id for group in product.groups)])
        yield tenant_finding(
            facts,
            check="EXO-008",
            outcome=FindingOutcome.ADVISORY,
            severity=Severity.INFO,
            entitlement=product.group.id,
            scope="state",
            title=say("The role group {name} as it is", name=product.group.name),
            documented=say("a change of the product's role group is deliberate"),
            actual=say(
                "roles: {roles}; members beside the account: {ids}; last changed {instant}",
                roles=", ".join(roles),
                ids=_listed(ids),
                instant=text(product.group.record, "WhenChangedUTC") or say("at a time not stated"),
            ),
            cure=say("Nothing to do. When this differs from the last run, find out who changed it and why."),
            portal=joined(" > ", (ADMIN_ROLES, product.group.name)),
            commands=(f"Get-RoleGroup -Identity {quote(product.group.id)} | Format-List",),
            paths=product.group.claim.paths if isinstance(product.group.claim, Held) else (),
            evidence=("role_groups", _members_of(product)),
        )


def check_managed_role_groups(facts: TenantFacts) -> Iterator[Finding]:
    """EXO-015: role groups that the account may add members to; through Organization Management EXO-010 tells it."""
    for group in facts.exchange.role_groups.all:
        claims = [_manages(manager, facts) for manager in texts(group.record, "ManagedBy")]
        paths = [path for claim in claims if isinstance(claim, Held) for path in claim.paths]
        unknown = dict.fromkeys(claim.reason for claim in claims if isinstance(claim, Unknown))
        if paths:
            yield _managed(facts, group, FindingOutcome.EXCESS, paths, say("manager of the role group"))
        elif unknown:
            yield _managed(facts, group, FindingOutcome.UNVERIFIABLE, (), joined("; ", unknown))


def _manages(manager: str, facts: TenantFacts) -> Claim:
    """Say whether a manager is the account or contains it: by id, or by a name that only one of them can bear.

    Exchange tells managers as names; the name of a user has been the object id since November 2022.
    """
    name, role_group = manager.casefold(), facts.exchange.role_groups.find(manager)
    is_account = name in facts.account.aliases
    if is_account and (is_guid(manager) or role_group is None):
        return Held(((facts.account.name,),))
    if is_account:
        return Unknown(say("the manager {name} is the account or the role group of that name", name=manager))
    if role_group is not None:  # what is not known of it is told once, by EXO-011
        is_told = role_group.name == ORGANIZATION_MANAGEMENT or not isinstance(role_group.claim, Held)
        return NotHeld() if is_told else role_group.claim
    if name in facts.account.display_names:
        return Unknown(say("a manager bears the account's display name, which is no identity"))
    return _contains_the_account(manager, facts)


def _contains_the_account(manager: str, facts: TenantFacts) -> Claim:
    for group in facts.evidence.read("transitive_member_of"):
        if text(group, "@odata.type").endswith(("directoryRole", "administrativeUnit")):
            continue
        if same(text(group, "id"), manager):
            step = say("group {name}", name=text(group, "displayName") or manager)
            return Held(((facts.account.name, step),))
        if any(same(text(group, each), manager) for each in ("displayName", "mailNickname")):
            return Unknown(
                say("the account is in a group named {name}; whether that is the manager is not known", name=manager)
            )
    return NotHeld()


def _managed(
    facts: TenantFacts, group: RoleGroupMembership, outcome: FindingOutcome, paths: Sequence[Path], actual: Message
) -> Finding:
    return tenant_finding(
        facts,
        check="EXO-015",
        outcome=outcome,
        severity=Severity.HIGH if outcome is FindingOutcome.EXCESS else Severity.MEDIUM,
        entitlement=group.id,
        scope="manager",
        title=say("The account may change the members of the role group {name}", name=group.name),
        documented=say("the account is a member of its role group, not its manager"),
        actual=actual,
        cure=say("Replace the account as manager of the role group by an administrator."),
        portal=joined(" > ", (ADMIN_ROLES, group.name)),
        commands=(f"Set-RoleGroup -Identity {quote(group.id)} -ManagedBy {quote(ORGANIZATION_MANAGEMENT)}",),
        paths=[(*path, say("manager of role group {name}", name=group.name)) for path in paths],
        evidence=("role_groups",),
    )


def check_other_members(facts: TenantFacts) -> Iterator[Finding]:
    """EXO-018: members of the product's role group beside the account and those the profile expects."""
    expected = {each.casefold() for each in facts.profile.rules.expected_role_group_members}
    for product in product_role_groups(facts):
        people = [name for member, name in product.people if member.casefold() not in expected]
        groups = [words for group in product.groups if (words := _others_in(group, expected))]
        unread = [group for group in product.groups if not group.is_read]
        if not people and not groups and not unread:
            continue
        name, is_proven = product.group.name, bool(people or groups)
        yield tenant_finding(
            facts,
            check="EXO-018",
            outcome=FindingOutcome.EXCESS if is_proven else FindingOutcome.UNVERIFIABLE,
            severity=Severity.MEDIUM,
            entitlement=product.group.id,
            scope="members",
            title=say("The role group {name} has other members", name=name)
            if is_proven
            else say("Whether the role group {name} has other members is open", name=name),
            documented=say("the role group is the service account's"),
            actual=_listed(
                [
                    *people,
                    *groups,
                    *(say("not all read: members of the group {name}", name=each.name) for each in unread),
                ]
            ),
            cure=say(
                "Remove the members that are not the service account, or list the object ids of break-glass accounts "
                "in the profile (rules: expected_role_group_members).",
            ),
            portal=say("{admin_roles} > {name} > Assigned", admin_roles=ADMIN_ROLES, name=name),
            commands=[
                f"Remove-RoleGroupMember -Identity {quote(name)} -Member {quote(member)}"
                for member, _ in product.people[:_LISTED]
                if member.casefold() not in expected
            ],
            evidence=(
                "role_groups",
                _members_of(product),
                *(EvidenceReference(dataset="group_members", record=each.id) for each in unread),
            ),
        )


def _others_in(group: MemberGroup, expected: set[str]) -> str:
    others = [person for person in group.others if person.casefold() not in expected]
    if not others:
        return ""
    digest = digest_of(others)
    return say("{count} in the group {name} (digest {digest})", count=len(others), name=group.name, digest=digest)


def check_other_roles(facts: TenantFacts) -> Iterator[Finding]:
    """EXO-019: roles of the product's role group that are not documented, also those not in force."""
    for product in product_role_groups(facts):
        further = [
            each
            for each in facts.exchange.assignments.all
            if _is_of(each.assignee, product, facts)
            and each.role is not None
            and is_excess(each.role, facts)
            and not each.uncertain
        ]
        if not further:
            continue
        yield tenant_finding(
            facts,
            check="EXO-019",
            outcome=FindingOutcome.EXCESS,
            severity=_only_as_urgent_as(further),
            entitlement=product.group.id,
            scope="roles",
            title=say("The role group {name} carries other roles", name=product.group.name),
            documented=data(", ".join(need.name for need in facts.documented_exchange_roles)),
            actual=data(", ".join(sorted({each.role_name for each in further}))),
            cure=say("Remove the assignments the product does not need."),
            portal=say("{admin_roles} > {name} > Permissions", admin_roles=ADMIN_ROLES, name=product.group.name),
            commands=[f"Remove-ManagementRoleAssignment -Identity {quote(each.name)}" for each in further],
            evidence=("role_groups", "management_role_assignments"),
        )


def _only_as_urgent_as(assignments: Sequence[RoleAssignment]) -> Severity:
    """Return medium, or low when nothing but viewing is at stake; EXO-011 tells what is in force."""
    found = {severity_of_role(each.role.role_type) for each in assignments if each.role is not None}
    return Severity.LOW if found == {Severity.LOW} else Severity.MEDIUM


def check_member_groups(facts: TenantFacts) -> Iterator[Finding]:
    """EXO-020: groups in the product's role group, who is in them, and who may add to them."""
    for product in product_role_groups(facts):
        for group in product.groups:
            owners = _listed([name for _, name in group.owners]) if group.owners else say("nobody listed")
            count = say(
                "{count} members beside the account" if group.is_read else "members not all read",
                count=len(group.others),
            )
            yield tenant_finding(
                facts,
                check="EXO-020",
                outcome=FindingOutcome.ADVISORY,
                severity=Severity.LOW,
                entitlement=f"{product.group.id} {group.id}",
                scope=say("member group"),
                title=say(
                    "The role group {name} contains the group {group_name}",
                    name=product.group.name,
                    group_name=group.name,
                ),
                documented=say("the service account is assigned to the role group"),
                actual=say("{count}; owners, who may add members: {owners}", count=count, owners=owners),
                cure=say(
                    "Make the account itself the member of the role group, or review the group like the role group.",
                ),
                portal=say("{groups} > {name} > Owners", groups=GROUPS, name=group.name),
                commands=(
                    f"Get-MgGroupTransitiveMember -GroupId {quote(group.id)} -All",
                    f"Get-MgGroupOwner -GroupId {quote(group.id)}",
                ),
                evidence=(
                    _members_of(product),
                    EvidenceReference(dataset="group_members", record=group.id),
                    EvidenceReference(dataset="group_owners", record=group.id),
                ),
            )


def _is_of(assignee: str, product: ProductRoleGroup, facts: TenantFacts) -> bool:
    group = facts.exchange.role_groups.find(assignee)
    return group is not None and group.id == product.group.id


def _members_of(product: ProductRoleGroup) -> EvidenceReference:
    return EvidenceReference(dataset="role_group_members", record=product.group.id)


def _listed(names: Sequence[str]) -> Message:
    further = and_more(names, _LISTED)
    return joined("", (joined(", ", names[:_LISTED]) if names else say("none"), further))
