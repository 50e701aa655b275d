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
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from auditor.cli.destination import _scratch
from auditor.errors import RunFailed
from auditor.history.object_storage import object_storage_url, open_storage
from auditor.history.storage_lease import Lease
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


def test_a_stored_run_is_compared_rendered_judged_and_accepted_by_its_address(
    auditor: Auditor, storage: Any, tmp_path: Path
) -> None:
    first, second = (run(auditor, tmp_path, day, system) for day, system in ((20, COMPLIANT), (21, DEVIATING)))
    before, after = first.out.strip(), second.out.strip()
    assert "  corp  " in auditor("diff", before, after).out
    rendered = auditor("report", after, "-o", tmp_path / "local", "-f", "md")
    assert (rendered.folder / "summary.md").exists()
    judged = auditor("evaluate", after, "-o", tmp_path / "judged", "--baseline", before)
    assert judged.results["drift"]["baseline_run"] == results(storage, first)["run"]["id"]
    deviation = next(each for each in judged.results["findings"] if each["outcome"] == "missing")
    people = ("--reason", "r", "--owner", "a", "--approved-by", "b", "--expires", "2026-12-01")
    waivers = ("waivers", "add", tmp_path / "w.yaml", "--run", after, "--finding", deviation["key"])
    assert auditor(*waivers, *people, "--now", "2026-11-22T00:00:00Z").code == 0
    nothing = auditor("diff", f"{URL}/nothing", after)
    assert (nothing.code, nothing.out) == (2, "")
    assert f"{URL}/nothing (RUN): no run is stored there" in nothing.err


def test_no_name_in_the_store_leads_out_of_the_folder(storage: Any, tmp_path: Path) -> None:
    storage._files.pipe_file("audits/below/runs/run/../../../escaped", b"x")
    with pytest.raises(RunFailed, match="holds an object that no run has"):
        storage.fetch("run", tmp_path / "a" / "b" / "c")
    for file in ("manifest.json", "results.json"):
        storage._files.pipe_file(f"audits/below/runs/../{file}", b"x")
    assert ".." not in storage.names()


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
    assert "cannot be locked" in failed.last_line
    assert "S3cret" not in failed.err
    assert "Traceback" not in failed.err
    inventory = record(tmp_path, corp=COMPLIANT.evidence())
    unknown = auditor("run", "-c", inventory, "-o", "nosuch://bucket/runs", "-f", "json")
    assert unknown.code == 4
    assert "nosuch://bucket/runs: cannot be used" in unknown.last_line
    assert auditor("history", "prune", "-o", URL, "--keep", "1").code == 4


def lease(storage: Any, holder: str) -> Lease:
    return Lease(URL, storage._files, storage._root, holder=holder, host=f"host of {holder}")


def locks(storage: Any) -> list[str]:
    storage._files.invalidate_cache()
    return [path.rpartition("/")[2] for path in storage._files.find("audits/below/runs/.locks")]


def test_a_run_on_another_machine_keeps_this_one_out(auditor: Auditor, storage: Any, tmp_path: Path) -> None:
    with lease(storage, "other").held():
        refused = run(auditor, tmp_path, 20, COMPLIANT)
        assert (refused.code, refused.out) == (4, "")
        assert "another command is under way on 'host of other'" in refused.last_line
        pruned = auditor("history", "prune", "-o", URL, "--keep", "1")
        assert (pruned.code, "another command" in pruned.last_line) == (4, True)
        assert auditor("collect", "-c", tmp_path / "estate-20" / "inventory.json", "-o", URL).code == 0
    assert run(auditor, tmp_path, 21, COMPLIANT).code == 0
    assert len(locks(storage)) == 1


def test_a_lock_that_nobody_renews_ends(storage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    dead = lease(storage, "dead")
    dead._take()  # and never renewed
    with pytest.raises(RunFailed, match="is under way"):
        lease(storage, "next")._take()
    monkeypatch.setattr("auditor.history.storage_lease.LEASE_S", 0)
    with lease(storage, "next").held(), pytest.raises(RunFailed, match="lost to another command"):
        dead.require_held()
    assert locks(storage) == ["000002"]


def test_this_machine_takes_over_what_its_killed_command_held(storage: Any) -> None:
    lease(storage, "me")._take()
    with lease(storage, "me").held():
        assert locks(storage) == ["000002"]


def test_of_many_that_want_a_lock_one_gets_it(storage: Any) -> None:
    def take(number: int) -> bool:
        try:
            lease(storage, f"machine-{number}")._take()
        except RunFailed:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(take, range(8))) == 1


def test_who_looked_long_ago_gets_no_old_number(storage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    late = lease(storage, "late")
    with lease(storage, "first").held():
        pass
    look = late._newest
    monkeypatch.setattr(late, "_newest", lambda: 0 if not late._number else look())  # it saw no lock at all
    with lease(storage, "second").held():
        with pytest.raises(RunFailed, match="at the same moment"):
            late._take()
        assert locks(storage) == ["000002"]


def test_a_run_that_lost_its_lock_is_not_stored(
    auditor: Auditor, storage: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(*_: Any, **__: Any) -> None:
        storage._files.pipe_file("audits/below/runs/.locks/000077", b'{"holder": "other", "host": "there"}')

    with monkeypatch.context() as patch:
        patch.setattr("auditor.cli.destination.Destination.fetch_earlier", lose)
        failed = run(auditor, tmp_path, 20, COMPLIANT)
    assert (failed.code, failed.out) == (4, "")
    assert "its lock was lost" in failed.last_line
    assert storage.names() == ()
    assert len(local_runs()) == 1


def test_prune_removes_old_runs_and_remains(auditor: Auditor, storage: Any, tmp_path: Path) -> None:
    places = [run(auditor, tmp_path, day, COMPLIANT).out.strip() for day in (20, 21, 22)]
    altered = run(auditor, tmp_path, 19, DEVIATING).out.strip()
    storage._files.pipe_file(f"{altered}/results.json", storage._files.cat_file(f"{altered}/results.json") + b" ")
    storage._files.pipe_file(f"{URL}/20200101T000000Z-half/results.json", b"{}")  # of an upload that was killed
    storage._files.pipe_file(f"{URL}/20200102T000000Z-busy/results.json", b"{}")  # somebody stores it right now
    storage._files.pipe_file(f"{URL}/.claims/20200102T000000Z-busy", b"taken")
    before = storage._files.find(URL)
    options = ("history", "prune", "-o", URL, "--keep", "1", "--older-than", "1d", "--now", "2026-11-22T09:00:00Z")
    told = auditor(*options, "--dry-run")
    storage._files.invalidate_cache()
    assert [path for path in storage._files.find(URL) if ".locks" not in path] == [
        path for path in before if ".locks" not in path
    ]
    assert told.out.splitlines() == [places[1], places[0], f"{URL}/20200101T000000Z-half"]
    assert "2 runs and 1 leftovers would be removed" in told.last_line
    pruned = auditor(*options)
    assert (pruned.code, pruned.out) == (0, told.out), pruned.err
    storage._files.invalidate_cache()
    names = {path.removeprefix("audits/below/runs/").partition("/")[0] for path in storage._files.find(URL)}
    kept = {places[2].rpartition("/")[2], altered.rpartition("/")[2]}
    assert names == {*kept, "20200102T000000Z-busy", ".claims", ".locks"}
    assert auditor("verify", places[2]).code == 0
    assert auditor("verify", places[0]).code == 2


@pytest.mark.parametrize("removals", range(4))
def test_a_run_removed_by_half_is_no_run(
    auditor: Auditor, storage: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, removals: int
) -> None:
    place = run(auditor, tmp_path, 20, COMPLIANT).out.strip()
    name = place.rpartition("/")[2]
    left = [removals]
    remove = storage._files.rm_file

    def until_the_network_is_gone(path: str) -> None:
        if not left[0]:
            raise OSError("the network is down")
        left[0] -= 1
        remove(path)

    with monkeypatch.context() as patch:
        patch.setattr(storage._files, "rm_file", until_the_network_is_gone)
        with pytest.raises(RunFailed, match="cannot be removed"):
            storage.remove(name)
    assert (name in storage.names()) is (removals == 0)  # whole, or none
    assert auditor("verify", place).code == (0 if removals == 0 else 2)
    assert (name in storage.remains()) is (removals > 0)
    storage.remove(name)
    storage._files.invalidate_cache()
    assert storage._files.find(place) == []


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
