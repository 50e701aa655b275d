from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit" / "report"))

from sample_results import sample_results

from auditor.report.formats import render
from auditor.report.results_json import write_results

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("report")
    write_results(sample_results(), folder / "record.json")
    render(folder / "record.json", ["html"], folder)
    return (folder / "report.html").as_uri()


def opened(address: str, profile: Path) -> tuple[str, str]:
    """Return the document after its script ran, and what the browser's console said."""
    done = subprocess.run(
        [
            CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
            "--enable-logging=stderr", f"--user-data-dir={profile}", "--dump-dom", address,
        ],
        capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    console = [line for line in done.stderr.decode("utf-8", "replace").splitlines() if "CONSOLE" in line]
    return done.stdout.decode(), "\n".join(console)


def shown_rows(dom: str) -> list[str]:
    body = dom.partition('id="finding-table"')[2].partition("</table>")[0]
    rows = [row for row in body.split("<tr ")[1:] if ' hidden=""' not in row.partition(">")[0]]
    return [row.partition('data-severity="')[2].partition('"')[0] for row in rows]


def test_the_page_opens_without_a_complaint_and_runs_nothing_hostile(address, tmp_path):
    dom, console = opened(address, tmp_path)
    assert console == ""
    assert "9 of 9 findings shown" in dom
    assert dom.count("<script") == 1
    assert "<img" not in dom


def test_the_filter_is_taken_from_the_address(address, tmp_path):
    dom, _ = opened(f"{address}#findings?severity=High&connection=connection-corp-hybrid", tmp_path)
    assert "2 of 9 findings shown" in dom
    assert shown_rows(dom) == ["High", "High"]


def test_the_search_is_taken_from_the_address(address, tmp_path):
    dom, _ = opened(f"{address}#findings?q=organization+management", tmp_path)
    assert shown_rows(dom) == ["Critical"]


def test_the_order_is_taken_from_the_address(address, tmp_path):
    dom, _ = opened(f"{address}#findings?sort=Severity&order=descending", tmp_path)
    shown = shown_rows(dom)
    assert (shown[0], shown[-1]) == ("Info", "Critical")
    assert 'aria-sort="descending"' in dom


def test_a_deep_link_leaves_the_table_unfiltered(address, tmp_path):
    key = sample_results().findings[0].key
    dom, _ = opened(f"{address}#finding-{key}", tmp_path)
    assert "9 of 9 findings shown" in dom
    assert f'id="finding-{key}"' in dom


def test_a_hostile_address_is_only_a_filter(address, tmp_path):
    dom, console = opened(
        f"{address}#findings?q=<img%20src=x%20onerror=alert(1)>&severity=zzz&sort=constructor", tmp_path
    )
    assert console == ""
    assert hashlib.sha256(dom.encode()).hexdigest()
    assert dom.count("<script") == 1
