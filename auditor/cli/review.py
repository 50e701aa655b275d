"""`auditor review`: decisions on what the audited accounts hold, filled in by a person."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditor.cli.console import say, visible
from auditor.cli.options import AsJson, Now, OutputDir, instant

if TYPE_CHECKING:
    from auditor.errors import Problem
    from auditor.report.review import Tally

review = typer.Typer(no_args_is_help=True, help="Decisions on what the audited accounts hold.")

_DEFAULT_OUTPUT = Path("runs")


@review.command("import")
def import_workbook(
    workbook: Annotated[Path, typer.Argument(metavar="WORKBOOK", help="A copy of workbook.xlsx, filled in.")],
    run: Annotated[
        Path | None, typer.Option("--run", metavar="RUN", help="The run's folder. Default: found by the run's id.")
    ] = None,
    output_dir: OutputDir = _DEFAULT_OUTPUT,
    as_json: AsJson = False,
    now: Now = None,
) -> None:
    """Record the decisions of the sheet `review` with the run they are about.

    Every entitlement must be there once; lines without a decision stay open. The record, the workbook and their
    digests go to the run's folder review/, which `auditor verify` checks. Prints the path of the record.
    """
    import json  # noqa: PLC0415 - --help must not load what only the work needs

    from auditor.cli.invocation import invocation  # noqa: PLC0415
    from auditor.errors import InvalidInput  # noqa: PLC0415
    from auditor.history.manifest import unaltered  # noqa: PLC0415
    from auditor.history.reviews import record_review  # noqa: PLC0415
    from auditor.history.runs import RESULTS  # noqa: PLC0415
    from auditor.model.instants import format_instant  # noqa: PLC0415
    from auditor.report.results_json import parse_results  # noqa: PLC0415
    from auditor.report.review import review_record, tally  # noqa: PLC0415
    from auditor.report.review_import import read_answers, read_content, run_of_workbook  # noqa: PLC0415

    content = read_content(workbook)
    folder = run if run is not None else _find_run(workbook, output_dir, run_of_workbook(workbook, content))
    results_json = unaltered(folder, RESULTS)
    if results_json is None:
        raise InvalidInput([_problem(folder, f"holds no {RESULTS} that is as its manifest records it")])
    results = parse_results(results_json, folder / RESULTS)
    import hashlib  # noqa: PLC0415 - --help must not load it

    digest = hashlib.sha256(results_json).hexdigest()
    answers = read_answers(workbook, content, results, digest)
    at = instant(now)
    record = review_record(results, digest, answers, format_instant(at), invocation().operator)
    path = record_review(folder, results.run.id, f"{at:%Y%m%dT%H%M%SZ}", record, content)
    print(json.dumps(record, indent=2) if as_json else visible(str(path)))
    for connection in results.connections:
        say(f"{connection.id}: {_told(tally(one for one in answers if one.item.connection == connection.id))}")
    own = sum(decision["reviewer_prepared_the_run"] for decision in record["decisions"])
    if own:
        say(f"{own} decisions are by {results.run.operator}, who prepared the run: a second person should review them")
    say(f"auditor: {_told(tally(answers))}; {path}; exit 0 (recorded)")


def _told(counts: Tally) -> str:
    return (
        f"{counts.items} entitlements = {counts.keep} keep + {counts.change} change "
        f"+ {counts.remove} remove + {counts.open} open"
    )


def _find_run(workbook: Path, output_dir: Path, run_id: str) -> Path:
    """Return the folder of a run: the one that holds the workbook, else the one below the output folder."""
    from auditor.errors import InvalidInput  # noqa: PLC0415
    from auditor.history.manifest import run_of_manifest  # noqa: PLC0415

    places: list[Path] = [workbook.absolute().parent, *(sorted(output_dir.iterdir()) if output_dir.is_dir() else ())]
    for folder in places:
        if run_id and folder.is_dir() and run_of_manifest(folder) == run_id:
            return folder
    raise InvalidInput([_problem(output_dir, f"has no run {run_id or '(the workbook names none)'}")])


def _problem(place: Path, message: str) -> Problem:
    from auditor.errors import Problem  # noqa: PLC0415

    return Problem(file=str(place), line=None, place="--run", message=message, cure="name the run's folder with --run")
