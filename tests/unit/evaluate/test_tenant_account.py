"""The service account of the tenant (M6), and one identity on both sides (A13)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auditor.model.evidence import Gap, GapKind
from tests.unit.evaluate.composed import NOT_FOUND, REFUSED, findings, judge, outcome, row, told
from tests.unit.evaluate.composed_directory import ACCOUNT, Directory, service_account
from tests.unit.evaluate.composed_tenant import EXCHANGE_USER, ROLE_GROUP, USER, Tenant

OF_ACCOUNT = ("management_role_assignments_of_account", "")
UNKNOWN_TO_EXCHANGE = Tenant(
    exchange_user=(), members={}, assignments=(), gaps={("exchange_user", ""): NOT_FOUND, OF_ACCOUNT: NOT_FOUND}
)


@pytest.mark.parametrize(
    ("tenant", "expected"),
    [
        (Tenant(), "satisfied"),
        (Tenant(user=({**USER, "accountEnabled": False},)), "missing"),
        (Tenant(user=({**USER, "accountEnabled": None},)), "unverifiable"),
        (Tenant(gaps={("user", ""): REFUSED}), "unverifiable"),
        (Tenant(gaps={("user", ""): NOT_FOUND}), "unverifiable"),
        (Tenant(gaps={("user", ""): NOT_FOUND, ("exchange_user", ""): NOT_FOUND}), "missing"),
        (Tenant(gaps={("user", ""): NOT_FOUND, ("exchange_user", ""): REFUSED}), "unverifiable"),
        (UNKNOWN_TO_EXCHANGE, "missing"),
        (Tenant(gaps={("exchange_user", ""): REFUSED}), "satisfied"),
        (replace(UNKNOWN_TO_EXCHANGE, gaps={("exchange_user", ""): REFUSED, OF_ACCOUNT: REFUSED}), "unverifiable"),
        (Tenant(gaps={("exchange_user", ""): NOT_FOUND}), "unverifiable"),
    ],
    ids=[
        "known and enabled",
        "disabled",
        "state not told",
        "Entra refused",
        "Entra says no, Exchange says yes",
        "both say no",
        "Entra says no, Exchange refused",
        "Exchange says no",
        "Exchange refused, but lists it as a member",
        "Exchange refused everything",
        "Exchange contradicts itself",
    ],
)
def test_the_account_exists_is_enabled_and_known(tenant: Tenant, expected: str) -> None:
    assert outcome(judge(tenant.evidence()), "M6") == expected


def test_an_absent_account_lacks_everything() -> None:
    absent = Tenant(user=(), gaps={("user", ""): NOT_FOUND, ("exchange_user", ""): NOT_FOUND})
    results = judge(absent.evidence())
    assert {each.outcome for each in results.connections[0].requirements} == {"missing"}


def test_somebody_else_in_the_answer_is_not_the_account() -> None:
    other = {**EXCHANGE_USER, "ExternalDirectoryObjectId": "9" * 36, "ExchangeObjectId": "exchange-9"}
    results = judge(replace(UNKNOWN_TO_EXCHANGE, exchange_user=(other,), gaps={OF_ACCOUNT: NOT_FOUND}).evidence())
    assert outcome(results, "M6") == "missing"


def test_an_account_named_by_object_id_is_found() -> None:
    tenant = Tenant()
    by_id = replace(tenant, connection=replace(tenant.connection, service_account=str(USER["id"]).upper()))
    results = judge(by_id.evidence())
    assert row(results, "M6").outcome == row(results, "M5").outcome == "satisfied"


def synchronised(sid: str = ACCOUNT, **changes: object) -> Tenant:
    return replace(Tenant(), user=({**USER, "onPremisesSecurityIdentifier": sid},), **changes)  # type: ignore[arg-type]


def test_one_identity_in_domain_admins_and_in_a_directory_role_is_an_advisory() -> None:
    results = judge(Directory().evidence(), synchronised().evidence())
    (finding,) = findings(results, "META-009")
    assert (finding.outcome, finding.severity, finding.connection) == ("advisory", "high", "contoso")
    assert finding.principal == ACCOUNT
    alone = judge(synchronised().evidence())
    assert results.connections[1].counts.advisory == alone.connections[0].counts.advisory + 1
    assert results.summary.verdict == "compliant"


def test_the_order_of_the_connections_does_not_matter() -> None:
    one = judge(Directory().evidence(), synchronised().evidence())
    other = judge(synchronised().evidence(), Directory().evidence())
    assert [each.key for each in findings(one, "META-009")] == [each.key for each in findings(other, "META-009")]


@pytest.mark.parametrize(
    ("directory", "tenant"),
    [
        (Directory(), synchronised("S-1-5-21-1-2-3-1104")),
        (Directory(), Tenant()),
        (Directory(), synchronised(entra_roles=())),
        (Directory(accounts=(service_account("H2R Delegates"),), token=Directory().token[:2]), synchronised()),
        (Directory(gaps={("account", ""): REFUSED}), synchronised("")),
    ],
    ids=["another SID", "cloud only", "no directory role", "no Domain Admin", "account not read"],
)
def test_two_identities_are_no_finding_even_under_one_name(directory: Directory, tenant: Tenant) -> None:
    results = judge(directory.evidence(), tenant.evidence())
    assert findings(results, "META-009") == []


def test_a_missing_licence_is_no_gap_and_a_missing_permission_is() -> None:
    unlicensed = Gap(kind=GapKind.NOT_LICENSED, message="needs Entra ID P2")
    question = ("role_eligibility_instances", str(USER["id"]))
    assert judge(Tenant(gaps={question: unlicensed}).evidence()).summary.verdict == "compliant"
    refused = judge(Tenant(gaps={question: REFUSED}).evidence())
    assert told(refused, "META-001") == [("unverifiable", "medium")]
    assert refused.summary.verdict == "inconclusive"
    (finding,) = findings(refused, "META-001")
    assert finding.remediation.text == "Grant the auditing identity: the right to read it."


def test_a_gap_that_a_requirement_tells_is_not_told_twice() -> None:
    refused = judge(Tenant(members={}, gaps={("role_group_members", f"role-group-{ROLE_GROUP}"): REFUSED}).evidence())
    assert outcome(refused, "M1") == "unverifiable"
    assert findings(refused, "META-001") == []
