"""Finding keys survive renaming, reordering and re-collection, and tell different findings apart."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from auditor.model.keys import finding_key
from tests.unit.evaluate.composed import NOW, REFUSED, findings, judge
from tests.unit.evaluate.composed_directory import (
    DOMAIN,
    DOMAIN_ADMINS,
    GROUPS,
    HEAD,
    READABLE,
    STAFF,
    Container,
    Directory,
    descriptor,
    dn_of,
    group,
    service_account,
)
from tests.unit.evaluate.composed_tenant import (
    ACCOUNT_ID,
    EXCHANGE_USER,
    GLOBAL_ADMINISTRATOR,
    GROUP_ID,
    MAIL_RECIPIENTS,
    ROLE_GROUP,
    USER,
    Tenant,
    assignment,
    consent,
    entra_role,
    member,
    role,
    role_group,
)

if TYPE_CHECKING:
    from auditor.model.evidence import Evidence, Record
    from auditor.model.results import Results

STRAY = f"{DOMAIN}-1500"
ROLE_GROUP_ID = "role-group-1"


def troubled_directory(stray: str = "Stray", admins: str = "Domain Admins", account: str = "svc-h2r") -> Directory:
    base = Directory()
    return replace(
        base,
        accounts=(
            service_account(admins, stray, sAMAccountName=account, userAccountControl=0x222, primaryGroupID=512),
        ),
        groups=(*GROUPS[:2], group(admins, DOMAIN_ADMINS, dn_of("Administrators")), *GROUPS[3:], group(stray, STRAY)),
        token=(*base.token, STRAY),
        ous={STAFF: Container(raw=descriptor(READABLE))},
        gaps={("well_known_memberships", ""): REFUSED},
    )


def troubled_tenant(
    group_name: str = ROLE_GROUP,
    display_name: str = "Hire2Retire",
    role_name: str = "Mail Tips",
    resource: str = "Microsoft Graph",
) -> Tenant:
    return Tenant(
        user=({**USER, "displayName": display_name, "onPremisesSyncEnabled": True},),
        exchange_user=({**EXCHANGE_USER, "Name": display_name},),
        member_of=(
            {
                "@odata.type": "#microsoft.graph.group",
                "id": GROUP_ID,
                "displayName": f"{display_name}s",
                "isAssignableToRole": True,
            },
        ),
        entra_roles=(entra_role(GLOBAL_ADMINISTRATOR),),
        entra_roles_of_groups={GROUP_ID: ()},
        role_groups=(
            role_group(group_name, guid=ROLE_GROUP_ID),
            role_group("Recipient Management", guid="role-group-2"),
        ),
        members={group_name: (member(name=display_name),), "Recipient Management": (member(name=display_name),)},
        roles=(role(MAIL_RECIPIENTS), role(role_name, "MailTips", ExchangeObjectId="role-tips")),
        assignments=(
            assignment(MAIL_RECIPIENTS, group_name, Name="a1", ExchangeObjectId="a1"),
            assignment(role_name, group_name, Name="a2", ExchangeObjectId="a2"),
            assignment(
                MAIL_RECIPIENTS,
                group_name,
                Name="a3",
                ExchangeObjectId="a3",
                RoleAssignmentDelegationType="DelegatingOrgWide",
            ),
        ),
        consents=(consent("Mail.Read", resourceId="graph"),),
        vendor_app_roles=({"id": "1", "resourceId": "graph", "resourceDisplayName": resource, "appRoleId": "role-1"},),
        gaps={("management_scopes", ""): REFUSED},
    )


def keys(results: Results) -> list[str]:
    return sorted(each.key for each in results.findings)


def reordered(evidence: Evidence) -> Evidence:
    turned = (
        (source, replace(read, records=tuple(_turned(record) for record in reversed(read.records))))
        for source, read in reversed(evidence.reads)
    )
    return replace(evidence, reads=tuple(turned))


def _turned(record: Record) -> Record:
    return {
        name: list(reversed(value)) if isinstance(value, list) else _turned(value) if isinstance(value, dict) else value
        for name, value in reversed(record.items())
    }


def collected_later(evidence: Evidence) -> Evidence:
    later = (
        (replace(source, started_at=NOW + timedelta(days=1), finished_at=NOW + timedelta(days=1)), read)
        for source, read in evidence.reads
    )
    return replace(evidence, reads=tuple(later), sha256="0" * 64)


def test_there_is_enough_trouble_to_tell() -> None:
    results = judge(troubled_directory().evidence(), troubled_tenant().evidence())
    assert len({each.check for each in results.findings}) >= 15, {each.check for each in results.findings}


def test_keys_survive_reordering_and_another_collection() -> None:
    evidence = (troubled_directory().evidence(), troubled_tenant().evidence())
    expected = keys(judge(*evidence))
    assert keys(judge(*map(reordered, evidence))) == expected
    assert keys(judge(*map(collected_later, evidence), now=NOW + timedelta(days=1))) == expected


def test_reordering_changes_nothing_else_either() -> None:
    evidence = (troubled_directory().evidence(), troubled_tenant().evidence())
    plain, turned = judge(*evidence), judge(*map(reordered, evidence))
    for one, other in zip(plain.connections, turned.connections, strict=True):
        assert [(each.id, each.scope, each.outcome) for each in one.requirements] == [
            (each.id, each.scope, each.outcome) for each in other.requirements
        ]
        assert one.counts == other.counts


def test_keys_survive_renaming_in_the_directory() -> None:
    renamed = troubled_directory(stray="Umbenannt", admins="Domänen-Admins", account="svc-renamed")
    assert keys(judge(renamed.evidence())) == keys(judge(troubled_directory().evidence()))


def test_keys_survive_renaming_in_the_tenant() -> None:
    renamed = troubled_tenant(group_name="Umbenannt", display_name="Someone", role_name="Postipps")
    assert keys(judge(renamed.evidence())) == keys(judge(troubled_tenant().evidence()))


def test_keys_survive_renaming_a_resource() -> None:
    renamed = troubled_tenant(resource="Graph (umbenannt)")
    assert keys(judge(renamed.evidence())) == keys(judge(troubled_tenant().evidence()))


def test_keys_survive_renaming_the_connection_and_change_with_its_id() -> None:
    evidence = troubled_tenant().evidence()
    renamed = replace(evidence, connection=replace(evidence.connection, name="Another name"))
    assert keys(judge(renamed)) == keys(judge(evidence))
    other = replace(evidence, connection=replace(evidence.connection, id="other"))
    assert not set(keys(judge(other))) & set(keys(judge(evidence)))


def test_keys_differ_for_every_part_that_makes_them() -> None:
    parts = ("AD-DEL-001", "corp", "M8", STAFF)
    changed = [finding_key(*parts[:index], "other", *parts[index + 1 :]) for index in range(4)]
    assert len({finding_key(*parts), *changed}) == 5
    assert finding_key("A", "b", "c", "OU=Staff") == finding_key("A", "b", "c", "ou=STAFF")
    assert finding_key("A", "bc", "", "") != finding_key("A", "b", "c", "")


def test_every_target_ou_has_its_own_key() -> None:
    other = f"OU=Other,{HEAD}"
    ous = {dn: Container(raw=descriptor(READABLE)) for dn in (STAFF, other)}
    results = judge(Directory(ous=ous).connect(target_ous=(STAFF, other)).evidence())
    assert len({each.key for each in findings(results, "AD-DEL-001")}) == 2


def duplicates(*evidence: Evidence) -> list[str]:
    return [key for key, count in Counter(keys(judge(*evidence))).items() if count > 1]


def test_no_two_findings_share_a_key() -> None:
    assert duplicates(troubled_directory().evidence(), troubled_tenant().evidence()) == []


def test_two_delegating_assignments_of_one_role_share_no_key() -> None:
    more = tuple(
        assignment(MAIL_RECIPIENTS, ExchangeObjectId=each, Name=each, RoleAssignmentDelegationType="DelegatingOrgWide")
        for each in ("d1", "d2")
    )
    assert duplicates(Tenant().with_assignments(*more).evidence()) == []


def test_two_direct_assignments_of_one_role_share_no_key() -> None:
    more = tuple(
        assignment(MAIL_RECIPIENTS, "svc-h2r", kind="User", ExchangeObjectId=each, Name=each) for each in ("d1", "d2")
    )
    assert duplicates(Tenant().with_assignments(*more).evidence()) == []


def test_one_scope_of_two_resources_shares_no_key() -> None:
    grants = tuple(consent("Mail.ReadWrite", grant_id=each, resourceId=each) for each in ("graph", "exchange"))
    assert duplicates(Tenant(consents=grants).evidence()) == []


def test_an_ending_role_held_twice_shares_no_key() -> None:
    template_id = "fe930be7-5e62-47db-91af-98c3a49a38b1"
    soon = {"roleDefinitionId": template_id, "directoryScopeId": "/", "endDateTime": "2026-11-30T08:00:00Z"}
    tenant = Tenant(
        member_of=(
            {"@odata.type": "#microsoft.graph.group", "id": GROUP_ID, "displayName": "g", "isAssignableToRole": True},
        ),
        entra_roles_of_groups={GROUP_ID: (entra_role(template_id, principal=GROUP_ID),)},
        instances=({**soon, "principalId": ACCOUNT_ID}, {**soon, "principalId": GROUP_ID}),
    )
    assert duplicates(tenant.evidence()) == []


def test_a_name_that_utf8_cannot_hold_has_a_key() -> None:
    entry = {"Name": "\ud800", "RoleType": "MailTips"}
    tenant = Tenant().with_assignments(assignment("\ud800"), roles=(entry,))
    assert len(findings(judge(tenant.evidence()), "EXO-011")) == 1
