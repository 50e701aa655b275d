"""A report that can leave the house: nothing in any file tells whose it is, and it says the same."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pikepdf
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
FORMATS = "json,html,csv,xlsx,md,junit,ocsf,proposal,pdf"

pytestmark = [
    pytest.mark.pdf,
    pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler-utils is not installed"),
]


def auditor(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "auditor", *map(str, arguments)],
        capture_output=True, text=True, check=False, cwd=REPOSITORY, env=os.environ,
    )


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    output = tmp_path_factory.mktemp("redacted")
    chosen = [part for name in ("hybrid-varna", "exchange-migration") for part in ("--connection", name)]
    done = auditor(
        "run", "-c", "sample_data/inventory.yaml", *chosen, "-o", output / "runs", "-f", "json",
        "--now", "2026-11-23T08:00:00Z",
    )
    original = Path(done.stdout.strip())
    done = auditor("report", original, "--redact", "-o", output / "away", "-f", FORMATS)
    assert done.returncode == 0, done.stderr
    return original, Path(done.stdout.strip())


def results_of(folder):
    return json.loads((folder / "results.json").read_bytes())


def texts(folder):
    """Yield the name and the text of every file, with what is inside workbooks and PDFs."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield str(path.relative_to(folder)), path.read_bytes().decode("utf-8", "replace")
        if path.suffix == ".xlsx":
            with zipfile.ZipFile(path) as package:
                for name in package.namelist():
                    yield f"{path.name}/{name}", package.read(name).decode("utf-8", "replace")
        if path.suffix == ".pdf":
            yield path.name, subprocess.run(["pdftotext", path, "-"], capture_output=True, check=True).stdout.decode()
            with pikepdf.open(path) as document:
                yield f"{path.name} properties", str(dict(document.docinfo))
                for name in document.attachments:
                    yield f"{path.name}/{name}", document.attachments[name].get_file().read_bytes().decode()


def identifying(results):
    """Return what tells whose record it is: of the organisation, the accounts, the directory, the tenant."""
    words = {results["run"]["organisation"], results["run"]["host"]}
    for connection in results["connections"]:
        words |= {connection["id"], connection["name"]}
        principal = connection["principal"]
        words |= {principal["name"], principal["dn"], principal["object_id"]} - {None}
        if principal["sid"]:
            words.add(principal["sid"].rpartition("-")[0])
        words |= set(re.findall(r"(?<=OU=)[^,]+", json.dumps(connection["configuration"], ensure_ascii=False)))
        words |= {one["name"] for one in connection["entitlements"] if one["status"] == "excess"}
    return {word for word in words if len(word) > 3} - {"Backup Operators", "Organization Management"}


def test_nothing_tells_whose_it_is(runs):
    original, redacted = runs
    words = identifying(results_of(original)) - {
        one["name"] for one in results_of(redacted)["connections"][1]["entitlements"]  # Microsoft's own names
    }
    assert len(words) > 10
    found = {
        (name, word)
        for name, text in texts(redacted)
        for word in words
        if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE)
    }
    assert found == set()


def test_it_says_the_same(runs):
    original, redacted = map(results_of, runs)
    assert redacted["summary"] == original["summary"]
    for before, after in zip(original["connections"], redacted["connections"], strict=True):
        assert after["counts"] == before["counts"]
        assert [one["outcome"] for one in after["requirements"]] == [one["outcome"] for one in before["requirements"]]
    assert sorted((one["check"], one["outcome"], one["severity"]) for one in redacted["findings"]) == sorted(
        (one["check"], one["outcome"], one["severity"]) for one in original["findings"]
    )


def test_equal_things_have_equal_tokens(runs):
    _, redacted = runs
    connection = results_of(redacted)["connections"][0]
    account = connection["principal"]["name"]
    assert all(path[0] == account for one in connection["entitlements"] for path in one["paths"])


def test_it_is_a_run_of_its_own_that_can_be_verified_and_judged_again(runs, tmp_path):
    _, redacted = runs
    assert auditor("verify", redacted).returncode == 0
    again = auditor("evaluate", redacted, "-o", tmp_path, "--now", results_of(redacted)["run"]["evaluated_at"])
    assert results_of(Path(again.stdout.strip()))["findings"] == results_of(redacted)["findings"]


def test_without_evidence_there_is_nothing_to_redact(runs, tmp_path):
    original, _ = runs
    done = auditor("report", original / "results.json", "--redact", "-o", tmp_path / "away")
    assert done.returncode == 2
    assert "holds no evidence that could be redacted" in done.stderr
    assert not (tmp_path / "away").exists()
