"""Where a command writes its run: a folder, or object storage by way of a folder of this machine."""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from socket import gethostname
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from auditor.cli.console import say

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from datetime import datetime

    from auditor.assignment import Finished
    from auditor.history.object_storage import ObjectStorage
    from auditor.history.storage_lease import Lease

EARLIER_RUNS_LOOKED_AT = 50
_MACHINE_LENGTH = 32


@dataclass(frozen=True, slots=True)
class Destination:
    """A folder to write into; with `storage` what is written there goes to it."""

    folder: Path
    storage: ObjectStorage | None = None
    lease: Lease | None = None
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
            if self.lease is not None:
                self.lease.require_held()
            address = self.storage.publish(finished.folder)
        except RunFailed as failed:
            raise RunFailed(f"{failed}; the run lies in {finished.folder} and goes there with the next one") from failed
        self.stored.append(finished.folder)
        return replace(finished, address=address)


@contextmanager
def destination(output_dir: Path, *, is_alone: bool = False) -> Iterator[Destination]:
    """Yield where to write. For object storage it is a private folder of this machine, which one command uses at once.

    One that `is_alone` keeps those of other machines out of the storage, too. What an earlier command could not bring
    to the storage is brought there first.
    """
    from auditor.history.object_storage import object_storage_url, open_storage  # noqa: PLC0415

    url = object_storage_url(output_dir)
    if url is None:
        yield Destination(output_dir)
        return
    storage = open_storage(url)
    with _alone(storage, is_alone=is_alone) as (scratch, lease):
        folder = scratch / "runs"
        _bring_left(storage, folder)
        place = Destination(folder, storage, lease)
        try:
            yield place
        finally:
            _tidy(folder, place.stored)


@contextmanager
def _alone(storage: ObjectStorage, *, is_alone: bool) -> Iterator[tuple[Path, Lease | None]]:
    """Yield the folder of this machine that stands for a storage, held for one command, and its lease."""
    from auditor.history.lock import only_run  # noqa: PLC0415

    scratch = _scratch(storage.url)
    with only_run(scratch), ExitStack() as stack:
        yield scratch, stack.enter_context(storage.alone(_machine(scratch), gethostname())) if is_alone else None


def _machine(scratch: Path) -> str:
    """Return what stands for this machine in the locks of a storage: names of machines may be the same."""
    path = scratch / "machine"
    known = path.read_text() if path.exists() else ""
    if len(known) != _MACHINE_LENGTH:  # none yet, or cut short
        import secrets  # noqa: PLC0415 - --help must not load it

        path.write_text(known := secrets.token_hex(_MACHINE_LENGTH // 2))
    return known


@contextmanager
def prunable(output_dir: Path) -> Iterator[tuple[Path, Callable[[], tuple[str, ...]], Callable[[str], None]]]:
    """Yield a folder with the records of all runs, what lists the names of remains there, and what removes by name.

    No other command that judges or prunes may use it at the time.
    """
    from auditor.history.lock import only_run  # noqa: PLC0415
    from auditor.history.object_storage import object_storage_url, open_storage  # noqa: PLC0415
    from auditor.history.run_folder import abandoned, discard  # noqa: PLC0415

    url = object_storage_url(output_dir)
    if url is None:
        with only_run(output_dir):
            yield (
                output_dir,
                lambda: tuple(folder.name for folder in abandoned(output_dir)),
                lambda name: discard(output_dir / name),
            )
        return
    storage = open_storage(url)
    with _alone(storage, is_alone=True), records_here(output_dir) as folder:
        yield folder, storage.remains, storage.remove


@contextmanager
def run_here(run: Path) -> Iterator[Path]:
    """Yield the folder of a run; one in object storage is fetched for the moment.

    Raises InvalidInput when nothing is stored there.
    """
    from auditor.errors import InvalidInput, Problem  # noqa: PLC0415 - --help must not load it
    from auditor.history.object_storage import object_storage_url, open_storage  # noqa: PLC0415

    url = object_storage_url(run)
    if url is None:
        yield run
        return
    parent, _, name = url.rstrip("/").rpartition("/")
    with TemporaryDirectory(prefix="auditor-") as scratch:
        open_storage(parent).fetch(name, Path(scratch))
        if not any(Path(scratch).iterdir()):
            cure = f"`auditor history list -o {parent}` names the runs"
            raise InvalidInput([Problem(file=url, line=None, place="RUN", message="no run is stored there", cure=cure)])
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


def is_address(path: Path) -> bool:
    """Tell whether a path stands for object storage."""
    from auditor.history.object_storage import object_storage_url  # noqa: PLC0415

    return object_storage_url(path) is not None


def _scratch(url: str) -> Path:
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    import hashlib  # noqa: PLC0415 - --help must not load it

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
