"""`auditor checks`: the catalogue for a person and for a program."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from auditor.catalogue import CATALOGUE

if TYPE_CHECKING:
    from tests.unit.cli.estate import Auditor


def test_every_check_is_listed_and_says_whether_it_is_built(auditor: Auditor) -> None:
    finished = auditor("checks", "list")
    heading, *rows = finished.out.splitlines()
    assert (finished.code, heading.split()) == (0, ["id", "severity", "state", "title"])
    assert [row.split()[0] for row in rows] == list(CATALOGUE)
    for row, check in zip(rows, CATALOGUE.values(), strict=True):
        assert ("not built" in row) is not check.is_built
        assert row.endswith(check.title)


def test_checks_are_listed_as_json(auditor: Auditor) -> None:
    listed = {each["id"]: each for each in json.loads(auditor("checks", "list", "--json").out)}
    assert listed.keys() == CATALOGUE.keys()
    assert listed["AD-LOG-004"]["is_built"] is False
    assert listed["AD-GRP-004"]["severities"] == ["critical"]
    assert {"framework": "iso-27001-2022", "id": "A.8.2"} in listed["AD-GRP-004"]["controls"]


def test_a_check_is_explained(auditor: Auditor) -> None:
    finished = auditor("checks", "explain", "ad-grp-004")
    check = CATALOGUE["AD-GRP-004"]
    assert finished.code == 0
    for words in (check.id, check.title, check.reads, check.rule, check.why, "critical", "nist-800-53r5 AC-6"):
        assert words in finished.out
    assert json.loads(auditor("checks", "explain", "AD-GRP-004", "--json").out)["rule"] == check.rule


def test_a_check_that_is_not_built_is_explained_as_such(auditor: Auditor) -> None:
    finished = auditor("checks", "explain", "AD-LOG-004")
    assert "not built" in finished.out
    assert "rule" not in finished.out


def test_an_unknown_check_ends_with_2_and_the_nearest_name(auditor: Auditor) -> None:
    finished = auditor("checks", "explain", "AD-GRP-04")
    assert (finished.code, finished.out) == (2, "")
    assert "AD-GRP-004" in finished.err
