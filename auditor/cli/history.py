"""`auditor history`: the runs below an output folder."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from auditor.cli.console import say, visible
from auditor.cli.destination import is_address, prunable, records_here, shown
from auditor.cli.options import AsJson, Now, OutputDir, instant

if TYPE_CHECKING:
    from auditor.history.runs import PastRun

history = typer.Typer(no_args_is_help=True, help="The runs below an output folder.")

_DEFAULT_OUTPUT = Path("runs")
_DAYS = re.compile(r"([0-9]{1,5})d?")


@history.command("list")
def list_runs(output_dir: OutputDir = _DEFAULT_OUTPUT, as_json: AsJson = False) -> None:
    """List the runs, the latest first, with their verdicts; results altered since are marked."""
    from auditor.history.runs import past_runs  # noqa: PLC0415 - --help must not load it

    with records_here(output_dir) as folder:
        runs = list(past_runs(folder))
    if as_json:
        print(json.dumps([_row(run, shown(output_dir)) for run in runs], indent=2))
        return
    for run in runs:
        altered = "" if run.is_unaltered else "  ALTERED since it was written"
        print(
            visible(
                f"{run.folder.name}  {run.kind.ljust(9)}  {run.verdict.ljust(13)}  exit {run.exit_code}  "
                f"{len(run.connections)} connections{altered}"
            )
        )
    say(f"{len(runs)} runs in {shown(output_dir)}")


@history.command()
def prune(
    output_dir: OutputDir = _DEFAULT_OUTPUT,
    keep: Annotated[int | None, typer.Option("--keep", min=1, help="Keep so many of the latest runs.")] = None,
    older_than: Annotated[
        str | None, typer.Option("--older-than", metavar="DAYS", help="Remove only what is older, for example 400d.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and remove nothing.")] = False,
    now: Now = None,
) -> None:
    """Remove old runs, and what killed runs left. With both limits a run goes when it is beyond both.

    The latest run of each set of connections stays, because the next is compared with it; so does a run whose
    results were altered. Prints the folders that go.
    """
    from auditor.history.runs import choose_for_removal, past_runs  # noqa: PLC0415

    if keep is None and older_than is None:
        raise typer.BadParameter("say which runs may go", param_hint="--keep, --older-than")
    age = _age(older_than)
    if not is_address(output_dir) and not output_dir.is_dir():
        raise typer.BadParameter(f"{output_dir} is no folder", param_hint="--output-dir")
    with prunable(output_dir) as (folder, remains, remove):
        chosen = choose_for_removal(list(past_runs(folder)), keep=keep, older_than=age, now=instant(now))
        going = [*(run.folder.name for run in chosen), *remains()]
        for name in going:
            print(f"{shown(output_dir)}/{name}")
            if not dry_run:
                remove(name)
    done = "would be removed" if dry_run else "removed"
    say(f"auditor: {len(chosen)} runs and {len(going) - len(chosen)} leftovers {done}; exit 0 (pruned)")


def _age(text: str | None) -> timedelta | None:
    if text is None:
        return None
    match = _DAYS.fullmatch(text)
    if match is None:
        raise typer.BadParameter("write a number of days, for example 400d", param_hint="--older-than")
    return timedelta(days=int(match[1]))


def _row(run: PastRun, where: str) -> dict[str, Any]:
    return {
        "run": run.id,
        "folder": f"{where}/{run.folder.name}",
        "kind": run.kind,
        "evaluated_at": run.evaluated_at.isoformat().replace("+00:00", "Z"),
        "verdict": str(run.verdict),
        "exit_code": run.exit_code,
        "counts": run.counts,
        "connections": sorted(run.connections),
        "is_unaltered": run.is_unaltered,
    }
