"""Accounts and applications that hold documented Exchange roles, or consented to the vendor's application."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from auditor.evaluate.fields import flag, same, text
from auditor.evaluate.holders import Holder, Holders
from auditor.evaluate.judgement import describe_gap
from auditor.evaluate.tenant.management_roles import read_management_roles
from auditor.evaluate.tenant.role_groups import role_group_id
from auditor.matrix.exchange_defaults import EXCHANGE_DEFAULTS

if TYPE_CHECKING:

    from auditor.model.connection import ExchangeOnlineConnection
    from auditor.model.evidence import Evidence, Record

_DATASETS = frozenset({
    "assignee",
    "group_members",
    "management_role_assignments",
    "management_roles",
    "role_group_members",
    "role_groups",
    "vendor_consent_grants",
    "vendor_service_principal",
})


def role_holders_in(evidence: Evidence, connection: ExchangeOnlineConnection) -> Holders:
    """Return who holds a documented role, directly or through role groups, and in whose name the vendor may act."""
    gathering = _Gathering(evidence=evidence, connection=connection)
    gathering.follow_assignments()
    gathering.follow_consents()
    gaps = (source.gap for source in evidence.sources if source.dataset in _DATASETS and source.gap is not None)
    unread = [describe_gap(gap) for gap in gaps] + gathering.not_followed
    own = frozenset(text(record, "id") for record in evidence.read("user"))
    return Holders(found=gathering.holders(own), unread=tuple(dict.fromkeys(unread)), audited=own)


@dataclass(slots=True, kw_only=True)
class _Found:
    account: str
    name: str
    is_application: bool
    holds: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class _Gathering:
    """Walks from role assignments to people. Names are those of Exchange; ids tell people apart."""

    evidence: Evidence
    connection: ExchangeOnlineConnection
    not_followed: list[str] = field(default_factory=list)
    _found: dict[str, _Found] = field(default_factory=dict)

    def holders(self, own: frozenset[str]) -> tuple[Holder, ...]:
        audited = {self.connection.service_account.casefold(), *(each.casefold() for each in own)}
        return tuple(
            Holder(
                connection=self.connection,
                account=each.account,
                id=object_id,
                name=each.name,
                is_application=each.is_application,
                units=(),
                holds=tuple(dict.fromkeys(each.holds)),
            )
            for object_id, each in sorted(self._found.items())
            if object_id.casefold() not in audited and each.account.casefold() not in audited
        )

    def follow_assignments(self) -> None:
        roles = read_management_roles(self.evidence)
        by_group: dict[str, list[str]] = {}
        for row in self.evidence.read("management_role_assignments"):
            role = roles.find(text(row, "Role"))
            is_regular = same(text(row, "RoleAssignmentDelegationType"), "Regular")
            if role is None or not EXCHANGE_DEFAULTS.is_compared(role.role_type):
                continue
            if not is_regular or flag(row, "Enabled") is False:
                continue
            assignee = text(row, "RoleAssigneeName") or text(row, "RoleAssignee")
            if "rolegroup" in text(row, "RoleAssigneeType").casefold():
                by_group.setdefault(assignee.casefold(), []).append(role.name)
            else:
                self._note_direct(assignee, text(row, "RoleAssigneeType"), role.name)
        for record in self.evidence.read("role_groups"):
            held = by_group.get(text(record, "Name").casefold())
            if held is not None:
                self._follow_role_group(record, ", ".join(sorted(set(held))), (text(record, "Name"),), frozenset())

    def _note_direct(self, assignee: str, kind: str, role: str) -> None:
        """A name alone is no identity: an assignee that Exchange did not resolve is shown as it is."""
        users = tuple(self.evidence.read("assignee", assignee))
        if len(users) == 1:
            self._note(_of_exchange(users[0]), f"{role}, assigned directly")
        elif kind.casefold() in {"user", "serviceprincipal", "securitygroup"}:
            self.not_followed.append(f"{role} is assigned directly to {assignee} ({kind}): look it up by that name")

    def _follow_role_group(self, group: Record, roles: str, path: tuple[str, ...], seen: frozenset[str]) -> None:
        identity = role_group_id(group)
        if identity in seen:
            return
        for member in self.evidence.read("role_group_members", identity):
            nested = self._nested(member)
            if nested is not None:
                self._follow_role_group(nested, roles, (*path, text(nested, "Name")), seen | {identity})
            elif _is_group(member):
                self._follow_group(member, roles, path)
            else:
                self._note(_of_exchange(member), f"{roles}, through {' > '.join(path)}")

    def _nested(self, member: Record) -> Record | None:
        if not same(text(member, "RecipientTypeDetails"), "RoleGroup"):
            return None
        keys = {text(member, name).casefold() for name in ("ExchangeObjectId", "Guid", "Name") if text(member, name)}
        for group in self.evidence.read("role_groups"):
            if {role_group_id(group).casefold(), text(group, "Name").casefold()} & keys:
                return group
        return None

    def _follow_group(self, member: Record, roles: str, path: tuple[str, ...]) -> None:
        group_id, name = text(member, "ExternalDirectoryObjectId"), text(member, "DisplayName") or text(member, "Name")
        read = self.evidence.read("group_members", group_id)
        if read.gap is not None:
            self.not_followed.append(f"who is in {name} could not be read: {describe_gap(read.gap)}")
        for each in read:
            if text(each, "@odata.type").rpartition(".")[2] != "group":
                self._note(_of_graph(each), f"{roles}, through {' > '.join((*path, name))}")

    def follow_consents(self) -> None:
        for grant in self.evidence.read("vendor_consent_grants"):
            scopes = ", ".join(text(grant, "scope").split())
            principal = text(grant, "principalId")
            if principal:
                known = self._found.get(principal)
                account = _Found(account=principal, name=principal, is_application=False) if known is None else known
                self._note((principal, account), f"the vendor's application may act in its name: {scopes}")

    def _note(self, person: tuple[str, _Found], holds: str) -> None:
        object_id, found = person
        self._found.setdefault(object_id, found).holds.append(holds)


def _is_group(member: Record) -> bool:
    return "group" in (text(member, "RecipientTypeDetails") or text(member, "RecipientType")).casefold()


def _of_exchange(member: Record) -> tuple[str, _Found]:
    object_id = text(member, "ExternalDirectoryObjectId") or text(member, "ExchangeObjectId") or text(member, "Name")
    kind = text(member, "RecipientTypeDetails") or text(member, "RecipientType")
    upn = next((name for name in (text(member, "WindowsLiveID"), text(member, "UserPrincipalName")) if "@" in name), "")
    name = text(member, "DisplayName") or text(member, "Name")
    return object_id, _Found(
        account=upn or object_id, name=name, is_application="serviceprincipal" in kind.casefold()
    )


def _of_graph(member: Record) -> tuple[str, _Found]:
    object_id = text(member, "id")
    return object_id, _Found(
        account=text(member, "userPrincipalName") or object_id,
        name=text(member, "displayName") or object_id,
        is_application=text(member, "@odata.type").endswith("servicePrincipal"),
    )


