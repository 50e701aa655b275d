"""Who else holds documented rights: accounts and applications that an inventory may have left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from auditor.model.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """One account or application, and the documented rights it holds.

    `account` is how an inventory would name it (`username` or `service_account`), `id` its SID or object id, `name`
    what it is called. `units` are the OUs it is delegated. `holds` says in words what it holds and through what.
    """

    connection: Connection
    account: str
    id: str
    name: str
    is_application: bool
    units: tuple[str, ...]
    holds: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Holders:
    """All that were found through one connection, and what could not be read: more may be behind it.

    `audited` are the SIDs or object ids of the account that the connection audits.
    """

    found: tuple[Holder, ...]
    unread: tuple[str, ...]
    audited: frozenset[str]
