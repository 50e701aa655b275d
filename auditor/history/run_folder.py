"""One folder per run: filled under a hidden name, sealed, and only then given its name."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from auditor.errors import RunFailed
from auditor.history.manifest import write_manifest

if TYPE_CHECKING:
    from collections.abc import Iterator

_INCOMPLETE = ".incomplete-"


@contextmanager
def staging_folder(output_dir: Path) -> Iterator[Path]:
    """Yield a private folder to fill; it is removed unless `publish` gave it a name.

    Raises RunFailed when the output folder cannot be written.
    """
    try:
        output_dir.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=_INCOMPLETE, dir=output_dir.absolute()))
    except OSError as error:
        raise RunFailed(f"{output_dir}: cannot be written ({error.strerror})") from error
    try:
        yield folder
    except OSError as error:
        raise RunFailed(f"{output_dir}: cannot be written ({error})") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def publish(folder: Path, run_id: str) -> Path:
    """Seal a filled staging folder and give it its name; an earlier run of that name is never touched."""
    write_manifest(folder, run_id)
    _flush(folder)
    for number in range(1, 1000):
        target = folder.parent / (run_id if number == 1 else f"{run_id}.{number}")
        try:
            target.mkdir()
        except FileExistsError:
            continue
        folder.chmod(0o755 & ~_umask())
        folder.rename(target)  # replaces the empty folder just claimed, in one step
        return target
    raise RunFailed(f"{folder.parent}: a thousand runs named {run_id} exist already")


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def _flush(folder: Path) -> None:
    """Put every file on disk before the folder gets its name, so that a named run is a whole run."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as stream:
                os.fsync(stream.fileno())
