"""Reviews of a run: kept beside what the run wrote, under a manifest of their own.

A run folder is never changed once it is sealed. Its folder `review/` comes later, and its manifest names
the digest of the run's manifest, so that decisions cannot be moved to another run.
"""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING, Any

from auditor.errors import RunFailed
from auditor.history.manifest import MANIFEST, REVIEWS, write_manifest

if TYPE_CHECKING:
    from pathlib import Path


def record_review(folder: Path, run_id: str, stamp: str, record: dict[str, Any], workbook: bytes) -> Path:
    """Write a review and the workbook it was read from into a run folder, and return the record's path.

    An earlier review is never touched. Raises RunFailed when it cannot be written.
    """
    reviews = folder / REVIEWS
    content = json.dumps(record, ensure_ascii=False, indent=2) + "\n"
    try:
        reviews.mkdir(exist_ok=True)
        path = _free_name(reviews, stamp)
        _write(path.with_suffix(".xlsx"), workbook)
        _write(path, content.encode("utf-8", "backslashreplace"))
        run_manifest = hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()
        write_manifest(reviews, run_id, run_manifest=run_manifest)
    except OSError as error:
        raise RunFailed(f"{reviews}: cannot be written ({error.strerror})") from error
    return path


def _free_name(reviews: Path, stamp: str) -> Path:
    names = (stamp if number == 1 else f"{stamp}.{number}" for number in range(1, 1000))
    return next(path for path in (reviews / f"{name}.json" for name in names) if not path.exists())


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
