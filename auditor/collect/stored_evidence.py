"""Large evidence files, read when asked for: their records and descriptors never all lie in memory.

A file is compared with its recorded SHA-256 when it is opened and again whenever it is read to its end, so that
nothing is judged that was altered in between.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import weakref
from collections.abc import Collection, Mapping
from typing import IO, TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from auditor.model.evidence import Record

_CHUNK = 1 << 20
_DESCRIPTOR_LINE = re.compile(rb'\{"sha256": "([0-9a-f]{64})", "descriptor": "([A-Za-z0-9+/]*={0,2})"\}\n')


class EvidencePath(Protocol):
    """A folder of evidence or a file in it, as far as it is read: a `Path`, or what a cluster was sent of one."""

    @property
    def name(self) -> str: ...  # noqa: D102
    def __truediv__(self, name: str, /) -> EvidencePath: ...
    def open(self, mode: Literal["rb"], /) -> IO[bytes]: ...  # noqa: D102
    def read_bytes(self) -> bytes: ...  # noqa: D102


class Altered(ValueError):
    """A file does not have the SHA-256 that was recorded when it was written."""

    def __init__(self, path: EvidencePath) -> None:
        super().__init__(f"{path.name} does not have the recorded SHA-256: it was altered after collection")


class StoredRecords(Collection["Record"]):
    """The records of one read, parsed anew each time. Raises Altered, and ValueError for a line that is no record."""

    def __init__(self, path: EvidencePath, sha256: str) -> None:
        self._path = path
        self._sha256 = sha256
        self._count = require_digest(path, sha256)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Record]:
        digest = hashlib.sha256()
        with self._path.open("rb") as stream:
            for line in stream:  # binary: text would also be cut at U+2028 and the like
                digest.update(line)
                yield _record(line)
        if digest.hexdigest() != self._sha256:
            raise Altered(self._path)

    def __contains__(self, record: object) -> bool:
        return any(record == each for each in self)


class StoredDescriptors(Mapping[str, bytes]):
    """Raw security descriptors by their SHA-256. Raises ValueError when one does not have it."""

    def __init__(self, path: EvidencePath, sha256: str) -> None:
        self._path = path
        self._places: dict[str, tuple[int, int]] = {}
        require_digest(path, sha256)
        start = 0
        with path.open("rb") as stream:
            for line in stream:
                self._places[_descriptor(line)[0]] = (start, len(line))
                start += len(line)
        self._stream = path.open("rb")
        weakref.finalize(self, self._stream.close)

    def __getitem__(self, digest: str) -> bytes:
        start, size = self._places[digest]
        self._stream.seek(start)
        found, raw = _descriptor(self._stream.read(size))
        if found != digest:
            raise Altered(self._path)
        return raw

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def _descriptor(line: bytes) -> tuple[str, bytes]:
    match = _DESCRIPTOR_LINE.fullmatch(line)
    if match is None:
        raise ValueError("a line of the descriptors is none")
    digest, raw = match[1].decode("ascii"), base64.b64decode(match[2])
    if hashlib.sha256(raw).hexdigest() != digest:
        raise ValueError("descriptor does not have the recorded SHA-256: it was altered after collection")
    return digest, raw


def require_digest(path: EvidencePath, sha256: str) -> int:
    """Return how many lines a file has. Raises Altered when it does not have the recorded SHA-256."""
    digest = hashlib.sha256()
    count = 0
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            count += chunk.count(b"\n")
    if digest.hexdigest() != sha256:
        raise Altered(path)
    return count


def copy_checked(path: EvidencePath, target: Path, sha256: str) -> None:
    """Copy a file while its digest is taken. Raises Altered when it does not have the recorded SHA-256."""
    digest = hashlib.sha256()
    with path.open("rb") as source, target.open("xb") as copy:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            copy.write(chunk)
    if digest.hexdigest() != sha256:
        raise Altered(path)


def _record(line: bytes) -> Record:
    record = json.loads(line.decode("utf-8", "surrogatepass"))  # given bytes it would look for UTF-16, line by line
    if not isinstance(record, dict):
        msg = "a record is no JSON object"
        raise TypeError(msg)
    return record
