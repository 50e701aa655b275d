"""Who may change an object so that they hold what it holds: by which right, through which ACE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.acl import (
    OWNER_RIGHTS_SID,
    PRINCIPAL_SELF_SID,
    AccessMask,
    AceKind,
    GuidKind,
    Reason,
    Token,
    decide,
    well_known_guid,
)
from auditor.evaluate.directory.well_known import CREATOR_GROUP, CREATOR_OWNER, EVERYONE, IN_EVERY_TOKEN
from auditor.model.message import Message, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.acl import Ace, Decision, SecurityDescriptor
    from auditor.evaluate.directory.schema import DirectorySchema


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """One way to take an object over, in words, and the right it takes: as `decide` asks for it."""

    words: Message
    right: AccessMask
    object_types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Controller:
    """A trustee with the powers it holds and the ACEs, with their index, that give them.

    `owns` tells that ownership gives some of them; `perhaps` are powers that depend on a callback ACE's condition.
    Without any ACE and without ownership, the DACL is NULL and everybody holds everything.
    """

    trustee: str
    powers: tuple[str, ...]
    perhaps: tuple[str, ...]
    aces: tuple[tuple[int, Ace], ...]
    owns: bool


def powers_over_account(schema: DirectorySchema, structural_class: str) -> tuple[Power, ...]:
    """Return the ways to take over an account: its password, its credentials, its permissions."""
    return (
        _extended(say("reset the password"), "User-Force-Change-Password"),
        *_written(schema, structural_class, say("write key credentials"), "msDS-KeyCredentialLink"),
        *_written(schema, structural_class, say("write certificate mappings"), "altSecurityIdentities"),
        *_written(schema, structural_class, say("write service principal names"), "servicePrincipalName"),
        _validated(say("write service principal names"), "Validated-SPN"),
        *_PERMISSIONS,
    )


def powers_over_members(schema: DirectorySchema) -> tuple[Power, ...]:
    """Return the ways to decide who is a member of a group."""
    return (*_written(schema, "group", say("change the members"), "member"), *_PERMISSIONS)


def powers_over_group(schema: DirectorySchema) -> tuple[Power, ...]:
    """Return the ways to become a member of a group, or to decide who does."""
    return (
        *powers_over_members(schema),
        _validated(say("add itself as a member"), "Self-Membership"),
        *_written(schema, "group", say("change who manages the group"), "managedBy"),
    )


_PERMISSIONS = (
    Power(words=say("change the permissions"), right=AccessMask.WRITE_DAC),
    Power(words=say("change the owner"), right=AccessMask.WRITE_OWNER),
)


def _extended(words: Message, name: str) -> Power:
    guid = well_known_guid(name, GuidKind.EXTENDED_RIGHT)
    return Power(words=words, right=AccessMask.CONTROL_ACCESS, object_types=(guid,))


def _validated(words: Message, name: str) -> Power:
    guid = well_known_guid(name, GuidKind.VALIDATED_WRITE)
    return Power(words=words, right=AccessMask.VALIDATED_WRITE, object_types=(guid,))


def _written(schema: DirectorySchema, structural_class: str, words: Message, attribute: str) -> Iterator[Power]:
    """Yield the power to write an attribute; nothing when this directory has no such attribute."""
    types = schema.object_types(attribute, structural_class)
    if types or not schema.is_from_directory:
        yield Power(words=words, right=AccessMask.WRITE_PROPERTY, object_types=types)


def controllers_of(descriptor: SecurityDescriptor, powers: tuple[Power, ...]) -> tuple[Controller, ...]:
    """Return each trustee of a descriptor with the powers it holds by itself, in the order of the ACEs.

    What denies everybody denies each of them as well. A trustee's other groups are not known: a deny for one of them
    is not counted.
    """
    if descriptor.dacl is None:
        words = tuple(dict.fromkeys(power.words for power in powers))
        return (Controller(trustee=EVERYONE, powers=words, perhaps=(), aces=(), owns=False),)
    named = dict.fromkeys(ace.trustee for ace in descriptor.dacl if ace.kind in _GIVING)
    trustees = [*named, *([descriptor.owner] if descriptor.owner is not None else ())]
    found = (
        control_of(descriptor, Token(frozenset({trustee, *IN_EVERY_TOKEN})), powers, trustee)
        for trustee in dict.fromkeys(trustees)
        if trustee not in _IN_NO_TOKEN
    )
    return tuple(each for each in found if each.powers or each.perhaps)


# They stand for others, and for nobody on the object itself where creators are meant (MS-DTYP 2.4.2.4).
_IN_NO_TOKEN = frozenset({PRINCIPAL_SELF_SID, OWNER_RIGHTS_SID, CREATOR_OWNER, CREATOR_GROUP})
_GIVING = (AceKind.ALLOW, AceKind.CONDITIONAL_ALLOW)


def control_of(
    descriptor: SecurityDescriptor, token: Token, powers: tuple[Power, ...], trustee: str | None = None
) -> Controller:
    """Return the powers of a token; with a `trustee`, one of its SIDs, only those that it has as that trustee."""
    held: list[str] = []
    perhaps: list[str] = []
    aces: dict[int, Ace] = {}
    owns = False
    for power in powers:
        decision = decide(descriptor, token, power.right, power.object_types)
        if decision.granted and _is_of(descriptor, decision, trustee):
            held.append(power.words)
            owns |= decision.reason is Reason.OWNER
            if decision.ace is not None and decision.ace_index is not None:
                aces[decision.ace_index] = decision.ace
        elif not decision.granted:
            conditional = {index: (descriptor.dacl or ())[index] for index in decision.conditional}
            own = {index: ace for index, ace in conditional.items() if trustee in (None, ace.trustee)}
            perhaps += [power.words] if own else []
            aces |= own
    return Controller(
        trustee=trustee or "",
        powers=tuple(dict.fromkeys(held)),
        perhaps=tuple(word for word in dict.fromkeys(perhaps) if word not in held),
        aces=tuple(sorted(aces.items())),
        owns=owns,
    )


def _is_of(descriptor: SecurityDescriptor, decision: Decision, trustee: str | None) -> bool:
    if trustee is None or decision.ace is None:
        return trustee is None or descriptor.owner == trustee
    return decision.ace.trustee == trustee or (decision.ace.trustee == OWNER_RIGHTS_SID and descriptor.owner == trustee)
