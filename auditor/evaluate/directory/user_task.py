"""The user task on one container: create and delete users, full control of the users below it.

This is the delegation wizard's task "Create, delete, and manage user accounts" taken apart into atoms
and decided as the directory decides, for a given token.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

from auditor.acl import (
    FULL_CONTROL,
    RIGHTS_BEYOND_READ,
    AccessMask,
    AceKind,
    Decision,
    Reason,
    SecurityDescriptor,
    Token,
    aces_reaching_child,
    decide,
    decide_all,
    descriptor_of_child,
    narrow,
    rights_beyond_read,
)
from auditor.evaluate.directory.well_known import EVERYONE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.acl import Ace, InheritedAce

USER_CLASS = "bf967aba-0de6-11d0-a285-00aa003049e2"
_DISTINCT_DESCRIPTORS_KEPT = 1 << 12
USER_CHILD_RIGHTS = int(AccessMask.CREATE_CHILD | AccessMask.DELETE_CHILD)


class TaskPart(StrEnum):
    """The three parts of the task, in the words of the report."""

    CREATE = "create user objects"
    DELETE = "delete user objects"
    FULL_CONTROL = "full control of user objects below"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartDecision:
    """Whether one part is held on one container, and by which ACEs of that container's DACL.

    `is_wider` tells that a grant covers more than the part. `is_certain` is False when a conditional ACE could turn
    the answer. `is_partly_held` tells that some of the part is granted. `denied_by` is the deny ACE that defeats the
    part, or None.
    """

    part: TaskPart
    is_held: bool
    is_partly_held: bool
    is_certain: bool
    aces: tuple[Ace, ...]
    is_wider: bool
    denied_by: Ace | None
    is_null_dacl: bool

    @property
    def trustees(self) -> tuple[str, ...]:
        """The SIDs the grants are for, each once."""
        return tuple(dict.fromkeys(ace.trustee for ace in self.aces))


def decide_user_task(descriptor: SecurityDescriptor, token: Token) -> tuple[PartDecision, ...]:
    """Decide the three parts on one container (MS-ADTS 5.1.3.3, MS-DTYP 2.5.3.4)."""
    return _decide_user_task(narrow(descriptor, token), token)


@lru_cache(maxsize=_DISTINCT_DESCRIPTORS_KEPT)
def _decide_user_task(descriptor: SecurityDescriptor, token: Token) -> tuple[PartDecision, ...]:
    reaching = aces_reaching_child(descriptor.dacl, USER_CLASS)
    return (
        _child_right(TaskPart.CREATE, decide(descriptor, token, AccessMask.CREATE_CHILD, (USER_CLASS,))),
        _child_right(TaskPart.DELETE, decide(descriptor, token, AccessMask.DELETE_CHILD, (USER_CLASS,))),
        _full_control(descriptor, reaching, token),
    )


def _child_right(part: TaskPart, decision: Decision) -> PartDecision:
    ace = decision.ace
    return PartDecision(
        part=part,
        is_held=decision.granted,
        is_partly_held=decision.granted,
        is_certain=decision.is_certain,
        aces=(ace,) if decision.granted and ace is not None else (),
        is_wider=ace is None or ace.object_type is None,
        denied_by=ace if not decision.granted else None,
        is_null_dacl=decision.reason is Reason.NULL_DACL,
    )


def _full_control(descriptor: SecurityDescriptor, reaching: tuple[InheritedAce, ...], token: Token) -> PartDecision:
    own = descriptor.dacl or ()
    child = descriptor_of_child(reaching)
    decisions = [decide_all(child, token, right) for right in FULL_CONTROL]
    # Whoever lets everybody read is no trustee of the task.
    beyond_reading = [
        decision for decision, right in zip(decisions, FULL_CONTROL, strict=True) if right & RIGHTS_BEYOND_READ
    ]
    granting = {
        decision.ace_index for decision in beyond_reading if decision.granted and decision.ace_index is not None
    }
    denying = [decision.ace_index for decision in decisions if not decision.granted and decision.ace_index is not None]
    is_held = all(decision.granted for decision in decisions)
    aces = [reaching[index] for index in sorted(granting)]
    return PartDecision(
        part=TaskPart.FULL_CONTROL,
        is_held=is_held,
        is_partly_held=any(decision.granted for decision in beyond_reading),
        is_certain=all(decision.is_certain for decision in decisions),
        aces=tuple(own[each.parent_index] for each in aces) if is_held else (),
        is_wider=any(each.ace.inherited_object_type is None for each in aces),
        denied_by=own[reaching[denying[0]].parent_index] if denying else None,
        is_null_dacl=False,
    )


def holds_anything_for_users(descriptor: SecurityDescriptor, token: Token) -> bool:
    """Tell whether the token may do anything beyond reading that can touch users in or below a container.

    On the container itself, rights for other classes and for the container's own attributes do not
    count, nor on users the right to create something of a named class below them: nothing about a user
    can be done with them.
    """
    return _holds_anything_for_users(narrow(descriptor, token), token)


@lru_cache(maxsize=_DISTINCT_DESCRIPTORS_KEPT)
def _holds_anything_for_users(descriptor: SecurityDescriptor, token: Token) -> bool:
    reaching = aces_reaching_child(descriptor.dacl, USER_CLASS)
    below = descriptor_of_child(each for each in reaching if not _only_names_children(each.ace))
    if rights_beyond_read(below, token).held:
        return True
    on_itself = rights_beyond_read(_without_other_object_types(descriptor), token)
    return bool(on_itself.held)


def _only_names_children(ace: Ace) -> bool:
    return ace.object_type is not None and not ace.rights & ~USER_CHILD_RIGHTS


def _without_other_object_types(descriptor: SecurityDescriptor) -> SecurityDescriptor:
    if descriptor.dacl is None:
        return descriptor
    kept = tuple(ace for ace in descriptor.dacl if ace.object_type is None or _speaks_of_user_children(ace))
    return SecurityDescriptor(owner=descriptor.owner, group=descriptor.group, control=descriptor.control, dacl=kept)


def _speaks_of_user_children(ace: Ace) -> bool:
    return ace.object_type == USER_CLASS and bool(ace.rights & USER_CHILD_RIGHTS)


def is_deletion_guard(ace: Ace) -> bool:
    """Tell whether an ACE is what Windows puts on an OU when one below it is protected from accidental deletion."""
    return ace.trustee == EVERYONE and ace.object_type is None and ace.rights == int(AccessMask.DELETE_CHILD)


def may_be_defeated(descriptor: SecurityDescriptor, token: Token) -> bool:
    """Tell whether a deny ACE names someone who is not in `token` but could be, were it fully known."""
    return any(trustee not in token.sids for trustee in _denied(descriptor))


def _denied(descriptor: SecurityDescriptor) -> Iterator[str]:
    for ace in descriptor.dacl or ():
        if ace.kind in (AceKind.DENY, AceKind.CONDITIONAL_DENY):
            yield ace.trustee


def controls_user(descriptor: SecurityDescriptor, token: Token, user_sid: str | None) -> PartDecision:
    """Decide full control of one user that exists, on its own descriptor."""
    return _controls_user(narrow(descriptor, token), token, user_sid in token.sids)


@lru_cache(maxsize=_DISTINCT_DESCRIPTORS_KEPT)
def _controls_user(descriptor: SecurityDescriptor, token: Token, is_itself: bool) -> PartDecision:
    itself = next(iter(token.sids)) if is_itself else None
    decisions = [decide_all(descriptor, token, right, itself) for right in FULL_CONTROL]
    is_held = all(decision.granted for decision in decisions)
    aces = (decision.ace for decision in decisions if decision.granted and decision.ace is not None)
    denying = [decision.ace for decision in decisions if not decision.granted and decision.ace is not None]
    return PartDecision(
        part=TaskPart.FULL_CONTROL,
        is_held=is_held,
        is_partly_held=any(decision.granted for decision in decisions),
        is_certain=all(decision.is_certain for decision in decisions),
        aces=tuple(dict.fromkeys(aces)) if is_held else (),
        is_wider=False,
        denied_by=next(iter(denying), None),
        is_null_dacl=descriptor.dacl is None,
    )
