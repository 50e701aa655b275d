"""Rights on target OUs that go further than the user task (AD-PRV-001 to 009, 014, 021). All data is composed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from auditor.acl import FULL_CONTROL, READ_RIGHTS, AccessMask, GuidKind, well_known_guid
from auditor.evaluate.directory.user_task import USER_CLASS
from auditor.evaluate.findings import state_fingerprint
from tests.unit.evaluate.composed import NOT_FOUND, REFUSED, findings, judge
from tests.unit.evaluate.composed_directory import (
    ACCOUNT,
    ADMINISTRATORS,
    AUTHENTICATED_USERS,
    CHILDREN,
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
    Container,
    Directory,
    ace,
    descriptor,
    dn_of,
    entry,
    group,
    service_account,
    user_task,
)
from tests.unit.evaluate.composed_rights import (
    HOSTILE_NAMES,
    outcomes_of,
    owned,
    target,
    the_finding,
    with_schema,
    with_target,
)

if TYPE_CHECKING:
    from auditor.acl import Ace

EVERYONE, CREATOR_OWNER, SELF = "S-1-1-0", "S-1-3-0", "S-1-5-10"
STRANGER, UNEXPLAINED = f"{DOMAIN}-4711", f"{DOMAIN}-1300"
BELOW = f"OU=Interns,{STAFF}"
COMPUTER, GROUP, OU, INET_ORG_PERSON = (
    well_known_guid(name, GuidKind.CLASS) for name in ("computer", "group", "organizationalUnit", "inetOrgPerson")
)
G_P_LINK, G_P_OPTIONS, DESCRIPTION, SPN, KEYS, ACT_ON_BEHALF, MEMBER = (
    well_known_guid(name, GuidKind.ATTRIBUTE)
    for name in (
        "gPLink", "gPOptions", "description", "servicePrincipalName", "msDS-KeyCredentialLink",
        "msDS-AllowedToActOnBehalfOfOtherIdentity", "member",
    )
)  # fmt: skip
PUBLIC_INFORMATION, ACCOUNT_RESTRICTIONS = (
    well_known_guid(name, GuidKind.PROPERTY_SET) for name in ("Public-Information", "User-Account-Restrictions")
)
RESET = well_known_guid("User-Force-Change-Password", GuidKind.EXTENDED_RIGHT)
VALIDATED_SPN = well_known_guid("Validated-SPN", GuidKind.VALIDATED_WRITE)
SERVICE_ACCOUNT = well_known_guid("msDS-DelegatedManagedServiceAccount", GuidKind.CLASS)
WP, CR, VW, RP = (
    AccessMask.WRITE_PROPERTY, AccessMask.CONTROL_ACCESS, AccessMask.VALIDATED_WRITE, AccessMask.READ_PROPERTY,
)  # fmt: skip
CC, DC, WD, WO = AccessMask.CREATE_CHILD, AccessMask.DELETE_CHILD, AccessMask.WRITE_DAC, AccessMask.WRITE_OWNER
ON_BELOW = CONTAINER_INHERIT | INHERIT_ONLY
EVERYTHING_ON_THE_OU = {1, 2, 3, 4, 5, 6}


def told(directory: Directory) -> set[tuple[int, str]]:
    """Return number and outcome of every finding about rights that go further than the task."""
    found = outcomes_of(judge(directory.evidence()), "AD-PRV-")
    return {(int(check[-3:]), outcome) for check, outcome in found if int(check[-3:]) in {*range(1, 10), 14, 21}}


def excess(numbers: set[int]) -> set[tuple[int, str]]:
    """Say that these are excess, and the last one of all an advisory, as it always is."""
    return {(number, "advisory" if number == 21 else "excess") for number in numbers}


RIGHTS: dict[str, tuple[Ace, set[int]]] = {
    "full control of the OU": (ace(FULL_CONTROL, DELEGATES), EVERYTHING_ON_THE_OU),
    "generic all": (ace(AccessMask.GENERIC_ALL, DELEGATES), EVERYTHING_ON_THE_OU),
    "full control of everything": (
        ace(AccessMask.GENERIC_ALL, DELEGATES, flags=CONTAINER_INHERIT),
        EVERYTHING_ON_THE_OU | {7, 8, 9, 21},
    ),
    "inherited full control": (
        ace(FULL_CONTROL, DELEGATES, flags=CONTAINER_INHERIT | INHERITED),
        EVERYTHING_ON_THE_OU | {7, 8, 9, 21},
    ),
    "full control of everything below": (ace(FULL_CONTROL, DELEGATES, flags=ON_BELOW), {7, 8, 9, 21}),
    "full control of computers below": (
        ace(FULL_CONTROL, DELEGATES, inherited=COMPUTER, flags=ON_BELOW),
        {7, 8, 9, 21},
    ),
    "modify permissions": (ace(WD, DELEGATES), {2}),
    "modify owner": (ace(WO, DELEGATES), {2}),
    "modify permissions, for the OU's own class": (ace(WD, DELEGATES, object_type=OU), {2}),
    "modify owner, for the OU's own class": (ace(WO, DELEGATES, object_type=OU), {2}),
    "write every attribute": (ace(WP, DELEGATES), {3, 6}),
    "generic write": (ace(AccessMask.GENERIC_WRITE, DELEGATES), {3, 6, 21}),
    "write every attribute, by the class": (ace(WP, DELEGATES, object_type=OU), {6}),
    "every extended right": (ace(CR, DELEGATES), {4}),
    "create everything": (ace(CC, DELEGATES), {5}),
    "create and delete everything": (ace(CHILDREN, DELEGATES), {5, 21}),
    "link policies": (ace(WP, DELEGATES, object_type=G_P_LINK), {6}),
    "block policies": (ace(WP, DELEGATES, object_type=G_P_OPTIONS), {6}),
    "write principal names": (ace(WP, DELEGATES, object_type=SPN, flags=CONTAINER_INHERIT), {7, 21}),
    "write principal names of computers": (
        ace(WP, DELEGATES, object_type=SPN, inherited=COMPUTER, flags=ON_BELOW),
        {7},
    ),
    "write principal names, by their set": (
        ace(WP, DELEGATES, object_type=PUBLIC_INFORMATION, inherited=COMPUTER, flags=ON_BELOW),
        {7},
    ),
    "write valid principal names": (
        ace(VW, DELEGATES, object_type=VALIDATED_SPN, inherited=COMPUTER, flags=ON_BELOW),
        {7},
    ),
    "write key credentials": (ace(WP, DELEGATES, object_type=KEYS, inherited=COMPUTER, flags=ON_BELOW), {8}),
    "say who acts on behalf": (ace(WP, DELEGATES, object_type=ACT_ON_BEHALF, inherited=COMPUTER, flags=ON_BELOW), {9}),
    "say who acts on behalf, by its set": (
        ace(WP, DELEGATES, object_type=ACCOUNT_RESTRICTIONS, inherited=COMPUTER, flags=ON_BELOW),
        {9},
    ),
    "create groups": (ace(CHILDREN, DELEGATES, object_type=GROUP), {21}),
    "delete computers": (ace(DC, DELEGATES, object_type=COMPUTER), {21}),
    "delete everything": (ace(DC, DELEGATES), {21}),
    "delete the OU": (ace(AccessMask.DELETE, DELEGATES), {21}),
    "delete the tree": (ace(AccessMask.DELETE_TREE, DELEGATES), {21}),
    "delete users and the OU": (ace(CHILDREN | AccessMask.DELETE, DELEGATES, object_type=USER_CLASS), {21}),
    "describe the OU": (ace(WP, DELEGATES, object_type=DESCRIPTION), {21}),
    "write members of groups below": (ace(WP, DELEGATES, object_type=MEMBER, inherited=GROUP, flags=ON_BELOW), {21}),
    "full control of groups below": (ace(FULL_CONTROL, DELEGATES, inherited=GROUP, flags=ON_BELOW), {21}),
    "full control of inetOrgPerson below": (
        ace(FULL_CONTROL, DELEGATES, inherited=INET_ORG_PERSON, flags=ON_BELOW),
        {21},
    ),
    "reset the password of anything below": (ace(CR, DELEGATES, object_type=RESET, flags=ON_BELOW), {21}),
    "create everything in OUs below": (ace(CC, DELEGATES, inherited=OU, flags=ON_BELOW), {21}),
}
NO_RIGHTS: dict[str, Ace] = {
    "the user task twice": user_task(DELEGATES)[0],
    "users, one right": ace(CC, DELEGATES, object_type=USER_CLASS),
    "reading": ace(READ_RIGHTS, DELEGATES, flags=CONTAINER_INHERIT),
    "generic reading": ace(AccessMask.GENERIC_READ | AccessMask.GENERIC_EXECUTE, DELEGATES, flags=CONTAINER_INHERIT),
    "principal names of users": ace(WP, DELEGATES, object_type=SPN, inherited=USER_CLASS, flags=ON_BELOW),
    "key credentials of users": ace(WP, DELEGATES, object_type=KEYS, inherited=USER_CLASS, flags=ON_BELOW),
    "reset passwords of users": ace(CR, DELEGATES, object_type=RESET, inherited=USER_CLASS, flags=ON_BELOW),
    "permissions of users": ace(WD, DELEGATES, inherited=USER_CLASS, flags=ON_BELOW),
    "a stranger": ace(FULL_CONTROL, STRANGER, flags=CONTAINER_INHERIT),
    "Domain Admins": ace(FULL_CONTROL, DOMAIN_ADMINS, flags=CONTAINER_INHERIT),
    "Administrators": ace(FULL_CONTROL, ADMINISTRATORS, flags=CONTAINER_INHERIT),
    "Creator Owner": ace(FULL_CONTROL, CREATOR_OWNER, flags=ON_BELOW),
    "itself": ace(FULL_CONTROL, SELF, flags=CONTAINER_INHERIT),
    "owner rights of another owner": ace(FULL_CONTROL, "S-1-3-4"),
    "a deny": ace(FULL_CONTROL, STRANGER, ace_type=1),
    "inheritance without effect": ace(FULL_CONTROL, DELEGATES, flags=INHERIT_ONLY),
}


@pytest.mark.parametrize(("right", "numbers"), RIGHTS.values(), ids=RIGHTS)
def test_each_right_is_told_by_its_check(right: Ace, numbers: set[int]) -> None:
    assert told(target(*DELEGATED, right)) == excess(numbers)


@pytest.mark.parametrize("right", NO_RIGHTS.values(), ids=NO_RIGHTS)
def test_what_is_no_right_beyond_the_task_is_not_told(right: Ace) -> None:
    assert told(target(*DELEGATED, right)) == set()


@pytest.mark.parametrize(("right", "numbers"), RIGHTS.values(), ids=RIGHTS)
def test_an_earlier_deny_takes_it_away(right: Ace, numbers: set[int]) -> None:
    deny = replace(right, type=right.type + 1)
    assert told(target(READABLE, deny, right)) == set()


@pytest.mark.parametrize(("right", "numbers"), RIGHTS.values(), ids=RIGHTS)
def test_a_later_deny_does_not(right: Ace, numbers: set[int]) -> None:
    deny = replace(right, type=right.type + 1)
    assert told(target(READABLE, right, deny)) == excess(numbers)


@pytest.mark.parametrize(("right", "numbers"), RIGHTS.values(), ids=RIGHTS)
def test_a_deny_for_a_stranger_does_not(right: Ace, numbers: set[int]) -> None:
    deny = replace(right, type=right.type + 1, trustee=STRANGER)
    assert told(target(READABLE, deny, right)) == excess(numbers)


@pytest.mark.parametrize(("right", "numbers"), RIGHTS.values(), ids=RIGHTS)
@pytest.mark.parametrize("trustee", [ACCOUNT, EVERYONE, AUTHENTICATED_USERS, DOMAIN_USERS])
def test_whoever_of_the_token_holds_it(trustee: str, right: Ace, numbers: set[int]) -> None:
    assert told(target(READABLE, replace(right, trustee=trustee))) == excess(numbers)


@pytest.mark.parametrize("right", [right for right, _ in RIGHTS.values()], ids=RIGHTS)
def test_a_condition_leaves_it_open(right: Ace) -> None:
    conditional = replace(right, type={0: 9, 5: 11}[right.type], application_data=b"artx\x00\x00\x00\x00")
    found = told(target(*DELEGATED, conditional))
    assert found
    assert {outcome for number, outcome in found if number != 21} <= {"unverifiable"}
    results = judge(target(*DELEGATED, conditional).evidence())
    assert all("a condition" in each.actual for each in results.findings if each.check.startswith("AD-PRV"))


@pytest.mark.parametrize("right", [right for right, _ in RIGHTS.values()], ids=RIGHTS)
def test_a_group_whose_membership_was_not_read_leaves_it_open(right: Ace) -> None:
    directory = target(*DELEGATED, replace(right, trustee=UNEXPLAINED))
    found = told(replace(directory, token=(*directory.token, UNEXPLAINED)))
    assert found
    assert {outcome for number, outcome in found if number != 21} <= {"unverifiable"}


def test_a_condition_under_which_it_is_denied_leaves_an_excess_an_excess() -> None:
    deny = replace(ace(WD, DELEGATES), type=10, application_data=b"artx\x00\x00\x00\x00")
    assert told(target(*DELEGATED, deny, ace(WD, DELEGATES))) == excess({2})


def test_a_nested_group_is_told_with_its_way() -> None:
    inner, outer = f"{DOMAIN}-1301", f"{DOMAIN}-1302"
    directory = replace(
        target(*DELEGATED, ace(WD, outer)),
        accounts=(service_account("H2R Delegates", "Inner"),),
        groups=(*GROUPS, group("Inner", inner, dn_of("Outer")), group("Outer", outer)),
        token=(DOMAIN_USERS, DELEGATES, inner, outer),
    )
    found = the_finding(judge(directory.evidence()), "AD-PRV-002")
    assert found.paths == (("svc-h2r", "Inner", "Outer", f"ACE 3 on {STAFF}"),)


def test_what_domain_admins_lead_to_is_no_excess() -> None:
    behind = f"{DOMAIN}-1303"
    admins = group("Domain Admins", DOMAIN_ADMINS, dn_of("Administrators"), dn_of("Behind"))
    directory = replace(
        target(*DELEGATED, ace(FULL_CONTROL, behind)),
        groups=(*(each for each in GROUPS if each.sid != DOMAIN_ADMINS), admins, group("Behind", behind)),
        token=(*Directory().token, behind),
    )
    assert told(directory) == set()


@pytest.mark.parametrize("owner", [ACCOUNT, DELEGATES, EVERYONE])
def test_ownership_is_told(owner: str) -> None:
    directory = with_target(owned(owner, *DELEGATED))
    assert told(directory) == excess({2})
    assert "by ownership" in the_finding(judge(directory.evidence()), "AD-PRV-002").actual


def test_ownership_is_told_though_entries_limit_the_rights_of_owners() -> None:
    directory = with_target(owned(ACCOUNT, ace(READ_RIGHTS, "S-1-3-4"), *DELEGATED))
    assert told(directory) == excess({2})
    actual = the_finding(judge(directory.evidence()), "AD-PRV-002").actual
    assert "by ownership, of which Owner Rights decide what it implies" in actual


@pytest.mark.parametrize("owner", [None, DOMAIN_ADMINS, STRANGER])
def test_ownership_of_others_is_not(owner: str | None) -> None:
    assert told(with_target(owned(owner, *DELEGATED))) == set()


def test_without_a_dacl_everything_is_held_and_nothing_handed_down() -> None:
    directory = with_target(NULL_DACL)
    assert told(directory) == excess(EVERYTHING_ON_THE_OU)
    assert "the DACL is NULL" in the_finding(judge(directory.evidence()), "AD-PRV-001").actual


def test_an_empty_dacl_gives_nothing() -> None:
    assert told(with_target(owned(DOMAIN_ADMINS))) == set()


@pytest.mark.parametrize(
    ("right", "limited", "number"),
    [(WP, DESCRIPTION, 3), (CR, RESET, 4), (CC, COMPUTER, 5)],
)
def test_denying_one_type_leaves_a_right_without_limit_too_wide(right: int, limited: str, number: int) -> None:
    deny = ace(right, DELEGATES, ace_type=1, object_type=limited)
    assert (number, "excess") in told(target(READABLE, deny, ace(right, DELEGATES)))


def test_denying_one_right_leaves_less_than_full_control() -> None:
    deny = ace(AccessMask.DELETE_TREE, DELEGATES, ace_type=1)
    assert told(target(READABLE, deny, ace(FULL_CONTROL, DELEGATES))) == excess(EVERYTHING_ON_THE_OU - {1} | {21})


def test_a_deny_for_computers_keeps_them_out_of_reach() -> None:
    deny = ace(FULL_CONTROL, DELEGATES, ace_type=1, inherited=COMPUTER, flags=ON_BELOW)
    found = told(target(READABLE, deny, ace(FULL_CONTROL, DELEGATES, flags=CONTAINER_INHERIT)))
    assert found == excess(EVERYTHING_ON_THE_OU | {21})


def test_where_something_is_certain_what_is_open_is_left_out() -> None:
    conditional = ace(WD, DELEGATES, ace_type=9)
    below = {BELOW: descriptor(*DELEGATED, ace(WD, DELEGATES))}
    found = the_finding(judge(target(*DELEGATED, conditional, below=below).evidence()), "AD-PRV-002")
    assert found.outcome == "excess"
    assert found.actual.startswith(f"held without Domain Admins on {BELOW} (")


def test_entries_of_others_with_the_same_right_are_not_shown() -> None:
    found = the_finding(
        judge(
            target(
                *DELEGATED,
                ace(AccessMask.DELETE, SELF),
                ace(AccessMask.DELETE, STRANGER),
                ace(AccessMask.DELETE, ACCOUNT),
            ).evidence()
        ),
        "AD-PRV-021",
    )
    assert found.paths == (("svc-h2r", f"ACE 5 on {STAFF}"),)
    assert f"({STAFF} ((A;;SD;;;{ACCOUNT})))" in f"({found.actual.partition(' on ')[2]})"


def test_it_is_told_of_a_container_below_under_its_target() -> None:
    below = {BELOW: descriptor(*DELEGATED, ace(WD, ACCOUNT))}
    found = the_finding(judge(target(*DELEGATED, below=below).evidence()), "AD-PRV-002")
    assert found.scope == STAFF
    assert BELOW in found.actual
    assert STAFF not in found.actual.replace(BELOW, "")
    assert found.remediation.commands == (f'dsacls "{BELOW}" /R "{ACCOUNT}"',)


def test_many_containers_are_counted() -> None:
    inherited = ace(WD, ACCOUNT, flags=CONTAINER_INHERIT | INHERITED)
    below = {f"OU={number},{STAFF}": descriptor(*DELEGATED, inherited) for number in range(50)}
    found = the_finding(judge(target(*DELEGATED, below=below).evidence()), "AD-PRV-002")
    assert found.actual.partition(" (digest ")[0].endswith("and on 45 more")
    assert found.remediation.commands == ()  # the entry above is the one to remove


def test_what_is_not_shown_of_many_containers_is_part_of_the_state_that_a_waiver_accepts() -> None:
    def state(last: str) -> str:
        below = {f"OU={name},{STAFF}": descriptor(*DELEGATED, ace(WD, ACCOUNT)) for name in (*"abcdefg", last)}
        return state_fingerprint(the_finding(judge(target(*DELEGATED, below=below).evidence()), "AD-PRV-002"))

    assert state("x") == state("x") != state("y")


def test_a_container_that_was_not_read_is_told_and_named() -> None:
    directory = target(*DELEGATED, below={BELOW: None})
    assert told(directory) == set()
    results = judge(directory.evidence())
    assert BELOW in the_finding(results, "AD-COL-008").actual
    assert results.summary.verdict == "inconclusive"


@pytest.mark.parametrize("gap", [REFUSED, NOT_FOUND])
def test_an_ou_that_was_not_read_gives_no_excess_and_no_silence(gap: object) -> None:
    directory = replace(Directory(), gaps={("target_ou", STAFF): gap})
    results = judge(directory.evidence())
    assert outcomes_of(results, "AD-PRV-00") == set()
    assert results.summary.verdict == "inconclusive"


def test_an_account_that_was_not_read_gives_no_excess_and_no_silence() -> None:
    results = judge(replace(Directory(), gaps={("account", ""): REFUSED}).evidence())
    assert outcomes_of(results, "AD-PRV-") == set()
    assert results.summary.verdict == "inconclusive"


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_names_are_told_as_they_are_and_steer_no_command(name: str) -> None:
    ou = f"OU={name},{HEAD}"
    directory = Directory(ous={ou: Container(raw=descriptor(*DELEGATED, ace(WD, ACCOUNT)))}).connect(target_ous=(ou,))
    found = the_finding(judge(directory.evidence()), "AD-PRV-002")
    assert found.scope == ou
    (command,) = found.remediation.commands
    assert command.isprintable()
    assert command.count('"') == 4
    assert not set("$`%\u201c\u201d\u201e") & set(command)


def test_all_findings_have_keys_of_their_own() -> None:
    directory = with_schema(
        target(ace(AccessMask.GENERIC_ALL, ACCOUNT, flags=CONTAINER_INHERIT)),
        attributes={"ms-Mcs-AdmPwd": (LAPS, CONFIDENTIAL), "msFVE-RecoveryPassword": (RECOVERY, CONFIDENTIAL)},
        classes={"msFVE-RecoveryInformation": RECOVERY_CLASS},
    )
    keys = [each.key for each in judge(directory.evidence()).findings]
    assert len(keys) == len(set(keys))


# Delegated managed service accounts


BROAD = ("high", "More than the user task: creating objects without a limit to classes")
SERVICE_ACCOUNTS = ("critical", "More than the user task: creating delegated managed service accounts")


def created(directory: Directory) -> list[tuple[str, str]]:
    """Return severity and title of what is told about creating objects, all of it an excess."""
    found = findings(judge(directory.evidence()), "AD-PRV-005")
    assert {str(each.outcome) for each in found} <= {"excess"}
    return sorted((str(each.severity), each.title) for each in found)


def test_where_a_forest_knows_delegated_service_accounts_creating_everything_is_critical() -> None:
    assert created(with_schema(target(*DELEGATED, ace(CC, DELEGATES)))) == [SERVICE_ACCOUNTS, BROAD]


def test_creating_them_alone_is_critical_and_says_no_more() -> None:
    only = ace(CC, DELEGATES, object_type=SERVICE_ACCOUNT)
    assert created(with_schema(target(*DELEGATED, only))) == [SERVICE_ACCOUNTS]


def test_creating_everything_else_says_nothing_of_them() -> None:
    denied = ace(CC, DELEGATES, ace_type=1, object_type=SERVICE_ACCOUNT)
    assert created(with_schema(target(READABLE, denied, ace(CC, DELEGATES)))) == [BROAD]


def test_a_forest_that_does_not_know_them_has_none_to_create() -> None:
    older = frozenset({"msDS-DelegatedManagedServiceAccount"})
    assert created(with_schema(target(*DELEGATED, ace(CC, DELEGATES)), without=older)) == [BROAD]


def test_what_a_forest_knows_is_not_guessed() -> None:
    assert created(target(*DELEGATED, ace(CC, DELEGATES))) == [BROAD]


# Passwords in attributes

LAPS, RECOVERY, RECOVERY_CLASS = (
    "7da3b8b5-0b0c-4f0c-9c7c-1c0a5f0a0001",
    "43061ac1-c8ad-4ccc-b785-2bfac20fc60a",
    "ea715d30-8f53-40d0-bd1e-6109186d782c",
)
CONFIDENTIAL = 0x80


def with_passwords(*aces: Ace, search_flags: int = CONFIDENTIAL) -> Directory:
    """Return a forest with local administrator passwords and recovery keys, and these ACEs on the target OU."""
    return with_schema(
        target(READABLE, *aces),
        attributes={"ms-Mcs-AdmPwd": (LAPS, search_flags), "msFVE-RecoveryPassword": (RECOVERY, search_flags)},
        classes={"msFVE-RecoveryInformation": RECOVERY_CLASS},
    )


def passwords_told(directory: Directory) -> list[tuple[str, str]]:
    """Return severity and title of what is told about passwords."""
    return [(str(each.severity), each.title) for each in findings(judge(directory.evidence()), "AD-PRV-014")]


LOCAL_ADMINISTRATOR = (
    "critical",
    "More than the user task: reading local administrator passwords of computers below",
)
BITLOCKER = ("high", "More than the user task: reading BitLocker recovery passwords below")


def test_reading_a_confidential_attribute_takes_both_rights() -> None:
    both = ace(RP | CR, DELEGATES, object_type=LAPS, inherited=COMPUTER, flags=ON_BELOW)
    assert passwords_told(with_passwords(both)) == [LOCAL_ADMINISTRATOR]
    for one in (RP, CR):
        assert passwords_told(with_passwords(replace(both, mask=int(one)))) == []


def test_one_that_is_not_confidential_takes_reading_alone() -> None:
    reads = ace(RP, DELEGATES, object_type=LAPS, inherited=COMPUTER, flags=ON_BELOW)
    assert passwords_told(with_passwords(reads, search_flags=0)) == [LOCAL_ADMINISTRATOR]


def test_recovery_passwords_are_told_beside_local_administrators() -> None:
    reads = ace(RP | CR, DELEGATES, object_type=RECOVERY, inherited=RECOVERY_CLASS, flags=ON_BELOW)
    assert passwords_told(with_passwords(reads)) == [BITLOCKER]
    assert sorted(passwords_told(with_passwords(ace(RP | CR, DELEGATES, flags=ON_BELOW)))) == [
        LOCAL_ADMINISTRATOR, BITLOCKER,
    ]  # fmt: skip


def test_a_forest_without_such_attributes_has_none_to_read() -> None:
    assert passwords_told(target(*DELEGATED, ace(FULL_CONTROL, DELEGATES, flags=CONTAINER_INHERIT))) == []


def test_an_attribute_the_forest_lacks_is_not_told() -> None:
    lacking = frozenset({"msDS-KeyCredentialLink", "msDS-AllowedToActOnBehalfOfOtherIdentity"})
    everything = ace(FULL_CONTROL, DELEGATES, inherited=COMPUTER, flags=ON_BELOW)
    assert told(with_schema(target(*DELEGATED, everything), without=lacking)) == excess({7, 21})


def test_a_group_that_everyone_is_in_counts_as_well() -> None:
    """Whoever holds it by being somebody holds it: it is an excess of the account as much as of all others."""
    world = f"{DOMAIN}-1304"
    directory = replace(
        target(*DELEGATED, ace(WD, world)),
        groups=(*GROUPS, group("World", world)),
        well_known=(
            entry(f"CN=S-1-1-0,CN=ForeignSecurityPrincipals,{HEAD}", objectSid=EVERYONE, memberOf=dn_of("World")),
        ),
    )
    assert told(directory) == excess({2})


# Group OUs

GROUPS_OU = f"OU=Groups,{HEAD}"


def group_ou(*aces: Ace, raw: bytes | None = None, dn: str = GROUPS_OU) -> Directory:
    """Return the default directory with these ACEs on a group OU."""
    directory = Directory(group_ous={dn: descriptor(READABLE, *aces) if raw is None else raw})
    return directory.connect(group_ous=(dn,))


@pytest.mark.parametrize(("right", "numbers"), RIGHTS.values(), ids=RIGHTS)
def test_group_ous_are_judged_as_well(right: Ace, numbers: set[int]) -> None:
    is_membership = right.object_type == MEMBER
    assert told(group_ou(*user_task(DELEGATES), right)) == excess(set() if is_membership else numbers)


@pytest.mark.parametrize("right", NO_RIGHTS.values(), ids=NO_RIGHTS)
def test_what_is_no_right_beyond_the_task_is_none_on_group_ous(right: Ace) -> None:
    assert told(group_ou(right)) == set()


@pytest.mark.parametrize("flags", [CONTAINER_INHERIT, ON_BELOW])
@pytest.mark.parametrize("inherited", [None, GROUP])
def test_members_may_be_written_where_groups_are_assigned(flags: int, inherited: str | None) -> None:
    members = ace(WP, DELEGATES, object_type=MEMBER, inherited=inherited, flags=flags)
    assert told(group_ou(members)) == set()
    assert told(group_ou(replace(members, mask=int(WP | AccessMask.DELETE)))) == excess({21})


def test_the_finding_names_the_group_ou_and_what_is_documented_there() -> None:
    found = the_finding(judge(group_ou(ace(WD, ACCOUNT)).evidence()), "AD-PRV-002")
    assert found.scope == GROUPS_OU
    assert found.documented.startswith("write members of groups")
    assert {item.dataset for item in found.evidence} == {"group_ou", "containers"}


def test_a_group_ou_inside_a_target_is_told_once() -> None:
    inside = f"OU=Groups,{STAFF}"
    raw = descriptor(*DELEGATED, ace(WD, ACCOUNT))
    directory = replace(target(*DELEGATED, below={inside: raw}), group_ous={inside: raw}).connect(group_ous=(inside,))
    assert the_finding(judge(directory.evidence()), "AD-PRV-002").scope == STAFF


@pytest.mark.parametrize("raw", [b"\x01no descriptor", None])
def test_a_group_ou_that_was_not_read_gives_no_excess_and_no_silence(raw: bytes | None) -> None:
    gaps = {("group_ou", GROUPS_OU): REFUSED} if raw is None else {}
    directory = replace(group_ou(raw=raw or b""), gaps=gaps)
    assert told(directory) == set()
    assert judge(directory.evidence()).summary.verdict == "inconclusive"
