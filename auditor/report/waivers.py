"""The register of waivers as the report shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.report.words import WAIVER_STATES, Word

if TYPE_CHECKING:
    from auditor.model.results import Results, WaiverRecord
    from auditor.report.finding_view import FindingView


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiverView:
    """A waiver with the finding it names, if this run has it."""

    waiver: WaiverRecord
    state: Word
    finding: FindingView | None


def waiver_views(results: Results, findings: tuple[FindingView, ...]) -> tuple[WaiverView, ...]:
    """Return every waiver of the file, in its order."""
    by_key = {view.finding.key: view for view in findings}
    return tuple(
        WaiverView(
            waiver=waiver,
            state=WAIVER_STATES[waiver.state],
            finding=by_key.get(waiver.finding) if waiver.finding is not None else None,
        )
        for waiver in results.waivers
    )
