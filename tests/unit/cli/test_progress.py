"""What is told while a command goes on: bars on a terminal, lines in a log, objects for a collector."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from auditor.cli.console import LogFormat
from auditor.cli.progress import Telling, progress
from auditor.model.instants import parse_instant
from tests.unit.cli.estate import COMPLIANT, DEVIATING, NOW, OPEN, REPOSITORY, record

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.cli.estate import Auditor, Finished

HOSTILE = "\x1b]0;owned\x07\u202e[red]"


def objects(finished: Finished) -> list[dict[str, Any]]:
    """Return the lines of standard error, each of which must be an object."""
    return [json.loads(line) for line in finished.err.splitlines()]


@pytest.mark.parametrize("place", ["first", "last"])
def test_a_collector_gets_one_object_per_line(auditor: Auditor, tmp_path: Path, place: str) -> None:
    inventory = record(tmp_path, one=DEVIATING.evidence(), two=OPEN.evidence())
    options = ("-c", inventory, "-o", tmp_path / "runs", "-f", "json", "--now", NOW)
    chosen = ("--log-format", "json")
    finished = auditor("run", *(*chosen, *options) if place == "first" else (*options, *chosen))
    told = objects(finished)
    assert all(each.keys() >= {"time", "level", "message"} for each in told)
    assert [parse_instant(each["time"]) for each in told] == sorted(parse_instant(each["time"]) for each in told)
    steps = [(each["connection"], each["step"]) for each in told if "connection" in each]
    for name in ("one", "two"):  # side by side
        assert [step for connection, step in steps if connection == name] == ["started", "finished"]
    assert all(each["duration_s"] >= 0 for each in told if each.get("step") == "finished")
    assert told[-1]["message"].startswith("auditor: non_compliant; ")
    assert (told[-1]["exit_code"], told[-1]["verdict"]) == (1, "non_compliant")
    assert told[-1]["run_folder"] == str(finished.folder)
    quiet = auditor("run", *options, *chosen, "-q")
    assert len(objects(quiet)) == 1
    plain = auditor("run", *options)
    assert plain.last_line.startswith("auditor: ")


def test_what_is_wrong_is_an_object_with_its_place(auditor: Auditor, tmp_path: Path) -> None:
    (tmp_path / "inventory.yaml").write_text("version: 2\nconnectoins: []\n")
    finished = auditor("run", "-c", tmp_path / "inventory.yaml", "-o", tmp_path / "runs", "--log-format", "json")
    assert finished.code == 2
    *problems, last = objects(finished)
    assert {each["level"] for each in problems} == {"error"}
    assert {each["line"] for each in problems} >= {1, 2}
    assert all(each["file"].endswith("inventory.yaml") for each in problems)
    assert last["exit_code"] == 2


@pytest.mark.parametrize("what", ["bug", "failure"])
def test_a_failed_run_is_an_object_too(
    auditor: Auditor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, what: str
) -> None:
    inventory = record(tmp_path, one=COMPLIANT.evidence())
    (tmp_path / "taken").touch()
    if what == "bug":
        monkeypatch.setattr("auditor.concluded_run.conclude_run", lambda *_: 1 / 0)
    output = tmp_path / ("runs" if what == "bug" else "taken")
    finished = auditor("run", "-c", inventory, "-o", output, "-f", "json", "--log-format", "json")
    told = objects(finished)
    assert (finished.code, told[-1]["exit_code"], told[-1]["level"]) == (4, 4, "error")
    assert any("ZeroDivisionError" in each["message"] for each in told) == (what == "bug")


def test_another_log_format_is_refused(auditor: Auditor, tmp_path: Path) -> None:
    finished = auditor("run", "-c", tmp_path / "none.yaml", "--log-format", "xml")
    assert finished.code == 2


@pytest.mark.parametrize(("log_format", "verbose"), [("text", True), ("json", True), ("json", False)])
def test_no_name_can_steer_a_log(capsys: pytest.CaptureFixture[str], log_format: str, verbose: bool) -> None:
    telling = Telling(no_progress=False, quiet=False, verbose=verbose, log_format=LogFormat(log_format))
    with progress(telling) as announce:
        for step in ("started", f"reading {HOSTILE}", "finished"):
            announce(HOSTILE, step)
        announce("", "writing json")
    told = capsys.readouterr().err
    assert not {"\x1b", "\x07", "\u202e"} & set(told)
    assert len(told.splitlines()) == (4 if verbose else 3)


BARS = f"""
import time
from auditor.cli.console import LogFormat
from auditor.cli.progress import Telling, progress
telling = Telling(no_progress=False, quiet=False, verbose=False, log_format=LogFormat.TEXT)
with progress(telling) as announce:
    for name in ("corp", {HOSTILE!r}):
        announce(name, "started")
    announce("corp", "reading the account")
    announce({HOSTILE!r}, "reading " + {HOSTILE!r})
    time.sleep(0.5)
    announce("corp", "finished")
    announce("", "judging the evidence")
    time.sleep(0.5)
"""


def on_terminal(program: str, **environment: str) -> str:
    """Run a program whose standard error is a terminal; return what that showed."""
    leader, terminal = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=REPOSITORY, stderr=terminal, env={**os.environ, "COLUMNS": "100", "TERM": "xterm", **environment},
    ) as process:
        os.close(terminal)
        shown = b""
        while True:
            try:
                chunk = os.read(leader, 65536)
            except OSError:  # Linux's way to say that nobody writes any more
                break
            if not chunk:
                break
            shown += chunk
    os.close(leader)
    assert process.returncode == 0, shown
    return shown.decode()


def test_a_terminal_shows_a_bar_with_its_step_for_each_connection() -> None:
    shown = on_terminal(BARS)
    assert "reading the account" in shown
    assert "judging the evidence" in shown
    assert re.search(r"corp: collected in \d\.\d s", shown)
    assert "owned" in shown
    assert not {"\x07", "\u202e"} & set(shown)
    assert "[red]" in shown
    assert "\x1b]0;" not in shown
    assert "\x1b[?25h" in shown  # the cursor is shown again


def test_a_terminal_without_colour_or_cursor_control_is_respected() -> None:
    colour = re.compile(r"\x1b\[[0-9;]*3[0-9]")
    assert colour.search(on_terminal(BARS))
    assert not colour.search(on_terminal(BARS, NO_COLOR="1"))
    assert "\x1b" not in on_terminal(BARS, TERM="dumb")


MANY_BARS = """
import threading, time
from auditor.cli.console import LogFormat
from auditor.cli.progress import Telling, progress
telling = Telling(no_progress=False, quiet=False, verbose=False, log_format=LogFormat.TEXT)
def connection(number):
    for round in range(20):
        name = f"c{number}-{round}"
        for step in ("started", "reading", "reading on", "finished"):
            announce(name, step)
            time.sleep(0.001)
with progress(telling) as announce:
    threads = [threading.Thread(target=connection, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""


def screen(shown: str) -> list[str]:
    """Return the lines that a terminal of unlimited height shows in the end (ECMA-48: CUU, EL)."""
    lines, row = [""], 0
    for up, erase, other, text in re.findall(r"\x1b\[(\d+)A|\x1b\[(2)K|(\x1b\[[?\d;]*[a-zA-Z]|\r)|([^\x1b\r]+)", shown):
        if up:
            row = max(0, row - int(up))
        elif erase:
            lines[row] = ""
        for part in re.findall(r"\n|[^\n]+", text) if not other else ():
            if part == "\n":
                row += 1
                lines += [""] * (row + 1 - len(lines))
            else:
                lines[row] = part
    return [line for line in lines if line]


def test_no_bar_is_left_standing_when_many_connections_begin_and_end_at_once() -> None:
    left = screen(on_terminal(MANY_BARS, NO_COLOR="1"))
    assert [line for line in left if not re.fullmatch(r"c\d+-\d+: collected in \d+\.\d s", line)] == []
    assert len(left) == 8 * 20
