"""The manifest names every file, and every difference is told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from auditor.errors import InvalidInput
from auditor.history.manifest import MANIFEST, verify_run, write_manifest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    (folder / "evidence" / "corp").mkdir(parents=True)
    (folder / "results.json").write_text("{}\n")
    (folder / "evidence" / "corp" / "sources.json").write_text("[]\n")
    (folder / "Łódź.txt").write_text("x")
    write_manifest(folder, "run-1")
    return folder


def test_every_file_is_listed_in_the_order_of_paths(run: Path) -> None:
    manifest = json.loads((run / MANIFEST).read_text(encoding="utf-8"))
    assert manifest["run"] == "run-1"
    assert [each["path"] for each in manifest["files"]] == ["evidence/corp/sources.json", "results.json", "Łódź.txt"]
    assert manifest["files"][1]["bytes"] == 3
    assert verify_run(run) == ()


def test_writing_it_again_changes_nothing(run: Path) -> None:
    before = (run / MANIFEST).read_bytes()
    write_manifest(run, "run-1")
    assert (run / MANIFEST).read_bytes() == before


def test_a_missing_file_is_told(run: Path) -> None:
    (run / "results.json").unlink()
    assert verify_run(run) == ("results.json: missing",)


def test_an_extra_file_is_told_also_a_hidden_one_and_one_called_manifest(run: Path) -> None:
    (run / ".hidden").touch()
    (run / "evidence" / MANIFEST).touch()
    assert verify_run(run) == (".hidden: not in the manifest", "evidence/manifest.json: not in the manifest")


def test_an_altered_file_is_told_though_its_size_is_the_same(run: Path) -> None:
    (run / "results.json").write_text("[]\n")
    assert verify_run(run) == ("results.json: altered (SHA-256 differs)",)


def test_a_link_in_place_of_a_file_is_told_though_it_leads_to_the_same_bytes(run: Path, tmp_path: Path) -> None:
    (run / "results.json").rename(tmp_path / "elsewhere.json")
    (run / "results.json").symlink_to(tmp_path / "elsewhere.json")
    assert verify_run(run) == ("results.json: altered (SHA-256 differs)",)


def test_a_link_in_place_of_a_folder_is_told(run: Path, tmp_path: Path) -> None:
    (run / "evidence").rename(tmp_path / "evidence")
    (run / "evidence").symlink_to(tmp_path / "evidence")
    assert "evidence: not in the manifest" in verify_run(run)


@pytest.mark.parametrize("target", ["results.json", "nowhere"])
def test_an_extra_link_is_told(run: Path, target: str) -> None:
    (run / "link").symlink_to(run / target)
    assert verify_run(run) == ("link: not in the manifest",)


def test_a_folder_in_place_of_a_file_is_told(run: Path) -> None:
    (run / "results.json").unlink()
    (run / "results.json").mkdir()
    assert verify_run(run) == ("results.json: missing",)


def test_every_difference_is_told_at_once(run: Path) -> None:
    (run / "results.json").unlink()
    (run / "extra").touch()
    (run / "evidence" / "corp" / "sources.json").write_text("{}")
    assert [each.rpartition(": ")[2] for each in verify_run(run)] == [
        "missing",
        "not in the manifest",
        "altered (SHA-256 differs)",
    ]


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"",
        b"{",
        b"[]",
        b"\xff",
        b'{"schema_version":"1.0","run":"r"}',
        b'{"schema_version":"1.0","run":"r","files":[],"x":1}',
    ],
)
def test_without_a_readable_manifest_nothing_is_verified(run: Path, content: bytes | None) -> None:
    (run / MANIFEST).unlink()
    if content is not None:
        (run / MANIFEST).write_bytes(content)
    with pytest.raises(InvalidInput, match=r"manifest\.json"):
        verify_run(run)


def test_a_folder_that_is_not_there_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput):
        verify_run(tmp_path / "nowhere")
