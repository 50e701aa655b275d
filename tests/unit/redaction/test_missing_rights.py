"""The right that a failed read needed stays in redacted evidence, without what it names of the organisation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auditor.collect.evidence_writer import EvidenceWriter
from auditor.collect.replay import read_evidence
from auditor.model.evidence import Gap, GapKind
from auditor.model.message import Message, say
from auditor.redaction.evidence import redact_evidence
from tests.unit.evaluate.composed import NOW
from tests.unit.evaluate.composed_directory import CONNECTION

if TYPE_CHECKING:
    from pathlib import Path

GRAPH = "Microsoft Graph application permission {name}"


@pytest.mark.parametrize(
    ("right", "expected"),
    [
        (say("Read on {dn}", dn="OU=Secret,DC=a"), "Read on redacted"),
        (say("audit {name} over a host of that domain", name="SECRET"), "audit redacted over a host of that domain"),
        (say(GRAPH, name="User.Read.All"), "Microsoft Graph application permission User.Read.All"),
        (say("Read on CN=Partitions of the configuration"), "Read (redacted)"),
        (say("make the keytab anew"), "make the keytab anew"),
        (Message("Read on OU=Secret,DC=a"), "Read (redacted)"),  # of an earlier version
    ],
)
def test_a_missing_right_is_kept_without_names(tmp_path: Path, right: Message, expected: str) -> None:
    writer = EvidenceWriter(tmp_path / "corp", CONNECTION, lambda: NOW)
    message = say("{host} did not answer in time", host="secret.example.com")
    writer.leave_gap("account", Gap(kind=GapKind.NOT_PERMITTED, message=message, missing_permission=right))
    writer.close({})

    (new_id,) = redact_evidence({"corp": tmp_path / "corp"}, tmp_path / "redacted")

    folder = tmp_path / "redacted" / new_id
    ((_, read),) = read_evidence(folder).reads
    assert read.gap is not None
    assert read.gap.missing_permission == expected
    assert read.gap.missing_permission.template == (right.template if right.values else expected)
    assert b"secret" not in (folder / "sources.json").read_bytes().lower()
