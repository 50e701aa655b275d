"""Short ways to write ACEs and descriptors in tests."""

from __future__ import annotations

from dataclasses import replace

from auditor.acl import AccessMask, Ace, GuidKind, SecurityDescriptor, Token, well_known_guid

DOMAIN = "S-1-5-21-1004336348-1177238915-682003330"
ACCOUNT = f"{DOMAIN}-1104"
GROUP = f"{DOMAIN}-1200"
STRANGER = f"{DOMAIN}-4711"
OWNER = f"{DOMAIN}-512"
TOKEN = Token(frozenset({ACCOUNT, GROUP, "S-1-1-0", "S-1-5-11"}))

USER = well_known_guid("user", GuidKind.CLASS)
GROUP_CLASS = well_known_guid("group", GuidKind.CLASS)
INET_ORG_PERSON = well_known_guid("inetOrgPerson", GuidKind.CLASS)
MEMBER = well_known_guid("member", GuidKind.ATTRIBUTE)
PWD_LAST_SET = well_known_guid("pwdLastSet", GuidKind.ATTRIBUTE)
ACCOUNT_RESTRICTIONS = well_known_guid("User-Account-Restrictions", GuidKind.PROPERTY_SET)
RESET_PASSWORD = well_known_guid("User-Force-Change-Password", GuidKind.EXTENDED_RIGHT)

OI, CI, NP, IO, ID = 0x01, 0x02, 0x04, 0x08, 0x10
GENERIC_ALL = int(AccessMask.GENERIC_ALL)
CONDITION = b"artx\x00\x00\x00\x00"


def allow(mask, trustee=ACCOUNT, *, object_type=None, inherited=None, flags=0):
    return _ace(0x00, 0x05, mask=mask, trustee=trustee, types=(object_type, inherited), flags=flags)


def deny(mask, trustee=ACCOUNT, *, object_type=None, inherited=None, flags=0):
    return _ace(0x01, 0x06, mask=mask, trustee=trustee, types=(object_type, inherited), flags=flags)


def conditional_allow(mask, trustee=ACCOUNT, *, object_type=None, inherited=None, flags=0):
    ace = _ace(0x09, 0x0B, mask=mask, trustee=trustee, types=(object_type, inherited), flags=flags)
    return replace(ace, application_data=CONDITION)


def conditional_deny(mask, trustee=ACCOUNT, *, object_type=None, inherited=None, flags=0):
    ace = _ace(0x0A, 0x0C, mask=mask, trustee=trustee, types=(object_type, inherited), flags=flags)
    return replace(ace, application_data=CONDITION)


def descriptor(*aces, owner=OWNER, control=0x8004):
    return SecurityDescriptor(owner=owner, group=OWNER, control=control, dacl=aces)


def null_dacl(control=0x8004):
    return SecurityDescriptor(owner=OWNER, group=OWNER, control=control, dacl=None)


def _ace(simple, typed, *, mask, trustee, types, flags):
    return Ace(
        type=simple if types == (None, None) else typed,
        flags=flags,
        mask=int(mask),
        trustee=trustee,
        object_type=types[0],
        inherited_object_type=types[1],
    )
