"""`auditor collect --redact`: nothing of the organisation is left, and everything is judged the same."""

from __future__ import annotations

import base64
import json
import re
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from auditor.cli import main
from auditor.collect.replay import read_evidence
from auditor.evaluate.evaluate import RunFacts, evaluate
from auditor.matrix.load import load_matrix
from auditor.model.directory_entry import record_to_entry
from auditor.model.outcome import Severity
from auditor.redaction.evidence import redact_evidence
from tests.integration.audits import tenant_inventory
from tests.microsoft365.scenarios import SCENARIOS
from tests.microsoft365.service import LocalMicrosoft365

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MATRIX = load_matrix("hybrid-exchange-online")
RUN = RunFacts(
    kind="review",
    organisation="",
    operator="",
    host="",
    tool_version="0",
    argv=(),
    fail_on=Severity.MEDIUM,
    exit_zero=False,
    now=datetime(2026, 11, 28, tzinfo=UTC),
)
SAMPLES = Path(__file__).parents[2] / "sample_data" / "evidence"
CHOSEN = sorted({*list(SCENARIOS)[::5], "exact"} - {"crowd_in_member_group"})
# Words of the samples that name their organisations, people and machines, whatever the case
PLACES = ("fabrikam", "contoso", "munich", "lodz", "varna", "dublin", "athens")
IDENTIFYING = (*PLACES, "hire2retire", "svc-h2r", "127.0.0")
WINDOWS_OWN = frozenset({"Domain Controllers"})  # a group of every domain, called like the OU
NAMING = {"samaccountname", "userprincipalname", "displayname", "mail", "description", "userPrincipalName"}


def judged(folder: Path) -> tuple[Any, Counter[Any], str]:
    """Judge evidence, and return what must not depend on any name."""
    results = evaluate([(read_evidence(folder), MATRIX)], MATRIX, RUN)
    (connection,) = results.connections
    rows = [(row.id, row.outcome, row.how, [len(path) for path in row.paths]) for row in connection.requirements]
    findings = Counter((each.check, each.outcome, each.severity) for each in results.findings)
    return rows, findings, str(results.summary.verdict)


def redacted(folders: Mapping[str, Path], target: Path) -> Iterator[tuple[Path, Path]]:
    """Redact evidence folders together; yield each with what became of it."""
    for original, new_id in zip(folders.values(), redact_evidence(folders, target), strict=True):
        yield original, target / new_id


def leaks(folder: Path, *words: str) -> list[str]:
    """Return the words that stand in some file, in its text or in what is coded in it."""
    found = []
    for file in sorted(folder.rglob("*")):
        content = (file.read_bytes() if file.is_file() else b"") + str(file.relative_to(folder)).encode()
        if file.name == "descriptors.jsonl":
            lines = [json.loads(line)["descriptor"] for line in content.splitlines()[:-1] if line.startswith(b"{")]
            content = b"".join(base64.b64decode(line) for line in lines)
        found += [word for word in words if word.casefold().encode() in content.lower()]
    return found


def identifying(folder: Path) -> set[str]:
    """Return what accounts, groups and ids are called in evidence; short words occur by chance."""
    found: set[str] = set()
    for source, read in read_evidence(folder).reads:
        if source.dataset in {"extended_rights", "schema_classes", "schema_attributes", "role_definitions"}:
            continue
        for record in read:
            attributes = record.get("attributes")
            fields = attributes if isinstance(attributes, dict) else record
            for name in NAMING & fields.keys():
                value = fields[name]
                found |= {each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str)}
            if "userPrincipalName" in record:
                found.add(str(record["id"]))
    own = found - WINDOWS_OWN
    return {each for each in own if len(each) > 7 and not each.startswith(("Organization", "View-Only"))}


def coded(folder: Path) -> bytes:
    """Return everything that is stored as base64: SIDs, GUIDs, security descriptors."""
    pattern = re.compile(rb'"(?:base64|descriptor)": ?"([A-Za-z0-9+/]{16,}={0,2})"')
    return b"".join(base64.b64decode(text) for file in folder.iterdir() for text in pattern.findall(file.read_bytes()))


def ids(folder: Path) -> set[bytes]:
    """Return the identifier of each account's domain, and the account's GUID, as stored."""
    entries = [record_to_entry(record) for record in read_evidence(folder).read("account")]
    sids = [sid for entry in entries for sid in entry.octets("objectSid")]
    return {sid[12:24] for sid in sids} | {guid for entry in entries for guid in entry.octets("objectGUID")}


def test_the_samples_are_judged_the_same_and_name_nobody(tmp_path: Path) -> None:
    folders = {folder.name: folder for folder in sorted(SAMPLES.iterdir())}
    for original, result in redacted(folders, tmp_path):
        assert judged(result) == judged(original), original.name
        assert leaks(result, *identifying(original)) == [], original.name
        assert all(each in coded(original) for each in ids(original))
        assert not [each for each in ids(original) if each in coded(result)], original.name
    assert leaks(tmp_path, *IDENTIFYING) == []


@pytest.mark.directory
def test_every_known_answer_of_the_domain_is_judged_the_same(audited_folder: Path, tmp_path: Path) -> None:
    folders = {folder.name: folder for folder in sorted((audited_folder / "evidence").iterdir())}
    for original, result in redacted(folders, tmp_path):
        assert judged(result) == judged(original), original.name
        assert leaks(result, *identifying(original)) == [], original.name


@pytest.mark.parametrize("name", CHOSEN)
def test_the_command_writes_evidence_that_is_judged_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    scenario = SCENARIOS[name]()
    monkeypatch.setenv("LAB_SECRET", scenario.tenant.auditor.secrets[0].value)

    def run(*arguments: str) -> Path:
        monkeypatch.setattr(sys, "argv", ["auditor", *arguments])
        with pytest.raises(SystemExit):
            main()
        return tmp_path / capsys.readouterr().out.strip()

    with LocalMicrosoft365(scenario.tenant) as service:
        Path("inventory.json").write_text(json.dumps(tenant_inventory(service, scenario.service_account)))
        original = run("collect", "-q", "-c", "inventory.json", "-o", "plain")
        given_away = run("collect", "-q", "-c", "inventory.json", "-o", "redacted", "--redact")

    (connection,) = (given_away / "evidence").iterdir()
    assert judged(connection) == judged(original / "evidence" / "contoso")
    assert sorted(path.name.partition("-")[0] for path in (given_away / "inputs").iterdir()) == ["matrix", "run.json"]
    tenant = scenario.tenant
    assert leaks(given_away, "contoso", tenant.id, scenario.service_account, str(tmp_path), *IDENTIFYING) == []
    assert leaks(given_away, *identifying(original / "evidence" / "contoso")) == []
    (again,) = json.loads((run("evaluate", str(given_away), "-q", "-o", "judged") / "results.json").read_text())[
        "connections"
    ]
    assert again["verdict"] == judged(original / "evidence" / "contoso")[2]


def test_what_an_interrupted_run_left_is_not_mixed_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["auditor", "collect", "--redact", "--resume"])
    with pytest.raises(SystemExit) as finished:
        main()
    assert finished.value.code == 2
    assert "not redacted" in capsys.readouterr().err
