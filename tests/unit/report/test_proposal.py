"""The remediation proposal: what to grant, what to take away, how to leave Domain Admins, what is not known."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from auditor.acl import FULL_CONTROL, AccessMask
from auditor.model.outcome import FindingOutcome
from auditor.report.formats import render
from auditor.report.proposal import proposal_bytes
from auditor.report.results_json import results_bytes
from auditor.report.translation import translated
from auditor.report.visible_text import is_deceptive
from tests.unit.evaluate.composed import REFUSED, judge
from tests.unit.evaluate.composed_directory import (
    ACCOUNT,
    AUTHENTICATED_USERS,
    DELEGATED,
    DELEGATES,
    DOMAIN,
    DOMAIN_ADMINS,
    GROUPS,
    READABLE,
    STAFF,
    Container,
    Directory,
    ace,
    descriptor,
    dn_of,
    group,
    service_account,
)
from tests.unit.report.sample_results import sample_results

if TYPE_CHECKING:
    from pathlib import Path

    from auditor.acl import Ace
    from auditor.model.results import Results

def proposal(results: Results, index: int = 0) -> str:
    """Return the text of one connection with its line breaks inside sentences undone."""
    text = proposal_bytes(results, results.connections[index], "ab" * 32).decode("utf-8")
    return " ".join(line.strip() for line in text.splitlines())


def directory(*aces: Ace) -> Directory:
    return Directory(ous={STAFF: Container(raw=descriptor(READABLE, *aces))})


def test_an_account_as_documented_can_leave_domain_admins_at_once() -> None:
    text = proposal(judge(Directory().evidence()))
    assert "Nothing: no documented permission is missing." in text
    assert "Nothing: no undocumented permission was found." in text
    assert "Nothing has to be delegated first" in text
    assert f'Remove-ADGroupMember -Identity "{DOMAIN_ADMINS}" -Members "{ACCOUNT}"' in text
    assert text.index("Agree with the vendor") < text.index("Nothing has to be") < text.index("Remove-ADGroupMember")


def test_what_would_break_is_delegated_before_domain_admins_are_left() -> None:
    text = proposal(judge(directory().evidence()))
    leaving = text[text.index("3. Leaving Domain Admins") :]
    grant = f'dsacls "{STAFF}" /I:T /G "svc-h2r@corp.example.com:CCDC;user"'
    assert leaving.index("Delegate what would break") < leaving.index(grant) < leaving.index("Remove-ADGroupMember")


def test_a_nested_membership_is_ended_where_it_begins() -> None:
    operators = f"{DOMAIN}-1300"
    nested = Directory(
        accounts=(service_account("Tier 0", "H2R Delegates"),),
        groups=(*GROUPS, group("Tier 0", operators, dn_of("Domain Admins"))),
        token=(*Directory().token, operators),
    )
    text = proposal(judge(nested.evidence()))
    assert "svc-h2r -> Tier 0 -> Domain Admins" in text
    assert f'Remove-ADGroupMember -Identity "{operators}" -Members "{ACCOUNT}"' in text


def test_excess_is_taken_away_and_what_is_everybodys_only_by_hand() -> None:
    text = proposal(judge(directory(ace(FULL_CONTROL, DELEGATES), *DELEGATED).evidence()))
    assert f'dsacls "{STAFF}" /R "{DELEGATES}"' in text
    assert text.count(f'dsacls "{STAFF}" /R') == 1  # told once for all the checks that found it
    assert f'/R "{AUTHENTICATED_USERS}"' not in text
    everybodys = proposal(judge(directory(ace(AccessMask.WRITE_DAC, AUTHENTICATED_USERS), *DELEGATED).evidence()))
    assert "dsacls" not in everybodys[everybodys.index("2. What to take away") : everybodys.index("3. Leaving")]
    assert "by hand" in everybodys


def test_what_was_not_read_is_neither_granted_nor_taken_away() -> None:
    results = judge(Directory(gaps={("target_ou", STAFF): REFUSED}).evidence())
    text = proposal(results)
    assert "Nothing: no documented permission is missing." in text
    assert "the right to read it" in text[text.index("4. What could not be verified") :]
    unread = proposal(judge(Directory(gaps={("account", ""): REFUSED}).evidence()))
    assert "Whether the account is in Domain Admins was not read." in unread
    absent = Directory(accounts=(service_account("H2R Delegates"),), token=(DELEGATES,))
    assert "was not found in Domain Admins" in proposal(judge(absent.evidence()))


def test_hostile_names_stay_visible_and_on_their_line() -> None:
    results = sample_results()
    for connection in results.connections:
        text = proposal_bytes(results, connection, "").decode("utf-8")
        assert not [character for character in text if character != "\n" and is_deceptive(character)]
        assert "[U+202E]" in text or connection is not results.connections[0]


def test_every_excess_and_every_open_point_is_told() -> None:
    results = sample_results()
    for index, connection in enumerate(results.connections):
        text = proposal(results, index)
        for finding in results.findings:
            if finding.connection == connection.id and finding.outcome in (
                FindingOutcome.EXCESS, FindingOutcome.UNVERIFIABLE,
            ):
                assert f"* {finding.check}: " in text, finding.check


def test_one_file_per_connection_and_equal_bytes_for_equal_records(tmp_path: Path) -> None:
    record = tmp_path / "results.json"
    record.write_bytes(results_bytes(sample_results()))
    (written,) = render(record, ["proposal"], tmp_path / "one")
    assert [path.name for path in written.files] == [f"{each.id}.txt" for each in sample_results().connections]
    (again,) = render(record, ["proposal"], tmp_path / "two")
    assert [path.read_bytes() for path in written.files] == [path.read_bytes() for path in again.files]
    other = replace(sample_results().run, id="another")
    record.write_bytes(results_bytes(replace(sample_results(), run=other)))
    (changed,) = render(record, ["proposal"], tmp_path / "three")
    assert changed.files[0].read_bytes() != written.files[0].read_bytes()


def test_the_german_proposal_is_german_and_says_the_same() -> None:
    broken = judge(directory(ace(FULL_CONTROL, DELEGATES)).evidence())
    for results in (broken, judge(Directory(gaps={("account", ""): REFUSED}).evidence()), sample_results()):
        for place, connection in enumerate(results.connections):
            told = translated(results, "de")
            english = proposal_bytes(results, connection, "ab" * 32).decode("utf-8")
            german = proposal_bytes(told, told.connections[place], "ab" * 32, "de").decode("utf-8")
            commands = [[line for line in text.splitlines() if line.startswith("      ")] for text in (english, german)]
            assert commands[0] == commands[1]
            assert "VORSCHLAG ZUR BEHEBUNG FÜR " in german
            assert "1. Was zu gewähren ist" in german
            for text in ("REMEDIATION", "Found:", "To do:", "Nothing:", "What ", "Leaving", "would be", "accepted by"):
                assert text not in german
