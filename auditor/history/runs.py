"""The runs below an output folder: which there are, which is the baseline of the next, which may go."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from auditor.history.manifest import run_of_manifest, unaltered
from auditor.model.instants import parse_instant
from auditor.model.outcome import Verdict  # noqa: TC001 - pydantic reads the annotation at run time

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import datetime, timedelta
    from pathlib import Path

RESULTS = "results.json"


class _Exit(BaseModel):
    code: int


class _Run(BaseModel):
    id: str
    kind: str
    evaluated_at: str
    exit: _Exit


class _Summary(BaseModel):
    verdict: Verdict
    counts: dict[str, int]


class _Connection(BaseModel):
    id: str


class _Header(BaseModel):
    """What the list of runs shows of a record; everything else is left to those who read it in full."""

    model_config = ConfigDict(extra="ignore")
    run: _Run
    summary: _Summary
    connections: tuple[_Connection, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """A run of the past. `is_unaltered` tells whether its results.json is as its manifest records it."""

    folder: Path
    id: str
    kind: str
    evaluated_at: datetime
    verdict: Verdict
    exit_code: int
    counts: dict[str, int]
    connections: frozenset[str]
    is_unaltered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What a run is to be compared with: `results` is None without one.

    `altered` names folders that were passed over, `later` counts runs that are no earlier ones.
    """

    results: Path | None
    altered: tuple[str, ...]
    later: int


def past_runs(output_dir: Path) -> Iterator[PastRun]:
    """Yield the runs below a folder, the latest first.

    A run has evidence, results and a manifest; what was only collected or only rendered again is none,
    and neither is a folder whose results nobody can read.
    """
    for folder in sorted(_run_folders(output_dir), key=lambda each: (run_of_manifest(each), each.name), reverse=True):
        run = past_run(folder)
        if run is not None:
            yield run


def past_run(folder: Path) -> PastRun | None:
    """Return the run in a folder, None when nobody can read its results."""
    content = unaltered(folder, RESULTS)
    try:
        header = _Header.model_validate(json.loads((folder / RESULTS).read_bytes() if content is None else content))
        return PastRun(
            folder=folder,
            id=header.run.id,
            kind=header.run.kind,
            evaluated_at=parse_instant(header.run.evaluated_at),
            verdict=header.summary.verdict,
            exit_code=header.run.exit.code,
            counts=header.summary.counts,
            connections=frozenset(each.id for each in header.connections),
            is_unaltered=content is not None,
        )
    except (OSError, ValueError, RecursionError):  # pydantic's and json's errors are ValueErrors
        return None


def _run_folders(output_dir: Path) -> list[Path]:
    if not output_dir.is_dir():
        return []
    return [
        folder
        for folder in output_dir.iterdir()
        if not folder.name.startswith(".")
        and (folder / RESULTS).is_file()
        and (folder / "evidence").is_dir()
        and run_of_manifest(folder)
    ]


def find_baseline(output_dir: Path, connections: Collection[str], before: datetime) -> Baseline:
    """Return the last run of the same connections before an instant, else the last of any of them.

    A run at that very instant is no earlier one: a replay compares with what the original did. A run
    whose results were altered is passed over and named.
    """
    wanted = frozenset(connections)
    altered: list[str] = []
    later = 0
    found: PastRun | None = None
    for run in past_runs(output_dir):
        later += run.evaluated_at > before
        if run.evaluated_at >= before or not run.connections & wanted:
            continue
        if not run.is_unaltered:
            altered.append(run.folder.name)
            continue
        found = run if found is None or run.connections == wanted else found
        if found.connections == wanted:
            break
    return Baseline(results=found.folder / RESULTS if found else None, altered=tuple(altered), later=later)


def choose_for_removal(
    runs: Sequence[PastRun], *, keep: int | None, older_than: timedelta | None, now: datetime
) -> tuple[PastRun, ...]:
    """Return the runs that may go, the oldest last; `runs` are given the latest first.

    With both limits a run goes when it is beyond both. The latest run of each set of connections stays: the next run
    is compared with it. It is looked for among those that can be compared with: an altered run stays beside it, since
    it is evidence of that, and so does one of a later instant, whose age nobody knows.
    """
    chosen = []
    seen: set[frozenset[str]] = set()
    for place, run in enumerate(runs):
        if not run.is_unaltered or run.evaluated_at > now:
            continue
        is_latest = run.connections not in seen
        seen.add(run.connections)
        is_beyond = (keep is None or place >= keep) and (older_than is None or now - run.evaluated_at > older_than)
        if is_beyond and not is_latest:
            chosen.append(run)
    return tuple(chosen)
