"""Exchange role groups: whether the account is in each of them, and through what.

Members are matched on the Entra object id; a person's name is never an identity, because Exchange
names are neither unique nor stable.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from auditor.evaluate.fields import same, text
from auditor.evaluate.judgement import Claim, Held, NotHeld, Unknown, describe_gap
from auditor.matrix.exchange_defaults import EXCHANGE_DEFAULTS
from auditor.model.message import Message, joined, say
from auditor.model.results import EvidenceReference

if TYPE_CHECKING:
    from auditor.evaluate.tenant.account import TenantAccount
    from auditor.evaluate.tenant.entra_roles import EntraRoles
    from auditor.model.evidence import Evidence, Record
    from auditor.model.results import Path

ORGANIZATION_MANAGEMENT = "Organization Management"
RECIPIENT_MANAGEMENT = "Recipient Management"
BUILT_IN_COLLECTIONS = (ORGANIZATION_MANAGEMENT, RECIPIENT_MANAGEMENT)

_MOST_PATHS = 20  # to one role group; nesting can multiply them without end, and the shortest are what is cut first
_ID_FIELDS = ("Guid", "ExchangeObjectId", "DistinguishedName")
_NAME_FIELDS = ("Name", "Identity", "Id")


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleGroupMembership:
    """One role group and whether the account is in it."""

    id: str
    name: str
    record: Record
    claim: Claim


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleGroups:
    """All role groups, and why the list may not be whole."""

    all: tuple[RoleGroupMembership, ...]
    list_gap: Message | None

    def find(self, reference: str) -> RoleGroupMembership | None:
        """Return the role group that `reference` (a name or an id) stands for."""
        wanted = reference.casefold()
        return next((group for group in self.all if wanted and wanted in _keys(group.record)), None)


    def find_member(self, member: Record) -> RoleGroupMembership | None:
        """Return the role group a member is: by id, or by name where the member is a role group and no person."""
        is_role_group = _kind(member) in {"", "rolegroup"}
        keys = _keys(member) if is_role_group else _keys(member, _ID_FIELDS)
        return next((group for group in self.all if keys & _keys(group.record)), None)


def role_group_id(record: Record) -> str:
    """Return the identity under which a role group's members were read."""
    return text(record, "ExchangeObjectId") or text(record, "Guid") or text(record, "Name")


def _keys(record: Record, fields: tuple[str, ...] = _ID_FIELDS + _NAME_FIELDS) -> frozenset[str]:
    return frozenset(text(record, name).casefold() for name in fields if text(record, name))


def read_role_groups(evidence: Evidence, account: TenantAccount, roles: EntraRoles) -> RoleGroups:
    """Decide for every role group whether the account is in it, through any nesting."""
    read = evidence.read("role_groups")
    claims = _Nesting(evidence, account, roles, tuple(read)).claims()
    return RoleGroups(
        all=tuple(
            RoleGroupMembership(
                id=role_group_id(record), name=text(record, "Name"), record=record, claim=claims[role_group_id(record)]
            )
            for record in read
        ),
        list_gap=None if read.gap is None else describe_gap(read.gap),
    )


class _Nesting:
    """Walks from the account upwards, the shortest paths first; a path enters a role group once."""

    def __init__(
        self, evidence: Evidence, account: TenantAccount, roles: EntraRoles, role_groups: tuple[Record, ...]
    ) -> None:
        self._evidence = evidence
        self._account = account
        self._roles = roles
        self._role_groups = {role_group_id(record): record for record in role_groups}
        self._transitive = evidence.read("transitive_member_of")
        self._tenant_groups = {
            text(record, "id").casefold(): record for record in self._transitive if text(record, "id")
        }

    def claims(self) -> dict[str, Claim]:
        """Return for every role group, by its id, whether the account is in it."""
        if self._account.is_absent:
            return dict.fromkeys(self._role_groups, NotHeld())
        direct: dict[str, list[Claim]] = {}
        containing: dict[str, list[str]] = {}
        for identity, record in self._role_groups.items():
            direct[identity] = [self._through_entra(record), *self._unread(identity)]
            for member in self._evidence.read("role_group_members", identity):
                nested = self._nested_role_group(member)
                if nested is None:
                    direct[identity].append(self._member(member))
                else:
                    containing.setdefault(nested, []).append(identity)
        held = self._spread_held(direct, containing)
        unknown = _spread_unknown(direct, containing)
        return {
            identity: Held(tuple(held[identity])) if identity in held else unknown.get(identity, NotHeld())
            for identity in self._role_groups
        }

    def _spread_held(self, direct: dict[str, list[Claim]], containing: dict[str, list[str]]) -> dict[str, list[Path]]:
        found: dict[str, list[Path]] = {}
        waiting: list[tuple[int, Path, tuple[str, ...]]] = [
            (len(path) + 1, self._extend(path, identity), (identity,))
            for identity, claims in direct.items()
            for claim in claims
            if isinstance(claim, Held)
            for path in claim.paths
        ]
        heapify(waiting)
        while waiting:
            length, path, entered = heappop(waiting)
            known = found.setdefault(entered[-1], [])
            if path in known or len(known) == _MOST_PATHS:
                continue
            known.append(path)
            for identity in containing.get(entered[-1], ()):
                if identity not in entered:
                    heappush(waiting, (length + 1, self._extend(path, identity), (*entered, identity)))
        return found

    def _extend(self, path: Path, identity: str) -> Path:
        return (*path, say("role group {name}", name=text(self._role_groups[identity], "Name")))

    def _unread(self, identity: str) -> list[Claim]:
        gap = self._evidence.read("role_group_members", identity).gap
        reference = EvidenceReference(dataset="role_group_members", record=identity)
        return [] if gap is None else [Unknown(describe_gap(gap), (reference,))]

    def _through_entra(self, role_group: Record) -> Claim:
        """Follow what Entra ID itself makes of a directory role or of a linked group."""
        backing = text(role_group, "ExternalDirectoryObjectId").casefold()
        if backing and backing in self._tenant_groups:
            return Held(((self._account.name,),))
        built_in = EXCHANGE_DEFAULTS.role_group(text(role_group, "Name"))
        synthetic = EXCHANGE_DEFAULTS.entra_role_behind(text(role_group, "Name"))
        behind = [*(built_in.entra_roles if built_in else ()), *([synthetic] if synthetic else [])]
        claims = [self._entra_role(each) for each in behind]
        return next(
            (claim for kind in (Held, Unknown) for claim in claims if isinstance(claim, kind)),
            NotHeld(),
        )

    def _entra_role(self, template_id: str) -> Claim:
        held = self._roles.holding(template_id)
        paths = tuple(role.path for role in held if role.is_tenant_wide)
        if paths:
            return Held(paths)
        if held:
            return Unknown(
                say(
                    "{name} is limited to {scope}; what that means in Exchange is not documented",
                    name=held[0].name,
                    scope=held[0].scope_name,
                )
            )
        if self._roles.gaps:
            reason = joined("; ", dict.fromkeys(describe_gap(gap) for _, gap in self._roles.gaps))
            return Unknown(reason, tuple(reference for reference, _ in self._roles.gaps))
        return NotHeld()

    def _nested_role_group(self, member: Record) -> str | None:
        """Return the id of the role group a member is, by id, or by name where the member is no person."""
        if text(member, "ExternalDirectoryObjectId").casefold() in self._tenant_groups:
            return None
        kind = _kind(member)
        keys = _keys(member) if kind in ("", "rolegroup") or "group" in kind else _keys(member, _ID_FIELDS)
        return next((identity for identity, record in self._role_groups.items() if keys & _keys(record)), None)

    def _member(self, member: Record) -> Claim:
        object_id = text(member, "ExternalDirectoryObjectId")
        if same(object_id, self._account.object_id or ""):
            return Held(((self._account.name,),))
        group = self._tenant_groups.get(object_id.casefold()) if object_id else None
        if group is not None:
            step = say("group {name}", name=text(group, "displayName") or object_id)
            return Held(((self._account.name, step),))
        kind = _kind(member)
        entra_role = EXCHANGE_DEFAULTS.entra_role_behind(text(member, "Name"))
        if entra_role is not None and (not kind or "group" in kind):
            return self._entra_role(entra_role)
        if kind == "rolegroup":
            return Unknown(
                say("the nested role group {name} is not in the list of role groups", name=text(member, "Name")),
                (EvidenceReference(dataset="role_groups"),),
            )
        if "group" in kind:
            return self._foreign_group(member, object_id)
        return self._person(member, object_id, is_typed=bool(kind))

    def _foreign_group(self, member: Record, object_id: str) -> Claim:
        reference = EvidenceReference(dataset="transitive_member_of")
        if self._transitive.gap is not None:
            return Unknown(describe_gap(self._transitive.gap), (reference,))
        if not object_id:
            name = text(member, "Name")
            return Unknown(
                say(
                    "the member group {name} has no Entra object id, so its members cannot be matched",
                    name=name,
                )
            )
        return NotHeld()

    def _person(self, member: Record, object_id: str, *, is_typed: bool) -> Claim:
        if object_id and self._account.object_id:
            if not is_typed and self._transitive.gap is not None:  # it may be a group
                reference = EvidenceReference(dataset="transitive_member_of")
                return Unknown(describe_gap(self._transitive.gap), (reference,))
            return NotHeld()
        if self._account.exchange_user is None:
            reference = EvidenceReference(dataset="exchange_user")
            reason = say("the account's Exchange identity was not read, so a member cannot be told from it")
            return Unknown(reason, (reference,))
        for name in ("ExchangeObjectId", "Guid"):
            left, right = text(member, name), text(self._account.exchange_user, name)
            if left and right:
                return Held(((self._account.name,),)) if same(left, right) else NotHeld()
        return Unknown(say("the member {name} carries no id to match on", name=text(member, "Name")))


def _kind(member: Record) -> str:
    return (text(member, "RecipientTypeDetails") or text(member, "RecipientType")).casefold()


def _spread_unknown(direct: dict[str, list[Claim]], containing: dict[str, list[str]]) -> dict[str, Unknown]:
    """Carry what is unknown about a role group to every role group that contains it."""
    found: dict[str, Unknown] = {}
    for identity, claims in direct.items():
        unknown = [claim for claim in claims if isinstance(claim, Unknown)]
        if unknown:
            found[identity] = Unknown(
                joined("; ", dict.fromkeys(claim.reason for claim in unknown)),
                tuple(dict.fromkeys(reference for claim in unknown for reference in claim.evidence)),
            )
    queue = deque(found)
    while queue:
        nested = queue.popleft()
        for identity in containing.get(nested, ()):
            if identity not in found:
                found[identity] = found[nested]
                queue.append(identity)
    return found
