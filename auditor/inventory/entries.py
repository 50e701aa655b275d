"""What an inventory says, once it has been read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from auditor.model.connection import Connection, ConnectionKind
    from auditor.model.notification import Channel
    from auditor.model.sign_in import SecretReference, SignIn


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretUse:
    """A reference to a secret and where it stands. `is_certificate` asks for the bytes as they are."""

    reference: SecretReference
    file: str
    line: int | None
    place: str
    is_certificate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveEntry:
    """A connection to collect from. `own_password` is the audited account's, if the operator gave it.

    `line` is where the connection stands in the inventory.
    """

    connection: Connection
    sign_in: SignIn
    own_password: SecretReference | None
    secret_uses: tuple[SecretUse, ...]
    line: int | None = None

    @property
    def id(self) -> str:
        """The connection's id."""
        return self.connection.id

    @property
    def kind(self) -> ConnectionKind:
        """The connection's kind."""
        return self.connection.kind


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayEntry:
    """Recorded evidence to judge; `folder` is absolute, `line` where the connection stands in the inventory.

    Without a name the evidence's is used, without a profile the inventory's default.
    """

    id: str
    kind: ConnectionKind
    folder: Path
    name: str | None
    profile: str | None
    line: int | None = None


InventoryEntry: TypeAlias = LiveEntry | ReplayEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """All connections in the file's order, where news goes, and the file itself.

    A profile is the name of a known one, or the absolute path of a profile file.
    """

    path: Path
    organisation: str
    default_profile: str
    connections: tuple[InventoryEntry, ...]
    channels: tuple[Channel, ...] = ()
    channel_secret_uses: tuple[SecretUse, ...] = ()

    def secret_uses(self, connection_ids: Collection[str]) -> tuple[SecretUse, ...]:
        """Return what must be resolved before the named connections can be read, each place once."""
        uses = (
            use
            for entry in self.connections
            if isinstance(entry, LiveEntry) and entry.id in connection_ids
            for use in entry.secret_uses
        )
        return tuple(dict.fromkeys(uses))
