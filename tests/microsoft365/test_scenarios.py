"""Each scenario grants what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auditor.model.outcome import Outcome
from tests.microsoft365 import catalog
from tests.microsoft365.scenarios import SCENARIOS, Scenario, exact

if TYPE_CHECKING:
    from tests.microsoft365.snapshot import Tenant


def _role_types(tenant: Tenant, roles: frozenset[str]) -> set[str]:
    return {role.role_type for role in tenant.management_roles if role.name in roles and role.entries}


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_a_scenario_grants_what_it_expects(name: str) -> None:
    scenario: Scenario = SCENARIOS[name]()
    assert scenario.expected.keys() == {"M1", "M2", "M3", "M4", "M5", "M6"}
    person = scenario.tenant.user(scenario.service_account)
    principal = person.id if person else ""
    types = _role_types(scenario.tenant, scenario.tenant.management_roles_of(principal))
    directory_roles = {
        a.role_id
        for a in scenario.tenant.directory_role_assignments
        if a.principal_id in {principal, *scenario.tenant.containers_of(principal)}
    }
    user_administrator = bool(
        directory_roles
        & {catalog.ENTRA_ROLES[role] for role in ("User Administrator", "Global Administrator")}
    )
    held = {
        "M1": "DistributionGroups" in types,
        "M3": "SecurityGroupCreationAndMembership" in types,
        "M2": "MailRecipients" in types and user_administrator,
        "M4": user_administrator,
    }
    assert held == {key: scenario.expected[key] is not Outcome.MISSING for key in held}


def test_ids_are_the_same_in_every_run() -> None:
    assert exact().tenant == exact().tenant
