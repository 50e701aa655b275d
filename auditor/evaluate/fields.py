"""Reads fields of Graph and Exchange records, which are only as typed as the service that sent them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from auditor.model.evidence import Record


def text(record: Record, name: str) -> str:
    """Return a text field, or the empty string when it is absent, null or no text."""
    value = record.get(name)
    return value if isinstance(value, str) else ""


def flag(record: Record, name: str) -> bool | None:
    """Return a boolean field, or None when the service did not say."""
    value = record.get(name)
    return value if isinstance(value, bool) else None


def texts(record: Record, name: str) -> tuple[str, ...]:
    """Return a list of texts; a single text counts as a list of one."""
    value = record.get(name)
    if isinstance(value, str):
        return (value,)
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def same(left: str, right: str) -> bool:
    """Compare two identifiers as the services do: ignoring case; nothing equals the empty one."""
    return bool(left) and left.casefold() == right.casefold()
