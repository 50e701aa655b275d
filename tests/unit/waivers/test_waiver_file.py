"""The waiver file: every problem at once, and additions that lose nothing."""

from __future__ import annotations

import errno
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, NoReturn

import pytest

from auditor.errors import InvalidInput, RunFailed
from auditor.model.waiver import Waiver
from auditor.waivers.add import add_waiver, next_id
from auditor.waivers.load import load_waivers, waivers_schema

if TYPE_CHECKING:
    from pathlib import Path

TODAY = date(2026, 11, 23)
WAIVER = Waiver(
    id="W-001",
    check="EXO-010",
    connection="contoso",
    principal="7895976e-5fd0-5e1c-b090-0381f39d4816",
    entitlement="34f47784: Organization # Management",
    scope="organization",
    accepted_fingerprint=f"sha256:{'0' * 64}",
    reason="cut-over: 'until' \"then\"",
    owner="owner@example.com",
    approved_by="approver@example.com",
    ticket="CHG-1",
    created=date(2026, 11, 1),
    expires=date(2027, 1, 31),
)
COMMENTED = f"""\
# ours
version: 1   # the only one
waivers:
# the first
- id: first  # named by us
  check: EXO-010
  connection: contoso
  principal: "123"
  entitlement: >-
    written over
    two lines
  accepted_fingerprint: sha256:{"1" * 64}
  reason: why not
  owner: a
  approved_by: b
  created: 2026-11-01
  expires: '2026-12-01'
# the end
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "waivers.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(path: Path, today: date = TODAY) -> list[str]:
    with pytest.raises(InvalidInput) as invalid:
        load_waivers(path, today)
    return [str(each) for each in invalid.value.problems]


def test_what_is_added_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "waivers.yaml"
    add_waiver(path, WAIVER, TODAY)
    add_waiver(path, replace(WAIVER, id="W-002", ticket=""), TODAY)
    assert load_waivers(path, TODAY).waivers == (WAIVER, replace(WAIVER, id="W-002", ticket=""))
    assert [each.name for each in tmp_path.iterdir()] == ["waivers.yaml"]


def test_an_addition_keeps_every_line_of_a_person(tmp_path: Path) -> None:
    path = write(tmp_path, COMMENTED)
    add_waiver(path, WAIVER, TODAY)
    assert path.read_text(encoding="utf-8").startswith(COMMENTED)
    assert [each.id for each in load_waivers(path, TODAY).waivers] == ["first", "W-001"]


def test_an_addition_that_breaks_a_rule_changes_nothing(tmp_path: Path) -> None:
    path = write(tmp_path, COMMENTED)
    for wrong in (replace(WAIVER, id="first"), replace(WAIVER, expires=TODAY + timedelta(days=367), created=TODAY)):
        with pytest.raises(InvalidInput, match=str(path)):
            add_waiver(path, wrong, TODAY)
    assert path.read_text(encoding="utf-8") == COMMENTED
    assert [each.name for each in tmp_path.iterdir()] == ["waivers.yaml"]


def test_a_folder_that_is_not_there_is_a_failed_write(tmp_path: Path) -> None:
    with pytest.raises(RunFailed, match="cannot be written"):
        add_waiver(tmp_path / "nowhere" / "waivers.yaml", WAIVER, TODAY)


def test_a_read_only_file_system_is_a_failed_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("pathlib.Path.write_text", refuse)
    monkeypatch.setattr("pathlib.Path.unlink", refuse)
    with pytest.raises(RunFailed, match="Read-only file system"):
        add_waiver(tmp_path / "waivers.yaml", WAIVER, TODAY)


def test_every_problem_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "version: 2\nwaivers:\n- id: W-1\n  check: EXO-01\n  owners: x\n  principal: 1\n  expires: 2029-01-31\n"
        "- id: W-1\n  created: 2026-13-01\n  created: 2026-12-01\n- text\n",
    )
    told = problems(path)
    for place, message in {
        ":1 (version)": "must be one of 1",
        ":4 (waivers[0].check)": "is no known check",
        ":5 (waivers[0].owners)": "did you mean 'owner'?",
        ":6 (waivers[0].principal)": "must be text",
        ":7 (waivers[0].expires)": "more than 366 days ahead",
        ":8 (waivers[1].id)": "used by 2 waivers",
        ":9 (waivers[1].created)": "is no date",
        ":11 (waivers[2])": "must be a mapping",
    }.items():
        assert any(f"{path}{place}: " in each and message in each for each in told), (place, told)
    assert any("stands twice" in each for each in told)


@pytest.mark.parametrize(
    ("created", "expires", "today", "message"),
    [
        ("2026-11-01", "2027-11-02", "2026-11-23", ""),  # 366 days
        ("2026-11-01", "2027-11-03", "2026-11-23", "more than 366 days ahead of 2026-11-01"),
        ("2030-01-01", "2030-12-31", "2026-11-23", "more than 366 days ahead of 2026-11-23"),  # dated ahead
        ("2026-11-01", "2026-10-31", "2026-11-23", "lies before created"),
        ("2025-11-01", "2025-12-31", "2026-11-23", ""),  # expired is no problem of the file
        ("20261101", "2026-12-01", "2026-11-23", "is no date"),
        ("2026-11-01", "2026-W50-1", "2026-11-23", "is no date"),
        ("2026-11-01", "2026-02-30", "2026-11-23", "is no date"),
    ],
)
def test_the_span_of_a_waiver(tmp_path: Path, created: str, expires: str, today: str, message: str) -> None:
    text = COMMENTED.replace("created: 2026-11-01", f"created: '{created}'").replace("2026-12-01", expires)
    path = write(tmp_path, text)
    if message:
        assert message in "\n".join(problems(path, date.fromisoformat(today)))
    else:
        assert load_waivers(path, date.fromisoformat(today)).waivers


@pytest.mark.parametrize(
    "text", ["", "waivers: []", "version: 1", "version: 1\nwaivers: {}", "- a", "version: 1\nwaivers:"]
)
def test_what_is_no_waiver_file_is_refused(tmp_path: Path, text: str) -> None:
    assert problems(write(tmp_path, text))


def test_an_empty_list_is_a_waiver_file(tmp_path: Path) -> None:
    path = write(tmp_path, "version: 1\nwaivers: []\n")
    assert load_waivers(path, TODAY).waivers == ()


def test_a_waiver_holds_to_the_end_of_its_last_day_in_utc() -> None:
    last_second = datetime(2027, 1, 31, 23, 59, 59, tzinfo=UTC)
    assert not WAIVER.is_expired(last_second)
    assert WAIVER.is_expired(last_second + timedelta(seconds=1))
    east = datetime.fromisoformat("2027-02-01T09:00:00+14:00")  # still January in UTC
    assert not WAIVER.is_expired(east)
    assert WAIVER.expires_within(timedelta(days=1), last_second)
    assert not WAIVER.expires_within(timedelta(days=1), last_second + timedelta(seconds=1))


@pytest.mark.parametrize("approver", ["owner@example.com", "OWNER@example.com", " owner@example.com "])
def test_nobody_approves_their_own(approver: str) -> None:
    assert replace(WAIVER, approved_by=approver).is_self_approved
    assert not WAIVER.is_self_approved


def test_ids_are_the_next_that_are_free() -> None:
    assert next_id(frozenset()) == "W-001"
    assert next_id(frozenset({"W-001", "W-003", "other"})) == "W-002"


def test_the_schema_names_every_field() -> None:
    schema = waivers_schema()
    assert set(schema["$defs"]["WaiverFields"]["properties"]) == set(WAIVER.__slots__)
    assert schema["additionalProperties"] is False
