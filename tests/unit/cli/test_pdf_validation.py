"""veraPDF is asked where it is on the PATH; what it cannot say is not claimed. A stand-in answers for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auditor.history.manifest import write_manifest
from auditor.report import pdf_validation
from auditor.report.pdf_validation import validate_claim

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.cli.estate import Auditor


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "report.pdf").write_bytes(b"%PDF-1.7 composed")
    write_manifest(folder, "run")
    return folder


def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    program = tmp_path / "bin" / "verapdf"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")


@pytest.mark.parametrize(
    ("script", "code", "words"),
    [
        ('echo "PASS $3"; exit 0', 0, "conforms to the PDF/A"),
        ('echo "FAIL $3"; exit 1', 1, "does not conform"),
        ("exit 7", 0, "could not judge it (exit code 7)"),
        ('echo "FAIL $3"; exit 0', 0, "could not judge it (exit code 0)"),
        ("exit 0", 0, "could not judge it (exit code 0)"),
    ],
)
def test_what_it_says_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, auditor: Auditor, run: Path, script: str, code: int, words: str
) -> None:
    stand_in(tmp_path, monkeypatch, f"printf '%s\\n' \"$@\" > {tmp_path}/asked\n{script}")
    monkeypatch.setattr("auditor.report.signature.is_signed", lambda _: False)
    finished = auditor("verify", run)
    assert finished.code == code
    assert words in finished.out + finished.err
    assert (tmp_path / "asked").read_text().splitlines() == ["--format", "text", str(run / "report.pdf")]


def test_without_it_nothing_is_claimed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, auditor: Auditor, run: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("auditor.report.signature.is_signed", lambda _: False)
    finished = auditor("verify", run)
    assert finished.code == 0
    assert "PDF/A" not in finished.out + finished.err


def test_one_that_does_not_end_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Path) -> None:
    stand_in(tmp_path, monkeypatch, "exec sleep 30")
    monkeypatch.setattr(pdf_validation, "TIMEOUT_S", 0.2)
    assert validate_claim(run / "report.pdf") == (None, "veraPDF could not judge it (TimeoutExpired)")
