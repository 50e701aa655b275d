"""Runs in object storage (home of fsspec, an optional extra).

What is promised there (docs/adr/0007): a run that has its manifest.json is whole. The manifest is stored last, after
every other object was read back and compared with it, and no object of a run is written twice. Objects without a
manifest are what an interrupted upload left.
"""

from __future__ import annotations

import hashlib
import json
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from auditor.errors import RunFailed
from auditor.history.manifest import MANIFEST, run_of_manifest
from auditor.history.runs import RESULTS
from auditor.history.storage_lease import Lease

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_URL = re.compile(r"([a-z][a-z0-9+.-]+):/+(.+)")  # a path keeps only one of the slashes; one letter is a drive
_CLAIM = ".claims"
_UPLOAD_TAKES = timedelta(days=1)  # at most, the difference of two clocks included
_MOST_OF_A_NAME = 1000
_AT_ONCE = 16


def object_storage_url(path: Path) -> str | None:
    """Return the address that was given where a path may stand, if it is one of object storage."""
    match = _URL.fullmatch(path.as_posix())
    return f"{match[1]}://{match[2]}" if match else None


@dataclass(frozen=True, slots=True)
class ObjectStorage:
    """A place for runs below an address such as s3://bucket/runs. Every method raises RunFailed when it cannot."""

    url: str
    _files: Any  # a filesystem of fsspec, which is an optional extra
    _root: str

    def names(self) -> tuple[str, ...]:
        """Return the names of the runs that were judged, the latest first."""
        with self._told("cannot be listed"):
            self._files.invalidate_cache()
            with_manifest, with_record = (
                {path.split("/")[-2] for path in self._files.glob(f"{self._root}/*/{file}")}
                for file in (MANIFEST, RESULTS)
            )
        return tuple(sorted((each for each in with_manifest & with_record if not each.startswith(".")), reverse=True))

    def fetch_record(self, name: str, folder: Path) -> None:
        """Write record and manifest of a run into `folder`, in which it then passes as an earlier run."""
        (folder / "evidence").mkdir(parents=True)
        for file in (RESULTS, MANIFEST):
            with self._told(f"{name}/{file} cannot be read"):
                content = self._files.cat_file(f"{self._root}/{name}/{file}")
            (folder / file).write_bytes(content)

    def fetch(self, name: str, folder: Path) -> None:
        """Write every object of a run into `folder`."""
        with self._told(f"{name} cannot be read"):
            self._files.invalidate_cache()
            paths = self._files.find(f"{self._root}/{name}")
            for path in paths:
                parts = path.removeprefix(f"{self._root}/{name}/").split("/")
                if {"", ".", ".."} & {*parts}:  # a key is any text; none may lead out of the folder
                    raise RunFailed(f"{self.url}: {name} holds an object that no run has: {path!a}")
                target = folder.joinpath(*parts)
                target.parent.mkdir(parents=True, exist_ok=True)
                self._files.get_file(path, str(target))

    @contextmanager
    def alone(self, holder: str, host: str) -> Iterator[Lease]:
        """Keep commands of other machines out while this one writes; `holder` stands for this machine."""
        lease = Lease(self.url, self._files, self._root, holder=holder, host=host)
        with ExitStack() as stack:
            with self._told("cannot be locked"):
                stack.enter_context(lease.held())
            yield lease

    def remains(self) -> tuple[str, ...]:
        """Return the names below which objects lie that are no run: of a killed upload, or removed by half.

        What somebody may be storing right now is left out: its name was claimed within a day.
        """
        with self._told("cannot be listed"):
            self._files.invalidate_cache()
            below = [path.removeprefix(f"{self._root}/").split("/") for path in self._files.find(self._root)]
            runs = {name for name, *rest in below if rest == [MANIFEST]}
            claimed = {rest[0]: self._is_recent(f"{self._root}/{_CLAIM}/{rest[0]}") for name, *rest in below
                       if name == _CLAIM}
            names = {name for name, *rest in below if rest and not name.startswith(".")} | claimed.keys()
        return tuple(sorted(name for name in names - runs if not claimed.get(name)))

    def _is_recent(self, path: str) -> bool:
        try:
            modified: datetime = self._files.modified(path)
        except FileNotFoundError:  # stored by now
            return True
        return datetime.now(UTC) - modified < _UPLOAD_TAKES

    def remove(self, name: str) -> None:
        """Remove a run or what is left of one: its manifest first, without which it is no run any more."""
        with self._told(f"{name} cannot be removed"):
            self._files.invalidate_cache()
            paths = self._files.find(f"{self._root}/{name}")
            manifest = f"{self._root}/{name}/{MANIFEST}"
            if manifest in paths:
                self._files.rm_file(manifest)
            for path in paths:
                if path != manifest:
                    self._files.rm_file(path)
            claim = f"{self._root}/{_CLAIM}/{name}"
            if self._files.exists(claim):
                self._files.rm_file(claim)

    def publish(self, folder: Path) -> str:
        """Store a whole run folder under its run's id, or that with a number; return its address."""
        with self._told("cannot be written"):
            name = self._claim(run_of_manifest(folder))
            target = f"{self._root}/{name}"
            paths = [path for path in folder.rglob("*") if path.is_file() and path != folder / MANIFEST]
            remote = {path: f"{target}/{path.relative_to(folder).as_posix()}" for path in paths}
            self._files.put([str(path) for path in remote], list(remote.values()))
            self._require_stored(json.loads((folder / MANIFEST).read_bytes())["files"], target)
            self._files.put_file(str(folder / MANIFEST), f"{target}/{MANIFEST}")
            self._files.rm_file(f"{self._root}/{_CLAIM}/{name}")
        return f"{self.url}/{name}"

    def _claim(self, wanted: str) -> str:
        """Take a name that no run bears and nobody else is taking."""
        for number in range(1, _MOST_OF_A_NAME):
            name = wanted if number == 1 else f"{wanted}.{number}"
            self._files.invalidate_cache()
            if self._files.find(f"{self._root}/{name}"):
                continue
            try:
                # If-None-Match on S3: of two that try, one gets it
                self._files.pipe_file(f"{self._root}/{_CLAIM}/{name}", b"taken\n", mode="create")
            except FileExistsError:
                continue
            return name
        raise RunFailed(f"{self.url}: a thousand runs named {wanted} exist already")

    def _require_stored(self, entries: list[dict[str, Any]], target: str) -> None:
        """Read every object back and compare it with the manifest."""
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            stored = threads.map(lambda entry: self._files.cat_file(f"{target}/{entry['path']}"), entries)
            for entry, content in zip(entries, stored, strict=True):
                if hashlib.sha256(content).hexdigest() != entry["sha256"]:
                    raise RunFailed(f"{self.url}: {entry['path']} is not what was written")

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        try:
            yield
        except RunFailed:
            raise
        except Exception as error:  # each store raises errors of its own
            raise RunFailed(f"{self.url}: {what} ({type(error).__name__}: {_first_line(error)})") from error


def open_storage(url: str) -> ObjectStorage:
    """Open object storage with the credentials of this machine. Raises RunFailed when it cannot be used."""
    try:
        from fsspec.core import url_to_fs  # noqa: PLC0415 - an optional extra
    except ImportError as error:
        raise RunFailed(f"{url} needs hire2retire-permission-auditor[object-storage] to be installed") from error
    try:
        files, root = url_to_fs(url.rstrip("/"))
    except (ImportError, ValueError, OSError) as error:
        raise RunFailed(f"{url}: cannot be used ({_first_line(error)})") from error
    return ObjectStorage(url.rstrip("/"), files, root.rstrip("/"))


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0][:200]
