"""Drift: what changed is told, and what a failed read hides is never called resolved or new."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from auditor.evaluate.drift import compare_runs
from auditor.evaluate.evaluate import EarlierRuns, evaluate
from auditor.model.evidence import Gap, GapKind
from auditor.model.keys import entitlement_key
from auditor.model.results import EntitlementRecord
from auditor.report.results_json import results_bytes
from tests.unit.evaluate.composed import MATRIX, NOT_FOUND, REFUSED, RUN, matrix
from tests.unit.evaluate.composed_directory import (
    ACCOUNT,
    DOMAIN,
    GROUPS,
    HEAD,
    HOST,
    READABLE,
    STAFF,
    TRUSTED_HOST,
    Container,
    Directory,
    descriptor,
    group,
    service_account,
    user_task,
)
from tests.unit.evaluate.composed_tenant import Tenant, assignment, consent, member, role, role_group

if TYPE_CHECKING:
    from auditor.model.drift import DriftRecord
    from auditor.model.evidence import Evidence
    from auditor.model.results import Results

PAYROLL = f"{DOMAIN}-1777"
OTHER = f"OU=Other,{HEAD}"
SECOND_HOST = "10.1.0.11"
DIRECTORY = replace(
    Directory(),
    hosts={HOST: TRUSTED_HOST, SECOND_HOST: {**TRUSTED_HOST, "host": SECOND_HOST}},
    accounts=(service_account("Domain Admins", "H2R Delegates", "Payroll", userAccountControl=0x400200),),
    groups=(*GROUPS, group("Payroll", PAYROLL)),
    token=(*Directory().token, PAYROLL),
    ous={STAFF: Directory().ous[STAFF], OTHER: Container(raw=descriptor(READABLE))},
).connect(hosts=(HOST, SECOND_HOST), target_ous=(STAFF, OTHER))
TENANT = replace(
    Tenant(consents=(consent("Mail.ReadWrite"), consent("openid"))),
    role_groups=(role_group(), role_group("Organization Management")),
    members={"H2R Provisioning": (member(),), "Organization Management": (member(),)},
).with_assignments(assignment("Role Management"), roles=(role("Role Management"),))
PLAIN_DIRECTORY, PLAIN_TENANT = Directory(), Tenant()


def judge(*evidence: Evidence, **more: Any) -> Results:
    return evaluate([(each, MATRIX) for each in evidence], MATRIX, RUN, **more)


def lists(drift: DriftRecord) -> dict[str, tuple[str, ...]]:
    return {name: getattr(drift, name) for name in ("new", "resolved", "changed", "not_comparable")}


NOTHING: dict[str, tuple[str, ...]] = {"new": (), "resolved": (), "changed": (), "not_comparable": ()}


@pytest.mark.parametrize("system", [DIRECTORY, TENANT, PLAIN_DIRECTORY, PLAIN_TENANT])
def test_collecting_twice_differs_in_nothing(system: Directory | Tenant) -> None:
    drift = compare_runs(judge(system.evidence()), judge(system.evidence()))
    assert lists(drift) == NOTHING
    assert drift.entries == ()
    assert drift.compared > 0


def test_the_order_of_the_record_does_not_matter() -> None:
    one = judge(DIRECTORY.evidence(), TENANT.evidence())
    turned = replace(
        one,
        findings=tuple(replace(each, paths=each.paths[::-1]) for each in one.findings[::-1]),
        connections=tuple(
            replace(each, entitlements=each.entitlements[::-1], requirements=each.requirements[::-1])
            for each in one.connections[::-1]
        ),
    )
    assert lists(compare_runs(one, turned)) == NOTHING
    assert compare_runs(one, turned).entries == ()


def _questions(system: Directory | Tenant) -> list[tuple[str, str]]:
    return [(source.dataset, source.subject) for source in system.evidence().sources]


CASES = [(system, question) for system in (DIRECTORY, TENANT) for question in _questions(system)]


@pytest.mark.parametrize(("system", "question"), CASES, ids=[f"{one[0]}-{one[1][:9]}" for _, one in CASES])
def test_a_read_that_fails_resolves_nothing_and_one_that_works_again_makes_nothing_new(
    system: Directory | Tenant, question: tuple[str, str]
) -> None:
    whole, broken = judge(system.evidence()), judge(replace(system, gaps={question: REFUSED}).evidence())
    known = {each.key for each in whole.findings}
    lost, found = compare_runs(whole, broken), compare_runs(broken, whole)
    assert lost.resolved == ()
    assert [each for each in lost.entries if each.state == "resolved"] == []
    assert set(found.new) & known == set()
    assert [each for each in found.entries if each.state == "new" and each.key in known] == []
    assert [each for each in found.entries if each.state == "new" and each.subject == "entitlement"] == []


def test_a_host_that_is_lost_leaves_everything_else_comparable() -> None:
    added = replace(
        DIRECTORY,
        groups=(*DIRECTORY.groups, group("Backup", f"{DOMAIN}-1888")),
        accounts=(service_account("Domain Admins", "H2R Delegates", "Payroll", "Backup", userAccountControl=0x400200),),
        token=(*DIRECTORY.token, f"{DOMAIN}-1888"),
        gaps={("host", SECOND_HOST): Gap(kind=GapKind.UNREACHABLE, message="refused")},
    )
    drift = compare_runs(judge(DIRECTORY.evidence()), judge(added.evidence()))
    assert [key.rpartition("-")[0] for key in drift.new] == ["AD-GRP-005"]
    assert [key.rpartition("-")[0] for key in drift.not_comparable] == ["AD-COL-001", "AD-COL-002"]
    reverse = compare_runs(judge(added.evidence()), judge(DIRECTORY.evidence()))
    assert [key.rpartition("-")[0] for key in reverse.resolved] == ["AD-GRP-005"]


def test_an_account_that_is_gone_is_an_answer_about_it_and_none_about_what_it_held() -> None:
    gone = replace(TENANT, gaps={("user", ""): NOT_FOUND})
    drift = compare_runs(judge(TENANT.evidence()), judge(gone.evidence()))
    assert drift.resolved == ()


def test_what_a_finding_was_before_and_is_after_is_told() -> None:
    partly = replace(
        PLAIN_DIRECTORY,
        ous={STAFF: Container(raw=descriptor(*Directory().ous[STAFF].below.values(), user_task(ACCOUNT)[0]))},
        accounts=(service_account("H2R Delegates"),),
        token=PLAIN_DIRECTORY.token[:2] + PLAIN_DIRECTORY.token[4:],
    )
    drift = compare_runs(judge(PLAIN_DIRECTORY.evidence()), judge(partly.evidence()))
    told = {(each.key.rpartition("-")[0], each.state, each.before, each.after) for each in drift.entries}
    assert ("AD-GRP-001", "new", "satisfied", "missing") in told
    back = compare_runs(judge(partly.evidence()), judge(PLAIN_DIRECTORY.evidence()))
    assert ("AD-GRP-001", "resolved", "missing", "satisfied") in {
        (each.key.rpartition("-")[0], each.state, each.before, each.after) for each in back.entries
    }


def test_a_check_that_an_upgrade_added_or_removed_is_not_comparable() -> None:
    now = judge(DIRECTORY.evidence())
    before = replace(
        now,
        run=replace(now.run, checks=tuple(each for each in now.run.checks if each != "AD-GRP-005")),
        findings=tuple(each for each in now.findings if each.check != "AD-GRP-005"),
    )
    for drift in (compare_runs(before, now), compare_runs(now, before)):
        assert [key.rpartition("-")[0] for key in drift.not_comparable] == ["AD-GRP-005"]
        assert drift.new == drift.resolved == ()
        (told,) = [each for each in drift.entries if each.subject == "finding"]
        assert "did not know the check AD-GRP-005" in told.reason
    assert compare_runs(before, now).checks_added == ("AD-GRP-005",)
    assert compare_runs(now, before).checks_removed == ("AD-GRP-005",)


def test_a_record_without_a_list_of_checks_knows_those_it_names() -> None:
    now = judge(DIRECTORY.evidence())
    old = replace(now, run=replace(now.run, checks=()))
    assert lists(compare_runs(old, now)) == NOTHING
    without = replace(old, findings=tuple(each for each in old.findings if each.check != "AD-GRP-005"))
    assert compare_runs(without, now).new == ()


def test_a_connection_or_a_requirement_of_one_run_only_is_not_comparable() -> None:
    both, one = judge(DIRECTORY.evidence(), TENANT.evidence()), judge(DIRECTORY.evidence())
    drift = compare_runs(one, both)
    of_tenant = {each.key for each in both.findings if each.connection == TENANT.connection.id}
    assert (drift.new, drift.resolved, set(drift.not_comparable)) == ((), (), of_tenant)
    assert drift.connections_added == (TENANT.connection.id,)
    assert compare_runs(both, one).connections_removed == (TENANT.connection.id,)
    without_ou = judge(DIRECTORY.connect(target_ous=(STAFF,)).evidence())
    told = compare_runs(without_ou, one).entries
    reasons = {each.reason for each in told if each.key.startswith("AD-DEL-001")}
    assert reasons == {"the earlier run did not judge it"}
    fewer = replace(matrix(*MATRIX.profile.requirements[1:]), sha256="another")
    shorter = evaluate([(PLAIN_TENANT.evidence(), fewer)], fewer, RUN)
    drift = compare_runs(shorter, judge(PLAIN_TENANT.evidence()))
    assert drift.new == ()
    assert drift.matrices_changed == (PLAIN_TENANT.connection.id,)
    assert compare_runs(both, one).matrices_changed == ()


def test_something_open_in_both_runs_is_not_comparable() -> None:
    open_one = judge(replace(TENANT, gaps={("consent_grants", ""): REFUSED}).evidence())
    drift = compare_runs(open_one, open_one)
    unverifiable = {each.key for each in open_one.findings if each.outcome == "unverifiable"}
    assert set(drift.not_comparable) == unverifiable
    assert drift.new == drift.resolved == drift.changed == ()


def test_entitlements_are_known_by_identifiers() -> None:
    one = EntitlementRecord(kind="ad_group", name="A", id=PAYROLL, scope=DOMAIN, status="excess")
    assert entitlement_key("c", one) == entitlement_key("c", replace(one, name="renamed", status="documented"))
    others = [replace(one, id="x"), replace(one, scope="x"), replace(one, kind="ad_right")]
    assert len({entitlement_key("c", each) for each in [one, *others]} | {entitlement_key("d", one)}) == 5
    scopes = [replace(one, kind="consent", id="grant", name=name) for name in ("openid", "Mail.Read")]
    assert len({entitlement_key("c", each) for each in scopes}) == 2


def test_a_change_that_no_finding_tells_is_an_advisory_of_that_run_alone() -> None:
    through_another = replace(
        PLAIN_DIRECTORY,
        groups=tuple(
            group("H2R Delegates", each.sids("objectSid")[0], "CN=Domain Admins,CN=Users," + HEAD)
            if each.text("sAMAccountName") == "H2R Delegates"
            else each
            for each in GROUPS
        ),
        accounts=(service_account("H2R Delegates"),),
    )
    first = judge(PLAIN_DIRECTORY.evidence())
    second = judge(through_another.evidence(), earlier=EarlierRuns(baseline=first))
    told = [each for each in second.findings if each.check == "AD-GOV-004"]
    assert told
    assert {each.outcome for each in told} == {"advisory"}
    assert {each.drift for each in told} == {None}
    assert second.summary.counts.advisory == sum(each.outcome == "advisory" for each in second.findings)
    third = judge(through_another.evidence(), earlier=EarlierRuns(baseline=second))
    assert not [each for each in third.findings if each.check == "AD-GOV-004"]
    assert lists(third.drift) == NOTHING


def test_findings_keep_the_instant_they_were_first_seen() -> None:
    first = judge(DIRECTORY.evidence())
    assert {each.first_seen for each in first.findings} == {"2026-11-23T08:00:00.000Z"}
    assert {each.drift for each in first.findings} == {None}
    later = replace(RUN, now=RUN.now.replace(day=25))
    second = evaluate([(DIRECTORY.evidence(), MATRIX)], MATRIX, later, earlier=EarlierRuns(baseline=first))
    assert {(each.drift, each.first_seen) for each in second.findings} == {("persisting", "2026-11-23T08:00:00.000Z")}
    assert [each.run for each in second.trend] == [first.run.id]


def test_the_comparison_is_in_the_record_and_the_same_every_time() -> None:
    first = judge(PLAIN_DIRECTORY.evidence())
    one, two = (judge(DIRECTORY.evidence(), earlier=EarlierRuns(baseline=first)) for _ in range(2))
    assert results_bytes(one) == results_bytes(two)
    assert set(json.loads(results_bytes(one))["drift"]) >= {
        "baseline_run",
        "compared",
        "new",
        "resolved",
        "changed",
        "not_comparable",
    }
    assert one.run.id != judge(DIRECTORY.evidence()).run.id
