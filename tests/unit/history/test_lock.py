"""One run at a time in an output folder; the lock goes with its process, however that ends."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from auditor.errors import RunFailed
from auditor.history.lock import locked, only_run
from auditor.history.run_folder import abandoned, staging_folder

if TYPE_CHECKING:
    from pathlib import Path

HOLD = """
import sys
from pathlib import Path
from auditor.history.lock import only_run
from auditor.history.run_folder import staging_folder
with only_run(Path(sys.argv[1])), staging_folder(Path(sys.argv[1])) as folder:
    (folder / "half").write_text("half")
    print(folder, flush=True)
    sys.stdin.read()
"""


def test_a_second_run_is_refused_and_another_folder_is_free(tmp_path: Path) -> None:
    with only_run(tmp_path / "runs"):
        with pytest.raises(RunFailed, match="another run is under way"), only_run(tmp_path / "runs"):
            pytest.fail("the folder is taken")
        with only_run(tmp_path / "elsewhere"):
            pass
    with only_run(tmp_path / "runs"):
        pass
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_lock_leaves_nothing_behind_after_a_failure(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), only_run(tmp_path):
        raise ZeroDivisionError
    with locked(tmp_path):
        pass


def test_a_killed_process_holds_nothing_and_what_it_left_is_known(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        left = process.stdout.readline().strip()
        with pytest.raises(RunFailed, match="another run is under way"), only_run(tmp_path):
            pytest.fail("the folder is taken")
        assert abandoned(tmp_path) == ()  # in use
        process.send_signal(signal.SIGKILL)
        process.wait()
    with only_run(tmp_path):
        assert [str(each) for each in abandoned(tmp_path)] == [left]


def test_what_is_being_written_is_not_abandoned(tmp_path: Path) -> None:
    with staging_folder(tmp_path):
        assert abandoned(tmp_path) == ()
    assert abandoned(tmp_path) == ()


def test_a_file_in_the_way_is_a_failed_run(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RunFailed, match="cannot be written"), only_run(tmp_path / "file"):
        pytest.fail("nothing can be written there")
