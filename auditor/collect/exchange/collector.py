"""The reads of one account in Exchange Online: one method per dataset, begun as soon as it can be asked."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import quote

from auditor.collect.https.answers import object_id
from auditor.collect.https.recorder import Question, Recorded, Recorder
from auditor.collect.https.service import LeastRight
from auditor.collect.https.transport import Call
from auditor.matrix.exchange_defaults import EXCHANGE_DEFAULTS
from auditor.model.evidence import Gap, GapKind
from auditor.model.message import say

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from concurrent.futures import Future

    from auditor.model.evidence import Json, Record

LEAST_RIGHT = LeastRight(
    of_application=say(
        "application role Exchange.ManageAsApp of Office 365 Exchange Online, together with the Microsoft Entra "
        "role Global Reader or membership in the role group View-Only Organization Management"
    ),
    of_person=say(
        "delegated permission Exchange.Manage of Office 365 Exchange Online, together with the Microsoft Entra "
        "role Global Reader or membership in the role group View-Only Organization Management"
    ),
)
# The mailbox that Exchange's own clients name to reach the tenant's home servers, the same for each call.
_ANCHOR = "APP:SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}"
_HEADER_TEXT = re.compile(r"[\x21-\x7e]+")
_PAGE_SIZE = 1000
# What later reads depend on.
_ROLE_GROUP_FIELDS = frozenset({"ExchangeObjectId", "Guid", "Name", "Roles"})
_ROLE_FIELDS = frozenset({"Name", "RoleType", "Parent", "IsRootRole"})
_MEMBER_FIELDS = frozenset(
    {"ExchangeObjectId", "ExternalDirectoryObjectId", "Guid", "Name", "RecipientType", "RecipientTypeDetails"}
)
_ASSIGNEE_FIELDS = frozenset({"Role", "RoleAssignee", "RoleAssigneeName", "RoleAssigneeType"})
_USER_FIELDS = frozenset({"ExternalDirectoryObjectId"})
_SCOPE_FIELDS = frozenset({"RecipientWriteScope", "CustomRecipientWriteScope", "RecipientAdministrativeUnitScope"})


@dataclass(slots=True, kw_only=True)
class ExchangeCollector:
    """Writes what Exchange Online tells about one account.

    `tenant_id` is the tenant's GUID, or one of its domains; `caller` the UPN of the person who asks, if one does.
    `finds_holders`: who else holds documented roles is asked, too.
    The methods without an underscore are called in the order in which they stand here; each waits for what it
    depends on.
    """

    recorder: Recorder
    tenant_id: str
    service_account: str
    caller: str | None = None
    finds_holders: bool = False
    _role_groups: Future[Recorded] = field(init=False)
    _roles: Future[Recorded] = field(init=False)
    _user: Future[Recorded] = field(init=False)
    _assignments: Future[Recorded] = field(init=False)
    _members: dict[str, Future[Recorded]] = field(init=False, default_factory=dict)
    _of_account: Future[Recorded] | None = field(init=False, default=None)

    def begin(self) -> None:
        """Ask about the tenant's role groups, roles, assignments and scopes."""
        self._role_groups = self._ask_for_role_groups()
        self._roles = self._ask_for_management_roles()
        self._assignments = self._ask_for_management_role_assignments()
        self._ask_for_management_scopes()

    def ask_about_account(self, account_id: str | None) -> None:
        """Ask for the account, and for its assignments by its object id, from Graph or from Exchange itself.

        For an assignee it does not know, Exchange may answer with the assignments of everybody: whoever
        judges the answer has to make sure that it is about the account.
        """
        self._user = self._ask_for_user(account_id or self.service_account)
        if account_id is None:
            user = self._user.result()
            ids = {object_id(record.get("ExternalDirectoryObjectId")) for record in user.records}
            account_id = ids.pop() if len(ids) == 1 else None
            if account_id is None:
                unknown = Gap(kind=GapKind.MALFORMED, message=say("Get-User named no single object id"))
                self.recorder.leave_out(user.gap or unknown, "management_role_assignments_of_account")
                return
        self._of_account = self._ask_for_management_role_assignments_of_account(account_id)

    def ask_about_role_groups(self) -> None:
        """Ask for the members of every role group."""
        groups = self._role_groups.result()
        identities = (_identity_of_role_group(group) for group in groups.records)
        for identity in dict.fromkeys(identity for identity in identities if identity is not None):
            self._members[identity] = self._ask_for_role_group_members(identity)
        if groups.gap is not None:
            self.recorder.leave_out(groups.gap, "role_group_members")

    def ask_about_roles(self) -> None:
        """Ask for the commands of custom roles, and of the built-in roles they were cut from."""
        roles = self._roles.result()
        for name in _roles_to_compare(roles.records):
            self._ask_for_management_role_entries(name)
        if roles.gap is not None:
            self.recorder.leave_out(roles.gap, "management_role_entries")

    def ask_about_assignees(self) -> None:
        """Ask who the users are that documented roles are assigned to directly; assignments tell their names."""
        rows = self._assignments.result().records if self.finds_holders else ()
        roles = _documented_roles(self._roles.result().records)
        users = (row for row in rows if row.get("RoleAssigneeType") == "User")
        named = (row for row in users if str(row.get("Role")).casefold() in roles)
        for name in sorted({str(row.get("RoleAssigneeName") or row.get("RoleAssignee") or "") for row in named} - {""}):
            self._ask(
                "assignee",
                "Get-User",
                {"Identity": name},
                subject=name,
                belongs=partial(_is_called, name),
                must_exist=True,
            )

    def groups_beside(self, principals: Collection[str]) -> tuple[str, ...]:
        """Return the groups of Entra ID in the role groups that are the product's.

        Those are the role groups that hold a documented role, do not come with Exchange, and contain one of
        `principals`: the account, and the groups it is in; role groups nested in them count as well. Whoever finds
        holders wants those in all role groups that hold a documented role.
        """
        roles = _documented_roles(self._roles.result().records)
        found: list[str] = []
        for group in self._role_groups.result().records:
            identity, name = _identity_of_role_group(group), str(group.get("Name"))
            is_built_in = EXCHANGE_DEFAULTS.role_group(name) is not None
            if identity is None or not roles & _texts(group.get("Roles")) or (is_built_in and not self.finds_holders):
                continue
            members = self._members_through_nesting(identity)
            ids = {object_id(member.get("ExternalDirectoryObjectId")) for member in members}
            if self.finds_holders or ids & set(principals):
                found += [each for member in members if (each := _group_id(member)) is not None]
        return tuple(sorted(set(found)))

    def member_groups(self) -> tuple[str, ...]:
        """Return the groups of Entra ID in any role group."""
        members = (member for read in self._members.values() for member in read.result().records)
        return tuple(sorted({each for member in members if (each := _group_id(member)) is not None}))

    def _members_through_nesting(self, identity: str) -> list[Record]:
        """Return the members of a role group and of the role groups in it."""
        groups = self._role_groups.result().records
        found: list[Record] = []
        entered = [identity]
        for each in entered:  # grows while it is walked
            members = self._members[each].result().records
            found += members
            names = {text.casefold() for member in members if _is_role_group(member) for text in _names(member)}
            inner = (_identity_of_role_group(group) for group in groups if names & {*map(str.casefold, _names(group))})
            entered += [nested for nested in dict.fromkeys(inner) if nested is not None and nested not in entered]
        return found

    @property
    def read_for_groups(self) -> tuple[Future[Recorded], ...]:
        """The reads behind `groups_beside`."""
        return (self._role_groups, self._roles, *self._members.values())

    @property
    def read_for_units(self) -> tuple[Future[Recorded], ...]:
        """The reads behind `administrative_units`."""
        return (self._user,) if self._of_account is None else (self._of_account,)

    def administrative_units(self) -> tuple[str, ...]:
        """Return the administrative units that limit assignments of the account."""
        rows = self._of_account.result().records if self._of_account is not None else ()
        units = {object_id(row.get("RecipientAdministrativeUnitScope")) for row in rows}
        units |= {
            object_id(row.get("CustomRecipientWriteScope"))
            for row in rows
            if row.get("RecipientWriteScope") == "AdministrativeUnit"
        }
        return tuple(sorted(unit for unit in units if unit is not None))

    def _ask_for_user(self, identity: str) -> Future[Recorded]:
        """Ask for the account as Exchange knows it, and take no other."""
        key = "ExternalDirectoryObjectId" if object_id(identity) else "UserPrincipalName"
        return self._ask(
            "exchange_user",
            "Get-User",
            {"Identity": identity},
            belongs=lambda record: _same(record.get(key), identity),
            must_exist=True,
            kept=_USER_FIELDS,
        )

    def _ask_for_role_groups(self) -> Future[Recorded]:
        parameters: dict[str, Json] = {"ResultSize": "Unlimited"}
        return self._ask("role_groups", "Get-RoleGroup", parameters, must_exist=True, kept=_ROLE_GROUP_FIELDS)

    def _ask_for_role_group_members(self, identity: str) -> Future[Recorded]:
        parameters: dict[str, Json] = {"Identity": identity, "ResultSize": "Unlimited"}
        return self._ask(
            "role_group_members", "Get-RoleGroupMember", parameters, subject=identity, kept=_MEMBER_FIELDS
        )

    def _ask_for_management_role_assignments(self) -> Future[Recorded]:
        """Ask for every role assignment of the tenant. This command has no ResultSize."""
        kept = _ASSIGNEE_FIELDS if self.finds_holders else frozenset()
        return self._ask("management_role_assignments", "Get-ManagementRoleAssignment", {}, must_exist=True, kept=kept)

    def _ask_for_management_role_assignments_of_account(self, account_id: str) -> Future[Recorded]:
        """Ask for the assignments that reach the account, through role groups as well."""
        dataset, parameters = "management_role_assignments_of_account", {"RoleAssignee": account_id}
        return self._ask(dataset, "Get-ManagementRoleAssignment", {**parameters}, kept=_SCOPE_FIELDS)

    def _ask_for_management_roles(self) -> Future[Recorded]:
        """Ask for every management role. This command has no ResultSize."""
        return self._ask("management_roles", "Get-ManagementRole", {}, must_exist=True, kept=_ROLE_FIELDS)

    def _ask_for_management_role_entries(self, role: str) -> None:
        self._ask(
            "management_role_entries",
            "Get-ManagementRoleEntry",
            {"Identity": f"{role}\\*", "ResultSize": "Unlimited"},
            subject=role,
            belongs=lambda record: "Role" not in record or _same(record["Role"], role),
        )

    def _ask_for_management_scopes(self) -> None:
        """Ask for every management scope. This command has no ResultSize."""
        self._ask("management_scopes", "Get-ManagementScope", {})

    def _ask(  # noqa: PLR0913 - a question has this many parts
        self,
        dataset: str,
        cmdlet: str,
        parameters: dict[str, Json],
        *,
        subject: str = "",
        belongs: Callable[[Record], bool] = lambda _: True,
        must_exist: bool = False,
        kept: frozenset[str] = frozenset(),
    ) -> Future[Recorded]:
        return self.recorder.ask(Question(
            dataset=dataset,
            call=self._call(cmdlet, parameters),
            query={"cmdlet": cmdlet, "parameters": parameters},
            least_right=LEAST_RIGHT,
            subject=subject,
            belongs=belongs,
            must_exist=must_exist,
            kept=kept,
        ))

    def _call(self, cmdlet: str, parameters: dict[str, Json]) -> Call:
        tenant = quote(self.tenant_id, safe="")
        command = {"CmdletInput": {"CmdletName": cmdlet, "Parameters": parameters}}
        return Call(
            name=cmdlet,
            method="POST",
            url=f"{self.recorder.service.base}/adminapi/beta/{tenant}/InvokeCommand",
            headers={
                "Content-Type": "application/json",
                "X-ResponseFormat": "json",
                "X-AnchorMailbox": self._anchor(tenant),
                "Prefer": f"odata.maxpagesize={_PAGE_SIZE}",
            },
            body=json.dumps(command).encode("ascii"),
        )

    def _anchor(self, tenant: str) -> str:
        if self.caller is not None and _HEADER_TEXT.fullmatch(self.caller):
            return f"UPN:{self.caller}"
        return f"{_ANCHOR}@{tenant}"


def _identity_of_role_group(group: Record) -> str | None:
    """Return what tells a role group apart from all others; names collide, so they come last."""
    return next(iter(_names(group)), None)


def _names(group: Record) -> list[str]:
    texts = (group.get(key) for key in ("ExchangeObjectId", "Guid", "Name"))
    return [text for text in texts if isinstance(text, str) and text.strip()]


def _kind(member: Record) -> str:
    return str(member.get("RecipientTypeDetails") or member.get("RecipientType")).casefold()


def _is_role_group(member: Record) -> bool:
    return _kind(member) == "rolegroup"


def _group_id(member: Record) -> str | None:
    """Return the object id of a member that is a group of Entra ID; nested role groups have none."""
    is_group = "group" in _kind(member) and not _is_role_group(member)
    return object_id(member.get("ExternalDirectoryObjectId")) if is_group else None


def _is_called(name: str, record: Record) -> bool:
    return any(_same(record.get(key), name) for key in ("Name", "Identity", "Id"))


def _texts(value: Json) -> frozenset[str]:
    found = value if isinstance(value, list) else []
    return frozenset(each.casefold() for each in found if isinstance(each, str))


def _documented_roles(roles: tuple[Record, ...]) -> frozenset[str]:
    """Return the documented roles and the custom roles of their types by name; the former are known without a read."""
    custom = (str(role.get("Name")) for role in roles if _is_of_documented_type(role))
    return frozenset(name.casefold() for name in (*EXCHANGE_DEFAULTS.compared_role_types, *custom))


def _roles_to_compare(roles: tuple[Record, ...]) -> tuple[str, ...]:
    """Return the custom roles of a documented type, and the built-in roles they were cut from.

    A child role never holds more than its parent and keeps its type (Exchange, "Understanding
    management roles"), so the root of the same type is what it has to be compared with.
    """
    documented = [role for role in roles if _is_of_documented_type(role)]
    custom_types = {role["RoleType"] for role in documented if not _is_root(role)}
    names = (role.get("Name") for role in documented if role["RoleType"] in custom_types)
    return tuple(dict.fromkeys(name for name in names if isinstance(name, str) and name.strip()))


def _is_of_documented_type(role: Record) -> bool:
    value = role.get("RoleType")
    return isinstance(value, str) and EXCHANGE_DEFAULTS.is_compared(value)


def _is_root(role: Record) -> bool:
    name = role.get("Name")
    is_built_in = isinstance(name, str) and EXCHANGE_DEFAULTS.compared_role_type(name) is not None
    return is_built_in and role.get("IsRootRole") is not False and not role.get("Parent")


def _same(value: Json, expected: str) -> bool:
    return isinstance(value, str) and value.casefold() == expected.casefold()
