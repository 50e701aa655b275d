"""How far a command is: a bar per connection on a terminal, start and end lines elsewhere."""

from __future__ import annotations

import os
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.cli.console import LogFormat, say, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress, TaskID

    from auditor.collection import Announce

STARTED, FINISHED = "started", "finished"
_REDRAWN_EVERY_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """How much to tell while it goes on, and how."""

    no_progress: bool
    quiet: bool
    verbose: bool
    log_format: LogFormat

    @property
    def has_bars(self) -> bool:
        """Whether standard error is a terminal that bars are wanted on."""
        wants_lines = self.no_progress or self.verbose or self.log_format is LogFormat.JSON
        return not wants_lines and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


@contextmanager
def progress(telling: Telling) -> Iterator[Announce]:
    """Yield the function that tells each step of a connection, or of the run (without one); verbose tells every one.

    It may be called from several threads.
    """
    if telling.quiet:
        yield _no_line
    elif telling.has_bars:
        with _bars() as bars:
            yield bars.tell
    else:
        yield _Lines(every_step=telling.verbose).tell


def _no_line(connection: str, step: str) -> None:
    del connection, step


class _Lines:
    """Says when each connection starts and ends; as JSON also how long it took."""

    def __init__(self, *, every_step: bool) -> None:
        self._every_step = every_step
        self._began: dict[str, float] = {}

    def tell(self, connection: str, step: str) -> None:
        if not connection:
            say(step)
        elif step == FINISHED:
            seconds = round(time.monotonic() - self._began.pop(connection), 3)
            say(f"{connection}: {step}", connection=connection, step=step, duration_s=seconds)
        elif step == STARTED or self._every_step:
            self._began.setdefault(connection, time.monotonic())
            say(f"{connection}: {step}", connection=connection, step=step)


class _Bars:
    """A bar for each connection that is being read, and one for the run itself.

    One thread draws at a time: rich counts the lines to draw over before it writes, and two that draw at once would
    leave bars standing that are gone.
    """

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}
        self._drawing = threading.Lock()

    def tell(self, connection: str, step: str) -> None:
        name = visible(connection or "run")
        with self._drawing:
            if step == FINISHED:
                task = self._tasks.pop(connection)
                elapsed_s = self._bars.tasks[self._bars.task_ids.index(task)].elapsed or 0
                self._bars.remove_task(task)
                self._bars.console.print(f"{name}: collected in {elapsed_s:.1f} s", markup=False, highlight=False)
            elif connection in self._tasks:
                self._bars.update(self._tasks[connection], step=visible(step))
            else:
                self._tasks[connection] = self._bars.add_task(name, total=None, step=visible(step))

    def redraw(self, ended: threading.Event) -> None:
        """Let the clocks of the bars run until `ended`."""
        while not ended.wait(_REDRAWN_EVERY_S):
            with self._drawing:
                self._bars.refresh()


@contextmanager
def _bars() -> Iterator[_Bars]:
    from rich.console import Console  # noqa: PLC0415 - only a terminal needs it
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        TimeElapsedColumn(),
        TextColumn("{task.fields[step]}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True, auto_refresh=False) as progress_bars:
        bars, ended = _Bars(progress_bars), threading.Event()
        redrawing = threading.Thread(target=bars.redraw, args=(ended,), name="redraw", daemon=True)
        redrawing.start()
        try:
            yield bars
        finally:
            ended.set()
            redrawing.join()
