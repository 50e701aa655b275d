"""Not read is neither absent nor present: take away any one read, and nothing becomes missing."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from auditor.evaluate.evaluate import RunFacts, evaluate
from auditor.matrix.load import load_matrix
from auditor.model.evidence import Evidence, Gap, GapKind
from auditor.model.outcome import Severity
from auditor.recorded_run import read_recorded_run
from tests.integration.audits import outcomes
from tests.microsoft365.faults import Fault, FaultKind, Match
from tests.microsoft365.scenarios import SCENARIOS
from tests.microsoft365.service import LocalMicrosoft365, LoggedRequest
from tests.microsoft365.wire import System

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.audits import Audit

MATRIX = load_matrix("hybrid-exchange-online")
RUN = RunFacts(
    kind="review",
    organisation="Lab",
    operator="tester",
    host="here",
    tool_version="0",
    argv=(),
    fail_on=Severity.MEDIUM,
    exit_zero=False,
    now=datetime(2026, 11, 23, tzinfo=UTC),
)
REFUSED = Gap(kind=GapKind.NOT_PERMITTED, message="refused by the test", missing_permission="the right to read it")


def _judged(evidence: Evidence) -> tuple[set[tuple[str, str]], int, str]:
    results = evaluate([(evidence, MATRIX)], MATRIX, RUN)
    missing = {(row.id, row.scope) for row in results.connections[0].requirements if row.outcome == "missing"}
    missing |= {("finding", finding.key) for finding in results.findings if finding.outcome == "missing"}
    open_ones = sum(finding.outcome == "unverifiable" for finding in results.findings)
    return missing, open_ones, str(results.summary.verdict)


def _with_gap(evidence: Evidence, index: int, *, keep: int) -> Evidence:
    source, read = evidence.reads[index]
    broken = replace(source, complete=False, gap=REFUSED)
    reads = list(evidence.reads)
    reads[index] = (broken, replace(read, source=broken, records=tuple(read.records)[:keep], gap=REFUSED))
    return replace(evidence, reads=tuple(reads))


def _every_read_refused(evidence: Evidence) -> Iterator[tuple[str, Evidence]]:
    for index, (source, read) in enumerate(evidence.reads):
        if source.gap is None:
            for keep in sorted({0, len(read.records) // 2, len(read.records)}):
                yield (
                    f"{source.dataset} {source.subject} keeping {keep}",
                    _with_gap(evidence, index, keep=keep),
                )


def _assert_nothing_becomes_missing(evidence: Evidence) -> None:
    missing, _, _ = _judged(evidence)
    for what, refused in _every_read_refused(evidence):
        missing_now, open_ones, verdict = _judged(refused)
        assert missing_now <= missing, f"{evidence.connection.id}: {what}: {missing_now - missing}"
        assert open_ones > 0, f"{evidence.connection.id}: {what} leaves nothing open"
        assert verdict != "compliant", what


@pytest.mark.directory
def test_no_refused_directory_read_makes_anything_missing(audited_folder: Path) -> None:
    for evidence, _ in read_recorded_run(audited_folder).inputs:
        _assert_nothing_becomes_missing(evidence)


@pytest.mark.parametrize("name", SCENARIOS)
def test_no_refused_tenant_read_makes_anything_missing(name: str, audit: Audit, tmp_path: Path) -> None:
    scenario = SCENARIOS[name]()
    with LocalMicrosoft365(scenario.tenant) as service:
        audit(service, scenario)
    folder = next((tmp_path / "runs").iterdir())
    for evidence, _ in read_recorded_run(folder).inputs:
        _assert_nothing_becomes_missing(evidence)


@pytest.mark.parametrize("kind", [FaultKind.FORBIDDEN, FaultKind.NOT_FOUND])
@pytest.mark.parametrize("name", ["exact", "nested_mail_enabled_security_group", "organization_management_member"])
def test_no_refused_call_makes_anything_missing(name: str, kind: FaultKind, audit: Audit, tmp_path: Path) -> None:
    """The same on the wire: every call of a clean run is refused once, by the service itself."""
    scenario = SCENARIOS[name]()
    with LocalMicrosoft365(scenario.tenant) as service:
        _, clean = audit(service, scenario)
        calls = {_call(request) for request in service.requests if request.system in (System.GRAPH, System.EXCHANGE)}
        assert len(calls) > 15
        before = outcomes(clean)
        for match in sorted(calls, key=str):
            service.faults.clear()
            service.faults.add(Fault(match=match, kind=kind))
            code, results = audit(service, scenario)
            worse = {key: value for key, value in outcomes(results).items() if value == "missing" != before[key]}
            assert not worse, f"{match}: {worse}"
            findings: list[dict[str, Any]] = results["findings"]
            assert any(finding["outcome"] == "unverifiable" for finding in findings), match
            assert code in (1, 3), json.dumps(findings)


def _call(request: LoggedRequest) -> Match:
    identity = (request.parameters or {}).get("Identity")
    return Match(system=request.system, path=request.path, cmdlet=request.cmdlet, identity=identity)
