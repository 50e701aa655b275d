"""Judges the connections of a recorded run, each by itself."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from auditor.evaluate.evaluate import judge_connection
from auditor.processes import here

if TYPE_CHECKING:
    from auditor.evaluate.evaluate import Judged, RunFacts
    from auditor.processes import Spread
    from auditor.recorded_run import RecordedConnection, RecordedRun


def judge_recorded(recorded: RecordedRun, run: RunFacts, spread: Spread = here) -> list[Judged]:
    """Judge every connection, in the order of the inventory; equal evidence gives equal results anywhere.

    Raises InvalidInput when evidence was altered, RunFailed when processes die again and again.
    """
    return list(spread(partial(_judge, run), recorded.connections))


def _judge(run: RunFacts, connection: RecordedConnection) -> Judged:
    return judge_connection(connection.evidence(), connection.matrix, run)
