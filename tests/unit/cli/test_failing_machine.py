"""Runs whose machine fails them: killed at any moment, without room, on a folder that cannot be written."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from auditor.errors import InvalidInput
from auditor.history.manifest import verify_run
from tests.unit.cli.estate import COMPLIANT, DEVIATING, NOW, REPOSITORY, record

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.cli.estate import Auditor

MOMENTS = 50
FORMATS = {"json": "results.json", "html": "report.html", "csv": "findings.csv", "junit": "junit.xml"}
# Forks a run for every line it reads, so that its moments are those of the run and not of imports.
FORKS = """
import os, sys
import auditor.pipeline, auditor.concluded_run, auditor.report.html, auditor.report.tables, auditor.collect.tenant
from auditor.cli import main
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.argv = ["auditor", *line.rstrip("\\n").split("\\t")]
        main()
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Runs:
    """Runs of the tool in processes of their own, which may be killed."""

    def __init__(self, process: subprocess.Popen[str], *options: str | Path) -> None:
        self._process = process
        self._options = options

    def run(self, now: str, *, kill_after_s: float | None = None) -> tuple[int, float]:
        """Run once; return the exit code, or minus the signal, and the seconds that took."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(*self._options, "--now", now, sep="\t", file=self._process.stdin, flush=True)
        child = int(self._process.stdout.readline())
        began = time.monotonic()
        if kill_after_s is not None:
            time.sleep(kill_after_s)
            with contextlib.suppress(ProcessLookupError):  # it was quicker
                os.kill(child, signal.SIGKILL)
        code = int(self._process.stdout.readline())
        return code, time.monotonic() - began


def is_whole(folder: Path) -> bool:
    """Tell whether a folder passes as a run; one that does must be everything a run is."""
    try:
        differences = verify_run(folder)
    except InvalidInput:
        return False
    if not differences:
        assert all((folder / name).stat().st_size for name in FORMATS.values()), folder
        assert (folder / "evidence" / "corp" / "sources.json").exists()
    return not differences


def test_a_run_killed_at_any_moment_leaves_the_earlier_ones_and_no_half_one(auditor: Auditor, tmp_path: Path) -> None:
    chance = random.Random(20261123)
    output, inventory = tmp_path / "runs", record(tmp_path, corp=DEVIATING.evidence())
    options = ("run", "-c", inventory, "-o", output, "-f", ",".join(FORMATS), "--no-progress", "--exit-zero")
    killed, left_at = 0, set()
    with subprocess.Popen(
        [sys.executable, "-c", FORKS],
        cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as process:
        runs = Runs(process, *options)
        assert [runs.run(f"2026-11-20T08:00:0{number}Z")[0] for number in range(2)] == [0, 0]
        code, usual_s = runs.run("2026-11-21T08:00:00Z")
        assert code == 0
        whole = set(output.iterdir())
        assert len(whole) == 3
        for attempt in range(5 * MOMENTS):
            if killed == MOMENTS:
                break
            now = f"2026-11-21T09:{attempt // 60:02}:{attempt % 60:02}Z"
            code, took_s = runs.run(now, kill_after_s=chance.uniform(0, 1) * usual_s)
            assert code in {0, -signal.SIGKILL}
            if code:
                killed += 1
            else:  # quicker than thought: the machine has less to do
                usual_s = min(usual_s, took_s)
            for folder in set(output.iterdir()) - whole:
                if folder.name.startswith("."):
                    left_at.add(tuple(sorted(each.name for each in folder.rglob("*"))))
                    is_whole(folder)
                elif any(folder.iterdir()):  # an empty one had claimed its name
                    assert is_whole(folder), f"{folder} is half a run that has a name"
                    whole.add(folder)
            assert all(is_whole(each) for each in whole)
        process.communicate()
    assert killed == MOMENTS
    assert len(left_at) > 2, "the moments were all alike"
    after = auditor("run", "-c", inventory, "-o", output, "-f", "json", "--now", NOW, "--exit-zero")
    assert after.code == 0, after.err
    latest = max(json.loads((each / "results.json").read_bytes())["run"]["evaluated_at"] for each in whole)
    assert after.results["drift"]["baseline_evaluated_at"] == latest
    auditor("history", "prune", "-o", output, "--keep", "99")
    assert not [each for each in output.iterdir() if each.name.startswith(".")]


def on_file_system(options: str, folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    """Run a shell script that sees, at `folder`, a file system of its own, mounted with `options`.

    `$PYTHON` is this interpreter.
    """
    unshare = shutil.which("unshare")
    mount = f"mount -t tmpfs -o {options} none {folder}"
    command = [unshare or "unshare", "--user", "--map-root-user", "--mount", "sh", "-euc"]
    if unshare is None or subprocess.run([*command, mount], capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody mount a file system of their own")
    return subprocess.run(
        [*command, f"{mount}; {script}"],
        cwd=REPOSITORY, env={"PYTHON": sys.executable, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        capture_output=True, text=True, check=False,
    )


@pytest.mark.parametrize("kilobytes", [48, 96, 160, 400])
def test_no_room_on_the_disk_ends_with_4_and_one_clear_line(tmp_path: Path, kilobytes: int) -> None:
    inventory = record(tmp_path, corp=DEVIATING.evidence())
    output = tmp_path / "disk"
    output.mkdir()
    run = f"$PYTHON -m auditor run -c {inventory} -o {output}/runs --no-progress"
    finished = on_file_system(
        "size=8m", output,
        f"{run} -f json --now 2026-11-20T08:00:00Z --exit-zero; cp -r {output}/runs/2* {tmp_path}/earlier;"
        f"mount -o remount,size=$(( $(du -sk {output} | cut -f1) + {kilobytes} ))k {output};"
        f"set +e; {run} -f json,html --now 2026-11-21T08:00:00Z; echo code $?;"
        f"diff -r {output}/runs/2* {tmp_path}/earlier; echo diff $?; ls -A {output}/runs",
    )
    if kilobytes == 400:  # room enough: the others fail for want of it alone
        assert "code 1" in finished.stdout, finished.stderr
        return
    first, code, diff, left = finished.stdout.splitlines()
    assert (code, diff) == ("code 4", "diff 0"), finished.stderr
    assert left == first.rpartition("/")[2]
    assert "Traceback" not in finished.stderr
    last = finished.stderr.splitlines()[-1]
    assert "No space left on device" in last
    assert "exit 4 (the run failed)" in last


def test_a_folder_that_cannot_be_written_ends_with_4(tmp_path: Path) -> None:
    inventory = record(tmp_path, corp=COMPLIANT.evidence())
    output = tmp_path / "disk"
    output.mkdir()
    finished = on_file_system(
        "size=1m,ro", output,
        f"set +e; $PYTHON -m auditor run -c {inventory} -o {output} -f json; echo code $?;"
        f"$PYTHON -m auditor run -c {inventory} -o {output}/below -f json; echo code $?",
    )
    assert finished.stdout.split("\n") == ["code 4", "code 4", ""], finished.stderr
    assert "Traceback" not in finished.stderr
    told = [line for line in finished.stderr.splitlines() if "exit 4" in line]
    assert len(told) == 2
    assert all("cannot be written" in line and "Read-only file system" in line for line in told)
