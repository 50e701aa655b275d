"""Directory roles of Entra ID (M2, M4; rules A3, A10, A12)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.evaluate.composed import REFUSED, findings, judge, outcome, row, told
from tests.unit.evaluate.composed_tenant import (
    ACCOUNT_ID,
    GLOBAL_ADMINISTRATOR,
    GROUP_ID,
    USER,
    USER_ADMINISTRATOR,
    Tenant,
    entra_role,
)

ROLE_CARRIER = {
    "@odata.type": "#microsoft.graph.group",
    "id": GROUP_ID,
    "displayName": "Role carriers",
    "isAssignableToRole": True,
}
THROUGH_GROUP = Tenant(
    entra_roles=(),
    member_of=(ROLE_CARRIER,),
    entra_roles_of_groups={GROUP_ID: (entra_role(USER_ADMINISTRATOR, principal=GROUP_ID),)},
)
DIRECTORY_READERS = "88d8e3e3-8f55-4a1e-953a-9b9898b8876b"
EXCHANGE_RECIPIENT_ADMINISTRATOR = "31392ffb-586c-42d1-9346-e59415a2cc4e"
HELPDESK_ADMINISTRATOR = "729827e3-9c14-49f7-bb1b-9608f156bbb8"
APPLICATION_ADMINISTRATOR = "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"


def test_eligible_only_is_missing() -> None:
    results = judge(Tenant(entra_roles=(), eligible=(entra_role(USER_ADMINISTRATOR),)).evidence())
    judged = row(results, "M4")
    assert judged.outcome == "missing"
    assert "only eligible" in judged.reason
    assert outcome(results, "M2") == "missing"


@pytest.mark.parametrize(
    "limit",
    [
        {"scope": "/administrativeUnits/1"},
        {"appScopeId": "/somewhere"},
        {"condition": "@Resource[x] == 'y'"},
    ],
    ids=["administrative unit", "application scope", "condition"],
)
def test_a_limited_assignment_is_partial(limit: dict[str, str]) -> None:
    judged = row(judge(Tenant(entra_roles=(entra_role(USER_ADMINISTRATOR, **limit),)).evidence()), "M4")
    assert (judged.outcome, "limited to" in judged.reason) == ("partial", True)


def test_a_scope_that_was_not_told_leaves_it_open() -> None:
    assert (
        outcome(judge(Tenant(entra_roles=(entra_role(USER_ADMINISTRATOR, scope=""),)).evidence()), "M4")
        == "unverifiable"
    )


def test_a_limited_assignment_beside_a_tenant_wide_one_does_no_harm() -> None:
    both = Tenant(
        entra_roles=(
            entra_role(USER_ADMINISTRATOR, scope="/administrativeUnits/1"),
            entra_role(USER_ADMINISTRATOR),
        )
    )
    assert outcome(judge(both.evidence()), "M4") == "satisfied"


def test_a_role_through_a_group_counts_and_shows_its_path() -> None:
    judged = row(judge(THROUGH_GROUP.evidence()), "M4")
    assert (judged.outcome, judged.how) == ("satisfied", "via_group")
    assert judged.paths[0][:2] == ("svc-h2r@contoso.com", "group Role carriers")


def test_a_group_whose_roles_were_not_read_leaves_it_open() -> None:
    blind = replace(THROUGH_GROUP, gaps={("role_assignments", GROUP_ID): REFUSED}, entra_roles_of_groups={})
    assert outcome(judge(blind.evidence()), "M4") == "unverifiable"


@pytest.mark.parametrize("assignable", [False, None], ids=["no", "null, of a group that is shown"])
def test_a_group_that_cannot_hold_roles_need_not_be_asked(assignable: bool | None) -> None:
    plain = Tenant(entra_roles=(), member_of=({**ROLE_CARRIER, "isAssignableToRole": assignable},))
    assert outcome(judge(plain.evidence()), "M4") == "missing"


def test_a_group_that_hides_everything_but_its_id_may_hold_roles() -> None:
    hidden = {**ROLE_CARRIER, "displayName": None, "isAssignableToRole": None}
    assert outcome(judge(Tenant(entra_roles=(), member_of=(hidden,)).evidence()), "M4") == "unverifiable"


@pytest.mark.parametrize("question", [("role_assignments", ACCOUNT_ID), ("transitive_member_of", "")])
def test_without_entra_evidence_the_role_is_open(question: tuple[str, str]) -> None:
    results = judge(Tenant(entra_roles=(), gaps={question: REFUSED}).evidence())
    assert (outcome(results, "M2"), outcome(results, "M4")) == ("unverifiable", "unverifiable")
    assert results.summary.verdict == "inconclusive"


def test_the_role_is_recognised_by_its_template_whatever_it_is_called() -> None:
    impostor = entra_role("00000000-0000-0000-0000-000000000007")
    impostor["roleDefinition"] = {
        "templateId": "00000000-0000-0000-0000-000000000007",
        "displayName": "User Administrator",
    }
    assert outcome(judge(Tenant(entra_roles=(impostor,)).evidence()), "M4") == "missing"
    upper = Tenant(entra_roles=(entra_role(USER_ADMINISTRATOR.upper()),))
    assert outcome(judge(upper.evidence()), "M4") == "satisfied"


def test_a_template_counts_only_where_graph_says_that_the_role_is_built_in() -> None:
    custom = entra_role("00000000-0000-0000-0000-000000000007")
    custom["roleDefinition"] = {"templateId": USER_ADMINISTRATOR, "displayName": "User Administrator"}
    assert outcome(judge(Tenant(entra_roles=(custom,)).evidence()), "M4") == "missing"


def test_someone_else_s_assignment_is_nobody_s_here() -> None:
    stranger = Tenant(entra_roles=(entra_role(USER_ADMINISTRATOR, principal="33333333-0000-0000-0000-000000000003"),))
    assert outcome(judge(stranger.evidence()), "M4") == "missing"


def test_an_excess_shows_every_way_and_how_to_find_each_assignment() -> None:
    both = Tenant(
        entra_roles=(entra_role(USER_ADMINISTRATOR), entra_role(GLOBAL_ADMINISTRATOR)),
        eligible=(entra_role(GLOBAL_ADMINISTRATOR),),
        member_of=(ROLE_CARRIER,),
        entra_roles_of_groups={GROUP_ID: (entra_role(GLOBAL_ADMINISTRATOR, principal=GROUP_ID),)},
    )
    (finding,) = findings(judge(both.evidence()), "ENT-010")
    assert [path[1] for path in finding.paths] == [f"Entra role name of {GLOBAL_ADMINISTRATOR}", "group Role carriers"]
    assert [ACCOUNT_ID in each for each in finding.remediation.commands] == [True, False]
    assert [GROUP_ID in each for each in finding.remediation.commands] == [False, True]


def test_an_excess_that_has_to_be_activated_is_found_among_the_eligibilities() -> None:
    eligible = Tenant(eligible=(entra_role(GLOBAL_ADMINISTRATOR),))
    (finding,) = findings(judge(eligible.evidence()), "ENT-010")
    (command,) = finding.remediation.commands
    assert command.startswith("Get-MgRoleManagementDirectoryRoleEligibilityScheduleInstance -Filter ")


def test_global_administrator_includes_the_role_and_is_excess() -> None:
    results = judge(Tenant(entra_roles=(entra_role(GLOBAL_ADMINISTRATOR),)).evidence())
    assert (row(results, "M4").outcome, row(results, "M4").how) == ("satisfied", "superset")
    assert told(results, "ENT-010") == [("excess", "critical")]
    assert results.summary.verdict == "non_compliant"


@pytest.mark.parametrize(
    ("template_id", "severity", "verdict"),
    [
        (DIRECTORY_READERS, "low", "compliant"),
        (EXCHANGE_RECIPIENT_ADMINISTRATOR, "medium", "non_compliant"),
        (HELPDESK_ADMINISTRATOR, "high", "non_compliant"),
        (APPLICATION_ADMINISTRATOR, "high", "non_compliant"),
    ],
)
def test_another_role_is_an_excess(template_id: str, severity: str, verdict: str) -> None:
    results = judge(Tenant(entra_roles=(entra_role(USER_ADMINISTRATOR), entra_role(template_id))).evidence())
    assert told(results, "ENT-012") == [("excess", severity)]
    assert results.summary.verdict == verdict


def test_eligible_for_global_administrator_is_one_step_less_urgent() -> None:
    results = judge(Tenant(eligible=(entra_role(GLOBAL_ADMINISTRATOR),)).evidence())
    assert told(results, "ENT-010") == [("excess", "high")]
    assert outcome(results, "M4") == "satisfied"


def test_a_role_told_by_the_memberships_alone_counts() -> None:
    witness = {
        "@odata.type": "#microsoft.graph.directoryRole",
        "id": "1",
        "roleTemplateId": USER_ADMINISTRATOR,
        "displayName": "User Administrator",
    }
    blind = Tenant(member_of=(witness,), gaps={("role_assignments", ACCOUNT_ID): REFUSED})
    assert outcome(judge(blind.evidence()), "M4") == "satisfied"


def ending(instant: str) -> Tenant:
    instance = {"principalId": ACCOUNT_ID, "roleDefinitionId": USER_ADMINISTRATOR, "directoryScopeId": "/"}
    instance["endDateTime"] = instant
    return Tenant(instances=(instance,))


@pytest.mark.parametrize(
    ("instant", "expected"),
    [
        ("2026-12-23T08:00:00Z", [("advisory", "medium")]),
        ("2026-12-23T08:00:01Z", []),
        ("2026-11-23T08:00:01.1234567Z", [("advisory", "medium")]),
        ("some day", []),
        ("9999-12-31T23:59:59Z", []),
    ],
)
def test_a_role_that_ends_within_thirty_days_is_pointed_out(instant: str, expected: list[tuple[str, str]]) -> None:
    results = judge(ending(instant).evidence())
    assert told(results, "ENT-004") == expected
    assert outcome(results, "M4") == "satisfied"


@pytest.mark.parametrize(
    ("instant", "expected"),
    [("2027-01-22T08:00:00Z", [("advisory", "medium")]), ("2027-01-22T08:00:01Z", [])],
)
def test_before_go_live_a_role_has_to_last_for_sixty_days(instant: str, expected: list[tuple[str, str]]) -> None:
    assert told(judge(ending(instant).evidence(), kind="readiness"), "ENT-004") == expected


@pytest.mark.parametrize("instant", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_an_impossible_end_does_not_end_the_run(instant: str) -> None:
    assert outcome(judge(ending(instant).evidence()), "M4") == "satisfied"


def test_a_synchronised_account_with_roles_is_pointed_out() -> None:
    synchronised = Tenant(user=({**USER, "onPremisesSyncEnabled": True},))
    assert told(judge(synchronised.evidence()), "ENT-026") == [("advisory", "medium")]
    powerless = replace(synchronised, entra_roles=())
    assert findings(judge(powerless.evidence()), "ENT-026") == []
