"""Where an inherited access control entry comes from."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from auditor.model.directory_entry import record_to_entry
from auditor.model.distinguished_name import dns_above

if TYPE_CHECKING:
    from auditor.acl import Ace
    from auditor.model.evidence import Evidence

UNKNOWN_ORIGIN = "an object above whose descriptor could not be read"
_CONTAINERS = ("ancestors", "target_ou", "group_ou", "containers", "domain")


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

    def origin_of(self, dn: str, ace: Ace) -> str:
        """Return the DN of the closest object above `dn` that carries an inherited ACE explicitly."""
        for container in dns_above(dn):
            descriptor = self._evidence.descriptor(self._descriptors.get(container))
            if descriptor is not None and any(hands_down(own, ace) for own in descriptor.dacl or ()):
                return container
        return UNKNOWN_ORIGIN


def hands_down(own: Ace, inherited: Ace) -> bool:
    """Tell whether an explicit ACE of an object above is what a child inherited (MS-DTYP 2.5.3.4)."""
    same_grant = (own.kind, own.trustee, own.rights, own.object_type, own.inherited_object_type) == (
        inherited.kind,
        inherited.trustee,
        inherited.rights,
        inherited.object_type,
        inherited.inherited_object_type,
    )
    return same_grant and own.container_inherit and not own.is_inherited
