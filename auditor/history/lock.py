"""Locks on folders that the system releases when a process ends, however it ends."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from auditor.errors import RunFailed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

if sys.platform == "win32":

    def _acquire(folder: Path) -> int:
        # a folder cannot be locked there; this file goes when its last handle does
        flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_TEMPORARY
        try:
            return os.open(folder.with_name(f"{folder.name}.lock"), flags)
        except FileExistsError as error:
            raise BlockingIOError from error

else:
    import fcntl

    def _acquire(folder: Path) -> int:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise
        return descriptor


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold `folder`, which is there, for this process alone.

    Raises BlockingIOError when another process holds it, OSError when it cannot be locked at all.
    """
    descriptor = _acquire(folder)
    try:
        yield
    finally:
        os.close(descriptor)


@contextmanager
def only_run(output_dir: Path) -> Iterator[None]:
    """Keep every other run out of `output_dir`, which is made when it is not there.

    Raises RunFailed when another run is under way there, or the folder cannot be used.
    """
    with ExitStack() as lock:
        try:
            output_dir.mkdir(parents=True, exist_ok=True)
            lock.enter_context(locked(output_dir))
        except BlockingIOError as error:
            raise RunFailed(f"{output_dir}: another run is under way there; wait for it, or write elsewhere") from error
        except OSError as error:
            raise RunFailed(f"{output_dir}: cannot be written ({error.strerror})") from error
        yield
