"""The whole tool against the real domain controller: every case of the lab gets the answer that is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from auditor.catalogue import CATALOGUE
from auditor.model.outcome import Outcome
from tests.integration.audits import CASES
from tests.lab.cases import TARGETS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.lab.cases import Case
    from tests.lab.domain_controller import DomainController


def _of(results: dict[str, Any], name: str) -> dict[str, Any]:
    return next(connection for connection in results["connections"] if connection["id"] == name)


@pytest.mark.directory
@pytest.mark.parametrize("name", CASES)
def test_domain_admins_as_known(audited: dict[str, Any], name: str) -> None:
    row = next(row for row in _of(audited, name)["requirements"] if row["id"] == "M7")
    assert row["outcome"] == CASES[name].domain_admins, row["reason"]


@pytest.mark.directory
@pytest.mark.parametrize("name", CASES)
def test_delegation_as_known(audited: dict[str, Any], name: str, domain_controller: DomainController) -> None:
    rows = {row["scope"]: row for row in _of(audited, name)["requirements"] if row["id"] == "M8"}
    told = {ou: (row["outcome"], row["reason"]) for ou, row in rows.items()}
    known = {domain_controller.dn(target.dn): str(target.delegation) for target in CASES[name].targets}
    assert {ou: outcome for ou, (outcome, _) in told.items()} == known, told


@pytest.mark.directory
@pytest.mark.parametrize("name", CASES)
def test_without_domain_admins_is_the_same_judgement(audited: dict[str, Any], name: str) -> None:
    connection = _of(audited, name)
    rows = {row["scope"]: row["outcome"] for row in connection["requirements"] if row["id"] == "M8"}
    assert {each["scope"]: each["outcome"] for each in connection["without_domain_admins"]} == rows


@pytest.mark.directory
@pytest.mark.parametrize("name", CASES)
def test_excess_groups_as_known(audited: dict[str, Any], name: str) -> None:
    excess = {
        each["name"]
        for each in _of(audited, name)["entitlements"]
        if each["kind"] == "ad_group" and each["status"] == "excess"
    }
    assert excess == CASES[name].excess_groups
    found = {
        finding["entitlement"]
        for finding in audited["findings"]
        if finding["connection"] == name and finding["check"] in ("AD-GRP-004", "AD-GRP-005")
    }
    assert len(found) == len(excess)


@pytest.mark.directory
def test_tls_is_as_documented(audited: dict[str, Any]) -> None:
    rows = [row for connection in audited["connections"] for row in connection["requirements"] if row["id"] == "M9"]
    assert len(rows) == len(CASES)
    assert {row["outcome"] for row in rows} == {"satisfied"}


@pytest.mark.directory
@pytest.mark.parametrize("name", CASES)
def test_the_account_and_who_controls_it_as_known(audited: dict[str, Any], name: str) -> None:
    told = {
        f"{each['check']} {each['outcome']} {each['severity']}"
        for each in audited["findings"]
        if each["connection"] == name and each["check"].startswith(("AD-ACC-", "AD-KRB-", "AD-CTL-"))
    }
    assert told == CASES[name].account_findings


@pytest.mark.directory
def test_severities_are_those_the_catalogue_names(audited: dict[str, Any]) -> None:
    """What could not be read is medium whatever the check."""
    others = {
        (finding["check"], finding["severity"])
        for finding in audited["findings"]
        if finding["outcome"] != "unverifiable" and finding["severity"] not in CATALOGUE[finding["check"]].severities
    }
    assert others == set()


# Delegated to everybody, so it is told to every account that these OUs are no targets of.
_TOLD_TO_EVERYBODY = frozenset({f"OU=world,{TARGETS}", f"OU=null-dacl,{TARGETS}"})
_TOLD_OTHERWISE = ("AD-DEL-001", "AD-DEL-020")  # M8 itself, and who its trustee is


@pytest.mark.directory
@pytest.mark.parametrize("name", CASES)
def test_rights_beyond_the_task_and_operations_that_fail_as_known(
    audited: dict[str, Any], name: str, domain_controller: DomainController
) -> None:
    told = {
        f"{each['check']} {each['outcome']}: {each['scope']}"
        for each in audited["findings"]
        if each["connection"] == name
        and each["check"].startswith(("AD-PRV-", "AD-DEL-"))
        and each["check"] not in _TOLD_OTHERWISE
    }
    assert told == set(_known_of_rights(CASES[name], domain_controller))


def _known_of_rights(case: Case, controller: DomainController) -> Iterator[str]:
    """Yield what a case says, and what follows from its membership in Domain Admins."""
    for target in case.targets:
        yield from (f"{finding}: {controller.dn(target.dn)}" for finding in target.findings)
    for dn, findings in case.findings_elsewhere.items():
        yield from (f"{finding}: {controller.dn(dn)}" for finding in findings)
    for dn in _TOLD_TO_EVERYBODY - {target.dn for target in case.targets}:
        yield f"AD-PRV-012 advisory: {controller.dn(dn)}"
    if case.domain_admins is Outcome.SATISFIED:
        yield f"AD-PRV-010 advisory: {controller.domain.head}"
        if any(target.delegation is not Outcome.SATISFIED for target in case.targets):
            yield "AD-PRV-020 advisory: connection"
