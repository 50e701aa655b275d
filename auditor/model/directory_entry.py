"""A directory object as it was read: its DN and attribute values, byte for byte."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast
from uuid import UUID

from auditor.acl.sid import format_sid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.model.evidence import Json, Record

# Attributes of octet-string syntax are always stored as base64, the rest as text whenever they are text.
OCTET_ATTRIBUTES = frozenset(
    {
        "objectsid",
        "objectguid",
        "tokengroups",
        "sidhistory",
        "schemaidguid",
        "attributesecurityguid",
        "msds-allowedtoactonbehalfofotheridentity",
        "msds-groupmsamembership",
    }
)
DESCRIPTOR_ATTRIBUTE = "ntsecuritydescriptor"


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryEntry:
    """`attributes` maps lower-case names to raw values; `descriptor` is the SHA-256 of the stored one.

    `descriptor` is None when the directory did not return it, which means that it could not be read:
    every object has one.
    """

    dn: str
    attributes: Mapping[str, tuple[bytes, ...]]
    descriptor: str | None

    def texts(self, name: str) -> tuple[str, ...]:
        """Return the values of an attribute as text; bytes that are no UTF-8 show as replacement marks."""
        return tuple(value.decode("utf-8", "replace") for value in self.attributes.get(name.lower(), ()))

    def text(self, name: str) -> str | None:
        """Return the first value as text, or None when there is none."""
        return next(iter(self.texts(name)), None)

    def integer(self, name: str) -> int | None:
        """Return the first value as an integer, or None when absent or no number."""
        text = self.text(name)
        try:
            return None if text is None else int(text)
        except ValueError:
            return None

    def octets(self, name: str) -> tuple[bytes, ...]:
        """Return the raw values."""
        return self.attributes.get(name.lower(), ())

    def sids(self, name: str) -> tuple[str, ...]:
        """Return binary SIDs as text (MS-DTYP 2.4.2.2); values that are no SIDs are left out."""
        return tuple(sid for sid in map(_sid_or_none, self.octets(name)) if sid is not None)

    def has_malformed_sids(self, name: str) -> bool:
        """Tell whether `sids` leaves something out."""
        return any(_sid_or_none(value) is None for value in self.octets(name))

    @property
    def sid(self) -> str | None:
        """The object's SID."""
        return next(iter(self.sids("objectSid")), None)

    @property
    def guid(self) -> str | None:
        """The object's GUID."""
        raw = next(iter(self.octets("objectGUID")), None)
        return str(UUID(bytes_le=raw)) if raw is not None and len(raw) == 16 else None  # noqa: PLR2004


def _sid_or_none(value: bytes) -> str | None:
    try:
        return format_sid(value)
    except ValueError:
        return None


def entry_to_record(entry: DirectoryEntry) -> Record:
    """Return the stored form: text where the value is text, `{"base64": ...}` where it is not."""
    attributes: dict[str, Json] = {
        name: [_value_to_json(name, value) for value in values] for name, values in entry.attributes.items()
    }
    return {"dn": entry.dn, "attributes": attributes, "descriptor": entry.descriptor}


def record_to_entry(record: Record) -> DirectoryEntry:
    """Return the entry a stored record stands for; the inverse of `entry_to_record`."""
    attributes = cast("dict[str, list[Json]]", record["attributes"])
    return DirectoryEntry(
        dn=cast("str", record["dn"]),
        attributes={name: tuple([_value_from_json(value) for value in values]) for name, values in attributes.items()},
        descriptor=cast("str | None", record["descriptor"]),
    )


def _value_to_json(name: str, value: bytes) -> Json:
    if name not in OCTET_ATTRIBUTES:
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            pass
    return {"base64": base64.b64encode(value).decode("ascii")}


def _value_from_json(value: Json) -> bytes:
    if isinstance(value, dict):
        return base64.b64decode(cast("str", value["base64"]), validate=True)
    return cast("str", value).encode("utf-8")
