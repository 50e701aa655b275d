"""Security descriptors as text in the security descriptor definition language (MS-DTYP 2.5.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.acl.ace import AceFlag, AceKind
from auditor.acl.descriptor import ControlFlag
from auditor.acl.rights import AccessMask

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.acl.ace import Ace
    from auditor.acl.descriptor import SecurityDescriptor

_ACE_TYPES: dict[int, str] = {
    0x00: "A", 0x01: "D", 0x02: "AU", 0x05: "OA", 0x06: "OD", 0x07: "OU",
    0x09: "XA", 0x0A: "XD", 0x0B: "ZA", 0x0D: "XU", 0x11: "ML", 0x12: "RA", 0x13: "SP",
}  # fmt: skip
_ACE_FLAGS: dict[int, str] = {
    AceFlag.OBJECT_INHERIT: "OI", AceFlag.CONTAINER_INHERIT: "CI", AceFlag.NO_PROPAGATE_INHERIT: "NP",
    AceFlag.INHERIT_ONLY: "IO", AceFlag.INHERITED: "ID", 0x40: "SA", 0x80: "FA",
}  # fmt: skip
_RIGHTS: dict[int, str] = {
    AccessMask.CREATE_CHILD: "CC", AccessMask.DELETE_CHILD: "DC", AccessMask.LIST_CONTENTS: "LC",
    AccessMask.VALIDATED_WRITE: "SW", AccessMask.READ_PROPERTY: "RP", AccessMask.WRITE_PROPERTY: "WP",
    AccessMask.DELETE_TREE: "DT", AccessMask.LIST_OBJECT: "LO", AccessMask.CONTROL_ACCESS: "CR",
    AccessMask.DELETE: "SD", AccessMask.READ_CONTROL: "RC", AccessMask.WRITE_DAC: "WD",
    AccessMask.WRITE_OWNER: "WO", AccessMask.GENERIC_ALL: "GA", AccessMask.GENERIC_EXECUTE: "GX",
    AccessMask.GENERIC_WRITE: "GW", AccessMask.GENERIC_READ: "GR",
}  # fmt: skip
# Plain integers, since flag arithmetic costs several times more
_FLAG_BITS = {int(flag): letters for flag, letters in _ACE_FLAGS.items()}
_RIGHT_BITS = {int(right): letters for right, letters in _RIGHTS.items()}
_DACL_FLAGS: dict[int, str] = {
    ControlFlag.DACL_PROTECTED: "P",
    ControlFlag.DACL_AUTO_INHERIT_REQUIRED: "AR",
    ControlFlag.DACL_AUTO_INHERITED: "AI",
}
# Only SIDs that are the same in every domain; those of a domain (DA, EA and the like) stay in full.
_SIDS: dict[str, str] = {
    "S-1-1-0": "WD", "S-1-3-0": "CO", "S-1-3-1": "CG", "S-1-3-4": "OW",
    "S-1-5-2": "NU", "S-1-5-4": "IU", "S-1-5-6": "SU", "S-1-5-7": "AN", "S-1-5-9": "ED", "S-1-5-10": "PS",
    "S-1-5-11": "AU", "S-1-5-12": "RC", "S-1-5-18": "SY", "S-1-5-19": "LS", "S-1-5-20": "NS",
    "S-1-5-32-544": "BA", "S-1-5-32-545": "BU", "S-1-5-32-546": "BG", "S-1-5-32-547": "PU",
    "S-1-5-32-548": "AO", "S-1-5-32-549": "SO", "S-1-5-32-550": "PO", "S-1-5-32-551": "BO",
    "S-1-5-32-552": "RE", "S-1-5-32-554": "RU", "S-1-5-32-555": "RD", "S-1-5-32-556": "NO",
}  # fmt: skip


def format_descriptor_sddl(descriptor: SecurityDescriptor) -> str:
    """Return owner, group and DACL as SDDL; a NULL DACL is `D:NO_ACCESS_CONTROL`, an absent one left out."""
    owner = "" if descriptor.owner is None else f"O:{_format_sid(descriptor.owner)}"
    group = "" if descriptor.group is None else f"G:{_format_sid(descriptor.group)}"
    return owner + group + _format_dacl(descriptor)


def format_ace_sddl(ace: Ace) -> str:
    """Return one ACE as SDDL.

    What SDDL has no letters for stands in hexadecimal: types, flags and rights it does not know, and what
    follows the SID (a condition is shown as its bytes, since it is not evaluated either).
    """
    fields = [
        _ACE_TYPES.get(ace.type, f"0x{ace.type:02x}"),
        _format_bits(ace.flags, _FLAG_BITS),
        _format_bits(ace.mask, _RIGHT_BITS),
        ace.object_type or "",
        ace.inherited_object_type or "",
        _format_sid(ace.trustee),
    ]
    if ace.application_data or ace.kind in {AceKind.CONDITIONAL_ALLOW, AceKind.CONDITIONAL_DENY}:
        fields.append(f"(#{ace.application_data.hex()})")
    return f"({';'.join(fields)})"


def _format_dacl(descriptor: SecurityDescriptor) -> str:
    if descriptor.dacl is None:
        return "D:NO_ACCESS_CONTROL" if descriptor.control & ControlFlag.DACL_PRESENT else ""
    flags = "".join(letters for flag, letters in _DACL_FLAGS.items() if descriptor.control & flag)
    return f"D:{flags}" + "".join(format_ace_sddl(ace) for ace in descriptor.dacl)


def _format_bits(value: int, letters: Mapping[int, str]) -> str:
    if value & ~sum(letters):
        return f"0x{value:x}"
    return "".join(name for bit, name in letters.items() if value & bit)


def _format_sid(sid: str) -> str:
    return _SIDS.get(sid, sid)
