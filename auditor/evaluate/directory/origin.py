"""Where an inherited access control entry comes from."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from auditor.model.directory_entry import record_to_entry
from auditor.model.distinguished_name import dns_above
from auditor.model.message import say

if TYPE_CHECKING:
    from auditor.acl import Ace
    from auditor.model.evidence import Evidence

UNKNOWN_ORIGIN = say("an object above whose descriptor could not be read")
_CONTAINERS = ("ancestors", "target_ou", "group_ou", "containers", "domain", "other_containers")


class InheritanceSources:
    """The objects that others inherit from, by DN."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence

    @cached_property
    def _descriptors(self) -> dict[str, str | None]:
        return {
            entry.dn: entry.descriptor
            for dataset in _CONTAINERS
            for _, read in self._evidence.reads_of(dataset)
            for entry in map(record_to_entry, read)
        }

    def origin_of(self, dn: str, ace: Ace, class_guid: str | None) -> str:
        """Return the DN of the closest object above `dn` that carries an inherited ACE explicitly.

        `class_guid` is the lower-case GUID of the class of the object that inherited it.
        """
        for container in dns_above(dn):
            descriptor = self._evidence.descriptor(self._descriptors.get(container))
            if descriptor is not None and any(hands_down(own, ace, class_guid) for own in descriptor.dacl or ()):
                return container
        return UNKNOWN_ORIGIN


def hands_down(own: Ace, inherited: Ace, class_guid: str | None) -> bool:
    """Tell whether an explicit ACE of an object above is what a child of a class inherited (MS-DTYP 2.5.3.4).

    Where generic rights are mapped for the child, its copy no longer names the class it was meant for.
    """
    same_grant = (own.kind, own.trustee, own.rights, own.object_type) == (
        inherited.kind,
        inherited.trustee,
        inherited.rights,
        inherited.object_type,
    )
    same_class = own.inherited_object_type == inherited.inherited_object_type or (
        inherited.inherited_object_type is None and own.inherited_object_type == class_guid
    )
    return same_grant and same_class and own.container_inherit and not own.is_inherited
