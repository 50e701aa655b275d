"""Instants in UTC and their one written form."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_FILETIME_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)


def format_instant(instant: datetime) -> str:
    """Return `instant` as `2026-11-23T04:05:06.789Z` (milliseconds, UTC).

    Raises ValueError for a time without a zone.
    """
    if instant.tzinfo is None:
        msg = "an instant needs a time zone"
        raise ValueError(msg)
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_instant(text: str) -> datetime:
    """Read an ISO 8601 instant. Raises ValueError for what is none, has no zone or lies outside the calendar in UTC."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        msg = f"{text!r} is no instant; write for example 2026-11-23T04:05:06Z"
        raise ValueError(msg) from error
    if instant.tzinfo is None:
        msg = f"{text!r} has no time zone; write for example 2026-11-23T04:05:06Z"
        raise ValueError(msg)
    try:
        return instant.astimezone(UTC)
    except OverflowError as error:
        msg = f"{text!r} lies outside the calendar"
        raise ValueError(msg) from error


def from_filetime(value: int | None) -> datetime | None:
    """Return the instant of a Windows file time: 100 nanoseconds since 1601 (MS-DTYP 2.3.3).

    None for no value, for 0, which means never, and for what lies outside the calendar, as the greatest value does,
    which means never as well.
    """
    if value is None or value <= 0:
        return None
    try:
        return _FILETIME_EPOCH + timedelta(microseconds=value // 10)
    except OverflowError:
        return None
