"""Effective management roles: which role assignments reach the account, how far, through what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.evaluate.fields import flag, text
from auditor.evaluate.judgement import Claim, Held, NotHeld, Unknown, describe_gap
from auditor.evaluate.tenant.account import is_guid
from auditor.evaluate.tenant.write_scopes import WriteScopes
from auditor.model.evidence import GapKind
from auditor.model.message import NOTHING, Message, joined, say
from auditor.model.results import EvidenceReference

if TYPE_CHECKING:
    from auditor.evaluate.tenant.account import TenantAccount
    from auditor.evaluate.tenant.management_roles import ManagementRole, ManagementRoles
    from auditor.evaluate.tenant.role_groups import RoleGroupMembership, RoleGroups
    from auditor.model.evidence import Evidence, Read, Record

ALL = "management_role_assignments"
OF_ACCOUNT = "management_role_assignments_of_account"
_POLICY_ASSIGNEES = ("RoleAssignmentPolicy", "MailboxPlan")

@dataclass(frozen=True, slots=True, kw_only=True)
class RoleAssignment:
    """One role assignment that may reach the account.

    `ineffective` says why it grants nothing (disabled, delegating only, invalid, an empty role), or is empty.
    `is_in_force` is False for one that is disabled or invalid, and so does not even let anybody grant the role.
    `no_write` says why it lets nobody's recipients be written, which matters for the documented roles alone.
    `limited_to` names what limits its write scope, or is empty, `custom_scopes` holds the bare names, case-folded.
    `role` is None when the role's type could not be
    read. `is_told_by_exchange` says whether Exchange itself lists the assignment for the account; None: no answer.
    """

    name: str
    role_name: str
    role: ManagementRole | None
    assignee: str
    assignee_type: str
    is_delegating: bool
    is_in_force: bool
    ineffective: Message
    no_write: Message
    uncertain: Message
    limited_to: Message
    claim: Claim
    custom_scopes: frozenset[str]
    is_told_by_exchange: bool | None

    @property
    def is_effective(self) -> bool:
        """True when the assignment is proven to reach the account and grants its role."""
        return isinstance(self.claim, Held) and not self.ineffective and not self.uncertain

    @property
    def is_of_role_group(self) -> bool:
        """True when the assignee is a role group."""
        return "rolegroup" in self.assignee_type.casefold()

    @property
    def is_of_account(self) -> bool:
        """True when the assignee is a user."""
        return self.assignee_type.casefold() == "user"

    @property
    def reference(self) -> EvidenceReference:
        """Where the assignment stands in the evidence."""
        return EvidenceReference(dataset=ALL, record=self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleAssignments:
    """Every assignment that reaches or may reach the account, and why the list may not be whole.

    `name_the_account` is True when Exchange listed assignments for the account, `did_not_refuse_it` when
    it answered, perhaps with none: neither an error nor everybody's.
    """

    all: tuple[RoleAssignment, ...]
    list_gap: Message | None
    name_the_account: bool
    did_not_refuse_it: bool


def read_role_assignments(
    evidence: Evidence, account: TenantAccount, groups: RoleGroups, roles: ManagementRoles
) -> RoleAssignments:
    """Resolve the assignees of all role assignments against the account."""
    everything = evidence.read(ALL)
    of_account = _trusted_rows(evidence.read(OF_ACCOUNT), everything, account)
    rows = {_row_key(row): row for row in (*everything, *(of_account or ()))}
    resolver = _AssigneeResolver(evidence, account, groups, of_account)
    scopes = WriteScopes(evidence)
    told = None if of_account is None else {_row_key(row) for row in of_account}
    found = (
        _assignment(
            row,
            resolver.kind(row),
            resolver.claim(row),
            roles,
            scopes,
            is_told=None if told is None else key in told,
        )
        for key, row in rows.items()
        if text(row, "RoleAssigneeType") not in _POLICY_ASSIGNEES
    )
    return RoleAssignments(
        all=tuple(assignment for assignment in found if not isinstance(assignment.claim, NotHeld)),
        list_gap=None if everything.gap is None else describe_gap(everything.gap),
        name_the_account=bool(of_account),
        did_not_refuse_it=of_account is not None and bool(everything.records),
    )


def _row_key(row: Record) -> str:
    key = text(row, "ExchangeObjectId") or text(row, "Guid") or text(row, "Name") or text(row, "Identity")
    return key.casefold() or str(row)


def _trusted_rows(
    read: Read, everything: Read, account: TenantAccount
) -> tuple[Record, ...] | None:
    """Return the rows Exchange resolved for the account, or None when they prove nothing.

    An assignee that Exchange does not recognise makes the cmdlet return every assignment. A row that
    names another person gives that away; so does an answer from which nothing is left out.
    """
    if read.gap is not None or any(_names_someone_else(row, account) for row in read):
        return None
    is_everything = {_row_key(row) for row in read} >= {_row_key(row) for row in everything}
    return None if is_everything and len(everything.records) > 0 else tuple(read)


def _names_someone_else(row: Record, account: TenantAccount) -> bool:
    is_of_user = text(row, "RoleAssigneeType").casefold() == "user"
    return is_of_user and _assignee(row).casefold() not in account.aliases | account.display_names


def _assignee(row: Record) -> str:
    return text(row, "RoleAssigneeName") or text(row, "RoleAssignee")


class _AssigneeResolver:
    def __init__(
        self,
        evidence: Evidence,
        account: TenantAccount,
        groups: RoleGroups,
        of_account: tuple[Record, ...] | None,
    ) -> None:
        self._account = account
        self._groups = groups
        self._tenant_groups = evidence.read("transitive_member_of")
        self._of_account = None if of_account is None else {_row_key(row) for row in of_account}
        self._of_account_gap = evidence.read(OF_ACCOUNT).gap
        if _is_unknown_to_exchange(evidence):
            self._of_account = set()

    def kind(self, row: Record) -> str:
        """Return the assignee's type; where it is not stated, a listed role group is known to be one."""
        is_listed = self._groups.find(_assignee(row)) is not None
        return text(row, "RoleAssigneeType") or ("RoleGroup" if is_listed else "")

    def claim(self, row: Record) -> Claim:
        """Say whether the assignment's assignee is the account or contains it."""
        if self._account.is_absent:
            return NotHeld()
        kind = self.kind(row).casefold()
        if "rolegroup" in kind:
            return self._role_group(row)
        if kind == "user":
            return self._user(row)
        return self._security_group(row)

    def _role_group(self, row: Record) -> Claim:
        group = self._groups.find(_assignee(row)) or self._groups.find(text(row, "RoleAssignee"))
        if group is not None:
            return self._of_known_role_group(row, group)
        if self._groups.list_gap is not None:
            return Unknown(self._groups.list_gap, (EvidenceReference(dataset="role_groups"),))
        return self._listed_for_account(row, say("role group {name}", name=_assignee(row)))

    def _of_known_role_group(self, row: Record, group: RoleGroupMembership) -> Claim:
        """Let the members decide; where Exchange's own answer contradicts them, nobody does."""
        is_told = self._of_account is not None and _row_key(row) in self._of_account
        if not (isinstance(group.claim, NotHeld) and is_told):
            return group.claim
        reason = say(
            "Exchange lists the assignment for the account, which is not among the members of {name}",
            name=group.name,
        )
        members = EvidenceReference(dataset="role_group_members", record=group.id)
        return Unknown(reason, (EvidenceReference(dataset=OF_ACCOUNT), members))

    def _user(self, row: Record) -> Claim:
        names = {_assignee(row).casefold(), text(row, "RoleAssignee").casefold()} & self._account.aliases
        if names:
            is_listed = self._of_account is None or _row_key(row) in self._of_account
            if is_listed or any(is_guid(name) for name in names):
                return Held(((self._account.name,),))
            return Unknown(
                say(
                    "the assignee {name} bears the account's name, which others may bear as well, and Exchange "
                    "does not list the assignment for the account",
                    name=_assignee(row),
                ),
                (EvidenceReference(dataset=OF_ACCOUNT),),
            )
        if _assignee(row).casefold() in self._account.display_names:
            return Unknown(
                say(
                    "the assignee {name} bears the account's display name, which is no identity",
                    name=_assignee(row),
                )
            )
        if self._account.exchange_user is not None:
            return NotHeld()
        return self._listed_for_account(row, NOTHING)

    def _security_group(self, row: Record) -> Claim:
        """Judge another kind of assignee; whether Exchange's answer follows nested groups is not documented."""
        assignee = _assignee(row)
        claim = self._listed_for_account(row, joined(" ", (text(row, "RoleAssigneeType") or say("assignee"), assignee)))
        if not isinstance(claim, NotHeld):
            return claim
        if self._tenant_groups.gap is not None:
            return Unknown(describe_gap(self._tenant_groups.gap), (EvidenceReference(dataset="transitive_member_of"),))
        names = {
            text(group, name).casefold()
            for group in self._tenant_groups
            for name in ("displayName", "mailNickname", "id")
        }
        if assignee.casefold() in names:
            return Unknown(
                say(
                    "the account is in a group named {assignee}, and Exchange does not list its assignment",
                    assignee=assignee,
                )
            )
        return claim

    def _listed_for_account(self, row: Record, via: Message) -> Claim:
        """Fall back on Exchange's own answer for this account."""
        if self._of_account is None:
            gap = self._of_account_gap
            reason = (
                describe_gap(gap)
                if gap
                else say(
                    "Exchange's answer for this account named assignees that are not it",
                )
            )
            return Unknown(reason, (EvidenceReference(dataset=OF_ACCOUNT),))
        if _row_key(row) in self._of_account:
            return Held(((self._account.name, via),) if via else ((self._account.name,),))
        return NotHeld()


def _is_unknown_to_exchange(evidence: Evidence) -> bool:
    """Tell whether Exchange said twice that it does not know the account: such an account is no assignee."""
    gaps = (evidence.read("exchange_user").gap, evidence.read(OF_ACCOUNT).gap)
    return all(gap is not None and gap.kind is GapKind.NOT_FOUND for gap in gaps)


def _assignment(
    row: Record, kind: str, claim: Claim, roles: ManagementRoles, scopes: WriteScopes, *, is_told: bool | None
) -> RoleAssignment:
    role_name = text(row, "Role")
    role = roles.find(role_name)
    is_empty = role is not None and role.is_empty
    name = text(row, "Name") or text(row, "Identity")
    if isinstance(claim, Held):
        claim = Held(tuple((*path, say("role {name}", name=role_name)) for path in claim.paths))
    return RoleAssignment(
        name=name,
        role_name=role_name,
        role=role,
        assignee=_assignee(row),
        assignee_type=kind,
        is_delegating=_is_delegating(row),
        is_in_force=_is_in_force(row),
        ineffective=_why_ineffective(row) or (say("no command is left in its role") if is_empty else NOTHING),
        no_write=scopes.why_no_write(row),
        uncertain=_why_uncertain(row),
        limited_to=scopes.limit(row),
        claim=claim,
        is_told_by_exchange=is_told,
        custom_scopes=scopes.names(row),
    )


def _is_delegating(row: Record) -> bool:
    return text(row, "RoleAssignmentDelegationType").startswith("Delegating")


def _why_ineffective(row: Record) -> Message:
    if not _is_in_force(row):
        return say("the assignment is disabled") if flag(row, "Enabled") is False else say("the assignment is invalid")
    return say("delegating only: it lets the holder grant the role, not use it") if _is_delegating(row) else NOTHING


def _is_in_force(row: Record) -> bool:
    return flag(row, "Enabled") is not False and flag(row, "IsValid") is not False


def _why_uncertain(row: Record) -> Message:
    if not text(row, "RoleAssignmentDelegationType"):
        return say("Exchange did not say whether the assignment is delegating only")
    if flag(row, "Enabled") is None:
        return say("Exchange did not say whether the assignment is enabled")
    if not text(row, "RecipientWriteScope") and not text(row, "CustomRecipientWriteScope"):
        return say("Exchange did not state the write scope")
    return NOTHING
