"""Where an inherited access control entry comes from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from auditor.evaluate.directory.well_known import CREATOR_GROUP, CREATOR_OWNER
from auditor.model.directory_entry import record_to_entry
from auditor.model.distinguished_name import dns_above, parsed_dn
from auditor.model.message import data, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from auditor.acl import Ace, SecurityDescriptor
    from auditor.model.evidence import Evidence
    from auditor.model.message import Message

_CONTAINERS = ("ancestors", "target_ou", "group_ou", "containers", "domain", "other_containers")
_CREATORS = (CREATOR_OWNER, CREATOR_GROUP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The object above that hands an inherited ACE down, in words; `dn` where its entry names the trustee itself."""

    words: Message
    dn: str | None = None


_NOT_READ = Origin(words=say("an object above whose descriptor could not be read"))
_GONE = Origin(words=say("an object above that no longer hands it down"))


class InheritanceSources:
    """The objects that others inherit from, by DN."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence

    @cached_property
    def _descriptors(self) -> Mapping[str, str | None]:
        return {
            entry.dn: entry.descriptor
            for dataset in _CONTAINERS
            for _, read in self._evidence.reads_of(dataset)
            for entry in map(record_to_entry, read)
        }

    def origin_of(self, dn: str, ace: Ace, class_guid: str | None) -> Origin:
        """Return where an inherited ACE of an object comes from.

        `class_guid` is the lower-case GUID of the class of the object that inherited it.
        """
        return origin_of(dn, ace, class_guid, lambda above: self._evidence.descriptor(self._descriptors.get(above)))


def origin_of(
    dn: str, ace: Ace, class_guid: str | None, descriptor_of: Callable[[str], SecurityDescriptor | None]
) -> Origin:
    """Return the closest object above `dn` that carries an inherited ACE explicitly, or why none can be named.

    `descriptor_of` returns the descriptor of an object above by its DN, None when it was not read.
    """
    is_read = True
    for above in _inherited_from(dn):
        descriptor = descriptor_of(above)
        if descriptor is None:
            is_read = False
            continue
        handing = {own.trustee for own in descriptor.dacl or () if hands_down(own, ace, class_guid)}
        if ace.trustee in handing:
            return Origin(words=data(above), dn=above)
        if handing:
            return Origin(words=say("{dn}, by its entry for whoever creates an object", dn=above))
    return _GONE if is_read else _NOT_READ


def hands_down(own: Ace, inherited: Ace, class_guid: str | None) -> bool:
    """Tell whether an explicit ACE of an object above is what a child of a class inherited (MS-DTYP 2.5.3.4).

    Where generic rights are mapped for the child, its copy no longer names the class it was meant for. Where it is
    meant for the creator, its copy names who that was.
    """
    same_grant = (own.kind, own.rights, own.object_type) == (inherited.kind, inherited.rights, inherited.object_type)
    same_class = own.inherited_object_type == inherited.inherited_object_type or (
        inherited.inherited_object_type is None and own.inherited_object_type == class_guid
    )
    same_trustee = own.trustee == inherited.trustee or own.trustee in _CREATORS
    return same_grant and same_class and same_trustee and own.container_inherit and not own.is_inherited


def _inherited_from(dn: str) -> Iterator[str]:
    """Yield the DNs above up to the head of the domain, which inherits nothing, the closest first."""
    name = dn
    for above in dns_above(dn):
        if _is_head(name):
            return
        name = above
        yield above


@lru_cache(maxsize=1 << 12)
def _is_head(dn: str) -> bool:
    name = parsed_dn(dn)
    return name is not None and name.is_dc_form
