"""Every ACE type there is: the twenty of MS-DTYP 2.4.4.1, and the rest of the byte."""

from __future__ import annotations

import struct
from uuid import UUID

import pytest

from auditor.acl import AccessMask, AceKind, decide, decide_all, parse_ace, parse_sid, rights_beyond_read, serialise_ace
from tests.unit.acl.aces import ACCOUNT, MEMBER, TOKEN, USER, descriptor

ALLOW, DENY, OTHER = AceKind.ALLOW, AceKind.DENY, AceKind.OTHER
CONDITIONAL_ALLOW, CONDITIONAL_DENY = AceKind.CONDITIONAL_ALLOW, AceKind.CONDITIONAL_DENY
SIMPLE = {
    0x00: ALLOW,
    0x01: DENY,
    0x02: OTHER,  # SYSTEM_AUDIT
    0x09: CONDITIONAL_ALLOW,  # ACCESS_ALLOWED_CALLBACK
    0x0A: CONDITIONAL_DENY,
    0x0D: OTHER,  # SYSTEM_AUDIT_CALLBACK
    0x11: OTHER,  # SYSTEM_MANDATORY_LABEL
    0x12: OTHER,  # SYSTEM_RESOURCE_ATTRIBUTE
    0x13: OTHER,  # SYSTEM_SCOPED_POLICY_ID
}
OBJECT = {
    0x05: ALLOW,
    0x06: DENY,
    0x07: OTHER,  # SYSTEM_AUDIT_OBJECT
    0x0B: CONDITIONAL_ALLOW,  # ACCESS_ALLOWED_CALLBACK_OBJECT
    0x0C: CONDITIONAL_DENY,
    0x0F: OTHER,  # SYSTEM_AUDIT_CALLBACK_OBJECT
}
# Reserved by MS-DTYP: alarms and the compound ACE. Windows has made types above 0x13 that it does not describe
WITHOUT_A_LAYOUT = [ace_type for ace_type in range(0x100) if ace_type not in {**SIMPLE, **OBJECT}]
ALL = 0xF01FF
BEHIND_THE_SID = b"artx\x01\x02\x03\x04"


def raw_ace(ace_type, body):
    return struct.pack("<BBH", ace_type, 0, 4 + len(body)) + body


@pytest.mark.parametrize(("ace_type", "kind"), SIMPLE.items())
def test_a_simple_ace_holds_mask_and_sid(ace_type, kind):
    raw = raw_ace(ace_type, struct.pack("<I", ALL) + parse_sid(ACCOUNT) + BEHIND_THE_SID)
    ace = parse_ace(raw)
    assert (ace.kind, ace.mask, ace.trustee, ace.is_object_ace) == (kind, ALL, ACCOUNT, False)
    assert (ace.object_type, ace.inherited_object_type, ace.application_data) == (None, None, BEHIND_THE_SID)
    assert serialise_ace(ace) == raw


@pytest.mark.parametrize(("ace_type", "kind"), OBJECT.items())
def test_an_object_ace_holds_types_before_the_sid(ace_type, kind):
    types = UUID(MEMBER).bytes_le + UUID(USER).bytes_le
    raw = raw_ace(ace_type, struct.pack("<II", ALL, 3) + types + parse_sid(ACCOUNT) + BEHIND_THE_SID)
    ace = parse_ace(raw)
    assert (ace.kind, ace.mask, ace.trustee, ace.is_object_ace) == (kind, ALL, ACCOUNT, True)
    assert (ace.object_type, ace.inherited_object_type, ace.application_data) == (MEMBER, USER, BEHIND_THE_SID)
    assert serialise_ace(ace) == raw


@pytest.mark.parametrize("ace_type", WITHOUT_A_LAYOUT)
def test_an_ace_without_a_documented_layout_is_carried_as_it_is(ace_type):
    looks_like_full_control = struct.pack("<I", ALL) + parse_sid(ACCOUNT)
    raw = raw_ace(ace_type, looks_like_full_control)
    ace = parse_ace(raw)
    assert (ace.kind, ace.mask, ace.rights, ace.trustee) == (OTHER, 0, 0, "")
    assert ace.application_data == looks_like_full_control
    assert serialise_ace(ace) == raw


@pytest.mark.parametrize("ace_type", range(0x100))
def test_only_allow_aces_grant_and_only_callback_aces_are_conditional(ace_type):
    types = struct.pack("<I", 0) if ace_type in OBJECT else b""
    ace = parse_ace(raw_ace(ace_type, struct.pack("<I", ALL) + types + parse_sid(ACCOUNT)))
    alone = descriptor(ace)
    for decision in (
        decide(alone, TOKEN, AccessMask.WRITE_PROPERTY, (MEMBER,)),
        decide_all(alone, TOKEN, AccessMask.WRITE_PROPERTY),
    ):
        assert decision.granted is (ace_type in {0x00, 0x05})
        assert decision.conditional == ((0,) if ace_type in {0x09, 0x0B} else ())
    rights = rights_beyond_read(alone, TOKEN)
    assert bool(rights.held) is (ace_type in {0x00, 0x05})
    assert bool(rights.conditional) is (ace_type in {0x09, 0x0A, 0x0B, 0x0C})


@pytest.mark.parametrize("ace_type", range(0x100))
def test_only_deny_aces_take_away_and_only_callback_aces_are_conditional(ace_type):
    types = struct.pack("<I", 0) if ace_type in OBJECT else b""
    first = parse_ace(raw_ace(ace_type, struct.pack("<I", ALL) + types + parse_sid(ACCOUNT)))
    allow = parse_ace(raw_ace(0x00, struct.pack("<I", ALL) + parse_sid(ACCOUNT)))
    decision = decide(descriptor(first, allow), TOKEN, AccessMask.WRITE_PROPERTY, (MEMBER,))
    assert decision.granted is (ace_type not in {0x01, 0x06})
    assert decision.conditional == ((0,) if ace_type in {0x0A, 0x0C} else ())
