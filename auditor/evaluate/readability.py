"""What of the evidence could be read, and which right is missing for the rest: the auditing identity's own check-up."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from auditor.least_privilege.rights import rights_for
from auditor.model.evidence import GapKind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from auditor.least_privilege.rights import Right
    from auditor.model.evidence import Evidence, Gap, Read, Record, Source

# There need not be any
_MAY_BE_ABSENT = frozenset({"certificate_services", "management_role_assignments_of_account"})
# What Graph shows of an object to whom it does not let read its kind
_LIMITED = {"@odata.type", "id"}
_TO_SEE_GROUPS = "Microsoft Graph application permission GroupMember.Read.All"
_DESCRIPTOR = "nTSecurityDescriptor"
# Written without asking anybody
_NOT_READ_FROM_A_SOURCE = frozenset({"service_clock"})


class Readable(StrEnum):
    """What becomes of one read."""

    WORKS = "works"
    RIGHT_MISSING = "right_missing"
    NOT_LICENSED = "not_licensed"  # the tenant has no licence for it, so there is nothing to read
    NOT_FOUND = "not_found"  # not there, or not shown to the auditing identity
    NOT_ASKED = "not_asked"  # an earlier failure hides whom to ask about
    FAILED = "failed"


FINE = frozenset({Readable.WORKS, Readable.NOT_LICENSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadState:
    """One read. `message` says what went wrong, `missing_right` what to grant; both are empty when it works."""

    dataset: str
    subject: str
    endpoint: str
    state: Readable
    message: str = ""
    missing_right: str = ""


class InPlace(StrEnum):
    """Whether a right is granted, as far as the reads show."""

    YES = "yes"
    NO = "no"
    NOT_KNOWN = "not_known"


@dataclass(frozen=True, slots=True, kw_only=True)
class RightState:
    """A right, and whether the reads that need it show it to be granted."""

    right: Right
    in_place: InPlace


@dataclass(frozen=True, slots=True, kw_only=True)
class Readability:
    """What the auditing identity of one connection can read."""

    connection_id: str
    kind: str
    signed_in_as: str
    reads: tuple[ReadState, ...]
    rights: tuple[RightState, ...]

    @property
    def unreadable(self) -> tuple[ReadState, ...]:
        """The reads that will not work."""
        return tuple(read for read in self.reads if read.state not in FINE)


def readability_of(evidence: Evidence) -> Readability:
    """Return what could be read for one connection, in the order of collection."""
    reads = tuple(
        _state(source, read) for source, read in evidence.reads if source.dataset not in _NOT_READ_FROM_A_SOURCE
    )
    return Readability(
        connection_id=evidence.connection.id,
        kind=evidence.connection.kind,
        signed_in_as=evidence.collected_by.get("signed_in_as", ""),
        reads=reads,
        rights=tuple(
            RightState(right=right, in_place=_in_place(right, reads)) for right in rights_for(evidence.connection.kind)
        ),
    )


def _state(source: Source, read: Read) -> ReadState:
    state, message, right = _outcome(source, read)
    return ReadState(
        dataset=source.dataset,
        subject=source.subject,
        endpoint=source.endpoint,
        state=state,
        message=message,
        missing_right=right,
    )


def _outcome(source: Source, read: Read) -> tuple[Readable, str, str]:
    gap = source.gap
    if gap is None:
        if source.dataset == "transitive_member_of" and any(map(_is_limited, read)):
            return Readable.RIGHT_MISSING, "groups show their type and id alone", _TO_SEE_GROUPS
        withheld = _withheld(source, read)
        if not withheld:
            return Readable.WORKS, "", ""
        message = f"{len(withheld)} of {source.records} objects do not show their security descriptor"
        return Readable.RIGHT_MISSING, message, f"Read permissions on {withheld[0]}"
    if gap.kind is GapKind.NOT_FOUND and source.dataset in _MAY_BE_ABSENT:
        return Readable.WORKS, "", ""
    return _state_of(gap), gap.message, gap.missing_permission or ""


def _state_of(gap: Gap) -> Readable:
    match gap.kind:
        case GapKind.NOT_LICENSED:
            return Readable.NOT_LICENSED
        case GapKind.NOT_ATTEMPTED:
            return Readable.NOT_ASKED
        case GapKind.NOT_FOUND:
            return Readable.NOT_FOUND
        case _:
            return Readable.RIGHT_MISSING if gap.missing_permission else Readable.FAILED


def _is_limited(record: Record) -> bool:
    return {name for name, value in record.items() if value is not None} <= _LIMITED


def _withheld(source: Source, read: Read) -> list[str]:
    """Return the objects of a directory that came without the security descriptor that was asked for."""
    attributes = source.query.get("attributes")
    if not isinstance(attributes, list) or _DESCRIPTOR not in attributes or source.dataset == "token_groups":
        return []
    return [str(record.get("dn")) for record in read if record.get("dn") and record.get("descriptor") is None]


def _in_place(right: Right, reads: Iterable[ReadState]) -> InPlace:
    states = {read.state for read in reads if read.dataset in right.datasets}
    return _combined(states)


def _combined(states: Collection[Readable]) -> InPlace:
    if Readable.RIGHT_MISSING in states:
        return InPlace.NO
    return InPlace.YES if Readable.WORKS in states else InPlace.NOT_KNOWN
