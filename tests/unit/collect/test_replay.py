"""Recorded evidence is read back only if it is what was written."""

from __future__ import annotations

import hashlib
import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from auditor.collect.evidence_writer import EvidenceWriter
from auditor.collect.replay import read_evidence
from auditor.errors import InvalidInput
from auditor.model.evidence import Gap, GapKind
from auditor.model.message import say
from tests.unit.evaluate.composed import NOW
from tests.unit.evaluate.composed_directory import CONNECTION

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "corp"
    writer = EvidenceWriter(folder, CONNECTION, lambda: NOW)
    with writer.read("account", endpoint="e", query={}) as read:
        read.add({"id": 1})
        read.add({"id": 2})
    with writer.read("groups", endpoint="e", query={}):
        pass
    writer.store_descriptor(b"\x01")
    writer.close({"operator": "tester"})
    return folder


FILES = ("000-account.jsonl", "001-groups.jsonl", "descriptors.jsonl", "sources.json", "connection.json")


def refused(folder: Path) -> str:
    with pytest.raises(InvalidInput) as invalid:
        read_evidence(folder)
    (problem,) = invalid.value.problems
    assert problem.file == str(folder)
    return problem.message


def edit(folder: Path, name: str, change: Callable[[Any], object]) -> None:
    content = json.loads((folder / name).read_text(encoding="utf-8"))
    change(content)
    (folder / name).write_text(json.dumps(content), encoding="utf-8")


def test_unaltered_evidence_is_read(folder: Path) -> None:
    assert sorted(each.name for each in folder.iterdir()) == sorted(FILES)
    assert read_evidence(folder).read("account").records == ({"id": 1}, {"id": 2})


@pytest.fixture
def with_gaps(tmp_path: Path) -> Path:
    folder = tmp_path / "gaps"
    writer = EvidenceWriter(folder, CONNECTION, lambda: NOW)
    refused = Gap(
        kind=GapKind.NOT_PERMITTED,
        message=say("{host} refused to read {dn}: {said}", host="dc1", dn="OU=a", said="{dn} \ud800"),
        missing_permission=say("Read on {dn}", dn="OU=a"),
    )
    for subject in ("one", "two"):
        writer.leave_gap("containers", refused, subject=subject)
    writer.close({"operator": "tester"})
    return folder


def test_why_a_read_failed_is_read_back_with_what_it_was_made_of(with_gaps: Path) -> None:
    one, two = (read.gap for _, read in read_evidence(with_gaps).reads)
    assert one == two
    assert one is not None
    assert one.message == "not asked for, because: dc1 refused to read OU=a: {dn} \\ud800"
    assert (one.message.template, one.message.values["message"].values["said"]) == (
        "not asked for, because: {message}", "{dn} \\ud800",
    )
    assert (one.missing_permission, one.missing_permission.values) == ("Read on OU=a", {"dn": "OU=a"})
    assert len(json.loads((with_gaps / "sources.json").read_bytes())["messages"]) == 3


def test_evidence_of_earlier_versions_has_its_sentences_alone(with_gaps: Path) -> None:
    edit(with_gaps, "sources.json", lambda it: it.pop("messages"))
    gap = read_evidence(with_gaps).reads[0][1].gap
    assert gap is not None
    assert gap.message == "not asked for, because: dc1 refused to read OU=a: {dn} \\ud800"
    assert (gap.message.template, gap.message.values) == (gap.message, {})


def test_messages_that_contain_themselves_or_lack_a_value_harm_nothing(with_gaps: Path) -> None:
    circle = {"template": "{a}{b}", "values": {"a": "Read on OU=a", "b": ""}, "texts": ["a", "b"]}
    edit(with_gaps, "sources.json", lambda it: it["messages"].append(circle))
    assert read_evidence(with_gaps).reads[0][1].gap.missing_permission == "Read on OU=a"
    edit(with_gaps, "sources.json", lambda it: it["messages"].append({"template": "{a}", "values": {}}))
    refused(with_gaps)


def test_messages_that_list_each_other_without_using_it_take_no_time(with_gaps: Path) -> None:
    many = [
        {"template": f"t{place}", "values": {"a": f"t{place + 1}", "b": f"t{place + 1}"}, "texts": ["a", "b"]}
        for place in range(200)
    ]

    def lead_in(content: Any) -> None:
        content["messages"] = many
        content["sources"][0]["gap"]["message"] = "t0"

    edit(with_gaps, "sources.json", lead_in)
    assert read_evidence(with_gaps).reads[0][1].gap.message == "t0"


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_refused(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert "cannot be used as recorded evidence" in refused(folder)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("content", [b"\xff\xfe", b"{}\n", b"[]\n", b"{", b"null\n"])
def test_a_replaced_file_is_refused(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    refused(folder)


@pytest.mark.parametrize("name", FILES[:3])
@pytest.mark.parametrize(
    "alter", [lambda raw: raw + b"\n", lambda raw: raw + b'{"id": 3}\n', lambda raw: raw[:-1] or b"x"]
)
def test_an_altered_file_is_refused_and_named(folder: Path, name: str, alter: Callable[[bytes], bytes]) -> None:
    (folder / name).write_bytes(alter((folder / name).read_bytes()))
    assert f"{name} does not have the recorded SHA-256" in refused(folder)


def test_a_swapped_descriptor_is_refused_though_its_file_has_the_digest(folder: Path) -> None:
    line = json.dumps({"sha256": hashlib.sha256(b"\x01").hexdigest(), "descriptor": "Ag=="}) + "\n"
    (folder / "descriptors.jsonl").write_text(line)
    edit(folder, "sources.json", lambda it: it.update(descriptors_sha256=hashlib.sha256(line.encode()).hexdigest()))
    assert "descriptor does not have the recorded SHA-256" in refused(folder)


def test_the_digest_of_evidence_covers_its_provenance_and_its_connection(folder: Path) -> None:
    before = read_evidence(folder).sha256
    edit(folder, "sources.json", lambda it: it["sources"][0].update(endpoint="elsewhere"))
    between = read_evidence(folder).sha256
    edit(folder, "connection.json", lambda it: it["connection"].update(username="somebody else"))
    assert len({before, between, read_evidence(folder).sha256}) == 3


@pytest.mark.parametrize("file", ["../outside.jsonl", "/etc/passwd", "sub/x.jsonl", "..\\outside.jsonl", "C:\\x", ""])
def test_a_file_outside_the_folder_is_refused_whatever_it_holds(folder: Path, file: str) -> None:
    shutil.copy(folder / "000-account.jsonl", folder.parent / "outside.jsonl")
    edit(folder, "sources.json", lambda it: it["sources"][0].update(file=file))
    message = refused(folder)
    assert "is not a plain file name" in message or file == ""


@pytest.mark.parametrize(
    "change",
    [
        lambda it: it["sources"][0].update(extra=1),
        lambda it: it["sources"][0].pop("gap"),
        lambda it: it["sources"][0].update(
            gap={"kind": "unheard of", "message": "", "missing_permission": None}, complete=False
        ),
        lambda it: it["sources"][0].update(gap={"kind": "timed_out", "message": "", "missing_permission": None}),
        lambda it: it["sources"][0].update(complete=False),
        lambda it: it["sources"][0].update(started_at="yesterday"),
        lambda it: it["sources"][0].update(started_at="2026-11-23T08:00:00"),
        lambda it: it.update(sources={}),
        lambda it: it.pop("descriptors_sha256"),
    ],
)
def test_provenance_that_says_something_else_than_it_may_is_refused(
    folder: Path, change: Callable[[Any], object]
) -> None:
    edit(folder, "sources.json", change)
    refused(folder)


@pytest.mark.parametrize(
    "change",
    [
        lambda it: it.update(kind="exchange_online"),
        lambda it: it.update(kind="unheard of"),
        lambda it: it["connection"].pop("hosts"),
        lambda it: it["connection"].update(port="many"),
        lambda it: it["collected_by"].update(operator=1),
    ],
)
def test_a_connection_that_is_none_is_refused(folder: Path, change: Callable[[Any], object]) -> None:
    edit(folder, "connection.json", change)
    refused(folder)


@pytest.mark.parametrize("path", [".", "nowhere"])
def test_a_folder_without_evidence_is_refused(tmp_path: Path, path: str) -> None:
    refused(tmp_path / path)


def test_a_read_that_was_never_attempted_proves_nothing(folder: Path) -> None:
    read = read_evidence(folder).read("account", "another subject")
    assert not read.absence_is_proven
    assert read.gap is not None
    assert read.gap.kind is GapKind.NOT_ATTEMPTED


def test_an_instant_beyond_the_calendar_is_refused(folder: Path) -> None:
    edit(folder, "sources.json", lambda it: it["sources"][0].update(started_at="0001-01-01T00:00:00+01:00"))
    refused(folder)


def test_a_record_nested_without_end_is_refused(folder: Path) -> None:
    content = b'{"a":' * 200_000 + b"1" + b"}" * 200_000 + b"\n"
    (folder / "000-account.jsonl").write_bytes(content)
    edit(folder, "sources.json", lambda it: it["sources"][0].update(sha256=hashlib.sha256(content).hexdigest()))
    refused(folder)


@pytest.mark.parametrize("name", ["sources.json", "connection.json"])
def test_a_format_of_the_future_is_refused(folder: Path, name: str) -> None:
    edit(folder, name, lambda it: it.update(format=2))
    refused(folder)


@pytest.mark.parametrize("line", ["[]", "1", "null"])
def test_a_record_that_is_no_object_is_refused(folder: Path, line: str) -> None:
    content = f"{line}\n".encode()
    (folder / "000-account.jsonl").write_bytes(content)
    edit(folder, "sources.json", lambda it: it["sources"][0].update(sha256=hashlib.sha256(content).hexdigest()))
    refused(folder)
