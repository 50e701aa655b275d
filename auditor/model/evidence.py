"""Evidence: what was read from a source, with its provenance, and what could not be read.

The central rule lives here. A `Read` that is not complete proves that its records exist; it never
proves that anything is absent. `Read.absence_is_proven` is the only way to ask, so that a judgement
cannot confuse "not there" with "not read".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from auditor.acl import MalformedDescriptor, SecurityDescriptor, parse_descriptor
from auditor.model.message import say

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from datetime import datetime

    from auditor.model.connection import Connection
    from auditor.model.message import Message

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Record: TypeAlias = "dict[str, Json]"


class GapKind(StrEnum):
    """Why something could not be read. The difference decides what the administrator must do."""

    UNREACHABLE = "unreachable"  # refused, unresolvable, reset, closed
    TIMED_OUT = "timed_out"
    UNTRUSTED = "untrusted"  # the server's certificate could not be verified
    SIGN_IN_REFUSED = "sign_in_refused"  # credential wrong, expired, locked, not allowed
    NOT_PERMITTED = "not_permitted"  # signed in, but lacks a right that can be granted
    NOT_LICENSED = "not_licensed"  # the tenant has no licence for this call
    NOT_FOUND = "not_found"  # the source says that the object asked for does not exist
    THROTTLED = "throttled"
    INCOMPLETE = "incomplete"  # paging broke off, a limit was hit, a referral was not followed
    MALFORMED = "malformed"  # an answer that is not what the protocol promises
    NOT_ATTEMPTED = "not_attempted"  # an earlier gap made the call impossible


# "Not found" is an answer for these; a requirement has judged it.
_NOT_FOUND_IS_AN_ANSWER = frozenset(
    {"user", "exchange_user", "target_ou", "management_role_assignments_of_account", "certificate_services"}
)
# Without the licence what they tell does not exist.
_NEED_A_LICENCE_TO_EXIST = frozenset(
    {
        "conditional_access_policies",
        "group_assignment_instances",
        "group_eligibility_instances",
        "role_assignment_instances",
        "role_eligibility_instances",
        "sign_in_activity",
    }
)


def is_answer(dataset: str, kind: GapKind) -> bool:
    """Tell whether a gap of this kind leaves nothing open: the source has said that there is nothing to read."""
    if kind is GapKind.NOT_LICENSED:
        return dataset in _NEED_A_LICENCE_TO_EXIST
    return kind is GapKind.NOT_FOUND and dataset in _NOT_FOUND_IS_AN_ANSWER


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """One thing that could not be read, in words for a reader who must repair it."""

    kind: GapKind
    message: Message
    missing_permission: Message | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Provenance of one read: what was asked where, when, and how much came back.

    `dataset` names what was read, `subject` the one object it was read for (a DN, an object id, a
    role group's id) or is empty. `endpoint` is the host or URL contacted. `query` holds base, filter,
    scope, attributes and controls for LDAP, method and URL for Graph, cmdlet and parameters for
    Exchange. `sha256` is the digest of the stored records. Times are UTC.
    """

    dataset: str
    subject: str
    endpoint: str
    query: Mapping[str, Json]
    started_at: datetime
    finished_at: datetime
    records: int
    pages: int
    complete: bool
    gap: Gap | None
    sha256: str

    def __post_init__(self) -> None:
        if self.complete and self.gap is not None:
            msg = f"{self.dataset}: a complete read has no gap"
            raise ValueError(msg)
        if not self.complete and self.gap is None:
            msg = f"{self.dataset}: an incomplete read names its gap"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """The records of one dataset for one subject, and whether they are all there are.

    Many records are read from their file each time they are iterated, so that memory stays flat.
    """

    source: Source | None
    records: Collection[Record]
    gap: Gap | None

    @property
    def absence_is_proven(self) -> bool:
        """True if what is not among `records` does not exist, as far as the source knows."""
        return self.gap is None

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)


def not_attempted(dataset: str) -> Read:
    """Build the read of a dataset that nobody asked for: no records, and no proof of absence."""
    gap = Gap(kind=GapKind.NOT_ATTEMPTED, message=say("{dataset} was not read", dataset=dataset))
    return Read(source=None, records=(), gap=gap)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that was read for one connection. `descriptors` maps a SHA-256 to raw descriptor bytes.

    `altered` says, one sentence each, what is no longer as the run that recorded it wrote it.
    """

    connection: Connection
    reads: tuple[tuple[Source, Read], ...]
    descriptors: Mapping[str, bytes]
    collected_by: Mapping[str, str]  # operator, host, tool_version, signed_in_as
    sha256: str
    altered: tuple[str, ...] = ()
    _index: dict[tuple[str, str], Read] = field(init=False, repr=False, compare=False)
    _parsed: dict[str, SecurityDescriptor | None] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        index = {(source.dataset, source.subject): read for source, read in self.reads}
        object.__setattr__(self, "_index", index)
        object.__setattr__(self, "_parsed", {})

    def read(self, dataset: str, subject: str = "") -> Read:
        """Return the read of `dataset` for `subject`; one never attempted proves nothing."""
        return self._index.get((dataset, subject)) or not_attempted(dataset)

    def reads_of(self, dataset: str) -> tuple[tuple[str, Read], ...]:
        """Return every (subject, read) of `dataset`, in the order of collection."""
        return tuple((source.subject, read) for source, read in self.reads if source.dataset == dataset)

    def descriptor(self, digest: str | None) -> SecurityDescriptor | None:
        """Return the stored security descriptor with a SHA-256; None when it is not there or malformed.

        Equal descriptors are parsed once.
        """
        if digest is None:
            return None
        if digest not in self._parsed:
            self._parsed[digest] = _parsed_or_none(self.descriptors.get(digest))
        return self._parsed[digest]

    @property
    def sources(self) -> tuple[Source, ...]:
        """The provenance of every read, in the order of collection."""
        return tuple(source for source, _ in self.reads)


def _parsed_or_none(raw: bytes | None) -> SecurityDescriptor | None:
    try:
        return None if raw is None else parse_descriptor(raw)
    except MalformedDescriptor:
        return None
