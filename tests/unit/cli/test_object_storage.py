"""Runs in object storage: a server that speaks S3, killed uploads, names in use, a server that is gone."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from auditor.cli.destination import _scratch
from auditor.history.object_storage import object_storage_url, open_storage
from tests.unit.cli.estate import COMPLIANT, DEVIATING, record, start
from tests.unit.notify.servers import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.unit.cli.estate import Auditor, Finished

s3fs = pytest.importorskip("s3fs")
URL = "s3://audits/below/runs"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Run an S3-compatible server in a process of its own; yield its address."""
    port = free_port()
    with subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:
        address = f"http://127.0.0.1:{port}"
        try:
            for _ in range(300):
                try:
                    urllib.request.urlopen(address, timeout=1).close()
                    break
                except (urllib.error.URLError, OSError):
                    time.sleep(0.1)
            yield address
        finally:
            process.kill()


@pytest.fixture
def storage(server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Give this machine credentials and an empty bucket."""
    urllib.request.urlopen(urllib.request.Request(f"{server}/moto-api/reset", method="POST")).close()
    environment = {
        "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "S3cret-of-the-store", "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": server, "XDG_STATE_HOME": str(tmp_path / "state"), "AWS_EC2_METADATA_DISABLED": "true",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()  # one may know the address of an earlier server
    opened = open_storage(URL)
    opened._files.mkdir("audits")
    return opened


def run(auditor: Auditor, folder: Path, day: int, system: Any, *options: str) -> Finished:
    inventory = record(folder / f"estate-{day}", corp=system.evidence())
    now = f"2026-11-{day:02}T08:00:00Z"
    return auditor("run", "-c", inventory, "-o", URL, "-f", "json,html", "--now", now, "--no-progress", *options)


def results(storage: Any, finished: Finished) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(storage._files.cat_file(f"{finished.out.strip()}/results.json"))
    return found


def local_runs() -> list[Path]:
    folder = _scratch(URL) / "runs"
    return sorted(folder.iterdir()) if folder.is_dir() else []


def test_runs_are_stored_compared_listed_and_verified(auditor: Auditor, storage: Any, tmp_path: Path) -> None:
    first, second = run(auditor, tmp_path, 20, COMPLIANT), run(auditor, tmp_path, 21, DEVIATING)
    assert (first.code, second.code) == (0, 1), second.err
    assert first.out.startswith(f"{URL}/20261120T080000Z-")
    assert f"{second.out.strip()}/report.html" in second.last_line
    record_of_second = results(storage, second)
    assert record_of_second["drift"]["baseline_run"] == results(storage, first)["run"]["id"]
    assert record_of_second["drift"]["new"]
    for finished in (first, second):
        assert auditor("verify", finished.out.strip()).code == 0
    listed = json.loads(auditor("history", "list", "-o", URL, "--json").out)
    assert [each["folder"] for each in listed] == [second.out.strip(), first.out.strip()]
    assert all(each["is_unaltered"] for each in listed)
    assert local_runs() == []
    storage._files.pipe_file(f"{second.out.strip()}/findings.csv", b"more")
    altered = auditor("verify", second.out.strip())
    assert (altered.code, altered.out) == (1, "findings.csv: not in the manifest\n")
    names = {path.split("/")[-2] for path in storage._files.find("audits/below/runs") if ".claims" in path}
    assert names == set()


def test_a_name_is_given_once(auditor: Auditor, storage: Any, tmp_path: Path) -> None:
    finished = [run(auditor, tmp_path / str(number), 20, COMPLIANT) for number in range(3)]
    places = [each.out.strip() for each in finished]
    assert [place.removeprefix(places[0]) for place in places] == ["", ".2", ".3"]
    contents = [storage._files.cat_file(f"{place}/results.json") for place in places]
    name = places[0].rpartition("/")[2]
    storage._files.pipe_file(f"audits/below/runs/.claims/{name}.4", b"somebody else")  # another upload of that name
    assert run(auditor, tmp_path / "4", 20, COMPLIANT).out.strip() == f"{places[0]}.5"
    assert [storage._files.cat_file(f"{place}/results.json") for place in places] == contents


@pytest.mark.parametrize("command", ["collect", "evaluate", "report"])
def test_other_commands_write_there_too(auditor: Auditor, storage: Any, tmp_path: Path, command: str) -> None:
    inventory = record(tmp_path, corp=COMPLIANT.evidence())
    local = auditor("run", "-c", inventory, "-o", tmp_path / "local", "-f", "json")
    arguments = ("-c", inventory) if command == "collect" else (local.folder,)
    finished = auditor(command, *arguments, "-o", URL)
    assert finished.code == 0, finished.err
    assert finished.out.startswith(f"{URL}/")
    assert auditor("verify", finished.out.strip()).code == 0
    assert local_runs() == []


def test_an_altered_earlier_run_is_passed_over(auditor: Auditor, storage: Any, tmp_path: Path) -> None:
    first, second = run(auditor, tmp_path, 20, COMPLIANT), run(auditor, tmp_path, 21, COMPLIANT)
    path = f"{second.out.strip()}/results.json"
    storage._files.pipe_file(path, storage._files.cat_file(path) + b" ")
    third = run(auditor, tmp_path, 22, DEVIATING)
    record_of_third = results(storage, third)
    assert record_of_third["drift"]["baseline_run"] == results(storage, first)["run"]["id"]
    assert [each["check"] for each in record_of_third["findings"]].count("META-008") == 1


def test_an_upload_killed_at_any_moment_leaves_no_half_run_that_counts(
    auditor: Auditor, storage: Any, tmp_path: Path
) -> None:
    chance = random.Random(20261123)
    whole = run(auditor, tmp_path, 20, COMPLIANT).out.strip()
    inventory = tmp_path / "estate-20" / "inventory.json"
    began = time.monotonic()
    options = ("run", "-c", inventory, "-o", URL, "-f", "json,csv", "--no-progress")
    start(*options, "--now", "2026-11-21T08:00:00Z").communicate()
    usual_s = time.monotonic() - began
    for moment in range(8):
        with start(*options, "--now", f"2026-11-21T09:00:{moment:02}Z") as process:
            time.sleep(chance.uniform(0.4, 1.0) * usual_s)
            process.send_signal(signal.SIGKILL)
            process.communicate()
    names = storage.names()
    assert whole.rpartition("/")[2] in names
    for name in names:
        verified = auditor("verify", f"{URL}/{name}")
        assert verified.code == 0, verified.out
    after = run(auditor, tmp_path, 22, DEVIATING)
    assert after.code == 1, after.err
    assert results(storage, after)["drift"]["baseline_run"] in {name.partition(".")[0] for name in storage.names()}
    assert [each for each in local_runs() if not each.name.startswith(".")] == []


def test_a_run_that_cannot_be_stored_is_kept_and_stored_with_the_next(
    auditor: Auditor, storage: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(
            "auditor.history.object_storage.ObjectStorage._require_stored",
            lambda *_: (_ for _ in ()).throw(OSError("the network is down")),
        )
        failed = run(auditor, tmp_path, 20, COMPLIANT)
    assert (failed.code, failed.out) == (4, "")
    assert "the network is down" in failed.err
    assert "goes there with the next one" in failed.last_line
    (kept,) = local_runs()
    assert str(kept) in failed.last_line
    assert storage.names() == ()
    second = run(auditor, tmp_path, 21, COMPLIANT)
    assert second.code == 0
    assert f"it is now {URL}/{kept.name}" in second.err
    assert len(storage.names()) == 2
    assert local_runs() == []


def test_no_storage_is_a_clear_failure(
    auditor: Auditor, storage: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    s3fs.S3FileSystem.clear_instance_cache()
    failed = run(auditor, tmp_path, 20, COMPLIANT)
    assert (failed.code, failed.out) == (4, "")
    assert "cannot be listed" in failed.last_line
    assert "S3cret" not in failed.err
    assert "Traceback" not in failed.err
    inventory = record(tmp_path, corp=COMPLIANT.evidence())
    unknown = auditor("run", "-c", inventory, "-o", "nosuch://bucket/runs", "-f", "json")
    assert unknown.code == 4
    assert "nosuch://bucket/runs: cannot be used" in unknown.last_line
    assert auditor("history", "prune", "-o", URL, "--keep", "1").code == 2


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("s3://bucket/a/b", "s3://bucket/a/b"),
        ("abfs://c@a.dfs.core.windows.net/x", "abfs://c@a.dfs.core.windows.net/x"),
        ("runs", None), ("/var/lib/runs", None), ("C:/runs", None), ("./s3:/x", "s3://x"), ("a:b", None),
    ],
)
def test_what_is_an_address(text: str, url: str | None) -> None:
    assert object_storage_url(Path(text)) == url
