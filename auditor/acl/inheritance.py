"""Which ACEs of a container take effect on objects below it (MS-DTYP 2.5.3.4)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from auditor.acl.ace import Ace, AceFlag
from auditor.acl.descriptor import ControlFlag, SecurityDescriptor

if TYPE_CHECKING:
    from collections.abc import Iterable

_CONTAINER_INHERIT = int(AceFlag.CONTAINER_INHERIT)
_NO_PROPAGATE = int(AceFlag.NO_PROPAGATE_INHERIT)
_INHERIT_ONLY = int(AceFlag.INHERIT_ONLY)
_INHERITED = int(AceFlag.INHERITED)
_PROPAGATION = int(AceFlag.OBJECT_INHERIT | AceFlag.CONTAINER_INHERIT | AceFlag.NO_PROPAGATE_INHERIT)
_DISTINCT_ACES_KEPT = 1 << 15


@dataclass(frozen=True, slots=True, kw_only=True)
class InheritedAce:
    """An ACE as it takes effect on a child, and its index in the DACL of the container it comes from."""

    ace: Ace
    parent_index: int


def aces_reaching_child(
    aces: tuple[Ace, ...] | None, child_class_guid: str, *, parent_is_direct: bool = True
) -> tuple[InheritedAce, ...]:
    """Return what a new object of a class below a container inherits and is bound by, in stored order.

    `aces` is the container's DACL; a NULL DACL (None) hands nothing down. `child_class_guid` is the
    lower-case schemaIDGUID of the child's structural class: an ACE for another inherited object type does
    not bind it, not even one for a superclass. `parent_is_direct` is False for objects further below, which
    no-propagate ACEs do not reach. Protected DACLs in between and the child's own explicit ACEs are the
    caller's to consider. CREATOR OWNER stays as it is: a token that also holds S-1-3-0 is the creator's.
    """
    return tuple(
        InheritedAce(ace=_on_child(ace), parent_index=index)
        for index, ace in enumerate(aces or ())
        if ace.flags & _CONTAINER_INHERIT
        and (ace.inherited_object_type is None or ace.inherited_object_type == child_class_guid)
        and (parent_is_direct or not ace.flags & _NO_PROPAGATE)
    )


def descriptor_of_child(inherited: Iterable[InheritedAce]) -> SecurityDescriptor:
    """Return a descriptor with the inherited ACEs alone and no owner: what a container gives its children.

    Its DACL has the order of `inherited`, so an index in a decision is an index there.
    """
    return SecurityDescriptor(
        owner=None,
        group=None,
        control=int(ControlFlag.SELF_RELATIVE | ControlFlag.DACL_PRESENT),
        dacl=tuple(each.ace for each in inherited),
    )


@lru_cache(maxsize=_DISTINCT_ACES_KEPT)
def _on_child(ace: Ace) -> Ace:
    flags = ace.flags & ~_INHERIT_ONLY | _INHERITED
    if flags & _NO_PROPAGATE:
        flags &= ~_PROPAGATION
    return replace(ace, flags=flags)
