from __future__ import annotations

import ast
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import chain
from pathlib import Path

import pytest
from jinja2 import nodes
from page import Page
from sample_results import HOSTILE, sample_results

from auditor.acl import AccessMask, rights_in_words
from auditor.acl.rights import FULL_CONTROL
from auditor.catalogue import CATALOGUE
from auditor.evaluate.directory.user_task import TaskPart
from auditor.matrix.load import load_matrix
from auditor.model.outcome import FindingOutcome, Outcome, Severity, Verdict
from auditor.report import words
from auditor.report.appendix import appendix_documents
from auditor.report.fonts import drawable_characters
from auditor.report.html import _environment, print_style, render_html, render_print_html
from auditor.report.languages import ENGLISH, LANGUAGES, translator
from auditor.report.review import NO_DECISIONS
from auditor.report.summary_md import summary_bytes
from auditor.report.template_files import templates_folder
from auditor.report.view import build_view
from auditor.report.words import Word

OTHERS = [language for language in LANGUAGES if language != ENGLISH]
PLACEHOLDER = re.compile(r"\{[a-z0-9_]+\}")
NAMED_PLACEHOLDER = re.compile(r"\{[a-z_]+\}")
REPOSITORY = Path(__file__).parents[3]


def catalogue(language):
    return json.loads((templates_folder() / "languages" / f"{language}.json").read_text(encoding="utf-8"))


def texts_of_templates():
    environment = _environment(ENGLISH)
    for path in templates_folder().rglob("*.html"):
        for call in environment.parse(path.read_text(encoding="utf-8")).find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == "t" and isinstance(call.args[0], nodes.Const):
                yield call.args[0].value


def texts_of_words():
    for table in (value for name, value in vars(words).items() if name.isupper()):
        for entry in table.values() if isinstance(table, dict) else [table]:
            yield from (entry.text, entry.definition) if isinstance(entry, Word) else [entry]


def is_template(value):
    return isinstance(value, str) and NAMED_PLACEHOLDER.search(value) is not None


def texts_of_messages():
    """What `say` and `written` are given, and every other text with placeholders, which one of them will be given."""
    folders = ((REPOSITORY / "auditor" / name).rglob("*.py") for name in ("collect", "evaluate"))
    for path in (*chain.from_iterable(folders), REPOSITORY / "auditor" / "model" / "evidence.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        formatted = (each for each in ast.walk(tree) if isinstance(each, ast.JoinedStr))
        passed_over = {id(part) for each in formatted for part in ast.walk(each)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"say", "written"}:
                given = node.args[0]
                choices = (given.body, given.orelse) if isinstance(given, ast.IfExp) else (given,)
                yield from (each.value for each in choices if isinstance(each, ast.Constant) and each.value)
            elif isinstance(node, ast.Constant) and id(node) not in passed_over and is_template(node.value):
                yield node.value


def texts_without_markup():
    """Those of the summary, the proposals and the notifications, the words for a verdict included."""
    for path in ("report/summary_md.py", "report/proposal.py", "notify/message.py"):
        for node in ast.walk(ast.parse((REPOSITORY / "auditor" / path).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "t":
                yield from (each.value for each in node.args if isinstance(each, ast.Constant))
    yield from (str(verdict).replace("_", " ") for verdict in Verdict)


def texts_of_the_record():
    """Texts of fixed wording that reach the record otherwise: of checks, profiles, rights, outcomes and statuses."""
    yield from (check.why for check in CATALOGUE.values() if check.is_built)
    yield from rights_in_words(sum(AccessMask) & ~int(FULL_CONTROL))
    yield from (word for right in AccessMask for word in rights_in_words(right) if not word.startswith("0x"))
    yield from (str(each) for each in (*TaskPart, *Outcome, *FindingOutcome, *Severity))
    for path in (REPOSITORY / "auditor" / "matrix" / "profiles").glob("*.yaml"):
        profile = load_matrix(str(path)).profile
        yield profile.source.title
        yield from (text for each in profile.requirements for text in (each.feature, each.documented))
    yield from ("documented", "baseline", "not_judged", "absent", "member", "owner", "unknown", "organization")


def all_texts():
    of_pages = {*texts_of_templates(), *texts_of_words(), *texts_without_markup()}
    of_pages |= {"documented", "derived", "Run", "Page", "of"}
    return of_pages | {*texts_of_messages(), *texts_of_the_record()}


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_is_translated_and_no_translation_is_left_over(language):
    assert set(catalogue(language)) == all_texts()


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_has_the_placeholders_of_its_text_and_can_be_drawn(language):
    for text, translation in catalogue(language).items():
        assert sorted(PLACEHOLDER.findall(text)) == sorted(PLACEHOLDER.findall(translation)), text
        assert set(translation) <= drawable_characters(), text
        assert translation.strip(), text


class Literals(HTMLParser):
    """The text of a template that is not in an expression."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.inside = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.inside.append(tag)
        self.found += [value for name, value in attrs if name in {"aria-label", "data-label", "title"} and value]

    def handle_endtag(self, tag):
        if tag in self.inside:
            self.inside.remove(tag)

    def handle_data(self, data):
        if "code" not in self.inside:
            self.found.append(data)


def test_no_template_says_anything_past_the_catalogue():
    said = set()
    for path in templates_folder().rglob("*.html"):
        text = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        said |= {word for found in Literals(text).found for word in re.findall(r"[^\W\d_]{2,}", found)}
    assert said <= {"SHA", "results", "json", "ms"}


def view_of(results):
    return build_view(results, "0" * 64)


@pytest.mark.parametrize("render", [render_html, render_print_html])
@pytest.mark.parametrize("kind", ["review", "readiness"])
def test_the_german_report_is_german_and_says_the_same(render, kind):
    sample = replace(sample_results(), run=replace(sample_results().run, kind=kind))
    english, german = (Page(render(view_of(sample), language)) for language in (ENGLISH, "de"))
    assert german.elements[0] == ("html", {"lang": "de"})
    assert [tag for tag, _ in german.elements if tag != "wbr"] == [tag for tag, _ in english.elements if tag != "wbr"]
    assert re.findall(r"\d+", german.text) == re.findall(r"\d+", english.text)
    for text in ("Nicht konform", "Überschuss", "Nicht prüfbar", "Was sich geändert hat", "Geprüftes Konto"):
        assert text.casefold() in german.text.casefold() or kind == "readiness"
    for text in ("Not compliant", "Unverifiable", "What changed", "Audited account", "Sign-off"):
        assert text not in german.text


def test_the_summary_and_the_volume_of_evidence_are_german_and_say_the_same():
    for make in (
        lambda language: summary_bytes(sample_results(), NO_DECISIONS, language).decode(),
        lambda language: "".join(appendix_documents(sample_results(), "0" * 64, language)),
    ):
        english, german = make(ENGLISH), make("de")
        assert sorted(re.findall(r"\d+", german)) == sorted(re.findall(r"\d+", english))
        for text in ("Not compliant", "Since the last run", "Could not be verified", "part 1 of", "records,"):
            assert text not in german, text


def test_the_page_of_the_pdf_is_numbered_in_its_language():
    assert 'content: "Seite " counter(page) " von " counter(pages)' in print_style("de")
    assert 'content: "Page " counter(page) " of " counter(pages)' in print_style()


def test_what_stands_for_a_placeholder_is_shown_as_any_other_text():
    t = translator("de")
    for hostile in HOSTILE:
        shown = str(t("{operator} on {host}", operator=hostile, host="h"))
        assert "<script" not in shown
        assert not re.search("[\u202e\u200b\u0007]", shown)
    assert str(t("<b>\u202e")) == "&lt;b&gt;[U+202E]"
