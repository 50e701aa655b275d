"""Delegation beside and above the target OUs, and entries for accounts that are gone (AD-PRV-012, 013, 018).

All data is composed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from auditor.acl import FULL_CONTROL, READ_RIGHTS, AccessMask, GuidKind, well_known_guid
from auditor.evaluate.directory.user_task import USER_CLASS
from tests.unit.evaluate.composed import REFUSED, findings, judge, told
from tests.unit.evaluate.composed_directory import (
    ACCOUNT,
    ADMINISTRATORS,
    AUTHENTICATED_USERS,
    CONTAINER_INHERIT,
    DELEGATED,
    DELEGATES,
    DOMAIN,
    DOMAIN_ADMINS,
    DOMAIN_USERS,
    GROUPS,
    HEAD,
    INHERIT_ONLY,
    INHERITED,
    NULL_DACL,
    READABLE,
    STAFF,
    USERS,
    Container,
    Directory,
    ace,
    descriptor,
    dn_of,
    entry,
    group,
    user_task,
)
from tests.unit.evaluate.composed_rights import (
    HOSTILE_NAMES,
    placed,
    target,
    the_finding,
    with_raw,
    with_read,
)

if TYPE_CHECKING:
    from auditor.acl import Ace
    from auditor.model.results import Results

EVERYONE, WORLD, PRE_WINDOWS_2000 = "S-1-1-0", f"{DOMAIN}-1304", "S-1-5-32-554"
STRANGER, UNEXPLAINED = f"{DOMAIN}-4711", f"{DOMAIN}-1300"
ELSEWHERE, PARENT = f"OU=Machines,{HEAD}", f"OU=Company,{HEAD}"
INSIDE = f"OU=People,{PARENT}"
COMPUTER = well_known_guid("computer", GuidKind.CLASS)
G_P_LINK = well_known_guid("gPLink", GuidKind.ATTRIBUTE)
WD = AccessMask.WRITE_DAC
BOTH_CHECKS = ("AD-PRV-012", "AD-PRV-013")

GRANTS = {
    "full control": ace(FULL_CONTROL, ACCOUNT),
    "generic all": ace(AccessMask.GENERIC_ALL, ACCOUNT, flags=CONTAINER_INHERIT),
    "the user task": user_task(ACCOUNT)[0],
    "control of what lies below": user_task(ACCOUNT)[1],
    "control of computers below": ace(
        FULL_CONTROL, ACCOUNT, inherited=COMPUTER, flags=CONTAINER_INHERIT | INHERIT_ONLY
    ),
    "one attribute": ace(AccessMask.WRITE_PROPERTY, ACCOUNT, object_type=G_P_LINK),
    "one extended right": ace(AccessMask.CONTROL_ACCESS, ACCOUNT, object_type=USER_CLASS),
}
NO_GRANTS = {
    "reading": ace(READ_RIGHTS, ACCOUNT),
    "generic reading": ace(AccessMask.GENERIC_READ | AccessMask.GENERIC_EXECUTE, ACCOUNT),
    "a deny": ace(FULL_CONTROL, ACCOUNT, ace_type=1),
    "inherited": ace(FULL_CONTROL, ACCOUNT, flags=INHERITED),
    "a stranger": ace(FULL_CONTROL, STRANGER),
    "Domain Admins": ace(FULL_CONTROL, DOMAIN_ADMINS),
    "Administrators": ace(FULL_CONTROL, ADMINISTRATORS),
    "Everyone": ace(FULL_CONTROL, EVERYONE),
    "Authenticated Users": ace(FULL_CONTROL, AUTHENTICATED_USERS),
    "Domain Users": ace(FULL_CONTROL, DOMAIN_USERS),
    "Users": ace(FULL_CONTROL, USERS),
    "Pre-Windows 2000 Compatible Access": ace(FULL_CONTROL, PRE_WINDOWS_2000),
    "Creator Owner": ace(FULL_CONTROL, "S-1-3-0", flags=CONTAINER_INHERIT | INHERIT_ONLY),
    "itself": ace(FULL_CONTROL, "S-1-5-10"),
}


def both(*aces: Ace, control: int = 0, base: Directory | None = None) -> Results:
    """Judge these ACEs on a container beside the target OU, and on the one above another target OU."""
    raw = descriptor(READABLE, *aces, control=control)
    return judge(around(raw, base or Directory()).evidence())


def around(raw: bytes | None, base: Directory) -> Directory:
    """Put a descriptor on a container beside the target OU, and on the one above another target OU."""
    directory = replace(
        base,
        ous={STAFF: Container(raw=descriptor(*DELEGATED)), INSIDE: Container(raw=descriptor(*DELEGATED))},
        above={} if raw is None else {HEAD: descriptor(READABLE), PARENT: raw},
    ).connect(target_ous=(STAFF, INSIDE))
    return with_read(directory, "other_containers", with_raw(ELSEWHERE, raw))


@pytest.mark.parametrize("right", GRANTS.values(), ids=GRANTS)
def test_an_entry_of_the_account_is_a_high_excess(right: Ace) -> None:
    results = both(right)
    assert told(results, "AD-PRV-012") == told(results, "AD-PRV-013") == [("excess", "high")]
    assert the_finding(results, "AD-PRV-012").scope == ELSEWHERE
    assert the_finding(results, "AD-PRV-013").scope == PARENT
    assert results.summary.verdict == "non_compliant"


@pytest.mark.parametrize("right", NO_GRANTS.values(), ids=NO_GRANTS)
def test_what_is_no_grant_of_its_own_is_not_told(right: Ace) -> None:
    results = both(right)
    assert told(results, "AD-PRV-012") == told(results, "AD-PRV-013") == []


def test_an_entry_of_a_group_is_less_grave_beside_the_targets_than_above() -> None:
    results = both(ace(WD, DELEGATES))
    assert told(results, "AD-PRV-012") == [("excess", "medium")]
    assert told(results, "AD-PRV-013") == [("excess", "high")]
    found = the_finding(results, "AD-PRV-013")
    assert found.paths == (("svc-h2r", "H2R Delegates", f"ACE 1 on {PARENT}"),)
    assert "H2R Delegates" in found.title


def test_each_trustee_is_a_finding_of_its_own_with_all_its_entries() -> None:
    results = both(ace(WD, ACCOUNT), ace(WD, DELEGATES), user_task(ACCOUNT)[0])
    found = {each.entitlement: each for each in findings(results, "AD-PRV-012")}
    assert set(found) == {ACCOUNT, DELEGATES}
    assert [path[-1] for path in found[ACCOUNT].paths] == [f"ACE 1 on {ELSEWHERE}", f"ACE 3 on {ELSEWHERE}"]
    assert found[ACCOUNT].remediation.commands == (f'dsacls "{ELSEWHERE}" /R "{ACCOUNT}"',)
    assert len({each.key for each in results.findings}) == len(results.findings)


def test_a_group_that_everyone_is_in_is_an_advisory() -> None:
    everyone = entry(f"CN=S-1-1-0,CN=ForeignSecurityPrincipals,{HEAD}", objectSid=EVERYONE, memberOf=dn_of("World"))
    base = replace(Directory(), groups=(*GROUPS, group("World", WORLD)), well_known=(everyone,))
    results = both(ace(WD, WORLD), base=base)
    assert [outcome for outcome, _ in told(results, "AD-PRV-012") + told(results, "AD-PRV-013")] == ["advisory"] * 2
    assert "which every account is in" in the_finding(results, "AD-PRV-012").title
    assert results.summary.verdict == "compliant"


@pytest.mark.parametrize("check", BOTH_CHECKS)
def test_without_a_dacl_everyone_holds_everything(check: str) -> None:
    results = judge(around(NULL_DACL, Directory()).evidence())
    assert [outcome for outcome, _ in told(results, check)] == ["advisory"]
    found = the_finding(results, check)
    assert "Everyone, which every account is in" in found.title
    assert "the DACL is NULL" in found.actual


@pytest.mark.parametrize("check", BOTH_CHECKS)
@pytest.mark.parametrize("gap", ["condition", "membership"])
def test_what_cannot_be_known_is_left_open(check: str, gap: str) -> None:
    right = ace(WD, UNEXPLAINED) if gap == "membership" else ace(WD, DELEGATES, ace_type=9)
    base = replace(Directory(), token=(*Directory().token, UNEXPLAINED))
    results = both(right, base=base)
    assert [outcome for outcome, _ in told(results, check)] == ["unverifiable"]
    assert "a condition, or a membership that could not be read" in the_finding(results, check).actual
    assert results.summary.verdict == "inconclusive"


def test_what_is_certain_beside_a_condition_is_an_excess() -> None:
    results = both(ace(WD, DELEGATES, ace_type=9), ace(AccessMask.WRITE_OWNER, DELEGATES))
    assert told(results, "AD-PRV-012") == [("excess", "medium")]


def test_a_target_above_another_is_not_above_the_targets() -> None:
    directory = replace(
        Directory(),
        ous={PARENT: Container(raw=descriptor(*DELEGATED)), INSIDE: Container(raw=descriptor(*DELEGATED))},
        above={PARENT: descriptor(*DELEGATED, ace(AccessMask.WRITE_PROPERTY, ACCOUNT, object_type=G_P_LINK))},
    ).connect(target_ous=(PARENT, INSIDE))
    assert told(judge(directory.evidence()), "AD-PRV-013") == []


def test_an_object_above_several_targets_is_told_once() -> None:
    second = f"OU=Guests,{PARENT}"
    ous = {dn: Container(raw=descriptor(*DELEGATED)) for dn in (INSIDE, second)}
    directory = replace(Directory(), ous=ous, above={PARENT: descriptor(READABLE, ace(WD, ACCOUNT))})
    assert told(judge(directory.connect(target_ous=(INSIDE, second)).evidence()), "AD-PRV-013") == [("excess", "high")]


@pytest.mark.parametrize("dataset", ["other_containers", "ancestors"])
def test_containers_that_could_not_be_asked_for_are_told(dataset: str) -> None:
    results = judge(replace(Directory(), gaps={(dataset, ""): REFUSED}).evidence())
    assert told(results, "AD-PRV-012") == told(results, "AD-PRV-013") == []
    assert results.summary.verdict == "inconclusive"
    assert "the right to read it" in the_finding(results, "META-001").remediation.text


def test_a_container_that_was_not_read_is_told() -> None:
    results = judge(around(None, Directory()).evidence())
    assert ELSEWHERE in the_finding(results, "AD-COL-008").actual


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_names_are_told_as_they_are_and_steer_no_command(name: str) -> None:
    dn, spoken = f"OU={name},{HEAD}", name.replace("\\0A", "\n")
    base = replace(Directory(), groups=(*GROUPS[:-1], group(spoken, DELEGATES, dn=dn_of("H2R Delegates"))))
    directory = with_read(base, "other_containers", placed(dn, ace(WD, DELEGATES)))
    found = the_finding(judge(directory.evidence()), "AD-PRV-012")
    assert found.scope == dn
    assert spoken in found.title
    (command,) = found.remediation.commands
    assert command.isprintable()
    assert command.count('"') == 4
    assert not set("$`%\u201c\u201d\u201e") & set(command)


# Entries without an account


def orphans(*aces: Ace, known: tuple[str, ...] = (), below: bytes | None = None) -> Results:
    """Judge these ACEs on the target OU, where the domain knows the accounts behind some SIDs."""
    directory = target(*DELEGATED, *aces, below={} if below is None else {f"OU=Interns,{STAFF}": below})
    trustees = tuple(entry(f"CN={sid},{HEAD}", objectSid=sid) for sid in (ACCOUNT, DELEGATES, *known))
    return judge(replace(directory, trustees=trustees).evidence())


def test_entries_for_a_deleted_account_are_a_low_advisory() -> None:
    results = orphans(ace(WD, STRANGER), ace(READ_RIGHTS, STRANGER), ace(WD, f"{DOMAIN}-4712", ace_type=1))
    assert told(results, "AD-PRV-018") == [("advisory", "low")]
    found = the_finding(results, "AD-PRV-018")
    assert found.title == "Entries for 2 SIDs behind which no account shows"
    assert f"{STRANGER} (2), {DOMAIN}-4712 (1)" in found.actual
    assert results.summary.verdict == "compliant"


def test_they_are_counted_below_as_well() -> None:
    results = orphans(ace(WD, STRANGER), below=descriptor(*DELEGATED, ace(WD, STRANGER)))
    assert f"{STRANGER} (2)" in the_finding(results, "AD-PRV-018").actual


@pytest.mark.parametrize(
    ("trustee", "flags"),
    [
        (STRANGER, INHERITED),
        (ACCOUNT, 0),
        (DELEGATES, 0),
        (AUTHENTICATED_USERS, 0),
        (ADMINISTRATORS, 0),
        ("S-1-3-0", 0),
        (f"{DOMAIN}-519", 0),
        ("S-1-5-21-1-2-3-519", 0),
    ],
    ids=["inherited", "account", "group", "everybody", "built in", "creator", "a RID of every domain", "of another"],
)
def test_others_are_no_orphans(trustee: str, flags: int) -> None:
    assert told(orphans(ace(WD, trustee, flags=flags)), "AD-PRV-018") == []


def test_an_account_that_the_domain_knows_is_no_orphan() -> None:
    assert told(orphans(ace(WD, STRANGER), known=(STRANGER,)), "AD-PRV-018") == []


def test_a_sid_of_another_domain_is_left_open() -> None:
    foreign = "S-1-5-21-1-2-3-1234"
    results = orphans(ace(WD, foreign), ace(WD, STRANGER))
    assert sorted(told(results, "AD-PRV-018")) == [("advisory", "low"), ("unverifiable", "low")]
    (found,) = (each for each in findings(results, "AD-PRV-018") if each.outcome == "unverifiable")
    assert f"{foreign} (1)" in found.actual
    assert STRANGER not in found.actual


def test_a_former_sid_of_the_account_is_its_own() -> None:
    former = "S-1-5-21-9-9-9-1104"
    directory = target(*DELEGATED, ace(READ_RIGHTS, former))
    account = directory.accounts[0]
    with_history = entry(account.dn, None, sIDHistory=former)
    renewed = replace(account, attributes={**account.attributes, **with_history.attributes})
    results = judge(replace(directory, accounts=(renewed,)).evidence())
    assert told(results, "AD-PRV-018") == []


def test_without_the_list_of_accounts_nobody_is_an_orphan_and_the_gap_is_told() -> None:
    directory = replace(target(*DELEGATED, ace(WD, STRANGER)), gaps={("trustees", ""): REFUSED})
    results = judge(directory.evidence())
    assert told(results, "AD-PRV-018") == []
    assert results.summary.verdict == "inconclusive"
    assert "the right to read it" in the_finding(results, "META-001").remediation.text


def test_many_are_counted() -> None:
    results = orphans(*(ace(WD, f"{DOMAIN}-{rid}") for rid in range(5000, 5040)))
    assert "and 30 more" in the_finding(results, "AD-PRV-018").actual


def test_of_many_target_ous_each_is_held_against_what_lies_above_it() -> None:
    places = [f"OU=Place {number},{HEAD}" for number in range(600)]
    units = tuple(f"OU=Staff,{place}" for place in places)
    delegated = descriptor(READABLE, *user_task(ACCOUNT))
    inherited = descriptor(READABLE, *user_task(ACCOUNT, flags=INHERITED))
    directory = Directory(
        ous={unit: Container(raw=inherited) for unit in units},
        above={HEAD: descriptor(READABLE), **dict.fromkeys(places, delegated)},
    ).connect(target_ous=units)
    results = judge(directory.evidence())
    assert sorted(found.scope for found in findings(results, "AD-PRV-013")) == sorted(places)
    notes = {each.scope: each.note for each in results.connections[0].requirements if each.id == "M8"}
    assert all(f"inherited from {unit.partition(',')[2]}." in notes[unit] for unit in units)
