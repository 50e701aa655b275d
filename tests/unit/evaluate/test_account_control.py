"""Who can take over the account or its groups, who owns it, and whether AdminSDHolder protects it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auditor.acl import FULL_CONTROL, AccessMask, SecurityDescriptor, serialise_descriptor
from tests.unit.evaluate.composed import REFUSED, findings, judge, told
from tests.unit.evaluate.composed_account import delegate, domain_admin, with_group_descriptor
from tests.unit.evaluate.composed_directory import (
    ACCOUNT,
    ADMINISTERED,
    ADMINISTRATORS,
    AUTHENTICATED_USERS,
    CONTAINER_INHERIT,
    DELEGATES,
    DOMAIN,
    DOMAIN_ADMINS,
    HEAD,
    HOST,
    INHERIT_ONLY,
    INHERITED,
    NULL_DACL,
    PROTECTED,
    READABLE,
    TRUSTED_HOST,
    Directory,
    ace,
    descriptor,
    entry,
)

HELPDESK = f"{DOMAIN}-1300"
NAMED = (entry(f"CN=Helpdesk,{HEAD}", objectSid=HELPDESK, sAMAccountName="Helpdesk"),)
CR, WP, VW = AccessMask.CONTROL_ACCESS, AccessMask.WRITE_PROPERTY, AccessMask.VALIDATED_WRITE
RESET = "00299570-246d-11d0-a768-00aa006e0529"
CHANGE = "ab721a53-1e2f-11d0-9819-00aa0040529b"
SPN = "f3a64788-5306-11d1-a9c5-0000f80367c1"
KEYS = "5b47d60f-6090-40b2-9f37-2a4de88f3063"
PUBLIC_INFORMATION = "e48d0154-bcf8-11d1-8702-00c04fb96050"
MEMBER = "bf9679c0-0de6-11d0-a285-00aa003049e2"
DESCRIPTION = "bf967950-0de6-11d0-a285-00aa003049e2"


def account_with(*aces: object, owner: str = DOMAIN_ADMINS) -> Directory:
    raw = serialise_descriptor(
        SecurityDescriptor(owner=owner, group=DOMAIN_ADMINS, control=0x8004, dacl=(READABLE, *aces))  # type: ignore[arg-type]
    )
    return replace(delegate(raw=raw), trustees=NAMED)


@pytest.mark.parametrize(
    ("granted", "words"),
    [
        (ace(FULL_CONTROL, HELPDESK), "reset the password, write key credentials"),
        (ace(0x10000000, HELPDESK), "change the permissions"),
        (ace(AccessMask.WRITE_DAC, HELPDESK), "change the permissions"),
        (ace(AccessMask.WRITE_OWNER, HELPDESK), "change the owner"),
        (ace(CR, HELPDESK, object_type=RESET), "reset the password"),
        (ace(CR, HELPDESK), "reset the password"),
        (ace(WP, HELPDESK, object_type=KEYS), "write key credentials"),
        (ace(WP, HELPDESK, object_type=SPN), "write service principal names"),
        (ace(WP, HELPDESK, object_type=PUBLIC_INFORMATION), "write service principal names"),
        (ace(VW, HELPDESK, object_type=SPN), "write service principal names"),
        (ace(WP, HELPDESK), "write key credentials"),
    ],
)
def test_whoever_can_take_over_the_account_is_named_with_the_entry(granted: object, words: str) -> None:
    results = judge(account_with(granted).evidence())
    assert told(results, "AD-CTL-003") == [("advisory", "critical")]
    (found,) = findings(results, "AD-CTL-003")
    assert (found.entitlement, found.principal) == (HELPDESK, ACCOUNT)
    assert "Helpdesk" in found.title
    assert words in found.title
    assert "ACE 1 (" in found.actual
    assert "allows" in found.actual
    assert found.paths == (("Helpdesk", f"ACE 1 on {found.scope}"),)
    assert found.remediation.commands == (f'dsacls "{found.scope}" /R "{HELPDESK}"',)


@pytest.mark.parametrize(
    "granted",
    [
        ace(CR, HELPDESK, object_type=CHANGE),
        ace(WP, HELPDESK, object_type=DESCRIPTION),
        ace(AccessMask.DELETE, HELPDESK),
        ace(FULL_CONTROL, HELPDESK, flags=CONTAINER_INHERIT | INHERIT_ONLY),
        ace(FULL_CONTROL, DOMAIN_ADMINS),
        ace(FULL_CONTROL, ADMINISTRATORS),
        ace(FULL_CONTROL, f"{DOMAIN}-500"),
        ace(FULL_CONTROL, f"{DOMAIN}-519"),
        ace(FULL_CONTROL, "S-1-5-18"),
        ace(FULL_CONTROL, "S-1-5-32-548"),
        ace(FULL_CONTROL, "S-1-5-10"),
        ace(FULL_CONTROL, "S-1-3-0"),
        ace(FULL_CONTROL, "S-1-3-1", flags=CONTAINER_INHERIT),
        ace(FULL_CONTROL, ACCOUNT),  # AD-CTL-008 tells
        ace(WP, f"{DOMAIN}-526", object_type=KEYS),
    ],
)
def test_administrators_and_harmless_entries_are_no_takeover(granted: object) -> None:
    assert told(judge(account_with(granted).evidence()), "AD-CTL-003") == []


def test_a_deny_for_everybody_stops_it_and_one_that_comes_too_late_does_not() -> None:
    grant, deny = ace(FULL_CONTROL, HELPDESK), ace(FULL_CONTROL, "S-1-1-0", ace_type=1)
    assert told(judge(account_with(deny, grant).evidence()), "AD-CTL-003") == []
    assert told(judge(account_with(grant, deny).evidence()), "AD-CTL-003") == [("advisory", "critical")]


def test_administrators_of_another_domain_are_strangers_where_the_domain_is_the_root() -> None:
    elsewhere = ace(FULL_CONTROL, "S-1-5-21-7-7-7-519")
    root = {HOST: {**TRUSTED_HOST, "root_dse": {"rootDomainNamingContext": [HEAD]}}}
    assert told(judge(account_with(elsewhere).evidence()), "AD-CTL-003") == []
    rooted = replace(account_with(elsewhere), hosts=root)
    assert told(judge(rooted.evidence()), "AD-CTL-003") == [("advisory", "critical")]
    assert told(judge(account_with(ace(FULL_CONTROL, "S-1-5-21-7-7-7-512")).evidence()), "AD-CTL-003") == [
        ("advisory", "critical")
    ]


def test_everybody_is_named_once_and_not_through_every_other_trustee() -> None:
    results = judge(account_with(ace(CR, AUTHENTICATED_USERS), ace(FULL_CONTROL, HELPDESK)).evidence())
    by_trustee = {each.entitlement: each.title for each in findings(results, "AD-CTL-003")}
    assert by_trustee.keys() == {AUTHENTICATED_USERS, HELPDESK}
    assert "reset the password" not in by_trustee[HELPDESK]


def test_a_null_dacl_gives_the_account_to_everybody() -> None:
    (found,) = findings(judge(delegate(raw=NULL_DACL).evidence()), "AD-CTL-003")
    assert (found.entitlement, found.severity) == ("S-1-1-0", "critical")
    assert "the DACL is NULL" in found.actual
    assert found.paths == (("Everyone", f"NULL DACL on {found.scope}"),)


def test_an_entry_with_a_condition_stays_open() -> None:
    results = judge(account_with(ace(FULL_CONTROL, HELPDESK, ace_type=9)).evidence())
    assert told(results, "AD-CTL-003") == [("unverifiable", "medium")]


def test_an_owner_that_is_no_administrator_is_told_and_can_take_over() -> None:
    results = judge(account_with(owner=HELPDESK).evidence())
    assert told(results, "AD-CTL-005") == [("advisory", "medium")]
    assert "Helpdesk" in findings(results, "AD-CTL-005")[0].title
    assert told(results, "AD-CTL-003") == [("advisory", "critical")]
    (found,) = findings(results, "AD-CTL-003")
    assert "it owns the object" in found.actual
    assert found.paths == (("Helpdesk", f"owner of {found.scope}"),)
    assert f'SecurityIdentifier]"{DOMAIN_ADMINS}"' in found.remediation.commands[0]


def test_owner_rights_take_the_owner_s_own_away() -> None:
    results = judge(account_with(ace(AccessMask.READ_CONTROL, "S-1-3-4"), owner=HELPDESK).evidence())
    assert told(results, "AD-CTL-005") == [("advisory", "medium")]
    assert told(results, "AD-CTL-003") == []


@pytest.mark.parametrize("owner", [ADMINISTRATORS, "S-1-5-18", f"{DOMAIN}-519"])
def test_administrators_may_own_the_account(owner: str) -> None:
    assert told(judge(account_with(owner=owner).evidence()), "AD-CTL-005") == []


def test_permissions_that_were_not_read_leave_control_open() -> None:
    account = replace(delegate().accounts[0], descriptor=None)
    results = judge(replace(delegate(), accounts=(account,)).evidence())
    for check in ("AD-CTL-003", "AD-CTL-005", "AD-COL-008"):
        assert ("unverifiable", "medium") in told(results, check), check


def test_an_inherited_entry_names_where_it_comes_from() -> None:
    service_accounts = f"CN=Users,{HEAD}"
    inherited = ace(FULL_CONTROL, HELPDESK, flags=CONTAINER_INHERIT | INHERITED)
    above = descriptor(READABLE, ace(FULL_CONTROL, HELPDESK, flags=CONTAINER_INHERIT))
    directory = replace(account_with(inherited), above={service_accounts: above})
    (found,) = findings(judge(directory.evidence()), "AD-CTL-003")
    assert f"inherited from {service_accounts}" in found.actual
    assert found.remediation.commands == (f'dsacls "{service_accounts}" /R "{HELPDESK}"',)


def test_an_entry_that_is_inherited_as_its_creator_is_not_removed_by_name() -> None:
    service_accounts = f"CN=Users,{HEAD}"
    inherited = ace(FULL_CONTROL, HELPDESK, flags=INHERITED)
    above = descriptor(READABLE, ace(FULL_CONTROL, "S-1-3-0", flags=CONTAINER_INHERIT | INHERIT_ONLY))
    directory = replace(account_with(inherited), above={service_accounts: above})
    (found,) = findings(judge(directory.evidence()), "AD-CTL-003")
    assert f"inherited from {service_accounts}, by its entry for whoever creates an object" in found.actual
    assert found.remediation.commands == ()


@pytest.mark.parametrize(
    ("granted", "words"),
    [
        (ace(WP, HELPDESK, object_type=MEMBER), "change the members"),
        (ace(VW, HELPDESK, object_type=MEMBER), "add itself as a member"),
        (ace(AccessMask.WRITE_DAC, HELPDESK), "change the permissions"),
        (ace(WP, HELPDESK), "change the members, change who manages the group"),
    ],
)
@pytest.mark.parametrize("group", [DOMAIN_ADMINS, DELEGATES])
def test_whoever_controls_a_group_that_gives_rights_is_named(granted: object, words: str, group: str) -> None:
    raw = descriptor(READABLE, granted)  # type: ignore[arg-type]
    directory = replace(with_group_descriptor(Directory(), group, raw), trustees=NAMED)
    results = judge(directory.evidence())
    assert told(results, "AD-CTL-004") == [("advisory", "high")]
    assert words in findings(results, "AD-CTL-004")[0].title
    assert results.summary.verdict == "compliant"


def test_a_group_that_gives_nothing_may_be_anybody_s() -> None:
    raw = descriptor(READABLE, ace(FULL_CONTROL, HELPDESK))
    assert told(judge(with_group_descriptor(Directory(), f"{DOMAIN}-513", raw).evidence()), "AD-CTL-004") == []


def test_a_group_whose_permissions_were_not_read_stays_open() -> None:
    groups = tuple(replace(each, descriptor=None) if each.sid == DELEGATES else each for each in Directory().groups)
    results = judge(Directory(groups=groups).evidence())
    assert told(results, "AD-CTL-004") == [("unverifiable", "medium")]
    assert told(results, "AD-COL-008") == [("unverifiable", "medium")]


@pytest.mark.parametrize(
    ("directory", "words"),
    [
        (domain_admin(adminCount=[]), "adminCount is not 1"),
        (domain_admin(adminCount=0), "adminCount is not 1"),
        (domain_admin(raw=ADMINISTERED), "inherits from the OU"),
        (domain_admin(raw=descriptor(READABLE, control=PROTECTED)), "not that of AdminSDHolder"),
    ],
)
def test_a_protected_account_bears_what_admin_sd_holder_has(directory: Directory, words: str) -> None:
    results = judge(directory.evidence())
    assert told(results, "AD-CTL-001") == [("advisory", "medium")]
    assert words in findings(results, "AD-CTL-001")[0].actual


def test_an_account_in_no_protected_group_needs_no_protection() -> None:
    assert told(judge(delegate().evidence()), "AD-CTL-001") == []


def test_the_order_of_entries_makes_no_difference_to_protection() -> None:
    raw = descriptor(ace(FULL_CONTROL, DOMAIN_ADMINS), READABLE, control=PROTECTED)
    assert told(judge(domain_admin(raw=raw).evidence()), "AD-CTL-001") == []


def test_protection_stays_open_where_admin_sd_holder_was_not_read() -> None:
    results = judge(Directory(gaps={("tier_zero", ""): REFUSED}).evidence())
    assert told(results, "AD-CTL-001") == [("unverifiable", "medium")]
    assert "access denied" in findings(results, "AD-CTL-001")[0].actual


def test_admin_count_that_outlives_the_membership_is_an_advisory() -> None:
    results = judge(delegate(adminCount=1).evidence())
    assert told(results, "AD-CTL-002") == [("advisory", "low")]
    unread = replace(delegate(adminCount=1), gaps={("token_groups", ""): REFUSED})
    assert told(judge(unread.evidence()), "AD-CTL-002") == [("unverifiable", "low")]
    assert told(judge(delegate(adminCount=0).evidence()), "AD-CTL-002") == []
    assert told(judge(domain_admin(adminCount=1).evidence()), "AD-CTL-002") == []
