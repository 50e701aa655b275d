"""What the account holds for certain, and what it holds if conditions and unread memberships are in its favour.

Both are asked without Domain Admins (rule A2). A right that only a conditional ACE gives, or a group whose way from
the account could not be read, is neither held nor not held.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from auditor.acl import AceKind, SecurityDescriptor, Token
from auditor.model.message import say

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from auditor.acl import Ace
    from auditor.evaluate.directory.membership import Membership

    # Which ACEs give what is asked about, or None when it is not held; an empty tuple means that no ACE is needed.
    Question: TypeAlias = Callable[[SecurityDescriptor, Token], tuple[Ace, ...] | None]

OPEN = say("a condition, or a membership that could not be read, decides")
# MS-DTYP 2.4.4.1: callback ACEs and what they would be without their condition
_UNCONDITIONAL_TYPES = {0x09: 0x00, 0x0B: 0x05}
_DISTINCT_DESCRIPTORS_KEPT = 1 << 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """The SIDs that are certainly in the token, and with those that may be in it."""

    certain: Token
    possible: Token


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The ACEs that give what was asked about; not certain when a condition or an unread membership decides."""

    aces: tuple[Ace, ...]
    is_certain: bool


def holder_without_domain_admins(membership: Membership) -> Holder:
    """Return the account as it is after leaving Domain Admins."""
    certain = membership.without_domain_admins
    return Holder(certain=Token(certain), possible=Token(certain | membership.perhaps_without_domain_admins))


def ask(question: Question, descriptor: SecurityDescriptor, holder: Holder) -> Held | None:
    """Return what gives the account what `question` is about, or None when it holds it under no circumstances."""
    aces = question(descriptor, holder.certain)
    if aces is not None:
        return Held(aces=aces, is_certain=True)
    favoured, originals = in_its_favour(descriptor)
    if not originals and holder.possible == holder.certain:
        return None
    aces = question(favoured, holder.possible)
    return None if aces is None else Held(aces=tuple(originals.get(ace, ace) for ace in aces), is_certain=False)


@lru_cache(maxsize=_DISTINCT_DESCRIPTORS_KEPT)
def in_its_favour(descriptor: SecurityDescriptor) -> tuple[SecurityDescriptor, Mapping[Ace, Ace]]:
    """Return the descriptor as if every condition were in the token's favour, with the conditional ACE of each other.

    Callback ACEs that allow become plain ones, those that deny are left out. Without callback ACEs the mapping is
    empty and the descriptor the same.
    """
    originals: dict[Ace, Ace] = {}
    kept: list[Ace] = []
    for ace in descriptor.dacl or ():
        if ace.kind is AceKind.CONDITIONAL_ALLOW:
            plain = replace(ace, type=_UNCONDITIONAL_TYPES[ace.type], application_data=b"")
            originals[plain] = ace
            kept.append(plain)
        elif ace.kind is AceKind.CONDITIONAL_DENY:
            originals[ace] = ace
        else:
            kept.append(ace)
    if not originals:
        return descriptor, {}
    return replace(descriptor, dacl=tuple(kept)), originals
