"""A right as a person writes it: `create_child:user`, `WRITE_DAC`, `User-Force-Change-Password`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.acl import DIRECTORY_RIGHTS, AccessMask, GuidKind

if TYPE_CHECKING:
    from auditor.evaluate.directory.schema import DirectorySchema

_KINDS = {
    "create_child": AccessMask.CREATE_CHILD,
    "delete_child": AccessMask.DELETE_CHILD,
    "read_property": AccessMask.READ_PROPERTY,
    "write_property": AccessMask.WRITE_PROPERTY,
    "extended_right": AccessMask.CONTROL_ACCESS,
    "extended_rights": AccessMask.CONTROL_ACCESS,
    "control_access": AccessMask.CONTROL_ACCESS,
    "validated_write": AccessMask.VALIDATED_WRITE,
    "standard": None,
}
_CHILD_RIGHTS = (AccessMask.CREATE_CHILD, AccessMask.DELETE_CHILD)
_PROPERTY_RIGHTS = (AccessMask.READ_PROPERTY, AccessMask.WRITE_PROPERTY)
_NEED_AN_OBJECT_TYPE = (*_CHILD_RIGHTS, *_PROPERTY_RIGHTS, AccessMask.CONTROL_ACCESS, AccessMask.VALIDATED_WRITE)
_STANDARD = {
    right.name.lower(): right for right in DIRECTORY_RIGHTS if right.name and right not in _NEED_AN_OBJECT_TYPE
}
_SEPARATOR = re.compile(r"[:=/ ]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """One right bit, and the class, attribute or right it is about; `about` is empty for a standard right."""

    mask: AccessMask
    about: str = ""

    def __str__(self) -> str:
        name = (self.mask.name or "").lower()
        return f"{name}:{self.about}" if self.about else str(self.mask.name)

    def object_types_for(self, schema: DirectorySchema, structural_class: str) -> tuple[str, ...]:
        """Return what an ACE may name and still speak of this right on an object of a class."""
        if self.mask in _CHILD_RIGHTS:
            return (schema.classes[self.about.lower()],)
        if self.mask in _PROPERTY_RIGHTS:
            return schema.object_types(self.about, structural_class)
        if self.about:
            return (_control_right(schema, self.about, self.mask) or "",)
        own = schema.classes.get(structural_class.lower())
        return () if own is None else (own,)


def parse_right(text: str, schema: DirectorySchema) -> Right:
    """Read a right. Kind and name may be told apart by `:`, `=`, `/` or a space; case does not matter.

    A bare name is a standard right, an extended right, a class (to create) or an attribute (to write), whichever the
    directory knows first. Raises ValueError that lists what can be written.
    """
    kind, *rest = _SEPARATOR.split(text.strip(), maxsplit=1)
    mask = _KINDS.get(kind.lower().replace("-", "_"))
    if rest and kind.lower() in _KINDS:
        found = _standard(rest[0]) if mask is None else _about(mask, rest[0], schema)
    else:
        found = _bare(text.strip(), schema)
    if found is None:
        raise ValueError(
            f"{text!r} names no right of this directory: write a standard right ({', '.join(_STANDARD).upper()}), the "
            "name of an extended right, or create_child:CLASS, delete_child:CLASS, read_property:ATTRIBUTE, "
            "write_property:ATTRIBUTE, extended_right:NAME, validated_write:NAME"
        )
    return found


def _standard(name: str) -> Right | None:
    mask = _STANDARD.get(name.lower().replace("-", "_"))
    return None if mask is None else Right(mask=mask)


def _about(mask: AccessMask, name: str, schema: DirectorySchema) -> Right | None:
    if mask in _CHILD_RIGHTS:
        guid = schema.classes.get(name.lower())
        return None if guid is None else Right(mask=mask, about=schema.name_of_class(guid))
    if mask in _PROPERTY_RIGHTS:
        attribute = schema.attributes.get(name.lower())
        return None if attribute is None else Right(mask=mask, about=attribute.name)
    spelled = next((right.name for right in schema.rights if right.name.lower() == name.lower()), None)
    if spelled is None or _control_right(schema, spelled, mask) is None:
        return None
    return Right(mask=mask, about=spelled)


def _bare(name: str, schema: DirectorySchema) -> Right | None:
    return (
        _standard(name)
        or _about(AccessMask.CONTROL_ACCESS, name, schema)
        or _about(AccessMask.VALIDATED_WRITE, name, schema)
        or _about(AccessMask.CREATE_CHILD, name, schema)
        or _about(AccessMask.WRITE_PROPERTY, name, schema)
    )


def _control_right(schema: DirectorySchema, name: str, mask: AccessMask) -> str | None:
    kind = GuidKind.VALIDATED_WRITE if mask is AccessMask.VALIDATED_WRITE else GuidKind.EXTENDED_RIGHT
    return next((right.guid for right in schema.rights if right.name == name and right.kind is kind), None)
