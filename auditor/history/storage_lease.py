"""A lock on an address in object storage, for commands on any machine: a lease that its holder renews.

A lease is an object below `.locks/` named by a number, stored on the condition that it is not there yet; the highest
number holds. A lease that is given back, or that was not renewed for `LEASE_S` by the clock of the store, may be
followed by the next number, which of several that want it one gets. The newest object stays, so that a number is
never given twice. What is promised, and what is not: docs/adr/0007.
"""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from auditor.errors import RunFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCKS = ".locks"
LEASE_S = 300
_RENEWED_EVERY_S = 60


class Lease:
    """The lock of one command. `holder` stands for its machine, on which one command at a time uses the address."""

    def __init__(self, url: str, files: Any, root: str, *, holder: str, host: str) -> None:  # noqa: ANN401 - of fsspec
        self._url = url
        self._files = files
        self._folder = f"{root}/{LOCKS}"
        self._holder = holder
        self._content = {"holder": holder, "host": host, "since": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"}
        self._number = 0
        self._ended = threading.Event()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the address. Raises RunFailed when a command on another machine does."""
        self._take()
        renewing = threading.Thread(target=self._renew, name="renew lease", daemon=True)
        renewing.start()
        try:
            yield
        finally:
            self._ended.set()
            renewing.join()
            with suppress(Exception):  # what cannot be given back ends by itself
                if self._newest() == self._number:
                    self._store(is_over=True)

    def require_held(self) -> None:
        """Raise RunFailed when another command took the address over, because this lease was not renewed in time."""
        if self._newest() != self._number:
            raise RunFailed(f"{self._url}: its lock was lost to another command, since the store was out of reach")

    def _take(self) -> None:
        before = self._newest()
        if before:
            self._require_over(before)
        self._number = before + 1
        try:
            self._store(mode="create")  # If-None-Match on S3
        except FileExistsError as error:
            raise self._refused("began at the same moment") from error
        if self._newest() != self._number:  # an old number, wanted by one that looked long ago
            self._files.rm_file(self._path(self._number))
            raise self._refused("began at the same moment")
        for number in self._numbers() - {self._number}:
            self._files.rm_file(self._path(number))

    def _require_over(self, number: int) -> None:
        path = self._path(number)
        try:
            lease = json.loads(self._files.cat_file(path))
            holder, host, is_over = lease["holder"], str(lease["host"]), lease.get("is_over", False)
        except FileNotFoundError as error:
            raise self._refused("began at the same moment") from error
        except (ValueError, KeyError, TypeError):
            holder, host, is_over = "", "an unknown machine", False
        is_ours = (holder, host) == (self._holder, self._content["host"])
        if is_over or is_ours:  # ours is of a command that ended: this machine runs one at a time
            return
        unrenewed_s = (self._store_time() - self._modified(path)).total_seconds()
        if unrenewed_s < LEASE_S:
            raise self._refused(f"is under way on {host[:100]!a}; if it died, it counts as over within {LEASE_S} s")

    def _refused(self, why: str) -> RunFailed:
        return RunFailed(f"{self._url}: another command {why}")

    def _renew(self) -> None:
        while not self._ended.wait(_RENEWED_EVERY_S):
            with suppress(Exception):  # tried again; `require_held` says when it came too late
                self._store()

    def _store(self, *, is_over: bool = False, mode: str = "overwrite") -> None:
        content = json.dumps(self._content | {"is_over": is_over}).encode()
        self._files.pipe_file(self._path(self._number), content, mode=mode)

    def _newest(self) -> int:
        return max(self._numbers(), default=0)

    def _numbers(self) -> set[int]:
        self._files.invalidate_cache()
        names = (path.rpartition("/")[2] for path in self._files.find(self._folder))
        return {int(name) for name in names if name.isdecimal()}

    def _path(self, number: int) -> str:
        return f"{self._folder}/{number:06}"

    def _store_time(self) -> datetime:
        """Return the time of the store's clock, which is that of an object just stored."""
        path = f"{self._folder}/clock-{self._holder}"
        self._files.pipe_file(path, b"now\n")
        try:
            return self._modified(path)
        finally:
            self._files.rm_file(path)

    def _modified(self, path: str) -> datetime:
        self._files.invalidate_cache()
        modified: datetime = self._files.modified(path)
        return modified
