"""Hostile text in every field of the record, in every format: harmless, and visible."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import openpyxl
import pikepdf
import pytest
from jsonschema import Draft202012Validator
from markdown_it import MarkdownIt
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit" / "report"))

from page import Page
from sample_results import sample_results

from auditor.report.fonts import FONTS
from auditor.report.formats import FORMATS, render
from auditor.report.results_json import parse_results, results_bytes, results_schema
from auditor.report.visible_text import is_deceptive

HOSTILE = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "</style><script>alert(1)</script>", "<!-- -->",
    "]]>", "&lt;b&gt;", "\"'><svg onload=alert(1)>", "javascript:alert(1)", "{{ 7*7 }}", "{% raw %}", "${7*7}",
    "=HYPERLINK(\"http://attacker.example/\")", "+1+1", "-1+1", "@SUM(1,1)", "\t=1+1", "\r=1+1", "=cmd|' /C calc'!A0",
    "gnp\u202eexe.txt", "a\u2066b\u2069", "a\u200bb", "a\u200db", "\ufeffa", "a\u00adb", "a\u00a0b", "a\u2028b\u2029c",
    "a\x00b", "a\x07\x1b[31mb", "a\nb", "a\r\nb", "\ud800", "\ue000", "\ufffe", "\U000e0041", "漢字", "🦄",
    "e\u0301\u0323",
    "[a](http://attacker.example)", "![a](http://attacker.example/x.png)", "`a` | b", "@everyone #1", "<@U123>",
    "http://attacker.example/", "../../../etc/passwd", "%00%2e%2e", "'; DROP TABLE x; --", "$(rm -rf /)", "%s%n{0}",
    " leading", "trailing ", "x" * 5000, "a," * 300, "",
)  # fmt: skip

# Fields whose values are words of the contract or are computed, never text from a source
CLOSED = re.compile(
    r"schema_version|(run\.)?kind|.*_at|first_seen|verdict|outcome|severity|basis|status|drift|fail_on|.*sha256"
    r"|error_kind|subject|state|plane|how|accepted_fingerprint|created|expires"
)


def poisoned(value, names, place=()):
    """Return a JSON value with every open text replaced by another hostile one, equal texts by equal ones."""
    if isinstance(value, dict):
        return {name: poisoned(one, names, (*place, name)) for name, one in value.items()}
    if isinstance(value, list):
        return [poisoned(one, names, place) for one in value]
    is_open = not CLOSED.fullmatch(place[-1]) or place[-2:] == ("sources", "subject")
    if isinstance(value, str) and is_open:
        number = names.setdefault(value, len(names))
        text = HOSTILE[number % len(HOSTILE)]
        return f"{text}{number}" if number % 3 else f"{number}{text}"
    return value


@pytest.fixture(scope="module")
def names():
    return {}


@pytest.fixture(scope="module")
def record(names):
    plain = json.loads(results_bytes(sample_results()))
    for round_number in range(3):  # so that every field meets many of them
        plain["findings"] += [
            {**finding, "key": f"{finding['key']}{round_number}", "title": f"{finding['title']} {round_number}"}
            for finding in plain["findings"][:9]
        ]
    return parse_results(json.dumps(poisoned(plain, names)).encode(), Path("record.json"))


@pytest.fixture(scope="module")
def folder(record, tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "record.json").write_bytes(results_bytes(record))
    render(folder / "record.json", list(FORMATS), folder / "out")
    return folder / "out"


def deceptive(text, allowed="\n"):
    return {f"U+{ord(one):04X}" for one in set(text) - set(allowed) if is_deceptive(one)}


def test_the_list_is_long_and_every_string_of_it_is_in_the_record(record, names):
    assert record.findings
    assert len(HOSTILE) >= 30
    assert len(names) >= len(HOSTILE)


def test_every_format_was_written_and_stays_in_its_folder(folder):
    written = {path.name for path in folder.iterdir()}
    assert {
        "results.json", "report.html", "findings.csv", "matrix.csv", "workbook.xlsx", "summary.md", "junit.xml",
        "ocsf.jsonl", "report.pdf", "appendix.pdf",
    } <= written
    proposals = [path.relative_to(folder) for path in folder.glob("proposals/**/*")]
    assert len(proposals) == len(sample_results().connections)
    assert sorted(path.name for path in folder.parent.iterdir()) == ["out", "record.json"]


def test_every_text_format_shows_what_it_holds(folder):
    for path in folder.rglob("*.*"):
        if path.suffix not in {".pdf", ".xlsx"}:
            assert deceptive(path.read_bytes().decode("utf-8")) == set(), path.name


def test_the_record_comes_back_as_it_went_in(folder, record):
    content = (folder / "results.json").read_bytes()
    assert parse_results(content, Path("results.json")) == record
    assert not list(Draft202012Validator(results_schema()).iter_errors(json.loads(content)))


def test_html_has_no_element_or_attribute_of_theirs(folder):
    page = Page((folder / "report.html").read_text(encoding="utf-8"))
    for tag, attributes in page.elements:
        assert tag not in {"img", "iframe", "object", "embed", "link", "base", "b"}
        assert not [name for name in attributes if name.startswith("on") or name in {"src", "srcset", "style"}]
        assert attributes.get("href", "#").startswith("#")
    assert [tag for tag, _ in page.elements].count("script") == 1
    assert "<script>alert(1)</script>" in page.text
    assert "U+202E" in page.text


@pytest.mark.parametrize("name", ["report.pdf", "appendix.pdf"])
def test_pdf_runs_and_fetches_nothing_and_shows_everything(folder, name):
    text = subprocess.run(["pdftotext", folder / name, "-"], capture_output=True, check=True).stdout.decode()
    assert deceptive(text, "\n\f") == set()
    assert "U+202E" in text
    listing = subprocess.run(["pdffonts", folder / name], capture_output=True, text=True, check=True).stdout
    fonts = {line.split()[0].partition("+")[2].removesuffix("-Semi-Bold") for line in listing.splitlines()[2:]}
    assert fonts <= {font.family.replace(" ", "-") for font in FONTS}
    with pikepdf.open(folder / name) as document:
        for one in document.objects:
            if isinstance(one, pikepdf.Dictionary):
                assert not {"/JS", "/JavaScript", "/Launch", "/URI", "/OpenAction", "/AA"} & set(one.keys())


@pytest.mark.parametrize("name", ["findings.csv", "matrix.csv"])
def test_csv_has_no_formula(folder, name, record):
    rows = list(csv.reader(io.StringIO((folder / name).read_text(encoding="utf-8"), newline="")))
    assert len({len(row) for row in rows}) == 1
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    if name == "findings.csv":
        assert len(rows) == len(record.findings) + 1


def test_workbook_has_text_and_numbers_alone(folder):
    book = openpyxl.load_workbook(folder / "workbook.xlsx")
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type in {"s", "n"}
                assert cell.hyperlink is None
                assert not deceptive(str(cell.value))


def test_markdown_makes_no_link_image_or_html(folder):
    text = (folder / "summary.md").read_text(encoding="utf-8")
    html = MarkdownIt("commonmark", {"html": True, "linkify": True}).enable(["table", "strikethrough"]).render(text)
    tags: set[str] = set()

    class Tags(HTMLParser):
        def handle_starttag(self, tag, attrs):
            tags.add(tag)

    Tags().feed(html)
    assert tags <= {"h1", "h2", "p", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "strong", "code"}
    outside = re.sub(r"<code>.*?</code>", "", html)
    assert not re.search(r"@\w|#\d|://|:\w+:", outside)


def test_junit_is_sound(folder):
    root = ET.parse(folder / "junit.xml").getroot()
    assert root.tag == "testsuites"


def test_ocsf_lines_are_of_the_published_schema(folder):
    schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(version="1.5.0"))
    validator = Draft202012Validator(schema.get_class_schema(class_name="compliance_finding", profiles=[]))
    for line in (folder / "ocsf.jsonl").read_text(encoding="ascii").split("\n")[:-1]:
        assert [error.message for error in validator.iter_errors(json.loads(line))] == []
