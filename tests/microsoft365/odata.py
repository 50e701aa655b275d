"""The small part of OData's query language that the calls use: equality filters and selection."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

_COMPARISON = re.compile(r"\s*(\w+)\s+eq\s+(?:'((?:[^']|'')*)'|(true|false|null))\s*", re.IGNORECASE)
_LITERALS: dict[str, bool | None] = {"true": True, "false": False, "null": None}


class UnsupportedQueryError(Exception):
    """The service does not evaluate this query."""


def equalities(text: str) -> dict[str, str | bool | None]:
    """Read `field eq 'value' and ...`; a quote inside a value is doubled."""
    found: dict[str, str | bool | None] = {}
    position = 0
    while position < len(text):
        match = _COMPARISON.match(text, position)
        if match is None:
            raise UnsupportedQueryError(f"Invalid filter clause: {text}")
        field, value, literal = match.groups()
        found[field] = value.replace("''", "'") if literal is None else _LITERALS[literal.lower()]
        position = match.end()
        if position < len(text) and not text.startswith("and ", position):
            raise UnsupportedQueryError(f"Invalid filter clause: {text}")
        position += len("and ") if position < len(text) else 0
    return found


def keep(rows: Sequence[dict[str, Any]], text: str | None, fields: Sequence[str]) -> list[dict[str, Any]]:
    """Rows that satisfy a filter on the permitted fields; strings compare without case."""
    wanted = equalities(text) if text else {}
    if not wanted.keys() <= set(fields):
        raise UnsupportedQueryError(f"Unsupported property filter clause: {text}")
    return [row for row in rows if all(_fold(row[name]) == _fold(value) for name, value in wanted.items())]


def _fold(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def select(
    rows: Sequence[dict[str, Any]], names: str | None, always: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Reduce rows to the selected properties; annotations stay. A name that no row has is an error."""
    if names is None:
        return list(rows)
    wanted = {name.strip() for name in names.split(",")} | set(always)
    known = {name for row in rows for name in row}
    if rows and not wanted <= known:
        raise UnsupportedQueryError(f"Could not find a property named '{min(wanted - known)}'")
    return [{name: value for name, value in row.items() if name in wanted or "@" in name} for row in rows]
