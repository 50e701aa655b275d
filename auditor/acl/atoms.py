"""ACEs taken apart into their smallest comparable grants."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

from auditor.acl.ace import AceKind
from auditor.acl.rights import DIRECTORY_RIGHTS, AccessMask

if TYPE_CHECKING:
    from auditor.acl.ace import Ace

_DISTINCT_ACES_KEPT = 1 << 12


class AppliesTo(StrEnum):
    """Where an atom takes effect. The three never overlap; an ACE usually covers more than one."""

    THIS_OBJECT = "this_object"
    DIRECT_CHILDREN = "direct_children"
    DEEPER_DESCENDANTS = "deeper_descendants"


@dataclass(frozen=True, slots=True, kw_only=True)
class Atom:
    """One right for one trustee in one place.

    `right` is a single bit. `object_type` and `inherited_object_type` are lower-case GUIDs, or None for any.
    `condition` is the application data of a callback ACE, None when the atom is unconditional.
    """

    trustee: str
    right: AccessMask
    object_type: str | None
    inherited_object_type: str | None
    applies_to: AppliesTo
    allow: bool
    condition: bytes | None


@lru_cache(maxsize=_DISTINCT_ACES_KEPT)
def atoms_of(ace: Ace) -> frozenset[Atom]:
    """Return the atoms of an ACE; the union over merged ACEs equals that over split ones.

    Generic rights are mapped first and bits that mean nothing on a directory object are dropped. Whether the
    ACE was inherited makes no difference. The inherited object type limits inheritance only, so atoms of this
    object have none. An ACE of a kind that grants and denies nothing has no atoms.
    """
    if ace.kind is AceKind.OTHER:
        return frozenset()
    is_conditional = ace.kind in {AceKind.CONDITIONAL_ALLOW, AceKind.CONDITIONAL_DENY}
    return frozenset(
        Atom(
            trustee=ace.trustee,
            right=right,
            object_type=ace.object_type,
            inherited_object_type=None if place is AppliesTo.THIS_OBJECT else ace.inherited_object_type,
            applies_to=place,
            allow=ace.kind in {AceKind.ALLOW, AceKind.CONDITIONAL_ALLOW},
            condition=ace.application_data if is_conditional else None,
        )
        for right in DIRECTORY_RIGHTS
        if ace.rights & right
        for place in _places(ace)
    )


def _places(ace: Ace) -> tuple[AppliesTo, ...]:
    this_object = () if ace.is_inherit_only else (AppliesTo.THIS_OBJECT,)
    if not ace.container_inherit:
        return this_object
    if ace.no_propagate:
        return (*this_object, AppliesTo.DIRECT_CHILDREN)
    return (*this_object, AppliesTo.DIRECT_CHILDREN, AppliesTo.DEEPER_DESCENDANTS)
