"""Writes the evidence of one connection while it is being read.

One folder per connection: `connection.json` (what was audited, by whom), one JSON Lines file per
read, `descriptors.jsonl` (raw security descriptors, each once) and `sources.json` (the provenance of
every read). Records go to disk as they arrive, so memory stays flat. This is the one place where a
`SourceError` turns into a gap.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from auditor.errors import SourceError
from auditor.model.evidence import Gap, GapKind, Json, Record, Source
from auditor.model.instants import format_instant
from auditor.model.message import message_records, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path
    from typing import BinaryIO

    from auditor.model.connection import Connection

FORMAT = 1
_DESCRIPTORS_HELD_BACK = 500
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class OpenRead:
    """A read in progress: records are appended, trouble is noted."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._digest = hashlib.sha256()
        self.records = 0
        self.pages = 1
        self.gap: Gap | None = None
        self.answered: tuple[datetime, datetime] | None = None  # when that was not now

    def add(self, record: Record) -> None:
        """Store one record. Keys keep their order; nothing is renamed or dropped."""
        line = _ENCODER.encode(record) + "\n"
        # a lone surrogate, which UTF-8 cannot hold, stays the JSON escape it came as
        encoded = line.encode("utf-8", "backslashreplace")
        self._stream.write(encoded)
        self._digest.update(encoded)
        self.records += 1

    def leave_gap(self, gap: Gap) -> None:
        """Note that this read is not complete. The first gap is kept: it is the cause."""
        self.gap = self.gap or gap

    @property
    def is_complete(self) -> bool:
        """True while nothing has gone wrong."""
        return self.gap is None

    @property
    def sha256(self) -> str:
        """Digest of the stored lines so far."""
        return self._digest.hexdigest()


class EvidenceWriter:
    """Writes one connection's evidence into `folder`, which must not exist yet.

    `clock` returns the current time in UTC; it is the only clock of the collection.
    """

    def __init__(self, folder: Path, connection: Connection, clock: Callable[[], datetime]) -> None:
        folder.mkdir(parents=True)
        self._folder = folder
        self._connection = connection
        self._clock = clock
        self._places = 0
        self._sources: dict[int, tuple[str, Source]] = {}
        self._descriptors: dict[bytes, str] = {}
        self._descriptor_digest = hashlib.sha256()
        self._descriptor_lines: list[bytes] = []

    def reserve(self) -> int:
        """Return the next place in the evidence, for a read that may end after later ones.

        Reads in reserved places may go on at the same time in several threads; places are given by one.
        """
        self._places += 1
        return self._places - 1

    @contextmanager
    def read(
        self, dataset: str, *, endpoint: str, query: Mapping[str, Json], subject: str = "", place: int | None = None
    ) -> Iterator[OpenRead]:
        """Record one read. A `SourceError` raised inside becomes the read's gap and goes no further."""
        place = self.reserve() if place is None else place
        filename = _filename(place, dataset)
        started_at = self._clock()
        with (self._folder / filename).open("xb") as stream:
            open_read = OpenRead(stream)
            try:
                yield open_read
            except SourceError as error:
                open_read.leave_gap(error.gap)
        asked_at, answered_at = open_read.answered or (started_at, self._clock())
        source = Source(
            dataset=dataset,
            subject=subject,
            endpoint=endpoint,
            query=query,
            started_at=asked_at,
            finished_at=answered_at,
            records=open_read.records,
            pages=open_read.pages,
            complete=open_read.gap is None,
            gap=open_read.gap,
            sha256=open_read.sha256,
        )
        self._sources[place] = (filename, source)

    def stored(self, place: int) -> tuple[Path, Source]:
        """Return the file and the provenance of a finished read."""
        filename, source = self._sources[place]
        return self._folder / filename, source

    def repeat(self, place: int, file: Path, source: Source) -> None:
        """Store what a read of another connection of the same run was answered, with its provenance."""
        filename = _filename(place, source.dataset)
        shutil.copyfile(file, self._folder / filename)
        self._sources[place] = (filename, source)

    def leave_gap(self, dataset: str, gap: Gap, *, endpoint: str = "", subject: str = "") -> None:
        """Record that a dataset was not even asked for, because of `gap`."""
        message = say("not asked for, because: {message}", message=gap.message)
        not_asked = replace(gap, kind=GapKind.NOT_ATTEMPTED, message=message)
        with self.read(dataset, endpoint=endpoint, query={}, subject=subject) as open_read:
            open_read.pages = 0
            open_read.leave_gap(not_asked)

    def store_descriptor(self, descriptor: bytes) -> str:
        """Write a raw security descriptor once and return the SHA-256 that stands for it."""
        digest = hashlib.sha256(descriptor).digest()
        known = self._descriptors.get(digest)
        if known is not None:
            return known
        name = self._descriptors[digest] = digest.hex()
        encoded = base64.b64encode(descriptor).decode("ascii")
        line = f'{{"sha256": "{name}", "descriptor": "{encoded}"}}\n'.encode("ascii")
        self._descriptor_digest.update(line)
        self._descriptor_lines.append(line)
        if len(self._descriptor_lines) >= _DESCRIPTORS_HELD_BACK:
            self._write_descriptors()
        return name

    def close(self, collected_by: Mapping[str, str]) -> None:
        """Write the provenance. Until this is done the folder is not evidence."""
        self._write_descriptors()
        self._write_json(
            "connection.json",
            {
                "format": FORMAT,
                "kind": self._connection.kind,
                "connection": asdict(self._connection),
                "collected_by": dict(collected_by),
            },
        )
        sources = [self._sources[place] for place in sorted(self._sources)]
        self._write_json(
            "sources.json",
            {
                "format": FORMAT,
                "descriptors_sha256": self._descriptor_digest.hexdigest(),
                "sources": [{"file": filename, **source_to_plain(source)} for filename, source in sources],
                "messages": messages_to_plain(source.gap for _, source in sources),
            },
        )

    def _write_descriptors(self) -> None:
        with (self._folder / "descriptors.jsonl").open("ab") as stream:
            stream.writelines(self._descriptor_lines)
        self._descriptor_lines.clear()

    def _write_json(self, name: str, content: object) -> None:
        text = json.dumps(_spelled(content), ensure_ascii=False, indent=1) + "\n"
        (self._folder / name).write_text(text, encoding="utf-8", newline="\n")


def _filename(place: int, dataset: str) -> str:
    return f"{place:03d}-{re.sub(r'[^a-z0-9_]+', '-', dataset)}.jsonl"


def _spelled(content: object) -> object:
    """Replace lone surrogates, which UTF-8 cannot hold, by the six characters that spell them."""
    if isinstance(content, str):
        return content.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(content, dict):
        return {_spelled(key): _spelled(value) for key, value in content.items()}
    return [_spelled(each) for each in content] if isinstance(content, (list, tuple)) else content


def messages_to_plain(parts: Iterable[object]) -> list[dict[str, object]]:
    """Return what the texts of gaps were made of as JSON-ready values, so that a report can say them anew."""
    return [asdict(record) for record in message_records(*parts)]


def source_to_plain(source: Source) -> dict[str, object]:
    """Return a source as JSON-ready values."""
    gap = source.gap
    return {
        "dataset": source.dataset,
        "subject": source.subject,
        "endpoint": source.endpoint,
        "query": dict(source.query),
        "started_at": format_instant(source.started_at),
        "finished_at": format_instant(source.finished_at),
        "records": source.records,
        "pages": source.pages,
        "complete": source.complete,
        "gap": None
        if gap is None
        else {
            "kind": gap.kind,
            "message": gap.message,
            "missing_permission": gap.missing_permission,
        },
        "sha256": source.sha256,
    }
