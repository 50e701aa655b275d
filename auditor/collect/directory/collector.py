"""Reads one hybrid connection: its hosts, then the directory as the first of them shows it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from auditor.collect.directory.accounts import read_account, read_auditing_identity, read_token_groups
from auditor.collect.directory.containers import (
    plan_inhabitants,
    plan_other_containers,
    read_ancestors,
    read_containers,
    read_domain,
    read_inhabitants,
    read_nearest_ancestor,
    read_organizational_unit,
    read_other_containers,
)
from auditor.collect.directory.delegates import read_delegates
from auditor.collect.directory.groups import read_groups, read_well_known_memberships
from auditor.collect.directory.hosts import HostTrials, SignedInHost, sign_in_again
from auditor.collect.directory.limits import DEFAULT_LIMITS, Deadline, Limits
from auditor.collect.directory.naming import plan_schema, read_class_vocabularies, read_schema, read_trustees
from auditor.collect.directory.read_ahead import ReadAhead
from auditor.collect.directory.reader import DirectoryReader, not_held_here
from auditor.collect.directory.session import FoundObject
from auditor.collect.directory.sign_in import SimpleBind
from auditor.collect.directory.tier_zero import (
    read_certificate_services,
    read_managed_service_accounts,
    read_tier_zero,
)
from auditor.collect.directory.witness import read_effective_rights
from auditor.model.distinguished_name import parsed_dn
from auditor.model.evidence import Gap, GapKind
from auditor.model.sign_in import KerberosSignIn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from auditor.collect.evidence_writer import EvidenceWriter
    from auditor.model.connection import HybridConnection
    from auditor.model.sign_in import DirectorySignIn, Secret, SecretReference

_ACCOUNT_DATASETS = ("token_groups", "groups")
_HOME_DATASETS = ("domain", "well_known_memberships", *_ACCOUNT_DATASETS)
_SURROUNDINGS = (
    "schema_classes", "schema_attributes", "extended_rights", "other_containers", "tier_zero", "certificate_services",
    "managed_service_accounts", "trustees",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryScope:
    """What to read besides the connection's own objects.

    `own_password` is the audited account's, for the domain controller's own verdict. With `only_object`, a DN, that
    object is read with what it inherits from, and nothing of the connection but the account. A probe reads the first
    page of everything. `finds_holders`: who else is delegated the target OUs is read, too.
    """

    own_password: Secret | None = None
    only_object: str | None = None
    is_probe: bool = False
    finds_holders: bool = False


NOTHING_MORE = DirectoryScope()


def collect_directory(  # noqa: PLR0913 - the parts of one collection
    connection: HybridConnection,
    sign_in: DirectorySignIn,
    secrets: Mapping[SecretReference, Secret],
    writer: EvidenceWriter,
    announce: Callable[[str], None],
    *,
    scope: DirectoryScope = NOTHING_MORE,
    limits: Limits = DEFAULT_LIMITS,
) -> str:
    """Read everything the checks need about `connection` into `writer`; only searches are sent.

    `secrets` resolves the references of `sign_in`. Whatever cannot be read becomes a gap; nothing is raised for
    it. `announce` gets one short line per step. Returns who the tool signed in as, for the evidence's
    `signed_in_as`; empty when no host let it in.
    """
    deadline = Deadline(limits.overall_s)
    trials = HostTrials(
        connection=connection,
        identity=_identity(sign_in, secrets),
        writer=writer,
        limits=limits,
        deadline=deadline,
    )
    host = trials.try_all(announce)
    if isinstance(host, Gap):
        _leave_every_gap(connection, writer, host, scope)
        return ""
    open_another = partial(sign_in_again, host, trials.identity, limits=limits, deadline=deadline)
    with closing(host.session), ReadAhead(open_another) as ahead:
        host.session.first_page_only = scope.is_probe
        reader = _reader_of(host, ahead, writer)
        announce("reading the auditing identity")
        read_auditing_identity(reader, host.session.signed_in_as, connection.base_dns)
        announce("reading the account and its groups")
        home = _read_memberships(reader, connection)
        if scope.only_object is not None:
            announce(f"reading {scope.only_object}")
            _read_object(reader, scope.only_object)
            return host.session.signed_in_as
        if not scope.is_probe:
            _plan(reader, connection, home)
        _read_units(reader, connection, announce)
        announce("reading what surrounds them")
        _read_surroundings(reader, connection, home)
        if scope.finds_holders and home is not None:
            announce("reading who else is delegated them")
            read_delegates(reader, home, connection.target_ous)
        if scope.own_password is not None:
            announce("asking the domain controller as the audited account")
            read_effective_rights(
                reader,
                host,
                connection.target_ous,
                username=connection.username,
                password=scope.own_password,
                limits=limits,
                deadline=deadline,
            )
    return host.session.signed_in_as


def _identity(sign_in: DirectorySignIn, secrets: Mapping[SecretReference, Secret]) -> SimpleBind | KerberosSignIn:
    if isinstance(sign_in, KerberosSignIn):
        return sign_in
    return SimpleBind(username=sign_in.username, password=secrets[sign_in.password])


def _read_memberships(reader: DirectoryReader, connection: HybridConnection) -> str | None:
    """Read the account's memberships; return the naming context of its domain, None when it is not held here."""
    account = read_account(
        reader, connection.username, connection.base_dns, partial_replica=connection.reads_global_catalog
    )
    home = next(iter(connection.base_dns), "") if isinstance(account, Gap) else account.dn
    context = reader.context_of(home)
    if context is None:
        _leave_gaps(reader.writer, _HOME_DATASETS, not_held_here(reader, home))
        return None
    read_domain(reader, context)
    well_known = read_well_known_memberships(reader, context)
    if isinstance(account, Gap):
        _leave_gaps(reader.writer, _ACCOUNT_DATASETS, account)
        return context
    token_sids = read_token_groups(reader, account)
    read_groups(reader, account, context=context, token_sids=token_sids, groups=well_known)
    return context


def _read_units(
    reader: DirectoryReader, connection: HybridConnection, announce: Callable[[str], None]
) -> None:
    surroundings_read: set[str] = set()
    shown: list[str] = []
    for dataset, dn in _units(connection):
        announce(f"reading {dn}")
        unit = read_organizational_unit(reader, dataset, dn)
        if dn in surroundings_read:
            continue
        surroundings_read.add(dn)
        if isinstance(unit, FoundObject):
            shown.append(dn)
            read_containers(reader, dn, unit)
            read_inhabitants(reader, dn)
            continue
        if unit.kind is GapKind.NOT_FOUND:
            read_nearest_ancestor(reader, dn)
        _leave_below(reader.writer, unit, dn)
    if connection.target_ous:
        read_ancestors(reader, connection.target_ous, shown)


def _read_object(reader: DirectoryReader, dn: str) -> None:
    found = read_organizational_unit(reader, "object", dn)
    read_ancestors(reader, (dn,), (dn,) if isinstance(found, FoundObject) else ())
    read_schema(reader)
    read_class_vocabularies(reader)


def _read_surroundings(reader: DirectoryReader, connection: HybridConnection, home: str | None) -> None:
    read_schema(reader)
    read_class_vocabularies(reader)
    units = [dn for _, dn in _units(connection)]
    read_other_containers(reader, _contexts(reader, units, home), units)
    if home is None:
        elsewhere = ("tier_zero", "managed_service_accounts", "trustees")
        _leave_gaps(reader.writer, elsewhere, not_held_here(reader, connection.base_dns[0]))
    else:
        read_tier_zero(reader, home)
        read_managed_service_accounts(reader, home)
        read_trustees(reader, home)
    read_certificate_services(reader)


def _plan(reader: DirectoryReader, connection: HybridConnection, home: str | None) -> None:
    """Have read ahead what takes long, should the directory turn out to be large."""
    units = list(dict.fromkeys(dn for _, dn in _units(connection)))
    for dn in units:
        plan_inhabitants(reader, dn)
    plan_schema(reader)
    plan_other_containers(reader, _contexts(reader, units, home), units)


def _contexts(reader: DirectoryReader, units: Iterable[str], home: str | None) -> dict[str, None]:
    return dict.fromkeys(filter(None, (home, *map(reader.context_of, units))))


def _reader_of(host: SignedInHost, ahead: ReadAhead, writer: EvidenceWriter) -> DirectoryReader:
    contexts = ((parsed_dn(text), text) for text in host.root_dse.get("namingContexts", ()))
    return DirectoryReader(
        session=host.session,
        ahead=ahead,
        writer=writer,
        naming_contexts={name: text for name, text in contexts if name is not None},
        configuration_context=next(iter(host.root_dse.get("configurationNamingContext", ())), None),
        schema_context=next(iter(host.root_dse.get("schemaNamingContext", ())), None),
    )


def _units(connection: HybridConnection) -> Iterator[tuple[str, str]]:
    for dn in dict.fromkeys(connection.target_ous):
        yield "target_ou", dn
    for dn in dict.fromkeys(connection.group_ous):
        yield "group_ou", dn


def _leave_every_gap(
    connection: HybridConnection, writer: EvidenceWriter, gap: Gap, scope: DirectoryScope
) -> None:
    _leave_gaps(writer, ("auditing_identity", "account", *_HOME_DATASETS), gap)
    units = tuple(_units(connection))
    for dataset, dn in units:
        writer.leave_gap(dataset, gap, subject=dn)
    for dn in dict.fromkeys(dn for _, dn in units):
        _leave_below(writer, gap, dn)
    if scope.only_object is not None:
        writer.leave_gap("object", gap, subject=scope.only_object)
    _leave_gaps(writer, _SURROUNDINGS, gap)
    if scope.own_password is not None:
        for dn in dict.fromkeys(connection.target_ous):
            writer.leave_gap("effective_rights", gap, subject=dn)


def _leave_below(writer: EvidenceWriter, gap: Gap, dn: str) -> None:
    for dataset in ("containers", "inhabitants"):
        writer.leave_gap(dataset, gap, subject=dn)


def _leave_gaps(writer: EvidenceWriter, datasets: Iterable[str], gap: Gap) -> None:
    for dataset in datasets:
        writer.leave_gap(dataset, gap)
