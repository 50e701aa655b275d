"""Everything a token may do with one object, by name; and descriptors reduced to what concerns a token."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from auditor.acl.access import OWNER_RIGHTS_SID, PRINCIPAL_SELF_SID, Token, decide
from auditor.acl.descriptor import SecurityDescriptor
from auditor.acl.rights import DIRECTORY_RIGHTS, AccessMask

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SPECIAL = frozenset({OWNER_RIGHTS_SID, PRINCIPAL_SELF_SID})
# Rights that hold for the object as a whole, named as in MS-ADTS 5.1.3.2.
_WHOLE_OBJECT = tuple(
    right
    for right in DIRECTORY_RIGHTS
    if right
    not in {
        AccessMask.CREATE_CHILD,
        AccessMask.DELETE_CHILD,
        AccessMask.READ_PROPERTY,
        AccessMask.WRITE_PROPERTY,
        AccessMask.VALIDATED_WRITE,
        AccessMask.CONTROL_ACCESS,
    }
)


def narrow(descriptor: SecurityDescriptor, token: Token) -> SecurityDescriptor:
    """Return the descriptor with nothing but what can matter to a token: every decision stays the same.

    ACEs keep their order and identity, not their index; where none is left, a decision's reason is EMPTY_DACL. Owner
    and group are dropped unless the owner is in the token; the control bits are dropped. Thousands of objects share few
    narrowed descriptors, which are hashable.
    """
    concerned = token.sids | _SPECIAL
    return SecurityDescriptor(
        owner=descriptor.owner if descriptor.owner in token.sids else None,
        group=None,
        control=0,
        dacl=None if descriptor.dacl is None else tuple([ace for ace in descriptor.dacl if ace.trustee in concerned]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Something an ACE can speak of: its name, and the lower-case GUIDs by which an ACE speaks of it."""

    name: str
    object_types: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """What there is to ask about objects of one class, whose lower-case GUID is `class_guid`."""

    class_guid: str | None = None
    child_classes: tuple[Named, ...] = ()
    attributes: tuple[Named, ...] = ()
    extended_rights: tuple[Named, ...] = ()
    validated_writes: tuple[Named, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectiveRights:
    """What is granted, by name. `conditional` names what a callback ACE's condition could turn, either way."""

    create_child: tuple[str, ...]
    delete_child: tuple[str, ...]
    write_property: tuple[str, ...]
    extended_rights: tuple[str, ...]
    validated_writes: tuple[str, ...]
    standard: tuple[str, ...]
    conditional: tuple[str, ...]


def effective_rights(
    descriptor: SecurityDescriptor, token: Token, vocabulary: Vocabulary, object_sid: str | None = None
) -> EffectiveRights:
    """Answer every question of a vocabulary about one object (MS-ADTS 5.1.3.3); `object_sid` as for `decide`.

    `standard` holds the rights on the object as a whole that are named in MS-ADTS 5.1.3.2: `DELETE`, `WRITE_DAC`
    and the like, `DELETE_TREE`, `LIST_CONTENTS` and `LIST_OBJECT` among them.
    """
    # The object's own SID matters only where the token holds it.
    return _effective_rights(narrow(descriptor, token), token, vocabulary, object_sid in token.sids)


@lru_cache(maxsize=1 << 12)
def _effective_rights(
    descriptor: SecurityDescriptor, token: Token, vocabulary: Vocabulary, is_self: bool
) -> EffectiveRights:
    itself = next(iter(token.sids)) if is_self else None
    conditional: dict[str, None] = {}

    def granted(right: AccessMask, asked: Iterable[Named]) -> Iterator[str]:
        for each in asked:
            decision = decide(descriptor, token, right, each.object_types, itself)
            if not decision.is_certain:
                conditional[each.name] = None
            if decision.granted:
                yield each.name

    own_class = () if vocabulary.class_guid is None else (vocabulary.class_guid,)
    return EffectiveRights(
        create_child=tuple(granted(AccessMask.CREATE_CHILD, vocabulary.child_classes)),
        delete_child=tuple(granted(AccessMask.DELETE_CHILD, vocabulary.child_classes)),
        write_property=tuple(granted(AccessMask.WRITE_PROPERTY, vocabulary.attributes)),
        extended_rights=tuple(granted(AccessMask.CONTROL_ACCESS, vocabulary.extended_rights)),
        validated_writes=tuple(granted(AccessMask.VALIDATED_WRITE, vocabulary.validated_writes)),
        standard=tuple(
            name
            for right in _WHOLE_OBJECT
            for name in granted(right, (Named(name=str(right.name), object_types=own_class),))
        ),
        conditional=tuple(conditional),
    )
