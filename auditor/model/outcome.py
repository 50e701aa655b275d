"""Words for results, and how the outcomes of parts combine."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Outcome(StrEnum):
    """The outcome of a documented requirement in one scope."""

    SATISFIED = "satisfied"
    PARTIAL = "partial"
    MISSING = "missing"
    UNVERIFIABLE = "unverifiable"
    NOT_APPLICABLE = "not_applicable"


class FindingOutcome(StrEnum):
    """What a finding reports."""

    MISSING = "missing"
    PARTIAL = "partial"
    EXCESS = "excess"
    UNVERIFIABLE = "unverifiable"
    ADVISORY = "advisory"


class Severity(StrEnum):
    """How urgent a finding is, most urgent first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for critical, 4 for info."""
        return tuple(Severity).index(self)

    def reaches(self, threshold: Severity) -> bool:
        """Tell whether this severity is at or above `threshold`."""
        return self.rank <= threshold.rank


class Verdict(StrEnum):
    """The verdict on a connection or a run."""

    COMPLIANT = "compliant"
    NON_COMPLIANT = "non_compliant"
    INCONCLUSIVE = "inconclusive"


class DriftState(StrEnum):
    """How a finding or an entitlement differs from an earlier run."""

    NEW = "new"
    RESOLVED = "resolved"
    CHANGED = "changed"
    NOT_COMPARABLE = "not_comparable"


class WaiverState(StrEnum):
    """Where a waiver stands at the instant of a run."""

    ACTIVE = "active"
    EXPIRING = "expiring"
    EXPIRED = "expired"
    VOID = "void"
    UNMATCHED = "unmatched"


_ALL_OF_ORDER = (Outcome.MISSING, Outcome.UNVERIFIABLE, Outcome.PARTIAL, Outcome.SATISFIED)
_ANY_OF_ORDER = (Outcome.SATISFIED, Outcome.UNVERIFIABLE, Outcome.PARTIAL, Outcome.MISSING)


def combine_all_of(parts: Iterable[Outcome]) -> Outcome:
    """Combine parts that are all required; parts that do not apply are left out."""
    return _first_present(_ALL_OF_ORDER, parts)


def combine_any_of(parts: Iterable[Outcome]) -> Outcome:
    """Combine parts of which one is enough; parts that do not apply are left out."""
    return _first_present(_ANY_OF_ORDER, parts)


def _first_present(order: tuple[Outcome, ...], parts: Iterable[Outcome]) -> Outcome:
    present = set(parts) - {Outcome.NOT_APPLICABLE}
    return next((outcome for outcome in order if outcome in present), Outcome.NOT_APPLICABLE)
