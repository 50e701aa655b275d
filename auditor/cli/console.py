"""What the tool says to a person: everything but data, on standard error."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.pipeline import Announce


def visible(text: str) -> str:
    """Return text with control and direction characters spelled out, so that no name can steer a terminal."""
    return "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text)


def say(line: str) -> None:
    """Print one line to standard error."""
    print(visible(line), file=sys.stderr)


@contextmanager
def progress(*, is_quiet: bool, is_plain: bool, is_verbose: bool) -> Iterator[Announce]:
    """Yield the function that tells each step: a moving line on a terminal, start and end lines elsewhere.

    Verbose tells every step on a line of its own.
    """
    if is_quiet:
        yield _no_line
    elif is_verbose:
        yield _every_line
    elif is_plain or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield _plain_line
    else:
        with _moving_line() as announce:
            yield announce


def _no_line(connection: str, step: str) -> None:
    del connection, step


def _every_line(connection: str, step: str) -> None:
    say(f"{connection}: {step}" if connection else step)


def _plain_line(connection: str, step: str) -> None:
    if step in ("started", "finished"):
        say(f"{connection}: {step}")
    elif not connection:
        say(step)


@contextmanager
def _moving_line() -> Iterator[Announce]:
    from rich.console import Console  # noqa: PLC0415 - only a terminal needs it
    from rich.markup import escape  # noqa: PLC0415

    console = Console(stderr=True)
    with console.status("starting") as status:

        def announce(connection: str, step: str) -> None:
            if step == "finished":
                console.print(f"{escape(visible(connection))}: collected")
            status.update(escape(visible(f"{connection}: {step}" if connection else step)))

        yield announce
