"""What the directory calls classes, attributes and rights, and which of them an ACE's GUID speaks of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import UUID

from auditor.acl import (
    WELL_KNOWN_GUIDS,
    AccessMask,
    GuidKind,
    Named,
    Vocabulary,
    property_set_of,
)
from auditor.model.directory_entry import record_to_entry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from auditor.model.directory_entry import DirectoryEntry
    from auditor.model.evidence import Evidence

# systemFlags and searchFlags bits, MS-ADTS 2.2.10 and 2.2.9
_CONSTRUCTED = 0x4
_CONFIDENTIAL = 0x80
# validAccesses of a controlAccessRight, MS-ADTS 5.1.3.2.1
_KINDS_BY_VALID_ACCESSES = {
    0x100: GuidKind.EXTENDED_RIGHT,
    0x30: GuidKind.PROPERTY_SET,
    0x10: GuidKind.PROPERTY_SET,
    0x20: GuidKind.PROPERTY_SET,
    0x8: GuidKind.VALIDATED_WRITE,
}
_KINDS_OF_RIGHT: dict[AccessMask, tuple[GuidKind, ...]] = {
    AccessMask.READ_PROPERTY: (GuidKind.ATTRIBUTE, GuidKind.PROPERTY_SET, GuidKind.CLASS),
    AccessMask.WRITE_PROPERTY: (GuidKind.ATTRIBUTE, GuidKind.PROPERTY_SET, GuidKind.CLASS),
    AccessMask.CONTROL_ACCESS: (GuidKind.EXTENDED_RIGHT, GuidKind.ATTRIBUTE, GuidKind.PROPERTY_SET),
    AccessMask.VALIDATED_WRITE: (GuidKind.VALIDATED_WRITE,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeSchema:
    """One attribute: its own GUID, that of its property set, and whether a client may ever write or freely read it.

    `is_confidential` attributes are read with CONTROL_ACCESS besides READ_PROPERTY (MS-ADTS 3.1.1.4.4).
    """

    name: str
    guid: str
    property_set: str | None
    is_writable: bool = True
    is_confidential: bool = False

    @property
    def own_object_types(self) -> tuple[str, ...]:
        """The attribute's GUID and that of its property set, if it is in one."""
        return (self.guid,) if self.property_set is None else (self.guid, self.property_set)


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlAccessRight:
    """An extended right, property set or validated write, and the GUIDs of the classes it applies to."""

    name: str
    guid: str
    kind: GuidKind
    applies_to: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectorySchema:
    """Names and GUIDs as this directory has them; where it was not read, as Windows ships them.

    Keys of `classes` and `attributes` are lower-case names. `vocabularies` is keyed by structural class.
    """

    classes: Mapping[str, str]
    attributes: Mapping[str, AttributeSchema]
    rights: tuple[ControlAccessRight, ...]
    names: Mapping[tuple[str, GuidKind], str]
    vocabularies: Mapping[str, Vocabulary]
    is_from_directory: bool

    def name_of(self, guid: str, right: AccessMask) -> str:
        """Return the name of an object type in an ACE that carries `right`; the GUID itself when it has none."""
        kinds = _KINDS_OF_RIGHT.get(right, (GuidKind.CLASS,))
        return next((self.names[guid, kind] for kind in kinds if (guid, kind) in self.names), guid)

    def name_of_class(self, guid: str) -> str:
        """Return the name of a class; the GUID itself when it has none."""
        return self.names.get((guid, GuidKind.CLASS), guid)

    def object_types(self, attribute: str, structural_class: str) -> tuple[str, ...]:
        """Return what an ACE may name and still speak of an attribute of an object (MS-ADTS 5.1.3.3.3).

        Empty when the directory has no such attribute.
        """
        known = self.attributes.get(attribute.lower())
        if known is None:
            return ()
        own_class = self.classes.get(structural_class.lower())
        return known.own_object_types if own_class is None else (*known.own_object_types, own_class)

    def right_guid(self, name: str) -> str | None:
        """Return the GUID of an extended right by its name."""
        return next(
            (each.guid for each in self.rights if each.name == name and each.kind is GuidKind.EXTENDED_RIGHT), None
        )


def read_schema(evidence: Evidence) -> DirectorySchema:
    """Build the schema from evidence; where that is not whole it is filled up with what Windows ships."""
    is_whole = _is_whole(evidence)
    classes = ({} if is_whole else _well_known_classes()) | {
        name: guid for name, guid in map(_class, _entries(evidence, "schema_classes")) if name and guid
    }
    attributes = {each.name.lower(): each for each in (() if is_whole else _well_known_attributes())} | {
        each.name.lower(): each for each in map(_attribute, _entries(evidence, "schema_attributes")) if each
    }
    rights = tuple(each for each in map(_right, _entries(evidence, "extended_rights")) if each) or tuple(
        _well_known_rights()
    )
    spelled = {entry.text("lDAPDisplayName") for entry in _entries(evidence, "schema_classes")}
    spelling = {name.lower(): name for name in spelled if name}
    names = (
        dict(WELL_KNOWN_GUIDS)
        | {(guid, GuidKind.CLASS): spelling.get(name, WELL_KNOWN_GUIDS.get((guid, GuidKind.CLASS), name))
           for name, guid in classes.items()}
        | {(each.guid, GuidKind.ATTRIBUTE): each.name for each in attributes.values()}
        | {(each.guid, each.kind): each.name for each in rights}
    )  # fmt: skip
    schema = DirectorySchema(
        classes=classes,
        attributes=attributes,
        rights=rights,
        names=names,
        vocabularies={},
        is_from_directory=is_whole,
    )
    vocabularies = {
        subject: _vocabulary(schema, subject, record_to_entry(record))
        for subject, read in evidence.reads_of("class_vocabulary")
        for record in read
    }
    return replace(schema, vocabularies=vocabularies)


def _is_whole(evidence: Evidence) -> bool:
    reads = (evidence.read(dataset) for dataset in ("schema_classes", "schema_attributes", "extended_rights"))
    return all(read.absence_is_proven for read in reads)


def _entries(evidence: Evidence, dataset: str) -> Iterator[DirectoryEntry]:
    return map(record_to_entry, evidence.read(dataset))


def _well_known_classes() -> dict[str, str]:
    return {name.lower(): guid for (guid, kind), name in WELL_KNOWN_GUIDS.items() if kind is GuidKind.CLASS}


def _well_known_attributes() -> Iterator[AttributeSchema]:
    for (guid, kind), name in WELL_KNOWN_GUIDS.items():
        if kind is GuidKind.ATTRIBUTE:
            yield AttributeSchema(name=name, guid=guid, property_set=property_set_of(guid))


def _well_known_rights() -> Iterator[ControlAccessRight]:
    for (guid, kind), name in WELL_KNOWN_GUIDS.items():
        if kind in {GuidKind.EXTENDED_RIGHT, GuidKind.PROPERTY_SET, GuidKind.VALIDATED_WRITE}:
            yield ControlAccessRight(name=name, guid=guid, kind=kind, applies_to=frozenset())


def _class(entry: DirectoryEntry) -> tuple[str, str | None]:
    return (entry.text("lDAPDisplayName") or "").lower(), _guid(entry, "schemaIDGUID")


def _attribute(entry: DirectoryEntry) -> AttributeSchema | None:
    name, guid = entry.text("lDAPDisplayName"), _guid(entry, "schemaIDGUID")
    if name is None or guid is None:
        return None
    is_back_link = (entry.integer("linkID") or 0) % 2 == 1
    is_constructed = bool((entry.integer("systemFlags") or 0) & _CONSTRUCTED)
    is_system_only = entry.text("systemOnly") == "TRUE"
    return AttributeSchema(
        name=name,
        guid=guid,
        property_set=_guid(entry, "attributeSecurityGUID"),
        is_writable=not (is_back_link or is_constructed or is_system_only),
        is_confidential=bool((entry.integer("searchFlags") or 0) & _CONFIDENTIAL),
    )


def _right(entry: DirectoryEntry) -> ControlAccessRight | None:
    name, guid = entry.text("cn"), (entry.text("rightsGuid") or "").lower()
    kind = _KINDS_BY_VALID_ACCESSES.get(entry.integer("validAccesses") or 0)
    if name is None or not guid or kind is None:
        return None
    return ControlAccessRight(
        name=name, guid=guid, kind=kind, applies_to=frozenset(text.lower() for text in entry.texts("appliesTo"))
    )


def _guid(entry: DirectoryEntry, attribute: str) -> str | None:
    raw = next(iter(entry.octets(attribute)), b"")
    return str(UUID(bytes_le=raw)) if len(raw) == 16 else None  # noqa: PLR2004


# Written with WRITE_DAC and WRITE_OWNER, whatever WRITE_PROPERTY says (MS-ADTS 3.1.1.5.3.3).
_NO_PROPERTY = "ntsecuritydescriptor"


def _vocabulary(schema: DirectorySchema, structural_class: str, sample: DirectoryEntry) -> Vocabulary:
    """Return what can be asked about objects of a class, from what the directory allows on one of them."""
    classes = {schema.classes.get(name.lower()) for name in sample.texts("objectClass")}
    own_class = schema.classes.get(structural_class.lower())
    own = () if own_class is None else (own_class,)
    attributes = (schema.attributes.get(name.lower()) for name in sample.texts("allowedAttributes"))
    children = ((name, schema.classes.get(name.lower())) for name in sample.texts("allowedChildClasses"))
    applying = [right for right in schema.rights if not right.applies_to or right.applies_to & classes]
    return Vocabulary(
        class_guid=own_class,
        child_classes=_sorted(Named(name=name, object_types=(guid,)) for name, guid in children if guid is not None),
        attributes=_sorted(
            Named(name=each.name, object_types=(*each.own_object_types, *own))
            for each in attributes
            if each is not None and each.is_writable and each.name.lower() != _NO_PROPERTY
        ),
        extended_rights=_sorted(
            Named(name=each.name, object_types=(each.guid,))
            for each in applying
            if each.kind is GuidKind.EXTENDED_RIGHT
        ),
        validated_writes=_sorted(
            Named(name=each.name, object_types=(each.guid,))
            for each in applying
            if each.kind is GuidKind.VALIDATED_WRITE
        ),
    )


def _sorted(named: Iterator[Named]) -> tuple[Named, ...]:
    return tuple(sorted(named, key=lambda each: each.name))
