"""Reads recorded evidence back, and refuses evidence that is not what was written."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import shutil
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from auditor.errors import InvalidInput, Problem
from auditor.model.connection import Connection, ConnectionKind, ExchangeOnlineConnection, HybridConnection
from auditor.model.evidence import Evidence, Gap, GapKind, Read, Record, Source
from auditor.model.instants import parse_instant

if TYPE_CHECKING:
    from pathlib import Path


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


class _ConnectionFile(BaseModel):
    model_config = ConfigDict(extra="forbid")
    format: Literal[1]
    kind: ConnectionKind
    connection: dict[str, Any]
    collected_by: dict[str, str]


def read_evidence(folder: Path) -> Evidence:
    """Read one connection's evidence folder.

    Raises InvalidInput when a file is missing, unreadable, or does not have the digest that was
    recorded when it was written.
    """
    try:
        return _read_evidence(folder)
    except (OSError, ValidationError, ValueError, KeyError, TypeError, RecursionError, binascii.Error) as error:
        raise InvalidInput(
            [
                Problem(
                    file=str(folder),
                    line=None,
                    place="evidence",
                    message=f"cannot be used as recorded evidence: {_first_line(error)}",
                    cure="point to the folder of one connection below `evidence/` of an unaltered run",
                )
            ]
        ) from error


def copy_evidence(folder: Path, target: Path) -> None:
    """Copy one connection's evidence: the files it lists, nothing else that lies in its folder.

    Raises InvalidInput as `read_evidence` does, and OSError when the copy cannot be written.
    """
    read_evidence(folder)
    index = _SourcesFile.model_validate_json((folder / "sources.json").read_bytes())
    target.mkdir(parents=True)
    for name in ("connection.json", "sources.json", "descriptors.jsonl", *(entry.file for entry in index.sources)):
        shutil.copyfile(folder / name, target / name)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _read_evidence(folder: Path) -> Evidence:
    connection_bytes = (folder / "connection.json").read_bytes()
    sources_bytes = (folder / "sources.json").read_bytes()
    header = _ConnectionFile.model_validate_json(connection_bytes)
    index = _SourcesFile.model_validate_json(sources_bytes)
    descriptor_bytes = (folder / "descriptors.jsonl").read_bytes()
    _require_digest("descriptors.jsonl", descriptor_bytes, index.descriptors_sha256)
    return Evidence(
        connection=_connection(header),
        reads=tuple(_read(folder, entry) for entry in index.sources),
        descriptors=_descriptors(descriptor_bytes),
        collected_by=header.collected_by,
        sha256=hashlib.sha256(connection_bytes + sources_bytes).hexdigest(),
    )


def _connection(header: _ConnectionFile) -> Connection:
    if header.kind is ConnectionKind.HYBRID:
        return TypeAdapter(HybridConnection).validate_python(header.connection)
    return TypeAdapter(ExchangeOnlineConnection).validate_python(header.connection)


def _read(folder: Path, entry: _SourceEntry) -> tuple[Source, Read]:
    if "/" in entry.file or "\\" in entry.file:
        msg = f"{entry.file!r} is not a plain file name"
        raise ValueError(msg)
    content = (folder / entry.file).read_bytes()
    _require_digest(entry.file, content, entry.sha256)
    # split on "\n" only: splitlines() would also cut at U+2028 and friends inside a value
    records: tuple[Record, ...] = tuple(_record(line) for line in content.decode("utf-8").split("\n") if line)
    gap = (
        None
        if entry.gap is None
        else Gap(kind=entry.gap.kind, message=entry.gap.message, missing_permission=entry.gap.missing_permission)
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


def _record(line: str) -> Record:
    record = json.loads(line)
    if not isinstance(record, dict):
        msg = "a record is no JSON object"
        raise TypeError(msg)
    return record


def _descriptors(content: bytes) -> dict[str, bytes]:
    descriptors = {}
    for line in content.decode("ascii").splitlines():
        entry = json.loads(line)
        raw = base64.b64decode(entry["descriptor"], validate=True)
        _require_digest("descriptor", raw, entry["sha256"])
        descriptors[entry["sha256"]] = raw
    return descriptors


def _require_digest(name: str, content: bytes, expected: str) -> None:
    if hashlib.sha256(content).hexdigest() != expected:
        msg = f"{name} does not have the recorded SHA-256: it was altered after collection"
        raise ValueError(msg)
