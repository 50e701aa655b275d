"""What interrupted runs left, and which connections a later run therefore need not read again."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from auditor.collect.replay import read_evidence
from auditor.errors import InvalidInput
from auditor.history.run_folder import abandoned
from auditor.model.evidence import GapKind
from auditor.recorded_run import RUN_FILE, RunFile, inventory_copy

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

    from auditor.inventory.entries import LiveEntry

LONGEST_PAUSE = timedelta(days=1)
# What a second try may well answer; a refused right stays refused.
_WORTH_ANOTHER_TRY = frozenset(
    {GapKind.UNREACHABLE, GapKind.TIMED_OUT, GapKind.THROTTLED, GapKind.INCOMPLETE, GapKind.MALFORMED}
)


def holds_evidence(folder: Path) -> bool:
    """Tell whether the evidence of a connection in a run folder is complete, so that it is worth keeping."""
    return any(folder.glob("evidence/*/sources.json"))


def interrupted_runs(output_dir: Path, inventory: Path, tool_version: str) -> tuple[Path, ...]:
    """Return what interrupted or killed runs of this very inventory left, the latest first."""
    return tuple(
        sorted(
            (folder for folder in abandoned(output_dir) if _is_alike(folder, inventory, tool_version)),
            key=lambda folder: (folder / "inputs" / RUN_FILE).stat().st_mtime,
            reverse=True,
        )
    )


def _is_alike(folder: Path, inventory: Path, tool_version: str) -> bool:
    try:
        facts = RunFile.model_validate_json((folder / "inputs" / RUN_FILE).read_bytes())
        used = inventory_copy(folder, inventory).read_bytes()
    except (OSError, ValueError):  # pydantic's errors are ValueErrors
        return False
    return facts.tool_version == tool_version and used == inventory.read_bytes()


def read_before(left: Iterable[Path], entry: LiveEntry, now: datetime) -> Path | None:
    """Return a connection's evidence in an interrupted run, if it is whole, of the last day, and lacks nothing
    that another try could get.
    """
    return next((found for folder in left if _is_usable(found := folder / "evidence" / entry.id, entry, now)), None)


def _is_usable(folder: Path, entry: LiveEntry, now: datetime) -> bool:
    try:
        evidence = read_evidence(folder)
    except InvalidInput:
        return False
    return evidence.connection == entry.connection and all(
        timedelta() <= now - source.started_at <= LONGEST_PAUSE
        and (source.gap is None or source.gap.kind not in _WORTH_ANOTHER_TRY)
        for source in evidence.sources
    )
