"""Spreads work on many connections over processes: judging them, and writing what is said of each of them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Protocol, TypeVar

from auditor.errors import RunFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

WORTH_PROCESSES = 40  # connections; below that starting a process takes longer than the work
TRIES = 3
_AT_ONCE = 8  # handed to a process together

T = TypeVar("T")
R = TypeVar("R")


class Spread(Protocol):
    """Applies a function to each of many items and yields what it returns, in their order, wherever it is applied."""

    def __call__(self, function: Callable[[T], R], items: Sequence[T], /) -> Iterator[R]:
        """Raise what the function raises, RunFailed when processes die again and again."""


def here(function: Callable[[T], R], items: Sequence[T], /) -> Iterator[R]:
    """Apply a function to each item in this process."""
    yield from map(function, items)


@contextmanager
def spread_over_processors(connections: int) -> Iterator[Spread]:
    """Yield how to work through so many connections: in a process per processor, or here where that is not worth it.

    The processes are started when there is something to do, and end with the context.
    """
    processes = min(_processors(), -(-connections // _AT_ONCE))
    if processes < 2 or connections < WORTH_PROCESSES:  # noqa: PLR2004 - one process is this one
        yield here
        return
    pool = _Pool(processes)
    try:
        yield pool.spread
    except BaseException:
        pool.close(at_once=True)
        raise
    pool.close()


class _Pool:
    """Processes that are started when they are needed, and anew when one has died."""

    def __init__(self, processes: int) -> None:
        self._processes = processes
        self._executor: ProcessPoolExecutor | None = None

    def spread(self, function: Callable[[T], R], items: Sequence[T], /) -> Iterator[R]:
        done = 0
        for _ in range(TRIES):
            try:
                for result in self._started().map(function, items[done:], chunksize=_AT_ONCE):
                    done += 1
                    yield result
            except BrokenProcessPool:
                self._executor = None  # one died, for want of memory perhaps: what it had in hand is done again
                continue
            return
        raise RunFailed(f"a process that works on {_name(items[done])} or what comes soon after it died {TRIES} times")

    def close(self, *, at_once: bool = False) -> None:
        if self._executor is not None:
            self._executor.shutdown(wait=not at_once, cancel_futures=at_once)

    def _started(self) -> ProcessPoolExecutor:
        if self._executor is None:
            # Spawned, not forked: a fork would copy the locks of threads that do not exist in it
            context = multiprocessing.get_context("spawn")
            self._executor = ProcessPoolExecutor(self._processes, mp_context=context, initializer=_prepare_process)
        return self._executor


def _name(item: object) -> str:
    return str(getattr(item, "id", type(item).__name__))


def _prepare_process() -> None:
    """Leave interrupts to the process that started this one, and end with it however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="end with parent", daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
