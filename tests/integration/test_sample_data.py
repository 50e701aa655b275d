"""The sample shows what its README says, stays as recorded, and can be recorded again."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from auditor.inventory.load import load_inventory
from auditor.matrix.load import known_profiles
from auditor.model.instants import format_instant, parse_instant
from tests.lab.estate import LAB_PASSWORD
from tests.lab.machine import LabUnavailable
from tests.microsoft365.tenant import default_auditor
from tests.sample.directory import LOCATIONS
from tests.sample.record import SAMPLE_DATA, record
from tests.sample.tenants import IN_CONTOSO, IN_FABRIKAM

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

INVENTORY = SAMPLE_DATA / "inventory.yaml"
NOW = "2026-11-28T09:30:00Z"
MEBIBYTE = 1024 * 1024
IN_THE_MATRIX = ("missing", "partial", "excess")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Outcomes in the order of the report. Findings of the matrix are all there are, others must be among them."""

    verdict: str
    outcomes: str
    findings: tuple[str, ...] = ()


EXPECTED = {
    "hybrid-headquarters": Expected(
        verdict="compliant",
        outcomes="M7 satisfied, M8 satisfied, M8 satisfied, M9 satisfied",
        findings=("AD-GRP-003 advisory",),
    ),
    "hybrid-lodz": Expected(
        verdict="non_compliant",
        outcomes="M7 satisfied, M8 missing, M9 satisfied",
        findings=("AD-DEL-001 missing", "AD-GRP-003 advisory"),
    ),
    "hybrid-athens": Expected(
        verdict="non_compliant",
        outcomes="M7 missing, M8 satisfied, M9 satisfied",
        findings=("AD-GRP-001 missing",),
    ),
    "hybrid-munich": Expected(
        verdict="non_compliant",
        outcomes="M7 satisfied, M8 partial, M8 partial, M9 satisfied",
        findings=(
            "AD-DEL-001 partial", "AD-DEL-001 partial", "AD-GRP-005 excess", "AD-DEL-010 advisory",
            *(f"AD-DEL-{number} missing" for number in ("002", "003", "004", "004", "005", "006", "007", "008")),
            "AD-DEL-009 missing", "AD-DEL-013 missing", "AD-DEL-016 partial", "AD-DEL-018 partial",
        ),
    ),
    "hybrid-varna": Expected(
        verdict="non_compliant",
        outcomes="M7 satisfied, M8 satisfied, M9 satisfied",
        findings=("AD-GRP-004 excess", "AD-GRP-005 excess", "AD-GRP-005 excess", "AD-GRP-006 advisory"),
    ),
    "hybrid-dublin": Expected(
        verdict="inconclusive",
        outcomes="M7 satisfied, M8 satisfied, M8 unverifiable, M9 satisfied, M9 unverifiable",
        findings=("AD-DEL-001 unverifiable", "AD-COL-002 unverifiable"),
    ),
    "hybrid-fabrikam": Expected(
        verdict="non_compliant",
        outcomes="M7 satisfied, M8 satisfied, M8 missing, M9 satisfied",
        findings=("AD-DEL-001 missing", "AD-DEL-019 missing", "AD-ACC-007 advisory"),
    ),
    "exchange-headquarters": Expected(
        verdict="compliant",
        outcomes="M1 satisfied, M2 satisfied, M3 satisfied, M4 satisfied, M5 satisfied, M6 satisfied",
    ),
    "exchange-lodz": Expected(
        verdict="non_compliant",
        outcomes="M1 missing, M2 satisfied, M3 satisfied, M4 satisfied, M5 partial, M6 satisfied",
        findings=("EXO-002 missing", "EXO-001 partial"),
    ),
    "exchange-athens": Expected(
        verdict="non_compliant",
        outcomes="M1 satisfied, M2 missing, M3 satisfied, M4 missing, M5 satisfied, M6 satisfied",
        findings=("EXO-003 missing", "ENT-001 missing"),
    ),
    "exchange-munich": Expected(
        verdict="non_compliant",
        outcomes="M1 satisfied, M2 satisfied, M3 satisfied, M4 satisfied, M5 missing, M6 satisfied",
        findings=("EXO-001 missing", "EXO-016 advisory"),
    ),
    "exchange-varna": Expected(
        verdict="non_compliant",
        outcomes="M1 partial, M2 partial, M3 partial, M4 satisfied, M5 satisfied, M6 satisfied",
        findings=("EXO-002 partial", "EXO-003 partial", "EXO-004 partial", "ENT-026 advisory"),
    ),
    "exchange-migration": Expected(
        verdict="non_compliant",
        outcomes="M1 satisfied, M2 satisfied, M3 satisfied, M4 satisfied, M5 satisfied, M6 satisfied",
        findings=("EXO-010 excess", "ENT-015 advisory"),
    ),
    "exchange-fabrikam": Expected(
        verdict="inconclusive",
        outcomes="M1 unverifiable, M2 unverifiable, M3 unverifiable, M4 satisfied, M5 unverifiable, M6 unverifiable",
        findings=("EXO-003 unverifiable", "ENT-005 unverifiable", "META-001 unverifiable"),
    ),
}


@pytest.fixture(scope="module")
def sample_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Judge the sample with `auditor run`, as its README says, and return the run folder."""
    return _run(INVENTORY, tmp_path_factory.mktemp("sample"), "json,html")


@pytest.fixture(scope="module")
def sample_results(sample_run: Path) -> dict[str, Any]:
    """Return the record of that run."""
    return _results(sample_run)


def _run(inventory: Path, output: Path, formats: str = "json", *, now: str = NOW) -> Path:
    options = ["-q", "-c", str(inventory), "-o", str(output), "-f", formats, "--now", now]
    finished = _auditor("run", *options)
    assert finished.returncode == 1, finished.stderr
    return output / finished.stdout.strip()


def _auditor(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "auditor", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _results(folder: Path) -> dict[str, Any]:
    results: dict[str, Any] = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    return results


def _of(results: dict[str, Any], name: str) -> dict[str, Any]:
    return next(connection for connection in results["connections"] if connection["id"] == name)


def _findings(results: dict[str, Any], name: str) -> Counter[str]:
    return Counter(
        f"{finding['check']} {finding['outcome']}" for finding in results["findings"] if finding["connection"] == name
    )


def test_the_inventory_lists_every_recorded_connection() -> None:
    described = [each.id for each in (*LOCATIONS, *IN_CONTOSO, *IN_FABRIKAM)]
    listed = [entry.id for entry in load_inventory(INVENTORY, known_profiles()).connections]
    recorded = {folder.name for folder in (SAMPLE_DATA / "evidence").iterdir()}
    assert listed == described == list(EXPECTED)
    assert recorded == set(listed)


@pytest.mark.parametrize("name", EXPECTED)
def test_verdict_as_intended(sample_results: dict[str, Any], name: str) -> None:
    assert _of(sample_results, name)["verdict"] == EXPECTED[name].verdict


@pytest.mark.parametrize("name", EXPECTED)
def test_outcomes_as_intended(sample_results: dict[str, Any], name: str) -> None:
    rows = _of(sample_results, name)["requirements"]
    assert ", ".join(f"{row['id']} {row['outcome']}" for row in rows) == EXPECTED[name].outcomes


@pytest.mark.parametrize("name", EXPECTED)
def test_findings_as_intended(sample_results: dict[str, Any], name: str) -> None:
    found, expected = _findings(sample_results, name), Counter(EXPECTED[name].findings)
    assert expected <= found
    assert {each for each in found - expected if each.endswith(IN_THE_MATRIX)} == set()


def test_the_readme_tells_the_same_verdicts() -> None:
    table = (SAMPLE_DATA / "README.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| `([^`]+)` \| ([a-z-]+) \|", table, re.MULTILINE))
    assert told == {name: expected.verdict.replace("_", "-") for name, expected in EXPECTED.items()}
    assert f"--now {NOW}" in table


def test_waivers_stand_as_the_readme_tells(tmp_path: Path) -> None:
    options = ["-q", "-c", str(INVENTORY), "-o", str(tmp_path), "-f", "json", "--now", NOW]
    finished = _auditor("run", *options, "--waivers", str(SAMPLE_DATA / "waivers.yaml"))
    results = _results(tmp_path / finished.stdout.strip())
    states = {(each["connection"], each["check"]): each["state"] for each in results["waivers"]}
    assert states == {
        ("hybrid-munich", "AD-GRP-005"): "active",
        ("hybrid-fabrikam", "AD-CTL-001"): "expiring",
        ("exchange-migration", "EXO-010"): "expired",
    }
    assert results["summary"]["counts"]["waived"] == 2
    assert finished.returncode == 1


def test_names_are_shown_as_they_are_and_escaped_in_markup(sample_run: Path) -> None:
    html = (sample_run / "report.html").read_text(encoding="utf-8")
    for name in ("OU=Łódź", "Ελένη Παπαδοπούλου", "Ночная смена Юлии", "Zespół Łukasza Żółcia"):
        assert name in html
    assert "&lt;b&gt;H2R&lt;/b&gt; &amp; Łódź" in html
    assert "<b>H2R" not in html


def test_the_run_folder_is_what_its_manifest_records(sample_run: Path) -> None:
    finished = _auditor("verify", str(sample_run))
    assert finished.returncode == 0, finished.stdout


def test_the_same_instant_gives_the_same_bytes(sample_run: Path, tmp_path: Path) -> None:
    again = _run(INVENTORY, tmp_path, "json,html")
    assert (again / "results.json").read_bytes() == (sample_run / "results.json").read_bytes()


def test_altered_evidence_is_refused(tmp_path: Path) -> None:
    sample = shutil.copytree(SAMPLE_DATA, tmp_path / "sample")
    account = next((sample / "evidence" / "hybrid-lodz").glob("*-account.jsonl"))
    account.write_text(account.read_text(encoding="utf-8").replace("svc-h2r-lodz", "svc-h2r"), encoding="utf-8")
    finished = _auditor("run", "-c", str(sample / "inventory.yaml"), "-o", str(tmp_path / "out"))
    assert finished.returncode == 2
    assert "altered after collection" in finished.stderr


def test_the_sample_is_small_and_holds_no_secrets() -> None:
    files = [file for file in SAMPLE_DATA.rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) < 8 * MEBIBYTE
    secrets = (LAB_PASSWORD, default_auditor().secrets[0].value, "PRIVATE KEY", "access_token", "Bearer ")
    for file in files:
        text = file.read_text(encoding="utf-8")
        assert not [secret for secret in secrets if secret in text], file


@pytest.mark.directory
def test_recorded_again_it_is_judged_the_same(sample_results: dict[str, Any], tmp_path: Path) -> None:
    try:
        record(tmp_path)
    except LabUnavailable as reason:
        if os.environ.get("CI") == "true":
            pytest.fail(str(reason))
        pytest.skip(str(reason))
    inventory = shutil.copyfile(INVENTORY, tmp_path / "inventory.yaml")
    as_long_after = _recorded_at(tmp_path) + (parse_instant(NOW) - _recorded_at(SAMPLE_DATA))
    again = _results(_run(inventory, tmp_path / "runs", now=format_instant(as_long_after)))
    before, after = _judged(sample_results), _judged(again)
    assert (after - before, before - after) == (Counter(), Counter())


def _recorded_at(sample: Path) -> datetime:
    """Return when the first connection's first read began."""
    sources = sample / "evidence" / LOCATIONS[0].id / "sources.json"
    return parse_instant(json.loads(sources.read_text(encoding="utf-8"))["sources"][0]["started_at"])


def _judged(results: dict[str, Any]) -> Counter[str]:
    """Return requirements and findings, without what differs between two labs: addresses and the domain's SID."""
    rows = [
        f"{connection['id']} {row['id']} {row['scope']}: {row['outcome']} {row['how']} {row['paths']}"
        for connection in results["connections"]
        for row in connection["requirements"]
    ]
    findings = [
        f"{each['connection']} {each['check']} {each['entitlement']} {each['scope']}: {each['outcome']} "
        f"{each['severity']} {each['paths']}"
        for each in results["findings"]
    ]
    return Counter(map(_comparable, rows + findings))


def _comparable(text: str) -> str:
    return re.sub(r"S-1-5-21-\d+-\d+-\d+", "S-1-5-21-domain", re.sub(r"\b127\.0\.0\.\d+\b", "127.0.0.x", text))
