"""Run folders: written whole or not at all, never over an earlier one."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from typing import TYPE_CHECKING, NoReturn

import pytest

from auditor.errors import InvalidInput, RunFailed
from auditor.history import run_folder
from auditor.history.manifest import verify_run
from auditor.history.run_folder import discard, publish, staging_folder

if TYPE_CHECKING:
    from pathlib import Path


def write_run(output_dir: Path, text: str = "x", run_id: str = "run-1") -> Path:
    with staging_folder(output_dir) as folder:
        (folder / "deep").mkdir()
        (folder / "deep" / "results.json").write_text(text, encoding="utf-8")
        return publish(folder, run_id)


def test_a_published_run_is_whole_and_verifies(tmp_path: Path) -> None:
    run = write_run(tmp_path / "a" / "b")
    assert run == tmp_path / "a" / "b" / "run-1"
    assert verify_run(run) == ()
    assert [each.name for each in run.parent.iterdir()] == ["run-1"]


def test_an_earlier_run_of_that_name_is_never_touched(tmp_path: Path) -> None:
    first, second, third = (write_run(tmp_path, text) for text in ("one", "two", "three"))
    assert [each.name for each in (first, second, third)] == ["run-1", "run-1.2", "run-1.3"]
    assert [(each / "deep" / "results.json").read_text() for each in (first, second, third)] == ["one", "two", "three"]


@pytest.mark.parametrize("taken", ["file", "empty folder", "dangling link"])
def test_nothing_that_bears_the_name_is_replaced(tmp_path: Path, taken: str) -> None:
    target = tmp_path / "run-1"
    if taken == "file":
        target.write_text("mine")
    elif taken == "empty folder":
        target.mkdir()
    else:
        target.symlink_to(tmp_path / "nowhere")
    assert write_run(tmp_path).name == "run-1.2"
    untouched = {
        "file": lambda: target.read_text() == "mine",
        "empty folder": lambda: not any(target.iterdir()),
        "dangling link": target.is_symlink,
    }
    assert untouched[taken]()


class Bug(Exception):
    """Anything that goes wrong while a run is being written."""


@pytest.mark.parametrize("failure", [Bug, KeyboardInterrupt, SystemExit])
def test_a_failure_leaves_nothing_behind(tmp_path: Path, failure: type[BaseException]) -> None:
    with pytest.raises(failure), staging_folder(tmp_path) as folder:
        _fail_half_way(folder, failure)
    assert list(tmp_path.iterdir()) == []


def _fail_half_way(folder: Path, failure: type[BaseException]) -> None:
    (folder / "half").write_text("half")
    raise failure


def test_a_failed_write_is_a_failed_run_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(RunFailed, match="cannot be written"), staging_folder(tmp_path) as folder:
        raise OSError(28, "No space left on device", str(folder))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("output", ["file", "file/below"])
def test_an_output_folder_that_cannot_be_made_is_a_failed_run(tmp_path: Path, output: str) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RunFailed, match="cannot be written"), staging_folder(tmp_path / output):
        pytest.fail("nothing can be staged there")


def test_an_output_folder_without_write_permission_is_a_failed_run(tmp_path: Path) -> None:
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        if os.access(tmp_path, os.W_OK):
            pytest.skip("this user may write everywhere")
        with pytest.raises(RunFailed, match="cannot be written"), staging_folder(tmp_path):
            pytest.fail("nothing can be staged there")
    finally:
        tmp_path.chmod(stat.S_IRWXU)


def test_a_run_is_private_until_it_is_published(tmp_path: Path) -> None:
    umask = os.umask(0o027)
    try:
        with staging_folder(tmp_path) as folder:
            assert folder.name.startswith(".incomplete-")
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
            run = publish(folder, "run-1")
    finally:
        os.umask(umask)
    assert stat.S_IMODE(run.stat().st_mode) == 0o750


def test_two_runs_at_once_get_folders_of_their_own(tmp_path: Path) -> None:
    with staging_folder(tmp_path) as one, staging_folder(tmp_path) as two:
        assert one != two
        assert publish(one, "run-1") != publish(two, "run-1")


def test_the_list_of_names_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_folder, "range", lambda *_: range(1, 3), raising=False)
    write_run(tmp_path)
    write_run(tmp_path)
    with pytest.raises(RunFailed, match="run-1"):
        write_run(tmp_path)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["run-1", "run-1.2"]


def fail(*_: object, **__: object) -> NoReturn:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_what_is_removed_needs_no_room_for_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = write_run(tmp_path)
    monkeypatch.setattr("os.mkdir", fail)
    monkeypatch.setattr("tempfile.mkdtemp", fail)
    discard(run)
    assert list(tmp_path.iterdir()) == []


def test_what_is_removed_by_half_passes_for_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = write_run(tmp_path)
    monkeypatch.setattr("shutil.rmtree", fail)
    with pytest.raises(RunFailed, match="cannot be removed"):
        discard(run)
    (left,) = tmp_path.iterdir()
    assert run_folder.abandoned(tmp_path) == (left,)
    with pytest.raises(InvalidInput):
        verify_run(left)


@pytest.mark.parametrize("name", [None, "findings.csv"])
def test_no_room_for_temporary_files_is_told_apart_from_none_for_the_run(tmp_path: Path, name: str | None) -> None:
    with pytest.raises(RunFailed) as failed, staging_folder(tmp_path / "runs"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), name)
    assert (f" or {tempfile.gettempdir()}: cannot be written" in str(failed.value)) == (name is None)
