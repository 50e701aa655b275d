from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pikepdf
import pikepdf.pdfa
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit" / "report"))

from sample_results import HOSTILE, LONG, NAMES, clean_results, sample_results

from auditor.report.fonts import FONTS
from auditor.report.formats import render
from auditor.report.pdf import UNAVAILABLE, pdf_available, render_pdf
from auditor.report.results_json import results_bytes
from auditor.report.review import Answer, Decision, review_items, review_record
from auditor.report.tables import csv_bytes, findings_table

pytestmark = [
    pytest.mark.pdf,
    pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler-utils is not installed"),
]


def child(task: str, content: bytes, **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "auditor.report.pdf_child", task]
    return subprocess.run(
        command,
        input=content,
        capture_output=True,
        check=False,
        timeout=120,
        env={**os.environ, **environment},
    )


@pytest.fixture(scope="module")
def pdf(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    (folder / "record.json").write_bytes(results_bytes(sample_results()))
    ((path,),) = [one.files for one in render(folder / "record.json", ["pdf"], folder)]
    return path


@pytest.fixture(scope="module")
def text(pdf) -> str:
    return subprocess.run(["pdftotext", str(pdf), "-"], capture_output=True, check=True).stdout.decode()


def test_this_machine_can_make_a_pdf():
    assert pdf_available()


def test_text_comes_out_as_it_was_put_in(text):
    assert f"Exchange Online {NAMES}" in " ".join(text.split())


def test_a_name_copied_from_the_pdf_has_nothing_invisible_in_it(text):
    assert "\u200b" not in text
    assert re.sub(r"\s", "", LONG) in re.sub(r"\s", "", text)


def test_hostile_text_is_spelled_out(text):
    assert "U+202E" in text
    assert "U+6F22 U+5B57" in text
    assert "<script>alert(1)</script>" in text
    assert not {"\u202e", "\u0007", "漢"} & set(text)


def test_the_same_record_gives_the_same_bytes(pdf):
    assert render_pdf(results_bytes(sample_results())) == pdf.read_bytes()


def test_fonts_of_the_machine_leave_no_trace(pdf, tmp_path):
    (tmp_path / "none.conf").write_text(
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">'
        f"<fontconfig><cachedir>{tmp_path}/cache</cachedir></fontconfig>"
    )
    done = child("render-en", results_bytes(sample_results()), FONTCONFIG_FILE=str(tmp_path / "none.conf"))
    assert done.stdout == pdf.read_bytes()


def test_every_font_is_a_bundled_one_and_embedded(pdf):
    listing = subprocess.run(["pdffonts", str(pdf)], capture_output=True, text=True, check=True).stdout
    bundled = {font.family.replace(" ", "-") for font in FONTS}
    for line in listing.splitlines()[2:]:
        name = line.split()[0].partition("+")[2].removesuffix("-Semi-Bold")
        assert name in bundled
        assert line.split()[-5:-2] == ["yes", "yes", "yes"]  # embedded, subset, with a map to text


def test_the_renderer_has_nothing_to_complain_about():
    done = child("render-en", results_bytes(sample_results()))
    assert (done.returncode, done.stderr.decode()) == (0, "")


def test_the_record_and_the_findings_are_attached_byte_for_byte(pdf):
    with pikepdf.open(pdf) as document:
        attached = {name: document.attachments[name].get_file().read_bytes() for name in document.attachments}
        relationships = [(str(one.UF), str(one.AFRelationship)) for one in document.Root.AF]
        names = [str(one) for one in document.Root.Names.EmbeddedFiles.Names[::2]]
        dates = {str(one.EF.F.Params.ModDate) for one in document.Root.AF}
    assert attached == {
        "findings.csv": csv_bytes(findings_table(sample_results())),
        "results.json": results_bytes(sample_results()),
    }
    assert sorted(relationships) == [("findings.csv", "/Data"), ("results.json", "/Source")]
    assert names == sorted(names)
    assert dates == {"D:20261123040642Z"}


def test_it_claims_pdf_a_3a_and_dates_itself_by_the_evaluation(pdf):
    with pikepdf.open(pdf) as document:
        with document.open_metadata() as metadata:
            assert metadata.pdfa_status == "3A"
            assert metadata["xmp:CreateDate"] == "2026-11-23T04:06:42.000Z"
        assert str(document.docinfo.CreationDate).startswith("D:20261123040642")
        assert str(document.Root.Lang) == "en"
        assert document.Root.MarkInfo.Marked
        assert document.Root.OutputIntents
        assert "/OpenAction" not in document.Root
        assert "/JavaScript" not in document.Root.Names


def test_a_validator_finds_nothing_that_pdf_a_3b_forbids(pdf):
    """It knows level b; the file claims level a, which asks for more, and whose tags have tests of their own."""
    report = pikepdf.pdfa.validate_written(pdf, "3b")
    assert {finding.rule for finding in report.violations} == {"ISO_19005_3:6.6.4-3"}  # the claim is a, not b
    # what the validator does not know it does not judge: patterns and shadings, which are not used
    assert {finding.rule for finding in report.unsupported} <= {"pikepdf:schema-Resources"}


def test_it_is_sound_has_bookmarks_and_numbers_its_pages(pdf, text):
    assert subprocess.run(["qpdf", "--check", str(pdf)], capture_output=True, check=False).returncode == 0
    with pikepdf.open(pdf) as document:
        with document.open_outline() as outline:
            titles = [item.title for item in outline.root]
        pages = len(document.pages)
    assert titles[0] == "Contents"
    assert titles[-1] == "Sign-off"
    assert f"Page {pages} of {pages}" in text


def test_the_contents_name_the_pages_where_the_sections_are_and_no_page_is_empty(pdf):
    done = subprocess.run(["pdftotext", "-layout", str(pdf), "-"], capture_output=True, check=True)
    pages = [" ".join(page.split()) for page in done.stdout.decode().split("\f")[:-1]]
    contents = re.findall(r"([A-Z][^.]*?) ?\.{3,} ?(\d+)", pages[1].partition("Contents Contents ")[2])
    assert [title for title, _ in contents][:2] == ["What changed", "Summary"]
    assert len(contents) >= 11
    for title, number in contents:
        page = pages[int(number) - 1]
        assert title in page
        assert page.endswith(f"Page {number} of {len(pages)}")
    assert [number for number, page in enumerate(pages, start=1) if len(page) < 150] == []


@pytest.mark.parametrize("language", ["en", "de"])
def test_names_of_any_length_leave_heads_on_one_line_and_every_column_within_the_margins(tmp_path, language):
    sample = sample_results()
    connections = tuple(replace(each, name=f"{'Ж' * 140} {each.name}") for each in sample.connections)
    long = replace(sample, connections=connections, run=replace(sample.run, organisation="Ź" * 120))
    (tmp_path / "report.pdf").write_bytes(render_pdf(results_bytes(long), language))
    command = ["pdftotext", "-bbox", tmp_path / "report.pdf", "-"]
    pages = subprocess.run(command, capture_output=True, check=True).stdout.decode().split("<page ")[1:]
    for page in pages:
        width = float(re.search(r'width="([\d.]+)"', page)[1])
        words = [
            (float(left), float(top), float(right), text)
            for left, top, right, text in re.findall(
                r'<word xMin="([-\d.]+)" yMin="([-\d.]+)" xMax="([-\d.]+)" yMax="[-\d.]+">(.*?)</word>', page
            )
        ]
        margin = 16 / 25.4 * 72  # points; that of the upright pages is wider
        assert [text for left, _, right, text in words if left < margin - 1 or right > width - margin + 1] == []
        heads = {round(top) for _, top, _, text in words if set(text) <= set("ŹЖ…") and top < 55}
        assert len(heads) <= 1


def test_what_could_not_be_read_is_said_on_the_first_page(pdf):
    done = subprocess.run(["pdftotext", "-l", "1", str(pdf), "-"], capture_output=True, check=True)
    first = " ".join(done.stdout.decode().split())
    assert first.index("Something could not be read.") < first.index("Audited account")


def test_every_figure_has_a_description_with_its_numbers(pdf):
    with pikepdf.open(pdf) as document:
        figures = [
            one
            for one in document.objects
            if isinstance(one, pikepdf.Dictionary) and one.get("/S") == "/Figure"
        ]
        described = [str(one.get("/Alt", "")) for one in figures]
    pictures = [text for text in described if " reaches: " in text]
    hybrid = "1 documented, 2 excess, 1 baseline, 1 partial, 1 missing, 1 unverifiable"
    assert pictures == [
        f"What svc-h2r@corp.example.com reaches: {hybrid}",
        "What svc-h2r@contoso.com reaches: 1 documented, 1 excess",
    ]
    assert Counter(text for text in described if text not in pictures) == {
        "Requirements by outcome: Satisfied 5, Partial 1, Missing 2, Unverifiable 2, Not applicable 1": 1,
        "Standing findings by severity: Critical 2, High 3, Medium 1, Low 1, Info 1": 1,
        "Requirements by outcome over the runs: 4 runs, oldest first; Satisfied 7, 8, 9, 5; Partial 1, 1, 1, 1; "
        "Missing 3, 2, 1, 2; Unverifiable 1, 1, 1, 2; Not applicable 0, 0, 0, 1": 1,
    }


def test_the_german_one_says_so_and_numbers_its_pages_in_german(tmp_path):
    path = tmp_path / "report.pdf"
    path.write_bytes(render_pdf(results_bytes(clean_results()), "de"))
    with pikepdf.open(path) as document:
        assert str(document.Root.Lang) == "de"
        pages = len(document.pages)
    text = subprocess.run(["pdftotext", str(path), "-"], capture_output=True, check=True).stdout.decode()
    assert f"Seite {pages} von {pages}" in text
    assert "Konform" in text


def test_a_record_without_findings_renders():
    with pikepdf.open(io.BytesIO(render_pdf(results_bytes(clean_results())))) as document:
        assert len(document.pages) >= 3


def test_hostile_text_everywhere_does_not_stop_the_rendering():
    sample = sample_results()
    text = " ".join(HOSTILE) + "\u202e," * 100 + "x" * 1000
    hostile = replace(
        sample,
        findings=tuple(
            replace(finding, actual=text, title=text, paths=((text,) * 2,)) for finding in sample.findings
        ),
    )
    assert render_pdf(results_bytes(hostile)).startswith(b"%PDF-1.7")


def test_only_bundled_fonts_are_fetched(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("not to be read")
    code = (
        "import sys\n"
        "from auditor.report.pdf_child import _write_pdf\n"
        f"html = '<html lang=en><title>t</title><link rel=attachment href={secret.as_uri()}>'\n"
        f"html += '<img alt=a src={secret.as_uri()}><img alt=b src=data:text/plain,x><p>Probe'\n"
        "sys.stdout.buffer.write(_write_pdf(html, '', []))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, timeout=60)
    assert b"is not a bundled font" in done.stderr
    with pikepdf.open(io.BytesIO(done.stdout)) as document:
        assert not document.attachments


def test_a_missing_library_has_an_exit_code_of_its_own(tmp_path):
    (tmp_path / "weasyprint.py").write_text(
        "raise OSError(\"cannot load library 'libgobject-2.0-0'\\nand more\")"
    )
    done = child("probe", b"", PYTHONPATH=str(tmp_path))
    assert done.returncode == UNAVAILABLE
    assert done.stderr.decode().splitlines()[-1] == "cannot load library 'libgobject-2.0-0'"


def test_a_character_without_a_glyph_is_refused_and_not_drawn_as_an_empty_box():
    code = (
        "from auditor.report.pdf_child import _write_pdf\n"
        "_write_pdf('<html lang=en><title>t</title><p>\U0001f9ff', '', [])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, timeout=60)
    assert done.returncode == 1
    assert b".notdef" in done.stderr.splitlines()[-1]


def test_it_shows_and_carries_what_was_decided(tmp_path):
    results = sample_results()
    content = results_bytes(results)
    item = review_items(results.connections)[0]
    answer = Answer(item=item, decision=Decision.REMOVE, reviewer="Rosa Reviewer", date="2026-11-24", ticket="CHG-4711")
    digest = hashlib.sha256(content).hexdigest()
    reviews = json.dumps([review_record(results, digest, (answer,), "2026-11-25T09:00:00Z", "someone")]).encode()
    (tmp_path / "report.pdf").write_bytes(render_pdf(content, "en", reviews))
    command = ["pdftotext", "-layout", tmp_path / "report.pdf", "-"]
    text = subprocess.run(command, capture_output=True, check=True).stdout
    assert b"Rosa" in text
    assert b"CHG-4711" in text
    with pikepdf.open(tmp_path / "report.pdf") as document:
        assert document.attachments["reviews.json"].get_file().read_bytes() == reviews
