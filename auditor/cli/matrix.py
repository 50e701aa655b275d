"""`auditor matrix`: the documented permissions."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditor.cli.console import say, visible
from auditor.cli.options import AsJson
from auditor.errors import InvalidInput, Problem, collecting

if TYPE_CHECKING:
    from auditor.matrix.profile import Matrix

matrix = typer.Typer(no_args_is_help=True, help="The documented permission matrix and its profiles.")

ProfileArgument = Annotated[
    str, typer.Argument(metavar="PROFILE", help="A profile's id, or the path of a profile file.")
]


@matrix.command()
def show(
    profile: Annotated[
        str, typer.Argument(help="A profile's id, or the path of a profile file.")
    ] = "hybrid-exchange-online",
    as_json: AsJson = False,
) -> None:
    """Show a profile: every requirement with its source and basis."""
    from auditor.matrix.load import known_profiles, load_matrix  # noqa: PLC0415

    loaded = load_matrix(profile)
    if as_json:
        print(json.dumps({**asdict(loaded.profile), "sha256": loaded.sha256}, indent=2))
        return
    _print_profile(loaded)
    say(f"profiles that come with the tool: {', '.join(known_profiles())}")


def _print_profile(loaded: Matrix) -> None:
    profile = loaded.profile
    print(visible(f"{profile.id} version {profile.version}: {profile.title}"))
    print(visible(f"source: {profile.source.title}, variant {profile.source.variant}, {profile.source.date}"))
    print(visible(f"        {profile.source.url}"))
    print(f"sha256: {loaded.sha256}")
    print(
        visible(
            f"rules:  Domain Admins and delegation: {profile.rules.domain_admins_and_delegation}; "
            f"single role group: {'yes' if profile.rules.single_role_group else 'no'}"
        )
    )
    for requirement in profile.requirements:
        print()
        print(visible(f"{requirement.id}  {requirement.kind}, {requirement.plane}: {requirement.documented}"))
        print(visible(f"    for      {requirement.feature}"))
        print(visible(f"    basis    {requirement.basis}: {requirement.clause}"))
        print(
            visible(f"    judged   per {requirement.scope}, by {requirement.check}; missing is {requirement.severity}")
        )


@matrix.command()
def validate(file: Annotated[Path, typer.Argument(help="A profile file.")]) -> None:
    """Check a profile file; every problem is listed. Exits with 2 when there is one."""
    from auditor.matrix.load import load_profile_file  # noqa: PLC0415

    loaded = load_profile_file(file)
    say(f"{file}: {len(loaded.profile.requirements)} requirements, sha256 {loaded.sha256}; exit 0 (valid)")


@matrix.command()
def diff(left: ProfileArgument, right: ProfileArgument, as_json: AsJson = False) -> None:
    """Compare two profiles, row by row. Exits with 0 whether they differ or not."""
    from auditor.matrix.load import compare_profiles, load_matrix  # noqa: PLC0415

    problems: list[Problem] = []
    old = collecting(problems, lambda: load_matrix(left))
    new = collecting(problems, lambda: load_matrix(right))
    if old is None or new is None:
        raise InvalidInput(problems)
    differences = compare_profiles(old.profile, new.profile)
    if as_json:
        print(json.dumps([asdict(difference) for difference in differences], indent=2))
        return
    for difference in differences:
        print(visible(f"{difference.row} {difference.field}"))
        print(visible(f"  - {difference.left or '(no such row)'}"))
        print(visible(f"  + {difference.right or '(no such row)'}"))
    say(f"{len(differences)} differences")
