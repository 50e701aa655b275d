"""The reads of one account in Exchange Online: one method per dataset."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from auditor.collect.https.answers import object_id
from auditor.collect.https.recorder import Question, Recorded, Recorder
from auditor.collect.https.transport import Call
from auditor.model.evidence import Gap, GapKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from auditor.model.evidence import Json, Record

LEAST_PERMISSION = (
    "application role Exchange.ManageAsApp of Office 365 Exchange Online, together with the Microsoft Entra "
    "role Global Reader or membership in the role group View-Only Organization Management"
)
# The role types behind the documented roles; a custom role keeps the type of the role it derives from.
# The built-in roles of these types; Exchange gives no other role these names.
DOCUMENTED_ROLES = frozenset({"distribution groups", "mail recipients", "security group creation and membership"})
DOCUMENTED_ROLE_TYPES = frozenset({
    "DistributionGroups",
    "MailRecipients",
    "SecurityGroupCreationAndMembership",
})
# The mailbox that Exchange's own clients name to reach the tenant's home servers, the same for each call.
_ANCHOR = "APP:SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}"
_PAGE_SIZE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeCollector:
    """Writes what Exchange Online tells about one account.

    `tenant_id` is the tenant's GUID, or one of its domains. `account_id` is None when Microsoft Graph
    did not give it; the account is then looked up as `service_account`.
    """

    recorder: Recorder
    tenant_id: str
    service_account: str
    account_id: str | None

    def collect(self) -> None:
        """Read every dataset of Exchange Online."""
        user = self.user()
        self._collect_role_groups()
        self.management_role_assignments()
        self._collect_assignments_of(user)
        self._collect_roles()
        self.management_scopes()

    def _collect_role_groups(self) -> None:
        groups = self.role_groups()
        identities = (_identity_of_role_group(group) for group in groups.records)
        for identity in dict.fromkeys(identity for identity in identities if identity is not None):
            self.role_group_members(identity)
        if groups.gap is not None:
            self.recorder.leave_out(groups.gap, "role_group_members")

    def _collect_assignments_of(self, user: Recorded) -> None:
        """Ask for the account's assignments by its object id, from Graph or from Exchange itself.

        For an assignee it does not know, Exchange may answer with the assignments of everybody: whoever
        judges the answer has to make sure that it is about the account.
        """
        ids = {object_id(record.get("ExternalDirectoryObjectId")) for record in user.records}
        account_id = self.account_id or (ids.pop() if len(ids) == 1 else None)
        if account_id is not None:
            self.management_role_assignments_of_account(account_id)
        else:
            unknown = Gap(kind=GapKind.MALFORMED, message="Get-User named no single object id")
            self.recorder.leave_out(user.gap or unknown, "management_role_assignments_of_account")

    def _collect_roles(self) -> None:
        roles = self.management_roles()
        for name in _roles_to_compare(roles.records):
            self.management_role_entries(name)
        if roles.gap is not None:
            self.recorder.leave_out(roles.gap, "management_role_entries")

    def user(self) -> Recorded:
        """Read the account as Exchange knows it, and make sure that it is the one asked for."""
        identity = self.account_id or self.service_account
        key = "ExternalDirectoryObjectId" if object_id(identity) else "UserPrincipalName"
        return self._collection(
            "exchange_user",
            "Get-User",
            {"Identity": identity},
            belongs=lambda record: _same(record.get(key), identity),
            must_exist=True,
        )

    def role_groups(self) -> Recorded:
        """Read every role group."""
        return self._collection("role_groups", "Get-RoleGroup", {"ResultSize": "Unlimited"}, must_exist=True)

    def role_group_members(self, identity: str) -> None:
        """Read the members of one role group."""
        self._collection(
            "role_group_members",
            "Get-RoleGroupMember",
            {"Identity": identity, "ResultSize": "Unlimited"},
            subject=identity,
        )

    def management_role_assignments(self) -> None:
        """Read every role assignment of the tenant. This command has no ResultSize."""
        self._collection("management_role_assignments", "Get-ManagementRoleAssignment", {}, must_exist=True)

    def management_role_assignments_of_account(self, account_id: str) -> None:
        """Read the assignments that reach the account, through role groups as well."""
        dataset = "management_role_assignments_of_account"
        self._collection(dataset, "Get-ManagementRoleAssignment", {"RoleAssignee": account_id})

    def management_roles(self) -> Recorded:
        """Read every management role. This command has no ResultSize."""
        return self._collection("management_roles", "Get-ManagementRole", {}, must_exist=True)

    def management_role_entries(self, role: str) -> None:
        """Read the commands of one role."""
        self._collection(
            "management_role_entries",
            "Get-ManagementRoleEntry",
            {"Identity": f"{role}\\*", "ResultSize": "Unlimited"},
            subject=role,
            belongs=lambda record: "Role" not in record or _same(record["Role"], role),
        )

    def management_scopes(self) -> None:
        """Read every management scope. This command has no ResultSize."""
        self._collection("management_scopes", "Get-ManagementScope", {})

    def _collection(
        self,
        dataset: str,
        cmdlet: str,
        parameters: dict[str, Json],
        *,
        subject: str = "",
        belongs: Callable[[Record], bool] = lambda _: True,
        must_exist: bool = False,
    ) -> Recorded:
        return self.recorder.record_collection(Question(
            dataset=dataset,
            call=self._call(cmdlet, parameters),
            query={"cmdlet": cmdlet, "parameters": parameters},
            least_permission=LEAST_PERMISSION,
            subject=subject,
            belongs=belongs,
            must_exist=must_exist,
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
                "X-AnchorMailbox": f"{_ANCHOR}@{tenant}",
                "Prefer": f"odata.maxpagesize={_PAGE_SIZE}",
            },
            body=json.dumps(command).encode("ascii"),
        )


def _identity_of_role_group(group: Record) -> str | None:
    """Return what tells a role group apart from all others; names collide, so they come last."""
    texts = (group.get(key) for key in ("ExchangeObjectId", "Guid", "Name"))
    return next((text for text in texts if isinstance(text, str) and text.strip()), None)


def _roles_to_compare(roles: tuple[Record, ...]) -> tuple[str, ...]:
    """Return the custom roles of a documented type, and the built-in roles they were cut from.

    A child role never holds more than its parent and keeps its type (Exchange, "Understanding
    management roles"), so the root of the same type is what it has to be compared with.
    """
    documented = [role for role in roles if _role_type(role) in DOCUMENTED_ROLE_TYPES]
    custom_types = {_role_type(role) for role in documented if not _is_root(role)}
    names = (role.get("Name") for role in documented if _role_type(role) in custom_types)
    return tuple(dict.fromkeys(name for name in names if isinstance(name, str) and name.strip()))


def _role_type(role: Record) -> str | None:
    value = role.get("RoleType")
    return value if isinstance(value, str) else None


def _is_root(role: Record) -> bool:
    name = role.get("Name")
    is_built_in = isinstance(name, str) and name.casefold() in DOCUMENTED_ROLES
    return is_built_in and role.get("IsRootRole") is not False and not role.get("Parent")


def _same(value: Json, expected: str) -> bool:
    return isinstance(value, str) and value.casefold() == expected.casefold()
