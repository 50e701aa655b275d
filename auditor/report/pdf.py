"""The report as PDF, made in a child process of its own.

The child may crash where Python cannot catch it (pango without any font ends in a segmentation
fault), may run away on hostile layout, and runs without garbage collection, which more than halves
its time on long tables. None of that may touch the run.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import auditor
from auditor.errors import RunFailed

RENDER_TIMEOUT_S = 900
PROBE_TIMEOUT_S = 60
BETWEEN = b"\0"  # the record and the reviews on the child's standard input; no JSON text holds it
UNAVAILABLE = 3  # the child's exit code when a library cannot be loaded

INSTALL = """install pango and a font, then try again:
  Debian, Ubuntu  apt-get install -y --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 \
libharfbuzz-subset0 fonts-dejavu-core
  Fedora          dnf install -y pango dejavu-sans-fonts
  Alpine          apk add pango font-dejavu
  macOS           brew install pango"""


class PdfUnavailable(RunFailed):
    """This machine cannot make a PDF; every other format is unaffected. The message says what to install."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"a PDF cannot be made here: {reason}; {INSTALL}")


def render_pdf(results_content: bytes, language: str = "en", reviews: bytes = b"") -> bytes:
    """Return the PDF of a results.json and its reviews given byte for byte; equal records give equal bytes.

    Raises PdfUnavailable when this machine cannot make one, RunFailed when this record could not be
    rendered in time or in memory.
    """
    return _run_child(f"render-{language}", results_content + BETWEEN + reviews, RENDER_TIMEOUT_S)


def render_part(html: bytes) -> bytes:
    """Return the PDF of one part of the volume of evidence, whose HTML is given; raises as `render_pdf` does."""
    return _run_child("part", html, RENDER_TIMEOUT_S)


def require_pdf() -> None:
    """Raise PdfUnavailable unless this machine can make a PDF. Takes about a second."""
    _run_child("probe", b"", PROBE_TIMEOUT_S)


def pdf_available() -> bool:
    """Tell whether this machine can make a PDF."""
    try:
        require_pdf()
    except PdfUnavailable:
        return False
    return True


def _run_child(task: str, content: bytes, timeout_s: int) -> bytes:
    package_parent = str(Path(auditor.__file__).resolve().parents[1])
    # -P keeps the current folder off the child's import path: it may not be ours.
    command = [sys.executable, "-P", "-m", "auditor.report.pdf_child", task]
    try:
        child = subprocess.run(  # noqa: S603  # our own interpreter and module
            command,
            input=content,
            capture_output=True,
            timeout=timeout_s,
            check=False,
            env={**os.environ, "PYTHONPATH": package_parent},
        )
    except subprocess.TimeoutExpired as error:
        raise RunFailed(f"the PDF was not ready within {timeout_s} seconds and was given up") from error
    if child.returncode != 0:
        raise _failure(child.returncode, _last_line(child.stderr))
    return child.stdout


def _failure(code: int, last_line: str) -> RunFailed:
    if code == UNAVAILABLE:
        return PdfUnavailable(last_line)
    if code == -signal.SIGSEGV:
        return PdfUnavailable("pango crashed, which it does when no font is installed")
    if code < 0:
        return RunFailed(f"the PDF renderer was ended by signal {-code}, most likely for want of memory")
    return RunFailed(f"the PDF could not be made: {last_line}")


def _last_line(stderr: bytes) -> str:
    lines = stderr.decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else "the renderer gave no reason"
