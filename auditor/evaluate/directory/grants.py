"""What the entries of a descriptor really give a token beyond reading, entry by entry."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from auditor.acl import (
    DIRECTORY_RIGHTS,
    OWNER_RIGHTS_SID,
    RIGHTS_BEYOND_READ,
    AccessMask,
    Ace,
    AceKind,
    SecurityDescriptor,
    Token,
    aces_reaching_child,
    decide,
    decide_all,
    descriptor_of_child,
    format_ace_sddl,
    narrow,
)
from auditor.evaluate.directory.holder import ask
from auditor.evaluate.directory.user_task import USER_CHILD_RIGHTS, USER_CLASS
from auditor.evaluate.listing import digest_of
from auditor.model.message import Message, data, joined, say

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from auditor.evaluate.directory.holder import Holder, Question
    from auditor.evaluate.directory.membership import Membership
    from auditor.evaluate.directory.subtree import Alike, Container
    from auditor.model.results import Path

_BEYOND_READ = tuple(right for right in DIRECTORY_RIGHTS if right & RIGHTS_BEYOND_READ)
_DISTINCT_DESCRIPTORS_KEPT = 1 << 12
_NAMES_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """The rights beyond reading that one allow ACE of a container gives a token and no earlier deny takes away."""

    ace: Ace
    rights: AccessMask


def is_of_the_user_task(grant: Grant) -> bool:
    """Tell whether a grant on a container is the user task's: create and delete users."""
    return grant.ace.object_type == USER_CLASS and not int(grant.rights) & ~USER_CHILD_RIGHTS


def grants_on(descriptor: SecurityDescriptor, token: Token) -> tuple[Grant, ...]:
    """Return what each ACE gives on the object itself."""
    return _grants(narrow(descriptor, token), token)


def grants_below(descriptor: SecurityDescriptor, token: Token, class_guid: str) -> tuple[Grant, ...]:
    """Return what each ACE of a container gives on objects of a class below it; the ACEs are the container's."""
    return _grants_below(narrow(descriptor, token), token, class_guid)


@lru_cache(maxsize=_DISTINCT_DESCRIPTORS_KEPT)
def _grants(descriptor: SecurityDescriptor, token: Token) -> tuple[Grant, ...]:
    allowing = (ace for ace in descriptor.dacl or () if ace.kind is AceKind.ALLOW and not ace.is_inherit_only)
    found = (Grant(ace=ace, rights=_effective(descriptor, token, ace)) for ace in allowing)
    return tuple(grant for grant in found if grant.rights)


@lru_cache(maxsize=_DISTINCT_DESCRIPTORS_KEPT)
def _grants_below(descriptor: SecurityDescriptor, token: Token, class_guid: str) -> tuple[Grant, ...]:
    reaching = aces_reaching_child(descriptor.dacl, class_guid)
    own = {each.ace: (descriptor.dacl or ())[each.parent_index] for each in reaching}
    return tuple(
        Grant(ace=own[grant.ace], rights=grant.rights) for grant in _grants(descriptor_of_child(reaching), token)
    )


def _effective(descriptor: SecurityDescriptor, token: Token, ace: Ace) -> AccessMask:
    if ace.trustee not in token.sids:
        return AccessMask(0)
    object_types = () if ace.object_type is None else (ace.object_type,)
    held = AccessMask(0)
    for right in _BEYOND_READ:
        if ace.rights & right and decide(descriptor, token, right, object_types).granted:
            held |= right
    return held


@lru_cache(maxsize=_DISTINCT_DESCRIPTORS_KEPT)
def _aces_granting(
    descriptor: SecurityDescriptor, token: Token, rights: AccessMask, object_types: tuple[str, ...] | None
) -> tuple[Ace, ...] | None:
    decisions = {
        right: decide_all(descriptor, token, right)
        if object_types is None
        else decide(descriptor, token, right, object_types)
        for right in DIRECTORY_RIGHTS
        if rights & right
    }
    if not all(decision.granted for decision in decisions.values()):
        return None
    telling = rights & RIGHTS_BEYOND_READ or rights
    return tuple(
        dict.fromkeys(decision.ace for right, decision in decisions.items() if right & telling and decision.ace)
    )


def aces_granting(
    descriptor: SecurityDescriptor, token: Token, rights: AccessMask, object_types: tuple[str, ...] | None = None
) -> tuple[Ace, ...] | None:
    """Return the ACEs that give every one of `rights` on the object itself, or None when one is not held.

    Without `object_types` each right must be held for every object type at once. Where more than reading is asked
    for, the ACEs that give no more than reading are left out. An empty tuple means that no ACE is needed: the DACL is
    NULL, or ownership gives it.
    """
    return _aces_granting(narrow(descriptor, token), token, rights, object_types)


def aces_granting_below(
    descriptor: SecurityDescriptor,
    token: Token,
    class_guid: str,
    rights: AccessMask,
    object_types: tuple[str, ...] | None = None,
) -> tuple[Ace, ...] | None:
    """Return the container's ACEs that give every one of `rights` on new objects of a class below it, or None."""
    narrowed = narrow(descriptor, token)
    reaching = aces_reaching_child(narrowed.dacl, class_guid)
    own = {each.ace: (narrowed.dacl or ())[each.parent_index] for each in reaching}
    aces = _aces_granting(descriptor_of_child(reaching), token, rights, object_types)
    return None if aces is None else tuple(own[ace] for ace in aces)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A container and the ACEs there that answer a question, for certain or perhaps."""

    container: Container
    aces: tuple[Ace, ...]
    is_certain: bool


def places_where(groups: Iterable[Alike], question: Question, holder: Holder) -> tuple[Place, ...]:
    """Return the containers on which the answer is certainly yes; where there is none, those where it may be."""
    answers = ((group, ask(question, group.descriptor, holder)) for group in groups)
    places = tuple(
        Place(container=container, aces=held.aces, is_certain=held.is_certain)
        for group, held in answers
        if held is not None
        for container in group.containers
    )
    return tuple(place for place in places if place.is_certain) or places


def path_to_ace(membership: Membership, container: Container, ace: Ace) -> Path:
    """Return the way from the account to an ACE's trustee, without Domain Admins, ending in the ACE."""
    dacl = container.descriptor.dacl if container.descriptor else None
    index = dacl.index(ace) if dacl else 0
    step = say("ACE {index} on {dn}", index=index, dn=container.dn)
    return (*membership.path_without_domain_admins_to(ace.trustee), step)


def describe_places(places: Sequence[Place]) -> Message:
    """Say where something is held and by which entries; long lists are counted."""
    told = [
        say("{dn} ({entries})", dn=place.container.dn, entries=entries_in_words(place.container, place.aces))
        for place in places
    ]
    more = ""
    if rest := told[_NAMES_SHOWN:]:
        more = say("; and on {count} more (digest {digest})", count=len(rest), digest=digest_of(rest))
    return joined("", (joined("; ", told[:_NAMES_SHOWN]), more))


def entries_in_words(container: Container, aces: Iterable[Ace]) -> Message:
    """Return entries in SDDL, each once, or why none is needed."""
    shown = " ".join(dict.fromkeys(map(format_ace_sddl, aces)))
    if shown:
        return data(shown)
    dacl = container.descriptor.dacl if container.descriptor else ()
    if dacl is None:
        return say("no entry is needed: the DACL is NULL")
    # Where such an entry stands, ownership implies nothing (MS-ADTS 6.1.3.4)
    if any(ace.trustee == OWNER_RIGHTS_SID and not ace.is_inherit_only for ace in dacl):
        return say("by ownership, of which Owner Rights decide what it implies")
    return say("no entry is needed: by ownership")
