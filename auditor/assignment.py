"""What a run is asked for, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from auditor.model.outcome import Severity
    from auditor.model.results import Results, RunKind
    from auditor.model.waiver import WaiverFile
    from auditor.report.signature import Signer


@dataclass(frozen=True, slots=True, kw_only=True)
class Judging:
    """How evidence is judged: at which instant, from which severity on findings count, and with which exit.

    Without a `baseline` a run is compared with the last one of the same connections in its output folder.
    """

    kind: RunKind
    now: datetime
    fail_on: Severity
    exit_zero: bool
    waivers: WaiverFile | None = None
    baseline: Results | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Formats:
    """The formats to write, in which language, and what signs the PDFs among them.

    A format that the machine cannot make is left out only if nobody chose it.
    """

    names: tuple[str, ...]
    are_chosen: bool
    signer: Signer | None = None
    language: str = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """Where a run was written. `results` is None when nothing was judged; `left_out` says which format is not there.

    `earlier` is the run it was compared with, `address` where it is when that is not the folder.
    """

    folder: Path
    results: Results | None
    left_out: str = ""
    earlier: Results | None = None
    address: str = ""

    @property
    def place(self) -> str:
        """Where the run is, to be told."""
        return self.address or str(self.folder)
