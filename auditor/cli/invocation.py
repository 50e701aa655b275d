"""Who runs the tool, where, with what arguments; and the one place that asks for a secret."""

from __future__ import annotations

import getpass
import os
import re
import socket
import sys
from typing import TYPE_CHECKING

from auditor import __version__
from auditor.cli.console import say
from auditor.cli.options import current_time

if TYPE_CHECKING:
    from collections.abc import Callable

    from auditor.collection import Invocation

_SHORT_OUTPUT_DIR = re.compile(r"-[qv]*o")  # alone, in a cluster, or with its value attached


def invocation(*, resumes: bool = False, scheduler: str | None = None) -> Invocation:
    """Return what the record says about this run of the tool."""
    from auditor.collection import Invocation  # noqa: PLC0415

    try:
        operator = getpass.getuser()
    except (KeyError, OSError):  # a container may run as a user without a name
        operator = str(os.getuid()) if hasattr(os, "getuid") else "unknown"
    return Invocation(
        operator=operator,
        host=socket.gethostname(),
        tool_version=__version__,
        argv=_argv(sys.argv[1:]),
        clock=current_time,
        resumes=resumes,
        scheduler=scheduler,
    )


def _argv(arguments: list[str]) -> tuple[str, ...]:
    """Return the command line without the output folder: where a run is written says nothing about what it found."""
    kept: list[str] = []
    is_folder = False
    for argument in arguments:
        short = _SHORT_OUTPUT_DIR.match(argument)
        if is_folder:
            kept.append("…")
            is_folder = False
        elif argument.startswith("--output-dir="):
            kept.append("--output-dir=…")
        elif short is not None:
            kept.append(short[0] if short[0] == argument else f"{short[0]}…")
            is_folder = short[0] == argument
        else:
            kept.append(argument)
            is_folder = argument == "--output-dir"
    return tuple(kept)


def prompt() -> Callable[[str], None] | None:
    """Return what tells the person at the terminal what to do; None when nobody is there."""
    return say if sys.stdin.isatty() and sys.stderr.isatty() else None


def ask(place: str) -> str:
    """Ask for a secret. Raises EOFError when there is no terminal."""
    if not sys.stdin.isatty():
        raise EOFError
    return getpass.getpass(f"{place}: ")
