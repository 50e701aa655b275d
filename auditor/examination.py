"""Evidence for the moment: what a question needs to read, collected, answered and not kept."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from auditor.collect.replay import read_evidence
from auditor.collection import collect_entry, directory_scope
from auditor.inventory.entries import ReplayEntry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.collection import Announce, Invocation
    from auditor.inventory.entries import InventoryEntry
    from auditor.model.evidence import Evidence
    from auditor.preparation import Prepared


@contextmanager
def evidence_of(
    prepared: Prepared, entry: InventoryEntry, invocation: Invocation, announce: Announce, object_dn: str | None
) -> Iterator[Evidence]:
    """Yield the evidence of one connection, collected for the moment or recorded; nothing of it is kept.

    With `object_dn` a live connection reads the account and that object alone.
    """
    from auditor.collect.tenant import TenantSessions  # noqa: PLC0415 - takes long to load

    if isinstance(entry, ReplayEntry):
        yield read_evidence(entry.folder)
        return
    with TemporaryDirectory(prefix="auditor-") as scratch, TenantSessions(prompt=prepared.prompt) as sessions:
        folder = Path(scratch) / entry.id
        scope = directory_scope(prepared, entry, only_object=object_dn)
        collect_entry(prepared, entry, invocation, folder, announce, sessions, scope)
        yield read_evidence(folder)


def examine(
    prepared: Prepared,
    invocation: Invocation,
    announce: Announce,
    *,
    is_probe: bool = False,
    finds_holders: bool = False,
) -> Iterator[Evidence]:
    """Yield the evidence of each live connection; it is kept for the moment only.

    A probe reads the first page of everything; `finds_holders` asks who else holds documented rights.
    """
    from auditor.collect.tenant import TenantSessions  # noqa: PLC0415 - takes long to load

    with (
        TemporaryDirectory(prefix="auditor-") as scratch,
        TenantSessions(prompt=prepared.prompt, is_probe=is_probe, finds_holders=finds_holders) as sessions,
    ):
        for entry in prepared.entries:
            if not isinstance(entry, ReplayEntry):
                announce(entry.id, "started")
                folder = Path(scratch) / entry.id
                scope = directory_scope(prepared, entry, is_probe=is_probe, finds_holders=finds_holders)
                collect_entry(prepared, entry, invocation, folder, announce, sessions, scope)
                announce(entry.id, "finished")
                yield read_evidence(folder)
