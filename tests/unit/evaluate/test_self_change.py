"""An account that can raise its own rights: an excess, whatever else is as documented."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auditor.acl import FULL_CONTROL, AccessMask
from tests.unit.evaluate.composed import findings, judge, told
from tests.unit.evaluate.composed_account import delegate, domain_admin, with_group_descriptor
from tests.unit.evaluate.composed_directory import (
    ACCOUNT,
    DELEGATES,
    DOMAIN,
    DOMAIN_ADMINS,
    DOMAIN_USERS,
    GROUPS,
    GUARDED,
    HEAD,
    PROTECTED,
    READABLE,
    STAFF,
    Directory,
    ace,
    descriptor,
    dn_of,
    group,
    service_account,
)

MEMBER = "bf9679c0-0de6-11d0-a285-00aa003049e2"
WP, VW = AccessMask.WRITE_PROPERTY, AccessMask.VALIDATED_WRITE
INSIDE = f"CN=Hire2Retire,OU=Service,{STAFF}"


@pytest.mark.parametrize("sid", [DELEGATES, DOMAIN_USERS])
@pytest.mark.parametrize("trustee", [ACCOUNT, DELEGATES, "S-1-5-11"])
@pytest.mark.parametrize("right", [ace(WP, ACCOUNT, object_type=MEMBER), ace(AccessMask.WRITE_DAC, ACCOUNT)])
def test_writing_a_group_that_contains_it_is_a_critical_excess(sid: str, trustee: str, right: object) -> None:
    raw = descriptor(READABLE, replace(right, trustee=trustee))  # type: ignore[type-var]
    results = judge(with_group_descriptor(Directory(), sid, raw).evidence())
    assert told(results, "AD-CTL-008") == [("excess", "critical")]
    assert "without Domain Admins the account may change the" in findings(results, "AD-CTL-008")[0].actual
    assert results.summary.verdict == "non_compliant"


@pytest.mark.parametrize(
    "right",
    [
        ace(FULL_CONTROL, DOMAIN_ADMINS),
        ace(VW, ACCOUNT, object_type=MEMBER),  # it is a member already
        ace(WP, ACCOUNT, object_type="bf967950-0de6-11d0-a285-00aa003049e2"),
    ],
)
def test_what_domain_admins_give_or_changes_nothing_is_none(right: object) -> None:
    raw = descriptor(READABLE, right)  # type: ignore[arg-type]
    assert told(judge(with_group_descriptor(Directory(), DELEGATES, raw).evidence()), "AD-CTL-008") == []


def test_a_group_it_is_not_in_is_another_matter() -> None:
    raw = descriptor(READABLE, ace(FULL_CONTROL, ACCOUNT))
    other = replace(group("Other", f"{DOMAIN}-1800"), descriptor=None)
    directory = with_group_descriptor(Directory(), DELEGATES, raw)
    without = replace(directory, accounts=(service_account("Domain Admins"),), token=directory.token[:4])
    results = judge(replace(without, groups=(*without.groups, other)).evidence())
    assert told(results, "AD-CTL-008") == []


def test_control_of_itself_is_an_excess_but_principal_self_is_everybody_s() -> None:
    own = descriptor(READABLE, ace(AccessMask.WRITE_DAC, DELEGATES))
    assert told(judge(delegate(raw=own).evidence()), "AD-CTL-008") == [("excess", "critical")]
    itself = descriptor(READABLE, ace(FULL_CONTROL, "S-1-5-10"))
    assert told(judge(delegate(raw=itself).evidence()), "AD-CTL-008") == []


def test_an_account_in_a_target_ou_it_manages_is_an_excess_although_it_is_protected() -> None:
    account = service_account("Domain Admins", "H2R Delegates", dn=INSIDE, raw=GUARDED)
    results = judge(Directory(accounts=(account,)).evidence())
    assert told(results, "AD-CTL-008") == [("excess", "critical")]
    assert STAFF in findings(results, "AD-CTL-008")[0].actual
    assert findings(results, "AD-CTL-008")[0].scope == INSIDE


def test_a_group_that_gives_it_rights_and_lies_in_a_target_ou_is_an_excess() -> None:
    inside = f"CN=H2R Delegates,{STAFF}"
    groups = (*GROUPS[:-1], group("H2R Delegates", DELEGATES, dn=inside))
    account = service_account("Domain Admins", memberOf=[dn_of("Domain Admins"), inside])
    results = judge(Directory(groups=groups, accounts=(account,)).evidence())
    assert told(results, "AD-CTL-008") == [("excess", "critical")]
    assert findings(results, "AD-CTL-008")[0].scope == inside


def test_groups_that_everybody_is_in_may_lie_in_a_target_ou() -> None:
    target = f"CN=Users,{HEAD}"
    directory = Directory(ous={target: Directory().ous[STAFF]}).connect(target_ous=(target,))
    elsewhere = f"CN=Hire2Retire,OU=Service,{HEAD}"
    account = service_account("Domain Admins", "H2R Delegates", dn=elsewhere)
    scopes = {each.scope for each in findings(judge(replace(directory, accounts=(account,)).evidence()), "AD-CTL-008")}
    assert scopes == {dn_of("Domain Admins"), dn_of("H2R Delegates")}


def test_control_through_a_group_whose_path_was_not_read_stays_open() -> None:
    stray = f"{DOMAIN}-1500"
    raw = descriptor(READABLE, ace(FULL_CONTROL, stray), control=PROTECTED)
    base = domain_admin(raw=raw)
    results = judge(replace(base, token=(*base.token, stray)).evidence())
    assert told(results, "AD-CTL-008") == [("unverifiable", "medium")]
