from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from page import Page
from sample_results import HOSTILE, sample_results

from auditor.errors import InvalidInput
from auditor.model.evidence import Gap, GapKind
from auditor.model.message import data, joined, message_records, say
from auditor.report.html import render_html
from auditor.report.results_json import parse_results, results_bytes
from auditor.report.translation import translated
from auditor.report.view import build_view
from tests.unit.evaluate.composed import judge
from tests.unit.evaluate.composed_directory import Directory


def with_title(title, **changes):
    results = sample_results()
    finding = replace(results.findings[0], title=title, **changes)
    return replace(results, findings=(finding, *results.findings[1:]), messages=message_records(finding))


def stored(results):
    """The record as a later `auditor report` reads it: plain text and what it was made of."""
    return parse_results(results_bytes(results), Path("results.json"))


def test_a_sentence_is_made_anew_from_the_stored_record() -> None:
    states = joined(say(" and "), [say("disabled"), say("expired since {instant}", instant="2026-01-01T00:00:00Z")])
    results = stored(with_title(say("The account is {states}", states=states)))
    assert results.findings[0].title == "The account is disabled and expired since 2026-01-01T00:00:00Z"
    german = translated(results, "de").findings[0].title
    assert german == "Das Konto ist deaktiviert und abgelaufen seit 2026-01-01T00:00:00Z"
    assert translated(results, "en") is results


@pytest.mark.parametrize("name", ["group", "disabled", "Domain Users {name}", "the account", *HOSTILE])
def test_what_was_read_stays_as_it_was_read(name) -> None:
    step = say("group {name}", name=name)
    results = stored(
        with_title(say("The account is owned by {name}", name=name), actual=data(name), paths=((name, step, name),))
    )
    german = translated(results, "de").findings[0]
    assert german.title == f"Besitzer des Kontos ist {name}"
    assert german.actual == name
    assert german.paths == ((name, f"Gruppe {name}", name),)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_text_in_a_translated_sentence_is_shown_and_harmless(hostile) -> None:
    def tags(name):
        results = stored(with_title(say("The account is owned by {name}", name=name)))
        page = Page(render_html(build_view(translated(results, "de"), "0" * 64), "de"))
        return [tag for tag, _ in page.elements if tag not in {"wbr", "span"}]

    assert tags(hostile) == tags("harmless")


def test_identifiers_commands_and_quotes_stay() -> None:
    english, german = sample_results(), translated(sample_results(), "de")
    for before, after in zip(english.findings, german.findings, strict=True):
        assert (after.key, after.check, after.scope, after.entitlement) == (
            before.key, before.check, before.scope, before.entitlement,
        )
        assert after.remediation.commands == before.remediation.commands
        assert [each.quote for each in after.evidence] == [each.quote for each in before.evidence]
    assert (german.summary, german.run.id, german.run.argv) == (english.summary, english.run.id, english.run.argv)


def test_why_a_read_failed_is_told_in_german_and_the_words_of_the_server_as_read() -> None:
    refused = Gap(
        kind=GapKind.NOT_PERMITTED,
        message=say("{host} refused to read {dn}: {said}", host="ldaps://dc1", dn="OU=a", said="Read on OU=a"),
        missing_permission=say("Read on {dn}", dn="OU=a"),
    )
    results = stored(judge(Directory(gaps={("account", ""): refused}).evidence()))
    german = translated(results, "de").connections[0]
    (source,) = (each for each in german.sources if each.dataset == "account")
    assert source.error == "ldaps://dc1 verweigerte, OU=a zu lesen: Read on OU=a"
    assert source.missing_permission == "„Lesen“ auf OU=a"
    assert any(source.error in requirement.reason for requirement in german.requirements)
    english = next(each for each in results.connections[0].sources if each.dataset == "account")
    assert english.error == "ldaps://dc1 refused to read OU=a: Read on OU=a"


def test_a_text_without_translation_stays_in_english() -> None:
    assert translated(with_title(say("Nobody says {what}", what="so")), "de").findings[0].title == "Nobody says so"


def test_a_record_whose_messages_contain_themselves_is_still_rendered() -> None:
    (message,) = message_records(say("{a}{b}", a="x", b=""))
    circular = replace(message, values={"a": "x", "b": ""}, texts=("a",))
    results = replace(with_title("x"), messages=(circular, replace(circular, template="{a}", values={"a": "x"})))
    assert translated(results, "de").findings[0].title == "x"


def test_a_message_without_its_value_is_refused_with_its_place() -> None:
    content = results_bytes(with_title(say("The account is owned by {name}", name="a")))
    altered = content.replace(b'"template": "The account is owned by {name}"', b'"template": "{other}"')
    assert altered != content
    with pytest.raises(InvalidInput, match="placeholder without a value"):
        parse_results(altered, Path("results.json"))
