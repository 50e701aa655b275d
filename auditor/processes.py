"""Spreads work on many connections over processes: judging them, and writing what is said of each of them."""

from __future__ import annotations

import gc
import multiprocessing
import os
import pickle
import signal
import struct
import sys
import threading
import traceback
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing.connection import wait
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any, Generic, Protocol, Self, TypeVar, cast

from auditor.errors import RunFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.connection import Connection

WORTH_PROCESSES = 40  # connections; below that starting a process takes longer than the work
TRIES = 3
_SHARES = 1000  # at most: what names them fits into the smallest pipe there is, so that writing it never waits
_NAME = struct.Struct("=I")

T = TypeVar("T")
R = TypeVar("R")


class Spread(Protocol):
    """Applies a function to each of many items and yields what it returns, in their order, wherever it is applied."""

    def __call__(self, function: Callable[[T], R], items: Sequence[T], /) -> Iterator[R]:
        """Raise what the function raises, RunFailed when processes die again and again."""


def here(function: Callable[[T], R], items: Sequence[T], /) -> Iterator[R]:
    """Apply a function to each item in this process."""
    yield from map(function, items)


def spread_over_processors(connections: int) -> Spread:
    """Return how to work through so many connections: in a process per processor, or here where that is not worth it.

    This process is one of them. The others are copies of it and end with the work: what they work on is not sent, only
    what comes of it. Elsewhere than on Linux a process cannot be copied safely, and all is done here.
    """
    processors = _processors()
    if processors < 2 or connections < WORTH_PROCESSES or sys.platform != "linux":  # noqa: PLR2004
        return here

    def spread(function: Callable[[T], R], items: Sequence[T], /) -> Iterator[R]:
        done: dict[int, _Done] = {}
        given = 0
        for attempt in range(TRIES):
            missing = [number for number in range(given, len(items)) if number not in done]
            # What a copy died of, for want of memory perhaps, is not tried in this process
            with _Team(processors - 1, function, items, missing, takes_part=attempt == 0) as team:
                while given < len(items) and (given in done or team.work(given, done)):
                    if given in done:
                        yield done.pop(given).result()
                        given += 1
            if given == len(items):
                return
        raise RunFailed(f"a process that works on {_name(items[given])} or what comes soon after it died {TRIES} times")

    return spread


@dataclass(frozen=True, slots=True)
class _Done:
    """What came of one item."""

    value: Any
    error: Exception | None = None

    def result(self) -> Any:  # noqa: ANN401 - what the function returned
        if self.error is not None:
            raise self.error
        return self.value


class _Team(Generic[T, R]):
    """This process and copies of it at the items of some numbers: whoever is free takes the next share of them."""

    def __init__(
        self, helpers: int, function: Callable[[T], R], items: Sequence[T], numbers: Sequence[int], *, takes_part: bool
    ) -> None:
        self._function, self._items = function, items
        size = -(-len(numbers) // _SHARES) or 1
        self._shares = [numbers[start : start + size] for start in range(0, len(numbers), size)]
        self._helpers = min(helpers, len(self._shares))
        self._takes_part = takes_part
        self._told: dict[Connection, IO[bytes]] = {}

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            gc.freeze()  # to look through what is here already would copy the memory that it lies in, here and there
            stack.callback(gc.unfreeze)
            self._names, names = os.pipe()
            stack.callback(os.close, self._names)
            with os.fdopen(names, "wb") as stream:
                stream.writelines(_NAME.pack(number) for number in range(len(self._shares)))
            context = multiprocessing.get_context("fork")
            for _ in range(self._helpers):
                kept = stack.enter_context(TemporaryFile(prefix="auditor-"))
                told, tell = context.Pipe(duplex=False)
                stack.callback(told.close)
                helper = context.Process(target=self._help, args=(tell, kept), daemon=True)
                helper.start()
                stack.callback(_end, helper)
                tell.close()
                self._told[told] = kept
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    def work(self, wanted: int, done: dict[int, _Done]) -> bool:
        """Add to what is done: what the others say they did, else a share of one's own; False when nothing is left.

        Without either, wait for the others.
        """
        while self._listen(done, timeout=0):
            pass
        if wanted in done:
            return True
        share = self._take() if self._takes_part else ()
        done.update(self._work_on(share))
        return bool(share) or self._listen(done, timeout=None)

    def _listen(self, done: dict[int, _Done], timeout: float | None) -> bool:
        """Tell whether something was heard: that an item is done, or that a process is at its end."""
        ready = cast("list[Connection]", wait(self._told, timeout)) if self._told else []
        for told in ready:
            try:
                place = told.recv()
            except (EOFError, OSError):
                del self._told[told]
                continue
            if isinstance(place, OSError):
                raise place
            content = os.pread(self._told[told].fileno(), *place)
            done.update(pickle.loads(content))  # noqa: S301 - written by a copy of this process
        return bool(ready)

    def _take(self) -> Sequence[int]:
        name = os.read(self._names, _NAME.size)
        return self._shares[_NAME.unpack(name)[0]] if name else ()

    def _work_on(self, share: Sequence[int]) -> dict[int, _Done]:
        done = {}
        for number in share:
            try:
                done[number] = _Done(self._function(self._items[number]))
            except Exception as error:  # noqa: BLE001 - raised when it is this item's turn, wherever it was met
                done[number] = _Done(None, error)
        return done

    def _help(self, tell: Connection, kept: IO[bytes]) -> None:
        """Work on shares, in a copy of the process. What comes of them goes to a file: a pipe would soon be full."""
        _prepare_process()
        while share := self._take():
            done = self._work_on(share)
            for each in done.values():
                if each.error is not None:  # where it was met is not sent with it
                    each.error.add_note("".join(traceback.format_exception(each.error)))
            start = kept.tell()
            try:
                size = kept.write(pickle.dumps(done, pickle.HIGHEST_PROTOCOL))
                kept.flush()
            except OSError as error:  # such as a full disk
                tell.send(error)
                return
            tell.send((size, start))


def _end(helper: multiprocessing.process.BaseProcess) -> None:
    helper.kill()  # has ended by itself, unless the work is given up
    helper.join()


def _name(item: object) -> str:
    return str(getattr(item, "id", type(item).__name__))


def _prepare_process() -> None:
    """Leave interrupts to the process that this one is a copy of, and end with it however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
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
