"""`auditor connections`: the inventory."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from auditor.cli.console import visible
from auditor.cli.discover import discover
from auditor.cli.options import AsJson, Config

if TYPE_CHECKING:
    from auditor.inventory.entries import InventoryEntry
    from auditor.model.sign_in import SignIn

connections = typer.Typer(no_args_is_help=True, help="The connections in the inventory.")
connections.command()(discover)


@connections.command("list")
def list_connections(config: Config = Path("inventory.yaml"), as_json: AsJson = False) -> None:
    """List the connections of the inventory. Nothing is contacted and no secret is read."""
    from auditor.inventory.load import load_inventory  # noqa: PLC0415 - --help must not load it
    from auditor.matrix.load import known_profiles  # noqa: PLC0415

    inventory = load_inventory(config, known_profiles())
    rows = [_row(entry, inventory.default_profile) for entry in inventory.connections]
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    _print_table(rows)


def _row(entry: InventoryEntry, default_profile: str) -> dict[str, Any]:
    from auditor.inventory.entries import ReplayEntry  # noqa: PLC0415

    if isinstance(entry, ReplayEntry):
        return {
            "id": entry.id,
            "kind": str(entry.kind),
            "name": entry.name,
            "profile": entry.profile or default_profile,
            "replay": str(entry.folder),
            "sign_in": None,
        }
    uses = sorted({f"{use.place}: {use.reference}" for use in entry.secret_uses})
    return {
        **asdict(entry.connection),
        "kind": str(entry.kind),
        "replay": None,
        "sign_in": {
            "as": _identity(entry.sign_in),
            "secrets": uses,
        },
    }


def _identity(sign_in: SignIn) -> str:
    from auditor.model.sign_in import DeviceCodeCredential, DirectorySignIn, ManagedIdentityCredential  # noqa: PLC0415

    if isinstance(sign_in, DirectorySignIn):
        return sign_in.username or "current Kerberos ticket"
    if isinstance(sign_in.credential, ManagedIdentityCredential):
        return f"managed identity {sign_in.client_id or 'of this machine'}"
    through = f"application {sign_in.client_id}"
    is_person = isinstance(sign_in.credential, DeviceCodeCredential)
    return f"a person with a device code, through {through}" if is_person else str(sign_in.client_id)


def _print_table(rows: list[dict[str, Any]]) -> None:
    headings = ("id", "kind", "account", "where", "profile")
    lines = [headings, *(tuple(visible(str(value)) for value in _cells(row)) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _cells(row: dict[str, Any]) -> tuple[str, str, str, str, str]:
    if row["replay"]:
        return row["id"], row["kind"], "(recorded)", row["replay"], row["profile"]
    if row["kind"] == "hybrid":
        return (
            row["id"],
            row["kind"],
            row["username"],
            f"{', '.join(row['hosts'])}, port {row['port']}",
            row["profile"],
        )
    return row["id"], row["kind"], row["service_account"], row["tenant"], row["profile"]
