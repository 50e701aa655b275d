"""Time that tests move by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from auditor.collect.https.transport import Pace

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@dataclass
class Hands:
    """A clock that only sleeping moves. `waits` are the sleeps in seconds; jitter takes the whole ceiling."""

    seconds: float = 0
    waits: list[float] = field(default_factory=list)
    ceilings: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.seconds += seconds

    def jitter(self, low: float, high: float) -> float:
        assert low == 0
        self.ceilings.append(high)
        return high

    @property
    def pace(self) -> Pace:
        return Pace(
            monotonic=lambda: self.seconds,
            now=lambda: START + timedelta(seconds=self.seconds),
            sleep=self.sleep,
            jitter=self.jitter,
        )


@pytest.fixture
def hands() -> Hands:
    return Hands()
