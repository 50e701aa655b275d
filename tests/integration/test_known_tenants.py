"""The whole tool against the local Microsoft 365 service: every scenario gets the answer that is known."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from auditor.collect.https.allow_list import READ_CMDLETS
from tests.integration.audits import outcomes
from tests.microsoft365.scenarios import SCENARIOS
from tests.microsoft365.service import LocalMicrosoft365
from tests.microsoft365.wire import System

if TYPE_CHECKING:
    from tests.integration.audits import Audit

VERDICTS = {0: "compliant", 1: "non_compliant", 3: "inconclusive"}
# Advisories of nearly every tenant; ENT-020 is told where no policy binds the account.
ORDINARY = {"ENT-017", "ENT-020", "EXO-008", "EXO-017"}
BOUND_BY_POLICY = {"blocked_outside_named_locations"}
NOBODY = {"account_not_in_tenant"}
# Scenario -> exit code, and every finding by check and outcome: what is not listed must not appear.
EXPECTED: dict[str, tuple[int, str]] = {
    "exact": (0, ""),
    "distribution_groups_missing": (1, "EXO-001:partial EXO-002:missing"),
    "mail_recipients_missing": (1, "EXO-001:partial EXO-003:advisory EXO-003:missing"),
    "security_group_creation_missing": (1, "EXO-001:partial EXO-004:missing EXO-012:excess"),
    "user_administrator_missing": (1, "ENT-001:missing EXO-003:missing"),
    "role_group_missing": (1, "EXO-001:missing EXO-002:missing EXO-003:advisory EXO-003:missing EXO-004:missing"),
    "direct_assignments_only": (1, "EXO-001:missing EXO-016:advisory"),
    "nested_role_group": (0, ""),
    "nested_mail_enabled_security_group": (0, "EXO-020:advisory"),
    "custom_write_scope": (1, "EXO-002:partial EXO-003:partial EXO-004:partial EXO-006:advisory"),
    "administrative_unit_write_scope": (1, "EXO-002:partial EXO-003:partial EXO-004:partial EXO-006:advisory"),
    "disabled_assignment": (1, "EXO-001:partial EXO-003:advisory EXO-003:missing"),
    "delegating_only": (1, "EXO-001:partial EXO-002:missing EXO-014:excess"),
    "eligible_only": (1, "ENT-001:missing ENT-002:advisory EXO-003:missing"),
    "role_through_role_assignable_group": (1, "ENT-013:excess"),
    "user_administrator_of_administrative_unit": (1, "ENT-001:partial ENT-003:advisory EXO-003:partial"),
    "organization_management_member": (1, "EXO-010:excess"),
    "exchange_administrator": (1, "ENT-011:excess EXO-010:excess"),
    "global_administrator": (1, "ENT-010:excess EXO-010:excess"),
    "global_administrator_only": (1, "ENT-010:excess EXO-010:excess"),
    "untrimmed_custom_role": (0, ""),
    "trimmed_custom_role": (1, "EXO-003:partial"),
    "extra_roles": (1, "EXO-011:excess EXO-019:excess"),
    "disabled_account": (1, "ENT-005:missing"),
    "account_unknown_to_exchange": (
        1,
        ("ENT-005:missing EXO-001:missing EXO-002:missing "
         "EXO-003:advisory EXO-003:missing EXO-004:missing EXO-007:advisory"),
    ),
    "account_not_in_tenant": (
        1,
        ("ENT-001:missing ENT-005:missing EXO-001:missing "
         "EXO-002:missing EXO-003:advisory EXO-003:missing EXO-004:missing"),
    ),
    "two_role_groups": (0, "EXO-005:advisory"),
    "role_group_named_user_administrator": (1, "ENT-001:missing EXO-003:missing EXO-011:excess"),
    "vendor_application_with_consent": (0, "ENT-015:advisory ENT-016:advisory"),
    "activated_role": (0, "ENT-002:advisory"),
    "eligible_member_of_role_group": (1, "ENT-001:missing ENT-002:advisory EXO-003:missing"),
    "eligible_owner_of_global_administrators": (1, "ENT-010:excess"),
    "membership_that_ends": (1, "ENT-004:missing"),
    "owner_of_privileged_application": (1, "ENT-014:excess"),
    "owner_of_harmless_group": (0, ""),
    "owner_of_group_in_organization_management": (1, "ENT-014:excess"),
    "manager_of_role_group": (1, "EXO-015:excess"),
    "other_members_in_role_group": (1, "EXO-018:excess"),
    "crowd_in_member_group": (1, "EXO-018:excess EXO-020:advisory"),
    "exclusive_scope_of_others": (0, "EXO-006:advisory"),
    "group_write_scope": (1, "EXO-003:partial EXO-006:advisory"),
    "own_write_scope": (1, "EXO-001:partial EXO-003:advisory EXO-003:missing EXO-006:advisory"),
    "invalid_assignment": (1, "EXO-001:partial EXO-004:missing"),
    "grandchild_role": (1, "EXO-002:partial"),
    "exchange_recipient_administrator": (1, "ENT-012:excess EXO-001:partial EXO-004:missing EXO-012:excess"),
    "impersonation": (1, "EXO-013:excess EXO-019:excess"),
    "commands_switched_off": (0, "EXO-007:advisory"),
    "blocked_outside_named_locations": (0, ""),
    "excluded_from_every_policy": (0, ""),
    "three_levels_deep": (0, "EXO-020:advisory"),
    "trimmed_roles_that_add_up": (0, ""),
    "role_without_commands": (1, "EXO-001:partial EXO-003:advisory EXO-003:missing"),
    "role_of_another_type_with_the_name": (
        1,
        "EXO-001:partial EXO-003:advisory EXO-003:missing EXO-011:excess EXO-019:excess",
    ),
    "namesake_in_role_group": (1, "EXO-001:missing EXO-002:missing EXO-003:advisory EXO-003:missing EXO-004:missing"),
    "well_known_names_borne_by_others": (0, ""),
    "owner_of_group_deep_in_organization_management": (1, "ENT-014:excess"),
    "roles_partly_from_the_role_group": (1, "EXO-001:partial EXO-016:advisory"),
    "eligible_everywhere_active_in_a_unit": (1, "ENT-001:partial ENT-003:advisory EXO-003:partial"),
    "group_that_is_eligible": (1, "ENT-010:excess"),
    "may_grant_role_management": (1, "EXO-014:excess"),
    "disabled_excess": (0, ""),
    "limited_and_unlimited": (0, "EXO-006:advisory"),
    "viewer_in_addition": (0, "EXO-011:excess"),
    "application_in_role_group": (1, "EXO-018:excess"),
    "organizational_unit_scope": (1, "EXO-003:partial EXO-006:advisory"),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_requirements_findings_verdict_and_exit_code_as_known(name: str, audit: Audit) -> None:
    scenario = SCENARIOS[name]()
    with LocalMicrosoft365(scenario.tenant) as service:
        code, results = audit(service, scenario)
        requests = service.requests
    told = {row["id"]: f"{row['outcome']}: {row['reason']}" for row in results["connections"][0]["requirements"]}
    assert outcomes(results) == {key: str(value) for key, value in scenario.expected.items()}, told
    expected_code, expected = EXPECTED[name]
    found = {f"{each['check']}:{each['outcome']}" for each in results["findings"]}
    assert {each for each in found if each.partition(":")[0] not in ORDINARY} == set(expected.split())
    assert ("ENT-020:advisory" in found) == (name not in BOUND_BY_POLICY | NOBODY)
    assert (code, results["summary"]["verdict"]) == (expected_code, VERDICTS[expected_code])
    for request in requests:
        if request.system is System.EXCHANGE:
            assert (request.method, request.cmdlet in READ_CMDLETS) == ("POST", True)
        elif request.system is System.GRAPH:
            assert request.method == "GET"
        else:
            assert request.system is System.LOGIN
    calls = Counter((each.path, str(each.query), each.cmdlet, str(each.parameters)) for each in requests)
    signed_in = {call: count for call, count in calls.items() if call[2] is not None or "/v1.0/" in call[0]}
    assert max(signed_in.values()) == 1, "a read was repeated"
    assert len(requests) <= 60


def test_every_scenario_has_an_expected_answer() -> None:
    assert EXPECTED.keys() == SCENARIOS.keys()
    assert len(SCENARIOS) >= 60


@pytest.mark.parametrize(
    "name",
    [
        "administrative_unit_write_scope",
        "crowd_in_member_group",
        "direct_assignments_only",
        "eligible_member_of_role_group",
        "excluded_from_every_policy",
        "manager_of_role_group",
        "nested_mail_enabled_security_group",
        "owner_of_privileged_application",
        "role_through_role_assignable_group",
        "vendor_application_with_consent",
    ],
)
def test_collecting_twice_tells_the_same_findings_whatever_things_are_called(name: str, audit: Audit) -> None:
    scenario = SCENARIOS[name]()
    tenant = scenario.tenant
    renamed = replace(
        tenant,
        display_name="Another name",
        users=_renamed(tenant.users),
        groups=_renamed(tenant.groups),
        service_principals=_renamed(tenant.service_principals),
        administrative_units=_renamed(tenant.administrative_units),
        conditional_access_policies=_renamed(tenant.conditional_access_policies),
    )
    told = []
    with LocalMicrosoft365(tenant) as service:
        for each in (tenant, tenant, renamed):
            service.tenant = each
            _, results = audit(service, scenario)
            told.append((outcomes(results), sorted((row["key"], row["outcome"]) for row in results["findings"])))
    assert told[0] == told[1] == told[2]


def _renamed(things: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(replace(each, display_name=f"renamed {each.display_name}") for each in things)
