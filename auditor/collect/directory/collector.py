"""Reads one hybrid connection: its hosts, then the directory as the first of them shows it."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from auditor.collect.directory.accounts import read_account, read_auditing_identity, read_token_groups
from auditor.collect.directory.containers import (
    read_ancestors,
    read_containers,
    read_domain,
    read_nearest_ancestor,
    read_organizational_unit,
)
from auditor.collect.directory.groups import read_groups, read_well_known_memberships
from auditor.collect.directory.hosts import HostTrials, SignedInHost
from auditor.collect.directory.limits import DEFAULT_LIMITS, Deadline, Limits
from auditor.collect.directory.reader import DirectoryReader, not_held_here, parsed_dn
from auditor.collect.directory.session import FoundObject
from auditor.model.evidence import Gap, GapKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from auditor.collect.evidence_writer import EvidenceWriter
    from auditor.model.connection import HybridConnection
    from auditor.model.sign_in import DirectorySignIn, Secret

_ACCOUNT_DATASETS = ("token_groups", "groups")
_HOME_DATASETS = ("domain", "well_known_memberships", *_ACCOUNT_DATASETS)


def collect_directory(
    connection: HybridConnection,
    sign_in: DirectorySignIn,
    password: Secret,
    writer: EvidenceWriter,
    announce: Callable[[str], None],
    *,
    limits: Limits = DEFAULT_LIMITS,
) -> str:
    """Read everything the checks need about `connection` into `writer`; only searches are sent.

    Returns who the tool signed in as, for the evidence's `signed_in_as`; empty when no host let it in.
    Whatever cannot be read becomes a gap; nothing is raised for it. `announce` gets one short line per step.
    """
    trials = HostTrials(
        connection=connection,
        username=sign_in.username,
        password=password,
        writer=writer,
        limits=limits,
        deadline=Deadline(limits.overall_s),
    )
    host = trials.try_all(announce)
    if isinstance(host, Gap):
        _leave_every_gap(connection, writer, host)
        return ""
    with closing(host.session):
        _read_directory(_reader_of(host, writer), connection, sign_in, announce)
    return sign_in.username


def _read_directory(
    reader: DirectoryReader,
    connection: HybridConnection,
    sign_in: DirectorySignIn,
    announce: Callable[[str], None],
) -> None:
    announce("reading the auditing identity")
    read_auditing_identity(reader, sign_in.username, connection.base_dns)
    announce("reading the account and its groups")
    _read_memberships(reader, connection)
    _read_units(reader, connection, announce)


def _read_memberships(reader: DirectoryReader, connection: HybridConnection) -> None:
    account = read_account(
        reader, connection.username, connection.base_dns, partial_replica=connection.global_catalog
    )
    home = next(iter(connection.base_dns), "") if isinstance(account, Gap) else account.dn
    context = reader.context_of(home)
    if context is None:
        _leave_gaps(reader.writer, _HOME_DATASETS, not_held_here(reader, home))
        return
    read_domain(reader, context)
    well_known = read_well_known_memberships(reader, context)
    if isinstance(account, Gap):
        _leave_gaps(reader.writer, _ACCOUNT_DATASETS, account)
        return
    token_sids = read_token_groups(reader, account)
    read_groups(reader, account, context=context, token_sids=token_sids, groups=well_known)


def _read_units(
    reader: DirectoryReader, connection: HybridConnection, announce: Callable[[str], None]
) -> None:
    surroundings_read: set[str] = set()
    for dataset, dn in _units(connection):
        announce(f"reading {dn}")
        unit = read_organizational_unit(reader, dataset, dn)
        if dn in surroundings_read:
            continue
        surroundings_read.add(dn)
        if isinstance(unit, FoundObject):
            read_containers(reader, dn, unit)
            continue
        if unit.kind is GapKind.NOT_FOUND:
            read_nearest_ancestor(reader, dn)
        reader.writer.leave_gap("containers", unit, subject=dn)
    if connection.target_ous:
        read_ancestors(reader, connection.target_ous)


def _reader_of(host: SignedInHost, writer: EvidenceWriter) -> DirectoryReader:
    contexts = ((parsed_dn(text), text) for text in host.root_dse.get("namingContexts", ()))
    return DirectoryReader(
        session=host.session,
        writer=writer,
        naming_contexts={name: text for name, text in contexts if name is not None},
        configuration_context=next(iter(host.root_dse.get("configurationNamingContext", ())), None),
    )


def _units(connection: HybridConnection) -> Iterator[tuple[str, str]]:
    for dn in dict.fromkeys(connection.target_ous):
        yield "target_ou", dn
    for dn in dict.fromkeys(connection.group_ous):
        yield "group_ou", dn


def _leave_every_gap(connection: HybridConnection, writer: EvidenceWriter, gap: Gap) -> None:
    _leave_gaps(writer, ("auditing_identity", "account", *_HOME_DATASETS), gap)
    units = tuple(_units(connection))
    for dataset, dn in units:
        writer.leave_gap(dataset, gap, subject=dn)
    for dn in dict.fromkeys(dn for _, dn in units):
        writer.leave_gap("containers", gap, subject=dn)


def _leave_gaps(writer: EvidenceWriter, datasets: Iterable[str], gap: Gap) -> None:
    for dataset in datasets:
        writer.leave_gap(dataset, gap)
