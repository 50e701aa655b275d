"""Which checks ran and which did not, with the reason: what a report finds nothing of may not have been looked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.catalogue import CATALOGUE
from auditor.catalogue.audit import AUDIT
from auditor.model.connection import ConnectionKind

if TYPE_CHECKING:
    from auditor.model.results import Results

_OF_THE_AUDIT = frozenset(check.id for check in AUDIT)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckLists:
    """The checks of one record, each once, by its id: those that ran, and why the others did not.

    `without_connection` are of a kind of which the run has no connection, `not_built` are in the catalogue alone.
    """

    ran: tuple[str, ...]
    without_connection: tuple[str, ...]
    not_built: tuple[str, ...]


def check_lists(results: Results) -> CheckLists:
    """Return the lists, each in the order of the record or of the catalogue."""
    kinds = {connection.kind for connection in results.connections}
    known = results.run.checks
    ran = tuple(check for check in known if check in _OF_THE_AUDIT or _kind_of(check) in kinds)
    return CheckLists(
        ran=ran,
        without_connection=tuple(check for check in known if check not in ran),
        not_built=tuple(check for check in CATALOGUE if check not in known),
    )


def _kind_of(check: str) -> ConnectionKind:
    """Return the kind of connection that a check is of; its id says so."""
    return ConnectionKind.HYBRID if check.startswith("AD-") else ConnectionKind.EXCHANGE_ONLINE
