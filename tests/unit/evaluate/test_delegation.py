"""The user task on a target OU and on everything below it (M8)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from auditor.acl import FULL_CONTROL, READ_RIGHTS, AccessMask
from auditor.evaluate.directory.user_task import USER_CLASS
from tests.unit.evaluate.composed import NOT_FOUND, REFUSED, findings, judge, outcome, row, told
from tests.unit.evaluate.composed_directory import (
    ACCOUNT,
    AUDITOR,
    AUTHENTICATED_USERS,
    CHILDREN,
    CONTAINER_INHERIT,
    DELEGATED,
    DELEGATES,
    DOMAIN,
    DOMAIN_ADMINS,
    GROUPS,
    HEAD,
    INHERIT_ONLY,
    INHERITED,
    NO_PROPAGATE,
    NULL_DACL,
    PROTECTED,
    READABLE,
    STAFF,
    Container,
    Directory,
    ace,
    descriptor,
    dn_of,
    entry,
    group,
    user_task,
)
from tests.unit.evaluate.composed_rights import placed, with_raw, with_read

if TYPE_CHECKING:
    from auditor.acl import Ace
    from auditor.model.results import RequirementResult

BELOW = f"OU=Interns,{STAFF}"
GROUP_CLASS = "bf967a9c-0de6-11d0-a285-00aa003049e2"
WELL_KNOWN = entry(f"CN=S-1-1-0,CN=ForeignSecurityPrincipals,{HEAD}", objectSid="S-1-1-0", memberOf=dn_of("Helpers"))


def judged(*aces: Ace, below: dict[str, bytes | None] | None = None, control: int = 0) -> RequirementResult:
    ou = Container(raw=descriptor(*aces, control=control), below=below or {})
    return row(judge(Directory(ous={STAFF: ou}).evidence()), "M8")


@pytest.mark.parametrize(
    ("aces", "how"),
    [
        (user_task(DELEGATES), "via_group"),
        (user_task(ACCOUNT), "exact"),
        (user_task(ACCOUNT, flags=INHERITED), "exact"),
        ((ace(FULL_CONTROL, DELEGATES, flags=CONTAINER_INHERIT),), "superset"),
        ((ace(AccessMask.GENERIC_ALL, DELEGATES, flags=CONTAINER_INHERIT),), "superset"),
        (
            (
                ace(AccessMask.CREATE_CHILD, ACCOUNT, object_type=USER_CLASS, flags=CONTAINER_INHERIT),
                ace(AccessMask.DELETE_CHILD, ACCOUNT, object_type=USER_CLASS, flags=CONTAINER_INHERIT),
                ace(0xF0000, ACCOUNT, inherited=USER_CLASS, flags=CONTAINER_INHERIT | INHERIT_ONLY),
                ace(0x001FF, ACCOUNT, inherited=USER_CLASS, flags=CONTAINER_INHERIT | INHERIT_ONLY),
            ),
            "exact",
        ),
    ],
)
def test_the_task_is_held_however_its_aces_are_written(aces: tuple[Ace, ...], how: str) -> None:
    found = judged(READABLE, *aces)
    assert (found.outcome, found.how) == ("satisfied", how), found.reason


def test_rights_from_above_count_and_where_they_come_from_is_named() -> None:
    inherited = Container(raw=descriptor(READABLE, *user_task(DELEGATES, flags=INHERITED)))
    found = row(
        judge(Directory(ous={STAFF: inherited}, above={HEAD: descriptor(*user_task(DELEGATES))}).evidence()), "M8"
    )
    assert found.outcome == "satisfied"
    assert f"ACE 1 is inherited from {HEAD}." in found.note
    assert found.paths[0] == ("svc-h2r", "H2R Delegates", f"ACE 1 on {STAFF}")


def test_an_origin_that_was_not_read_is_not_guessed() -> None:
    found = judged(READABLE, *user_task(DELEGATES, flags=INHERITED))
    assert found.outcome == "satisfied"
    assert "could not be read" in found.note


def test_an_origin_that_is_gone_is_not_called_unread() -> None:
    inherited = Container(raw=descriptor(READABLE, *user_task(DELEGATES, flags=INHERITED)))
    found = row(judge(Directory(ous={STAFF: inherited}, above={HEAD: descriptor(READABLE)}).evidence()), "M8")
    assert "ACE 1 is inherited from an object above that no longer hands it down." in found.note


def test_a_copy_for_the_creator_comes_from_the_entry_for_creators() -> None:
    inherited = Container(raw=descriptor(READABLE, *user_task(ACCOUNT, flags=INHERITED)))
    above = descriptor(*user_task("S-1-3-0"))
    found = row(judge(Directory(ous={STAFF: inherited}, above={HEAD: above}).evidence()), "M8")
    assert f"ACE 1 is inherited from {HEAD}, by its entry for whoever creates an object." in found.note


def test_a_right_to_read_everything_below_makes_the_task_no_wider() -> None:
    readable_below = ace(READ_RIGHTS, AUTHENTICATED_USERS, flags=CONTAINER_INHERIT)
    assert judged(readable_below, *user_task(ACCOUNT)).how == "exact"


@pytest.mark.parametrize(
    "aces",
    [
        user_task(DELEGATES)[:1],
        user_task(DELEGATES)[1:],
        (
            *user_task(DELEGATES)[:1],
            ace(AccessMask.WRITE_PROPERTY, DELEGATES, inherited=USER_CLASS, flags=CONTAINER_INHERIT | INHERIT_ONLY),
        ),
        (ace(AccessMask.CREATE_CHILD, DELEGATES, flags=CONTAINER_INHERIT), user_task(DELEGATES)[1]),
        (ace(CHILDREN, DELEGATES),),
        (ace(AccessMask.WRITE_DAC, DELEGATES),),
    ],
    ids=["children only", "full control only", "write all properties", "no delete", "this OU only", "write DACL"],
)
def test_some_of_it_is_partial(aces: tuple[Ace, ...]) -> None:
    assert judged(READABLE, *aces).outcome == "partial"


@pytest.mark.parametrize(
    "aces",
    [
        (),
        (ace(READ_RIGHTS, DELEGATES, flags=CONTAINER_INHERIT),),
        (ace(CHILDREN, DELEGATES, object_type=GROUP_CLASS, flags=CONTAINER_INHERIT),),
        (ace(FULL_CONTROL, DELEGATES, inherited=GROUP_CLASS, flags=CONTAINER_INHERIT | INHERIT_ONLY),),
        (ace(FULL_CONTROL, f"{DOMAIN}-4711", flags=CONTAINER_INHERIT),),
        (ace(FULL_CONTROL, "S-1-5-32-548", flags=CONTAINER_INHERIT),),
        (ace(FULL_CONTROL, "S-1-3-0", flags=CONTAINER_INHERIT | INHERIT_ONLY),),
    ],
    ids=["nothing", "reading", "groups below", "group class", "a stranger", "Account Operators", "Creator Owner"],
)
def test_nothing_of_it_is_missing(aces: tuple[Ace, ...]) -> None:
    assert judged(READABLE, *aces).outcome == "missing"


def test_an_earlier_deny_defeats_the_task_and_is_named() -> None:
    found = judged(READABLE, ace(AccessMask.CREATE_CHILD, ACCOUNT, ace_type=1), *user_task(DELEGATES))
    assert found.outcome == "partial"
    assert f"deny ACE 1 on {STAFF}" in found.reason


@pytest.mark.parametrize(
    ("trustee", "mask", "is_guard"),
    [
        ("S-1-1-0", AccessMask.DELETE_CHILD, True),
        ("S-1-1-0", CHILDREN, False),
        (ACCOUNT, AccessMask.DELETE_CHILD, False),
    ],
)
def test_what_protects_an_ou_below_from_deletion_is_not_to_be_removed(
    trustee: str, mask: AccessMask, is_guard: bool
) -> None:
    aces = (READABLE, ace(mask, trustee, ace_type=1), *user_task(DELEGATES))
    results = judge(Directory(ous={STAFF: Container(raw=descriptor(*aces))}).evidence())
    assert outcome(results, "M8") == "partial"  # every right of the task is needed, and one is denied
    for check in ("AD-DEL-001", "AD-DEL-018"):
        (finding,) = findings(results, check)
        assert ("keep it" in finding.remediation.text) is is_guard


def test_a_later_deny_does_not_defeat_it() -> None:
    assert judged(*DELEGATED, ace(AccessMask.CREATE_CHILD, ACCOUNT, ace_type=1)).outcome == "satisfied"


def test_a_deny_for_domain_admins_is_left_out_with_their_grants() -> None:
    """Rule A2: the token is that after leaving the group, which ends the deny as well."""
    assert judged(ace(AccessMask.CREATE_CHILD, DOMAIN_ADMINS, ace_type=1), *DELEGATED).outcome == "satisfied"


def test_a_condition_leaves_it_open() -> None:
    conditional = ace(FULL_CONTROL, DELEGATES, ace_type=9, flags=CONTAINER_INHERIT)
    found = judged(READABLE, conditional)
    assert found.outcome == "unverifiable"
    assert "conditional ACE" in found.reason


def test_a_protected_container_below_makes_it_partial() -> None:
    found = judged(*DELEGATED, below={BELOW: descriptor(READABLE, control=PROTECTED)})
    assert found.outcome == "partial"
    assert "inheritance is blocked there" in found.reason
    assert BELOW in found.reason


def test_what_blocks_inheritance_below_is_delegated_for_itself() -> None:
    bare = descriptor(READABLE)
    below = {BELOW: descriptor(READABLE, control=PROTECTED), f"OU=Deep,{BELOW}": bare, f"OU=Others,{STAFF}": bare}
    found = judged(READABLE, below=dict(below))
    assert found.remediation is not None
    told = [command.split('"')[1] for command in found.remediation.commands]
    assert list(dict.fromkeys(told)) == [BELOW, STAFF]


def test_no_propagation_makes_it_partial_where_containers_lie_below() -> None:
    flat = judged(READABLE, *user_task(DELEGATES, flags=NO_PROPAGATE))
    assert flat.outcome == "satisfied"
    deep = judged(READABLE, *user_task(DELEGATES, flags=NO_PROPAGATE), below={BELOW: descriptor(READABLE)})
    assert deep.outcome == "partial"


def test_a_null_dacl_lets_create_and_gives_nothing_below() -> None:
    found = row(judge(Directory(ous={STAFF: Container(raw=NULL_DACL)}).evidence()), "M8")
    assert found.outcome == "partial"
    assert "NULL DACL" in found.note


@pytest.mark.parametrize(
    "ou",
    [
        Container(raw=None),
        Container(raw=b"no descriptor"),
        Container(raw=descriptor(*DELEGATED), below={BELOW: None}),
        Container(raw=descriptor(*DELEGATED), below={BELOW: b"no descriptor"}),
        Container(raw=descriptor(*user_task(DELEGATES))),
        Container(raw=descriptor(*DELEGATED), below={BELOW: descriptor(*user_task(DELEGATES))}),
    ],
    ids=["not returned", "malformed", "below not returned", "below malformed", "not listed", "below not listed"],
)
def test_what_cannot_be_read_leaves_it_open(ou: Container) -> None:
    results = judge(Directory(ous={STAFF: ou}).evidence())
    assert outcome(results, "M8") == "unverifiable"
    assert results.summary.verdict == "inconclusive"


def test_what_cannot_be_read_leaves_a_missing_delegation_open_as_well() -> None:
    nothing = Container(raw=descriptor(READABLE), below={BELOW: None})
    assert outcome(judge(Directory(ous={STAFF: nothing}).evidence()), "M8") == "unverifiable"


def test_something_seen_is_partial_even_where_the_rest_was_not_read() -> None:
    some = Container(raw=descriptor(READABLE, user_task(DELEGATES)[0]), below={BELOW: None})
    assert outcome(judge(Directory(ous={STAFF: some}).evidence()), "M8") == "partial"


@pytest.mark.parametrize("question", [("target_ou", STAFF), ("containers", STAFF), ("token_groups", "")])
def test_a_refused_read_leaves_a_missing_delegation_open(question: tuple[str, str]) -> None:
    undelegated = Directory(ous={STAFF: Container(raw=descriptor(READABLE))}, gaps={question: REFUSED})
    assert outcome(judge(undelegated.evidence()), "M8") == "unverifiable"


def test_a_delegation_that_was_seen_stands_without_the_whole_token() -> None:
    assert outcome(judge(Directory(gaps={("token_groups", ""): REFUSED}).evidence()), "M8") == "satisfied"


def test_but_not_where_somebody_unseen_may_be_denied() -> None:
    denied = Container(raw=descriptor(READABLE, ace(FULL_CONTROL, f"{DOMAIN}-4711", ace_type=1), *user_task(DELEGATES)))
    directory = Directory(ous={STAFF: denied})
    assert outcome(judge(directory.evidence()), "M8") == "satisfied"
    blind = replace(directory, gaps={("token_groups", ""): REFUSED})
    assert outcome(judge(blind.evidence()), "M8") == "unverifiable"


def test_an_ou_that_does_not_exist_is_missing_only_where_everything_is_listed() -> None:
    absent = Directory(ous={}, gaps={("target_ou", STAFF): NOT_FOUND})
    seen = replace(absent, ancestors={STAFF: (HEAD, descriptor(READABLE))})
    found = row(judge(seen.evidence()), "M8")
    assert (found.outcome, found.reason) == ("missing", "the target OU does not exist")
    assert judge(seen.evidence()).connections[0].without_domain_admins[0].add == ()
    hidden = replace(absent, ancestors={STAFF: (HEAD, descriptor())})
    assert outcome(judge(hidden.evidence()), "M8") == "unverifiable"
    assert outcome(judge(absent.evidence()), "M8") == "unverifiable"


def test_a_condition_under_which_the_contents_are_not_listed_leaves_open_what_is_below() -> None:
    listed_unless = (ace(AccessMask.LIST_CONTENTS, AUDITOR, ace_type=10), *DELEGATED)
    result = row(judge(Directory(ous={STAFF: Container(raw=descriptor(*listed_unless))}).evidence()), "M8")
    assert result.outcome == "unverifiable"
    assert "contents not listed" in result.reason


def test_a_deny_for_somebody_unknown_keeps_an_unseen_ou_open_when_the_auditor_is_not_fully_known() -> None:
    denying = descriptor(ace(AccessMask.LIST_CONTENTS, f"{DOMAIN}-4711", ace_type=1), READABLE)
    absent = Directory(ous={}, gaps={("target_ou", STAFF): NOT_FOUND}, ancestors={STAFF: (HEAD, denying)})
    assert outcome(judge(absent.evidence()), "M8") == "missing"
    unknown = replace(absent, auditor=entry(f"CN=Auditor,{HEAD}"))
    assert outcome(judge(unknown.evidence()), "M8") == "unverifiable"


def test_containers_of_the_system_are_not_where_users_live() -> None:
    system = entry(f"CN=System,{STAFF}", descriptor(READABLE, control=PROTECTED), isCriticalSystemObject="TRUE")
    directory = Directory(ous={STAFF: Container(raw=descriptor(*DELEGATED), below={})})
    evidence = directory.evidence()
    assert outcome(judge(evidence), "M8") == "satisfied"
    below = Container(raw=descriptor(*DELEGATED), below={system.dn: descriptor(READABLE, control=PROTECTED)})
    assert outcome(judge(replace(directory, ous={STAFF: below}).evidence()), "M8") == "partial"


def test_a_group_that_everyone_is_in_delegates_too() -> None:
    helpers = f"{DOMAIN}-1400"
    everyone = Directory(
        groups=(*GROUPS, group("Helpers", helpers)),
        well_known=(WELL_KNOWN,),
        ous={STAFF: Container(raw=descriptor(READABLE, *user_task(helpers)))},
    )
    results = judge(everyone.evidence())
    assert outcome(results, "M8") == "satisfied"
    statuses = {each.name: each.status for each in results.connections[0].entitlements}
    assert statuses["Helpers"] == "documented"


def test_a_group_that_everyone_is_in_and_nobody_read_leaves_a_missing_delegation_open() -> None:
    unread = Directory(well_known=(WELL_KNOWN,), ous={STAFF: Container(raw=descriptor(READABLE))})
    found = row(judge(unread.evidence()), "M8")
    assert found.outcome == "unverifiable"
    assert "every account is in it" in found.reason


def test_the_commands_to_delegate_cannot_be_steered_by_a_name() -> None:
    hostile = f'OU=x\\" & calc $(whoami) `id` %PATH% \u202e,{HEAD}'
    directory = Directory(ous={hostile: Container(raw=descriptor(READABLE))}).connect(target_ous=(hostile,))
    (finding,) = findings(judge(directory.evidence()), "AD-DEL-001")
    for command in finding.remediation.commands:
        quoted = command.split('"')
        assert len(quoted) == 5, command  # two quoted values, and no quote inside them
        assert not set("$`%\u202e") & set(command)


@pytest.mark.parametrize(
    ("aces", "expected"),
    [
        ((READABLE,), [("advisory", "medium")]),
        (
            (
                READABLE,
                ace(
                    AccessMask.WRITE_PROPERTY,
                    DELEGATES,
                    object_type="bf9679c0-0de6-11d0-a285-00aa003049e2",
                    inherited=GROUP_CLASS,
                    flags=CONTAINER_INHERIT | INHERIT_ONLY,
                ),
            ),
            [],
        ),
        ((READABLE, ace(FULL_CONTROL, DELEGATES, flags=CONTAINER_INHERIT)), []),
        ((READABLE, *user_task(DELEGATES)), [("advisory", "medium")]),
    ],
    ids=["nothing", "write member", "full control", "the user task"],
)
def test_group_membership_that_is_not_delegated_is_an_advisory(
    aces: tuple[Ace, ...], expected: list[tuple[str, str]]
) -> None:
    groups = f"OU=Groups,{HEAD}"
    directory = Directory(group_ous={groups: descriptor(*aces)}).connect(group_ous=(groups,))
    results = judge(directory.evidence())
    assert told(results, "AD-DEL-010") == expected
    others = [each for each in results.findings if not each.check.startswith("AD-PRV-")]
    assert {str(each.outcome) for each in others} <= {"advisory"}


def test_a_group_ou_that_cannot_be_judged_is_not_called_undelegated() -> None:
    groups = f"OU=Groups,{HEAD}"
    malformed = Directory(group_ous={groups: b"\x01no descriptor"}).connect(group_ous=(groups,))
    results = judge(malformed.evidence())
    assert [finding.outcome for finding in findings(results, "AD-DEL-010")] == ["unverifiable"]
    assert results.summary.verdict == "inconclusive"

    half_known = replace(
        Directory(group_ous={groups: descriptor(READABLE)}).connect(group_ous=(groups,)),
        gaps={("well_known_memberships", ""): REFUSED},
    )
    results = judge(half_known.evidence())
    assert findings(results, "AD-DEL-010") == []
    assert results.summary.verdict == "inconclusive"


def test_users_who_live_below_are_counted_by_whether_they_are_reached() -> None:
    """Their descriptors decide, not the OU's: inheritance may be blocked on each of them."""
    full = ace(FULL_CONTROL, DELEGATES, flags=INHERITED)
    people = (
        placed(f"CN=Reached,{STAFF}", full, objectClass=["top", "user"], objectSid=f"{DOMAIN}-2001"),
        placed(f"CN=Blocked,{STAFF}", control=PROTECTED, objectClass=["top", "user"], objectSid=f"{DOMAIN}-2002"),
        with_raw(f"CN=Unread,{STAFF}", None, objectClass=["top", "user"]),
        placed(f"CN=Group,{STAFF}", objectClass=["top", "group"]),
    )
    below = row(judge(with_read(Directory(), "inhabitants", *people, subject=STAFF).evidence()), "M8")
    assert below.outcome == "satisfied"
    assert "Users who live below: 3, 1 under full control, 1 not, 1 not readable." in below.note
    empty = with_read(Directory(), "inhabitants", subject=STAFF)
    assert "No user lives below." in row(judge(empty.evidence()), "M8").note
    refused = Directory(gaps={("inhabitants", STAFF): REFUSED})
    assert "not all read: access denied" in row(judge(refused.evidence()), "M8").note
