"""A composed domain of any size: units with descriptors, groups nested deeply, accounts with many memberships."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from auditor.acl import (
    FULL_CONTROL,
    READ_RIGHTS,
    WELL_KNOWN_GUIDS,
    AccessMask,
    Ace,
    AceFlag,
    ControlFlag,
    GuidKind,
    SecurityDescriptor,
    aces_reaching_child,
    parse_sid,
    property_set_of,
    serialise_descriptor,
    well_known_guid,
)
from tests.unit.collect.directory.scripted_server import CONFIGURATION, HEAD, ROOT_DSE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.unit.collect.directory.scripted_server import Attributes

SCHEMA = f"CN=Schema,{CONFIGURATION}"
RIGHTS = f"CN=Extended-Rights,{CONFIGURATION}"
CERTIFICATE_SERVICES = f"CN=Public Key Services,CN=Services,{CONFIGURATION}"
_CONTAINERS = (
    f"CN=Users,{HEAD}",
    f"CN=System,{HEAD}",
    f"CN=AdminSDHolder,CN=System,{HEAD}",
    f"CN=Policies,CN=System,{HEAD}",
    RIGHTS,
    CERTIFICATE_SERVICES,
)
LARGE_ROOT_DSE: Attributes = {
    **ROOT_DSE, "namingContexts": [HEAD, CONFIGURATION, SCHEMA], "schemaNamingContext": [SCHEMA]
}  # fmt: skip
DOMAIN = "S-1-5-21-1004336348-1177238915-682003330"
STAFF, GROUPS = f"OU=Staff,{HEAD}", f"OU=Groups,{HEAD}"
SERVICE, AUDITOR = f"CN=svc,OU=Service accounts,{HEAD}", f"CN=auditor,OU=Service accounts,{HEAD}"
UNIT, USER = well_known_guid("organizationalUnit", GuidKind.CLASS), well_known_guid("user", GuidKind.CLASS)
UNITS_IN_EACH = 10
_HELPDESK, _FIRST_NESTED, _FIRST_LIST = 1300, 10_000, 20_000  # RIDs
_ALLOW, _ALLOW_OBJECT = 0x00, 0x05
_SCHEMA_CLASSES = {GuidKind.CLASS: "classSchema", GuidKind.ATTRIBUTE: "attributeSchema"}
_VALID_ACCESSES = {  # MS-ADTS 5.1.3.2.1
    GuidKind.EXTENDED_RIGHT: "256", GuidKind.PROPERTY_SET: "48", GuidKind.VALIDATED_WRITE: "8"
}  # fmt: skip
_CONTAINER_INHERIT, _INHERIT_ONLY = int(AceFlag.CONTAINER_INHERIT), int(AceFlag.INHERIT_ONLY)
_READABLE = Ace(type=_ALLOW, flags=_CONTAINER_INHERIT, mask=int(READ_RIGHTS), trustee="S-1-5-11")


def large_domain(*, units: int, nested_groups: int, mailing_lists: int, users: int) -> dict[str, Attributes]:
    """Return the objects of a domain by DN.

    The account is in the innermost of the nested groups, each of which is in the next; the outermost one holds the
    user task on Staff, below which the units lie, ten in each. The last of them blocks inheritance. The account is in
    all mailing lists besides, and the users are spread over the units. Staff is also listed by the helpdesk, of which
    the account is no member.
    """
    objects: dict[str, Attributes] = {
        HEAD: {
            "objectClass": ["top", "domain", "domainDNS"],
            "objectSid": [parse_sid(DOMAIN)],
            "nTSecurityDescriptor": [descriptor((_READABLE,))],
        },
        GROUPS: unit((_READABLE,)),
        f"OU=Service accounts,{HEAD}": unit((_READABLE,)),
        f"OU=Domain Controllers,{HEAD}": unit((_READABLE,)),
        **{dn: {**unit((_READABLE,)), "objectClass": ["top", "container"]} for dn in _CONTAINERS},
        CONFIGURATION: {**unit((_READABLE,)), "objectClass": ["top", "configuration"]},
        SCHEMA: {**unit((_READABLE,)), "objectClass": ["top", "dMD"]},
        AUDITOR: account("auditor", 1105, groups=(), token=()),
        group_dn("Domain Users"): group("Domain Users", 513, ()),
        f"CN=helpdesk,CN=Users,{HEAD}": group("helpdesk", _HELPDESK, ()),
        **dict(_in_every_domain()),
    }
    nested = tuple(f"nested {number}" for number in range(nested_groups))
    lists = tuple(f"list {number}" for number in range(mailing_lists))
    tokens = tuple(range(_FIRST_NESTED, _FIRST_NESTED + nested_groups))
    objects[SERVICE] = account("svc", 1104, groups=(nested[0], *lists), token=tokens)
    for number, name in enumerate(nested):
        objects[group_dn(name)] = group(name, _FIRST_NESTED + number, nested[number + 1 : number + 2])
    for number, name in enumerate(lists):
        objects[group_dn(name)] = group(name, _FIRST_LIST + number, ())
    return objects | dict(_schema()) | dict(_staff(units, users, f"{DOMAIN}-{tokens[-1]}"))


def _in_every_domain() -> Iterator[tuple[str, Attributes]]:
    for rid in (500, 502, 512, 516, 517, 520):
        yield f"CN=privileged {rid},CN=Users,{HEAD}", group(f"privileged {rid}", rid, ())
    for rid in (544, 548, 549, 550, 551, 552):
        built_in = {"objectSid": [parse_sid(f"S-1-5-32-{rid}")]}
        yield f"CN=built-in {rid},CN=Builtin,{HEAD}", group(f"built-in {rid}", rid, ()) | built_in
    yield f"CN=dc1,OU=Domain Controllers,{HEAD}", {
        "objectClass": ["top", "person", "organizationalPerson", "user", "computer"],
        "objectSid": [parse_sid(f"{DOMAIN}-1000")],
        "primaryGroupID": ["516"],
        "nTSecurityDescriptor": [descriptor((_READABLE,))],
    }
    yield f"CN=S-1-5-11,CN=ForeignSecurityPrincipals,{HEAD}", {
        "objectClass": ["top", "foreignSecurityPrincipal"],
        "objectSid": [parse_sid("S-1-5-11")],
        "nTSecurityDescriptor": [descriptor((_READABLE,))],
    }


def unit_dn(number: int) -> str:
    """Return the DN of a unit; 0 is Staff itself."""
    return STAFF if number == 0 else f"OU=unit {number},{unit_dn((number - 1) // UNITS_IN_EACH)}"


def group_dn(name: str) -> str:
    """Return the DN of a group."""
    return f"CN={name},{GROUPS}"


def unit(dacl: tuple[Ace, ...], *, protected: bool = False) -> Attributes:
    return {
        "objectClass": ["top", "organizationalUnit"],
        "nTSecurityDescriptor": [descriptor(dacl, protected=protected)],
    }


def group(name: str, rid: int, member_of: tuple[str, ...]) -> Attributes:
    return {
        "objectClass": ["top", "group"],
        "sAMAccountName": [name],
        "objectSid": [parse_sid(f"{DOMAIN}-{rid}")],
        "groupType": ["-2147483646"],
        "memberOf": [group_dn(each) for each in member_of],
        "nTSecurityDescriptor": [descriptor((_READABLE,))],
    }


def account(name: str, rid: int, *, groups: tuple[str, ...], token: tuple[int, ...]) -> Attributes:
    return {
        "objectClass": ["top", "person", "organizationalPerson", "user"],
        "sAMAccountName": [name],
        "userPrincipalName": [f"{name}@corp.example.com"],
        "objectSid": [parse_sid(f"{DOMAIN}-{rid}")],
        "userAccountControl": ["512"],
        "primaryGroupID": ["513"],
        "memberOf": [group_dn(each) for each in groups],
        "tokenGroups": [parse_sid(f"{DOMAIN}-{each}") for each in (513, *token)],
        "nTSecurityDescriptor": [descriptor((_READABLE,))],
    }


def descriptor(dacl: tuple[Ace, ...], *, protected: bool = False) -> bytes:
    control = ControlFlag.SELF_RELATIVE | (ControlFlag.DACL_PROTECTED if protected else 0)
    owner = f"{DOMAIN}-512"
    return serialise_descriptor(SecurityDescriptor(owner=owner, group=owner, control=int(control), dacl=dacl))


def _staff(units: int, users: int, trustee: str) -> Iterator[tuple[str, Attributes]]:
    task = (
        Ace(
            type=_ALLOW_OBJECT,
            flags=_CONTAINER_INHERIT,
            mask=int(AccessMask.CREATE_CHILD | AccessMask.DELETE_CHILD),
            trustee=trustee,
            object_type=USER,
        ),
        Ace(
            type=_ALLOW_OBJECT,
            flags=_CONTAINER_INHERIT | _INHERIT_ONLY,
            mask=int(FULL_CONTROL),
            trustee=trustee,
            inherited_object_type=USER,
        ),
    )
    helpdesk = Ace(type=_ALLOW, mask=int(AccessMask.LIST_CONTENTS), trustee=f"{DOMAIN}-{_HELPDESK}")
    here = (*task, helpdesk, _READABLE)
    below = tuple(each.ace for each in aces_reaching_child(here, UNIT)) + _for_users(here)
    on_users = tuple(each.ace for each in aces_reaching_child(here, USER))
    yield STAFF, unit(here)
    for number in range(1, units + 1):
        is_last = number == units
        yield unit_dn(number), unit((_READABLE,) if is_last else below, protected=is_last)
    for number in range(users):
        name = f"user {number}"
        person = account(name, 30_000 + number, groups=(), token=())
        yield f"CN={name},{unit_dn(number % units)}", {**person, "nTSecurityDescriptor": [descriptor(on_users)]}


def _for_users(dacl: tuple[Ace, ...]) -> tuple[Ace, ...]:
    """Return what a unit hands on to users without being bound by it itself."""
    inherited = int(AceFlag.INHERITED)
    return tuple(
        Ace(type=ace.type, flags=ace.flags | inherited, mask=ace.mask, trustee=ace.trustee, inherited_object_type=USER)
        for ace in dacl
        if ace.inherited_object_type == USER
    )


def _schema() -> Iterator[tuple[str, Attributes]]:
    """What the built-in table knows, so that a schema that is not read in full means the same."""
    for (guid, kind), name in WELL_KNOWN_GUIDS.items():
        if kind in _SCHEMA_CLASSES:
            property_set = property_set_of(guid) if kind is GuidKind.ATTRIBUTE else None
            yield (
                f"CN={name},{SCHEMA}",
                {
                    "objectClass": ["top", _SCHEMA_CLASSES[kind]],
                    "lDAPDisplayName": [name],
                    "schemaIDGUID": [UUID(guid).bytes_le],
                    "attributeSecurityGUID": [UUID(property_set).bytes_le] if property_set else [],
                },
            )
        else:
            yield (
                f"CN={name},{RIGHTS}",
                {
                    "objectClass": ["top", "controlAccessRight"],
                    "cn": [name],
                    "rightsGuid": [guid],
                    "validAccesses": [_VALID_ACCESSES[kind]],
                },
            )
