"""One folder per run: filled under a hidden name, sealed, verified, and only then given its name."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from auditor.errors import Interrupted, RunFailed
from auditor.history.lock import locked
from auditor.history.manifest import MANIFEST, shares, verify_run, write_manifest
from auditor.processes import here

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from auditor.processes import Spread


_INCOMPLETE = ".incomplete-"
_FLUSHED_AT_ONCE = 16


def _nothing(folder: Path) -> bool:
    del folder
    return False


@contextmanager
def staging_folder(output_dir: Path, *, worth_keeping: Callable[[Path], bool] = _nothing) -> Iterator[Path]:
    """Yield a private folder to fill; it is removed unless `publish` gave it a name.

    It is locked while it is filled, so that one a killed process left can be told from one in use.
    An interrupt leaves it, without a manifest, if it is `worth_keeping`, and becomes Interrupted.
    Raises RunFailed when the output folder cannot be written.
    """
    with ExitStack() as lock:
        try:
            output_dir.mkdir(parents=True, exist_ok=True)
            folder = Path(tempfile.mkdtemp(prefix=_INCOMPLETE, dir=output_dir.absolute()))
            lock.enter_context(locked(folder))
        except OSError as error:
            raise RunFailed(f"{output_dir}: cannot be written ({error.strerror})") from error
        is_kept = False
        try:
            yield folder
        except OSError as error:
            # A file without a name is one of those that large reports are made with
            place = output_dir if error.filename else f"{output_dir} or {tempfile.gettempdir()}"
            raise RunFailed(f"{place}: cannot be written ({error})") from error
        except KeyboardInterrupt as interrupt:
            is_kept = worth_keeping(folder)
            if not is_kept:
                raise
            (folder / MANIFEST).unlink(missing_ok=True)
            raise Interrupted(output_dir / folder.name) from interrupt
        finally:
            if not is_kept:
                shutil.rmtree(folder, ignore_errors=True)


def publish(folder: Path, run_id: str, spread: Spread = here) -> Path:
    """Seal a filled staging folder and give it its name; an earlier run of that name is never touched.

    What was written is read again and compared with the manifest (META-008), and everything is on disk
    before the folder gets its name. `spread` says where files are read. Raises RunFailed when a file is not what was
    written.
    """
    write_manifest(folder, run_id, spread=spread)
    _flush(folder, spread)
    differences = verify_run(folder, spread)
    if differences:
        raise RunFailed(f"{folder.parent}: {differences[0]} while the run was being written")
    for number in range(1, 1000):
        target = folder.parent / (run_id if number == 1 else f"{run_id}.{number}")
        try:
            target.mkdir()
        except FileExistsError:
            continue
        try:
            folder.chmod(0o755 & ~_umask())
            folder.rename(target)  # replaces the empty folder just claimed, in one step
        except BaseException:
            with suppress(OSError):  # a full one is the run
                target.rmdir()
            raise
        _flush_one_by_one([str(folder.parent)])
        return target
    raise RunFailed(f"{folder.parent}: a thousand runs named {run_id} exist already")


def discard(folder: Path) -> None:
    """Remove a run folder, or what a run left, so that no half of it ever bears its name.

    It needs no space, since it is what makes some on a full disk. Raises RunFailed when it cannot be removed.
    """
    try:
        if not folder.name.startswith(_INCOMPLETE):
            hidden = folder.with_name(f"{_INCOMPLETE}{secrets.token_hex(8)}")
            folder.rename(hidden)
            _flush_one_by_one([str(folder.parent)])
            folder = hidden
        (folder / MANIFEST).unlink(missing_ok=True)  # from here on it passes for no run
        shutil.rmtree(folder)
    except OSError as error:
        raise RunFailed(f"{folder}: cannot be removed ({error.strerror})") from error


def abandoned(output_dir: Path) -> tuple[Path, ...]:
    """Return what interrupted and killed processes left: staging folders that nobody fills."""
    return tuple(folder for folder in sorted(output_dir.glob(f"{_INCOMPLETE}*")) if _is_abandoned(folder))


def _is_abandoned(folder: Path) -> bool:
    try:
        with locked(folder):
            return True
    except OSError:  # in use, or no folder
        return False


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def _flush(folder: Path, spread: Spread) -> None:
    """Put every file on disk before the folder gets its name, so that a named run is a whole run."""
    tree = [(Path(parent), names) for parent, _, names in os.walk(folder)]
    for _ in spread(_flush_paths, shares([str(parent / name) for parent, names in tree for name in names])):
        pass
    _flush_paths([str(parent) for parent, _ in tree])


def _flush_paths(paths: Sequence[str]) -> None:
    # Side by side: a disk writes many files at once far sooner than one after the other. Each thread has its part
    # from the start: to hand over file by file takes longer than the writing
    with ThreadPoolExecutor(_FLUSHED_AT_ONCE) as threads:
        list(threads.map(_flush_one_by_one, (paths[first::_FLUSHED_AT_ONCE] for first in range(_FLUSHED_AT_ONCE))))


def _flush_one_by_one(paths: Sequence[str]) -> None:
    for path in paths:
        if os.name == "nt" and Path(path).is_dir():  # a folder cannot be opened there
            continue
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
