from __future__ import annotations

from dataclasses import replace

import pytest
from sample_results import REVERSED, STAFF, clean_results, sample_results

from auditor.model.outcome import FindingOutcome, Severity, Verdict
from auditor.report.finding_view import anchor
from auditor.report.view import SHORTLIST_LENGTH, build_view


def view_of(results):
    return build_view(results, "0" * 64)


def test_deviations_come_first_then_unverifiable_then_advisories_each_by_severity():
    findings = [view.finding for view in view_of(sample_results()).findings]
    assert [(finding.outcome.value, finding.severity.value) for finding in findings] == [
        ("excess", "critical"),
        ("excess", "critical"),
        ("missing", "high"),
        ("missing", "high"),
        ("partial", "high"),
        ("excess", "medium"),
        ("unverifiable", "medium"),
        ("advisory", "low"),
        ("advisory", "info"),
    ]


def test_order_does_not_depend_on_the_order_of_the_record():
    sample = sample_results()
    turned = replace(sample, findings=sample.findings[::-1])
    assert [one.anchor for one in view_of(sample).findings] == [
        one.anchor for one in view_of(turned).findings
    ]


def test_only_standing_deviations_at_or_above_the_threshold_decide():
    deciding = {view.finding.check for view in view_of(sample_results()).findings if view.decides}
    assert deciding == {"AD-DEL-001", "AD-PRV-002", "AD-DEL-002", "EXO-003", "EXO-010"}
    sample = sample_results()
    stricter = replace(sample, run=replace(sample.run, fail_on=Severity.CRITICAL))
    assert {view.finding.check for view in view_of(stricter).findings if view.decides} == {
        "AD-PRV-002",
        "EXO-010",
    }


def test_an_advisory_decides_nothing_however_severe():
    sample = sample_results()
    grave = replace(sample.findings[7], severity=Severity.CRITICAL)
    assert not any(view.decides for view in view_of(replace(sample, findings=(grave,))).findings)


def test_a_waived_finding_is_counted_in_its_own_column_and_leaves_the_shortlist():
    view = view_of(sample_results())
    medium = next(tally for tally in view.severities if tally.word.text == "Medium")
    assert (medium.standing, medium.waived, medium.total) == (1, 1, 2)
    assert not [one for shortlist in view.shortlists for one in shortlist.actions if one.finding.waiver]


def test_the_shortlist_is_by_owner_and_says_how_many_it_leaves_out():
    sample = sample_results()
    many = tuple(
        replace(sample.findings[0], key=f"AD-DEL-001-{place}") for place in range(SHORTLIST_LENGTH + 3)
    )
    (shortlist,) = view_of(replace(sample, findings=many)).shortlists
    assert (shortlist.owner, len(shortlist.actions), shortlist.further) == (
        "Active Directory administrator",
        SHORTLIST_LENGTH,
        3,
    )


def test_counts_add_up():
    sample = sample_results()
    view = view_of(sample)
    assert view.evaluated == sum(len(connection.requirements) for connection in sample.connections)
    assert view.evaluated == sample.summary.counts.evaluated
    assert sum(tally.total for tally in view.severities) == len(sample.findings)


def test_the_grid_has_one_row_per_target_ou_and_one_column_per_part():
    (grid,) = view_of(sample_results()).connections[0].grids
    assert [row.scope for row in grid.rows][:2] == [STAFF, REVERSED]
    assert [word.text for word in grid.rows[0].parts] == ["Satisfied", "Missing", "Satisfied"]
    assert grid.rows[2].parts == (None, None, None)


def test_evidence_points_to_the_read_of_that_very_object():
    view = view_of(sample_results())
    partial = next(one for one in view.findings if one.finding.check == "AD-DEL-002")
    assert partial.evidence[0].anchor == "evidence-corp-hybrid-3"
    account = sample_results().findings[2]
    lost = replace(account, evidence=(replace(account.evidence[0], dataset="never_read"),))
    (only,) = view_of(replace(sample_results(), findings=(lost,))).findings
    assert only.evidence[0].anchor is None


def test_incomplete_reads_are_counted_by_kind():
    view = view_of(sample_results())
    assert view.unread_kinds == (("not permitted", 2), ("unreachable", 1))
    assert view.reads == 9


def test_readiness_has_its_own_verdict_words():
    sample = sample_results()
    view = view_of(replace(sample, run=replace(sample.run, kind="readiness")))
    assert view.verdict.text == "Not ready"
    assert [one.verdict.text for one in view.connections] == ["Not ready", "Cannot say"]


@pytest.mark.parametrize("verdict", list(Verdict))
def test_the_reason_of_a_verdict_names_the_threshold(verdict):
    sample = clean_results()
    view = view_of(replace(sample, summary=replace(sample.summary, verdict=verdict)))
    assert "severity medium" in view.verdict_reason


def test_a_finding_of_a_check_nobody_owns_goes_to_the_operator():
    sample = sample_results()
    own = replace(sample.findings[0], check="META-001", outcome=FindingOutcome.UNVERIFIABLE)
    (shortlist,) = view_of(replace(sample, findings=(own,))).shortlists
    assert shortlist.owner == "Operator of this audit"


def test_anchors_keep_safe_identifiers_and_digest_others():
    assert anchor("finding", "AD-DEL-001-0f3a") == "finding-AD-DEL-001-0f3a"
    digested = anchor("finding", 'x" onclick="alert(1)')
    assert digested == anchor("finding", 'x" onclick="alert(1)')
    assert digested.removeprefix("finding-").isalnum()
