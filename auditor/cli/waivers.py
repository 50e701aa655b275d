"""`auditor waivers`: the accepted findings."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from auditor.cli.console import say, visible
from auditor.cli.destination import run_here, shown
from auditor.cli.options import AsJson, Now, instant

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from auditor.model.results import Finding
    from auditor.model.waiver import Waiver

waivers = typer.Typer(no_args_is_help=True, help="Accepted findings, each with an end and an approver.")

WaiverFileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The waiver file.")]


@waivers.command("list")
def list_waivers(file: WaiverFileArgument = Path("waivers.yaml"), as_json: AsJson = False, now: Now = None) -> None:
    """List the waivers of a file and when each ends. Whether it matches a finding is shown by a run's report."""
    from auditor.waivers.load import load_waivers  # noqa: PLC0415 - --help must not load it

    at = instant(now)
    _print(load_waivers(file, at.date()).waivers, at, as_json=as_json)


@waivers.command()
def expiring(
    file: WaiverFileArgument = Path("waivers.yaml"),
    days: Annotated[int, typer.Option("--days", min=0, max=366, help="Ending within so many days.")] = 30,
    as_json: AsJson = False,
    now: Now = None,
) -> None:
    """List the waivers that end soon or have ended. Exits with 0 whether there are any or not."""
    from auditor.waivers.load import load_waivers  # noqa: PLC0415

    at = instant(now)
    ending = [
        waiver
        for waiver in load_waivers(file, at.date()).waivers
        if waiver.is_expired(at) or waiver.expires_within(timedelta(days=days), at)
    ]
    _print(ending, at, as_json=as_json)


@waivers.command()
def add(
    file: WaiverFileArgument,
    run: Annotated[Path, typer.Option("--run", metavar="RUN", help="The run that found it: its folder.")],
    finding: Annotated[str, typer.Option("--finding", metavar="KEY", help="The finding's key, from the report.")],
    reason: Annotated[str, typer.Option("--reason", help="Why it is accepted.")],
    owner: Annotated[str, typer.Option("--owner", help="Who answers for it.")],
    approved_by: Annotated[str, typer.Option("--approved-by", help="Who accepted it; not the owner.")],
    expires: Annotated[str, typer.Option("--expires", metavar="DATE", help="Its last day (UTC), within 366 days.")],
    ticket: Annotated[str, typer.Option("--ticket", help="Where it was decided.")] = "",
    waiver_id: Annotated[str | None, typer.Option("--id", help="Its id. Default: the next free W-number.")] = None,
    now: Now = None,
) -> None:
    """Accept one finding of a run in its present state, and write that into the file.

    What else stands in the file stays as it is, comments included. What could not be verified cannot be accepted.
    """
    from auditor import comparison  # noqa: PLC0415
    from auditor.evaluate.findings import state_fingerprint  # noqa: PLC0415
    from auditor.model.waiver import Waiver  # noqa: PLC0415
    from auditor.waivers.add import add_waiver, next_id  # noqa: PLC0415
    from auditor.waivers.load import load_waivers  # noqa: PLC0415

    today = instant(now).date()
    known = load_waivers(file, today).waivers if file.exists() else ()
    with run_here(run) as folder:
        accepted = _accepted(run, finding, comparison.read_run(folder).findings)
    waiver = Waiver(
        id=waiver_id or next_id(frozenset(each.id for each in known)),
        check=accepted.check,
        connection=accepted.connection,
        principal=accepted.principal,
        entitlement=accepted.entitlement,
        scope=accepted.scope,
        accepted_fingerprint=state_fingerprint(accepted),
        reason=reason,
        owner=owner,
        approved_by=approved_by,
        ticket=ticket,
        created=today,
        expires=_date(expires),
    )
    if waiver.is_self_approved:
        raise typer.BadParameter("nobody approves their own; name someone else", param_hint="--approved-by")
    add_waiver(file, waiver, today)
    print(waiver.id)
    say(f"auditor: {waiver.id} accepts {accepted.key} until the end of {waiver.expires} UTC; {file}; exit 0 (written)")


def _accepted(run: Path, key: str, findings: Iterable[Finding]) -> Finding:
    from auditor.errors import InvalidInput, Problem  # noqa: PLC0415
    from auditor.model.outcome import FindingOutcome  # noqa: PLC0415
    from auditor.strict_yaml import did_you_mean  # noqa: PLC0415

    by_key = {each.key: each for each in findings}
    found = by_key.get(key)
    if found is None:
        message = f"the run has no finding {key!r}"
        cure = f"{did_you_mean(key, by_key)}copy the key from the report"
    elif found.outcome is FindingOutcome.UNVERIFIABLE:
        message, cure = "what could not be verified cannot be accepted", found.remediation.text
    else:
        return found
    raise InvalidInput([Problem(file=shown(run), line=None, place="--finding", message=message, cure=cure)])


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter("write it like 2027-01-31", param_hint="--expires") from error


def _print(listed: Iterable[Waiver], now: datetime, *, as_json: bool) -> None:
    rows = [_row(waiver, now) for waiver in listed]
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    for row in rows:
        print(visible(f"{row['id']}  {row['state']}, to the end of {row['expires']} UTC: {row['check']} "
                      f"of {row['connection']}, {row['entitlement']} {row['scope']}".rstrip()))
        print(visible(f"    owner {row['owner']}, approved by {row['approved_by']}, {row['ticket'] or 'no ticket'}: "
                      f"{row['reason']}"))
    say(f"{len(rows)} waivers")


def _row(waiver: Waiver, now: datetime) -> dict[str, Any]:
    from auditor.model.waiver import EXPIRES_SOON  # noqa: PLC0415

    state = "expired" if waiver.is_expired(now) else "active"
    if waiver.expires_within(EXPIRES_SOON, now):
        state = "expiring"
    plain = asdict(waiver) | {"created": waiver.created.isoformat(), "expires": waiver.expires.isoformat()}
    return plain | {"state": state, "is_self_approved": waiver.is_self_approved}
