"""The manifest of a run folder: the SHA-256 of every file, and the check against it.

Reviews are recorded after a run was sealed, in its folder `review/`, which has a manifest of its own.
"""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError

from auditor.errors import InvalidInput, Problem
from auditor.processes import here

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from auditor.processes import Spread


MANIFEST = "manifest.json"
REVIEWS = "review"
FILES_OF_A_SHARE = 250  # enough that handing a share over costs little beside reading it


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


def write_manifest(folder: Path, run_id: str, *, run_manifest: str | None = None, spread: Spread = here) -> None:
    """Write the manifest of everything in `folder`, in the order of the paths.

    That of reviews names the digest of the run's own manifest, `run_manifest`. `spread` says where files are read.
    """
    files = sorted(_files(folder).items())
    digests = _digests([path for _, path in files], spread)
    entries = (
        json.dumps({"path": name, "bytes": os.path.getsize(path), "sha256": digest}, ensure_ascii=False)
        for (name, path), digest in zip(files, digests, strict=True)
    )
    bound = {} if run_manifest is None else {"run_manifest": run_manifest}
    head = json.dumps({"schema_version": "1.0", "run": run_id, **bound}, ensure_ascii=False)
    # A line per file: readable, and the encoder that indents takes several times as long
    lines = ",\n".join(entries)
    text = f'{head[:-1]}, "files": [\n{lines}\n]}}\n'
    (folder / MANIFEST).write_text(text, encoding="utf-8", newline="\n")


def verify_run(folder: Path, spread: Spread = here) -> tuple[str, ...]:
    """Return what differs between a run folder and its manifest, one sentence each; empty when nothing does.

    `spread` says where files are read. Raises InvalidInput when there is no readable manifest.
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
    return (*_differences(folder, manifest, spread=spread), *differences_of_reviews(folder))


def altered_evidence(folders: Sequence[Path]) -> tuple[tuple[str, ...], ...]:
    """Return for each folder of recorded evidence what of it is not as the manifest of its run records it.

    `folders` are `evidence/ID` below run folders; the inputs of a run belong to each of its connections. Evidence
    that lies by itself, or in a run that was not finished, has no manifest: nothing differs from one.
    """
    differing: dict[Path, list[str]] = {}
    found = []
    for folder in (each.absolute() for each in folders):  # a link in place of a folder is a difference, too
        run = folder.parent.parent
        if run not in differing:
            is_sealed = folder.parent.name == "evidence" and (run / MANIFEST).exists()
            differing[run] = _differences_of_evidence(run) if is_sealed else []
        own = (f"evidence/{folder.name}/", "inputs/", MANIFEST)
        found.append(tuple(_writable(each) for each in differing[run] if each.startswith(own)))
    return tuple(found)


def _writable(text: str) -> str:
    """Return a text that a record can hold; a file's name may be no UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _differences_of_evidence(run: Path) -> list[str]:
    try:
        return _differences(run, _read_manifest(run), ("evidence/", "inputs/"))
    except (OSError, ValidationError) as error:
        return [f"{MANIFEST}: not readable ({type(error).__name__})"]


def _differences(
    folder: Path, manifest: _Manifest, below: tuple[str, ...] = ("",), *, spread: Spread = here
) -> list[str]:
    """Say what differs of the files whose paths start with one of `below`."""
    recorded = {entry.path: entry for entry in manifest.files if entry.path.startswith(below)}
    present = {name: path for name, path in _files(folder).items() if name.startswith(below)}
    differences = [f"{name}: missing" for name in sorted(recorded.keys() - present.keys())]
    differences += [f"{name}: not in the manifest" for name in sorted(present.keys() - recorded.keys())]
    common = sorted(recorded.keys() & present.keys())
    readable = [name for name in common if not os.path.islink(present[name])]
    digests = dict(zip(readable, _digests([present[name] for name in readable], spread), strict=True))
    differences += [
        f"{name}: altered (SHA-256 differs)" for name in common if digests.get(name) != recorded[name].sha256
    ]
    return differences


def differences_of_reviews(folder: Path) -> list[str]:
    """Return what differs between the reviews of a run and their manifest; empty when there are none."""
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


def _files(folder: Path) -> dict[str, str]:
    """Return everything in a folder that is no folder, links included, by its path below it; reviews left out.

    Texts, not paths: a large estate has thousands of files.
    """
    found = {}
    root = os.path.join(folder, "")
    for parent, folders, files in os.walk(root):
        links = [name for name in folders if os.path.islink(os.path.join(parent, name))]
        for name in (*files, *links):
            path = os.path.join(parent, name)
            found[path.removeprefix(root).replace(os.sep, "/")] = path
    return {
        name: path for name, path in found.items() if name != MANIFEST and name.partition("/")[0] != REVIEWS
    }


def _digests(paths: Sequence[str], spread: Spread) -> Iterator[str]:
    for digests in spread(_digests_of_share, shares(paths)):
        yield from digests


def shares(paths: Sequence[str]) -> list[Sequence[str]]:
    """Return the paths in pieces that are worth spreading."""
    return [paths[first : first + FILES_OF_A_SHARE] for first in range(0, len(paths), FILES_OF_A_SHARE)]


def _digests_of_share(paths: Sequence[str]) -> list[str]:
    return [_digest(path) for path in paths]


def _digest(path: str | Path) -> str:
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
