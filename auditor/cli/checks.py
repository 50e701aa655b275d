"""`auditor checks`: every rule the tool knows, and what each one is for."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from auditor.cli.options import AsJson

if TYPE_CHECKING:
    from auditor.catalogue import Check

checks = typer.Typer(no_args_is_help=True, help="The checks: what each reads, when it passes, and why it matters.")


@checks.command("list")
def list_checks(as_json: AsJson = False) -> None:
    """List every check. One that is not built yet says so: its silence is no pass."""
    from auditor.catalogue import CATALOGUE  # noqa: PLC0415 - --help must not load it

    if as_json:
        print(json.dumps([asdict(check) for check in CATALOGUE.values()], indent=2))
        return
    rows = [("id", "severity", "state", "title"), *map(_row, CATALOGUE.values())]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _row(check: Check) -> tuple[str, str, str, str]:
    return check.id, ", ".join(check.severities), "built" if check.is_built else "not built", check.title


@checks.command()
def explain(
    check_id: Annotated[str, typer.Argument(metavar="CHECK", help="A check's id, for example AD-DEL-001.")],
    as_json: AsJson = False,
) -> None:
    """Explain one check: what it reads, its rule, why it matters, and proposed control references."""
    check = _check(check_id)
    if as_json:
        print(json.dumps(asdict(check), indent=2))
        return
    print(f"{check.id}  {check.title}")
    print(f"    severity  {', '.join(check.severities)}")
    if not check.is_built:
        print("    state     not built: nothing is looked at, so it is never reported and never passed")
        return
    print(f"    reads     {check.reads}")
    print(f"    rule      {check.rule}")
    print(f"    why       {check.why}")
    print(f"    controls  {', '.join(f'{each.framework} {each.id}' for each in check.controls) or 'none proposed'}")


def _check(check_id: str) -> Check:
    from auditor.catalogue import CATALOGUE  # noqa: PLC0415
    from auditor.strict_yaml import did_you_mean  # noqa: PLC0415

    found = CATALOGUE.get(check_id.upper())
    if found is None:
        known = f"{did_you_mean(check_id, CATALOGUE)}auditor checks list names them all"
        raise typer.BadParameter(f"no check is called {check_id!r}: {known}", param_hint="CHECK")
    return found
