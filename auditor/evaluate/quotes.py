"""What findings quote of the evidence, word for word: entries of a DACL in SDDL, assignment records as JSON.

Quotes are few and short; the evidence holds what they are taken from in full.
"""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from auditor.acl import AccessMask, AceKind, format_ace_sddl, name_of_object_type, rights_in_words
from auditor.model.message import Message, joined, say, written
from auditor.model.results import EvidenceReference

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from auditor.acl import Ace
    from auditor.model.evidence import Evidence, Record
    from auditor.model.results import Finding

ACES_QUOTED = 6
RECORDS_QUOTED = 3
LONGEST_QUOTE = 600
_VERBS = {
    AceKind.ALLOW: "allows {whom} {what}",
    AceKind.DENY: "denies {whom} {what}",
    AceKind.CONDITIONAL_ALLOW: "allows {whom}, under a condition, {what}",
    AceKind.CONDITIONAL_DENY: "denies {whom}, under a condition, {what}",
    AceKind.OTHER: "is about {whom} and {what}",
}
_OF_PRINCIPAL = frozenset({"role_assignments", "role_assignment_instances", "role_eligibility_instances"})
_OF_EXCHANGE = frozenset({"management_role_assignments", "role_groups"})
_IDENTIFIERS = ("id", "Name", "Guid", "ExchangeObjectId")


def quote_aces(dataset: str, dn: str, aces: Iterable[tuple[int, Ace, str]]) -> tuple[EvidenceReference, ...]:
    """Return references to entries of an object's DACL, given as (index, ACE, name of its trustee), each once."""
    return tuple(
        EvidenceReference(
            dataset=dataset,
            record=dn,
            quote=format_ace_sddl(ace),
            words=say("ACE {index} {deed}", index=index, deed=_in_words(ace, name)),
        )
        for index, ace, name in islice(dict.fromkeys(aces), ACES_QUOTED)
    )


def _in_words(ace: Ace, name: str) -> Message:
    what = joined(say(" and "), map(written, rights_in_words(ace.mask)))
    if ace.object_type is not None:
        names = (name_of_object_type(ace.object_type, AccessMask(bit)) for bit in AccessMask(ace.rights))
        what = say("{words} ({name})", words=what, name=next((each for each in names if each), ace.object_type))
    if ace.inherited_object_type is not None:
        kind = name_of_object_type(ace.inherited_object_type, AccessMask.CREATE_CHILD) or ace.inherited_object_type
        what = say("{words} of {kind} objects below", words=what, kind=kind)
    deed = say(_VERBS[ace.kind], whom=name, what=what)
    return say("{deed}, inherited", deed=deed) if ace.is_inherited else deed


def quote_records(finding: Finding, evidence: Evidence) -> Finding:
    """Return a finding whose references to assignments quote the records that they are about, if they name any."""
    references = (each for reference in finding.evidence for each in _with_records(reference, finding, evidence))
    return replace(finding, evidence=tuple(dict.fromkeys(references)))


def _with_records(
    reference: EvidenceReference, finding: Finding, evidence: Evidence
) -> Iterator[EvidenceReference]:
    found = tuple(islice(_records(reference, finding, evidence), RECORDS_QUOTED))
    if not found:
        yield reference
    for record in found:
        yield replace(reference, quote=_as_json(record))


def _records(reference: EvidenceReference, finding: Finding, evidence: Evidence) -> Iterator[Record]:
    wanted = {name.casefold() for name in (reference.record, finding.entitlement) if name}
    if reference.dataset in _OF_EXCHANGE:
        for record in evidence.read(reference.dataset):
            if wanted & {str(record.get(name)).casefold() for name in _IDENTIFIERS}:
                yield record
    elif reference.dataset in _OF_PRINCIPAL:
        of_principal = tuple(evidence.read(reference.dataset, reference.record or finding.principal))
        of_role = tuple(each for each in of_principal if str(each.get("roleDefinitionId")).casefold() in wanted)
        yield from of_role or (of_principal if reference.record else ())


def _as_json(record: Record) -> str:
    """Return the fields of a record that hold a single value, as they were read; a text that several hold once."""
    told: dict[str, object] = {}
    for name, value in record.items():
        is_repeated = isinstance(value, str) and value in told.values()
        if value not in (None, "") and not isinstance(value, (dict, list)) and "@" not in name and not is_repeated:
            told[name] = value
    text = json.dumps(told, ensure_ascii=False)
    if len(text) <= LONGEST_QUOTE:
        return text
    note = f" [cut: {len(text)} characters, all of them in the evidence]"
    return text[: LONGEST_QUOTE - len(note)] + note
