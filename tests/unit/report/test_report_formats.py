from __future__ import annotations

import subprocess
import sys

import pytest
from sample_results import sample_results

from auditor.cli.options import DEFAULT_FORMATS
from auditor.errors import InvalidInput, RunFailed
from auditor.report import pdf
from auditor.report.formats import FORMATS, read_record, render, render_record
from auditor.report.pdf import PdfUnavailable, pdf_available, require_pdf
from auditor.report.results_json import write_results


@pytest.fixture
def record(tmp_path):
    path = tmp_path / "record.json"
    write_results(sample_results(), path)
    return path


@pytest.fixture
def failing_child(tmp_path, monkeypatch):
    """Return a function that puts a program in the renderer's place which ends as told."""

    def replace_interpreter(commands: str) -> None:
        program = tmp_path / "renderer"
        program.write_text(f"#!/bin/sh\n{commands}\n")
        program.chmod(0o700)
        monkeypatch.setattr(pdf.sys, "executable", str(program))

    return replace_interpreter


def test_each_format_writes_its_files(record, tmp_path):
    rendered = render(record, ["csv", "html", "json"], tmp_path / "out")
    assert {one.format: [path.name for path in one.files] for one in rendered} == {
        "json": ["results.json"],
        "html": ["report.html"],
        "csv": ["findings.csv", "matrix.csv"],
    }
    assert all(path.stat().st_size for one in rendered for path in one.files)
    assert (tmp_path / "out" / "results.json").read_bytes() == record.read_bytes()


def test_an_unknown_format_is_refused_with_the_known_ones_before_anything_is_written(record, tmp_path):
    with pytest.raises(InvalidInput, match="json, html, csv, xlsx, md, junit, ocsf, proposal, pdf, appendix") as caught:
        render(record, ["html", "docx", "odt"], tmp_path / "out")
    assert len(caught.value.problems) == 2
    assert not (tmp_path / "out").exists()


def test_a_file_that_is_no_record_is_refused_before_anything_is_written(tmp_path):
    (tmp_path / "record.json").write_text("{}")
    with pytest.raises(InvalidInput):
        render(tmp_path / "record.json", ["html"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_output_that_cannot_be_written_fails_the_run(record, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "report.html").mkdir()
    with pytest.raises(RunFailed, match=r"report\.html cannot be written"):
        render(record, ["html"], tmp_path / "out")
    with pytest.raises(RunFailed, match="cannot be made"):
        render(record, ["html"], record)


def test_a_record_that_is_altered_while_it_is_rendered_is_not_rendered(record, tmp_path):
    read = read_record(record)
    record.write_bytes(record.read_bytes() + b"\n")
    with pytest.raises(RunFailed, match=r"record\.json was altered"):
        render_record(read, ["json"], tmp_path / "out")


def test_the_pdf_comes_last_so_that_its_absence_costs_no_other_format(record, tmp_path, failing_child):
    failing_child("echo \"cannot load library 'libgobject-2.0-0'\" >&2; exit 3")
    with pytest.raises(PdfUnavailable, match="libgobject") as caught:
        render(record, list(FORMATS), tmp_path / "out")
    for system in ("apt-get install", "dnf install", "apk add", "brew install"):
        assert system in str(caught.value)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "findings.csv",
        "junit.xml",
        "matrix.csv",
        "ocsf.jsonl",
        "proposals",
        "report.html",
        "results.json",
        "summary.md",
        "workbook.xlsx",
    ]


def test_a_crash_for_want_of_fonts_is_told_apart_from_one_for_want_of_memory(failing_child):
    failing_child("kill -SEGV $$")
    with pytest.raises(PdfUnavailable, match="no font"):
        require_pdf()
    assert not pdf_available()
    failing_child("kill -KILL $$")
    with pytest.raises(RunFailed, match="memory") as caught:
        require_pdf()
    assert not isinstance(caught.value, PdfUnavailable)


def test_a_failing_record_gives_its_last_line(failing_child):
    failing_child("echo Traceback >&2; echo 'ValueError: bad' >&2; exit 1")
    with pytest.raises(RunFailed, match="could not be made: ValueError: bad"):
        require_pdf()


def test_a_renderer_that_does_not_end_is_given_up(failing_child, monkeypatch):
    monkeypatch.setattr(pdf, "PROBE_TIMEOUT_S", 0.2)
    failing_child("exec sleep 30")
    with pytest.raises(RunFailed, match="given up"):
        require_pdf()


def test_no_heavy_library_is_loaded_before_a_format_needs_it():
    code = (
        "import sys, auditor.report.formats\n"
        "print({'jinja2', 'weasyprint', 'pandas', 'pikepdf', 'fontTools', 'xlsxwriter'} & set(sys.modules))"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed == "set()\n"


def test_every_format_but_the_volume_of_evidence_is_written_when_none_is_asked_for():
    assert tuple(FORMATS) == (*DEFAULT_FORMATS, "appendix")
