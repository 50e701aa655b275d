"""`auditor access` on composed evidence: what it prints, and with which code it ends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.unit.cli.estate import record
from tests.unit.evaluate.composed_directory import (
    AUTHENTICATED_USERS,
    DELEGATED,
    HEAD,
    STAFF,
    Directory,
    descriptor,
    entry,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.cli.estate import Auditor

UNIT = ["top", "organizationalUnit"]
VOCABULARY = ("class_vocabulary", "organizationalUnit")
HOSTILE = f"OU=\u009b31m\u202e,{HEAD}"


def estate(folder: Path, *classes: str, dn: str = STAFF) -> Path:
    """Record a target OU that shows these classes."""
    unit = entry(dn, descriptor(*DELEGATED), objectClass=list(classes))
    allowed = entry(dn, None, objectClass=UNIT, allowedChildClasses=["user"], allowedAttributes=["description"])
    everybody = entry(f"CN=S-1-5-11,{HEAD}", None, objectSid=AUTHENTICATED_USERS)
    directory = Directory(
        well_known=(everybody,),
        ous={},
        descriptors=(descriptor(*DELEGATED),),
        reads={("target_ou", dn): (unit,), VOCABULARY: (allowed,)},
    )
    return record(folder, corp=directory.connect(target_ous=(dn,)).evidence())


def test_what_every_object_allows_is_printed_line_by_line(auditor: Auditor, tmp_path: Path) -> None:
    finished = auditor("access", "-c", estate(tmp_path, *UNIT), "--json", "--without-domain-admins")
    (line,) = finished.out.splitlines()
    assert json.loads(line)["create_child"] == ["user"]
    assert finished.code == 0, finished.err


def test_rights_that_are_not_known_are_not_taken_for_read(auditor: Auditor, tmp_path: Path) -> None:
    finished = auditor("access", "-c", estate(tmp_path), "--json")
    row = json.loads(finished.out)
    assert row["readable"] is True
    assert row["create_child"] is None
    assert "(withheld)" in row["reason"]
    assert finished.code == 3
    assert "the rights on 1 of them not known" in finished.last_line


def test_no_name_can_steer_what_shows_the_lines(auditor: Auditor, tmp_path: Path) -> None:
    inventory = estate(tmp_path, *UNIT, dn=HOSTILE)
    printed = auditor("access", "-c", inventory, "--json").out
    assert json.loads(printed)["dn"] == HOSTILE
    assert printed.isascii()
    assert all(character.isprintable() for character in printed.strip())
    assert all(line.isprintable() for line in auditor("access", "-c", inventory).out.splitlines())
