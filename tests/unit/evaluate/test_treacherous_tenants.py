"""Tenants that tempt a judgement to say more than it knows: each once led to a wrong answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.evaluate.composed import findings, judge, outcome, told
from tests.unit.evaluate.composed_tenant import (
    DISTRIBUTION_GROUPS,
    EXCHANGE_ADMINISTRATOR,
    GROUP_ID,
    MAIL_RECIPIENTS,
    ROLE_GROUP,
    SECURITY_GROUPS,
    USER_ADMINISTRATOR,
    Tenant,
    assignment,
    entra_role,
    member,
    role,
    role_group,
)

ORGANIZATION_MANAGEMENT = "Organization Management"
ROLE_MANAGEMENT = role("Role Management")
GLOBAL_READER = "f2ef992c-3afb-46b9-b7cf-a126ee74c451"
IN_A_GROUP = {
    "@odata.type": "#microsoft.graph.group",
    "id": GROUP_ID,
    "displayName": "Team",
    "isAssignableToRole": False,
}


def _with_role_group(name: str, *members: dict) -> Tenant:
    base = Tenant()
    return replace(base, role_groups=(*base.role_groups, role_group(name)), members={**base.members, name: members})


def test_a_member_group_that_cannot_be_matched_leaves_the_excess_open() -> None:
    results = judge(_with_role_group(ORGANIZATION_MANAGEMENT, member("", kind="UniversalSecurityGroup")).evidence())
    assert results.summary.verdict == "inconclusive"
    assert [finding.outcome for finding in findings(results, "EXO-011")] == ["unverifiable"]


def test_an_assignment_of_unknown_state_leaves_the_excess_open() -> None:
    more = assignment("Role Management", Enabled=None)
    results = judge(Tenant().with_assignments(more, roles=(ROLE_MANAGEMENT,)).evidence())
    assert results.summary.verdict == "inconclusive"


@pytest.mark.parametrize("scope", ["None", "NotApplicable"])
def test_a_role_that_writes_no_recipients_is_an_excess_all_the_same(scope: str) -> None:
    more = assignment("Role Management", RecipientWriteScope=scope, ConfigWriteScope="OrganizationConfig")
    results = judge(Tenant().with_assignments(more, roles=(ROLE_MANAGEMENT,)).evidence())
    assert told(results, "EXO-011") == [("excess", "high")]


def test_a_role_of_organization_management_that_is_not_listed_is_told_by_itself() -> None:
    more = assignment("Role Management", ORGANIZATION_MANAGEMENT)
    tenant = Tenant().with_assignments(more, roles=(ROLE_MANAGEMENT,))
    strangers = replace(tenant, assignments=(*tenant.assignments, assignment("Role Management", "Other", kind="User")))
    results = judge(replace(strangers, of_account=tenant.assignments).evidence())
    assert results.summary.verdict != "compliant"


def test_a_copy_without_parent_is_compared_with_the_built_in_role() -> None:
    copy = {"Name": "H2R Mail", "RoleType": "MailRecipients", "ExchangeObjectId": "copy"}
    base = Tenant()
    tenant = replace(
        base,
        roles=(*base.roles, copy),
        assignments=(assignment(DISTRIBUTION_GROUPS), assignment(SECURITY_GROUPS), assignment("H2R Mail")),
        role_entries={"H2R Mail": ({"Name": "Get-Mailbox"},), MAIL_RECIPIENTS: ({"Name": "Set-Mailbox"},)},
    )
    assert outcome(judge(tenant.evidence()), "M2") == "partial"
    empty = replace(tenant, role_entries={"H2R Mail": (), MAIL_RECIPIENTS: ()})
    assert outcome(judge(empty.evidence()), "M2") == "unverifiable"


def test_a_custom_directory_role_cannot_pass_for_a_built_in_one() -> None:
    forged = entra_role("99999999-0000-0000-0000-000000000009")
    forged["roleDefinition"] = {"id": forged["roleDefinitionId"], "templateId": USER_ADMINISTRATOR, "isBuiltIn": False}
    assert outcome(judge(replace(Tenant(), entra_roles=(forged,)).evidence()), "M4") == "missing"


def test_exchange_administrator_of_an_administrative_unit_is_no_organization_management() -> None:
    limited = entra_role(EXCHANGE_ADMINISTRATOR, scope="/administrativeUnits/1")
    tenant = replace(
        Tenant(),
        entra_roles=(entra_role(USER_ADMINISTRATOR), limited),
        role_groups=(role_group(ORGANIZATION_MANAGEMENT),),
        members={},
        assignments=tuple(
            assignment(name, ORGANIZATION_MANAGEMENT)
            for name in (DISTRIBUTION_GROUPS, MAIL_RECIPIENTS, SECURITY_GROUPS)
        ),
    )
    results = judge(tenant.evidence())
    assert outcome(results, "M1") == "unverifiable"
    assert findings(results, "EXO-010") == []


def test_an_unfiltered_answer_lends_nobody_a_role() -> None:
    rows = tuple(
        assignment(name, "Others", kind="SecurityGroup")
        for name in (DISTRIBUTION_GROUPS, MAIL_RECIPIENTS, SECURITY_GROUPS)
    )
    tenant = replace(Tenant(), role_groups=(), members={}, assignments=rows, of_account=rows)
    assert outcome(judge(tenant.evidence()), "M1") == "unverifiable"


@pytest.mark.parametrize(
    "nested",
    [
        member(GROUP_ID, kind="MailUniversalSecurityGroup", name="HelpdeskAdmins_EU"),
        {"Name": "Team", "ExternalDirectoryObjectId": GROUP_ID, "RecipientType": "MailUniversalSecurityGroup"},
        {"Name": "Team", "ExternalDirectoryObjectId": GROUP_ID.upper()},
    ],
)
def test_a_group_of_the_account_is_found_however_it_is_listed(nested: dict) -> None:
    tenant = replace(Tenant(), member_of=(IN_A_GROUP,), members={ROLE_GROUP: (nested,)})
    assert outcome(judge(tenant.evidence()), "M1") == "satisfied"


def test_a_synthetic_member_stands_for_its_directory_role() -> None:
    tenant = replace(
        Tenant(),
        entra_roles=(entra_role(USER_ADMINISTRATOR), entra_role(GLOBAL_READER)),
        members={ROLE_GROUP: (member("", kind="RoleGroup", name="GlobalReaders_-1187943102"),)},
    )
    assert outcome(judge(tenant.evidence()), "M1") == "satisfied"


def test_role_groups_nested_in_each_other_end() -> None:
    names = [f"G{number}" for number in range(40)]
    each_in_all = tuple(member("", kind="RoleGroup", name=name) for name in names)
    base = Tenant()
    tenant = replace(
        base,
        role_groups=(*base.role_groups, *(role_group(name) for name in names)),
        members={
            ROLE_GROUP: (member(),),
            **dict.fromkeys(names, (*each_in_all, member("", kind="RoleGroup", name=ROLE_GROUP))),
        },
    )
    held = [each for each in judge(tenant.evidence()).connections[0].entitlements if each.kind == "exchange_role_group"]
    assert len(held) == 41


@pytest.mark.parametrize("nothing", [{}, {"roleDefinitionId": None}, {"roleDefinitionId": "", "roleDefinition": {}}])
def test_a_role_assignment_without_its_role_is_neither_absent_nor_another_role(nothing: dict) -> None:
    whole = entra_role(USER_ADMINISTRATOR)
    nameless = {key: whole[key] for key in ("id", "principalId", "directoryScopeId")} | nothing
    alone = judge(replace(Tenant(), entra_roles=(nameless,)).evidence())
    assert outcome(alone, "M4") == "unverifiable"
    beside = judge(replace(Tenant(), entra_roles=(whole, nameless)).evidence())
    assert outcome(beside, "M4") == "satisfied"
    assert told(beside, "ENT-012") == [("unverifiable", "medium")]
    assert beside.summary.verdict == "inconclusive"


def test_the_role_of_an_assignment_is_also_told_by_its_definition() -> None:
    whole = entra_role(USER_ADMINISTRATOR)
    assert outcome(judge(replace(Tenant(), entra_roles=({**whole, "roleDefinitionId": None},)).evidence()), "M4") == (
        "satisfied"
    )
