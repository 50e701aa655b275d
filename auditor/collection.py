"""Collects the connections of a run side by side, and spares each host and each tenant."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from auditor.collect.https.workers import Workers
from auditor.collect.replay import copy_evidence
from auditor.inventory.entries import LiveEntry, ReplayEntry
from auditor.model.connection import ExchangeOnlineConnection, HybridConnection
from auditor.processes import spread_over_processors
from auditor.resumption import read_before

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

    from auditor.collect.directory.collector import DirectoryScope
    from auditor.collect.tenant import TenantSessions
    from auditor.inventory.entries import InventoryEntry
    from auditor.preparation import Prepared

    Announce: TypeAlias = Callable[[str, str], None]  # connection id (empty: the run), step in words

T = TypeVar("T")

CONNECTIONS_AT_ONCE = 8
CHECKED_EVERY_S = 0.25
# A host is read by few at a time. A tenant by one: its reads go on side by side as it is, and what one connection
# was answered the next need not ask again.
CONNECTIONS_OF = {"host": 2, "tenant": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """Who runs the tool, where, how. `argv` names no output folder, so that equal runs give equal records.

    With `resumes` connections that an interrupted run has read are not read again. With a `scheduler` they are read
    and judged on its cluster.
    """

    operator: str
    host: str
    tool_version: str
    argv: tuple[str, ...]
    clock: Callable[[], datetime]
    resumes: bool = False
    scheduler: str | None = None


def collect_all(
    prepared: Prepared,
    invocation: Invocation,
    folder: Path,
    announce: Announce,
    left: tuple[Path, ...],
    *,
    meanwhile: Callable[[], None] = lambda: None,
) -> None:
    """Write the evidence of every connection into `folder`; `left` is what interrupted runs left.

    `meanwhile` is called, again and again, while sources are waited for. What is recorded is copied first. The order
    in which connections are begun is the inventory's; a tenant's are read in that order, too.
    """
    recorded = [entry for entry in prepared.entries if isinstance(entry, ReplayEntry)]
    copied = copy_recorded(recorded, folder)
    for entry in recorded:
        announce(entry.id, "started")
        next(copied)
        announce(entry.id, "finished")
    live = [entry for entry in prepared.entries if isinstance(entry, LiveEntry)]
    if not live:
        return
    at_once = min(CONNECTIONS_AT_ONCE, len(live))
    with (
        _tenant_sessions(prepared) as sessions,
        Workers(at_once, "connection") as workers,
    ):

        def begin(entry: LiveEntry) -> Future[None]:
            return workers.submit(partial(_collect_one, prepared, entry, invocation, folder, announce, left, sessions))

        side_by_side(live, begin, at_once=at_once, needs=needs_of, check=meanwhile)


def copy_recorded(entries: Sequence[ReplayEntry], folder: Path) -> Iterator[None]:
    """Write the evidence of recorded connections into `folder`, one after the other as the result is asked for.

    Raises InvalidInput when evidence is not what was written.
    """
    return spread_over_processors(len(entries))(partial(_copy_one, folder), entries)


def _copy_one(folder: Path, entry: ReplayEntry) -> None:
    copy_evidence(entry.folder, folder / "evidence" / entry.id)


def _tenant_sessions(prepared: Prepared) -> AbstractContextManager[TenantSessions | None]:
    """Return the sessions of the run; None when no tenant is to be read, whose clients take long to load."""
    live = (entry for entry in prepared.entries if isinstance(entry, LiveEntry))
    if not any(isinstance(entry.connection, ExchangeOnlineConnection) for entry in live):
        return nullcontext()
    from auditor.collect.tenant import TenantSessions  # noqa: PLC0415

    return TenantSessions(prompt=prepared.prompt, supplied=prepared.supplied)


def side_by_side(
    items: Iterable[T],
    begin: Callable[[T], Future[None]],
    *,
    at_once: int,
    needs: Callable[[T], frozenset[tuple[str, str]]],
    check: Callable[[], None] = lambda: None,
) -> None:
    """Begin each item once what it needs is free. Raises what one of them raised, or `check` raises, at once.

    `check` is called while some are waited for, again and again.
    """
    waiting = list(items)
    needed: Counter[tuple[str, str]] = Counter()
    running: dict[Future[None], T] = {}
    while waiting or running:
        for item in tuple(waiting):
            if len(running) == at_once:
                break
            if all(needed[need] < CONNECTIONS_OF[need[0]] for need in needs(item)):
                waiting.remove(item)
                needed.update(needs(item))
                running[begin(item)] = item
        for future in wait(running, CHECKED_EVERY_S, FIRST_COMPLETED).done:
            needed.subtract(needs(running.pop(future)))
            future.result()
        if running:
            check()


def needs_of(entry: InventoryEntry) -> frozenset[tuple[str, str]]:
    """Return the hosts, or the tenant, that a connection is read from."""
    if isinstance(entry, ReplayEntry):
        return frozenset()
    if isinstance(entry.connection, HybridConnection):
        return frozenset(("host", host.casefold()) for host in entry.connection.hosts)
    return frozenset({("tenant", entry.connection.tenant.casefold())})


def _collect_one(  # noqa: PLR0913 - the parts of one collection
    prepared: Prepared,
    entry: LiveEntry,
    invocation: Invocation,
    folder: Path,
    announce: Announce,
    left: tuple[Path, ...],
    sessions: TenantSessions | None,
) -> None:
    target = folder / "evidence" / entry.id
    announce(entry.id, "started")
    if (known := read_before(left, entry, invocation.clock())) is not None:
        announce("", f"{entry.id}: taken from the interrupted run")
        copy_evidence(known, target)
    else:
        collect_entry(prepared, entry, invocation, target, announce, sessions, directory_scope(prepared, entry))
    announce(entry.id, "finished")


def collect_entry(  # noqa: PLR0913 - the parts of one collection
    prepared: Prepared,
    entry: LiveEntry,
    invocation: Invocation,
    folder: Path,
    announce: Announce,
    sessions: TenantSessions | None,
    scope: DirectoryScope,
) -> None:
    """Write the evidence of one connection into `folder`."""
    # Judging again needs no client of any directory, and it takes long to load.
    from auditor.collect.collect_connection import collect_connection  # noqa: PLC0415

    collect_connection(
        entry.connection,
        entry.sign_in,
        prepared.secrets,
        folder=folder,
        clock=invocation.clock,
        collected_by={
            "operator": invocation.operator,
            "host": invocation.host,
            "tool_version": invocation.tool_version,
        },
        announce=partial(announce, entry.id),
        sessions=sessions,
        directory_scope=scope,
    )


def directory_scope(
    prepared: Prepared,
    entry: LiveEntry,
    *,
    only_object: str | None = None,
    is_probe: bool = False,
    finds_holders: bool = False,
) -> DirectoryScope:
    """Return what to read of a directory besides the connection's own objects."""
    from auditor.collect.directory.collector import DirectoryScope  # noqa: PLC0415 - see collect_entry

    return DirectoryScope(
        own_password=prepared.secrets[entry.own_password] if entry.own_password is not None else None,
        only_object=only_object,
        is_probe=is_probe,
        finds_holders=finds_holders,
    )
