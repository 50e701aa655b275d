"""The access decision of a directory (MS-ADTS 5.1.3.3, MS-DTYP 2.5.3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from auditor.acl.ace import AceFlag, AceKind
from auditor.acl.rights import DIRECTORY_RIGHTS, RIGHTS_BEYOND_READ, AccessMask

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from auditor.acl.ace import Ace
    from auditor.acl.descriptor import SecurityDescriptor

OWNER_RIGHTS_SID = "S-1-3-4"
PRINCIPAL_SELF_SID = "S-1-5-10"

# Plain integers: these are compared for every ACE of every question.
_INHERIT_ONLY = int(AceFlag.INHERIT_ONLY)
_SINGLE_RIGHTS = frozenset(map(int, DIRECTORY_RIGHTS))
_RIGHTS_OF_OWNER = int(AccessMask.READ_CONTROL | AccessMask.WRITE_DAC)
_BEYOND_READ = int(RIGHTS_BEYOND_READ)


@dataclass(frozen=True, slots=True)
class Token:
    """The SIDs a directory evaluates for a signed-in account."""

    sids: frozenset[str]


class Reason(StrEnum):
    """What decided."""

    NULL_DACL = "null_dacl"
    EMPTY_DACL = "empty_dacl"
    ACE = "ace"
    OWNER = "owner"
    NO_ACE = "no_ace"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The answer to one question, with the ACE that gave it.

    `granted` counts no callback ACE. `conditional` lists those, by index, that could have given the opposite
    answer had their condition held; while it is not empty, the answer is not certain.
    """

    granted: bool
    reason: Reason
    ace_index: int | None = None
    ace: Ace | None = None
    conditional: tuple[int, ...] = ()

    @property
    def is_certain(self) -> bool:
        """Whether no condition could turn the answer."""
        return not self.conditional


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRights:
    """Rights an ACE or ownership gives, and those a callback ACE may add or take away."""

    held: AccessMask
    conditional: AccessMask


def decide(
    descriptor: SecurityDescriptor,
    token: Token,
    right: AccessMask,
    object_types: Collection[str] = (),
    object_sid: str | None = None,
) -> Decision:
    """Decide one right on one object: the first ACE in stored order that speaks of it wins.

    `right` is one directory right. `object_types` are the lower-case GUIDs an ACE may name and still speak
    of it: for a property its attribute, property set and class, for a child its class, for an extended right
    its rightsGuid, for a validated write its own GUID. An ACE without object type always speaks of it.
    `object_sid` is what Principal Self stands for. For one right on one leaf of the object type tree this
    equals MS-ADTS 5.1.3.3.2 to 5.1.3.3.5. Raises ValueError when `right` is not one directory right.
    """
    bit = _single_right(right)
    settled = _decided_without_aces(descriptor, token, bit)
    if settled is not None:
        return settled
    allows: list[int] = []
    denies: list[int] = []
    for index, ace in _applicable_aces(descriptor, token, bit, object_sid):
        if ace.object_type is not None and ace.object_type not in object_types:
            continue
        if ace.kind is AceKind.ALLOW:
            return _decided_by(index, ace, conditional=denies)
        if ace.kind is AceKind.DENY:
            return _decided_by(index, ace, conditional=allows)
        (allows if ace.kind is AceKind.CONDITIONAL_ALLOW else denies).append(index)
    return Decision(granted=False, reason=Reason.NO_ACE, conditional=tuple(allows))


def decide_all(
    descriptor: SecurityDescriptor, token: Token, right: AccessMask, object_sid: str | None = None
) -> Decision:
    """Decide whether a right is held for every object type at once: every class, property or extended right.

    Granted by an ACE without object type, unless a deny ACE for any object type comes first. A deny is
    harmless when an earlier ACE already allowed the same object type. Grants that only together cover every
    object type are not added up, since that takes the forest's schema. Raises ValueError as `decide` does.
    """
    bit = _single_right(right)
    settled = _decided_without_aces(descriptor, token, bit)
    if settled is not None:
        return settled
    already_allowed: set[str | None] = set()
    allows: dict[int, str | None] = {}
    denies: list[int] = []
    for index, ace in _applicable_aces(descriptor, token, bit, object_sid):
        if ace.kind is AceKind.ALLOW:
            if ace.object_type is None:
                return _decided_by(index, ace, conditional=denies)
            already_allowed.add(ace.object_type)
        elif ace.kind is AceKind.CONDITIONAL_ALLOW:
            allows[index] = ace.object_type
        elif ace.object_type not in already_allowed:
            if ace.kind is AceKind.DENY:
                return _decided_by(index, ace, conditional=_covering(allows, ace.object_type))
            denies.append(index)
    return Decision(granted=False, reason=Reason.NO_ACE, conditional=tuple(_covering(allows, None)))


def rights_beyond_read(
    descriptor: SecurityDescriptor, token: Token, object_sid: str | None = None
) -> HeldRights:
    """Return every right beyond reading that is held for at least one object type.

    A deny takes a right away when it comes first and names the same object type or none. One that names
    a property set does not take away what an ACE gives for an attribute in it: better named too often here.
    """
    if descriptor.dacl is None:
        return HeldRights(held=RIGHTS_BEYOND_READ, conditional=AccessMask(0))
    held = _implicit_rights_of_owner(descriptor, token)
    conditional = 0
    denied: dict[str | None, int] = {}
    for _, ace in _applicable_aces(descriptor, token, _BEYOND_READ, object_sid):
        if ace.kind is AceKind.ALLOW:
            held |= ace.rights & ~(denied.get(None, 0) | denied.get(ace.object_type, 0))
        elif ace.kind is AceKind.DENY:
            denied[ace.object_type] = denied.get(ace.object_type, 0) | ace.rights
        else:
            conditional |= ace.rights
    return HeldRights(
        held=AccessMask(held & _BEYOND_READ), conditional=AccessMask(conditional & _BEYOND_READ)
    )


def _single_right(right: AccessMask) -> int:
    bit = int(right)
    if bit not in _SINGLE_RIGHTS:
        raise ValueError(f"{bit:#x} is not one directory right")
    return bit


def _decided_without_aces(descriptor: SecurityDescriptor, token: Token, bit: int) -> Decision | None:
    if descriptor.dacl is None:
        return Decision(granted=True, reason=Reason.NULL_DACL)
    if bit & _RIGHTS_OF_OWNER and bit & _implicit_rights_of_owner(descriptor, token):
        return Decision(granted=True, reason=Reason.OWNER)
    if not descriptor.dacl:
        return Decision(granted=False, reason=Reason.EMPTY_DACL)
    return None


def _implicit_rights_of_owner(descriptor: SecurityDescriptor, token: Token) -> int:
    """An owner reads and changes the DACL unless an effective OWNER RIGHTS ACE decides (MS-DTYP 2.5.3.2)."""
    if descriptor.owner not in token.sids:
        return 0
    overridden = any(
        ace.trustee == OWNER_RIGHTS_SID and not ace.flags & _INHERIT_ONLY and ace.kind is not AceKind.OTHER
        for ace in descriptor.dacl or ()
    )
    return 0 if overridden else _RIGHTS_OF_OWNER


def _applicable_aces(
    descriptor: SecurityDescriptor, token: Token, rights: int, object_sid: str | None
) -> Iterator[tuple[int, Ace]]:
    """Yield with their index the effective ACEs that name the token and carry one of the rights."""
    sids = token.sids
    stand_ins = _stand_ins(descriptor, token, object_sid)
    for index, ace in enumerate(descriptor.dacl or ()):
        if not ace.rights & rights or ace.flags & _INHERIT_ONLY or ace.kind is AceKind.OTHER:
            continue
        if ace.trustee in sids or ace.trustee in stand_ins:
            yield index, ace


def _stand_ins(descriptor: SecurityDescriptor, token: Token, object_sid: str | None) -> tuple[str, ...]:
    """Return the special SIDs that mean this token on this object (MS-ADTS 5.1.3.3, MS-DTYP 2.5.3.2)."""
    owner = (OWNER_RIGHTS_SID,) if descriptor.owner in token.sids else ()
    itself = (PRINCIPAL_SELF_SID,) if object_sid in token.sids else ()
    return owner + itself


def _covering(allows: dict[int, str | None], object_type: str | None) -> list[int]:
    """Return the indexes of the conditional ACEs that, if they held, would allow the object type."""
    return [index for index, allowed in allows.items() if allowed in {None, object_type}]


def _decided_by(index: int, ace: Ace, *, conditional: list[int]) -> Decision:
    return Decision(
        granted=ace.kind is AceKind.ALLOW,
        reason=Reason.ACE,
        ace_index=index,
        ace=ace,
        conditional=tuple(conditional),
    )
