"""Windows security descriptors: bytes to ACEs to an access decision. Imports nothing of this project."""

from __future__ import annotations

from auditor.acl.access import (
    OWNER_RIGHTS_SID,
    PRINCIPAL_SELF_SID,
    Decision,
    HeldRights,
    Reason,
    Token,
    decide,
    decide_all,
    rights_beyond_read,
)
from auditor.acl.ace import Ace, AceFlag, AceKind, MalformedDescriptor, parse_ace, serialise_ace
from auditor.acl.atoms import AppliesTo, Atom, atoms_of
from auditor.acl.descriptor import ControlFlag, SecurityDescriptor, parse_descriptor, serialise_descriptor
from auditor.acl.effective import EffectiveRights, Named, Vocabulary, effective_rights, narrow
from auditor.acl.guids import (
    WELL_KNOWN_GUIDS,
    GuidKind,
    name_of_object_type,
    object_types_of_property,
    property_set_of,
    well_known_attributes_of,
    well_known_guid,
)
from auditor.acl.inheritance import InheritedAce, aces_reaching_child, descriptor_of_child
from auditor.acl.rights import (
    DIRECTORY_RIGHTS,
    FULL_CONTROL,
    READ_RIGHTS,
    RIGHTS_BEYOND_READ,
    AccessMask,
    map_generic_rights,
    rights_in_words,
)
from auditor.acl.sddl import format_ace_sddl, format_descriptor_sddl
from auditor.acl.sid import domain_of_sid, format_sid, parse_sid, rid_of_sid

__all__ = [
    "DIRECTORY_RIGHTS",
    "FULL_CONTROL",
    "OWNER_RIGHTS_SID",
    "PRINCIPAL_SELF_SID",
    "READ_RIGHTS",
    "RIGHTS_BEYOND_READ",
    "WELL_KNOWN_GUIDS",
    "AccessMask",
    "Ace",
    "AceFlag",
    "AceKind",
    "AppliesTo",
    "Atom",
    "ControlFlag",
    "Decision",
    "EffectiveRights",
    "GuidKind",
    "HeldRights",
    "InheritedAce",
    "MalformedDescriptor",
    "Named",
    "Reason",
    "SecurityDescriptor",
    "Token",
    "Vocabulary",
    "aces_reaching_child",
    "atoms_of",
    "decide",
    "decide_all",
    "descriptor_of_child",
    "domain_of_sid",
    "effective_rights",
    "format_ace_sddl",
    "format_descriptor_sddl",
    "format_sid",
    "map_generic_rights",
    "name_of_object_type",
    "narrow",
    "object_types_of_property",
    "parse_ace",
    "parse_descriptor",
    "parse_sid",
    "property_set_of",
    "rid_of_sid",
    "rights_beyond_read",
    "rights_in_words",
    "serialise_ace",
    "serialise_descriptor",
    "well_known_attributes_of",
    "well_known_guid",
]
