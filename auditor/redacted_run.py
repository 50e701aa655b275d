"""A run written again without the organisation: evidence, waivers and the run it was compared with."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from auditor.evaluate.evaluate import conclude_run
from auditor.history.manifest import run_of_manifest
from auditor.history.runs import RESULTS
from auditor.judging import judge_recorded
from auditor.model.instants import parse_instant
from auditor.model.message import say
from auditor.model.waiver import Waiver, WaiverFile
from auditor.recorded_run import evidence_folders, read_recorded_run, write_redacted_run
from auditor.redaction.counterparts import Counterparts, counterparts, redacted_trend
from auditor.redaction.evidence import redactor_of
from auditor.redaction.reviews import redacted_reviews
from auditor.report.results_json import read_results

if TYPE_CHECKING:
    from collections.abc import Iterable

    from auditor.collection import Announce
    from auditor.evaluate.evaluate import Judged, RunFacts
    from auditor.model.results import Results
    from auditor.recorded_run import RecordedRun
    from auditor.redaction.pseudonyms import Pseudonyms
    from auditor.redaction.records import Redactor
    from auditor.report.formats import Record

_NOTE = say("This record is redacted: tokens stand for names, hosts, SIDs and ids, the same token for the same thing.")
_NOT_AT_HAND = say(
    "The original was compared with an earlier run that was not at hand when it was redacted: what changed is not told."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Redacted:
    """A run that was redacted and judged, not concluded. `baseline` is what the original was compared with, redacted.

    `uncarried` names findings whose waiver could not be carried over, by the original's key.
    """

    recorded: RecordedRun
    judged: list[Judged]
    waivers: WaiverFile | None
    baseline: Results | None
    pseudonyms: Pseudonyms
    uncarried: tuple[str, ...]


def redact_run(
    source: Path, folder: Path, facts: RunFacts, original: Results, waivers: WaiverFile | None, key: bytes | None
) -> Redacted:
    """Redact the run in `source` into `folder`. `original` is its record, `facts` how it is judged.

    The run that the original was compared with is looked for beside it.
    """
    earlier = _beside(source, original.drift.baseline_run)
    runs = [each for each in (source, earlier) if each is not None]
    redactor = redactor_of((each for run in runs for each in evidence_folders(run).values()), key)
    recorded, judged = _judge_redacted(source, folder, facts, redactor)
    redacted = conclude_run(judged, recorded.default_matrix, facts)
    pairs = counterparts(original.findings, redacted.findings, redactor.pseudonyms)
    is_lost = earlier is None and original.drift.baseline_run is not None
    notes = (_NOTE, _NOT_AT_HAND) if is_lost else (_NOTE,)
    judged[0] = replace(judged[0], limitations=(*judged[0].limitations, *notes))
    waived = [waiver.finding for waiver in original.waivers if waiver.finding is not None]
    return Redacted(
        recorded=recorded,
        judged=judged,
        waivers=None if waivers is None else _waivers(waivers, pairs),
        baseline=None if earlier is None else _redacted_record(earlier, facts, redactor),
        pseudonyms=redactor.pseudonyms,
        uncarried=tuple(finding for finding in waived if finding not in pairs.redacted),
    )


def carried_reviews(decided: Record, pseudonyms: Pseudonyms, announce: Announce, record: Record) -> bytes:
    """Return what was decided about a run as decided about its redacted `record`; tell which decision is lost."""
    carried = redacted_reviews(decided, record, pseudonyms)
    for key in carried.uncarried:
        announce("", f"the decision on {key} could not be carried over")
    return carried.content


def _beside(source: Path, run_id: str | None) -> Path | None:
    """Return the folder of a run of that id, with its evidence, beside another run."""
    folders = sorted(source.absolute().parent.iterdir()) if run_id is not None else []
    return next((each for each in folders if run_of_manifest(each) == run_id and (each / "evidence").is_dir()), None)


def _judge_redacted(
    source: Path, folder: Path, facts: RunFacts, redactor: Redactor
) -> tuple[RecordedRun, list[Judged]]:
    write_redacted_run(source, folder, redactor)
    recorded = read_recorded_run(folder)
    return recorded, judge_recorded(recorded, facts)


def _redacted_record(source: Path, facts: RunFacts, redactor: Redactor) -> Results:
    """Return the record of an earlier run, redacted, with what it knew of the runs before it."""
    original = read_results(source / RESULTS)
    run = original.run
    own = replace(facts, kind=run.kind, fail_on=run.fail_on, now=parse_instant(run.evaluated_at))
    with TemporaryDirectory(prefix="auditor-") as scratch:
        recorded, judged = _judge_redacted(source, Path(scratch), own, redactor)
        redacted = conclude_run(judged, recorded.default_matrix, own)
    pairs = counterparts(original.findings, redacted.findings, redactor.pseudonyms)
    seen = pairs.first_seen()
    return replace(
        redacted,
        summary=original.summary,  # as waivers made it
        findings=tuple(replace(each, first_seen=seen.get(each.key, run.evaluated_at)) for each in redacted.findings),
        trend=redacted_trend(original.trend, redactor.pseudonyms),
    )


def _waivers(waivers: WaiverFile, pairs: Counterparts) -> WaiverFile:
    redacted = tuple(map(pairs.waiver, waivers.waivers))
    content = _file(redacted)
    return WaiverFile(waivers=redacted, content=content, sha256=hashlib.sha256(content).hexdigest())


def _file(waivers: Iterable[Waiver]) -> bytes:
    """Return a waiver file in JSON, which is YAML."""
    entries = [
        {name: value if isinstance(value, str) else value.isoformat() for name, value in asdict(each).items()}
        for each in waivers
    ]
    return (json.dumps({"version": 1, "waivers": entries}, indent=1) + "\n").encode("ascii")
