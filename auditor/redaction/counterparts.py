"""Which finding of a redacted run is which of the original: waivers are carried over by it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from auditor.evaluate.findings import state_fingerprint
from auditor.model.keys import finding_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from auditor.model.results import EarlierRun, Finding
    from auditor.model.waiver import Waiver
    from auditor.redaction.pseudonyms import Pseudonyms


@dataclass(frozen=True, slots=True)
class Counterparts:
    """Findings of an original run, each with its counterpart in the redacted one, by the original's key."""

    originals: Mapping[str, Finding]
    redacted: Mapping[str, Finding]
    pseudonyms: Pseudonyms

    def waiver(self, waiver: Waiver) -> Waiver:
        """Return a waiver that says of the redacted run what the original says of the original one."""
        key = finding_key(waiver.check, waiver.connection, waiver.entitlement, waiver.scope)
        original, counterpart = self.originals.get(key), self.redacted.get(key)
        text, name = self.pseudonyms.text, self.pseudonyms.name
        common = replace(
            waiver,
            id=name(waiver.id),
            connection=name(waiver.connection),
            principal=text(waiver.principal),
            entitlement=text(waiver.entitlement),
            scope=text(waiver.scope),
            accepted_fingerprint=f"sha256:{text(waiver.accepted_fingerprint.removeprefix('sha256:'))}",
            reason=name(waiver.reason.strip()),
            owner=name(waiver.owner.strip()),
            approved_by=name(waiver.approved_by.strip()),
            ticket=name(waiver.ticket.strip()),
        )
        if original is None or counterpart is None:
            return common
        is_as_accepted = state_fingerprint(original) == waiver.accepted_fingerprint
        return replace(
            common,
            principal=counterpart.principal if original.principal == waiver.principal else common.principal,
            entitlement=counterpart.entitlement,
            scope=counterpart.scope,
            accepted_fingerprint=(
                state_fingerprint(counterpart) if is_as_accepted else common.accepted_fingerprint
            ),
        )

    def first_seen(self) -> dict[str, str | None]:
        """Return when each finding was first seen, by the key of its counterpart."""
        return {self.redacted[key].key: one.first_seen for key, one in self.originals.items() if key in self.redacted}


def counterparts(originals: Iterable[Finding], redacted: Iterable[Finding], pseudonyms: Pseudonyms) -> Counterparts:
    """Pair findings: of one check, each identifier redacted or public. What has no single counterpart has none."""
    candidates: dict[tuple[str, str], list[Finding]] = {}
    for finding in redacted:
        candidates.setdefault((finding.check, finding.connection), []).append(finding)
    originals = tuple(originals)
    pairs = {}
    for one in originals:
        alike = [
            other
            for other in candidates.get((one.check, pseudonyms.name(one.connection)), ())
            if _stands_for(other.entitlement, one.entitlement, pseudonyms)
            and _stands_for(other.scope, one.scope, pseudonyms)
        ]
        if len(alike) == 1:
            pairs[one.key] = alike[0]
    return Counterparts({one.key: one for one in originals}, pairs, pseudonyms)


def redacted_trend(trend: Iterable[EarlierRun], pseudonyms: Pseudonyms) -> tuple[EarlierRun, ...]:
    """Return the trend without the names of the runs."""
    return tuple(replace(point, run=pseudonyms.name(point.run)) for point in trend)


def _stands_for(redacted: str, original: str, pseudonyms: Pseudonyms) -> bool:
    """Tell whether one text is the other redacted: left as it is, as a whole, or word by word."""
    if redacted in (original, pseudonyms.text(original)):
        return True
    words, others = original.split(" "), redacted.split(" ")
    return len(words) == len(others) and all(
        other in (word, pseudonyms.text(word)) for word, other in zip(words, others, strict=True)
    )
