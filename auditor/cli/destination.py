"""Where a command writes its run: a folder, or object storage by way of a folder of this machine."""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import typer

from auditor.cli.console import say

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime

    from auditor.history.object_storage import ObjectStorage
    from auditor.pipeline import Finished

EARLIER_RUNS_LOOKED_AT = 50


@dataclass(frozen=True, slots=True)
class Destination:
    """A folder to write into; with `storage` what is written there goes to it."""

    folder: Path
    storage: ObjectStorage | None = None
    stored: list[Path] = field(default_factory=list)

    def fetch_earlier(self, connections: Collection[str], before: datetime) -> None:
        """Have the record of the run that this one is to be compared with in the folder."""
        from auditor.history.runs import past_run  # noqa: PLC0415 - --help must not load it

        if self.storage is None:
            return
        for name in self.storage.names()[:EARLIER_RUNS_LOOKED_AT]:
            self.storage.fetch_record(name, self.folder / name)
            run = past_run(self.folder / name)
            if run and run.is_unaltered and run.evaluated_at < before and run.connections == set(connections):
                return

    def settle(self, finished: Finished) -> Finished:
        """Bring a finished run to where it belongs. Raises RunFailed; the run then stays in the folder."""
        from auditor.errors import RunFailed  # noqa: PLC0415

        if self.storage is None:
            return finished
        try:
            address = self.storage.publish(finished.folder)
        except RunFailed as failed:
            raise RunFailed(f"{failed}; the run lies in {finished.folder} and goes there with the next one") from failed
        self.stored.append(finished.folder)
        return replace(finished, address=address)


@contextmanager
def destination(output_dir: Path) -> Iterator[Destination]:
    """Yield where to write. For object storage it is a private folder of this machine, which one command uses at once.

    What an earlier command could not bring to the storage is brought there first.
    """
    from auditor.history.lock import only_run  # noqa: PLC0415
    from auditor.history.object_storage import object_storage_url, open_storage  # noqa: PLC0415

    url = object_storage_url(output_dir)
    if url is None:
        yield Destination(output_dir)
        return
    storage = open_storage(url)
    scratch = _scratch(url)
    with only_run(scratch):
        folder = scratch / "runs"
        _bring_left(storage, folder)
        place = Destination(folder, storage)
        try:
            yield place
        finally:
            _tidy(folder, place.stored)


@contextmanager
def run_here(run: Path) -> Iterator[Path]:
    """Yield the folder of a run; one in object storage is fetched for the moment."""
    from auditor.history.object_storage import object_storage_url, open_storage  # noqa: PLC0415

    url = object_storage_url(run)
    if url is None:
        yield run
        return
    parent, _, name = url.rstrip("/").rpartition("/")
    with TemporaryDirectory(prefix="auditor-") as scratch:
        open_storage(parent).fetch(name, Path(scratch))
        yield Path(scratch)


@contextmanager
def records_here(output_dir: Path) -> Iterator[Path]:
    """Yield a folder with the records of all runs; those in object storage are fetched for the moment."""
    from auditor.history.object_storage import object_storage_url, open_storage  # noqa: PLC0415

    url = object_storage_url(output_dir)
    if url is None:
        yield output_dir
        return
    storage = open_storage(url)
    with TemporaryDirectory(prefix="auditor-") as scratch:
        for name in storage.names():
            storage.fetch_record(name, Path(scratch) / name)
        yield Path(scratch)


def shown(path: Path) -> str:
    """Return a path, or the address that stands in its place, as it was given."""
    from auditor.history.object_storage import object_storage_url  # noqa: PLC0415

    return object_storage_url(path) or str(path)


def require_folder(output_dir: Path) -> Path:
    """Return the path of a folder. Raises BadParameter for an address."""
    from auditor.history.object_storage import object_storage_url  # noqa: PLC0415

    if object_storage_url(output_dir) is not None:
        raise typer.BadParameter("this command works on folders; fetch the runs first", param_hint="--output-dir")
    return output_dir


def _scratch(url: str) -> Path:
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return state / "auditor" / hashlib.sha256(url.encode()).hexdigest()[:16]


def _bring_left(storage: ObjectStorage, folder: Path) -> None:
    from auditor.history.manifest import is_whole  # noqa: PLC0415

    stored = []
    for run in _folders(folder):
        if is_whole(run):
            say(f"{run.name} could not be brought to {storage.url} before; it is now {storage.publish(run)}")
            stored.append(run)
    _tidy(folder, stored)


def _tidy(folder: Path, stored: Collection[Path]) -> None:
    """Remove records that were fetched, and runs that are stored; keep those that are not, and interrupted ones."""
    from auditor.history.manifest import is_whole  # noqa: PLC0415

    for run in _folders(folder):
        if run in stored or not is_whole(run):
            shutil.rmtree(run)


def _folders(folder: Path) -> list[Path]:
    return [each for each in folder.iterdir() if not each.name.startswith(".")] if folder.is_dir() else []
