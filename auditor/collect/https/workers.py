"""A few threads that carry out reads while the collection goes on."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TYPE_CHECKING, Generic, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

T = TypeVar("T")


class _Task(Generic[T]):
    def __init__(self, work: Callable[[], T]) -> None:
        self.result: Future[T] = Future()
        self._work = work

    def carry_out(self) -> None:
        if not self.result.set_running_or_notify_cancel():
            return
        try:
            outcome = self._work()
        except BaseException as error:  # noqa: BLE001 - raised again for whoever waits for the result
            self.result.set_exception(error)
        else:
            self.result.set_result(outcome)


class Workers:
    """Carries out work in `count` threads, in the order in which it is given.

    Left by an exception, an interrupt above all, it abandons what has not begun and waits for nobody: the threads
    end with the program.
    """

    def __init__(self, count: int, name: str) -> None:
        self._tasks: SimpleQueue[_Task[object] | None] = SimpleQueue()
        self._is_abandoned = threading.Event()
        self._threads = [
            threading.Thread(target=self._carry_out_tasks, name=f"{name}-{number}", daemon=True)
            for number in range(count)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is not None:
            self._is_abandoned.set()
        for _ in self._threads:
            self._tasks.put(None)
        if kind is None:
            for thread in self._threads:
                thread.join()

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """Have `work` carried out; what it raises is raised by the result."""
        task = _Task(work)
        self._tasks.put(task)  # type: ignore[arg-type]  # nobody reads the result through the queue
        return task.result

    def _carry_out_tasks(self) -> None:
        while (task := self._tasks.get()) is not None:
            if self._is_abandoned.is_set():
                return
            task.carry_out()
