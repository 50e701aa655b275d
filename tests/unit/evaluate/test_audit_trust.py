"""META-002, 003, 004, 005 and 007, AD-GOV-001 and 002: whether the audit itself can be trusted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from auditor.evaluate.findings import state_fingerprint
from auditor.matrix.load import known_profiles, load_matrix, load_profile_file
from tests.unit.evaluate.composed import MATRIX, NOT_FOUND, findings, judge, read_of, told
from tests.unit.evaluate.composed_directory import Directory
from tests.unit.evaluate.composed_tenant import (
    ACCOUNT_ID,
    DISTRIBUTION_GROUPS,
    DOCUMENTED_ROLES,
    ROLE_GROUP,
    USER_ADMINISTRATOR,
    Tenant,
    assignment,
    entra_role,
    member,
    role_group,
)
from tests.unit.matrix.profiles import default_profile, write_profile

if TYPE_CHECKING:
    from pathlib import Path

    from auditor.model.evidence import Evidence, Record

GRAPH = "https://graph.microsoft.com"
AUDITOR_ID = "33333333-0000-0000-0000-000000000003"
GLOBAL_READER = "f2ef992c-3afb-46b9-b7cf-a126ee74c451"
OF_ACCOUNT = ("management_role_assignments_of_account", "")


def with_read(evidence: Evidence, dataset: str, subject: str, *records: Record) -> Evidence:
    return replace(evidence, reads=(*evidence.reads, read_of((dataset, subject), records)))


def identity(tenant: Tenant = Tenant(), **claims: Any) -> Evidence:  # noqa: B008 - never changed
    own = {"oid": AUDITOR_ID, "appid": "auditor", "idtyp": "app", "roles": ["User.Read.All"], **claims}
    return with_read(tenant.evidence(), "auditing_identity", GRAPH, own)


# --- META-002 ---


def test_witnesses_that_agree_say_nothing() -> None:
    assert told(judge(Tenant().evidence()), "META-002") == []


def test_a_member_whose_assignment_exchange_does_not_list_is_a_disagreement() -> None:
    of_account = tuple(assignment(name) for name in DOCUMENTED_ROLES[1:])
    (finding,) = findings(judge(Tenant(of_account=of_account).evidence()), "META-002")
    assert (finding.outcome, finding.severity) == ("unverifiable", "medium")
    assert finding.entitlement == f"{DISTRIBUTION_GROUPS}-{ROLE_GROUP}"
    assert "not listed for the account" in finding.actual


def test_an_assignment_listed_for_somebody_who_is_no_member_is_a_disagreement() -> None:
    other = assignment(DISTRIBUTION_GROUPS, "Others")
    groups = (role_group(), role_group("Others"), role_group("Elsewhere"))
    unlisted = assignment(DISTRIBUTION_GROUPS, "Elsewhere")  # an answer that leaves nothing out proves nothing
    tenant = replace(Tenant(), role_groups=groups).with_assignments(other, unlisted)
    listed = (*(assignment(name) for name in DOCUMENTED_ROLES), other)
    (finding,) = findings(judge(replace(tenant, of_account=listed).evidence()), "META-002")
    assert "not among the members of Others" in finding.actual


def test_a_witness_that_was_not_heard_contradicts_nobody() -> None:
    assert told(judge(Tenant(of_account=(), gaps={OF_ACCOUNT: NOT_FOUND}).evidence()), "META-002") == []


def test_a_directory_role_in_the_schedule_alone_is_a_disagreement() -> None:
    instance = entra_role(USER_ADMINISTRATOR, assignmentType="Assigned", memberType="Direct")
    results = judge(replace(Tenant(), entra_roles=(), instances=(instance,)).evidence())
    (finding,) = findings(results, "META-002")
    assert finding.entitlement == USER_ADMINISTRATOR
    assert "not among the role assignments" in finding.actual


# --- META-003 ---


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({}, None),
        ({"roles": ["Exchange.ManageAsApp", "Directory.Read.All", "RoleManagement.Read.Directory"]}, None),
        ({"roles": ["User.ReadBasic.All"]}, None),
        ({"roles": None, "scp": "User.Read.All Exchange.Manage openid profile", "idtyp": "user"}, None),
        ({"wids": [GLOBAL_READER, "0997a1d0-0d1d-4acb-b408-d5ca73121e90"]}, None),
        ({"roles": ["User.ReadWrite.All"]}, "it holds User.ReadWrite.All"),
        ({"roles": None, "scp": "Mail.Send"}, "it holds Mail.Send"),
        ({"wids": [USER_ADMINISTRATOR.upper()]}, "it is User Administrator"),
        ({"wids": ["44444444-0000-0000-0000-000000000004"]}, "holder of the directory role 44444444"),
        ({"oid": ACCOUNT_ID.upper()}, "a self-assessment"),
        ({"appid": "vendor"}, "the vendor's application"),
    ],
)
def test_the_auditing_identity_only_reads_and_is_somebody_else(claims: Record, words: str | None) -> None:
    tenant = replace(Tenant(), connection=replace(Tenant().connection, vendor_app_id="vendor"))
    found = findings(judge(identity(tenant, **claims)), "META-003")
    assert [(each.outcome, each.severity) for each in found] == ([("advisory", "medium")] if words else [])
    assert all(words in each.actual for each in found if words)


@pytest.mark.parametrize(("roles", "is_told"), [(["View-Only Recipients"], False), (["Mail Recipients"], True)])
def test_the_auditing_identity_is_in_no_role_group_that_writes(roles: list[str], is_told: bool) -> None:
    group = role_group("Auditors", Roles=roles)
    tenant = Tenant(
        role_groups=(role_group(), group), members={ROLE_GROUP: (member(),), "Auditors": (member(AUDITOR_ID),)}
    )
    found = findings(judge(identity(tenant)), "META-003")
    assert bool(found) is is_told
    assert all("the role group Auditors with Mail Recipients" in each.actual for each in found)


# --- META-004 ---


@pytest.mark.parametrize(
    ("query", "is_read"),
    [
        ({"method": "GET", "url": f"{GRAPH}/v1.0/users"}, True),
        ({"cmdlet": "Get-RoleGroup", "parameters": {}}, True),
        ({"method": "PATCH", "url": f"{GRAPH}/v1.0/users"}, False),
        ({"cmdlet": "Add-RoleGroupMember", "parameters": {}}, False),
        ({"cmdlet": "get-RoleGroup"}, False),
    ],
)
def test_evidence_of_anything_but_a_read_is_not_believed(query: Record, is_read: bool) -> None:
    evidence = Tenant().evidence()
    (source, read), *others = evidence.reads
    asked = replace(evidence, reads=((replace(source, query=query), read), *others))
    assert told(judge(asked), "META-004") == ([] if is_read else [("unverifiable", "high")])


# --- META-005 ---


@pytest.mark.parametrize(
    ("month", "is_old"), [("2026-11", False), ("2025-12", False), ("2025-11", True), ("2020-01", True), ("soon", False)]
)
@pytest.mark.parametrize("evidence", [Tenant().evidence(), Directory().evidence()], ids=["tenant", "directory"])
def test_a_matrix_older_than_a_year_is_told(evidence: Evidence, month: str, is_old: bool) -> None:
    profile = replace(MATRIX.profile, source=replace(MATRIX.profile.source, date=month))
    results = judge(evidence, against=replace(MATRIX, profile=profile), now=datetime(2026, 11, 23, tzinfo=UTC))
    assert told(results, "META-005") == ([("advisory", "low")] if is_old else [])


def test_every_profile_of_this_version_is_a_released_one() -> None:
    assert known_profiles()
    assert all(load_matrix(name).is_released for name in known_profiles())


@pytest.mark.parametrize("evidence", [Tenant().evidence(), Directory().evidence()], ids=["tenant", "directory"])
def test_a_matrix_that_is_no_released_one_is_told_with_its_digest(evidence: Evidence, tmp_path: Path) -> None:
    changed = load_profile_file(write_profile(tmp_path / "profile.yaml", {**default_profile(), "title": "Ours"}))
    (finding,) = findings(judge(evidence, against=changed), "META-005")
    assert (finding.outcome, finding.severity, finding.scope) == ("advisory", "low", "digest")
    assert changed.sha256 in finding.actual


# --- AD-GOV-001 and 002 ---


def test_a_matrix_of_whom_nobody_s_approval_is_known_is_told_until_a_waiver_records_one(tmp_path: Path) -> None:
    changed = load_profile_file(write_profile(tmp_path / "profile.yaml", {**default_profile(), "title": "Ours"}))
    evidence = Directory().evidence()
    assert findings(judge(evidence), "AD-GOV-001") == []
    results = judge(evidence, against=changed)
    (finding,) = findings(results, "AD-GOV-001")
    assert (finding.outcome, finding.severity) == ("advisory", "high")
    assert changed.sha256 in finding.actual
    assert results.summary.verdict == "compliant"  # how it was approved says nothing of what the account holds
    again = load_profile_file(write_profile(tmp_path / "profile.yaml", {**default_profile(), "title": "Others"}))
    (of_another,) = findings(judge(evidence, against=again), "AD-GOV-001")
    assert of_another.key == finding.key
    assert state_fingerprint(of_another) != state_fingerprint(finding)  # so that the waiver of the one is void then


def test_tenants_are_told_of_their_matrix_by_one_check_alone(tmp_path: Path) -> None:
    old = {**default_profile(), "source": {**default_profile()["source"], "date": "2026-10"}}
    changed = load_profile_file(write_profile(tmp_path / "profile.yaml", old))
    checks = {each.check for each in judge(Tenant().evidence(), against=changed).findings}
    assert checks & {"META-005", "AD-GOV-001", "AD-GOV-002"} == {"META-005"}


@pytest.mark.parametrize(
    ("profile_id", "month", "is_told"),
    [
        ("hybrid-exchange-online", "2026-10", True),
        ("hybrid-exchange-online", "2026-11", False),
        ("hybrid-exchange-online", "2026-12", False),
        ("hybrid-exchange-online", "soon", False),
        ("hybrid-exchange-online", "0000-01", False),
        ("our-own", "2026-10", False),
    ],
)
def test_a_matrix_is_current_unless_a_later_one_of_its_id_is_released(
    tmp_path: Path, profile_id: str, month: str, is_told: bool
) -> None:
    own = {**default_profile(), "id": profile_id, "source": {**default_profile()["source"], "date": month}}
    changed = load_profile_file(write_profile(tmp_path / "profile.yaml", own))
    results = judge(Directory().evidence(), against=changed)
    assert told(results, "AD-GOV-002") == ([("advisory", "medium")] if is_told else [])


# --- META-007 ---


@pytest.mark.parametrize(("ahead_s", "is_told"), [(0, False), (300, False), (-300, False), (301, True), (-301, True)])
def test_clocks_differ_by_five_minutes_at_most(ahead_s: int, is_told: bool) -> None:
    clock = {"date": "Mon, 23 Nov 2026 08:00:00 GMT", "ahead_s": ahead_s}
    results = judge(with_read(Tenant().evidence(), "service_clock", GRAPH, clock))
    assert told(results, "META-007") == ([("advisory", "low")] if is_told else [])
    direction = "behind" if ahead_s < 0 else "ahead"  # by how many seconds it changes from run to run
    assert all(
        each.actual == f"{GRAPH} is more than five minutes {direction}" for each in findings(results, "META-007")
    )
