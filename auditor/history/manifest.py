"""The manifest of a run folder: the SHA-256 of every file, and the check against it.

Reviews are recorded after a run was sealed, in its folder `review/`, which has a manifest of its own.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError

from auditor.errors import InvalidInput, Problem

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST = "manifest.json"
REVIEWS = "review"


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")
    path: str
    bytes: int
    sha256: str


class _Manifest(BaseModel):
    model_config = ConfigDict(extra="forbid")
    schema_version: str
    run: str
    run_manifest: str | None = None
    files: list[_Entry]


def write_manifest(folder: Path, run_id: str, *, run_manifest: str | None = None) -> None:
    """Write the manifest of everything in `folder`, in the order of the paths.

    That of reviews names the digest of the run's own manifest, `run_manifest`.
    """
    entries = [
        {"path": name, "bytes": path.stat().st_size, "sha256": _digest(path)}
        for name, path in sorted(_files(folder).items())
    ]
    bound = {} if run_manifest is None else {"run_manifest": run_manifest}
    content = {"schema_version": "1.0", "run": run_id, **bound, "files": entries}
    (folder / MANIFEST).write_text(
        json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8", newline="\n"
    )


def verify_run(folder: Path) -> tuple[str, ...]:
    """Return what differs between a run folder and its manifest, one sentence each; empty when nothing does.

    Raises InvalidInput when there is no readable manifest.
    """
    try:
        manifest = _read_manifest(folder)
    except (OSError, ValidationError) as error:
        raise InvalidInput(
            [
                Problem(
                    file=str(folder),
                    line=None,
                    place="RUN",
                    message=f"has no readable manifest.json ({type(error).__name__})",
                    cure="give the path of a run folder",
                )
            ]
        ) from error
    return (*_differences(folder, manifest), *_differences_of_reviews(folder))


def _differences(folder: Path, manifest: _Manifest) -> list[str]:
    recorded = {entry.path: entry for entry in manifest.files}
    present = _files(folder)
    differences = [f"{name}: missing" for name in sorted(recorded.keys() - present.keys())]
    differences += [f"{name}: not in the manifest" for name in sorted(present.keys() - recorded.keys())]
    differences += [
        f"{name}: altered (SHA-256 differs)"
        for name, path in sorted(present.items())
        if name in recorded and (path.is_symlink() or _digest(path) != recorded[name].sha256)
    ]
    return differences


def _differences_of_reviews(folder: Path) -> list[str]:
    reviews = folder / REVIEWS
    if not reviews.exists() and not reviews.is_symlink():
        return []
    if reviews.is_symlink() or not reviews.is_dir():
        return [f"{REVIEWS}: is no folder"]
    try:
        manifest = _read_manifest(reviews)
    except (OSError, ValidationError):
        return [f"{REVIEWS}/{MANIFEST}: missing or not readable"]
    differences = [f"{REVIEWS}/{difference}" for difference in _differences(reviews, manifest)]
    if manifest.run_manifest != _digest(folder / MANIFEST):
        differences.append(f"{REVIEWS}/{MANIFEST}: names the manifest of another run")
    return differences


def is_whole(folder: Path) -> bool:
    """Tell whether a folder is a run, every file as its manifest records it."""
    try:
        return not verify_run(folder)
    except InvalidInput:
        return False


def run_of_manifest(folder: Path) -> str:
    """Return the id of the run that a folder's manifest names; empty when there is no readable one."""
    try:
        return _read_manifest(folder).run
    except (OSError, ValidationError):
        return ""


def unaltered(folder: Path, name: str) -> bytes | None:
    """Return a file of a run folder if it is as the manifest records it, else None."""
    try:
        content = (folder / name).read_bytes()
        recorded = {entry.path: entry.sha256 for entry in _read_manifest(folder).files}
    except (OSError, ValidationError):
        return None
    return content if recorded.get(name) == hashlib.sha256(content).hexdigest() else None


def _read_manifest(folder: Path) -> _Manifest:
    return _Manifest.model_validate_json((folder / MANIFEST).read_bytes())


def _files(folder: Path) -> dict[str, Path]:
    return {
        path.relative_to(folder).as_posix(): path
        for path in folder.rglob("*")
        if (path.is_symlink() or not path.is_dir())
        and path != folder / MANIFEST
        and path.relative_to(folder).parts[0] != REVIEWS
    }


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
