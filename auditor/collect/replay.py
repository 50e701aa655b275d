"""Reads recorded evidence back, and refuses evidence that is not what was written."""

from __future__ import annotations

import binascii
import hashlib
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from auditor.collect.stored_evidence import Altered, StoredDescriptors, StoredRecords, copy_checked
from auditor.errors import InvalidInput, Problem
from auditor.model.connection import Connection, ConnectionKind, ExchangeOnlineConnection, HybridConnection
from auditor.model.evidence import Evidence, Gap, GapKind, Read, Source
from auditor.model.instants import parse_instant
from auditor.model.message import Message, MessageRecord, remembering

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from auditor.collect.stored_evidence import EvidencePath

_RECORDS_IN_MEMORY = 1000
_UNUSABLE = (ValidationError, ValueError, KeyError, TypeError, RecursionError, binascii.Error)


class _GapEntry(BaseModel):
    model_config = ConfigDict(extra="forbid")
    kind: GapKind
    message: str
    missing_permission: str | None


class _SourceEntry(BaseModel):
    model_config = ConfigDict(extra="forbid")
    file: str
    dataset: str
    subject: str
    endpoint: str
    query: dict[str, Any]
    started_at: str
    finished_at: str
    records: int
    pages: int
    complete: bool
    gap: _GapEntry | None
    sha256: str


class _SourcesFile(BaseModel):
    model_config = ConfigDict(extra="forbid")
    format: Literal[1]
    descriptors_sha256: str
    sources: list[_SourceEntry]
    messages: list[MessageRecord] = []  # evidence of earlier versions has none


class _ConnectionFile(BaseModel):
    model_config = ConfigDict(extra="forbid")
    format: Literal[1]
    kind: ConnectionKind
    connection: dict[str, Any]
    collected_by: dict[str, str]


# Made once: making one takes longer than reading a connection with it
_CONNECTIONS: dict[ConnectionKind, TypeAdapter[HybridConnection] | TypeAdapter[ExchangeOnlineConnection]] = {
    ConnectionKind.HYBRID: TypeAdapter(HybridConnection),
    ConnectionKind.EXCHANGE_ONLINE: TypeAdapter(ExchangeOnlineConnection),
}


def read_evidence(folder: EvidencePath) -> Evidence:
    """Read one connection's evidence folder.

    Raises InvalidInput when a file is missing, unreadable, or does not have the digest that was
    recorded when it was written.
    """
    try:
        return _read_evidence(folder)
    except (OSError, *_UNUSABLE) as error:
        raise _unusable(folder, error) from error


def copy_evidence(folder: EvidencePath, target: Path) -> None:
    """Copy one connection's evidence: the files it lists, nothing else that lies in its folder.

    Raises InvalidInput as `read_evidence` does, and OSError when the copy cannot be written.
    """
    try:
        index = _SourcesFile.model_validate_json((folder / "sources.json").read_bytes())
        digests = {_plain(entry.file): entry.sha256 for entry in index.sources}
    except _UNUSABLE as error:
        raise _unusable(folder, error) from error
    digests["descriptors.jsonl"] = index.descriptors_sha256
    target.mkdir(parents=True)
    for name in ("connection.json", "sources.json"):
        (target / name).write_bytes((folder / name).read_bytes())
    for name, digest in digests.items():
        try:
            copy_checked(folder / name, target / name, digest)
        except Altered as error:
            raise _unusable(folder, error) from error


def _plain(name: str) -> str:
    if "/" in name or "\\" in name:
        msg = f"{name!r} is not a plain file name"
        raise ValueError(msg)
    return name


def _unusable(folder: EvidencePath, error: Exception) -> InvalidInput:
    return InvalidInput(
        [
            Problem(
                file=str(folder),
                line=None,
                place="evidence",
                message=f"cannot be used as recorded evidence: {_first_line(error)}",
                cure="point to the folder of one connection below `evidence/` of an unaltered run",
            )
        ]
    )


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _read_evidence(folder: EvidencePath) -> Evidence:
    connection_bytes = (folder / "connection.json").read_bytes()
    sources_bytes = (folder / "sources.json").read_bytes()
    header = _ConnectionFile.model_validate_json(connection_bytes)
    index = _SourcesFile.model_validate_json(sources_bytes)
    message = remembering(index.messages)
    return Evidence(
        connection=_connection(header),
        reads=tuple(_read(folder, entry, message) for entry in index.sources),
        descriptors=StoredDescriptors(folder / "descriptors.jsonl", index.descriptors_sha256),
        collected_by=header.collected_by,
        sha256=hashlib.sha256(connection_bytes + sources_bytes).hexdigest(),
    )


def _connection(header: _ConnectionFile) -> Connection:
    return _CONNECTIONS[header.kind].validate_python(header.connection)


def _read(folder: EvidencePath, entry: _SourceEntry, message: Callable[[str], Message]) -> tuple[Source, Read]:
    stored = StoredRecords(folder / _plain(entry.file), entry.sha256)
    records = stored if len(stored) > _RECORDS_IN_MEMORY else tuple(stored)
    gap = None
    if entry.gap is not None:
        right = entry.gap.missing_permission
        gap = Gap(
            kind=entry.gap.kind,
            message=message(entry.gap.message),
            missing_permission=None if right is None else message(right),
        )
    source = Source(
        dataset=entry.dataset,
        subject=entry.subject,
        endpoint=entry.endpoint,
        query=entry.query,
        started_at=parse_instant(entry.started_at),
        finished_at=parse_instant(entry.finished_at),
        records=entry.records,
        pages=entry.pages,
        complete=entry.complete,
        gap=gap,
        sha256=entry.sha256,
    )
    return source, Read(source=source, records=records, gap=gap)
