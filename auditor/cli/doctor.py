"""`auditor doctor`: what the auditing identity can read, and what to grant it for the rest."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from auditor.cli.console import LogFormat, say, visible
from auditor.cli.invocation import ask, invocation, prompt
from auditor.cli.options import AsJson, Config, ConnectionIds, LogFormatOption, NoProgress, Quiet, Verbose
from auditor.cli.progress import Telling, progress
from auditor.errors import InvalidInput, Problem
from auditor.least_privilege.script import ScriptName

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from auditor.evaluate.readability import Readability, ReadState, RightState
    from auditor.inventory.entries import LiveEntry

_WORDS = {
    "works": "works",
    "right_missing": "RIGHT MISSING",
    "not_licensed": "no licence",
    "not_found": "NOT FOUND",
    "not_asked": "not asked",
    "failed": "FAILED",
}
_IN_PLACE = {"yes": "in place", "no": "MISSING", "not_known": "not known"}


def doctor(
    config: Config = Path("inventory.yaml"),
    connection: ConnectionIds = None,
    script: Annotated[
        ScriptName | None,
        typer.Option(
            help="Print a PowerShell script that sets the auditing identity up with no more than it needs, or one "
            "that exports what Exchange Online tells. Contacts nobody."
        ),
    ] = None,
    as_json: AsJson = False,
    no_progress: NoProgress = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    log_format: LogFormatOption = LogFormat.TEXT,
) -> None:
    """Say which reads will work, and which right is missing for each that will not; nothing is kept or changed.

    It signs in and reads the first page of everything a run would read. Exit codes: 0 everything can be read;
    3 something cannot; 2 an input file or option is wrong.
    """
    if script is not None:
        print(_script(script, config, connection or ()), end="")
        say("auditor: read it before it is run; nothing was contacted; exit 0 (printed)")
        return
    from auditor import examination  # noqa: PLC0415 - --help must not load the collectors
    from auditor.evaluate.readability import readability_of  # noqa: PLC0415
    from auditor.inventory.entries import ReplayEntry  # noqa: PLC0415
    from auditor.preparation import prepare  # noqa: PLC0415

    prepared = prepare(config, connection or (), ask, prompt())
    for entry in prepared.entries:
        if isinstance(entry, ReplayEntry):
            say(f"{entry.id}: recorded evidence; there is nothing to sign in to")
    telling = Telling(no_progress=no_progress, quiet=quiet, verbose=verbose, log_format=log_format)
    with progress(telling) as announce:
        examined = examination.examine(prepared, invocation(), announce, is_probe=True)
        found = [readability_of(evidence) for evidence in examined]
    if not found:
        raise _refused("--connection", f"no connection of {config} signs in anywhere", "name a live one")
    if as_json:
        print(json.dumps({"connections": [_to_plain(each) for each in found]}, indent=2))
    else:
        for each in found:
            print("\n".join(visible(line) for line in _lines(each)))
    _conclude(found)


def _conclude(found: list[Readability]) -> None:
    reads = sum(len(each.reads) for each in found)
    unreadable = sum(len(each.unreadable) for each in found)
    rights = {read.missing_right for each in found for read in each.unreadable if read.missing_right}
    if unreadable:
        to_grant = f"; {len(rights)} right{'s' if len(rights) > 1 else ''} to grant" if rights else ""
        reason = f"{unreadable} cannot be read{to_grant}"
        say(f"auditor: {reads - unreadable} of {reads} reads will work; exit 3 ({reason})")
        raise typer.Exit(3)
    say(f"auditor: all {reads} reads will work; exit 0 (everything can be read)")


def _to_plain(found: Readability) -> dict[str, Any]:
    return {
        "id": found.connection_id,
        "kind": found.kind,
        "signed_in_as": found.signed_in_as,
        "reads": [asdict(read) for read in found.reads],
        "rights": [
            {
                "system": each.right.system,
                "name": each.right.name,
                "reason": each.right.reason,
                "datasets": sorted(each.right.datasets),
                "in_place": each.in_place,
            }
            for each in found.rights
        ],
    }


def _lines(found: Readability) -> Iterator[str]:
    yield f"{found.connection_id} ({found.kind}), signed in as {found.signed_in_as or 'nobody'}"
    yield ""
    yield from _read_lines(found.reads)
    yield ""
    yield "  least privilege for the auditing identity"
    yield from _right_lines(found.rights)
    yield ""


def _read_lines(reads: Iterable[ReadState]) -> Iterator[str]:
    """One line per dataset and outcome: a tenant has many role groups, and what holds for one mostly holds for all."""
    alike: dict[tuple[str, str, str, str], list[str]] = {}
    for read in reads:
        alike.setdefault((read.dataset, read.state, read.message, read.missing_right), []).append(read.subject)
    width = max((len(dataset) for dataset, *_ in alike), default=0)
    for (dataset, state, message, right), subjects in alike.items():
        of = f"x{len(subjects)}" if len(subjects) > 1 else subjects[0]
        yield f"  {_WORDS[state]:13}  {dataset.ljust(width)}  {of}".rstrip()
        if message:
            yield f"                 {message}"
        if right:
            yield f"                 grant: {right}"


def _right_lines(rights: Iterable[RightState]) -> Iterator[str]:
    for each in rights:
        yield f"  {_IN_PLACE[each.in_place]:13}  {each.right.name}"
        yield f"                 for {each.right.reason}"


def _script(script: ScriptName, config: Path, connection_ids: Iterable[str]) -> str:
    from auditor.inventory.entries import LiveEntry  # noqa: PLC0415
    from auditor.least_privilege import script as scripts  # noqa: PLC0415
    from auditor.model.connection import ExchangeOnlineConnection, HybridConnection  # noqa: PLC0415
    from auditor.model.sign_in import CloudSignIn, DeviceCodeCredential, DirectorySignIn  # noqa: PLC0415
    from auditor.preparation import load_selected  # noqa: PLC0415

    if script is ScriptName.EXCHANGE_EXPORT:
        return scripts.exchange_export_script()
    kind = HybridConnection if script is ScriptName.ACTIVE_DIRECTORY else ExchangeOnlineConnection
    entries = [each for each in load_selected(config, tuple(connection_ids)) if isinstance(each, LiveEntry)]
    chosen = [each for each in entries if isinstance(each.connection, kind)]
    sign_in = _only_sign_in(chosen, config)
    if isinstance(sign_in, CloudSignIn) and isinstance(sign_in.credential, DeviceCodeCredential):
        cure = "consent to the delegated permissions of docs/OPERATIONS.md and give the person Global Reader"
        raise _refused("--script", "with device_code a person signs in, whom no script sets up", cure)
    if isinstance(sign_in, DirectorySignIn):
        directories = [each.connection for each in chosen if isinstance(each.connection, HybridConnection)]
        return scripts.directory_script(directories, sign_in)
    if isinstance(sign_in, CloudSignIn) and isinstance(chosen[0].connection, ExchangeOnlineConnection):
        return scripts.tenant_script(chosen[0].connection, sign_in)
    raise TypeError(f"{chosen[0].id} has a sign-in of another kind")


def _only_sign_in(entries: list[LiveEntry], config: Path) -> object:
    """Return the one auditing identity of the entries: a script sets up one, in one domain or tenant."""
    if not entries:
        raise _refused("--script", f"{config} has no such connection to set up", "choose the other script")
    places = {each.sign_in for each in entries}
    if len(places) > 1:
        names = ", ".join(each.id for each in entries)
        message = "these connections have several auditing identities"
        raise _refused("--connection", message, f"name those of one: {names}")
    return places.pop()


def _refused(place: str, message: str, cure: str) -> InvalidInput:
    return InvalidInput([Problem(file="command line", line=None, place=place, message=message, cure=cure)])
