from __future__ import annotations

import re
from dataclasses import replace

import pytest
from sample_results import sample_results

from auditor.catalogue import CATALOGUE
from auditor.report.check_lists import check_lists
from auditor.report.html import render_html
from auditor.report.view import build_view

BUILT = tuple(check.id for check in CATALOGUE.values() if check.is_built)


def results_of(*kinds):
    sample = sample_results()
    connections = tuple(each for each in sample.connections if each.kind in kinds)
    return replace(sample, connections=connections, run=replace(sample.run, checks=BUILT))


@pytest.mark.parametrize("kinds", [("hybrid",), ("exchange_online",), ("hybrid", "exchange_online")])
def test_every_check_of_the_catalogue_is_told_once(kinds):
    lists = check_lists(results_of(*kinds))
    assert sorted((*lists.ran, *lists.without_connection, *lists.not_built)) == sorted(CATALOGUE)
    assert {*lists.not_built} == {check.id for check in CATALOGUE.values() if not check.is_built}
    assert any(check.startswith("AD-DEL-") for check in lists.ran) == ("hybrid" in kinds)
    assert any(check.startswith("EXO-") for check in lists.ran) == ("exchange_online" in kinds)
    assert {"META-001", "AD-GOV-001"} <= {*lists.ran}
    assert bool(lists.without_connection) == (len(kinds) == 1)


def test_a_check_that_this_version_does_not_know_ran_all_the_same():
    results = results_of("hybrid")
    other = replace(results, run=replace(results.run, checks=("AD-NEW-001", "EXO-099")))
    lists = check_lists(other)
    assert (lists.ran, lists.without_connection) == (("AD-NEW-001",), ("EXO-099",))


def test_the_report_lists_them_with_the_reason():
    page = render_html(build_view(results_of("hybrid"), "0" * 64))
    told = re.sub(r"<[^>]+>", "", page.partition('id="method"')[2].partition("</section>")[0])
    for check in CATALOGUE:
        assert len(re.findall(rf"{check}\b", told)) == 1
    assert "not built in this version" in told
