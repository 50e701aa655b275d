"""How fast reports are written and read: `python -m tests.bench.bench_report [ROWS]`.

With ROWS reads (20,000): the page in Chromium (load, filter, sort), the volume of evidence against Chromium printing
the same rows as a table, the workbook against the fastest writer of the same cells. With the sample of the tests: the
PDF and every other format, in seconds of processor time. Each line ends with what is wanted; exits with 1 when one is
not met.
"""

from __future__ import annotations

import hashlib
import io
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from functools import partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import xlsxwriter
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit" / "report"))

from sample_results import sample_results

from auditor.report import tables
from auditor.report.appendix import render_appendix
from auditor.report.formats import FORMATS, render
from auditor.report.results_json import write_results
from auditor.report.workbook import workbook_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from auditor.model.results import Results

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or ""
MEBIBYTE = 1024 * 1024
_failed: list[str] = []


def main() -> None:
    """Measure everything."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _measure_formats(folder)
        results = with_reads(rows)
        write_results(results, folder / "many.json")
        _measure_page(folder)
        _measure_workbook(results)
        _measure_volume(results, folder)
    sys.exit(bool(_failed))


def with_reads(rows: int) -> Results:
    """Return the sample with so many reads of one connection; composed for this benchmark."""
    sample = sample_results()
    connection = sample.connections[1]
    source = connection.sources[0]
    sources = tuple(
        replace(
            source,
            dataset="management_role_entries",
            subject=f"Custom role {number:05d}",
            endpoint="https://outlook.office365.com/adminapi/beta/contoso.onmicrosoft.com/InvokeCommand",
            query={"cmdlet": "Get-ManagementRoleEntry", "Identity": f"Custom role {number:05d}\\*"},
            started_at=f"2026-11-23T04:{number // 400 % 60:02d}:{number // 7 % 60:02d}.{number % 993:03d}Z",
            finished_at=f"2026-11-23T04:{number // 400 % 60:02d}:{number // 7 % 60:02d}.{number % 993 + 6:03d}Z",
            records=number % 40,
            sha256=hashlib.sha256(str(number).encode()).hexdigest(),
        )
        for number in range(rows)
    )
    return replace(sample, connections=(sample.connections[0], replace(connection, sources=sources)))


def _measure_formats(folder: Path) -> None:
    sample = sample_results()
    connection = sample.connections[0]
    one = replace(sample, connections=(connection,), summary=replace(sample.summary, counts=connection.counts))
    write_results(one, folder / "one.json")
    for name in (name for name in FORMATS if name != "appendix"):
        spent = _cpu_s(partial(render, folder / "one.json", [name], folder / "one"))
        _tell(f"one connection, {name}", spent, 4 if name == "pdf" else 1, "s of CPU")


def _measure_page(folder: Path) -> None:
    render(folder / "many.json", ["html"], folder)
    page_file = folder / "report.html"
    _tell("page, size", page_file.stat().st_size / 1e6, 5, "MB")
    form = "document.querySelector('.long-evidence form')"
    acts = {
        "filter": f"{form}.elements.q.value = 'role 0123'; {form}.dispatchEvent(new Event('input'))",
        "clear": f"{form}.elements.q.value = ''; {form}.dispatchEvent(new Event('input'))",
        "sort by read": "document.querySelectorAll('.long thead button')[0].click()",
        "sort by digest": "document.querySelectorAll('.long thead button')[6].click()",
    }
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        loads = []
        for _ in range(5):
            page.goto(page_file.as_uri())
            loads.append(page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd"))
        _tell("page, load", min(loads), 200, "ms")
        for name, act in acts.items():
            took = page.evaluate(
                f"() => {{ const t = performance.now(); {act}; return new Promise(done => "
                "requestAnimationFrame(() => setTimeout(() => done(performance.now() - t), 0))); }"
            )
            _tell(f"page, {name}", took, 200, "ms")
        browser.close()


def _measure_workbook(results: Results) -> None:
    ours = min(_cpu_s(lambda: workbook_bytes(results, "0" * 64)) for _ in range(3))
    table = tables.evidence_table(results)
    bare = min(_cpu_s(lambda: _write_bare(list(table.itertuples(index=False, name=None)))) for _ in range(3))
    _tell("workbook against the bare writer", ours / bare, 2, f"times ({ours:.2f} s and {bare:.2f} s of CPU)")


def _write_bare(rows: list[tuple[object, ...]]) -> None:
    workbook = xlsxwriter.Workbook(io.BytesIO(), {"constant_memory": True})
    sheet = workbook.add_worksheet()
    for number, row in enumerate(rows):
        for place, value in enumerate(row):
            if isinstance(value, int):
                sheet.write_number(number, place, value)
            else:
                sheet.write_string(number, place, str(value))
    workbook.close()


def _measure_volume(results: Results, folder: Path) -> None:
    started = time.perf_counter()
    render_appendix(results, "0" * 64)
    ours = time.perf_counter() - started
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / MEBIBYTE
    head, *rows = tables.evidence_table(results).itertuples(index=False, name=None)
    bodies = "".join(f"<tr>{''.join(f'<td>{escape(str(cell))}' for cell in row)}" for row in (head, *rows))
    rules = "@page{size:A4 landscape}td{font:7pt sans-serif;overflow-wrap:anywhere}table{table-layout:fixed}"
    page = f"<!DOCTYPE html><meta charset=utf-8><style>{rules}</style><table>{bodies}</table>"
    (folder / "volume.html").write_text(page, encoding="utf-8")
    started = time.perf_counter()
    subprocess.run(
        [
            CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer",
            f"--user-data-dir={folder}/profile", f"--print-to-pdf={folder}/volume.pdf", f"{folder}/volume.html",
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    theirs = time.perf_counter() - started
    _tell("volume against Chromium", ours / theirs, 0.6, f"times ({ours:.0f} s and {theirs:.0f} s)")
    _tell("volume, largest worker", largest, 400, "MiB")


def _cpu_s(work: Callable[[], object]) -> float:
    """Return the processor time of `work`, its child processes included."""
    before = _spent_s()
    work()
    return _spent_s() - before


def _spent_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _tell(what: str, value: float, most: float, unit: str) -> None:
    if value > most:
        _failed.append(what)
    mark = "" if value <= most else "   NOT MET"
    sys.stdout.write(f"{what}: {value:.2f} {unit}, at most {most:g}{mark}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
