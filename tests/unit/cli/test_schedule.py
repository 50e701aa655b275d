"""Files for schedulers: taken by the schedulers' own tools or schemas, and right for every exit code."""

from __future__ import annotations

import configparser
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from datetime import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import kubernetes_validate
import pytest
from ruamel.yaml import YAML

from auditor.model.sign_in import SecretReference
from auditor.schedule.azure_pipelines import azure_pipelines
from auditor.schedule.cron import cron
from auditor.schedule.github_actions import github_actions
from auditor.schedule.kubernetes import kubernetes
from auditor.schedule.plan import Plan
from auditor.schedule.systemd import systemd
from auditor.schedule.task_scheduler import task_scheduler

if TYPE_CHECKING:
    from tests.unit.cli.estate import Auditor

TARGETS = ("systemd", "cron", "task-scheduler", "kubernetes", "github-actions", "azure-pipelines")
CODES = (0, 1, 2, 3, 4, 130)
INVENTORY = """\
version: 1
organisation: Contoso
notifications:
  - {kind: teams, url: "env:TEAMS_WEBHOOK"}
connections:
  - id: corp
    kind: hybrid
    hosts: [dc1.corp.example.com]
    base_dns: ["DC=corp,DC=example,DC=com"]
    username: svc@corp.example.com
    target_ous: ["OU=Staff,DC=corp,DC=example,DC=com"]
    auditor:
      active_directory: {username: auditor@corp.example.com, password: "env:AUDIT_AD_PASSWORD"}
    password: "file:secrets/own"
  - id: contoso
    kind: exchange_online
    tenant: contoso.onmicrosoft.com
    service_account: svc@contoso.com
    auditor:
      microsoft365:
        tenant_id: 11111111-2222-3333-4444-555555555555
        client_id: 66666666-7777-8888-9999-000000000000
        certificate: "file:/run/credentials/auditor.service/audit.pem"
"""


def plan(folder: Path, **changed: Any) -> Plan:
    """Return a plan whose program and files lie in a folder."""
    secrets = (
        SecretReference("env", "AUDIT_AD_PASSWORD"),
        SecretReference("file", str(folder / "secrets" / "own")),
        SecretReference("file", "/run/credentials/auditor.service/audit.pem"),
    )
    values: dict[str, Any] = {
        "executable": folder / "auditor", "version": "1.2.3", "config": folder / "inventory.yaml",
        "output_dir": folder / "runs", "waivers": None, "at": time(6, 30), "secrets": secrets, **changed,
    }
    return Plan(**values)


def stub(folder: Path, code: int) -> Path:
    """Write a program that says what it got and ends with a code."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "auditor"
    program.write_text(f'#!/bin/sh\necho "$@" >{shlex.quote(str(folder / "got"))}\necho "last line" >&2\nexit {code}\n')
    program.chmod(0o755)
    return program


def need(name: str) -> str:
    """Return the path of a tool, or skip."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not on this machine")
    return found


def systemd_verify(folder: Path, files: dict[str, str]) -> str:
    """Return what systemd objects to."""
    paths = [folder / Path(name).name for name in files]
    for path, text in zip(paths, files.values(), strict=True):
        path.write_text(text)
    checked = subprocess.run(
        [need("systemd-analyze"), "verify", *paths], capture_output=True, text=True, check=False
    )
    return checked.stderr


@pytest.mark.parametrize("name", ["plain", 'a %n $HOME "b" \'c\' d'])
def test_systemd_takes_the_units(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    units = systemd(plan(folder, executable=stub(tmp_path / "a % $HOME b", 0)))
    assert systemd_verify(tmp_path, units) == ""
    (tmp_path / "a % $HOME b" / "auditor").unlink()
    assert "is not executable" in systemd_verify(tmp_path, units)  # the program is found by its name


def test_systemd_keeps_the_service_confined(tmp_path: Path) -> None:
    stub(tmp_path, 0)
    unit = tmp_path / "auditor.service"
    unit.write_text(systemd(plan(tmp_path))["/etc/systemd/system/auditor.service"])
    command = [need("systemd-analyze"), "security", "--offline=yes", "--threshold=20", unit]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_systemd_tells_answers_from_failures(tmp_path: Path) -> None:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_file(io.StringIO(systemd(plan(tmp_path))["/etc/systemd/system/auditor.service"]))
    service = parser["Service"]
    assert service["SuccessExitStatus"].split() == ["1", "3", "130"]
    assert (service["Restart"], service["RestartPreventExitStatus"]) == ("on-failure", "2")
    assert service["LoadCredential"] == "audit.pem:/etc/auditor/secrets/audit.pem"
    assert service["EnvironmentFile"] == "/etc/auditor/auditor.env"
    assert "--resume" in service["ExecStart"]
    assert "OnCalendar=*-*-* 06:30:00" in systemd(plan(tmp_path))["/etc/systemd/system/auditor.timer"]


@pytest.mark.parametrize("name", ["plain", "a % $HOME 'c' d"])
def test_cron_takes_the_line_and_mails_every_code_but_0(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    for code in CODES:
        stub(folder, code)
        text = cron(plan(folder, secrets=()))["crontab"]
        line = text.splitlines()[-1]
        minute, hour, *_, command = line.split(" ", 5)
        assert (minute, hour) == ("30", "6")
        ran = subprocess.run(  # as cron does: the first bare % ends the command, an escaped one is one
            ["/bin/sh", "-c", command.replace("\\%", "%")], capture_output=True, text=True, check=False
        )
        assert (ran.returncode, ran.stderr) == (code, "")
        assert ran.stdout == ("" if code == 0 else f"exit code {code}\nlast line\n")
        assert f"--config {folder}/inventory.yaml" in (folder / "got").read_text()
    (tmp_path / "crontab").write_text(cron(plan(folder))["crontab"])
    assert not re.search(r"(?<!\\)%", cron(plan(folder))["crontab"].splitlines()[-1])
    if "-n" not in subprocess.run([need("crontab"), "-h"], capture_output=True, text=True, check=False).stderr:
        pytest.skip("this crontab cannot check a file")
    subprocess.run(["crontab", "-n", tmp_path / "crontab"], check=True, capture_output=True)


# MS-TSCH 2.5: what may stand where, in this order
TASK_SHAPE: dict[str, tuple[str, ...]] = {
    "Task": ("RegistrationInfo", "Triggers", "Principals", "Settings", "Actions"),
    "RegistrationInfo": ("Description",),
    "CalendarTrigger": ("Enabled", "StartBoundary", "ScheduleByDay"),
    "Principal": ("UserId", "RunLevel"),
    "Exec": ("Command", "Arguments", "WorkingDirectory"),
}


def test_the_task_is_well_formed_and_names_the_program(tmp_path: Path) -> None:
    folder = tmp_path / "Prüfung & <Co> --"
    (text,) = task_scheduler(plan(folder)).values()
    assert text.isascii()
    assert "encoding" not in text.splitlines()[0]
    root = ET.fromstring(text)
    space = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
    assert (root.tag, root.get("version")) == (f"{space}Task", "1.2")
    for name, children in TASK_SHAPE.items():
        (element,) = root.iter(f"{space}{name}")
        assert tuple(each.tag.removeprefix(space) for each in element) == children
    found = {each.tag.removeprefix(space): each.text or "" for each in root.iter()}
    assert found["Command"] == str(folder / "auditor")
    assert f'--config "{folder}/inventory.yaml"' in found["Arguments"]
    assert (found["MultipleInstancesPolicy"], found["RunLevel"]) == ("IgnoreNew", "LeastPrivilege")
    assert found["StartBoundary"].endswith("T06:30:00")


def documents(text: str) -> list[Any]:
    return list(YAML(typ="safe", pure=True).load_all(text))


def test_kubernetes_takes_the_manifest(tmp_path: Path) -> None:
    (text,) = kubernetes(plan(tmp_path, waivers=tmp_path / "waivers.yaml")).values()
    claim, job = documents(text)
    for document in (claim, job):
        for version in ("1.31", "1.34", kubernetes_validate.latest_version()):
            kubernetes_validate.validate(document, version, strict=True)
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate({**job, "spec": {**job["spec"], "shedule": "x"}}, "1.34", strict=True)
    spec = job["spec"]["jobTemplate"]["spec"]
    pod = spec["template"]["spec"]
    (container,) = pod["containers"]
    assert spec["podFailurePolicy"]["rules"][0]["onExitCodes"] == {
        "containerName": container["name"], "operator": "In", "values": [1, 2, 3],
    }
    assert pod["restartPolicy"] == "Never"  # podFailurePolicy asks for it
    assert pod["securityContext"]["runAsNonRoot"]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert container["args"][:3] == ["run", "--config", "/etc/auditor/inventory.yaml"]
    assert "/etc/auditor/waivers.yaml" in container["args"]
    assert container["env"][0]["valueFrom"]["secretKeyRef"] == {"name": "auditor", "key": "AUDIT_AD_PASSWORD"}
    mounts = {each["mountPath"]: each for each in container["volumeMounts"]}
    assert mounts["/run/credentials/auditor.service/audit.pem"]["subPath"] == "audit.pem"
    assert {each["name"] for each in mounts.values()} <= {each["name"] for each in pod["volumes"]}
    (_, secret) = next(each for each in pod["volumes"] if each["name"] == "config")["projected"]["sources"]
    assert secret["secret"]["items"] == [{"key": "own", "path": "secrets/own"}]


PIPELINES = [
    (github_actions, "vendor.github-workflows", lambda content: content["jobs"]["review"]["steps"], "::error"),
    (azure_pipelines, "vendor.azure-pipelines", lambda content: content["jobs"][0]["steps"], "##vso[task.logissue"),
]


@pytest.mark.parametrize(("target", "schema", "steps_of", "annotation"), PIPELINES)
def test_a_pipeline_fits_its_schema_and_fails_for_every_code_but_0(
    tmp_path: Path, target: Any, schema: str, steps_of: Any, annotation: str
) -> None:
    (text,) = target(plan(tmp_path, config=Path("audit/the inventory.yaml"))).values()
    file = tmp_path / "pipeline.yml"
    file.write_text(text)
    check = [sys.executable, "-m", "check_jsonschema", "--regex-variant", "python", "--builtin-schema", schema, file]
    checked = subprocess.run(check, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout
    file.write_text(text.replace("steps:", "stpes:"))
    assert subprocess.run(check, capture_output=True, check=False).returncode == 1
    (content,) = documents(text)
    (step,) = [each for each in steps_of(content) if "code=0" in str(each.get("run", each.get("bash")))]
    assert "AUDIT_AD_PASSWORD" in step["env"]
    told = set()
    for code in CODES:
        stub(tmp_path / "bin", code)
        ran = subprocess.run(
            ["bash", "-e", "-c", step.get("run") or step["bash"]],
            env={"PATH": f"{tmp_path}/bin:{os.environ['PATH']}"}, capture_output=True, text=True, check=False,
        )
        assert ran.returncode == code
        assert ran.stdout.startswith(annotation) == (code != 0)
        told.add(ran.stdout)
    assert len(told) == len(CODES)
    assert "audit/the inventory.yaml" in (tmp_path / "bin" / "got").read_text()
    always = [each for each in steps_of(content) if each.get("if", each.get("condition"))]
    assert len(always) == 2  # results are kept whatever the code was


@pytest.mark.parametrize("target", TARGETS)
def test_files_are_printed_without_any_secret(
    auditor: Auditor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, target: str
) -> None:
    monkeypatch.setenv("AUDIT_AD_PASSWORD", "S3cret-of-the-test")
    (tmp_path / "inventory.yaml").write_text(INVENTORY)
    finished = auditor(
        "schedule", "print", "--target", target, "-c", tmp_path / "inventory.yaml", "-o", tmp_path / "runs"
    )
    assert finished.code == 0
    assert "AUDIT_AD_PASSWORD" in finished.out
    assert "TEAMS_WEBHOOK" in finished.out
    assert "S3cret" not in finished.out + finished.err
    assert "auditor" in finished.out
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("target", TARGETS)
def test_object_storage_is_named_as_it_was_given_or_refused(auditor: Auditor, tmp_path: Path, target: str) -> None:
    options = ("-c", tmp_path / "nothing.yaml", "-o", "s3://bucket/runs")
    finished = auditor("schedule", "print", "--target", target, *options)
    if target in ("systemd", "cron", "task-scheduler"):
        assert finished.code == 0
        assert "--output-dir s3://bucket/runs " in finished.out
    else:  # these keep runs on a volume or as artifacts
        assert (finished.code, finished.out) == (2, "")


def test_what_is_not_in_object_storage_yet_has_a_place_under_systemd(tmp_path: Path) -> None:
    stub(tmp_path, 0)
    units = systemd(plan(tmp_path, storage="s3://bucket/runs"))
    assert systemd_verify(tmp_path, units) == ""
    service = units["/etc/systemd/system/auditor.service"].splitlines()
    assert {"StateDirectory=auditor", "Environment=XDG_STATE_HOME=%S"} <= set(service)
    assert not [line for line in service if line.startswith("ReadWritePaths=") or "install -d" in line]


def test_a_folder_that_may_be_written_is_named_as_it_is(tmp_path: Path) -> None:
    service = systemd(plan(tmp_path, output_dir=tmp_path / "a $HOME 'b'"))["/etc/systemd/system/auditor.service"]
    assert f"ReadWritePaths=\"{tmp_path}/a $HOME 'b'\"" in service  # variables are replaced in commands alone
    (install,) = [line for line in service.splitlines() if "install -d" in line]
    assert shlex.split(install.lstrip("# "))[-1] == f"{tmp_path}/a $HOME 'b'"


def test_azure_pipelines_brings_the_last_run_to_where_this_one_is_written(tmp_path: Path) -> None:
    (text,) = azure_pipelines(plan(tmp_path)).values()
    (content,) = documents(text)
    inputs = {each["task"]: each["inputs"] for each in content["jobs"][0]["steps"] if "task" in each}
    places = {
        inputs[task]["targetPath"] for task in ("DownloadPipelineArtifact@2", "PublishPipelineArtifact@1")
    }
    assert places == {"$(System.DefaultWorkingDirectory)/runs"}  # the two have different ideas of a relative path


def test_one_of_several_files_is_printed_alone(auditor: Auditor, tmp_path: Path) -> None:
    options = ("schedule", "print", "--target", "systemd", "-c", tmp_path / "nothing.yaml")
    both = auditor(*options)
    assert "mention no secrets" in both.err
    timer = auditor(*options, "--only", "auditor.timer", "--at", "23:05")
    assert "OnCalendar=*-*-* 23:05:00" in timer.out
    assert "ExecStart" not in timer.out
    headings = [line for line in both.out.splitlines() if line.startswith("# /etc/systemd")]
    assert headings == ["# /etc/systemd/system/auditor.service", "# /etc/systemd/system/auditor.timer"]


@pytest.mark.parametrize(
    "options",
    [("--at", "25:00"), ("--at", "six"), ("--only", "auditor.socket"), ("-o", "runs\nUser=root"), ("--target", "at")],
)
def test_what_cannot_be_scheduled_is_refused(auditor: Auditor, tmp_path: Path, options: tuple[str, ...]) -> None:
    refused = auditor("schedule", "print", "--target", "systemd", "-c", tmp_path / "none.yaml", *options)
    assert (refused.code, refused.out) == (2, "")


def test_a_secret_that_a_person_must_type_is_refused(auditor: Auditor, tmp_path: Path) -> None:
    path = tmp_path / "inventory.yaml"
    path.write_text(INVENTORY.replace("env:AUDIT_AD_PASSWORD", "prompt:"))
    refused = auditor("schedule", "print", "--target", "cron", "-c", path)
    assert (refused.code, refused.out) == (2, "")
    assert "nobody to ask" in refused.err
