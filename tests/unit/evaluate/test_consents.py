"""Consented scopes and application permissions (A21)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.evaluate.composed import REFUSED, findings, judge, matrix, told
from tests.unit.evaluate.composed_tenant import Tenant, consent

EXPECTED = matrix(expected_scopes=("openid", "User.ReadWrite.All"))
NONE_EXPECTED = matrix(expected_scopes=())


def test_without_a_list_only_far_reaching_scopes_are_advisories() -> None:
    results = judge(Tenant(consents=(consent("openid profile User.ReadWrite.All Mail.Read"),)).evidence())
    assert {each.title.split()[2] for each in findings(results, "ENT-015")} == {"Mail.Read", "User.ReadWrite.All"}
    assert set(told(results, "ENT-015")) == {("advisory", "medium")}
    assert results.summary.verdict == "compliant"


@pytest.mark.parametrize(
    "scope",
    [
        "Mail.ReadWrite",
        "Directory.Read.All",
        "RoleManagement.ReadWrite.Directory",
        "Group.ReadWrite.All",
        "full_access_as_user",
        "Exchange.Manage",
    ],
)
def test_scopes_that_reach_mail_directory_or_roles_are_far_reaching(scope: str) -> None:
    assert told(judge(Tenant(consents=(consent(scope),)).evidence()), "ENT-015") == [("advisory", "medium")]


def test_with_a_list_every_other_scope_is_an_excess() -> None:
    tenant = Tenant(consents=(consent("openid offline_access User.ReadWrite.All"),))
    results = judge(tenant.evidence(), against=EXPECTED)
    assert told(results, "ENT-015") == [("excess", "medium")]
    assert "offline_access" in findings(results, "ENT-015")[0].title
    assert results.summary.verdict == "non_compliant"
    statuses = {each.name: each.status for each in results.connections[0].entitlements if each.kind == "consent"}
    assert statuses == {"openid": "documented", "offline_access": "excess", "User.ReadWrite.All": "documented"}


def test_an_empty_list_expects_nothing() -> None:
    results = judge(Tenant(consents=(consent("openid"),)).evidence(), against=NONE_EXPECTED)
    assert told(results, "ENT-015") == [("excess", "medium")]


def test_a_far_reaching_scope_for_everyone_is_more_urgent() -> None:
    tenant = Tenant(vendor_consents=(consent("Mail.Read", principal=None),))
    assert told(judge(tenant.evidence()), "ENT-015") == [("advisory", "high")]


def test_somebody_else_s_consent_is_not_the_account_s() -> None:
    tenant = Tenant(vendor_consents=(consent("Mail.Read", principal="33333333-0000-0000-0000-000000000003"),))
    assert told(judge(tenant.evidence()), "ENT-015") == []


def test_a_grant_listed_twice_is_told_once() -> None:
    grant = consent("Mail.Read")
    assert len(findings(judge(Tenant(consents=(grant,), vendor_consents=(grant,)).evidence()), "ENT-015")) == 1


def test_consents_that_were_not_read_stay_open() -> None:
    results = judge(Tenant(gaps={("consent_grants", ""): REFUSED}).evidence())
    assert told(results, "META-001") == [("unverifiable", "medium")]
    assert results.summary.verdict == "inconclusive"


def test_application_permissions_are_advisories() -> None:
    tenant = replace(
        Tenant(), vendor_app_roles=({"id": "1", "resourceDisplayName": "Microsoft Graph", "appRoleId": "role-1"},)
    )
    assert told(judge(tenant.evidence()), "ENT-016") == [("advisory", "high")]
