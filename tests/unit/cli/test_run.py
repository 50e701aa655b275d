"""`auditor run`, `collect`, `evaluate`, `report`, `verify`: exit codes, outputs, and what is said where."""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from auditor import concluded_run
from auditor.history.manifest import verify_run
from tests.unit.cli.estate import COMPLIANT, DEVIATING, NOW, OPEN, record, write_inventory
from tests.unit.evaluate.composed_directory import GROUPS, Directory, group, service_account
from tests.unit.evaluate.composed_tenant import GROUP_ID, ROLE_GROUP, Tenant, consent, member, role_group

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.cli.estate import Auditor

JSON_ONLY = ("-f", "json", "--now", NOW)
LAST_LINE = re.compile(
    r"auditor: (compliant|non_compliant|inconclusive); (\d+) evaluated = (\d+) satisfied \+ (\d+) partial \+ "
    r"(\d+) missing \+ (\d+) unverifiable \+ (\d+) not applicable; (\d+) excess, (\d+) advisory; "
    r"(.+); exit (\d) \((.+)\)"
)


@pytest.mark.parametrize(
    ("connections", "verdict", "code"),
    [
        ({"one": COMPLIANT}, "compliant", 0),
        ({"one": COMPLIANT, "two": DEVIATING}, "non_compliant", 1),
        ({"one": COMPLIANT, "two": OPEN}, "inconclusive", 3),
        ({"one": DEVIATING, "two": OPEN}, "non_compliant", 1),
    ],
)
def test_the_exit_code_says_the_verdict_and_the_last_line_says_it_all(
    auditor: Auditor, tmp_path: Path, connections: dict[str, Directory], verdict: str, code: int
) -> None:
    inventory = record(tmp_path, **{name: each.evidence() for name, each in connections.items()})
    finished = auditor("run", "-c", inventory, "-o", tmp_path / "runs", *JSON_ONLY)
    assert finished.code == code
    results = finished.results
    assert (results["summary"]["verdict"], results["run"]["exit"]["code"]) == (verdict, code)
    told = LAST_LINE.fullmatch(finished.last_line)
    assert told is not None, finished.last_line
    counts = [int(each) for each in told.groups()[1:9]]
    assert counts[0] == sum(counts[1:6])
    names = ("evaluated", "satisfied", "partial", "missing", "unverifiable", "not_applicable", "excess", "advisory")
    assert dict(zip(names, counts, strict=True)) == {name: results["summary"]["counts"][name] for name in names}
    assert (told[1], told[10], told[11]) == (verdict, str(finished.folder / "results.json"), str(code))
    assert verify_run(finished.folder) == ()


def test_the_threshold_and_exit_zero(auditor: Auditor, tmp_path: Path) -> None:
    inventory = record(tmp_path, one=DEVIATING.evidence())
    run = ("run", "-c", inventory, "-o", tmp_path / "runs", *JSON_ONLY)
    assert auditor(*run, "--fail-on", "high").code == 1
    lenient = auditor(*run, "--fail-on", "critical")
    assert (lenient.code, lenient.results["run"]["fail_on"]) == (0, "critical")
    forgiven = auditor(*run, "--exit-zero")
    assert (forgiven.code, forgiven.results["summary"]["verdict"]) == (0, "non_compliant")
    assert "--exit-zero was given" in forgiven.last_line


def test_the_same_inventory_and_instant_give_the_same_bytes_wherever_they_are_written(
    auditor: Auditor, tmp_path: Path
) -> None:
    inventory = record(tmp_path, one=DEVIATING.evidence(), two=OPEN.evidence())
    outputs = [("-o", "a"), ("--output-dir", "b c"), (f"--output-dir={tmp_path / 'd'}",), (f"-o{tmp_path / 'e'}",)]
    contents = set()
    for output in outputs:
        finished = auditor("run", "-c", inventory, *JSON_ONLY, *_below(tmp_path, output))
        contents.add(_without_argv((finished.folder / "results.json").read_bytes()))
    assert len(contents) == 1
    first, second = (
        auditor("run", "-c", inventory, *JSON_ONLY, "-o", tmp_path / name).folder / "results.json"
        for name in ("f", "g")
    )
    assert first.read_bytes() == second.read_bytes()


def _below(folder: Path, output: tuple[str, ...]) -> tuple[str, ...]:
    return output if len(output) == 1 else (output[0], str(folder / output[1]))


def _without_argv(content: bytes) -> str:
    plain = json.loads(content)
    assert not any("/" in each and "inventory" not in each for each in plain["run"].pop("argv"))
    return json.dumps(plain)


def test_the_output_folder_is_left_out_of_clustered_options_too(auditor: Auditor, tmp_path: Path) -> None:
    inventory = record(tmp_path, one=COMPLIANT.evidence())
    finished = auditor("run", "-c", inventory, *JSON_ONLY, "-qo", tmp_path / "secret-place")
    assert "secret-place" not in str(finished.results["run"]["argv"])


def test_an_earlier_run_of_the_same_name_stays(auditor: Auditor, tmp_path: Path) -> None:
    inventory = record(tmp_path, one=COMPLIANT.evidence())
    first, second = (auditor("run", "-c", inventory, "-o", tmp_path / "runs", *JSON_ONLY).folder for _ in range(2))
    assert second.name == f"{first.name}.2"
    assert verify_run(first) == verify_run(second) == ()


def test_only_the_wanted_connections_are_judged(auditor: Auditor, tmp_path: Path) -> None:
    inventory = record(tmp_path, one=COMPLIANT.evidence(), two=DEVIATING.evidence(), three=OPEN.evidence())
    run = ("run", "-c", inventory, "-o", tmp_path / "runs", *JSON_ONLY)
    finished = auditor(*run, "--connection", "three", "--connection", "one")
    assert [each["id"] for each in finished.results["connections"]] == ["one", "three"]  # the inventory's order
    unknown = auditor(*run, "--connection", "one", "--connection", "x", "--connection", "y")
    assert (unknown.code, unknown.out) == (2, "")
    assert "there is no connection 'x'" in unknown.err
    assert "there is no connection 'y'" in unknown.err
    assert "one, two, three" in unknown.err


def test_progress_goes_to_standard_error_and_quiet_leaves_one_line(auditor: Auditor, tmp_path: Path) -> None:
    inventory = record(tmp_path, one=COMPLIANT.evidence())
    run = ("run", "-c", inventory, "-o", tmp_path / "runs", *JSON_ONLY)
    finished = auditor(*run)
    assert finished.err.splitlines()[:2] == ["one: started", "one: finished"]
    assert finished.folder.is_dir()
    assert len(auditor(*run, "-q").err.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "--now", "yesterday"),
        ("run", "--now", "2026-11-23T08:00:00"),
        ("run", "--now", "2026-13-01T00:00:00Z"),
        ("run", "--now", "0001-01-01T00:00:00+14:00"),
        ("run", "--fail-on", "urgent"),
        ("run", "--format", "docx"),
        ("run", "--unknown"),
        ("runn",),
        ("schema", "nothing"),
        ("verify",),
        ("evaluate", "nowhere", "--now", "x"),
    ],
)
def test_wrong_options_end_with_2_before_anything_is_contacted(
    auditor: Auditor, tmp_path: Path, arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    record(tmp_path, one=COMPLIANT.evidence())
    monkeypatch.chdir(tmp_path)
    more = ("-c", "inventory.json", "-o", "runs") if arguments[0] == "run" else ()
    finished = auditor(*arguments, *more)
    assert (finished.code, finished.out) == (2, ""), finished.err
    assert "nothing was contacted; exit 2" in finished.last_line
    assert "Traceback" not in finished.err
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"version": 1, "organisation": "x", "connections": []}'])
def test_an_inventory_that_cannot_be_used_ends_with_2(auditor: Auditor, tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "inventory.json"
    if content is not None:
        path.write_text(content)
    finished = auditor("run", "-c", path, "-o", tmp_path / "runs")
    assert (finished.code, finished.out) == (2, "")
    assert "exit 2 (input invalid)" in finished.last_line
    assert not (tmp_path / "runs").exists()


def test_every_problem_is_listed_at_once(auditor: Auditor, tmp_path: Path) -> None:
    entry = {"id": "a", "kind": "hybrid", "replay": "nowhere"}
    inventory = write_inventory(tmp_path, [entry, {**entry, "id": "b", "kind": "exchange_online"}])
    finished = auditor("run", "-c", inventory, "-o", tmp_path / "runs")
    assert finished.code == 2
    assert len(finished.err.splitlines()) >= 3


def test_an_output_folder_that_cannot_be_written_ends_with_4(auditor: Auditor, tmp_path: Path) -> None:
    inventory = record(tmp_path, one=COMPLIANT.evidence())
    (tmp_path / "file").write_text("in the way")
    finished = auditor("run", "-c", inventory, "-o", tmp_path / "file", *JSON_ONLY)
    assert (finished.code, finished.out) == (4, "")
    assert "cannot be written" in finished.last_line
    assert "exit 4 (the run failed)" in finished.last_line
    assert "Traceback" not in finished.err


def test_a_bug_shows_its_traceback_and_ends_with_4(
    auditor: Auditor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise AssertionError("a bug")

    monkeypatch.setattr(concluded_run, "conclude_run", broken)
    inventory = record(tmp_path, one=COMPLIANT.evidence())
    finished = auditor("run", "-c", inventory, "-o", tmp_path / "runs", *JSON_ONLY)
    assert (finished.code, finished.out) == (4, "")
    assert "Traceback" in finished.err
    assert "this is a bug of the tool; exit 4" in finished.last_line
    assert list((tmp_path / "runs").iterdir()) == []


def test_collect_writes_evidence_that_evaluate_judges_as_run_does(auditor: Auditor, tmp_path: Path) -> None:
    inventory = record(tmp_path, one=DEVIATING.evidence(), two=OPEN.evidence())
    collected = auditor("collect", "-c", inventory, "-o", tmp_path / "collected")
    assert collected.code == 3
    assert "1 reads are not complete" in collected.last_line
    assert not (collected.folder / "results.json").exists()
    judged = auditor("evaluate", collected.folder, "-o", tmp_path / "judged", *JSON_ONLY)
    ran = auditor("run", "-c", inventory, "-o", tmp_path / "runs", *JSON_ONLY)
    assert judged.code == ran.code == 1
    assert judged.results["findings"] == ran.results["findings"]
    assert judged.results["connections"] == ran.results["connections"]


def test_collect_ends_with_0_when_every_read_is_complete(auditor: Auditor, tmp_path: Path) -> None:
    inventory = record(tmp_path, one=COMPLIANT.evidence())
    assert auditor("collect", "-c", inventory, "-o", tmp_path / "collected").code == 0


@pytest.mark.parametrize("part", [".", "evidence", "evidence/one"])
def test_evaluate_takes_a_run_its_evidence_or_one_connection(auditor: Auditor, tmp_path: Path, part: str) -> None:
    inventory = record(tmp_path, one=DEVIATING.evidence())
    run = auditor("run", "-c", inventory, "-o", tmp_path / "runs", *JSON_ONLY)
    again = auditor("evaluate", run.folder / part, "-o", tmp_path / "again", *JSON_ONLY)
    assert again.code == 1
    assert [each["outcome"] for each in again.results["connections"][0]["requirements"]] == [
        each["outcome"] for each in run.results["connections"][0]["requirements"]
    ]
    assert verify_run(again.folder) == ()


def test_evaluate_judges_again_at_another_threshold_and_leaves_the_run_as_it_was(
    auditor: Auditor, tmp_path: Path
) -> None:
    inventory = record(tmp_path, one=DEVIATING.evidence())
    run = auditor("run", "-c", inventory, "-o", tmp_path / "runs", *JSON_ONLY)
    again = auditor("evaluate", run.folder, "-o", tmp_path / "again", *JSON_ONLY, "--fail-on", "critical")
    assert again.code == 0
    assert verify_run(run.folder) == ()


@pytest.mark.parametrize("source", ["nowhere", "."])
def test_evaluate_and_report_refuse_what_holds_no_run(auditor: Auditor, tmp_path: Path, source: str) -> None:
    for command in ("evaluate", "report"):
        finished = auditor(command, tmp_path / source, "-o", tmp_path / "runs", "-f", "json")
        assert (finished.code, finished.out) == (2, "")
        assert not (tmp_path / "runs").exists()


def test_altered_evidence_is_refused(auditor: Auditor, tmp_path: Path) -> None:
    inventory = record(tmp_path, one=COMPLIANT.evidence())
    run = auditor("run", "-c", inventory, "-o", tmp_path / "runs", *JSON_ONLY)
    account = next((run.folder / "evidence" / "one").glob("*-account.jsonl"))
    account.write_bytes(account.read_bytes() + b"\n")
    finished = auditor("evaluate", run.folder, "-o", tmp_path / "again", *JSON_ONLY)
    assert finished.code == 2
    assert "altered after collection" in finished.err


def call_it_otherwise(folder: Path) -> None:
    """Change what no digest within the evidence covers: what the connection is."""
    path = folder / "connection.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["connection"]["name"] += " of old"
    path.write_text(json.dumps(content), encoding="utf-8")


@pytest.mark.parametrize(
    ("system", "check", "severity"), [(COMPLIANT, "AD-GOV-008", "high"), (Tenant(), "META-008", "low")]
)
def test_evidence_that_its_manifest_contradicts_is_never_compliant(
    auditor: Auditor, tmp_path: Path, system: Directory | Tenant, check: str, severity: str
) -> None:
    inventory = record(tmp_path, one=system.evidence(), other=COMPLIANT.evidence())
    run = auditor("run", "-c", inventory, "-o", tmp_path / "runs", *JSON_ONLY)
    assert run.code == 0
    call_it_otherwise(run.folder / "evidence" / "one")
    entry = {"id": "one", "kind": str(system.evidence().connection.kind), "replay": f"{run.folder}/evidence/one"}
    replay = write_inventory(tmp_path, [entry])
    commands: list[tuple[str | Path, ...]] = [
        ("evaluate", run.folder),
        ("evaluate", run.folder / "evidence" / "one"),
        ("run", "-c", replay),
    ]
    for number, command in enumerate(commands):
        judged = auditor(*command, "-o", tmp_path / str(number), *JSON_ONLY)
        assert judged.code == 3
        (told,) = [each for each in judged.results["findings"] if each["check"] == check]
        assert (told["outcome"], told["severity"]) == ("unverifiable", severity)
        assert told["actual"] == "evidence/one/connection.json: altered (SHA-256 differs)"
        # Its copy has a manifest of its own, which is clean; the finding stays
        again = auditor("evaluate", judged.folder, "-o", tmp_path / f"{number}-again", *JSON_ONLY)
        assert again.results["findings"] == judged.results["findings"]


@pytest.mark.parametrize(
    ("damage", "is_told"),
    [
        ("evidence/one/extra", True),
        ("inputs/inventory.json", True),
        ("manifest.json", True),
        ("results.json", False),
        ("evidence/two/extra", False),
        ("notes.txt", False),
    ],
)
def test_only_what_a_connection_is_judged_by_speaks_against_it(
    auditor: Auditor, tmp_path: Path, damage: str, is_told: bool
) -> None:
    inventory = record(tmp_path, one=COMPLIANT.evidence(), two=COMPLIANT.evidence())
    run = auditor("run", "-c", inventory, "-o", tmp_path / "runs", *JSON_ONLY)
    (run.folder / damage).write_bytes(b"{")
    judged = auditor("evaluate", run.folder / "evidence" / "one", "-o", tmp_path / "again", *JSON_ONLY)
    checks = [each["check"] for each in judged.results["findings"]]
    assert ("AD-GOV-008" in checks, judged.code) == (is_told, 3 if is_told else 0)


def test_evidence_behind_a_link_is_not_what_the_manifest_records(auditor: Auditor, tmp_path: Path) -> None:
    inventory = record(tmp_path, one=COMPLIANT.evidence())
    run = auditor("run", "-c", inventory, "-o", tmp_path / "runs", *JSON_ONLY)
    (run.folder / "evidence" / "one").rename(tmp_path / "elsewhere")
    (run.folder / "evidence" / "one").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert auditor("evaluate", run.folder, "-o", tmp_path / "again", *JSON_ONLY).code == 3


def test_a_file_that_somebody_added_may_have_any_name(auditor: Auditor, tmp_path: Path) -> None:
    inventory = record(tmp_path, one=COMPLIANT.evidence())
    run = auditor("run", "-c", inventory, "-o", tmp_path / "runs", *JSON_ONLY)
    (run.folder / "evidence" / "one" / os.fsdecode(b"\xff<b>")).touch()
    judged = auditor("evaluate", run.folder, "-o", tmp_path / "again", *JSON_ONLY)
    (told,) = [each for each in judged.results["findings"] if each["check"] == "AD-GOV-008"]
    assert told["actual"] == "evidence/one/\\udcff<b>: not in the manifest"
    redacted = auditor("report", run.folder, "--redact", "-o", tmp_path / "redacted", "-f", "json")
    (told,) = [each for each in redacted.results["findings"] if each["check"] == "AD-GOV-008"]
    assert told["actual"] == "1 of its files: not as the manifest records them"


def test_report_renders_the_same_record_again(auditor: Auditor, tmp_path: Path) -> None:
    inventory = record(tmp_path, one=DEVIATING.evidence())
    run = auditor("run", "-c", inventory, "-o", tmp_path / "runs", *JSON_ONLY)
    for source in (run.folder, run.folder / "results.json"):
        again = auditor("report", source, "-o", tmp_path / "again", "-f", "csv,json")
        assert again.code == 0
        assert (again.folder / "results.json").read_bytes() == (run.folder / "results.json").read_bytes()
        assert (again.folder / "findings.csv").exists()
        assert verify_run(again.folder) == ()


def test_verify_tells_every_difference(auditor: Auditor, tmp_path: Path) -> None:
    inventory = record(tmp_path, one=COMPLIANT.evidence())
    run = auditor("run", "-c", inventory, "-o", tmp_path / "runs", *JSON_ONLY)
    clean = auditor("verify", run.folder)
    assert (clean.code, clean.out) == (0, "")
    assert "exit 0 (verified)" in clean.last_line
    shutil.rmtree(run.folder / "inputs")
    (run.folder / "extra").touch()
    changed = auditor("verify", run.folder)
    assert changed.code == 1
    assert "extra: not in the manifest" in changed.out.splitlines()
    assert "inputs/run.json: missing" in changed.out.splitlines()
    assert auditor("verify", tmp_path).code == 2


def test_no_name_can_steer_the_terminal(auditor: Auditor, tmp_path: Path) -> None:
    inventory = record(tmp_path, one=COMPLIANT.evidence())
    run = auditor("run", "-c", inventory, "-o", tmp_path / "runs", *JSON_ONLY)
    (run.folder / "a\x1b[2J\u202e").touch()
    changed = auditor("verify", run.folder)
    assert changed.code == 1
    assert "\\u001b[2J\\u202e: not in the manifest" in changed.out
    finished = auditor("run", "-c", tmp_path / "x\x1b[2J\x9b\u202e.yaml")
    assert finished.code == 2
    assert not {"\x1b", "\x9b", "\u202e"} & set(finished.err)


def test_hostile_names_of_the_directory_reach_neither_terminal_nor_exit_code(auditor: Auditor, tmp_path: Path) -> None:
    hostile = "\x1b]0;owned\x07\u202e<script>"
    base = Directory()
    sid = f"{GROUPS[0].sid}0"
    stray = replace(
        base,
        accounts=(service_account("Domain Admins", "H2R Delegates", "Stray"),),
        groups=(*GROUPS, group(hostile, sid, dn="CN=Stray,CN=Users,DC=corp,DC=example,DC=com")),
        token=(*base.token, sid),
    )
    inventory = record(tmp_path, one=stray.evidence())
    finished = auditor("run", "-c", inventory, "-o", tmp_path / "runs", "-f", "json,html,csv", "--now", NOW)
    assert finished.code == 0
    assert hostile not in finished.out + finished.err
    names = [each["name"] for each in finished.results["connections"][0]["entitlements"]]
    assert hostile in names  # the record keeps it as it was read


@pytest.mark.parametrize("where", ["displayName", "scope", "Name"])
def test_a_name_that_utf8_cannot_hold_does_not_end_the_run(auditor: Auditor, tmp_path: Path, where: str) -> None:
    carrier = {
        "@odata.type": "#microsoft.graph.group",
        "id": GROUP_ID,
        "displayName": "\ud800",
        "isAssignableToRole": False,
    }
    tenant = {
        "displayName": Tenant(
            member_of=(carrier,), members={ROLE_GROUP: (member(GROUP_ID, kind="MailUniversalSecurityGroup"),)}
        ),
        "scope": Tenant(consents=(consent("Mail.Read.\ud800"),)),
        "Name": Tenant(
            role_groups=(role_group(), role_group("\ud800", guid="g")),
            members={ROLE_GROUP: (member(),), "\ud800": (member(),)},
        ),
    }[where]
    inventory = record(tmp_path, one=tenant.evidence())
    finished = auditor("run", "-c", inventory, "-o", tmp_path / "runs", "-f", "json,html,csv", "--now", NOW)
    assert finished.code in {0, 1, 3}, finished.err  # judged, whatever it is worth
