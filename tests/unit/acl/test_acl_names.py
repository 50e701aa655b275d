"""Rights, GUIDs and SDDL: what a reader sees."""

from __future__ import annotations

from uuid import UUID

import pytest

from auditor.acl import (
    WELL_KNOWN_GUIDS,
    AccessMask,
    Ace,
    GuidKind,
    format_ace_sddl,
    format_descriptor_sddl,
    name_of_object_type,
    object_types_of_property,
    property_set_of,
    rights_in_words,
    well_known_attributes_of,
    well_known_guid,
)
from tests.unit.acl.aces import (
    ACCOUNT,
    ACCOUNT_RESTRICTIONS,
    CI,
    IO,
    MEMBER,
    PWD_LAST_SET,
    USER,
    allow,
    conditional_allow,
    deny,
    descriptor,
    null_dacl,
)

LOCKOUT_TIME = well_known_guid("lockoutTime", GuidKind.ATTRIBUTE)


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (0, ()),
        (0x30, ("read property", "write property")),
        (0xF01FF, ("full control",)),
        (0x1000_0000, ("full control",)),
        (0x1F01FF, ("full control", "synchronize")),
        (0x101, ("create child objects", "extended right")),
        (0x0000_0201, ("create child objects", "0x200")),
    ],
)
def test_rights_in_words(mask, words):
    assert rights_in_words(mask) == words


def test_every_guid_is_canonical_lower_case_text():
    assert all(str(UUID(guid)) == guid for guid, _ in WELL_KNOWN_GUIDS)


def test_no_guid_is_lost_to_another_of_its_kind():
    for kind in GuidKind:
        names = [name for (_, each), name in WELL_KNOWN_GUIDS.items() if each is kind]
        assert all(WELL_KNOWN_GUIDS[well_known_guid(name, kind), kind] == name for name in names)


@pytest.mark.parametrize(
    ("guid", "right", "name"),
    [
        (MEMBER, AccessMask.WRITE_PROPERTY, "member"),
        (MEMBER, AccessMask.VALIDATED_WRITE, "Self-Membership"),
        (MEMBER, AccessMask.CREATE_CHILD, None),
        (USER, AccessMask.CREATE_CHILD, "user"),
        (USER, AccessMask.WRITE_PROPERTY, "user"),
        ("00299570-246d-11d0-a768-00aa006e0529", AccessMask.CONTROL_ACCESS, "User-Force-Change-Password"),
        ("00299570-246d-11d0-a768-00aa006e0529", AccessMask.WRITE_PROPERTY, None),
        ("72e39547-7b18-11d1-adef-00c04fd8d5cd", AccessMask.WRITE_PROPERTY, "DNS-Host-Name-Attributes"),
        ("72e39547-7b18-11d1-adef-00c04fd8d5cd", AccessMask.VALIDATED_WRITE, "Validated-DNS-Host-Name"),
        ("ffffffff-0000-0000-0000-000000000000", AccessMask.WRITE_PROPERTY, None),
    ],
)
def test_a_guid_is_named_by_the_right_it_comes_with(guid, right, name):
    assert name_of_object_type(guid, right) == name


def test_a_property_is_spoken_of_by_itself_its_set_and_its_class():
    assert object_types_of_property(PWD_LAST_SET, USER) == (PWD_LAST_SET, ACCOUNT_RESTRICTIONS, USER)
    assert object_types_of_property(LOCKOUT_TIME, USER) == (LOCKOUT_TIME, USER)


def test_an_unknown_attribute_is_not_taken_for_one_without_a_set():
    assert property_set_of(LOCKOUT_TIME) is None
    with pytest.raises(KeyError):
        property_set_of("ffffffff-0000-0000-0000-000000000000")


def test_account_restrictions_contain_resource_based_delegation():
    delegation = well_known_guid("msDS-AllowedToActOnBehalfOfOtherIdentity", GuidKind.ATTRIBUTE)
    assert {delegation, PWD_LAST_SET} <= set(well_known_attributes_of(ACCOUNT_RESTRICTIONS))


@pytest.mark.parametrize(
    ("ace", "sddl"),
    [
        (allow(3, object_type=USER, flags=CI), f"(OA;CI;CCDC;{USER};;{ACCOUNT})"),
        (allow(0x1000_0000, inherited=USER, flags=CI | IO), f"(OA;CIIO;GA;;{USER};{ACCOUNT})"),
        (deny(0xF01FF, "S-1-1-0"), "(D;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;WD)"),
        (allow(0x201, "S-1-5-32-544"), "(A;;0x201;;;BA)"),
        (allow(1, flags=0x22), f"(A;0x22;CC;;;{ACCOUNT})"),
        (allow(1, "S-1-5-21-1-2-3-512"), "(A;;CC;;;S-1-5-21-1-2-3-512)"),
        (conditional_allow(1), f"(XA;;CC;;;{ACCOUNT};(#6172747800000000))"),
        (Ace(type=0x0C, mask=1, trustee="S-1-5-18"), "(0x0c;;CC;;;SY;(#))"),
        (Ace(type=0x77, mask=0, trustee="", application_data=b"\x01\x02"), "(0x77;;;;;;(#0102))"),
    ],
)
def test_one_ace_as_sddl(ace, sddl):
    assert format_ace_sddl(ace) == sddl


def test_a_descriptor_as_sddl_tells_null_absent_and_empty_apart():
    head = "O:S-1-5-21-1004336348-1177238915-682003330-512G:S-1-5-21-1004336348-1177238915-682003330-512"
    assert format_descriptor_sddl(descriptor(control=0x9504)) == head + "D:PARAI"
    assert format_descriptor_sddl(null_dacl(control=0x8004)) == head + "D:NO_ACCESS_CONTROL"
    assert format_descriptor_sddl(null_dacl(control=0x8000)) == head
