"""The composed connections that the other tests change are themselves as documented."""

from __future__ import annotations

from auditor.model.outcome import Outcome
from tests.unit.evaluate.composed import judge
from tests.unit.evaluate.composed_directory import Directory
from tests.unit.evaluate.composed_tenant import Tenant


def test_both_documented_shapes_are_compliant() -> None:
    results = judge(Directory().evidence(), Tenant().evidence())
    rows = [each for connection in results.connections for each in connection.requirements]
    assert {each.id for each in rows} == {f"M{number}" for number in range(1, 10)}
    assert {each.outcome for each in rows} == {Outcome.SATISFIED}
    assert (results.summary.verdict, results.run.exit.code) == ("compliant", 0)
    # documented, and still advisories: Domain Admins (A19), roles without a limit, the state for comparison
    assert {each.check for each in results.findings} == {"AD-GRP-003", "ENT-017", "EXO-008", "EXO-017"}
