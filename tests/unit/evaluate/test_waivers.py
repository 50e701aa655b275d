"""Waivers: pinned to a state, dated, never over what could not be verified, each told when it is not in order."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from auditor.evaluate.evaluate import evaluate
from auditor.evaluate.findings import state_fingerprint
from auditor.model.waiver import Waiver, WaiverFile
from tests.unit.evaluate.composed import MATRIX, NOW, REFUSED, RUN
from tests.unit.evaluate.composed_directory import (
    DELEGATES,
    READABLE,
    STAFF,
    Container,
    Directory,
    descriptor,
    service_account,
    user_task,
)
from tests.unit.evaluate.composed_tenant import Tenant, assignment, role
from tests.unit.evaluate.test_verdict import CRITICAL_EXCESS, HIGH_EXCESS

if TYPE_CHECKING:
    from auditor.model.results import Finding, Results

MISSING_GROUP = replace(
    Directory(), accounts=(service_account("H2R Delegates"),), token=Directory().token[:2] + Directory().token[4:]
)


def judge(system: Any, *waivers: Waiver, **run: Any) -> Results:
    file = WaiverFile(waivers=waivers, content=b"", sha256="0") if waivers else None
    return evaluate([(system.evidence(), MATRIX)], MATRIX, replace(RUN, **run), file)


def waiver_for(finding: Finding, **changes: Any) -> Waiver:
    plain = Waiver(
        id="W-1",
        check=finding.check,
        connection=finding.connection,
        principal=finding.principal,
        entitlement=finding.entitlement,
        scope=finding.scope,
        accepted_fingerprint=state_fingerprint(finding),
        reason="because",
        owner="o",
        approved_by="a",
        ticket="",
        created=date(2026, 11, 1),
        expires=date(2027, 3, 1),
    )
    return replace(plain, **changes)


def excess(results: Results) -> Finding:
    return next(each for each in results.findings if each.outcome == "excess")


def told(results: Results) -> list[tuple[str, str, str]]:
    return [
        (each.check, each.severity, each.title) for each in results.findings if each.check in ("AD-GOV-003", "META-006")
    ]


def test_a_waived_finding_keeps_its_outcome_and_stops_counting() -> None:
    plain = judge(HIGH_EXCESS)
    waived = judge(HIGH_EXCESS, waiver_for(excess(plain)))
    finding = excess(waived)
    assert (finding.waiver, finding.key) == ("W-1", excess(plain).key)
    assert (plain.summary.verdict, waived.summary.verdict) == ("non_compliant", "compliant")
    counts = waived.summary.counts
    assert (counts.excess, counts.waived, counts.advisory) == (0, 1, plain.summary.counts.advisory)
    assert waived.run.exit.code == 0
    assert "1 waived" in waived.run.exit.reason
    (record,) = waived.waivers
    assert (record.state, record.in_effect, record.finding) == ("active", True, finding.key)
    assert told(waived) == []


def test_a_waived_requirement_keeps_its_outcome_in_the_matrix() -> None:
    plain = judge(MISSING_GROUP)
    (missing,) = [each for each in plain.findings if each.outcome == "missing"]
    waived = judge(MISSING_GROUP, waiver_for(missing))
    assert waived.summary.verdict == "compliant"
    assert waived.summary.counts.missing == plain.summary.counts.missing == 1
    assert [each.outcome for each in waived.connections[0].requirements] == [
        each.outcome for each in plain.connections[0].requirements
    ]


@pytest.mark.parametrize(
    ("now", "state", "in_effect"),
    [("-60", "active", True), ("-2", "expiring", True), ("0", "expiring", True), ("1", "expired", False)],
)
def test_a_waiver_ends(now: str, state: str, in_effect: bool) -> None:
    plain = judge(HIGH_EXCESS)
    waiver = waiver_for(excess(plain), expires=NOW.date())
    results = judge(HIGH_EXCESS, waiver, now=NOW + timedelta(days=int(now)))
    assert [(each.state, each.in_effect) for each in results.waivers] == [(state, in_effect)]
    assert results.summary.verdict == ("compliant" if in_effect else "non_compliant")
    words = {"active": [], "expiring": [("META-006", "low", "Waiver W-1 ends soon")]}
    assert told(results) == words.get(state, [("META-006", "medium", "Waiver W-1 has expired")])


@pytest.mark.parametrize("field", ["check", "connection", "principal", "entitlement", "scope"])
def test_a_waiver_of_something_else_matches_nothing(field: str) -> None:
    waiver = waiver_for(excess(judge(HIGH_EXCESS)), **{field: "EXO-010" if field == "check" else "another"})
    results = judge(HIGH_EXCESS, waiver)
    assert [(each.state, each.in_effect, each.finding) for each in results.waivers] == [("unmatched", False, None)]
    assert told(results) == [("META-006", "low", "Waiver W-1 matches no finding")]
    assert results.summary.verdict == "non_compliant"
    counted = sum(each.outcome == "advisory" for each in results.findings)
    assert results.summary.counts.advisory == counted


def test_a_changed_state_voids_the_waiver() -> None:
    accepted, worse = (
        replace(MISSING_GROUP, ous={STAFF: Container(raw=descriptor(READABLE, *aces))})
        for aces in ([user_task(DELEGATES)[0]], [])
    )
    partial = next(each for each in judge(accepted).findings if each.check == "AD-DEL-001")
    waiver = waiver_for(partial)
    assert [each.state for each in judge(accepted, waiver).waivers] == ["active"]
    results = judge(worse, waiver)
    missing = next(each for each in results.findings if each.check == "AD-DEL-001")
    assert (partial.outcome, missing.outcome, missing.key) == ("partial", "missing", partial.key)
    assert [(each.state, each.in_effect) for each in results.waivers] == [("void", False)]
    assert told(results) == [("AD-GOV-003", "medium", "Waiver W-1 is void")]
    assert missing.waiver is None


def test_a_waiver_never_covers_what_could_not_be_verified() -> None:
    missing = next(each for each in judge(MISSING_GROUP).findings if each.outcome == "missing")
    datasets = ("token_groups", "groups", "account")
    unread = replace(MISSING_GROUP, gaps={(dataset, ""): REFUSED for dataset in datasets})
    plain = judge(unread)
    for finding in (each for each in plain.findings if each.outcome == "unverifiable"):
        for principal in (finding.principal, missing.principal):
            results = judge(unread, waiver_for(finding, principal=principal))
            assert results.summary.verdict == "inconclusive"
            assert results.run.exit.code == 3
            assert results.summary.counts.waived == 0
            assert not any(each.waiver for each in results.findings)
    assert judge(unread, waiver_for(missing)).summary.verdict == "inconclusive"


def test_a_self_approved_waiver_has_no_effect_and_is_told() -> None:
    results = judge(HIGH_EXCESS, waiver_for(excess(judge(HIGH_EXCESS)), approved_by="O"))
    (record,) = results.waivers
    assert (record.state, record.in_effect, record.is_self_approved) == ("active", False, True)
    assert results.summary.verdict == "non_compliant"
    assert told(results) == [("META-006", "medium", "Waiver W-1 was approved by its owner")]


def test_a_waiver_of_a_directory_is_told_under_the_directory_s_check() -> None:
    missing = next(each for each in judge(MISSING_GROUP).findings if each.outcome == "missing")
    results = judge(MISSING_GROUP, waiver_for(missing, accepted_fingerprint=f"sha256:{'0' * 64}"))
    assert told(results) == [("AD-GOV-003", "medium", "Waiver W-1 is void")]


def test_an_advisory_can_be_waived_and_changes_no_verdict() -> None:
    plain = judge(Directory())
    (advisory,) = [each for each in plain.findings if each.outcome == "advisory"]
    results = judge(Directory(), waiver_for(advisory))
    counts = results.summary.counts
    assert (results.summary.verdict, counts.advisory, counts.waived) == ("compliant", 0, 1)


def test_one_waiver_covers_one_finding_and_leaves_the_others() -> None:
    roles = ("Role Management", "Mail Tips")
    several = Tenant().with_assignments(*map(assignment, roles), roles=tuple(map(role, roles)))
    deviations = [each for each in judge(several).findings if each.outcome == "excess"]
    assert len(deviations) > 1
    results = judge(several, waiver_for(deviations[0]))
    standing = [each.key for each in results.findings if each.outcome == "excess" and each.waiver is None]
    assert standing == [each.key for each in deviations[1:]]


def test_the_fingerprint_is_of_the_state_alone() -> None:
    finding = excess(judge(CRITICAL_EXCESS))
    same = state_fingerprint(finding)
    turned = replace(finding, paths=(*finding.paths, ("a", "ACE 3 on OU=X")))
    assert state_fingerprint(replace(turned, paths=turned.paths[::-1], title="reworded", why="else")) == (
        state_fingerprint(replace(turned, paths=(*finding.paths, ("a", "ACE 14 on OU=X")), documented="reworded"))
    )
    changes = ({"outcome": "partial"}, {"severity": "low"}, {"principal": "x"}, {"actual": "x"}, {"paths": (("x",),)})
    for change in changes:
        assert state_fingerprint(replace(finding, **change)) != same  # type: ignore[arg-type]
