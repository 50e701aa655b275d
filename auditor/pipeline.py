"""The tool on one screen: inventory -> collect -> evaluate -> report."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal

from auditor.collect.replay import read_evidence
from auditor.collection import collect_all, collect_entry, directory_scope
from auditor.errors import InvalidInput, Problem, RunFailed
from auditor.evaluate.drift import compare_runs
from auditor.evaluate.evaluate import EarlierRuns, RunFacts, conclude_run
from auditor.history.lock import only_run
from auditor.history.manifest import MANIFEST, unaltered
from auditor.history.run_folder import discard, publish, staging_folder
from auditor.history.runs import RESULTS, find_baseline
from auditor.inventory.entries import ReplayEntry
from auditor.judging import judge_recorded
from auditor.model.instants import parse_instant
from auditor.recorded_run import (
    RecordedRun,
    RunFile,
    copy_recorded_run,
    read_recorded_run,
    write_inputs,
    write_redacted_run,
)
from auditor.report.formats import Record, read_record, render_record
from auditor.report.pdf import PdfUnavailable
from auditor.report.results_json import read_results, write_results
from auditor.resumption import holds_evidence, interrupted_runs

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime

    from auditor.collection import Announce, Invocation
    from auditor.evaluate.evaluate import Judged
    from auditor.inventory.entries import InventoryEntry
    from auditor.model.evidence import Evidence
    from auditor.model.outcome import Severity
    from auditor.model.results import DriftRecord, Results
    from auditor.model.waiver import WaiverFile
    from auditor.preparation import Prepared
    from auditor.report.signature import Signer



@dataclass(frozen=True, slots=True, kw_only=True)
class Judging:
    """How evidence is judged: at which instant, from which severity on findings count, and with which exit.

    Without a `baseline` a run is compared with the last one of the same connections in its output folder.
    """

    kind: Literal["review", "readiness"]
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
        earlier = _earlier_runs(output_dir, [entry.id for entry in prepared.entries], judging, announce)
        recorded = read_recorded_run(folder)
        return _judge_and_render(recorded, folder, judging, earlier, formats, announce, judged=judged)


def collect(prepared: Prepared, invocation: Invocation, output_dir: Path, announce: Announce) -> Finished:
    """Collect evidence alone, to be judged later or elsewhere."""
    with (
        staging_folder(output_dir, worth_keeping=holds_evidence) as folder,
        _collected(prepared, invocation, folder, announce),
    ):
        return Finished(folder=publish(folder, f"{invocation.clock():%Y%m%dT%H%M%SZ}-evidence"), results=None)


def collect_redacted(prepared: Prepared, invocation: Invocation, output_dir: Path, announce: Announce) -> Finished:
    """Collect evidence and write it without the organisation, to be given away; the original is not kept."""
    with TemporaryDirectory(prefix="auditor-") as scratch, staging_folder(output_dir) as folder:
        with _collected(prepared, invocation, Path(scratch), announce):
            pass
        announce("", "redacting the evidence")
        write_redacted_run(Path(scratch), folder)
        return Finished(folder=publish(folder, f"{invocation.clock():%Y%m%dT%H%M%SZ}-redacted"), results=None)


def judge_again(
    recorded: RecordedRun, output_dir: Path, judging: Judging, formats: Formats, announce: Announce
) -> Finished:
    """Judge recorded evidence; nothing is contacted, and the recorded run stays as it is."""
    with staging_folder(output_dir) as folder:
        copy_recorded_run(recorded, folder)
        earlier = EarlierRuns(baseline=judging.baseline)
        return _judge_and_render(recorded, folder, judging, earlier, formats, announce)


def report(source: Path, output_dir: Path, formats: Formats, announce: Announce) -> Finished:
    """Render a record again, into a folder of its own; `source` is a run folder or a results.json."""
    results_json = source / "results.json" if source.is_dir() else source
    results = read_results(results_json)
    with staging_folder(output_dir) as folder:
        shutil.copyfile(results_json, folder / "results.json")
        left_out = _render(read_record(folder / RESULTS), folder, formats, announce)
        return Finished(folder=publish(folder, results.run.id), results=results, left_out=left_out)


def report_redacted(source: Path, output_dir: Path, formats: Formats, announce: Announce) -> Finished:
    """Write a run again without the organisation: its evidence is redacted, judged as it was, and rendered.

    Waivers and the comparison with an earlier run are left out: they name people and other runs.
    """
    if not holds_evidence(source):
        message = "holds no evidence that could be redacted"
        raise InvalidInput([_problem(source, message, "name the folder of a run, not its results.json")])
    run = read_run(source).run
    judging = Judging(kind=run.kind, now=parse_instant(run.evaluated_at), fail_on=run.fail_on, exit_zero=False)
    with staging_folder(output_dir) as folder:
        announce("", "redacting the evidence")
        write_redacted_run(source, folder)
        return _judge_and_render(read_recorded_run(folder), folder, judging, EarlierRuns(), formats, announce)


@contextmanager
def evidence_of(
    prepared: Prepared, entry: InventoryEntry, invocation: Invocation, announce: Announce, object_dn: str | None
) -> Iterator[Evidence]:
    """Yield the evidence of one connection, collected for the moment or recorded; nothing of it is kept.

    With `object_dn` a live connection reads the account and that object alone.
    """
    from auditor.collect.tenant import TenantSessions  # noqa: PLC0415 - see collect_all

    if isinstance(entry, ReplayEntry):
        yield read_evidence(entry.folder)
        return
    with TemporaryDirectory(prefix="auditor-") as scratch, TenantSessions(prompt=prepared.prompt) as sessions:
        folder = Path(scratch) / entry.id
        scope = directory_scope(prepared, entry, only_object=object_dn)
        collect_entry(prepared, entry, invocation, folder, announce, sessions, scope)
        yield read_evidence(folder)


def examine(
    prepared: Prepared,
    invocation: Invocation,
    announce: Announce,
    *,
    is_probe: bool = False,
    finds_holders: bool = False,
) -> Iterator[Evidence]:
    """Yield the evidence of each live connection; it is kept for the moment only.

    A probe reads the first page of everything; `finds_holders` asks who else holds documented rights.
    """
    from auditor.collect.tenant import TenantSessions  # noqa: PLC0415 - see collect_all

    with (
        TemporaryDirectory(prefix="auditor-") as scratch,
        TenantSessions(prompt=prepared.prompt, is_probe=is_probe, finds_holders=finds_holders) as sessions,
    ):
        for entry in prepared.entries:
            if not isinstance(entry, ReplayEntry):
                announce(entry.id, "started")
                folder = Path(scratch) / entry.id
                scope = directory_scope(prepared, entry, is_probe=is_probe, finds_holders=finds_holders)
                collect_entry(prepared, entry, invocation, folder, announce, sessions, scope)
                announce(entry.id, "finished")
                yield read_evidence(folder)


def read_run(path: Path) -> Results:
    """Read the record of a run folder, or a results.json. Raises InvalidInput when it is not as it was written."""
    if not path.is_dir():
        return read_results(path)
    if (path / MANIFEST).exists() and unaltered(path, RESULTS) is None:
        message = f"{RESULTS} is not as {MANIFEST} records it"
        raise InvalidInput([_problem(path, message, "`auditor verify` says what differs; take another run")])
    return read_results(path / RESULTS)


def require_comparable(judging: Judging, connections: Collection[str]) -> None:
    """Raise InvalidInput when the chosen baseline has none of these connections: nothing compared is no answer."""
    if judging.baseline is not None:
        _require_common(Path("--baseline"), judging.baseline, connections)


def _require_common(place: Path, baseline: Results, connections: Collection[str]) -> None:
    known = [connection.id for connection in baseline.connections]
    if not set(known) & set(connections):
        message = f"covers no connection of the other run, only {', '.join(known)}"
        raise InvalidInput([_problem(place, message, "take runs of the same connections")])


def diff(left: Path, right: Path) -> tuple[Results, Results, DriftRecord]:
    """Compare two runs, the earlier one first.

    Raises InvalidInput when one cannot be read or they share no connection, RunFailed when nothing of
    what they share could be compared.
    """
    before, after = read_run(left), read_run(right)
    _require_common(left, before, [connection.id for connection in after.connections])
    drift = compare_runs(before, after)
    if not drift.compared:
        reasons = ", ".join(dict.fromkeys(entry.reason for entry in drift.entries if entry.reason))
        raise RunFailed(f"nothing could be compared: {reasons or 'the runs judged nothing alike'}")
    return before, after, drift


def write_diff(before: Results, after: Results, drift: DriftRecord, path: Path) -> None:
    """Write a comparison as an HTML file. Raises RunFailed when it cannot be written."""
    from auditor.report.html import render_diff_html  # noqa: PLC0415 - jinja2 and fontTools on demand

    try:
        path.write_text(render_diff_html(before, after, drift), encoding="utf-8", newline="\n")
    except OSError as error:
        raise RunFailed(f"{path} cannot be written: {error.strerror}") from error


def _problem(path: Path, message: str, cure: str) -> Problem:
    return Problem(file=str(path), line=None, place="RUN", message=message, cure=cure)


def _earlier_runs(
    output_dir: Path, connections: Collection[str], judging: Judging, announce: Announce
) -> EarlierRuns:
    if judging.baseline is not None:
        return EarlierRuns(baseline=judging.baseline)
    found = find_baseline(output_dir, connections, judging.now)
    if found.later:
        announce("", f"{found.later} runs in {output_dir} are later than this one and not compared with: see the clock")
    if found.results is None:
        return EarlierRuns(altered=found.altered)
    try:
        return EarlierRuns(baseline=read_results(found.results), altered=found.altered)
    except InvalidInput:
        announce("", f"not compared with {found.results.parent}: this version cannot read its record")
        return EarlierRuns(altered=found.altered)


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
        discard(each)


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
) -> Finished:
    if judging.waivers is not None:
        (folder / "inputs" / "waivers.yaml").write_bytes(judging.waivers.content)
    announce("", "judging the evidence")
    run_facts = _run_facts(recorded.facts, judging)
    judged = judge_recorded(recorded, run_facts) if judged is None else judged
    results = conclude_run(judged, recorded.default_matrix, run_facts, judging.waivers, earlier)
    write_results(results, folder / RESULTS)
    # What was written reads back as `results`; parsing that of a large estate takes memory and time
    left_out = _render(Record(content=(folder / RESULTS).read_bytes(), results=results), folder, formats, announce)
    return Finished(
        folder=publish(folder, results.run.id), results=results, left_out=left_out, earlier=earlier.baseline
    )


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
