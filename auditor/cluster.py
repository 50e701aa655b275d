"""Runs connections on a Dask cluster (home of distributed, an optional extra).

Each worker resolves the secrets of its connections itself, from the references in the inventory; no secret is sent.
What comes back is what it read of a connection, and its judgement by itself.
"""

from __future__ import annotations

import errno
import logging
import os
import time
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, TYPE_CHECKING, Any, Literal

from auditor import __version__
from auditor.collection import collect_entry, copy_recorded, directory_scope, needs_of, side_by_side
from auditor.errors import InvalidInput, Problem, RunFailed
from auditor.evaluate.evaluate import judge_connection
from auditor.history.manifest import altered_evidence
from auditor.inventory.entries import ReplayEntry
from auditor.preparation import prepare_here
from auditor.recorded_run import RecordedConnection
from auditor.resumption import read_before

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from auditor.collect.stored_evidence import EvidencePath
    from auditor.collection import Announce, Invocation
    from auditor.evaluate.evaluate import Judged, RunFacts
    from auditor.inventory.entries import InventoryEntry
    from auditor.matrix.profile import Matrix
    from auditor.preparation import Prepared

CONNECT_S = 30
LOST_AFTER_S = 30
TASKS_PER_THREAD = 3  # so that no worker waits for its next connection
SHARE_BYTES = 1 << 18  # of recorded evidence: to hand over connection by connection takes longer than to judge them


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """One connection for a worker. `evidence` is that of a recorded one, by file name; `altered` says what of it is
    not as it was written.
    """

    entry: InventoryEntry
    prepared: Prepared
    matrix: Matrix
    invocation: Invocation
    run: RunFacts
    evidence: Mapping[str, bytes] | None = None
    altered: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """What comes back. `evidence` is what was read; None of a recorded connection, whose evidence was sent."""

    judged: Judged
    evidence: Mapping[str, bytes] | None


def run_on_cluster(
    prepared: Prepared,
    invocation: Invocation,
    folder: Path,
    run: RunFacts,
    announce: Announce,
    left: tuple[Path, ...],
) -> list[Judged]:
    """Collect and judge every connection on the cluster; write the evidence below `folder`.

    `left` is what interrupted runs left; what they read is judged and not read again.

    Limits per host and tenant hold for the whole cluster. A worker that dies costs its connections another try.
    Raises InvalidInput when a worker lacks a secret or has another version, before anything is contacted, and
    RunFailed when the scheduler does not answer or is lost, or a connection ends one worker after the other.
    """
    judged: dict[str, Judged] = {}
    entries = [_as_left(entry, left, invocation.clock()) for entry in prepared.entries]
    recorded = [entry for entry in entries if isinstance(entry, ReplayEntry)]
    altered = dict(
        zip((entry.id for entry in recorded), altered_evidence([entry.folder for entry in recorded]), strict=True)
    )
    for _ in copy_recorded(recorded, folder):
        pass
    with _client(invocation.scheduler or "") as client:
        _require_ready(client, prepared)
        watch = _Watch(client, invocation.scheduler or "")

        def begin(share: Sequence[InventoryEntry]) -> Future[None]:
            for entry in share:
                announce(entry.id, "started")
            return _submit(client, tuple(map(task, share)), partial(keep, share))

        def task(entry: InventoryEntry) -> _Task:
            return _Task(
                entry=entry,
                prepared=prepared.without_secrets((entry,)),
                matrix=prepared.matrices[entry.id],
                invocation=invocation,
                run=run,
                evidence=_files(folder / "evidence" / entry.id) if isinstance(entry, ReplayEntry) else None,
                altered=altered.get(entry.id, ()),
            )

        def keep(share: Sequence[InventoryEntry], outcomes: Sequence[_Outcome]) -> None:
            for entry, outcome in zip(share, outcomes, strict=True):
                if outcome.evidence is not None:
                    _write_files(outcome.evidence, folder / "evidence" / entry.id)
                judged[entry.id] = outcome.judged
                announce(entry.id, "finished")

        threads = sum(client.nthreads().values())
        side_by_side(
            _shares(entries, folder),
            begin,
            at_once=max(1, threads * TASKS_PER_THREAD),
            needs=lambda share: frozenset[tuple[str, str]]().union(*map(needs_of, share)),
            check=watch.require_scheduler,
        )
    return [judged[entry.id] for entry in prepared.entries]


def _shares(entries: Sequence[InventoryEntry], folder: Path) -> Iterator[Sequence[InventoryEntry]]:
    """Yield what goes to a worker at once: a connection to read, or recorded ones that are judged in no time."""
    share: list[InventoryEntry] = []
    size = 0
    for entry in entries:
        if not isinstance(entry, ReplayEntry):
            yield (entry,)
            continue
        share.append(entry)
        size += sum(path.stat().st_size for path in (folder / "evidence" / entry.id).iterdir())
        if size >= SHARE_BYTES:
            yield share
            share, size = [], 0
    if share:
        yield share


def _as_left(entry: InventoryEntry, left: tuple[Path, ...], now: datetime) -> InventoryEntry:
    """Return a connection that an interrupted run has read as a recorded one."""
    known = None if isinstance(entry, ReplayEntry) else read_before(left, entry, now)
    if known is None or isinstance(entry, ReplayEntry):
        return entry
    connection = entry.connection
    return ReplayEntry(
        id=entry.id, kind=entry.kind, folder=known, name=connection.name, profile=connection.profile
    )


@dataclass(frozen=True, slots=True)
class _Sent:
    """Recorded evidence that was sent to a worker, or a file of it: it is never on the worker's disk."""

    name: str
    files: Mapping[str, bytes]

    def __truediv__(self, name: str) -> _Sent:
        return _Sent(name, self.files)

    def open(self, mode: Literal["rb"]) -> IO[bytes]:
        del mode
        return BytesIO(self.read_bytes())

    def read_bytes(self) -> bytes:
        try:
            return self.files[self.name]
        except KeyError:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), self.name) from None


def _carry_out(tasks: Sequence[_Task]) -> tuple[_Outcome, ...]:
    """Judge connections on a worker, once they are collected."""
    return tuple(map(_carry_out_one, tasks))


def _carry_out_one(task: _Task) -> _Outcome:
    entry = task.entry
    if isinstance(entry, ReplayEntry):
        return _Outcome(judged=_judge(task, _Sent(entry.id, task.evidence or {}), entry.name), evidence=None)
    from auditor.collect.tenant import TenantSessions  # noqa: PLC0415 - see collection

    with TemporaryDirectory(prefix="auditor-") as scratch, TenantSessions() as sessions:
        folder = Path(scratch) / entry.id
        here = prepare_here(task.prepared)
        collect_entry(here, entry, task.invocation, folder, _no_step, sessions, directory_scope(here, entry))
        return _Outcome(judged=_judge(task, folder, entry.connection.name), evidence=_files(folder))


def _judge(task: _Task, folder: EvidencePath, name: str | None) -> Judged:
    recorded = RecordedConnection(
        folder=folder, id=task.entry.id, name=name, matrix=task.matrix, altered=task.altered
    )
    return judge_connection(recorded.evidence(), task.matrix, task.run)


def _no_step(connection: str, step: str) -> None:
    del connection, step


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def _write_files(files: Mapping[str, bytes], folder: Path) -> None:
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


@contextmanager
def _client(scheduler: str) -> Iterator[Any]:
    try:
        import distributed  # noqa: PLC0415 - an optional extra
    except ImportError as error:
        raise RunFailed("--executor dask needs hire2retire-permission-auditor[scale] to be installed") from error
    _silence_logs()
    client: Any = object.__new__(distributed.Client)
    try:
        client.__init__(scheduler, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        client.status = "closed"  # else it waits, when it is collected, a minute for what it never had
        # A TypeError is how the library says that it was given no certificates
        advice = "\ntls:// needs Dask's own configuration of TLS" if isinstance(error, TypeError) else ""
        raise RunFailed(f"the scheduler {scheduler} does not answer ({type(error).__name__}){advice}") from error
    try:
        yield client
    finally:
        client.close(timeout=5)


def _silence_logs() -> None:
    """Keep the library's log, tracebacks included, off standard error: what goes wrong is told by the run itself."""
    for name in ("asyncio", "tornado.application", *logging.root.manager.loggerDict):
        if name.partition(".")[0] in {"asyncio", "tornado", "distributed"}:
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def _require_ready(client: Any, prepared: Prepared) -> None:  # noqa: ANN401 - distributed is optional
    """Have every worker look for what it needs, before anything is contacted."""
    answers: Mapping[str, Any] = client.run(_problems_here, prepared.without_secrets(prepared.entries), __version__)
    if not answers:
        raise RunFailed("the cluster has no worker")
    problems = [
        Problem(
            file=problem.file, line=problem.line, place=problem.place, cure=problem.cure,
            message=f"worker {worker}: {problem.message}",
        )
        for worker, found in sorted(answers.items())
        for problem in found
    ]
    if problems:
        raise InvalidInput(problems)


def _problems_here(prepared: Prepared, version: str) -> tuple[Problem, ...]:
    if version != __version__:
        message = f"has version {__version__}, not {version}"
        return (Problem(file="--scheduler", line=None, place="", message=message, cure="install the same version"),)
    try:
        prepare_here(prepared)
    except InvalidInput as invalid:
        return invalid.problems
    return ()


class _Watch:
    """Notices that the scheduler is gone for good."""

    def __init__(self, client: Any, scheduler: str) -> None:  # noqa: ANN401
        self._client = client
        self._scheduler = scheduler
        self._seen = time.monotonic()

    def require_scheduler(self) -> None:
        """Raise RunFailed when the scheduler has been away for too long."""
        now = time.monotonic()
        if self._client.status == "running":
            self._seen = now
        elif self._client.status == "closed" or now - self._seen > LOST_AFTER_S:
            raise RunFailed(f"the scheduler {self._scheduler} was lost, and with it what the workers had in hand")


def _submit(
    client: Any,  # noqa: ANN401
    tasks: Sequence[_Task],
    keep: Callable[[Sequence[_Outcome]], None],
) -> Future[None]:
    """Hand tasks to a worker of the cluster; the future is done once `keep` has kept what came of them."""
    settled: Future[None] = Future()
    name = tasks[0].entry.id if len(tasks) == 1 else f"{tasks[0].entry.id} to {tasks[-1].entry.id}"
    remote = client.submit(_carry_out, tasks, pure=False, key=f"{name}-{id(settled)}")

    def settle(done: Any) -> None:  # noqa: ANN401
        try:
            keep(done.result())
        except CancelledError:
            settled.set_exception(RunFailed(f"{name} was given up by the cluster"))
        except BaseException as error:  # noqa: BLE001 - raised again for whoever waits for it
            settled.set_exception(_as_failure(name, error))
        else:
            settled.set_result(None)
        finally:
            done.release()

    remote.add_done_callback(settle)
    return settled


def _as_failure(connection: str, error: BaseException) -> BaseException:
    from distributed import KilledWorker  # noqa: PLC0415

    if isinstance(error, KilledWorker):
        return RunFailed(f"{connection}: one worker after the other died with it")
    return error
