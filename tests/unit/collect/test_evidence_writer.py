"""What is read is written down as it was read; a source's failure becomes the gap, nothing else does."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from auditor.collect.evidence_writer import EvidenceWriter
from auditor.collect.replay import read_evidence
from auditor.errors import SourceError
from auditor.model.directory_entry import DirectoryEntry, entry_to_record, record_to_entry
from auditor.model.evidence import Gap, GapKind
from tests.unit.evaluate.composed_directory import CONNECTION
from tests.unit.evaluate.composed_tenant import CONNECTION as TENANT

if TYPE_CHECKING:
    from pathlib import Path

    from auditor.model.evidence import Evidence, Json

REFUSED = Gap(kind=GapKind.NOT_PERMITTED, message="access denied", missing_permission="List contents")
TIMED_OUT = Gap(kind=GapKind.TIMED_OUT, message="too slow")
START = datetime(2026, 11, 23, 8, tzinfo=UTC)


class Clock:
    """Advances by a second every time it is asked."""

    def __init__(self) -> None:
        self.now = START - timedelta(seconds=1)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "evidence" / "corp"


@pytest.fixture
def writer(folder: Path) -> EvidenceWriter:
    return EvidenceWriter(folder, CONNECTION, Clock())


def closed(writer: EvidenceWriter, folder: Path) -> Evidence:
    writer.close({"operator": "tester"})
    return read_evidence(folder)


def test_a_read_comes_back_with_its_provenance(writer: EvidenceWriter, folder: Path) -> None:
    with writer.read("users", endpoint="ldaps://dc1", query={"filter": "(a=b)", "page": 1}, subject="OU=x") as read:
        read.add({"b": 1, "a": [None, True, 1.5, "x"]})
        read.pages = 3
    evidence = closed(writer, folder)
    assert evidence.connection == CONNECTION
    assert evidence.collected_by == {"operator": "tester"}
    (source,) = evidence.sources
    assert (source.dataset, source.subject, source.endpoint) == ("users", "OU=x", "ldaps://dc1")
    assert source.query == {"filter": "(a=b)", "page": 1}
    assert (source.started_at, source.finished_at) == (START, START + timedelta(seconds=1))
    assert (source.records, source.pages, source.complete, source.gap) == (1, 3, True, None)
    found = evidence.read("users", "OU=x")
    assert found.records == ({"b": 1, "a": [None, True, 1.5, "x"]},)
    assert list(found.records[0]) == ["b", "a"]  # as the source sent it
    assert found.absence_is_proven


def test_both_kinds_of_connection_come_back(tmp_path: Path) -> None:
    for connection in (CONNECTION, TENANT):
        writer = EvidenceWriter(tmp_path / connection.id, connection, Clock())
        assert closed(writer, tmp_path / connection.id).connection == connection


def test_a_source_s_failure_becomes_the_gap_and_keeps_what_came_before(writer: EvidenceWriter, folder: Path) -> None:
    with writer.read("users", endpoint="e", query={}) as read:
        read.add({"id": 1})
        raise SourceError(REFUSED)
    with writer.read("groups", endpoint="e", query={}) as read:
        read.add({"id": 2})
    evidence = closed(writer, folder)
    users = evidence.read("users")
    assert (users.records, users.gap, users.absence_is_proven) == (({"id": 1},), REFUSED, False)
    assert evidence.read("groups").absence_is_proven


def test_the_first_gap_is_kept_because_it_is_the_cause(writer: EvidenceWriter, folder: Path) -> None:
    with writer.read("users", endpoint="e", query={}) as read:
        assert read.is_complete
        read.leave_gap(TIMED_OUT)
        assert not read.is_complete
        raise SourceError(REFUSED)
    assert closed(writer, folder).read("users").gap == TIMED_OUT


@pytest.mark.parametrize("failure", [ValueError, OSError, KeyError, KeyboardInterrupt])
def test_any_other_failure_is_not_swallowed(writer: EvidenceWriter, failure: type[BaseException]) -> None:
    with pytest.raises(failure), writer.read("users", endpoint="e", query={}):
        raise failure


def test_what_was_never_asked_for_says_why(writer: EvidenceWriter, folder: Path) -> None:
    writer.leave_gap("users", REFUSED, endpoint="e", subject="s")
    evidence = closed(writer, folder)
    (source,) = evidence.sources
    assert source.gap == Gap(
        kind=GapKind.NOT_ATTEMPTED,
        message="not asked for, because: access denied",
        missing_permission="List contents",
    )
    assert (source.pages, source.records, source.endpoint, source.subject) == (0, 0, "e", "s")


def test_the_digest_is_that_of_the_stored_bytes(writer: EvidenceWriter, folder: Path) -> None:
    with writer.read("users", endpoint="e", query={}) as read:
        read.add({"name": "Łódź \u2028 \ud800"})
        read.add({"name": "b"})
    (source,) = closed(writer, folder).sources
    assert hashlib.sha256((folder / "000-users.jsonl").read_bytes()).hexdigest() == source.sha256


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain",
        "Łódź 漢字 😀",
        "line\nfeed \r\n \x0b \x0c \x1c \x1d \x1e \x85 \u2028 \u2029",
        "nul \x00, escape \x1b[2J, right-to-left \u202e",
        "lone \ud800 surrogate \udfff",
        "reversed pair \udc00\ud800",
        "</script><!--",
        '"\\',
        "\ufeff",
    ],
)
def test_any_text_comes_back_unchanged(writer: EvidenceWriter, folder: Path, text: str) -> None:
    record: dict[str, Json] = {text: [text, {"deep": text}]}
    with writer.read("users", endpoint="e", query={}) as read:
        read.add(record)
        read.add({"next": 1})
    assert closed(writer, folder).read("users").records == (record, {"next": 1})


@pytest.mark.parametrize(
    "value",
    [b"", b"text", "Łódź\u2028".encode(), b"\xff\xfe", b"\xed\xa0\x80", b"\xc0\x80", bytes(range(256)), b"\x00"],
)
@pytest.mark.parametrize("attribute", ["description", "objectsid", "sidhistory"])
def test_attribute_values_come_back_byte_for_byte(
    writer: EvidenceWriter, folder: Path, attribute: str, value: bytes
) -> None:
    entry = DirectoryEntry(dn="CN=x", attributes={attribute: (value, b"other")}, descriptor=None)
    with writer.read("users", endpoint="e", query={}) as read:
        read.add(entry_to_record(entry))
    (record,) = closed(writer, folder).read("users")
    assert record_to_entry(record) == entry


def test_a_descriptor_is_kept_once(writer: EvidenceWriter, folder: Path) -> None:
    digests = [writer.store_descriptor(raw) for raw in (b"\x01\xff", b"other", b"\x01\xff")]
    assert digests[0] == digests[2] == hashlib.sha256(b"\x01\xff").hexdigest()
    evidence = closed(writer, folder)
    assert evidence.descriptors == {digests[0]: b"\x01\xff", digests[1]: b"other"}
    lines = (folder / "descriptors.jsonl").read_text(encoding="ascii").splitlines()
    assert [base64.b64decode(json.loads(line)["descriptor"]) for line in lines] == [b"\x01\xff", b"other"]


def test_a_folder_that_exists_is_never_written_into(folder: Path) -> None:
    folder.mkdir(parents=True)
    with pytest.raises(FileExistsError):
        EvidenceWriter(folder, CONNECTION, Clock())


def test_names_of_datasets_cannot_leave_the_folder(writer: EvidenceWriter, folder: Path) -> None:
    with writer.read("../../etc/passwd", endpoint="e", query={}):
        pass
    closed(writer, folder)
    assert sorted(each.name for each in folder.iterdir()) == [
        "000--etc-passwd.jsonl",
        "connection.json",
        "descriptors.jsonl",
        "sources.json",
    ]


def test_until_it_is_closed_the_folder_is_no_evidence(writer: EvidenceWriter, folder: Path) -> None:
    with writer.read("users", endpoint="e", query={}) as read:
        read.add({"id": 1})
    assert not (folder / "sources.json").exists()
    assert not (folder / "connection.json").exists()


@pytest.mark.parametrize("where", ["subject", "message"])
def test_a_lone_surrogate_in_provenance_does_not_end_the_collection(
    writer: EvidenceWriter, folder: Path, where: str
) -> None:
    """A role's name and an error's message come from the tenant, as JSON, which can hold any escape."""
    with writer.read("entries", endpoint="e", query={}, subject="\ud800" if where == "subject" else "") as read:
        if where == "message":
            read.leave_gap(Gap(kind=GapKind.MALFORMED, message="\ud800"))
    evidence = closed(writer, folder)
    told = evidence.sources[0].subject + (evidence.sources[0].gap.message if evidence.sources[0].gap else "")
    assert told == r"\ud800"
