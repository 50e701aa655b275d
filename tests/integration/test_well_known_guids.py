"""The built-in table of GUIDs beside the schema of a directory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import ldap3
import pytest

from auditor.acl import WELL_KNOWN_GUIDS, GuidKind, property_set_of
from tests.lab.cases import AUDITOR
from tests.lab.queries import read

if TYPE_CHECKING:
    from tests.lab.domain_controller import DomainController

pytestmark = pytest.mark.directory

# Younger than the lab's schema, that of Windows Server 2012 R2
YOUNGER = frozenset({"msDS-KeyCredentialLink", "msDS-DelegatedManagedServiceAccount"})
KINDS = {
    b"classSchema": GuidKind.CLASS,
    b"attributeSchema": GuidKind.ATTRIBUTE,
    b"256": GuidKind.EXTENDED_RIGHT,  # validAccesses, MS-ADTS 5.1.3.2.1
    b"48": GuidKind.PROPERTY_SET,
    b"16": GuidKind.PROPERTY_SET,
    b"8": GuidKind.VALIDATED_WRITE,
}

Entry = dict[str, list[bytes]]


@pytest.fixture(scope="module")
def schema(domain_controller: DomainController) -> list[Entry]:
    """Every class, attribute and control access right of the directory."""
    configuration = f"CN=Configuration,{domain_controller.domain.head}"
    wanted: tuple[tuple[str, Any], ...] = (
        (f"CN=Schema,{configuration}", "(|(objectClass=classSchema)(objectClass=attributeSchema))"),
        (f"CN=Extended-Rights,{configuration}", "(objectClass=controlAccessRight)"),
    )
    names = (
        "objectClass",
        "lDAPDisplayName",
        "schemaIDGUID",
        "attributeSecurityGUID",
        "cn",
        "rightsGuid",
        "validAccesses",
    )
    with domain_controller.sign_in(AUDITOR) as connection:
        return [
            entry
            for base, only in wanted
            for entry in read(connection, base, *names, scope=ldap3.LEVEL, only=only).values()
        ]


def test_the_built_in_names_are_the_directorys(schema: list[Entry]) -> None:
    known = {(guid_of(entry), kind_of(entry)): name_of(entry) for entry in schema}
    built_in = {key: name for key, name in WELL_KNOWN_GUIDS.items() if name not in YOUNGER}
    assert {key: known.get(key) for key in built_in} == built_in


def test_the_built_in_property_sets_are_the_directorys(schema: list[Entry]) -> None:
    sets = {guid_of(entry): property_set_guid(entry) for entry in schema if kind_of(entry) is GuidKind.ATTRIBUTE}
    built_in = [
        guid for (guid, kind), name in WELL_KNOWN_GUIDS.items() if kind is GuidKind.ATTRIBUTE and name not in YOUNGER
    ]
    assert {guid: sets[guid] for guid in built_in} == {guid: property_set_of(guid) for guid in built_in}


def kind_of(entry: Entry) -> GuidKind:
    return KINDS[entry["validAccesses"][0] if "validAccesses" in entry else entry["objectClass"][-1]]


def guid_of(entry: Entry) -> str:
    if "rightsGuid" in entry:
        return entry["rightsGuid"][0].decode().lower()
    return str(UUID(bytes_le=entry["schemaIDGUID"][0]))


def name_of(entry: Entry) -> str:
    return (entry["cn"] if "rightsGuid" in entry else entry["lDAPDisplayName"])[0].decode()


def property_set_guid(entry: Entry) -> str | None:
    values = entry.get("attributeSecurityGUID")
    return str(UUID(bytes_le=values[0])) if values else None
