"""Exchange role groups: whether the account is in each of them, and through what.

Members are matched on the Entra object id; a member's name is never an identity, because Exchange
names are neither unique nor stable.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.evaluate.fields import same, text
from auditor.evaluate.judgement import Claim, Held, NotHeld, Unknown, describe_gap
from auditor.evaluate.tenant.entra_roles import (
    EXCHANGE_ADMINISTRATOR,
    EXCHANGE_RECIPIENT_ADMINISTRATOR,
    GLOBAL_ADMINISTRATOR,
    EntraRoles,
)
from auditor.model.results import EvidenceReference, Path

if TYPE_CHECKING:
    from auditor.evaluate.tenant.account import TenantAccount
    from auditor.model.evidence import Evidence, Record

ORGANIZATION_MANAGEMENT = "Organization Management"
RECIPIENT_MANAGEMENT = "Recipient Management"
BUILT_IN_COLLECTIONS = (ORGANIZATION_MANAGEMENT, RECIPIENT_MANAGEMENT)

# Microsoft makes the holders of these directory roles members of these role groups, through
# synthetic groups that only Entra ID fills (learn.microsoft.com, "Permissions in Exchange Online").
ENTRA_BACKED_ROLE_GROUPS = {
    ORGANIZATION_MANAGEMENT: (GLOBAL_ADMINISTRATOR, EXCHANGE_ADMINISTRATOR),
    RECIPIENT_MANAGEMENT: (EXCHANGE_RECIPIENT_ADMINISTRATOR,),
}
SYNTHETIC_MEMBERS = {
    "tenantadmins_": GLOBAL_ADMINISTRATOR,
    "exchangeserviceadmins_": EXCHANGE_ADMINISTRATOR,
}
# Synthetic members of other role groups: they stand for directory roles this table does not map.
OTHER_SYNTHETIC_MEMBERS = (
    "helpdeskadmins_",
    "globalreaders_",
    "complianceadmins_",
    "securityadmins_",
    "securityreaders_",
    "rim-mailboxadmins",
    "isvmailboxusers_",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleGroupMembership:
    """One role group and whether the account is in it."""

    id: str
    name: str
    record: Record
    claim: Claim


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleGroups:
    """All role groups by the keys Exchange refers to them with, case-folded."""

    all: tuple[RoleGroupMembership, ...]
    list_gap: str | None

    def find(self, reference: str) -> RoleGroupMembership | None:
        """Return the role group that `reference` (a name or an id) stands for."""
        return next((group for group in self.all if reference.casefold() in _keys(group.record)), None)


def role_group_id(record: Record) -> str:
    """Return the identity under which a role group's members were read."""
    return text(record, "ExchangeObjectId") or text(record, "Guid") or text(record, "Name")


def _keys(record: Record) -> frozenset[str]:
    names = ("Name", "Identity", "Id", "Guid", "ExchangeObjectId", "DistinguishedName")
    return frozenset(text(record, name).casefold() for name in names if text(record, name))


def read_role_groups(evidence: Evidence, account: TenantAccount, roles: EntraRoles) -> RoleGroups:
    """Decide for every role group whether the account is in it, through any nesting."""
    read = evidence.read("role_groups")
    resolver = _Resolver(evidence, account, roles, tuple(read))
    return RoleGroups(
        all=tuple(
            RoleGroupMembership(
                id=role_group_id(record),
                name=text(record, "Name"),
                record=record,
                claim=resolver.claim(record),
            )
            for record in read
        ),
        list_gap=None if read.gap is None else describe_gap(read.gap),
    )


class _Resolver:
    """Walks nested role groups once each; a loop adds nothing and ends."""

    def __init__(
        self, evidence: Evidence, account: TenantAccount, roles: EntraRoles, role_groups: tuple[Record, ...]
    ) -> None:
        self._evidence = evidence
        self._account = account
        self._roles = roles
        self._role_groups = role_groups
        self._tenant_groups = {
            text(record, "id").casefold(): record
            for record in evidence.read("transitive_member_of")
            if text(record, "id")
        }

    def claim(self, role_group: Record, above: frozenset[str] = frozenset()) -> Claim:
        """Say whether the account is in `role_group`; `above` holds the groups being resolved."""
        if self._account.is_absent:
            return NotHeld()
        identity = role_group_id(role_group)
        if identity in above:
            return NotHeld()
        read = self._evidence.read("role_group_members", identity)
        claims = [self._through_entra(role_group)]
        claims += [self._member(member, above | {identity}) for member in read]
        if read.gap is not None:
            reference = EvidenceReference(dataset="role_group_members", record=identity)
            claims.append(Unknown(describe_gap(read.gap), (reference,)))
        name = text(role_group, "Name")
        return _merge(claims, lambda path: (*path, f"role group {name}"))

    def _through_entra(self, role_group: Record) -> Claim:
        """Follow what Entra ID itself makes of a directory role or a linked group."""
        backing = text(role_group, "ExternalDirectoryObjectId").casefold()
        if backing and backing in self._tenant_groups:
            return Held(((self._account.name,),))
        template_ids = ENTRA_BACKED_ROLE_GROUPS.get(text(role_group, "Name"), ())
        return _merge([self._entra_role(template_id) for template_id in template_ids], lambda path: path)

    def _entra_role(self, template_id: str) -> Claim:
        held = self._roles.holding(template_id)
        if held:
            return Held(tuple(role.path for role in held))
        if self._roles.gaps:
            reason = "; ".join(dict.fromkeys(describe_gap(gap) for _, gap in self._roles.gaps))
            return Unknown(reason, tuple(reference for reference, _ in self._roles.gaps))
        return NotHeld()

    def _member(self, member: Record, above: frozenset[str]) -> Claim:
        object_id = text(member, "ExternalDirectoryObjectId")
        if same(object_id, self._account.object_id or ""):
            return Held(((self._account.name,),))
        name = text(member, "Name").casefold()
        for prefix, template_id in SYNTHETIC_MEMBERS.items():
            if name.startswith(prefix):
                return self._entra_role(template_id)
        if name.startswith(OTHER_SYNTHETIC_MEMBERS):
            return NotHeld()
        if text(member, "RecipientTypeDetails") == "RoleGroup":
            return self._nested_role_group(member, above)
        if "group" in text(member, "RecipientTypeDetails").casefold():
            return self._group(object_id)
        return self._person(member, object_id)

    def _nested_role_group(self, member: Record, above: frozenset[str]) -> Claim:
        wanted = _keys(member)
        for record in self._role_groups:
            if wanted & _keys(record):
                return self.claim(record, above)
        return Unknown(
            f"the nested role group {text(member, 'Name')} is not in the list of role groups",
            (EvidenceReference(dataset="role_groups"),),
        )

    def _group(self, object_id: str) -> Claim:
        read = self._evidence.read("transitive_member_of")
        group = self._tenant_groups.get(object_id.casefold()) if object_id else None
        if group is not None:
            return Held(((self._account.name, f"group {text(group, 'displayName') or object_id}"),))
        reference = EvidenceReference(dataset="transitive_member_of")
        if read.gap is not None:
            return Unknown(describe_gap(read.gap), (reference,))
        if not object_id:
            return Unknown("a member group has no Entra object id, so its members cannot be matched", (reference,))
        return NotHeld()

    def _person(self, member: Record, object_id: str) -> Claim:
        if object_id and self._account.object_id:
            return NotHeld()
        reference = EvidenceReference(dataset="exchange_user")
        if self._account.exchange_user is None:
            return Unknown(
                "the account's Exchange identity was not read, so a member cannot be told from it",
                (reference,),
            )
        for name in ("ExchangeObjectId", "Guid"):
            left, right = text(member, name), text(self._account.exchange_user, name)
            if left and right:
                return Held(((self._account.name,),)) if same(left, right) else NotHeld()
        return Unknown(f"the member {text(member, 'Name')} carries no id to match on", (reference,))


def _merge(claims: list[Claim], extend: _Extend) -> Claim:
    """Combine the ways into a group: one proven way is enough; one unknown way forbids a no."""
    held = [path for claim in claims if isinstance(claim, Held) for path in claim.paths]
    if held:
        return Held(tuple(sorted({extend(path) for path in held}, key=lambda path: (len(path), path))))
    unknown = [claim for claim in claims if isinstance(claim, Unknown)]
    if unknown:
        return Unknown(
            "; ".join(dict.fromkeys(claim.reason for claim in unknown)),
            tuple(dict.fromkeys(reference for claim in unknown for reference in claim.evidence)),
        )
    return NotHeld()


if TYPE_CHECKING:
    from collections.abc import Callable

    _Extend = Callable[[Path], Path]
