"""The whole tool against the local Microsoft 365 service: every scenario gets the answer that is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.audits import outcomes
from tests.microsoft365.scenarios import SCENARIOS
from tests.microsoft365.service import LocalMicrosoft365

if TYPE_CHECKING:
    from tests.integration.audits import Audit


@pytest.mark.parametrize("name", SCENARIOS)
def test_requirements_as_known(name: str, audit: Audit) -> None:
    scenario = SCENARIOS[name]()
    with LocalMicrosoft365(scenario.tenant) as service:
        code, results = audit(service, scenario)
    told = {row["id"]: f"{row['outcome']}: {row['reason']}" for row in results["connections"][0]["requirements"]}
    assert outcomes(results) == {key: str(value) for key, value in scenario.expected.items()}, told
    deviates = any(value != "satisfied" for value in scenario.expected.values())
    excess = any(
        finding["outcome"] == "excess" and finding["severity"] in ("critical", "high", "medium")
        for finding in results["findings"]
    )
    assert code == (1 if deviates or excess else 0), results["findings"]
