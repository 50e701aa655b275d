"""`auditor schedule`: files for what starts `auditor run` by the clock."""

from __future__ import annotations

import sys
from datetime import datetime, time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditor import __version__
from auditor.cli.console import say
from auditor.cli.destination import is_address, shown
from auditor.cli.options import Config, OutputDir, Waivers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from auditor.model.sign_in import SecretReference
    from auditor.schedule.plan import Plan

schedule = typer.Typer(no_args_is_help=True, help="Files for what starts a run by the clock.")


class Target(StrEnum):
    """The schedulers there are files for."""

    SYSTEMD = "systemd"
    CRON = "cron"
    TASK_SCHEDULER = "task-scheduler"
    KUBERNETES = "kubernetes"
    GITHUB_ACTIONS = "github-actions"
    AZURE_PIPELINES = "azure-pipelines"


_KEEP_RUNS_ANYWHERE = (Target.SYSTEMD, Target.CRON, Target.TASK_SCHEDULER)


@schedule.command("print")
def print_files(
    target: Annotated[Target, typer.Option("--target", help="What starts the run.")],
    config: Config = Path("inventory.yaml"),
    output_dir: OutputDir = Path("runs"),
    waivers: Waivers = None,
    at: Annotated[
        str, typer.Option("--at", metavar="HH:MM", help="When, each day; UTC in clusters and pipelines.")
    ] = "06:00",
    only: Annotated[str | None, typer.Option("--only", metavar="FILE", help="Print this one of several files.")] = None,
) -> None:
    """Print ready files that start `auditor run` once a day and deal with each of its exit codes.

    Print them on the machine that is to run it: they name the installed program. The secrets they mention are
    those the inventory refers to; their values are never read. Nothing is installed.
    """
    from auditor.schedule.plan import Plan  # noqa: PLC0415 - --help must not load it

    storage = shown(output_dir) if is_address(output_dir) else None
    if storage and target not in _KEEP_RUNS_ANYWHERE:
        message = f"files for {target} keep the runs themselves; object storage is for {', '.join(_KEEP_RUNS_ANYWHERE)}"
        raise typer.BadParameter(message, param_hint="--output-dir")
    plan = Plan(
        executable=Path(sys.executable).with_name("auditor.exe" if sys.platform == "win32" else "auditor"),
        version=__version__,
        config=_plain(config, "--config"),
        output_dir=_plain(output_dir, "--output-dir"),
        waivers=_plain(waivers, "--waivers") if waivers else None,
        at=_time(at),
        secrets=_secrets(config),
        storage=storage,
    )
    files = _files(target)(plan)
    if only is not None:
        found = [name for name in files if Path(name).name == Path(only).name]
        if not found:
            raise typer.BadParameter(f"choose from {', '.join(files)}", param_hint="--only")
        files = {found[0]: files[found[0]]}
    _print(files)


def _files(target: Target) -> Callable[[Plan], Mapping[str, str]]:
    from auditor.schedule.azure_pipelines import azure_pipelines  # noqa: PLC0415
    from auditor.schedule.cron import cron  # noqa: PLC0415
    from auditor.schedule.github_actions import github_actions  # noqa: PLC0415
    from auditor.schedule.kubernetes import kubernetes  # noqa: PLC0415
    from auditor.schedule.systemd import systemd  # noqa: PLC0415
    from auditor.schedule.task_scheduler import task_scheduler  # noqa: PLC0415

    return {
        Target.SYSTEMD: systemd,
        Target.CRON: cron,
        Target.TASK_SCHEDULER: task_scheduler,
        Target.KUBERNETES: kubernetes,
        Target.GITHUB_ACTIONS: github_actions,
        Target.AZURE_PIPELINES: azure_pipelines,
    }[target]


def _print(files: Mapping[str, str]) -> None:
    for name, text in files.items():
        if len(files) > 1:  # as `systemctl cat` tells them apart
            print(f"# {name}")
        print(text)
    say(f"auditor: {', '.join(files)}; nothing was installed; exit 0 (printed)")


def _secrets(config: Path) -> tuple[SecretReference, ...]:
    """Return what the inventory refers to. Raises InvalidInput for what no scheduler can answer."""
    from auditor.errors import InvalidInput, Problem  # noqa: PLC0415
    from auditor.inventory.load import load_inventory  # noqa: PLC0415
    from auditor.matrix.load import known_profiles  # noqa: PLC0415

    if not config.exists():
        say(f"{config} is not there: the files mention no secrets")
        return ()
    inventory = load_inventory(config, known_profiles())
    uses = (
        *inventory.secret_uses({entry.id for entry in inventory.connections}),
        *inventory.channel_secret_uses,
    )
    prompts = [use for use in uses if use.reference.scheme == "prompt"]
    if prompts:
        raise InvalidInput(
            Problem(
                file=use.file,
                line=use.line,
                place=use.place,
                message="a scheduled run has nobody to ask",
                cure="keep the secret in env:, file: or keyring:",
            )
            for use in prompts
        )
    return tuple(dict.fromkeys(use.reference for use in uses))


def _plain(path: Path, option: str) -> Path:
    """Refuse a path that would break out of its line in a file."""
    if not str(path.absolute()).isprintable():
        raise typer.BadParameter("the path has control characters", param_hint=option)
    return path


def _time(text: str) -> time:
    try:
        return datetime.strptime(text, "%H:%M").time()  # noqa: DTZ007 - a time of day, in the scheduler's zone
    except ValueError as error:
        raise typer.BadParameter("write it like 06:00", param_hint="--at") from error
