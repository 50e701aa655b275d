"""Reviews of a run as reviews of its redacted one: what was decided stays, tokens stand for who decided and why."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from auditor.redaction.evidence import REDACTED
from auditor.report.review import Answer, Decision, ReviewItem, review_items, review_record

if TYPE_CHECKING:
    from auditor.model.results import Results
    from auditor.redaction.pseudonyms import Pseudonyms
    from auditor.report.formats import Record

_SID = re.compile(r"S-1-5-21(?:-\d+){3,4}")


@dataclass(frozen=True, slots=True)
class RedactedReviews:
    """The records, as `read_decisions` takes them, and the keys of decisions that could not be carried over."""

    content: bytes
    uncarried: tuple[str, ...]


def redacted_reviews(original: Record, redacted: Record, pseudonyms: Pseudonyms) -> RedactedReviews:
    """Return the reviews of `original` as those of `redacted`. Raises InvalidInput when they cannot be read."""
    original.decisions()
    records = json.loads(original.reviews or b"[]")
    counterparts = _counterparts(original.results, redacted.results, pseudonyms)
    carried = [_record(each, original.results, redacted, counterparts, pseudonyms) for each in records]
    decided = {one["key"]: None for each in records for one in each["decisions"] if one["decision"] is not None}
    return RedactedReviews(
        content=f"{json.dumps(carried, indent=1)}\n".encode("ascii") if carried else b"",
        uncarried=tuple(key for key in decided if key not in counterparts),
    )


def _record(
    record: dict[str, Any],
    original: Results,
    redacted: Record,
    counterparts: dict[str, ReviewItem],
    pseudonyms: Pseudonyms,
) -> dict[str, Any]:
    def person(name: str) -> str:
        """Whoever prepared the run is named as the redacted run names them: it is told who reviews their own work."""
        return REDACTED if name.casefold() == original.run.operator.casefold() else pseudonyms.name(name)

    answers = {
        counterparts[one["key"]].key: Answer(
            item=counterparts[one["key"]],
            decision=Decision(one["decision"]),
            reviewer=person(one["reviewer"]),
            date=one["date"],
            ticket=pseudonyms.name(one["ticket"]),
            comment=pseudonyms.name(one["comment"]),
        )
        for one in record["decisions"]
        if one["decision"] is not None and one["key"] in counterparts
    }
    items = review_items(redacted.results.connections)
    listed = tuple(answers.get(item.key) or Answer(item=item) for item in items)
    importer = person(record["imported_by"])
    return review_record(redacted.results, redacted.sha256, listed, record["imported_at"], importer)


def _counterparts(original: Results, redacted: Results, pseudonyms: Pseudonyms) -> dict[str, ReviewItem]:
    """Return which entitlement of the redacted run is which of the original, by the original's key.

    What has no counterpart, or several, is left out.
    """
    candidates: dict[tuple[str, str, str], list[ReviewItem]] = {}
    for item in review_items(redacted.connections):
        candidates.setdefault((item.connection, item.kind, item.id), []).append(item)
    pairs = {}
    for item in review_items(original.connections):
        connection = pseudonyms.name(item.connection)
        ids = dict.fromkeys((item.id, pseudonyms.text(item.id), _without_domains(item.id, pseudonyms)))
        alike = [each for one in ids for each in candidates.get((connection, item.kind, one), ())]
        if len(alike) > 1:  # one entry on several organizational units, one consent to several permissions
            alike = [
                each
                for each in alike
                if each.scope in (item.scope, pseudonyms.text(item.scope))
                and (item.kind != "consent" or each.name in (item.name, pseudonyms.text(item.name)))
            ]
        if len(alike) == 1:
            pairs[item.key] = alike[0]
    return pairs


def _without_domains(entitlement_id: str, pseudonyms: Pseudonyms) -> str:
    """Return an access control entry in SDDL with the SIDs in it redacted."""
    return _SID.sub(lambda found: pseudonyms.text(found[0]), entitlement_id)
