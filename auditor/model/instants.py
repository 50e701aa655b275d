"""Instants in UTC and their one written form."""

from __future__ import annotations

from datetime import UTC, datetime


def format_instant(instant: datetime) -> str:
    """Return `instant` as `2026-11-23T04:05:06.789Z` (milliseconds, UTC).

    Raises ValueError for a time without a zone.
    """
    if instant.tzinfo is None:
        msg = "an instant needs a time zone"
        raise ValueError(msg)
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_instant(text: str) -> datetime:
    """Read an ISO 8601 instant; one without a zone, or outside the calendar in UTC, is refused with ValueError."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        msg = f"{text!r} has no time zone; write for example 2026-11-23T04:05:06Z"
        raise ValueError(msg)
    try:
        return instant.astimezone(UTC)
    except OverflowError as error:
        msg = f"{text!r} lies outside the calendar"
        raise ValueError(msg) from error
