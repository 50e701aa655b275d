"""`auditor access` against the real domain controller, which is asked for its own verdict as the account."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from auditor.cli import main
from auditor.model.distinguished_name import parse_dn
from tests.integration.audits import CASES, directory_inventory
from tests.lab.cases import SERVICE_ACCOUNTS
from tests.lab.estate import LAB_PASSWORD
from tests.lab.queries import read

if TYPE_CHECKING:
    from pathlib import Path

    from tests.lab.domain_controller import DomainController

# Samba leaves the groups out that Everyone is in; a domain controller of Microsoft counts them in its token.
THROUGH_EVERYONE = {"well-known"}
ABLE_TO_SIGN_IN = [name for name, case in CASES.items() if case.enabled and name not in THROUGH_EVERYONE]
OWNER_AND_DACL = 0b111  # of sDRightsEffective: owner, group, DACL (MS-ADTS 3.1.1.4.5.4)
# Samba counts it with the properties; a domain controller of Microsoft asks for WRITE_DAC (MS-ADTS 3.1.1.3.1.5.2).
NO_PROPERTY = "nTSecurityDescriptor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the command left."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The objects printed with --json."""
        return [json.loads(line) for line in self.out.splitlines()]


class Ask:
    """Runs `auditor access` on a case of the lab in this process."""

    def __init__(
        self,
        controller: DomainController,
        folder: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        self._controller = controller
        self._folder = folder
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, name: str, *options: str) -> Answer:
        """Ask for one connection."""
        file = self._folder / "inventory.json"
        file.write_text(json.dumps(directory_inventory(self._controller, [CASES[name]])), encoding="utf-8")
        self._monkeypatch.setenv("LAB_PASSWORD", LAB_PASSWORD)
        self._monkeypatch.setattr(sys, "argv", ["auditor", "access", "-c", str(file), *options])
        with pytest.raises(SystemExit) as finished:
            main()
        told = self._capsys.readouterr()
        code = finished.value.code
        return Answer(code=code if isinstance(code, int) else 0, out=told.out, err=told.err)


@pytest.fixture
def ask(
    domain_controller: DomainController,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Ask:
    return Ask(domain_controller, tmp_path, monkeypatch, capsys)


@pytest.mark.directory
@pytest.mark.parametrize("name", ABLE_TO_SIGN_IN)
def test_every_object_as_the_domain_controller_says(name: str, ask: Ask, domain_controller: DomainController) -> None:
    answer = ask(name, "--json")
    rows = {parse_dn(row["dn"]): row for row in answer.rows}
    assert {parse_dn(domain_controller.dn(target.dn)) for target in CASES[name].targets} <= rows.keys()
    is_whole_token = "the token may hold more" not in answer.err
    with domain_controller.sign_in(CASES[name].account) as connection:
        for row in rows.values():
            questions = ("allowedAttributesEffective", "allowedChildClassesEffective", "sDRightsEffective")
            seen = read(connection, row["dn"], *questions, scope="BASE", flags=None)
            if row["readable"] and seen:
                (said,) = seen.values()
                _compare(row, said, is_whole_token=is_whole_token)


def _compare(row: dict[str, Any], said: dict[str, list[bytes]], *, is_whole_token: bool) -> None:
    attributes, classes, (rights,) = (
        {value.decode() for value in said.get(question, [])}
        for question in ("allowedAttributesEffective", "allowedChildClassesEffective", "sDRightsEffective")
    )
    told = (set(row["write_property"]), set(row["create_child"]), _owner_and_dacl(row["standard"]))
    expected = (attributes - {NO_PROPERTY}, classes, int(rights) & OWNER_AND_DACL)
    if is_whole_token:
        assert told == expected, row["dn"]
    else:  # a lower bound, and said to be one
        assert told[0] <= expected[0], row["dn"]
        assert told[1] <= expected[1], row["dn"]


def _owner_and_dacl(standard: list[str]) -> int:
    return (0b011 if "WRITE_OWNER" in standard else 0) | (0b100 if "WRITE_DAC" in standard else 0)


@pytest.mark.directory
def test_an_explanation_names_the_deciding_entry_and_the_way_to_it(
    ask: Ask, domain_controller: DomainController
) -> None:
    probe = f"CN=probe,{domain_controller.dn('OU=denied-group,OU=Targets')}"
    ou = domain_controller.dn("OU=denied-group,OU=Targets")
    (row,) = ask("denied", "--json", "--object", ou, "--explain", "create_child:user").rows
    told = row["explain"]
    assert (told["right"], told["granted"], told["certain"]) == ("create_child:user", False, True)
    assert told["ace"]["index"] == 0
    assert told["ace"]["sddl"].startswith("(OD;CI;CC;bf967aba-0de6-11d0-a285-00aa003049e2;;S-1-5-21-")
    assert told["ace"]["trustee_name"] == "grp-denied"
    assert told["path"] == ["svc-denied", "grp-denied"]
    (row,) = ask("denied", "--json", "--object", probe, "--explain", "User-Force-Change-Password").rows
    told = row["explain"]
    assert (told["granted"], told["ace"]["inherited_from"], told["path"]) == (True, ou, ["svc-denied"])
    text = ask("denied", "--object", probe, "--explain", "User-Force-Change-Password").out
    for expected in (probe, "granted", "allows full control to svc-denied", "(A;ID;", f"inherited from {ou}"):
        assert expected in text


@pytest.mark.directory
def test_without_domain_admins_is_what_remains(ask: Ask, domain_controller: DomainController) -> None:
    guarded = domain_controller.dn("CN=AdminSDHolder,CN=System")
    with_them = ask("da-nested", "--json", "--object", guarded).rows[0]
    without = ask("da-nested", "--json", "--object", guarded, "--without-domain-admins").rows[0]
    assert "WRITE_DAC" in with_them["standard"]
    assert (without["write_property"], without["create_child"]) == ([], [])
    assert "WRITE_DAC" not in without["standard"]


@pytest.mark.directory
def test_an_object_that_does_not_show_is_told_and_never_empty(ask: Ask, domain_controller: DomainController) -> None:
    gone = domain_controller.dn("OU=gone")
    answer = ask("exact", "--json", "--object", gone)
    assert answer.code == 3
    (row,) = answer.rows
    assert (row["dn"], row["readable"]) == (gone, False)
    assert "List contents" in row["reason"]


@pytest.mark.directory
@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--explain", "nonsense"), "names no right of this directory"),
        (("--object", "nonsense"), "no distinguished name"),
        (("--connection", "another"), "another"),
    ],
)
def test_a_wrong_question_is_refused(ask: Ask, options: tuple[str, str], told: str) -> None:
    answer = ask("exact", *options)
    assert (answer.code, answer.out) == (2, "")
    assert told in answer.err
    # Whether a right has that name only the directory can tell
    assert ("nothing was contacted" in answer.err) == ("--explain" not in options)


@pytest.mark.directory
def test_an_object_outside_the_target_ous_can_be_asked_for(ask: Ask, domain_controller: DomainController) -> None:
    outside = domain_controller.dn(SERVICE_ACCOUNTS)
    (row,) = ask("exact", "--json", "--object", outside).rows
    assert row["readable"]
    assert row["create_child"] == []
