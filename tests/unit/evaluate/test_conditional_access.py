"""ENT-020: which Conditional Access policies decide how the account signs in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.unit.evaluate.composed import REFUSED, findings, judge, read_of
from tests.unit.evaluate.composed_tenant import ACCOUNT_ID, GROUP_ID, Tenant

if TYPE_CHECKING:
    from auditor.model.evidence import Json, Record

ANYWHERE = "The account signs in with a password alone, from anywhere"
GROUP = {"@odata.type": "#microsoft.graph.group", "id": GROUP_ID, "displayName": "Staff", "isAssignableToRole": None}


def policy(*controls: str, users: Record | None = None, **conditions: Json) -> Record:
    return {
        "id": "p1",
        "displayName": "Policy",
        "state": "enabled",
        "conditions": {
            "users": users or {"includeUsers": ["All"]},
            "applications": {"includeApplications": ["All"]},
            "clientAppTypes": ["all"],
            "signInRiskLevels": [],
            "userRiskLevels": [],
            "platforms": None,
            "devices": None,
            "locations": None,
            **conditions,
        },
        "grantControls": {"operator": "OR", "builtInControls": list(controls)},
    }


def titles(tenant: Tenant, *policies: Record, security_defaults: Json = False) -> list[str]:
    evidence = tenant.evidence()
    reads = (
        read_of(("conditional_access_policies", ""), policies),
        read_of(("security_defaults", ""), ({"isEnabled": security_defaults},)),
    )
    return [each.title for each in findings(judge(replace(evidence, reads=(*evidence.reads, *reads))), "ENT-020")]


EVERYWHERE_BUT_HERE: Record = {"includeLocations": ["All"], "excludeLocations": ["office"]}


@pytest.mark.parametrize(
    "covering",
    [
        policy("mfa"),
        policy("mfa", clientAppTypes=["browser", "mobileAppsAndDesktopClients"]),
        policy("mfa", platforms={"includePlatforms": ["all"], "excludePlatforms": []}),
        policy("mfa", devices={"deviceFilter": None}),
        policy("block", locations=EVERYWHERE_BUT_HERE),
    ],
    ids=["second factor", "modern clients", "all platforms", "no filter of devices", "named locations"],
)
def test_a_policy_that_always_applies_covers_the_account(covering: Record) -> None:
    assert titles(Tenant(), covering) == []


@pytest.mark.parametrize(
    "condition",
    [
        {"clientAppTypes": ["exchangeActiveSync", "other"]},
        {"clientAppTypes": ["browser"]},
        {"signInRiskLevels": ["high"]},
        {"userRiskLevels": ["high"]},
        {"insiderRiskLevels": "elevated"},
        {"platforms": {"includePlatforms": ["android"]}},
        {"platforms": {"includePlatforms": ["all"], "excludePlatforms": ["windows"]}},
        {"devices": {"deviceFilter": {"mode": "include", "rule": "device.isCompliant -ne True"}}},
        {"authenticationFlows": {"transferMethods": "deviceCodeFlow"}},
        {"locations": {"includeLocations": ["somewhere"], "excludeLocations": ["office"]}},
    ],
    ids=lambda condition: next(iter(condition)),
)
@pytest.mark.parametrize("control", ["mfa", "block"])
def test_a_policy_for_some_sign_ins_leaves_the_others_open(control: str, condition: Record) -> None:
    assert titles(Tenant(), policy(control, **{"locations": EVERYWHERE_BUT_HERE, **condition})) == [ANYWHERE]


def test_a_policy_that_blocks_everywhere_is_told() -> None:
    assert titles(Tenant(), policy("block")) == ["Policy blocks the account"]


@pytest.mark.parametrize(
    "users",
    [
        {"includeGroups": [GROUP_ID]},
        {"includeUsers": ["All"], "excludeGroups": [GROUP_ID]},
        {"includeRoles": ["62e90394-69f5-4237-9190-012177145e10"]},
    ],
    ids=["for a group", "except for a group", "for a role"],
)
@pytest.mark.parametrize("control", ["mfa", "block"])
def test_nothing_is_claimed_while_the_groups_of_the_account_were_not_read(control: str, users: Record) -> None:
    blind = Tenant(gaps={("transitive_member_of", ""): REFUSED})
    assert titles(blind, policy(control, users=users)) == []


def test_a_policy_that_names_no_group_is_judged_without_the_groups() -> None:
    blind = Tenant(gaps={("transitive_member_of", ""): REFUSED})
    assert titles(blind, policy("block", users={"includeUsers": [ACCOUNT_ID]})) == ["Policy blocks the account"]
    assert titles(blind) == [ANYWHERE]


def test_a_group_of_the_account_is_counted() -> None:
    member = Tenant(member_of=(GROUP,))
    assert titles(member, policy("mfa", users={"includeGroups": [GROUP_ID]})) == []
    assert titles(member, policy("mfa", users={"includeUsers": ["All"], "excludeGroups": [GROUP_ID]})) == [ANYWHERE]


def test_security_defaults_cover_the_account_when_they_are_on() -> None:
    assert titles(Tenant(), security_defaults=True) == []
    assert titles(Tenant(), security_defaults=False) == [ANYWHERE]
