"""The tool on one screen: inventory -> collect -> evaluate -> report."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from auditor.assignment import Finished
from auditor.collection import collect_all
from auditor.errors import RunFailed
from auditor.history.lock import only_run
from auditor.history.run_folder import discard, publish, staging_folder
from auditor.recorded_run import evidence_folders, read_recorded_run, write_inputs, write_redacted_run
from auditor.resumption import holds_evidence, interrupted_runs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.assignment import Formats, Judging
    from auditor.collection import Announce, Invocation
    from auditor.evaluate.evaluate import Judged
    from auditor.preparation import Prepared


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
        from auditor.concluded_run import conclude  # noqa: PLC0415 - see _load_judges

        return conclude(folder, output_dir, judging, formats, announce, judged)


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
        from auditor.redaction.evidence import redactor_of  # noqa: PLC0415 - few runs are redacted

        announce("", "redacting the evidence")
        write_redacted_run(Path(scratch), folder, redactor_of(evidence_folders(Path(scratch)).values(), key))
        return Finished(folder=publish(folder, f"{invocation.clock():%Y%m%dT%H%M%SZ}-redacted"), results=None)


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
            pass
        from auditor.concluded_run import conclude_redacted  # noqa: PLC0415 - see _load_judges

        return conclude_redacted(source, folder, output_dir, judging, formats, announce, key)


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
        from auditor.concluded_run import run_facts  # noqa: PLC0415 - see _load_judges

        facts = run_facts(read_recorded_run(folder).facts, judging)
        yield run_on_cluster(prepared, invocation, folder, facts, announce, left)
    else:
        meanwhile = _load_judges if judging is not None else _load_nothing
        collect_all(prepared, invocation, folder, announce, left, meanwhile=meanwhile)
        yield None
    for each in left:
        try:
            discard(each)
        except RunFailed as failed:  # the run itself is there by now
            announce("", str(failed))


def _load_judges() -> None:
    """Load what judges and renders, while sources are waited for: it takes long, and reading does without."""
    import auditor.concluded_run  # noqa: F401, PLC0415


def _load_nothing() -> None:
    pass
