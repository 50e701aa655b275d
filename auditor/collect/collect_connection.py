"""Collects one connection's evidence with the collector of its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.collect.directory.collector import NOTHING_MORE, DirectoryScope, collect_directory
from auditor.collect.evidence_writer import EvidenceWriter
from auditor.model.connection import HybridConnection
from auditor.model.sign_in import DirectorySignIn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    from auditor.collect.tenant import TenantSessions
    from auditor.model.connection import Connection
    from auditor.model.sign_in import Secret, SecretReference, SignIn


def collect_connection(  # noqa: PLR0913 - the parts of one collection, named by every caller
    connection: Connection,
    sign_in: SignIn,
    secrets: Mapping[SecretReference, Secret],
    *,
    folder: Path,
    clock: Callable[[], datetime],
    collected_by: Mapping[str, str],
    announce: Callable[[str], None],
    sessions: TenantSessions | None,
    directory_scope: DirectoryScope = NOTHING_MORE,
) -> None:
    """Write the evidence of one connection into `folder`; a source that fails leaves gaps, not errors.

    `sessions` are those of the whole run: a tenant is asked once what all of its connections need. Only a hybrid
    connection does without.
    """
    writer = EvidenceWriter(folder, connection, clock)
    if isinstance(connection, HybridConnection):
        if not isinstance(sign_in, DirectorySignIn):
            raise TypeError(f"{connection.id}: a hybrid connection needs a directory sign-in")
        signed_in_as = collect_directory(connection, sign_in, secrets, writer, announce, scope=directory_scope)
    else:
        if isinstance(sign_in, DirectorySignIn):
            raise TypeError(f"{connection.id}: an Exchange Online connection needs a cloud sign-in")
        if sessions is None:
            raise TypeError(f"{connection.id}: an Exchange Online connection needs the sessions of its run")
        from auditor.collect.tenant import collect_tenant  # noqa: PLC0415 - the clients of tenants take long to load

        signed_in_as = collect_tenant(connection, sign_in, secrets, writer, announce, sessions=sessions)
    writer.close({**collected_by, "signed_in_as": signed_in_as})
