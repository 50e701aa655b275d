from __future__ import annotations

from dataclasses import replace

from sample_results import sample_results

from auditor.report.evidence_view import MANY, PRINTED, evidence_view
from auditor.report.finding_view import source_anchor


def connection_with(*sources):
    return replace(sample_results().connections[0], sources=sources)


def read(number, **changes):
    source = sample_results().connections[0].sources[0]
    asked = {"cmdlet": "Get-Thing", "Identity": f"Role {number}\\*", "Page": str(number % 2)}
    return replace(source, dataset="entries", subject=f"Role {number}", query=asked, complete=True, **changes)


def test_few_reads_are_listed_and_printed_one_by_one():
    view = evidence_view(connection_with(*map(read, range(MANY))), frozenset())
    assert not view.is_long
    assert view.unprinted == 0
    assert view.printed == view.sources


def test_many_reads_are_grouped_by_what_was_asked_and_none_is_left_out():
    reads = [read(number) for number in range(MANY)] + [replace(read(0), dataset="other") for _ in range(3)]
    view = evidence_view(connection_with(*reads), frozenset())
    assert [question.dataset for question in view.questions] == ["entries", "other"]
    listed = [one.source for question in view.questions for one, _ in question.reads]
    assert sorted(map(str, listed)) == sorted(map(str, reads))


def test_a_question_says_once_what_all_reads_asked_and_each_row_what_it_alone_asked():
    view = evidence_view(connection_with(*map(read, range(MANY + 1))), frozenset())
    (question,) = view.questions
    assert question.common == (("cmdlet", "Get-Thing"), ("Identity", "{subject}\\*"))
    assert [varying for _, varying in question.reads][:3] == [(("Page", "0"),), (("Page", "1"),), (("Page", "0"),)]


def test_what_could_be_told_of_a_read_before_can_be_told_of_it_in_a_group():
    view = evidence_view(connection_with(*map(read, range(MANY + 1))), frozenset())
    for question in view.questions:
        for one, varying in question.reads:
            common = tuple((name, text.replace("{subject}", one.source.subject)) for name, text in question.common)
            assert sorted((*common, *varying)) == sorted(one.query)


def test_of_many_reads_those_that_matter_are_printed():
    reads = [read(number) for number in range(3000)]
    reads[2900] = replace(reads[2900], complete=False, error="HTTP 403", error_kind="not_permitted")
    connection = connection_with(*reads)
    referenced = frozenset({source_anchor(connection.id, 2950)})
    view = evidence_view(connection, referenced)
    assert len(view.printed) == PRINTED
    assert {2900, 2950} <= {reads.index(one.source) for one in view.printed}
    assert view.unprinted == 3000 - PRINTED
    assert view.printed_unread == view.unread
