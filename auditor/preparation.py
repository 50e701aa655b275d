"""Everything a collection needs, checked completely before anything is contacted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from auditor.collect.directory.kerberos import kerberos_trouble
from auditor.collect.replay import read_evidence
from auditor.errors import InvalidInput, Problem, collecting
from auditor.inventory.entries import LiveEntry, ReplayEntry
from auditor.inventory.load import load_inventory
from auditor.matrix.load import known_profiles, load_matrix
from auditor.model.connection import ExchangeOnlineConnection
from auditor.model.sign_in import CertificateCredential, CloudSignIn, DeviceCodeCredential, KerberosSignIn
from auditor.processes import spread_over_processors
from auditor.settings import resolve_secrets
from auditor.strict_yaml import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from auditor.collect.exchange.supplied import SuppliedAnswers
    from auditor.inventory.entries import Inventory, InventoryEntry
    from auditor.matrix.profile import Matrix
    from auditor.model.connection import ConnectionKind
    from auditor.model.sign_in import Secret, SecretReference


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A checked inventory: the connections to handle, their matrices by connection id, and the secrets."""

    inventory: Inventory
    entries: tuple[InventoryEntry, ...]
    matrices: Mapping[str, Matrix]
    default_matrix: Matrix
    secrets: Mapping[SecretReference, Secret]
    prompt: Callable[[str], None] | None = None
    supplied: SuppliedAnswers | None = None

    def without_secrets(self, entries: Collection[InventoryEntry]) -> Prepared:
        """Return what another machine needs for these connections, apart from their secrets and matrices."""
        inventory = replace(self.inventory, connections=tuple(entries), channels=(), channel_secret_uses=())
        return replace(
            self, inventory=inventory, entries=tuple(entries), matrices={}, secrets={}, prompt=None, supplied=None
        )


def prepare(  # noqa: PLR0913 - what a command may want of it
    path: Path,
    connection_ids: Collection[str],
    ask: Callable[[str], str],
    prompt: Callable[[str], None] | None = None,
    *,
    notifies: bool = False,
    export: Path | None = None,
    elsewhere: bool = False,
) -> Prepared:
    """Load and check the inventory, its matrices, its recorded evidence and its secrets.

    `connection_ids` selects connections; none selects all. `ask` answers `prompt:` references, `prompt` tells the
    person at the terminal what to do; it is None when there is none. With `notifies` the secrets of notifications are
    wanted, too. `export` is a file of answers that were exported from Exchange Online, which is then not asked.
    What is read `elsewhere` needs no secret of a connection here. Raises InvalidInput with every problem at once.
    """
    inventory = load_inventory(path, known_profiles())
    problems: list[Problem] = []
    entries = _select(inventory, connection_ids, problems)
    profiles = _Profiles(problems)
    recorded = _read_recorded(entries)
    matrices = {
        entry.id: matrix
        for entry in entries
        if (matrix := _matrix(inventory, entry, recorded.get(entry.id), profiles, problems)) is not None
    }
    default_matrix = profiles.load(inventory.default_profile)
    uses = (
        *(() if elsewhere else inventory.secret_uses({entry.id for entry in entries})),
        *(inventory.channel_secret_uses if notifies else ()),
    )
    secrets = collecting(problems, lambda: resolve_secrets(uses, ask))
    problems += () if elsewhere else _unusable_kerberos(inventory, entries)
    supplied = None
    if export is not None:
        from auditor.collect.exchange.supplied import load_export  # noqa: PLC0415 - loads the clients of tenants

        supplied = collecting(problems, lambda: load_export(export))
        problems += _misplaced_export(export, entries)
    if prompt is None:
        problems += _needing_a_person(inventory, entries)
    if secrets is not None:
        problems += () if elsewhere else _unusable_certificates(inventory, entries, secrets)
        problems += _unusable_addresses(inventory, secrets)
    if problems or default_matrix is None or secrets is None:
        raise InvalidInput(dict.fromkeys(problems))
    return Prepared(
        inventory=inventory,
        entries=entries,
        matrices=matrices,
        default_matrix=default_matrix,
        secrets=secrets,
        prompt=prompt,
        supplied=supplied,
    )


def prepare_here(prepared: Prepared) -> Prepared:
    """Resolve, on the machine that will read them, the secrets of connections that were prepared elsewhere.

    Raises InvalidInput with everything that this machine lacks.
    """
    inventory, entries = prepared.inventory, prepared.entries
    problems: list[Problem] = [*_unusable_kerberos(inventory, entries), *_missing_authorities(inventory, entries)]
    uses = inventory.secret_uses({entry.id for entry in entries})
    secrets = collecting(problems, lambda: resolve_secrets(uses, _nobody_to_ask))
    if secrets is not None:
        problems += _unusable_certificates(inventory, entries, secrets)
    if problems or secrets is None:
        raise InvalidInput(problems)
    return replace(prepared, secrets=secrets)


def _nobody_to_ask(place: str) -> str:
    raise EOFError(place)


def _missing_authorities(inventory: Inventory, entries: Collection[InventoryEntry]) -> Iterator[Problem]:
    for entry in entries:
        ca_file = entry.connection.ca_file if isinstance(entry, LiveEntry) else None
        if ca_file is not None and not Path(ca_file).is_file():
            yield Problem(
                file=str(inventory.path),
                line=entry.line,
                place=f"{entry.id}: ca_file",
                message=f"{ca_file} is not there",
                cure="put it there, too",
            )


def load_selected(path: Path, connection_ids: Collection[str]) -> tuple[InventoryEntry, ...]:
    """Load the inventory and return the selected connections; no secret is resolved. Raises InvalidInput."""
    problems: list[Problem] = []
    entries = _select(load_inventory(path, known_profiles()), connection_ids, problems)
    if problems:
        raise InvalidInput(problems)
    return entries


def _select(
    inventory: Inventory, connection_ids: Collection[str], problems: list[Problem]
) -> tuple[InventoryEntry, ...]:
    known = [entry.id for entry in inventory.connections]
    problems += (
        Problem(
            file=str(inventory.path),
            line=None,
            place="--connection",
            message=f"there is no connection {wanted!r}",
            cure=f"{did_you_mean(wanted, known)}choose from {', '.join(known)}",
        )
        for wanted in connection_ids
        if wanted not in known
    )
    return tuple(entry for entry in inventory.connections if not connection_ids or entry.id in connection_ids)


class _Profiles:
    """Loads each profile once, and notes its problems once."""

    def __init__(self, problems: list[Problem]) -> None:
        self._problems = problems
        self._loaded: dict[str, Matrix | None] = {}

    def load(self, reference: str) -> Matrix | None:
        if reference not in self._loaded:
            self._loaded[reference] = collecting(self._problems, lambda: load_matrix(reference))
        return self._loaded[reference]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Recorded:
    """What is to be known of recorded evidence before it is copied: whether it can be used, and of what it is."""

    kind: ConnectionKind | None
    problems: tuple[Problem, ...]


def _read_recorded(entries: Collection[InventoryEntry]) -> dict[str, _Recorded]:
    recorded = [entry for entry in entries if isinstance(entry, ReplayEntry)]
    spread = spread_over_processors(len(recorded))
    return dict(zip((entry.id for entry in recorded), spread(_recorded, recorded), strict=True))


def _recorded(entry: ReplayEntry) -> _Recorded:
    problems: list[Problem] = []
    evidence = collecting(problems, lambda: read_evidence(entry.folder))
    return _Recorded(kind=evidence.connection.kind if evidence is not None else None, problems=tuple(problems))


def _matrix(
    inventory: Inventory,
    entry: InventoryEntry,
    recorded: _Recorded | None,
    profiles: _Profiles,
    problems: list[Problem],
) -> Matrix | None:
    """Load the profile of a connection, and note what is wrong with what was recorded of it."""
    profile = entry.profile if isinstance(entry, ReplayEntry) else entry.connection.profile
    if recorded is not None:
        problems += recorded.problems
        if recorded.kind not in (None, entry.kind):
            problems.append(
                Problem(
                    file=str(inventory.path),
                    line=entry.line,
                    place=entry.id,
                    cure=f"write kind: {recorded.kind}",
                    message=f"the recorded evidence is of a {recorded.kind} connection",
                )
            )
    matrix = profiles.load(profile or inventory.default_profile)
    if matrix is not None and not matrix.profile.of_kind(entry.kind):
        problems.append(
            Problem(
                file=str(inventory.path),
                line=entry.line,
                place=entry.id,
                cure="choose a profile that covers this kind of connection",
                message=f"profile {matrix.profile.id} has no requirement for {entry.kind} connections",
            )
        )
        return None
    return matrix


def _unusable_kerberos(inventory: Inventory, entries: Collection[InventoryEntry]) -> Iterator[Problem]:
    users = [entry for entry in entries if isinstance(entry, LiveEntry) and isinstance(entry.sign_in, KerberosSignIn)]
    trouble = kerberos_trouble() if users else None
    if trouble is not None:
        for entry in users:
            yield Problem(
                file=str(inventory.path),
                line=entry.line,
                place=f"{entry.id}: kerberos",
                message=trouble,
                cure="install hire2retire-permission-auditor[kerberos] and the system's Kerberos library, "
                "or sign in with username and password",
            )


def _misplaced_export(export: Path, entries: Collection[InventoryEntry]) -> Iterator[Problem]:
    """An export tells of one tenant, and the connections that it is for must be of that one."""
    live = [entry.connection for entry in entries if isinstance(entry, LiveEntry)]
    tenants = {each.tenant.casefold() for each in live if isinstance(each, ExchangeOnlineConnection)}
    if len(tenants) != 1:
        found = ", ".join(sorted(tenants)) or "none"
        yield Problem(
            file=str(export),
            line=None,
            place="--import",
            message=f"an export is of one tenant; the connections are of: {found}",
            cure="choose those of its tenant with --connection",
        )


def _needing_a_person(inventory: Inventory, entries: Collection[InventoryEntry]) -> Iterator[Problem]:
    for entry in entries:
        sign_in = entry.sign_in if isinstance(entry, LiveEntry) else None
        if isinstance(sign_in, CloudSignIn) and isinstance(sign_in.credential, DeviceCodeCredential):
            yield Problem(
                file=str(inventory.path),
                line=entry.line,
                place=f"{entry.id}: device_code",
                message="there is no terminal to show the code at",
                cure="run the tool in a terminal, or sign in with certificate, managed_identity or federated_token",
            )


def _unusable_certificates(
    inventory: Inventory, entries: Collection[InventoryEntry], secrets: Mapping[SecretReference, Secret]
) -> Iterator[Problem]:
    for entry in entries:
        if not isinstance(entry, LiveEntry) or not isinstance(entry.sign_in, CloudSignIn):
            continue
        credential = entry.sign_in.credential
        if not isinstance(credential, CertificateCredential):
            continue
        from auditor.collect.https.tokens import check_certificate  # noqa: PLC0415 - see above

        password = secrets[credential.password] if credential.password is not None else None
        trouble = check_certificate(secrets[credential.certificate], password)
        if trouble is not None:
            yield Problem(
                file=str(inventory.path),
                line=entry.line,
                place=f"{entry.id}: {credential.certificate}",
                message=trouble,
                cure="give a PEM file with key and certificate, or a PFX file with its certificate_password",
            )


def _unusable_addresses(inventory: Inventory, secrets: Mapping[SecretReference, Secret]) -> Iterator[Problem]:
    """Web addresses are secrets, so they can be looked at only now; no message repeats one."""
    for use in inventory.channel_secret_uses:
        if not use.place.endswith(".url") or use.reference not in secrets:
            continue
        parts = urlsplit(secrets[use.reference].reveal_text().strip())
        if parts.scheme != "https" or not parts.hostname:
            yield Problem(
                file=use.file,
                line=use.line,
                place=use.place,
                message=f"{use.reference} holds no https address",
                cure="store the whole address there, https://...",
            )
