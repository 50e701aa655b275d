"""Reviews of a run: kept beside what the run wrote, under a manifest of their own.

A run folder is never changed once it is sealed. Its folder `review/` comes later, and its manifest names
the digest of the run's manifest, so that decisions cannot be moved to another run.
"""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING, Any

from auditor.errors import InvalidInput, Problem, RunFailed
from auditor.history.manifest import MANIFEST, REVIEWS, differences_of_reviews, unaltered, write_manifest

if TYPE_CHECKING:
    from pathlib import Path

REVIEWS_COPY = "inputs/reviews.json"  # in a run that was rendered again: the records it shows


def recorded_reviews(folder: Path) -> bytes:
    """Return the records of every review of a run, the earliest first, as one JSON array; empty when there is none.

    A run that was rendered again carries those it was rendered with. Raises InvalidInput when the records are not as
    their manifest has them.
    """
    differences = differences_of_reviews(folder)
    if differences:
        cure = "`auditor verify` says what differs; restore the folder, or take the run without it"
        raise InvalidInput(
            Problem(file=str(folder), line=None, place=REVIEWS, message=difference, cure=cure)
            for difference in differences
        )
    carried = json.loads(unaltered(folder, REVIEWS_COPY) or b"[]")
    own = [path for path in (folder / REVIEWS).glob("*.json") if path.name != MANIFEST]
    records = [*carried, *(json.loads(path.read_bytes()) for path in sorted(own, key=_order))]
    if not records:
        return b""
    return (json.dumps(records, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "backslashreplace")


def _order(path: Path) -> tuple[str, int]:
    stamp, _, number = path.stem.partition(".")
    return stamp, int(number) if number.isdecimal() else 1



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
