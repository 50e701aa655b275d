"""Objects beside the target OUs, and a forest's schema, composed for the checks of what goes beyond the user task."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import UUID

from auditor.acl import (
    WELL_KNOWN_GUIDS,
    Ace,
    GuidKind,
    SecurityDescriptor,
    property_set_of,
    serialise_descriptor,
)
from tests.unit.evaluate.composed_directory import (
    DOMAIN_ADMINS,
    HEAD,
    READABLE,
    STAFF,
    Container,
    Directory,
    descriptor,
    entry,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.model.directory_entry import DirectoryEntry
    from auditor.model.results import Finding, Results

HOSTILE_NAMES = (
    r"Staff\, North",
    r"\"Quoted\" \+ back\\slash \= semi\;colon",
    "it\u2019s \u201cquoted\u201d \u201eoften\u201c",
    r"$(Remove-Item C:\\) `calc` %COMSPEC%",
    "\u200fright\u202eto left",
    r"\<script\>alert(1)\</script\>",
    r"\=HYPERLINK(\"http://example.com\"\,\"x\")",
    r"line\0Abreak\09tab\1B[2J",
)
VALID_ACCESSES = {
    GuidKind.EXTENDED_RIGHT: 0x100,
    GuidKind.PROPERTY_SET: 0x30,
    GuidKind.VALIDATED_WRITE: 0x8,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """An object with its descriptor's bytes, which entries carry only by their digest."""

    entry: DirectoryEntry
    raw: bytes | None


def placed(dn: str, *aces: Ace, control: int = 0, **attributes: object) -> Placed:
    """Build an object that everybody reads, with these ACEs after that."""
    return with_raw(dn, descriptor(READABLE, *aces, control=control), **attributes)


def with_raw(dn: str, raw: bytes | None, **attributes: object) -> Placed:
    """Build an object with a descriptor in bytes, or one that was withheld."""
    return Placed(entry=entry(dn, raw, **attributes), raw=raw)


def owned(owner: str | None, *aces: Ace) -> bytes:
    """Return the bytes of a descriptor with another owner."""
    return serialise_descriptor(SecurityDescriptor(owner=owner, group=DOMAIN_ADMINS, control=0x8004, dacl=aces))


def with_read(directory: Directory, dataset: str, *objects: Placed, subject: str = "") -> Directory:
    """Return the same directory with one more dataset read."""
    return replace(
        directory,
        reads={**directory.reads, (dataset, subject): tuple(each.entry for each in objects)},
        descriptors=(*directory.descriptors, *(each.raw for each in objects if each.raw is not None)),
    )


def target(*aces: Ace, control: int = 0, below: Mapping[str, bytes | None] | None = None) -> Directory:
    """Return the default directory with these ACEs on the target OU, whoever reads it, and containers below."""
    return with_target(descriptor(*aces, control=control), below)


def with_target(raw: bytes | None, below: Mapping[str, bytes | None] | None = None) -> Directory:
    """Return the default directory with another descriptor on the target OU."""
    return Directory(ous={STAFF: Container(raw=raw, below=below or {})})


def with_schema(
    directory: Directory,
    *,
    classes: Mapping[str, str] | None = None,
    attributes: Mapping[str, tuple[str, int]] | None = None,
    without: frozenset[str] = frozenset(),
) -> Directory:
    """Return the same directory with its schema read: what Windows ships, without some and with more.

    `classes` maps names to GUIDs, `attributes` to GUID and searchFlags.
    """
    known = [(name, guid, kind) for (guid, kind), name in WELL_KNOWN_GUIDS.items() if name not in without]
    all_classes = {name: guid for name, guid, kind in known if kind is GuidKind.CLASS} | dict(classes or {})
    all_attributes = {name: (guid, 0) for name, guid, kind in known if kind is GuidKind.ATTRIBUTE}
    all_attributes |= attributes or {}
    rights = [(name, guid, kind) for name, guid, kind in known if kind in VALID_ACCESSES]
    found = with_read(directory, "schema_classes", *(_class(name, guid) for name, guid in all_classes.items()))
    found = with_read(found, "schema_attributes", *(_attribute(name, *known) for name, known in all_attributes.items()))
    return with_read(found, "extended_rights", *(_right(*each) for each in rights))


def _class(name: str, guid: str) -> Placed:
    return _schema_object(name, lDAPDisplayName=name, schemaIDGUID=UUID(guid).bytes_le)


def _attribute(name: str, guid: str, search_flags: int) -> Placed:
    property_set = property_set_of(guid) if (guid, GuidKind.ATTRIBUTE) in WELL_KNOWN_GUIDS else None
    in_set = {} if property_set is None else {"attributeSecurityGUID": UUID(property_set).bytes_le}
    return _schema_object(
        name, lDAPDisplayName=name, schemaIDGUID=UUID(guid).bytes_le, searchFlags=search_flags, **in_set
    )


def _right(name: str, guid: str, kind: GuidKind) -> Placed:
    return _schema_object(name, cn=name, rightsGuid=guid, validAccesses=VALID_ACCESSES[kind])


def _schema_object(name: str, **attributes: object) -> Placed:
    return with_raw(f"CN={name},CN=Schema,CN=Configuration,{HEAD}", None, **attributes)


def outcomes_of(results: Results, *prefixes: str) -> set[tuple[str, str]]:
    """Return check and outcome of every finding of these checks."""
    return {(each.check, str(each.outcome)) for each in results.findings if each.check.startswith(prefixes)}


def the_finding(results: Results, check: str) -> Finding:
    """Return the one finding of a check."""
    (found,) = (each for each in results.findings if each.check == check)
    return found
