"""Judges recorded evidence, compares it with the last run, and renders that: nothing is contacted."""

from __future__ import annotations

import shutil
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from auditor.assignment import Finished, Judging
from auditor.comparison import earlier_runs, read_run, require_comparable
from auditor.errors import InvalidInput, Problem
from auditor.evaluate.evaluate import EarlierRuns, RunFacts, conclude_run
from auditor.history.reviews import REVIEWS_COPY, recorded_reviews
from auditor.history.run_folder import publish, staging_folder
from auditor.history.runs import RESULTS
from auditor.judging import judge_recorded
from auditor.model.instants import parse_instant
from auditor.processes import spread_over_processors
from auditor.recorded_run import RecordedRun, RunFile, copy_recorded_run, read_recorded_run
from auditor.redacted_run import carried_reviews, redact_run
from auditor.redaction.evidence import REDACTED
from auditor.report.formats import Record, read_record, render_record
from auditor.report.pdf import PdfUnavailable
from auditor.report.results_json import write_results
from auditor.resumption import holds_evidence
from auditor.waivers.load import load_waivers

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from auditor.assignment import Formats
    from auditor.collection import Announce
    from auditor.evaluate.evaluate import Judged
    from auditor.redacted_run import Redacted
    from auditor.report.signature import Signer


def conclude(
    folder: Path,
    output_dir: Path,
    judging: Judging,
    formats: Formats,
    announce: Announce,
    judged: list[Judged] | None,
) -> Finished:
    """Judge what was collected into a staging folder, compare it with the last run in `output_dir`, and render it.

    `judged` is what a cluster has judged already.
    """
    recorded = read_recorded_run(folder)
    earlier = _earlier([each.id for each in recorded.connections], output_dir, judging, announce)
    return _judge_and_render(recorded, folder, judging, earlier, formats, announce, judged=judged)


def conclude_redacted(  # noqa: PLR0913 - what a run is made of
    source: Path,
    folder: Path,
    output_dir: Path,
    judging: Judging,
    formats: Formats,
    announce: Announce,
    key: bytes | None,
) -> Finished:
    """Conclude what was collected into `source`, and write all of it into `folder` without the organisation.

    With a key it is compared with the last run that was redacted with the same.
    """
    recorded = read_recorded_run(source)
    facts = run_facts(recorded.facts, judging)
    original = conclude_run(judge_recorded(recorded, facts), recorded.default_matrix, facts, judging.waivers)
    announce("", "redacting the evidence")
    redacted = redact_run(source, folder, _facts_of_nobody(source, judging), original, judging.waivers, key)
    ids = [each.id for each in redacted.recorded.connections]
    if key is None:
        announce("", "not compared with an earlier run: without --redact-key tokens are of this run alone")
        earlier = EarlierRuns()
    else:
        require_comparable(judging.baseline, ids)
        earlier = _earlier(ids, output_dir, judging, announce)
    return _render_redacted(redacted, folder, judging, earlier, formats, announce)


def _earlier(ids: Collection[str], output_dir: Path, judging: Judging, announce: Announce) -> EarlierRuns:
    if judging.baseline is not None:
        return EarlierRuns(baseline=judging.baseline)
    return earlier_runs(output_dir, ids, judging.now, announce)


def judge_again(
    recorded: RecordedRun, output_dir: Path, judging: Judging, formats: Formats, announce: Announce
) -> Finished:
    """Judge recorded evidence; nothing is contacted, and the recorded run stays as it is."""
    with staging_folder(output_dir) as folder:
        copy_recorded_run(recorded, folder, spread_over_processors(len(recorded.connections)))
        earlier = EarlierRuns(baseline=judging.baseline)
        return _judge_and_render(recorded, folder, judging, earlier, formats, announce)


def report(source: Path, output_dir: Path, formats: Formats, announce: Announce) -> Finished:
    """Render a record again, into a folder of its own, with what was decided since.

    `source` is a run folder, or a results.json, which knows of no review.
    """
    results_json = source / RESULTS if source.is_dir() else source
    results = read_run(source)
    reviews = recorded_reviews(source) if source.is_dir() else b""
    spread = spread_over_processors(len(results.connections))
    with staging_folder(output_dir) as folder:
        shutil.copyfile(results_json, folder / "results.json")
        record = _with_reviews(replace(read_record(folder / RESULTS), spread=spread), reviews, folder)
        left_out = _render(record, folder, formats, announce)
        return Finished(folder=publish(folder, results.run.id, spread), results=results, left_out=left_out)


def report_redacted(
    source: Path, output_dir: Path, formats: Formats, announce: Announce, key: bytes | None = None
) -> Finished:
    """Write a run again without the organisation: its evidence, its waivers and the run it was compared with.

    All of it is redacted, judged as it was, and rendered. Equal things have equal tokens in runs redacted with one key.
    """
    if not holds_evidence(source):
        cure = "name the folder of a run, not its results.json"
        message = "holds no evidence that could be redacted"
        raise InvalidInput([Problem(file=str(source), line=None, place="RUN", message=message, cure=cure)])
    original = read_run(source)
    run, waivers, now = original.run, source / "inputs" / "waivers.yaml", parse_instant(original.run.evaluated_at)
    accepted = load_waivers(waivers, now.date()) if waivers.exists() else None
    decided = replace(read_record(source / RESULTS), reviews=recorded_reviews(source))
    judging = Judging(kind=run.kind, now=now, fail_on=run.fail_on, exit_zero=False, waivers=accepted)
    with staging_folder(output_dir) as folder:
        announce("", "redacting the evidence")
        redacted = redact_run(source, folder, _facts_of_nobody(source, judging), original, accepted, key)
        earlier = EarlierRuns(baseline=redacted.baseline)
        reviews = partial(carried_reviews, decided, redacted.pseudonyms, announce)
        return _render_redacted(redacted, folder, judging, earlier, formats, announce, reviews)


def run_facts(facts: RunFile, judging: Judging) -> RunFacts:
    """Return what the results say about a run."""
    return RunFacts(
        kind=judging.kind,
        organisation=facts.organisation,
        operator=facts.operator,
        host=facts.host,
        tool_version=facts.tool_version,
        argv=facts.argv,
        fail_on=judging.fail_on,
        exit_zero=judging.exit_zero,
        now=judging.now,
    )


def _facts_of_nobody(source: Path, judging: Judging) -> RunFacts:
    nobody = {"organisation": REDACTED, "operator": REDACTED, "host": REDACTED, "argv": ()}
    return run_facts(read_recorded_run(source).facts.model_copy(update=nobody), judging)


def _render_redacted(  # noqa: PLR0913 - what a run is made of
    redacted: Redacted,
    folder: Path,
    judging: Judging,
    earlier: EarlierRuns,
    formats: Formats,
    announce: Announce,
    reviews: Callable[[Record], bytes] | None = None,
) -> Finished:
    for finding in redacted.uncarried:
        announce("", f"the waiver of {finding} could not be carried over")
    judging = replace(judging, waivers=redacted.waivers)
    return _judge_and_render(
        redacted.recorded, folder, judging, earlier, formats, announce, judged=redacted.judged, reviews=reviews
    )


def _judge_and_render(  # noqa: PLR0913 - what a run is made of
    recorded: RecordedRun,
    folder: Path,
    judging: Judging,
    earlier: EarlierRuns,
    formats: Formats,
    announce: Announce,
    *,
    judged: list[Judged] | None = None,
    reviews: Callable[[Record], bytes] | None = None,
) -> Finished:
    if judging.waivers is not None:
        (folder / "inputs" / "waivers.yaml").write_bytes(judging.waivers.content)
    announce("", "judging the evidence")
    facts = run_facts(recorded.facts, judging)
    spread = spread_over_processors(len(recorded.connections))
    judged = judge_recorded(recorded, facts, spread) if judged is None else judged
    results = conclude_run(judged, recorded.default_matrix, facts, judging.waivers, earlier)
    sha256 = write_results(results, folder / RESULTS, spread)
    # What was written reads back as `results`; parsing that of a large estate takes memory and time
    record = Record(file=folder / RESULTS, sha256=sha256, results=results, spread=spread)
    if reviews is not None:
        record = _with_reviews(record, reviews(record), folder)
    left_out = _render(record, folder, formats, announce)
    return Finished(
        folder=publish(folder, results.run.id, spread), results=results, left_out=left_out, earlier=earlier.baseline
    )


def _with_reviews(record: Record, reviews: bytes, folder: Path) -> Record:
    """Return the record with what was decided, and keep that in the run folder."""
    if reviews:
        copy = folder / REVIEWS_COPY
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes(reviews)
    return replace(record, reviews=reviews)


def _render(record: Record, folder: Path, formats: Formats, announce: Announce) -> str:
    left_out = ""
    record = replace(record, language=formats.language)
    for name in formats.names:
        announce("", f"writing {name}")
        try:
            render_record(record, (name,), folder)
        except PdfUnavailable as error:
            if formats.are_chosen:
                raise
            left_out = str(error)
    if formats.signer is not None:
        _sign(folder, formats.signer)
    return left_out


def _sign(folder: Path, signer: Signer) -> None:
    from auditor.report.signature import sign_pdf  # noqa: PLC0415 - an extra, and slow to load

    for path in sorted(folder.glob("*.pdf")):
        path.write_bytes(sign_pdf(path.read_bytes(), signer))
