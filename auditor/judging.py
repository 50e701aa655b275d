"""Judges the connections of a recorded run: here, or in as many processes as there are processors."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing.connection import wait
from typing import TYPE_CHECKING

from auditor.errors import RunFailed
from auditor.evaluate.evaluate import judge_connection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.evaluate.evaluate import Judged, RunFacts
    from auditor.recorded_run import RecordedConnection, RecordedRun

WORTH_PROCESSES = 40  # connections; below that starting a process takes longer than judging
TRIES = 3
_AT_ONCE = 8  # connections handed to a process together


def judge_recorded(recorded: RecordedRun, run: RunFacts) -> list[Judged]:
    """Judge every connection, in the order of the inventory; equal evidence gives equal results anywhere.

    Raises InvalidInput when evidence was altered, RunFailed when processes die again and again.
    """
    processes = min(_processors(), -(-len(recorded.connections) // _AT_ONCE))
    if processes < 2 or len(recorded.connections) < WORTH_PROCESSES:  # noqa: PLR2004 - one process is this one
        return [_judge(run, each) for each in recorded.connections]
    done: list[Judged] = []
    for _ in range(TRIES):
        try:
            _judge_in_processes(recorded.connections, run, processes, done)
        except BrokenProcessPool:
            continue  # one died, for want of memory perhaps: what it had in hand is judged again
        return done
    connection = recorded.connections[len(done)].id
    raise RunFailed(f"a process that judges died {TRIES} times, the last time at {connection} or soon after it")


def _judge_in_processes(
    connections: Sequence[RecordedConnection], run: RunFacts, processes: int, done: list[Judged]
) -> None:
    """Add what is not `done` to it, in order."""
    # Spawned, not forked: a fork would copy the locks of threads that do not exist in it
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context, initializer=_prepare_process) as pool:
        try:
            for judged in pool.map(partial(_judge, run), connections[len(done) :], chunksize=_AT_ONCE):
                done.append(judged)  # noqa: PERF402 - what was judged stays, also when a process dies
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _judge(run: RunFacts, connection: RecordedConnection) -> Judged:
    return judge_connection(connection.evidence(), connection.matrix, run)


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
