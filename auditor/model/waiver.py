"""A waiver: the dated acceptance of one finding by a named person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

LONGEST_WAIVER = timedelta(days=366)
EXPIRES_SOON = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """What was accepted, by whom, until when.

    The finding is named by what its key is made of. `accepted_fingerprint` is that of the state which was
    accepted: another state is not.
    """

    id: str
    check: str
    connection: str
    principal: str
    entitlement: str
    scope: str
    accepted_fingerprint: str
    reason: str
    owner: str
    approved_by: str
    ticket: str
    created: date
    expires: date

    @property
    def is_self_approved(self) -> bool:
        """True if the owner approved the waiver; nobody accepts their own risk."""
        return self.owner.strip().casefold() == self.approved_by.strip().casefold()

    @property
    def ends_at(self) -> datetime:
        """The end of the last day, in UTC."""
        return datetime.combine(self.expires, time(), UTC) + timedelta(days=1)

    def is_expired(self, now: datetime) -> bool:
        """Tell whether the last day is over."""
        return now >= self.ends_at

    def expires_within(self, span: timedelta, now: datetime) -> bool:
        """Tell whether the waiver still holds, but ends within `span`."""
        return now < self.ends_at <= now + span


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiverFile:
    """The waivers of one file; `content` is the file byte for byte and `sha256` its digest."""

    waivers: tuple[Waiver, ...]
    content: bytes
    sha256: str
