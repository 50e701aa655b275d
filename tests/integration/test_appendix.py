"""The second volume: every read, made in parts and joined."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pikepdf
import pikepdf.pdfa
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit" / "report"))

from sample_results import HOSTILE, NAMES, clean_results, sample_results

from auditor.report import appendix
from auditor.report.appendix import appendix_documents, render_appendix
from auditor.report.fonts import FONTS

pytestmark = [
    pytest.mark.pdf,
    pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler-utils is not installed"),
]

DIGEST = "0" * 64


def many(count):
    """Return the sample with so many reads, each told from the others by its subject; composed for these tests."""
    sample = sample_results()
    connection = sample.connections[1]
    source = connection.sources[0]
    sources = tuple(
        replace(source, subject=f"Subject-{number:05d} {NAMES}", query={"Identity": HOSTILE[number % len(HOSTILE)]})
        for number in range(count)
    )
    return replace(sample, connections=(replace(connection, sources=sources),))


@pytest.fixture
def small_parts(monkeypatch):
    monkeypatch.setattr(appendix, "ROWS_PER_PART", 20)


@pytest.fixture
def volume(small_parts, tmp_path):
    path = tmp_path / "appendix.pdf"
    path.write_bytes(render_appendix(many(50), DIGEST))
    return path


def text_of(path):
    return subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, check=True).stdout.decode()


def test_every_read_is_there_once_in_its_order(volume):
    assert re.findall(r"Subject-(\d{5})", text_of(volume)) == [f"{number:05d}" for number in range(50)]


def test_parts_say_what_they_hold_and_are_bookmarked(volume):
    with pikepdf.open(volume) as document, document.open_outline() as outline:
        titles = [item.title for item in outline.root]
        assert len(document.pages) >= 3
    assert titles == [
        "Evidence, part 1 of 3: reads 1 to 20 of 50",
        "Evidence, part 2 of 3: reads 21 to 40 of 50",
        "Evidence, part 3 of 3: reads 41 to 50 of 50",
    ]
    text = " ".join(text_of(volume).split())
    assert DIGEST in text
    assert "page 1 of 1" in text
    assert NAMES in text
    assert not re.search("[\u202e\u200b\u0007漢]", text)


def test_only_bundled_fonts_are_in_it(volume):
    listing = subprocess.run(["pdffonts", volume], capture_output=True, text=True, check=True).stdout
    names = {line.split()[0].partition("+")[2].removesuffix("-Semi-Bold") for line in listing.splitlines()[2:]}
    assert names <= {font.family.replace(" ", "-") for font in FONTS}


def test_the_same_record_gives_the_same_bytes(volume):
    assert render_appendix(many(50), DIGEST) == volume.read_bytes()


def test_it_is_sound_and_holds_what_pdf_a_3_asks_for(volume):
    assert subprocess.run(["qpdf", "--check", volume], capture_output=True, check=False).returncode == 0
    report = pikepdf.pdfa.validate_written(volume, "3b")
    # the claim is 3u, which asks for more than 3b; the tool knows 3b
    assert {finding.rule for finding in report.violations} <= {"ISO_19005_3:6.6.4-3"}
    with pikepdf.open(volume) as document, document.open_metadata() as metadata:
        assert metadata.pdfa_status == "3U"


def test_a_run_without_any_read_gives_a_volume_that_says_so():
    sample = clean_results()
    empty = replace(sample, connections=(replace(sample.connections[0], sources=()),))
    (document,) = appendix_documents(empty, DIGEST)
    assert "reads 0 to 0 of 0" in document
    with pikepdf.open(io.BytesIO(render_appendix(empty, DIGEST))) as volume:
        assert len(volume.pages) == 1


def test_hostile_text_adds_no_element():
    (document,) = appendix_documents(many(len(HOSTILE)), DIGEST)
    assert "<script" not in document
    assert "<img" not in document
    assert "&lt;script&gt;" in document
