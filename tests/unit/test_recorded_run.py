"""What a run folder holds can be judged again, by itself, under the names of the inventory that listed it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from auditor.errors import InvalidInput
from auditor.matrix.load import load_matrix
from auditor.preparation import prepare
from auditor.recorded_run import copy_recorded_run, read_recorded_run, write_inputs
from tests.unit.cli.estate import COMPLIANT, OPEN, write_inventory
from tests.unit.evaluate.recorded import write_evidence
from tests.unit.matrix.profiles import default_profile, requirement, write_profile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ENTRIES: list[dict[str, Any]] = [
    {"id": "renamed", "kind": "hybrid", "replay": "recorded/corp", "name": "Another name"},
    {"id": "contoso", "kind": "exchange_online", "replay": "recorded/contoso"},
]


def write_run(folder: Path, entries: list[dict[str, Any]] = ENTRIES) -> Path:
    """Write what a collection leaves in its run folder."""
    write_evidence(COMPLIANT.evidence(), folder / "recorded" / "corp")
    write_evidence(OPEN.evidence(), folder / "recorded" / "contoso")
    prepared = prepare(write_inventory(folder, entries), (), lambda place: place)
    run = folder / "run"
    run.mkdir()
    write_inputs(run, prepared, operator="me", host="here", tool_version="1", argv=("run",))
    for entry in entries:
        (run / "evidence").mkdir(exist_ok=True)
        (folder / entry["replay"]).rename(run / "evidence" / entry["id"])
    return run


def refused(folder: Path) -> str:
    with pytest.raises(InvalidInput) as invalid:
        read_recorded_run(folder).require_usable()
    return "\n".join(map(str, invalid.value.problems))


def edit(run: Path, change: Callable[[Any], object]) -> None:
    path = run / "inputs" / "run.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


@pytest.mark.parametrize("part", [".", "evidence"])
def test_a_run_comes_back_under_the_names_of_its_inventory(tmp_path: Path, part: str) -> None:
    recorded = read_recorded_run(write_run(tmp_path) / part)
    assert [(evidence.connection.id, evidence.connection.name) for evidence, _ in recorded.inputs] == [
        ("renamed", "Another name"),
        ("contoso", "Exchange Online"),
    ]
    assert (recorded.facts.organisation, recorded.facts.operator, recorded.facts.host) == ("Contoso", "me", "here")
    assert recorded.facts.argv == ("run",)
    assert {matrix.profile.id for _, matrix in recorded.inputs} == {"hybrid-exchange-online"}


def test_what_a_run_was_made_for_is_recorded_and_an_older_run_was_a_review(tmp_path: Path) -> None:
    run = write_run(tmp_path)
    assert read_recorded_run(run).facts.kind == "review"
    edit(run, lambda content: content.update(kind="readiness"))
    copy = tmp_path / "copy"
    copy.mkdir()
    copy_recorded_run(read_recorded_run(run), copy)
    assert read_recorded_run(copy).facts.kind == "readiness"
    edit(run, lambda content: content.pop("kind"))
    assert read_recorded_run(run).facts.kind == "review"
    edit(run, lambda content: content.update(kind="party"))
    assert "holds no recorded run" in refused(run)


def test_one_connection_alone_is_judged_by_the_profile_it_was_recorded_with(tmp_path: Path) -> None:
    run = write_run(tmp_path)
    recorded = read_recorded_run(run / "evidence" / "renamed")
    ((evidence, matrix),) = recorded.inputs
    assert evidence.connection == COMPLIANT.connection  # as it was recorded, not as the inventory calls it
    assert matrix.sha256 == load_matrix(COMPLIANT.connection.profile).sha256
    assert (recorded.facts.operator, recorded.facts.host, recorded.facts.organisation) == ("collector", "there", "")


def test_the_matrix_that_was_used_is_used_again_though_the_user_s_file_changed(tmp_path: Path) -> None:
    own = default_profile() | {"id": "mine"}
    path = write_profile(tmp_path / "mine.json", own)
    run = write_run(tmp_path, [{**ENTRIES[0], "profile": "mine.json"}])
    requirement(own, "M9")["severity"] = "low"
    write_profile(path, own)
    ((_, matrix),) = read_recorded_run(run).inputs
    assert matrix.profile.id == "mine"
    assert next(each for each in matrix.profile.requirements if each.id == "M9").severity == "high"


@pytest.mark.parametrize("part", [".", "evidence", "evidence/renamed"])
def test_a_copy_can_be_judged_as_the_original_and_leaves_it_alone(tmp_path: Path, part: str) -> None:
    run = write_run(tmp_path)
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    recorded = read_recorded_run(run / part)
    copy = tmp_path / "copy"
    copy.mkdir()
    copy_recorded_run(recorded, copy)
    again = read_recorded_run(copy)
    assert (tuple(again.inputs), again.facts, again.default_matrix) == (
        tuple(recorded.inputs),
        recorded.facts,
        recorded.default_matrix,
    )
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before
    assert (copy / "inputs" / "inventory.json").exists() == (part != "evidence/renamed")


def test_inputs_hold_the_inventory_byte_for_byte_and_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIT_PASSWORD", "S3cret-of-the-test")
    live = {
        "id": "live",
        "kind": "hybrid",
        "hosts": ["10.1.0.10"],
        "base_dns": ["DC=corp,DC=example,DC=com"],
        "username": "svc@corp.example.com",
        "target_ous": [],
        "auditor": {"active_directory": {"username": "audit@corp.example.com", "password": "env:AUDIT_PASSWORD"}},
    }
    inventory = write_inventory(tmp_path, [live])
    prepared = prepare(inventory, (), lambda place: place)
    run = tmp_path / "run"
    run.mkdir()
    write_inputs(run, prepared, operator="me", host="here", tool_version="1", argv=())
    assert (run / "inputs" / "inventory.json").read_bytes() == inventory.read_bytes()
    assert all(b"S3cret" not in path.read_bytes() for path in run.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    "hostile",
    ["../outside", "..", ".", "", "/etc", "a/b", "a\\b", "C:", "x\n", ".hidden", "x" * 65, "nul\x00"],
)
def test_a_run_file_names_nothing_outside_its_folder(tmp_path: Path, hostile: str) -> None:
    run = write_run(tmp_path)
    (run / "evidence" / "renamed").rename(run / "outside")
    edit(run, lambda it: it["connections"][0].update(id=hostile))
    assert "holds no recorded run" in refused(run)


@pytest.mark.parametrize("hostile", ["../../mine.yaml", "/etc/passwd", "inventory.json", "matrix-0123456789ab.yaml\n"])
def test_a_run_file_names_no_matrix_outside_its_folder(tmp_path: Path, hostile: str) -> None:
    run = write_run(tmp_path)
    edit(run, lambda it: it["connections"][0].update(matrix=hostile))
    assert "holds no recorded run" in refused(run)
    edit(run, lambda it: it.update(default_matrix=hostile))
    assert "holds no recorded run" in refused(run)


def test_one_connection_s_id_names_no_folder_outside_either(tmp_path: Path) -> None:
    evidence = write_run(tmp_path) / "evidence" / "renamed"
    content = json.loads((evidence / "connection.json").read_text(encoding="utf-8"))
    content["connection"]["id"] = "../../outside"
    (evidence / "connection.json").write_text(json.dumps(content), encoding="utf-8")
    refused(evidence)


@pytest.mark.parametrize(
    "change",
    [
        lambda it: it.update(extra=1),
        lambda it: it.pop("organisation"),
        lambda it: it.update(connections={}),
        lambda it: it["connections"][0].update(id="gone"),
        lambda it: it["connections"][0].update(matrix="matrix-0123456789ab.yaml"),
    ],
)
def test_a_run_file_that_does_not_fit_its_folder_is_refused(tmp_path: Path, change: Callable[[Any], object]) -> None:
    run = write_run(tmp_path)
    edit(run, change)
    refused(run)


def test_a_run_without_connections_is_refused(tmp_path: Path) -> None:
    run = write_run(tmp_path)
    edit(run, lambda it: it.update(connections=[]))
    refused(run)


@pytest.mark.parametrize(
    "damage", ["inputs/run.json", "evidence/renamed/sources.json", "evidence/contoso/connection.json"]
)
def test_a_run_folder_with_a_file_missing_is_refused(tmp_path: Path, damage: str) -> None:
    run = write_run(tmp_path)
    (run / damage).unlink()
    refused(run)


def test_an_altered_matrix_is_refused(tmp_path: Path) -> None:
    run = write_run(tmp_path)
    (matrix,) = (run / "inputs").glob("matrix-*.yaml")
    matrix.write_text(matrix.read_text(encoding="utf-8").replace("all_of", "any_of", 1), encoding="utf-8")
    refused(run)
