"""Commands to copy: whatever a name holds, it stays one argument of the command it was put into."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from auditor.acl import FULL_CONTROL
from auditor.evaluate.remediation import delegation_commands, grant_command, quote, revoke
from tests.unit.evaluate.composed import judge
from tests.unit.evaluate.composed_directory import (
    ACCOUNT,
    AUDITOR,
    AUTHENTICATED_USERS,
    DELEGATES,
    INHERITED,
    STAFF,
    Directory,
    ace,
    entry,
    service_account,
)
from tests.unit.least_privilege.powershell import commands, syntax_errors

# What ends a double-quoted string or is expanded in one: by PowerShell, and by cmd.exe
QUOTES = '"\u201c\u201d\u201e'
EXPANDED = "`$%"
HOSTILE = (
    'x" ; calc ; "',
    "x\u201d; Remove-Item C:\\ -Recurse; \u201c",
    "x\u201e| calc",
    "$(calc)",
    "$env:USERNAME",
    "`$(calc)",
    "%COMSPEC%",
    "x\r\ncalc",
    "x\x00\x1b[2Jcalc",
    "\u202ecalc\u2066",
    "<script>alert(1)</script>",
    "OU=Staff\\, North & South | more > out",
    "ends in a backslash\\",
    "in two\\\\",
)


def arguments(command: str) -> list[str]:
    """Split a command as PowerShell does: whitespace outside of double quotes; nothing may end or expand it."""
    outside = re.sub(r'"[^"]*"', "", command)
    assert not set(";|&><(){}'\\" + QUOTES) & set(outside), command
    assert not set(EXPANDED + QUOTES[1:]) & set(command), command
    assert command.isprintable(), command
    assert not re.search(r'\\"', command), command  # a Windows program takes that for a quote in the value
    return [part.replace('"', "") for part in re.findall(r'(?:"[^"]*"|[^\s"])+', command)]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_stays_one_argument(name: str) -> None:
    for command in (*delegation_commands(name, name), grant_command(name, "S", name, "RPWP;member;group")):
        assert not syntax_errors(command)
        assert commands(command) == {"dsacls"}
        program, _, scope, option, statement = arguments(command)
        assert (program, option) == ("dsacls", "/G")
        assert scope in {"/I:T", "/I:S"}
        assert statement.endswith((":CCDC;user", ":GA;;user", ":RPWP;member;group"))


@given(st.text())
@example('"')
@example("\\")
@example("\u201c")
def test_any_text_is_one_argument(text: str) -> None:
    assert len(arguments(quote(text))) == 1


@given(st.text(alphabet=st.characters(categories=("L", "N", "Zs"), max_codepoint=0x2000)).filter(str.isprintable))
def test_a_harmless_name_is_shown_as_it_is(text: str) -> None:
    assert quote(text) == f'"{text}"'


def test_escapes_of_a_name_are_kept() -> None:
    assert quote(r"OU=Staff\, North,DC=corp") == r'"OU=Staff\, North,DC=corp"'


def test_a_permission_is_one_argument_with_its_trustee() -> None:
    """A bare semicolon would end the command, and what stands before it would grant more."""
    assert arguments(grant_command(STAFF, "T", "svc@corp.example.com", "CCDC;user")) == [
        "dsacls", STAFF, "/I:T", "/G", "svc@corp.example.com:CCDC;user",
    ]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_what_lets_the_auditing_identity_read_grants_no_more_than_that(name: str) -> None:
    account = service_account("H2R Delegates", dn=f"CN={name}", raw=None, userAccountControl=[], primaryGroupID=[])
    directory = Directory(
        accounts=(account,),
        auditor=entry("CN=Auditor", objectSid=AUDITOR),
    )
    granting = [
        command
        for finding in judge(directory.evidence()).findings
        if finding.outcome == "unverifiable"
        for command in finding.remediation.commands
        if "/G" in command
    ]
    statements = [arguments(command)[-1] for command in granting]
    assert {f"{AUDITOR}:RC", f"{AUDITOR}:RP;userAccountControl", f"{AUDITOR}:RP;primaryGroupID"} <= set(statements)
    assert all(commands(command) == {"dsacls"} for command in granting)


def test_only_explicit_entries_are_revoked_each_trustee_once() -> None:
    own, other = ace(FULL_CONTROL, ACCOUNT), ace(1, ACCOUNT)
    inherited = ace(FULL_CONTROL, DELEGATES, flags=INHERITED)
    commands = revoke([(STAFF, (own, other, inherited)), (STAFF, (own,))]).commands
    assert [arguments(command) for command in commands] == [["dsacls", STAFF, "/R", ACCOUNT]]


@pytest.mark.parametrize("name", HOSTILE)
def test_revoking_on_a_hostile_name_names_that_object_alone(name: str) -> None:
    (command,) = revoke([(name, (ace(FULL_CONTROL, ACCOUNT),))]).commands
    program, _, option, trustee = arguments(command)
    assert (program, option, trustee) == ("dsacls", "/R", ACCOUNT)


def test_a_long_list_of_commands_is_cut() -> None:
    places = [(f"OU={number},{STAFF}", (ace(FULL_CONTROL, ACCOUNT),)) for number in range(50)]
    assert len(revoke(places).commands) == 20
    assert "Of 50 commands the first 20 are listed" in revoke(places).text
    assert "are listed" not in revoke(places[:20]).text


def test_entries_of_everybody_take_no_place_in_a_long_list() -> None:
    places = [(f"OU={number},{STAFF}", (ace(FULL_CONTROL, AUTHENTICATED_USERS),)) for number in range(30)]
    assert len(revoke([*places, (STAFF, (ace(FULL_CONTROL, ACCOUNT),))]).commands) == 1
