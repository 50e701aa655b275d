"""The tool on one screen: inventory -> collect -> evaluate -> report."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from auditor.collection import collect_all
from auditor.comparison import earlier_runs, read_run, require_comparable
from auditor.errors import InvalidInput, Problem, RunFailed
from auditor.evaluate.evaluate import EarlierRuns, RunFacts, conclude_run
from auditor.history.lock import only_run
from auditor.history.reviews import REVIEWS_COPY, recorded_reviews
from auditor.history.run_folder import discard, publish, staging_folder
from auditor.history.runs import RESULTS
from auditor.judging import judge_recorded
from auditor.model.instants import parse_instant
from auditor.processes import spread_over_processors
from auditor.recorded_run import (
    RecordedRun,
    RunFile,
    copy_recorded_run,
    evidence_folders,
    read_recorded_run,
    write_inputs,
    write_redacted_run,
)
from auditor.redacted_run import carried_reviews, redact_run
from auditor.redaction.evidence import REDACTED, redactor_of
from auditor.report.formats import Record, read_record, render_record
from auditor.report.pdf import PdfUnavailable
from auditor.report.results_json import write_results
from auditor.resumption import holds_evidence, interrupted_runs
from auditor.waivers.load import load_waivers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from auditor.collection import Announce, Invocation
    from auditor.evaluate.evaluate import Judged
    from auditor.model.outcome import Severity
    from auditor.model.results import Results, RunKind
    from auditor.model.waiver import WaiverFile
    from auditor.preparation import Prepared
    from auditor.redacted_run import Redacted
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


def run(
    prepared: Prepared,
    invocation: Invocation,
    output_dir: Path,
    judging: Judging,
    formats: Formats,
    announce: Announce,
) -> Finished:
    """Collect, judge, compare with the last run and render into one run folder; no other run may write there."""
    with (
        only_run(output_dir),
        staging_folder(output_dir, worth_keeping=holds_evidence) as folder,
        _collected(prepared, invocation, folder, announce, judging) as judged,
    ):
        earlier = EarlierRuns(baseline=judging.baseline)
        if judging.baseline is None:
            earlier = earlier_runs(output_dir, [entry.id for entry in prepared.entries], judging.now, announce)
        recorded = read_recorded_run(folder)
        return _judge_and_render(recorded, folder, judging, earlier, formats, announce, judged=judged)


def collect(prepared: Prepared, invocation: Invocation, output_dir: Path, announce: Announce) -> Finished:
    """Collect evidence alone, to be judged later or elsewhere."""
    with (
        staging_folder(output_dir, worth_keeping=holds_evidence) as folder,
        _collected(prepared, invocation, folder, announce),
    ):
        return Finished(folder=publish(folder, f"{invocation.clock():%Y%m%dT%H%M%SZ}-evidence"), results=None)


def collect_redacted(
    prepared: Prepared, invocation: Invocation, output_dir: Path, announce: Announce, key: bytes | None = None
) -> Finished:
    """Collect evidence and write it without the organisation, to be given away; the original is not kept."""
    with TemporaryDirectory(prefix="auditor-") as scratch, staging_folder(output_dir) as folder:
        with _collected(prepared, invocation, Path(scratch), announce):
            pass
        announce("", "redacting the evidence")
        write_redacted_run(Path(scratch), folder, redactor_of(evidence_folders(Path(scratch)).values(), key))
        return Finished(folder=publish(folder, f"{invocation.clock():%Y%m%dT%H%M%SZ}-redacted"), results=None)


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
        return Finished(folder=publish(folder, results.run.id), results=results, left_out=left_out)


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


def run_redacted(  # noqa: PLR0913 - as `run`
    prepared: Prepared,
    invocation: Invocation,
    output_dir: Path,
    judging: Judging,
    formats: Formats,
    announce: Announce,
    *,
    key: bytes | None,
) -> Finished:
    """Do what `run` does and write all of it without the organisation; the originals are not kept.

    With a key it is compared with the last run in the folder that was redacted with the same.
    """
    with only_run(output_dir), TemporaryDirectory(prefix="auditor-") as scratch, staging_folder(output_dir) as folder:
        source = Path(scratch)
        with _collected(prepared, invocation, source, announce, judging):
            recorded = read_recorded_run(source)
        facts = _run_facts(recorded.facts, judging)
        original = conclude_run(judge_recorded(recorded, facts), recorded.default_matrix, facts, judging.waivers)
        announce("", "redacting the evidence")
        nobody = _facts_of_nobody(source, judging)
        redacted = redact_run(source, folder, nobody, original, judging.waivers, key)
        ids = [each.id for each in redacted.recorded.connections]
        if key is None:
            announce("", "not compared with an earlier run: without --redact-key tokens are of this run alone")
            earlier = EarlierRuns()
        else:
            require_comparable(judging.baseline, ids)
            earlier = EarlierRuns(baseline=judging.baseline)
            if judging.baseline is None:
                earlier = earlier_runs(output_dir, ids, judging.now, announce)
        return _render_redacted(redacted, folder, judging, earlier, formats, announce)


def _facts_of_nobody(source: Path, judging: Judging) -> RunFacts:
    nobody = {"organisation": REDACTED, "operator": REDACTED, "host": REDACTED, "argv": ()}
    return _run_facts(read_recorded_run(source).facts.model_copy(update=nobody), judging)


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


@contextmanager
def _collected(
    prepared: Prepared, invocation: Invocation, folder: Path, announce: Announce, judging: Judging | None = None
) -> Iterator[list[Judged] | None]:
    """Collect into a staging folder; what an interrupted run left goes when this one has its name.

    Yields what a cluster has judged already.
    """
    write_inputs(
        folder,
        prepared,
        operator=invocation.operator,
        host=invocation.host,
        tool_version=invocation.tool_version,
        argv=invocation.argv,
        kind=judging.kind if judging is not None else "review",
    )
    left: tuple[Path, ...] = ()
    if invocation.resumes:
        left = interrupted_runs(folder.parent, prepared.inventory.path, invocation.tool_version)
        if not left:
            announce("", f"no interrupted run of this inventory lies in {folder.parent}: this one begins anew")
    if judging is not None and invocation.scheduler is not None:
        from auditor.cluster import run_on_cluster  # noqa: PLC0415 - those without a cluster need not load it

        run_facts = _run_facts(read_recorded_run(folder).facts, judging)
        yield run_on_cluster(prepared, invocation, folder, run_facts, announce, left)
    else:
        collect_all(prepared, invocation, folder, announce, left)
        yield None
    for each in left:
        try:
            discard(each)
        except RunFailed as failed:  # the run itself is there by now
            announce("", str(failed))


def _run_facts(facts: RunFile, judging: Judging) -> RunFacts:
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
    run_facts = _run_facts(recorded.facts, judging)
    spread = spread_over_processors(len(recorded.connections))
    judged = judge_recorded(recorded, run_facts, spread) if judged is None else judged
    results = conclude_run(judged, recorded.default_matrix, run_facts, judging.waivers, earlier)
    sha256 = write_results(results, folder / RESULTS, spread)
    # What was written reads back as `results`; parsing that of a large estate takes memory and time
    record = Record(file=folder / RESULTS, sha256=sha256, results=results, spread=spread)
    if reviews is not None:
        record = _with_reviews(record, reviews(record), folder)
    left_out = _render(record, folder, formats, announce)
    return Finished(
        folder=publish(folder, results.run.id, spread),
        results=results,
        left_out=left_out,
        earlier=earlier.baseline,
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
