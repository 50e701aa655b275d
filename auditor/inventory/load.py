"""Reads an inventory file into its connections, or reports every problem at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.errors import InvalidInput
from auditor.inventory.build import build_entry
from auditor.inventory.channels import (
    AnyNotificationFields,
    build_channel,
    channel_secret_uses,
    shape_of_notification,
)
from auditor.inventory.entries import Inventory
from auditor.inventory.fields import Surroundings
from auditor.inventory.rules import broken_rules
from auditor.inventory.schema import (
    AnyKindFields,
    ConnectionFields,
    ExchangeOnlineFields,
    FileFields,
    HybridFields,
    ReplayFields,
)
from auditor.model.connection import ConnectionKind
from auditor.strict_yaml import Document, Place, load_document, validate

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from auditor.model.notification import Channel


def load_inventory(path: Path, known_profiles: Collection[str]) -> Inventory:
    """Read the inventory file; relative paths in it start from its folder.

    Raises InvalidInput with every problem of the file, in the order of its lines.
    """
    document = load_document(path)
    surroundings = Surroundings(folder=path.absolute().parent, known_profiles=frozenset(known_profiles))
    top, problems = validate(document, FileFields, context=surroundings)
    connections: list[tuple[Place, ConnectionFields]] = []
    for place in _places(document, "connections"):
        fields, found = validate(document, _shape(document.at(place)), place=place, context=surroundings)
        problems += found
        if fields is not None and not isinstance(fields, AnyKindFields):
            connections.append((place, fields))
    channels: list[tuple[Place, Channel]] = []
    for place in _places(document, "notifications"):
        notification, found = validate(
            document, shape_of_notification(document.at(place)), place=place, context=surroundings
        )
        problems += found
        if notification is not None and not isinstance(notification, AnyNotificationFields):
            channels.append((place, build_channel(place, notification)))
    problems += broken_rules(document)
    if problems or top is None:
        raise InvalidInput(sorted(dict.fromkeys(problems), key=lambda problem: problem.line or 0))
    entries = (build_entry(document, top.defaults, place, fields) for place, fields in connections)
    return Inventory(
        path=path,
        organisation=top.organisation,
        default_profile=top.defaults.profile,
        connections=tuple(entries),
        channels=tuple(channel for _, channel in channels),
        channel_secret_uses=tuple(
            use for place, channel in channels for use in channel_secret_uses(document, place, channel)
        ),
    )


def _places(document: Document, key: str) -> list[Place]:
    entries = document.content.get(key)
    return [(key, i) for i in range(len(entries))] if isinstance(entries, list) else []


def _shape(entry: object) -> type[ConnectionFields | AnyKindFields]:
    if not isinstance(entry, dict):
        return AnyKindFields
    if "replay" in entry:
        return ReplayFields
    kind = entry.get("kind")
    if kind == ConnectionKind.HYBRID:
        return HybridFields
    return ExchangeOnlineFields if kind == ConnectionKind.EXCHANGE_ONLINE else AnyKindFields
