"""Everything the tool can fail with, and what each failure means for the run.

Three kinds, never mixed: bad input (`InvalidInput`, every problem at once, exit 2), a source that
did not answer (`SourceError`, becomes a gap in the evidence, never leaves `collect`), and a run that
cannot finish (`RunFailed`, exit 4). Anything else is a bug of ours and crashes with a traceback.
`Interrupted` is no failure: somebody stopped the run (exit 130).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from auditor.model.evidence import Gap

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong with one input file: where it stands and how to mend it."""

    file: str
    line: int | None
    place: str
    message: str
    cure: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line is not None else self.file
        place = f" ({self.place})" if self.place else ""
        return f"{where}{place}: {self.message} -> {self.cure}"


class AuditorError(Exception):
    """Base of every failure the tool foresees."""


class InvalidInput(AuditorError):
    """The operator's files or options cannot be used. Exit 2.

    Nothing was contacted, except where `was_contacted`: whether some names exist, only the directory can tell.
    """

    def __init__(self, problems: Iterable[Problem], *, was_contacted: bool = False) -> None:
        self.problems = tuple(problems)
        self.was_contacted = was_contacted
        if not self.problems:
            msg = "InvalidInput needs at least one problem"
            raise ValueError(msg)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[type[InvalidInput], tuple[tuple[Problem, ...]]]:
        """Let it come back from another process with its problems."""
        return InvalidInput, (self.problems,)


def collecting(problems: list[Problem], load: Callable[[], T]) -> T | None:
    """Return what `load` returns, or None with its problems added, so that one wrong file hides no other."""
    try:
        return load()
    except InvalidInput as invalid:
        problems += invalid.problems
        return None


class RunFailed(AuditorError):
    """The run itself cannot finish, for example an output cannot be written. Exit 4."""


class Interrupted(KeyboardInterrupt):
    """Somebody stopped the run; `kept` is the folder with what was read by then. Exit 130."""

    def __init__(self, kept: Path) -> None:
        self.kept = kept
        super().__init__(f"{kept} holds what was read")


class SourceError(AuditorError):
    """A directory or tenant did not give what was asked; carries the gap it leaves."""

    def __init__(self, gap: Gap) -> None:
        self.gap = gap
        super().__init__(gap.message)
