"""What recorded reviews decided, put beside the record they are about."""

from __future__ import annotations

import json

import pytest
from page import Page
from sample_results import HOSTILE, sample_results

from auditor.errors import InvalidInput
from auditor.report.decisions import read_decisions
from auditor.report.html import render_html
from auditor.report.review import Answer, Decision, review_items, review_record, tally
from auditor.report.view import build_view

DIGEST = "d" * 64


def reviews(*records):
    return json.dumps(records).encode()


def record(results, *answers, digest=DIGEST):
    return review_record(results, digest, answers, "2026-11-25T09:00:00Z", "someone")


def answer(item, decision=Decision.KEEP, **more):
    return Answer(item=item, decision=decision, reviewer="R. Viewer", date="2026-11-24", **more)


def test_totals_add_up_over_all_connections_and_are_those_of_the_rows():
    results = sample_results()
    items = review_items(results.connections)
    answers = [answer(item, list(Decision)[place % 3]) for place, item in enumerate(items[:-1])]
    decisions = read_decisions(reviews(record(results, *answers)), results, DIGEST)
    page = Page(render_html(build_view(results, DIGEST, decisions)))
    *connections, total = page.table_after("Connection", "Entitlements")
    counts = tally(decisions.of(items))
    assert total[1:] == [str(each) for each in (counts.items, counts.keep, counts.change, counts.remove, counts.open)]
    assert counts.items == counts.keep + counts.change + counts.remove + counts.open == len(items)
    assert counts.open == 1
    sums = [sum(int(row[place]) for row in connections) for place in range(1, 6)]
    assert list(map(str, sums)) == total[1:]


def test_a_decision_on_what_the_run_does_not_list_is_named():
    results = sample_results()
    known = record(results, answer(review_items(results.connections)[0]))
    key = "entitlement-0000000000000000"
    stray = dict(known["decisions"][0], key=key, name="Stray <i>group</i>", decision="remove")
    decisions = read_decisions(reviews(dict(known, decisions=[stray])), results, DIGEST)
    assert decisions.unknown == (("entitlement-0000000000000000", "Stray <i>group</i>", Decision.REMOVE),)
    assert not decisions.answers
    text = render_html(build_view(results, DIGEST, decisions))
    assert "entitlement-0000000000000000" in text
    assert "Stray &lt;i&gt;group" in text


@pytest.mark.parametrize("content", [b"[]", b"{", b"[{}]", b'[{"schema_version": "2.0"}]'])
def test_what_is_no_review_is_refused(content):
    results = sample_results()
    if content == b"[]":
        assert read_decisions(content, results, DIGEST).reviews == 0
        return
    with pytest.raises(InvalidInput):
        read_decisions(content, results, DIGEST)


def test_a_review_of_another_record_is_refused():
    results = sample_results()
    with pytest.raises(InvalidInput, match="another record"):
        read_decisions(reviews(record(results, digest="e" * 64)), results, DIGEST)


@pytest.mark.parametrize("text", HOSTILE)
def test_what_reviewers_write_adds_no_element(text):
    results = sample_results()
    item = review_items(results.connections)[0]
    one = Answer(item=item, decision=Decision.KEEP, reviewer=text, date="2026-11-24", ticket=text, comment=text)
    plain = Answer(item=item, decision=Decision.KEEP, reviewer="R", date="2026-11-24", ticket="T", comment="C")
    hostile, harmless = (
        Page(render_html(build_view(results, DIGEST, read_decisions(reviews(record(results, each)), results, DIGEST))))
        for each in (one, plain)
    )
    ours = {"wbr"}, {"span"}  # where long text may break, and what spells out a character
    kinds = [{tag for tag, _ in page.elements} for page in (hostile, harmless)]
    assert kinds[0] - kinds[1] <= set().union(*ours)
    handlers = [name for _, attributes in hostile.elements for name in attributes if name.startswith("on")]
    assert not handlers
