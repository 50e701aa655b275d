"""The report in a real browser: what it does, what it looks like to whom, and what it does not do."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit" / "report"))

from sample_results import NAMES, sample_results

from auditor.report.evidence_view import MANY
from auditor.report.finding_view import finding_views
from auditor.report.formats import render
from auditor.report.results_json import write_results

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
    pytest.mark.xdist_group("browser"),
]

READS = MANY + 250


def long_record():
    """Return the sample with very many reads of one connection; composed for these tests."""
    sample = sample_results()
    connection = sample.connections[1]
    source = connection.sources[0]
    sources = tuple(
        replace(
            source, dataset="management_role_entries", subject=f"Role {number:04d} {NAMES} <b>&",
            query={"cmdlet": "Get-ManagementRoleEntry", "Identity": f"Role {number:04d} {NAMES} <b>&\\*"},
            records=number % 41, complete=number % 50 != 0, error=None if number % 50 else "HTTP 403",
            error_kind=None if number % 50 else "not_permitted",
        )
        for number in range(READS)
    )
    return replace(sample, connections=(sample.connections[0], replace(connection, sources=sources)))


def long_names():
    """Return the sample with connections and an organisation of names that have no place to break."""
    sample = sample_results()
    connections = tuple(
        replace(each, name=f"{'Ж' * 140}</title> \u202e {each.name}") for each in sample.connections
    )
    return replace(sample, connections=connections, run=replace(sample.run, organisation="Ź" * 120))


def written(folder, results):
    write_results(results, folder / "record.json")
    render(folder / "record.json", ["html"], folder)
    return (folder / "report.html").as_uri()


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    return written(tmp_path_factory.mktemp("report"), sample_results())


@pytest.fixture(scope="module")
def long_address(tmp_path_factory):
    return written(tmp_path_factory.mktemp("long"), long_record())


@pytest.fixture(scope="module")
def long_names_address(tmp_path_factory):
    return written(tmp_path_factory.mktemp("names"), long_names())


@pytest.fixture(scope="module")
def readiness_address(tmp_path_factory):
    sample = sample_results()
    return written(tmp_path_factory.mktemp("ready"), replace(sample, run=replace(sample.run, kind="readiness")))


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def visit(browser):
    """Return what opens a page; afterwards nothing may have been asked for, complained of or run."""
    contexts, told = [], []

    def visit(address, **options):
        context = browser.new_context(reduced_motion="reduce", **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: told.append(message.text))
        page.on("pageerror", lambda error: told.append(str(error)))
        page.on("dialog", lambda dialog: told.append(dialog.message))
        page.on("request", lambda request: told.append(request.url) if not is_own(request.url) else None)
        page.goto(address)
        return page

    def is_own(url):
        return url.partition("#")[0].endswith("/report.html") or url.startswith("data:font/")

    yield visit
    for context in contexts:
        context.close()
    assert told == []


def visible_rows(page):
    return page.locator("#finding-table tbody tr:visible")


def test_search_filter_and_clear(visit, address):
    page = visit(address)
    total = visible_rows(page).count()
    assert total == len(sample_results().findings)
    page.locator("#finding-filter [name=q]").fill("organization management")
    assert visible_rows(page).count() == 1
    assert page.locator("#finding-count").inner_text() == f"1 of {total} findings shown"
    page.locator("#finding-filter [name=q]").fill("")
    page.locator("#finding-filter [name=severity]").select_option("High")
    page.locator("#finding-filter [name=outcome]").select_option("Missing")
    expected = [
        one for one in sample_results().findings if (one.severity, one.outcome) == ("high", "missing")
    ]
    assert visible_rows(page).count() == len(expected) > 0
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#finding-table tbody tr:not([hidden])")).to_have_count(total)


def test_sort_by_severity_and_back(visit, address):
    page = visit(address)
    header = page.locator("#finding-table thead th").first
    ranks = [view.finding.severity.rank for view in finding_views(sample_results())]
    for order, expected in (("ascending", sorted(ranks)), ("descending", sorted(ranks, reverse=True))):
        header.get_by_role("button").click()
        assert header.get_attribute("aria-sort") == order
        shown = [int(row.get_attribute("data-rank")) for row in visible_rows(page).all()]
        assert shown == expected


def test_the_state_is_in_the_address_and_comes_back_from_it(visit, address):
    page = visit(address)
    page.locator("#finding-filter [name=outcome]").select_option("Excess")
    page.locator("#finding-table thead th").nth(2).get_by_role("button").click()
    shared = page.url
    assert "outcome=Excess" in shared
    other = visit(shared)
    assert other.locator("#finding-filter [name=outcome]").input_value() == "Excess"
    assert visible_rows(other).all_inner_texts() == visible_rows(page).all_inner_texts()


def test_every_finding_has_a_link_that_leads_to_it(visit, address):
    page = visit(address)
    for view in finding_views(sample_results()):
        page.goto(f"{address}#{view.anchor}")
        card = page.locator(f"[id='{view.anchor}']")
        assert card.count() == 1
        assert card.evaluate("one => one.matches(':target')")
    links = page.eval_on_selector_all("a[href^='#']", "all => all.map(one => one.getAttribute('href').slice(1))")
    ids = set(page.eval_on_selector_all("[id]", "all => all.map(one => one.id)"))
    assert {link for link in links if link not in ids} == set()


def test_the_keyboard_reaches_everything(visit, address):
    page = visit(address)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the report"
    page.keyboard.press("Enter")
    assert page.url.endswith("#main")
    reached = set()
    for _ in range(120):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.name || document.activeElement.textContent.slice(0, 20)"))
    assert {"q", "severity", "outcome", "connection", "Severity"} <= reached


def test_without_script_everything_is_there(visit, address, long_address):
    page = visit(address, java_script_enabled=False)
    assert page.locator("#finding-table tbody tr:visible").count() == len(sample_results().findings)
    assert not page.locator("#finding-filter").is_visible()
    page = visit(long_address, java_script_enabled=False)
    rows = page.locator(".long-evidence noscript tbody tr")
    assert rows.count() == READS
    assert rows.last.is_visible()
    assert f"Role {READS - 1:04d} {NAMES} <b>&" in rows.last.inner_text()


def test_very_many_reads_are_paged_searched_and_sorted(visit, long_address):
    page = visit(long_address)
    box = page.locator(".long-evidence")
    status, rows = box.get_by_role("status"), box.locator("tbody tr[id]")
    assert status.inner_text() == f"{READS} of {READS} reads"
    assert rows.count() == 100
    box.get_by_role("button", name="Later").click()
    assert "Role 0100" in rows.first.inner_text()
    box.get_by_label("Search").fill(f"role 0123 {NAMES.lower()} <b>&")
    assert status.inner_text() == f"1 of {READS} reads"
    assert f"Role 0123 {NAMES} <b>&" in rows.first.inner_text()
    box.get_by_label("Search").fill("")
    box.get_by_label("Came back").select_option("not complete")
    assert status.inner_text() == f"{READS // 50} of {READS} reads"
    box.get_by_label("Came back").select_option("")
    header = box.locator("thead th").nth(3)
    for order, number in (("ascending", "0"), ("descending", "40")):
        header.get_by_role("button").click()
        assert header.get_attribute("aria-sort") == order
        assert rows.first.locator("td").nth(2).inner_text() == number
    assert box.locator("b").count() == 0


def test_a_link_to_one_of_very_many_reads_finds_it(visit, long_address):
    page = visit(f"{long_address}#evidence-contoso-exchange-321")
    assert page.locator("[id='evidence-contoso-exchange-321']").is_visible()
    page.locator("#unverified a[href^='#evidence-contoso-exchange-']").last.click()
    wanted = page.url.partition("#")[2]
    expect(page.locator(f"[id='{wanted}']")).to_be_attached()


@pytest.mark.parametrize("width", [400, 768, 1030, 1200, 1600])
@pytest.mark.parametrize("which", ["address", "long_address", "long_names_address", "readiness_address"])
def test_nothing_is_wider_than_the_window(visit, request, which, width):
    page = visit(request.getfixturevalue(which), viewport={"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    # the picture of the access scrolls by itself
    beyond = "all => all.filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.outerHTML.slice(0, 300))"
    assert page.eval_on_selector_all(".chart-box, .card, pre, section > table", beyond) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("which", ["address", "long_address", "readiness_address"])
def test_axe_finds_nothing(visit, request, which, scheme):
    for width in (1280, 400):
        page = visit(
            request.getfixturevalue(which), color_scheme=scheme, bypass_csp=True,
            viewport={"width": width, "height": 800},
        )
        found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
        violations = found.response["violations"]
        assert [(one["id"], [node["html"][:120] for node in one["nodes"]][:3]) for one in violations] == []


def test_dark_is_dark_and_print_is_without_controls(visit, address):
    page = visit(address, color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(18, 22, 28)"
    page = visit(address)
    page.emulate_media(media="print")
    for selector in ("#finding-filter", ".contents", ".skip"):
        assert not page.locator(selector).is_visible()
    assert page.locator("#findings .card").first.is_visible()


def test_the_policy_keeps_foreign_script_and_style_out(browser, address):
    context = browser.new_context()
    page = context.new_page()
    told = []
    page.on("console", lambda message: told.append(message.text))
    page.goto(address)
    page.evaluate(
        "document.body.insertAdjacentHTML('beforeend',"
        " '<img src=https://attacker.example/x.png onerror=\"document.title=1\"><p style=\"color:red\">x')"
    )
    page.evaluate("document.body.appendChild(document.createElement('script')).textContent = 'document.title = 2'")
    page.wait_for_timeout(200)
    title = page.title()
    context.close()
    assert "Contoso" in title
    assert sum("Content Security Policy" in message for message in told) >= 3
