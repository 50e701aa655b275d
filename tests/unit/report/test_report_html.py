from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from pathlib import Path

import pytest
from page import Page
from sample_results import FORMULA, HOSTILE, NAMES, SCRIPT, clean_results, sample_results

from auditor.model.outcome import FindingOutcome, Outcome, Severity
from auditor.report.finding_view import anchor
from auditor.report.html import render_html, render_print_html
from auditor.report.results_json import parse_results, results_bytes
from auditor.report.view import build_view
from auditor.report.words import FINDING_OUTCOMES, OUTCOMES, SEVERITIES


def html_of(results) -> str:
    return render_html(build_view(results, hashlib.sha256(results_bytes(results)).hexdigest()))


@pytest.fixture(scope="module")
def html() -> str:
    return html_of(sample_results())


@pytest.fixture(scope="module")
def page(html) -> Page:
    return Page(html)


def without_hostility(value):
    """Return the JSON value with every hostile string in it replaced by a plain one."""
    if isinstance(value, dict):
        return {name: without_hostility(one) for name, one in value.items()}
    if isinstance(value, list):
        return [without_hostility(one) for one in value]
    if isinstance(value, str):
        for place, hostile in enumerate(HOSTILE):  # different names stay different
            value = value.replace(hostile, f"plain{place}")
    return value


def skeleton(page: Page) -> list[tuple[str, tuple[str, ...]]]:
    return [
        (tag, tuple(attributes))
        for tag, attributes in page.elements
        if tag != "wbr" and attributes.get("class") != "codepoint"
    ]


def test_hostile_text_adds_no_element_and_no_attribute(page):
    plain = json.dumps(without_hostility(json.loads(results_bytes(sample_results())))).encode()
    benign = Page(html_of(parse_results(plain, Path("results.json"))))
    assert skeleton(page) == skeleton(benign)


def test_hostile_text_is_shown_as_text(page):
    assert SCRIPT in page.text
    assert "{{ 7*7 }}</style></script><!--" in page.text
    assert FORMULA in page.text
    assert NAMES in page.text


def test_no_deceptive_character_reaches_the_page(html):
    assert not set("\u202e\u200b\u0007\r漢") & set(html)
    assert 'Leavers<span class="codepoint">U+202E</span>gnp.exe' in html


def test_nothing_is_inline_and_nothing_is_loaded_from_elsewhere(page):
    for tag, attributes in page.elements:
        assert tag not in {"img", "iframe", "object", "embed", "link", "base"}
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on") or name in {"src", "srcset"}]
        assert attributes.get("href", "#").startswith("#")
    assert not [
        one for one in re.findall(r"url\(([^)]*)\)", page.raw["style"]) if not one.startswith('"data:font/')
    ]
    assert "@import" not in page.raw["style"]


def test_the_policy_admits_exactly_this_style_and_this_script(page):
    policy = next(
        attributes["content"]
        for _, attributes in page.elements
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    for kind in ("style", "script"):
        digest = base64.b64encode(hashlib.sha256(page.raw[kind].encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy


def test_every_link_leads_somewhere_and_every_id_is_unique(page):
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert [name for name, count in Counter(ids).items() if count > 1] == []
    targets = {attributes["href"][1:] for _, attributes in page.elements if "href" in attributes}
    assert targets - set(ids) == set()


def test_every_finding_has_a_card_under_its_key(page):
    cards = {attributes.get("id") for tag, attributes in page.elements if tag == "article"}
    assert cards == {anchor("finding", finding.key) for finding in sample_results().findings}


def test_outcome_counts_are_those_of_the_requirements(page):
    outcomes = Counter(
        one.outcome for connection in sample_results().connections for one in connection.requirements
    )
    rows = page.table_after("Outcome", "Requirements")
    assert rows == [
        *([f"{OUTCOMES[one].mark} {OUTCOMES[one].text}", str(outcomes[one])] for one in Outcome),
        ["Evaluated", str(outcomes.total())],
    ]


def test_finding_counts_are_those_of_the_findings(page):
    findings = sample_results().findings
    rows = page.table_after("Severity", *(FINDING_OUTCOMES[one].text for one in FindingOutcome))

    def count(**wanted):
        return str(
            sum(all(getattr(one, name) in values for name, values in wanted.items()) for one in findings)
        )

    for severity, row in zip(Severity, rows, strict=False):
        assert row == [
            f"{SEVERITIES[severity].mark} {SEVERITIES[severity].text}",
            *(count(severity=[severity], outcome=[outcome], waiver=[None]) for outcome in FindingOutcome),
            count(severity=[severity], waiver=["W-1"]),
            count(severity=[severity]),
        ]
    assert rows[-1] == [
        "All",
        *(count(outcome=[outcome], waiver=[None]) for outcome in FindingOutcome),
        count(waiver=["W-1"]),
        str(len(findings)),
    ]


def test_the_charts_say_in_words_what_they_draw(html):
    assert (
        "Requirements by outcome: Satisfied 5, Partial 1, Missing 2, Unverifiable 2, Not applicable 1" in html
    )
    assert "Standing findings by severity: Critical 2, High 3, Medium 1, Low 1, Info 1" in html


def test_every_bar_is_as_long_as_its_share(page):
    bars = [attributes for tag, attributes in page.elements if "chart-bar" in (attributes.get("class") or "")]
    lengths = [float(bar["width"]) for bar in bars]
    assert lengths[:5] == pytest.approx([206 * count / 5 for count in (5, 1, 2, 2, 1)], abs=0.1)
    assert lengths[5:] == pytest.approx([206 * count / 3 for count in (2, 3, 1, 1, 1)], abs=0.1)


def test_every_read_is_in_the_evidence_table(page):
    sources = [source for connection in sample_results().connections for source in connection.sources]
    assert all(source.sha256 in page.ids["evidence"] for source in sources)
    assert page.ids["evidence"].count("Not complete") == sum(not source.complete for source in sources)


def test_a_right_to_grant_is_named_for_every_read_that_lacks_one(page):
    assert "RoleManagement.Read.Directory" in page.ids["unverified"]
    assert "Read permissions on the OU" in page.ids["unverified"]
    assert "3 of 9 reads are not complete (2 not permitted, 1 unreachable)" in " ".join(
        page.ids["cover"].split()
    )


def test_identity_of_the_run_and_of_the_matrix_is_on_the_cover(page):
    run = sample_results().run
    for text in (run.id, run.matrix.version, run.matrix.sha256, run.tool.version, run.operator, run.host):
        assert text in page.ids["cover"]
    assert "Not compliant" in page.ids["cover"]


def test_the_digest_of_the_record_is_printed(page):
    assert hashlib.sha256(results_bytes(sample_results())).hexdigest() in page.ids["integrity"]


def test_a_record_without_findings_says_so_in_every_section():
    text = Page(html_of(clean_results())).ids
    assert "There is no earlier run" in text["changes"]
    assert "no deviation stands" in text["summary"]
    assert "No finding" in text["findings"]
    assert "Everything in scope could be read" in text["unverified"]
    assert "No advisory" in text["advisories"]
    assert "None." in text["waivers"]
    assert "could not be read" not in text["cover"]


def test_the_printed_report_holds_every_word_of_the_one_on_screen(page):
    printed = Page(
        render_print_html(build_view(sample_results(), page.ids["integrity"].split("SHA-256 ")[1][:64]))
    )
    for section in (
        "cover",
        "changes",
        "summary",
        "connection-corp-hybrid",
        "unverified",
        "evidence",
        "sign-off",
    ):
        assert printed.ids[section].split() == page.ids[section].split()


def test_equal_records_give_equal_pages(html):
    assert html == html_of(sample_results())
