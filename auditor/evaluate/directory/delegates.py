"""Accounts that are delegated the documented task on a target OU, apart from the audited one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.acl import Token
from auditor.evaluate.directory.user_task import decide_user_task
from auditor.evaluate.holders import Holder, Holders
from auditor.evaluate.judgement import describe_gap
from auditor.model.directory_entry import DirectoryEntry, record_to_entry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.model.connection import HybridConnection
    from auditor.model.evidence import Evidence, Gap

_DATASETS = frozenset({"delegates", "domain", "target_ou"})


def delegates_in(evidence: Evidence, connection: HybridConnection) -> Holders:
    """Return the accounts behind each trustee that holds some part of the user task on a target OU."""
    own = frozenset(sid for record in evidence.read("account") if (sid := record_to_entry(record).sid) is not None)
    found: dict[str, tuple[DirectoryEntry, list[str], list[str]]] = {}
    for unit in connection.target_ous:
        for sid, parts in _trustees(evidence, unit):
            entries = [record_to_entry(record) for record in evidence.read("delegates", sid)]
            trustee = next((entry for entry in entries if entry.sid == sid), None)
            through = "" if trustee is None or not _is_group(trustee) else f", through {_name(trustee)}"
            for entry in entries:
                if entry.sid is not None and entry.sid not in own and not _is_group(entry):
                    _, units, holds = found.setdefault(entry.sid, (entry, [], []))
                    units.append(unit)
                    holds.append(f"{', '.join(parts)} on {unit}{through}")
    return Holders(
        found=tuple(
            Holder(
                connection=connection,
                account=entry.text("userPrincipalName") or entry.dn,
                id=sid,
                name=_name(entry),
                is_application=False,
                units=tuple(dict.fromkeys(units)),
                holds=tuple(dict.fromkeys(holds)),
            )
            for sid, (entry, units, holds) in sorted(found.items())
        ),
        audited=own,
        unread=tuple(dict.fromkeys(describe_gap(gap) for gap in _gaps(evidence))),
    )


def _trustees(evidence: Evidence, unit: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the SIDs that were looked up, with the parts of the task each holds on a unit by itself."""
    entry = next((record_to_entry(record) for record in evidence.read("target_ou", unit)), None)
    descriptor = None if entry is None else evidence.descriptor(entry.descriptor)
    if descriptor is None:
        return
    for sid, _ in evidence.reads_of("delegates"):
        decisions = decide_user_task(descriptor, Token(frozenset({sid})))
        parts = tuple(str(each.part) for each in decisions if each.is_partly_held)
        if parts:
            yield sid, parts


def _gaps(evidence: Evidence) -> Iterator[Gap]:
    return (source.gap for source in evidence.sources if source.dataset in _DATASETS and source.gap is not None)


def _is_group(entry: DirectoryEntry) -> bool:
    return "group" in entry.texts("objectClass")


def _name(entry: DirectoryEntry) -> str:
    return entry.text("sAMAccountName") or entry.dn
