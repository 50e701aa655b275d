"""`auditor connections discover`: who holds documented rights and is in no inventory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from auditor.cli.console import LogFormat, say, visible
from auditor.cli.invocation import ask, invocation, prompt
from auditor.cli.options import AsJson, Config, ConnectionIds, LogFormatOption, NoProgress, Quiet, Verbose
from auditor.cli.progress import Telling, progress

if TYPE_CHECKING:
    from auditor.evaluate.holders import Holder, Holders
    from auditor.inventory.entries import InventoryEntry
    from auditor.model.evidence import Evidence


def discover(
    config: Config = Path("inventory.yaml"),
    connection: ConnectionIds = None,
    as_json: AsJson = False,
    no_progress: NoProgress = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    log_format: LogFormatOption = LogFormat.TEXT,
) -> None:
    """Find accounts and applications that hold documented rights but are in no inventory; print entries to review.

    It reads who is delegated the target OUs, who is in role groups with the documented roles, and in whose name the
    vendor's application may act. Exit codes: 0 everything was read; 3 something could not be, so there may be more;
    2 an input file or option is wrong.
    """
    from auditor import examination  # noqa: PLC0415 - --help must not load the collectors
    from auditor.inventory.entries import ReplayEntry  # noqa: PLC0415
    from auditor.preparation import prepare  # noqa: PLC0415

    prepared = prepare(config, connection or (), ask, prompt())
    for entry in prepared.entries:
        if isinstance(entry, ReplayEntry):
            say(f"{entry.id}: recorded evidence, which does not tell who else holds something")
    telling = Telling(no_progress=no_progress, quiet=quiet, verbose=verbose, log_format=log_format)
    with progress(telling) as announce:
        looked = [_holders(each) for each in examination.examine(prepared, invocation(), announce, finds_holders=True)]
    found = _not_listed(looked, prepared.inventory.connections)
    unread = tuple(dict.fromkeys(each for holders in looked for each in holders.unread))
    if as_json:
        told = {"found": [_to_plain(each) for each in found], "unread": unread}
        print(json.dumps(told, indent=2))
    else:
        _print_entries(found, [entry.id for entry in prepared.inventory.connections])
    for each in unread:
        say(f"not read: {each}")
    counted = f"{len(found)} accounts and applications hold documented rights and are not in {config}"
    if unread or not looked:
        say(f"auditor: {counted}; exit 3 (there may be more: {len(unread)} reads are not complete)")
        raise typer.Exit(3)
    say(f"auditor: {counted}; exit 0 (everything was read)")


def _holders(evidence: Evidence) -> Holders:
    from auditor.evaluate.directory.delegates import delegates_in  # noqa: PLC0415
    from auditor.evaluate.tenant.role_holders import role_holders_in  # noqa: PLC0415
    from auditor.model.connection import HybridConnection  # noqa: PLC0415

    if isinstance(evidence.connection, HybridConnection):
        return delegates_in(evidence, evidence.connection)
    return role_holders_in(evidence, evidence.connection)


def _not_listed(looked: list[Holders], entries: tuple[InventoryEntry, ...]) -> list[Holder]:
    """Return each holder once, without those that another connection of the inventory audits."""
    from auditor.inventory.entries import LiveEntry  # noqa: PLC0415
    from auditor.model.connection import HybridConnection  # noqa: PLC0415

    connections = [entry.connection for entry in entries if isinstance(entry, LiveEntry)]
    listed = {
        (each.username if isinstance(each, HybridConnection) else each.service_account).casefold()
        for each in connections
    }
    listed |= {own.casefold() for holders in looked for own in holders.audited}
    found: dict[str, Holder] = {}
    for holder in (each for holders in looked for each in holders.found):
        if not listed & {holder.account.casefold(), holder.id.casefold()}:
            found.setdefault(holder.id, holder)
    return list(found.values())


def _print_entries(found: list[Holder], taken: list[str]) -> None:
    from auditor.inventory.proposal import propose_id, proposed_entry  # noqa: PLC0415

    if found:
        print("connections:")
    for holder in found:
        remarks = [f"{holder.name} ({holder.id})", *(f"holds: {each}" for each in holder.holds)]
        if holder.is_application:
            remarks.append("an application, not an account: is it the product's?")
        connection_id = propose_id(holder.account, taken)
        taken.append(connection_id)
        shown = [visible(" ".join(remark.split())) for remark in remarks]
        print(proposed_entry(connection_id, holder.account, holder.connection, holder.units, shown))


def _to_plain(holder: Holder) -> dict[str, Any]:
    return {
        "found_through": holder.connection.id,
        "kind": holder.connection.kind,
        "account": holder.account,
        "id": holder.id,
        "name": holder.name,
        "is_application": holder.is_application,
        "target_ous": list(holder.units),
        "holds": list(holder.holds),
    }
