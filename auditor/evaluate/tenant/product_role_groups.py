"""The role groups that are the product's: who else is in them, and through what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.evaluate.fields import same, text
from auditor.evaluate.judgement import Held
from auditor.evaluate.tenant.entitlements import documented_assignments
from auditor.matrix.exchange_defaults import EXCHANGE_DEFAULTS

if TYPE_CHECKING:
    from auditor.evaluate.tenant.judge import TenantFacts
    from auditor.evaluate.tenant.role_groups import RoleGroupMembership
    from auditor.model.evidence import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberGroup:
    """A group of Entra ID in a role group; `others` are the ids of its members besides the account."""

    id: str
    name: str
    others: tuple[str, ...]
    owners: tuple[tuple[str, str], ...]
    is_read: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductRoleGroup:
    """A role group that gives the account a documented role and does not come with Exchange.

    `people` are the members besides the account, as (id, name), those of nested role groups included.
    """

    group: RoleGroupMembership
    people: tuple[tuple[str, str], ...]
    groups: tuple[MemberGroup, ...]


def product_role_groups(facts: TenantFacts) -> tuple[ProductRoleGroup, ...]:
    """Return the product's role groups, in the order of the evidence."""
    giving = {
        group.id
        for assignment in documented_assignments(facts)
        if assignment.is_of_role_group and (group := facts.exchange.role_groups.find(assignment.assignee)) is not None
    }
    return tuple(
        _expand(group, facts)
        for group in facts.exchange.role_groups.all
        if group.id in giving and isinstance(group.claim, Held) and EXCHANGE_DEFAULTS.role_group(group.name) is None
    )


def _expand(group: RoleGroupMembership, facts: TenantFacts) -> ProductRoleGroup:
    people: dict[str, str] = {}
    groups: dict[str, MemberGroup] = {}
    pending, seen = [group], {group.id}
    while pending:
        for member in facts.evidence.read("role_group_members", pending.pop().id):
            nested = facts.exchange.role_groups.find_member(member)
            member_id = text(member, "ExternalDirectoryObjectId") or text(member, "ExchangeObjectId")
            if nested is not None:
                if nested.id not in seen:
                    seen.add(nested.id)
                    pending.append(nested)
            elif _is_group(member):
                groups[member_id] = _member_group(member_id, member, facts)
            elif not same(member_id, facts.account.object_id or ""):
                people[member_id or text(member, "Name")] = text(member, "DisplayName") or text(member, "Name")
    return ProductRoleGroup(group=group, people=tuple(sorted(people.items())), groups=tuple(groups.values()))


def _is_group(member: Record) -> bool:
    return "group" in (text(member, "RecipientTypeDetails") or text(member, "RecipientType")).casefold()


def _member_group(group_id: str, member: Record, facts: TenantFacts) -> MemberGroup:
    read, account = facts.evidence.read("group_members", group_id), facts.account.object_id or ""
    return MemberGroup(
        id=group_id,
        name=text(member, "DisplayName") or text(member, "Name") or group_id,
        others=tuple(
            text(each, "id")
            for each in read  # through any nesting: the groups in between are nobody
            if not same(text(each, "id"), account) and not text(each, "@odata.type").endswith(".group")
        ),
        owners=owners_of(group_id, facts),
        is_read=read.gap is None,
    )


def owners_of(group_id: str, facts: TenantFacts) -> tuple[tuple[str, str], ...]:
    """Return the owners of a group as (id, name): they may add members."""
    return tuple((text(each, "id"), _name(each)) for each in facts.evidence.read("group_owners", group_id))


def _name(person: Record) -> str:
    return text(person, "userPrincipalName") or text(person, "displayName") or text(person, "id")
