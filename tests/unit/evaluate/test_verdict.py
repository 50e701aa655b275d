"""The verdict, the exit code and the counts."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, replace

import pytest

from auditor.model.outcome import Outcome, Severity
from auditor.model.results import Counts
from tests.unit.evaluate.composed import MATRIX, REFUSED, judge, matrix
from tests.unit.evaluate.composed_directory import HOST, Directory
from tests.unit.evaluate.composed_tenant import Tenant, assignment, member, role, role_group

OPEN = {("consent_grants", ""): REFUSED}
LOW_EXCESS = Tenant().with_assignments(assignment("View-Only Recipients"), roles=(role("View-Only Recipients"),))
MEDIUM_EXCESS = Tenant().with_assignments(assignment("Mail Tips"), roles=(role("Mail Tips"),))
HIGH_EXCESS = Tenant().with_assignments(
    assignment("Role Management", "svc-h2r", kind="User"), roles=(role("Role Management"),)
)
CRITICAL_EXCESS = replace(
    Tenant(),
    role_groups=(role_group(), role_group("Organization Management")),
    members={"H2R Provisioning": (member(),), "Organization Management": (member(),)},
)
SEVERITIES = {
    Severity.LOW: LOW_EXCESS,
    Severity.MEDIUM: MEDIUM_EXCESS,
    Severity.HIGH: HIGH_EXCESS,
    Severity.CRITICAL: CRITICAL_EXCESS,
}


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("fail_on", Severity)
def test_a_deviation_fails_the_run_from_the_threshold_on(severity: Severity, fail_on: Severity) -> None:
    results = judge(SEVERITIES[severity].evidence(), fail_on=fail_on)
    order = [Severity.INFO, Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL]
    fails = order.index(severity) >= order.index(fail_on)
    assert (results.summary.verdict, results.run.exit.code) == (("non_compliant", 1) if fails else ("compliant", 0))
    assert str(fail_on) in results.run.exit.reason
    assert results.run.fail_on is fail_on


@pytest.mark.parametrize("fail_on", Severity)
def test_something_open_keeps_the_verdict_open_whatever_the_threshold(fail_on: Severity) -> None:
    results = judge(Tenant(gaps=OPEN).evidence(), fail_on=fail_on)
    assert (results.summary.verdict, results.run.exit.code) == ("inconclusive", 3)


@pytest.mark.parametrize("fail_on", Severity)
def test_an_advisory_never_changes_the_verdict(fail_on: Severity) -> None:
    results = judge(Directory().evidence(), fail_on=fail_on)
    assert results.summary.counts.advisory == 1
    assert results.summary.verdict == "compliant"


def test_a_deviation_weighs_more_than_what_is_open() -> None:
    results = judge(replace(HIGH_EXCESS, gaps=OPEN).evidence())
    assert (results.summary.verdict, results.run.exit.code) == ("non_compliant", 1)


def test_a_deviation_below_the_threshold_leaves_what_is_open() -> None:
    results = judge(replace(LOW_EXCESS, gaps=OPEN).evidence())
    assert (results.summary.verdict, results.run.exit.code) == ("inconclusive", 3)


def test_the_worst_connection_decides_the_run() -> None:
    good, open_one = Directory(), Tenant(gaps=OPEN)
    bad = replace(HIGH_EXCESS, connection=replace(HIGH_EXCESS.connection, id="another"))
    assert judge(good.evidence(), open_one.evidence()).summary.verdict == "inconclusive"
    everything = judge(good.evidence(), open_one.evidence(), bad.evidence())
    assert everything.summary.verdict == "non_compliant"
    assert [each.verdict for each in everything.connections] == ["compliant", "inconclusive", "non_compliant"]


@pytest.mark.parametrize("tenant", [Tenant(), Tenant(gaps=OPEN), HIGH_EXCESS])
def test_exit_zero_changes_the_exit_code_and_nothing_else(tenant: Tenant) -> None:
    plain, forgiving = judge(tenant.evidence()), judge(tenant.evidence(), exit_zero=True)
    assert forgiving.run.exit.code == 0
    assert forgiving.summary == plain.summary
    assert ("--exit-zero was given" in forgiving.run.exit.reason) == (plain.run.exit.code != 0)
    told = replace(forgiving.run, exit=plain.run.exit)
    assert replace(forgiving, run=told, messages=plain.messages) == plain


def test_nothing_to_judge_is_no_pass() -> None:
    with pytest.raises(ValueError, match="no evidence to judge"):
        judge()
    tenant_only = matrix(*(each for each in MATRIX.profile.requirements if each.kind == "exchange_online"))
    with pytest.raises(ValueError, match="has no requirement for hybrid"):
        judge(Directory().evidence(), against=tenant_only)


def test_counts_that_do_not_add_up_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="add up to 2, evaluated says 1"):
        Counts(evaluated=1, satisfied=1, missing=1)
    assert Counts(evaluated=5, satisfied=1, partial=1, missing=1, unverifiable=1, not_applicable=1, excess=7)


def test_counts_are_those_of_the_rows_and_findings_beside_them() -> None:
    results = judge(
        Directory(gaps={("host", HOST): REFUSED}).evidence(), replace(CRITICAL_EXCESS, entra_roles=()).evidence()
    )
    for connection in results.connections:
        outcomes = Counter(each.outcome for each in connection.requirements)
        counts = asdict(connection.counts)
        assert counts["evaluated"] == len(connection.requirements)
        assert {each: counts[each] for each in Outcome} == {each: outcomes[each] for each in Outcome}
        own = Counter(each.outcome for each in results.findings if each.connection == connection.id)
        assert (counts["excess"], counts["advisory"]) == (own["excess"], own["advisory"])
    totals = Counter[str]()
    for connection in results.connections:
        totals.update(asdict(connection.counts))
    assert asdict(results.summary.counts) == dict(totals)


def test_findings_are_listed_deviations_first_then_by_urgency() -> None:
    results = judge(replace(CRITICAL_EXCESS, entra_roles=(), gaps=OPEN).evidence(), Directory().evidence())
    kinds = [each.outcome in {"missing", "partial", "excess"} for each in results.findings]
    assert kinds == sorted(kinds, reverse=True)
    ranks = [each.severity.rank for each in results.findings if each.outcome in {"missing", "partial", "excess"}]
    assert ranks == sorted(ranks)


def test_the_run_id_tells_the_instant_and_changes_with_what_was_judged() -> None:
    one = judge(Tenant().evidence())
    assert one.run.id.startswith("20261123T080000Z-")
    others = [
        judge(HIGH_EXCESS.evidence()),
        judge(Tenant().evidence(), fail_on=Severity.LOW),
        judge(Tenant().evidence(), against=replace(MATRIX, sha256="0" * 64)),
    ]
    assert len({each.run.id for each in [one, *others]}) == 4
    assert judge(Tenant().evidence()) == one
