"""Exchange Online answers as documented."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest

from tests.microsoft365 import catalog
from tests.microsoft365.caller import Caller
from tests.microsoft365.exchange_cmdlets import CMDLETS
from tests.microsoft365.scenarios import SCENARIOS, SERVICE_ACCOUNT, documented_shape, exact
from tests.microsoft365.snapshot import stable_id
from tests.microsoft365.tenant import TenantBuilder

USER_ID = stable_id("user", SERVICE_ACCOUNT)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"exchange_manage_as_app": False, "directory_roles": ()}, 401),
        ({"exchange_manage_as_app": False}, 401),
        ({"directory_roles": ()}, 403),
        ({"directory_roles": ("Security Reader",)}, 403),
        ({}, 200),
        ({"directory_roles": (), "role_groups": ("View-Only Organization Management",)}, 200),
        ({"directory_roles": ("Exchange Administrator",)}, 200),
    ],
)
def test_exchange_admits_by_application_role_and_then_by_role(
    serve: Any, changes: dict[str, Any], status: int
) -> None:
    answer = serve(documented_shape(**changes).build()).exchange("Get-RoleGroup", ResultSize="Unlimited")
    assert answer.status_code == status
    if status == 403:
        assert answer.content
        assert set(answer.content) == {0}


def test_a_directory_role_counts_from_the_next_token_on(serve: Any) -> None:
    caller = serve(documented_shape(directory_roles=()).build())
    assert caller.exchange("Get-RoleGroup").status_code == 403
    caller.service.tenant = documented_shape().build()
    assert caller.exchange("Get-RoleGroup").status_code == 403
    assert Caller(caller.service, caller.session).exchange("Get-RoleGroup").status_code == 200


@pytest.mark.parametrize("cmdlet", ["Remove-RoleGroup", "Set-User", "Get-Invented", "get-rolegroup"])
def test_every_other_cmdlet_is_forbidden_with_a_body_of_nul(caller: Caller, cmdlet: str) -> None:
    answer = caller.exchange(cmdlet)
    assert (answer.status_code, set(answer.content)) == (403, {0})


def test_the_envelope_has_warnings_and_annotations_beside_values(caller: Caller) -> None:
    answer = caller.exchange("Get-RoleGroup", ResultSize="Unlimited").json()
    assert answer["@adminapi.warnings"] == []
    assert "@odata.nextLink" not in answer
    group = next(row for row in answer["value"] if row["Name"] == "H2R Provisioning")
    assert group["ExchangeObjectId@data.type"] == "System.Guid"
    assert group["Members@odata.type"] == "#Collection(String)"
    assert group["Members"] == [USER_ID]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z", group["WhenChangedUTC"])
    assert dt.datetime.fromisoformat(group["WhenChanged"]).tzinfo is not None


def test_every_built_in_role_group_is_there_and_only_organization_management_has_the_three(
    caller: Caller,
) -> None:
    groups = {row["Name"]: set(row["Roles"]) for row in caller.rows("Get-RoleGroup", ResultSize="Unlimited")}
    assert catalog.ROLE_GROUPS.keys() <= groups.keys()
    holders = {name for name, roles in groups.items() if set(catalog.REQUIRED_EXCHANGE_ROLES) <= roles}
    assert holders == {"Organization Management", "H2R Provisioning"}


def test_role_group_members_are_matched_on_the_entra_object_id(serve: Any) -> None:
    caller = serve(SCENARIOS["nested_mail_enabled_security_group"]().tenant)
    (member,) = caller.rows("Get-RoleGroupMember", Identity="H2R Provisioning", ResultSize="Unlimited")
    assert member["ExternalDirectoryObjectId"] == stable_id("group", "H2R Identities")
    assert member["RecipientTypeDetails"] == "MailUniversalSecurityGroup"
    group = next(row for row in caller.rows("Get-RoleGroup") if row["Name"] == "H2R Provisioning")
    by_id = caller.rows("Get-RoleGroupMember", Identity=group["ExchangeObjectId"])
    assert by_id == [member]
    (person,) = caller.rows("Get-DistributionGroupMember", Identity="H2R Identities")
    assert (person["Name"], person["ExternalDirectoryObjectId"]) == (USER_ID, USER_ID)


def test_organization_management_has_members_that_only_entra_fills(caller: Caller) -> None:
    members = caller.rows("Get-RoleGroupMember", Identity="Organization Management")
    assert {m["Name"].partition("_")[0] for m in members} == {"TenantAdmins", "ExchangeServiceAdmins"}
    assert {m["RecipientTypeDetails"] for m in members} == {"RoleGroup"}
    assert caller.rows("Get-RoleGroupMember", Identity=members[0]["Name"]) == []


@pytest.mark.parametrize("identity", [None, "", "No such object"])
@pytest.mark.parametrize("cmdlet", ["Get-RoleGroup", "Get-RoleGroupMember", "Get-ManagementRoleAssignment"])
def test_an_empty_or_unknown_identity_returns_everything(
    caller: Caller, cmdlet: str, identity: str | None
) -> None:
    assert len(caller.rows(cmdlet, Identity=identity)) > 3


def test_a_mandatory_identity_must_be_given(caller: Caller) -> None:
    answer = caller.exchange("Get-RoleGroupMember")
    assert answer.status_code == 400
    assert "missing mandatory parameters" in answer.text


@pytest.mark.parametrize("cmdlet", ["Get-User", "Get-Mailbox", "Get-ManagementRole", "Get-ManagementScope"])
def test_other_cmdlets_do_not_find_an_unknown_identity(caller: Caller, cmdlet: str) -> None:
    answer = caller.exchange(cmdlet, Identity="No such object")
    error = answer.json()["error"]
    assert answer.status_code == 404
    assert error["message"] == "Invalid Operation"
    assert error["innererror"]["internalexception"]["type"].endswith("ManagementObjectNotFoundException")
    assert "couldn't be found" in error["details"][0]["message"]


@pytest.mark.parametrize(
    "name", sorted(name for name, item in CMDLETS.items() if "ResultSize" not in item.parameters)
)
def test_result_size_is_refused_where_the_cmdlet_has_none(caller: Caller, name: str) -> None:
    answer = caller.exchange(name, ResultSize="Unlimited")
    assert answer.status_code == 400
    assert "AmbiguousParameterSet" in answer.text


def test_an_invented_parameter_is_refused(caller: Caller) -> None:
    assert caller.exchange("Get-RoleGroup", Invented=True).status_code == 400


def test_a_result_cut_short_warns_and_its_next_link_is_expired(caller: Caller) -> None:
    answer = caller.exchange("Get-RoleGroup", ResultSize=2).json()
    assert len(answer["value"]) == 2
    assert "more results" in answer["@adminapi.warnings"][0]
    expired = caller.exchange("Get-RoleGroup", url=answer["@odata.nextLink"], ResultSize=2)
    assert expired.status_code == 400
    assert expired.text.startswith("Expired or Invalid pagination request")


def test_exchange_pages_continue_by_posting_the_same_body(serve: Any) -> None:
    caller = serve(exact().tenant, exchange_page_size=40)
    whole = caller.rows("Get-ManagementRoleAssignment", Role="Mail Recipients")
    page = caller.exchange("Get-ManagementRoleAssignment").json()
    names = [row["Name"] for row in page["value"]]
    first_link = page["@odata.nextLink"]
    while "@odata.nextLink" in page:
        page = caller.exchange("Get-ManagementRoleAssignment", url=page["@odata.nextLink"]).json()
        names += [row["Name"] for row in page["value"]]
    assert len(names) == len(set(names)) == len(caller.service.tenant.management_role_assignments)
    assert {row["Name"] for row in whole} <= set(names)
    assert caller.exchange("Get-ManagementRoleAssignment", url=first_link, Enabled=True).status_code == 400
    base = caller.service.endpoints.exchange
    assert caller.session.get(first_link, headers=caller.authorization(base), timeout=10).status_code == 405


def test_the_caller_may_ask_for_smaller_pages(caller: Caller) -> None:
    answer = caller.exchange(
        "Get-RoleGroup", headers={"Prefer": "odata.maxpagesize=2"}, ResultSize="Unlimited"
    )
    assert len(answer.json()["value"]) == 2


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"cmdletinput": {}}',
        b'{"CmdletInput": {"CmdletName": "Get-RoleGroup", "Parameters": null}}',
    ],
)
def test_an_envelope_of_another_shape_is_refused(caller: Caller, body: bytes) -> None:
    base = caller.service.endpoints.exchange
    url = f"{base}/adminapi/beta/{caller.service.tenant.id}/InvokeCommand"
    assert (
        caller.session.post(url, data=body, headers=caller.authorization(base), timeout=10).status_code == 400
    )


def test_another_tenant_is_forbidden(caller: Caller) -> None:
    url = f"{caller.service.endpoints.exchange}/adminapi/beta/elsewhere.example/InvokeCommand"
    assert caller.exchange("Get-RoleGroup", url=url).status_code == 403


def _roles_of_account(caller: Caller) -> dict[str, str]:
    rows = caller.rows("Get-ManagementRoleAssignment", RoleAssignee=USER_ID)
    return {row["Role"]: row["RoleAssigneeType"] for row in rows}


@pytest.mark.parametrize(
    ("scenario", "assignee_type"),
    [
        ("exact", "RoleGroup"),
        ("nested_role_group", "RoleGroup"),
        ("direct_assignments_only", "User"),
        ("nested_mail_enabled_security_group", "RoleGroup"),
    ],
)
def test_role_assignee_includes_indirect_assignments(serve: Any, scenario: str, assignee_type: str) -> None:
    roles = _roles_of_account(serve(SCENARIOS[scenario]().tenant))
    assert roles == dict.fromkeys(catalog.REQUIRED_EXCHANGE_ROLES, assignee_type)


def test_role_assignee_may_stop_at_security_groups(serve: Any) -> None:
    tenant = TenantBuilder(role_assignee_follows_security_groups=False)
    account = tenant.user(SERVICE_ACCOUNT)
    group = tenant.group("H2R Identities", mail_enabled=True, members=[account])
    tenant.role_group("H2R Provisioning", roles=catalog.REQUIRED_EXCHANGE_ROLES, members=[group])
    assert _roles_of_account(serve(tenant.build())) == {}


def test_role_assignee_follows_directory_roles_into_organization_management(serve: Any) -> None:
    roles = _roles_of_account(serve(SCENARIOS["exchange_administrator"]().tenant))
    assert roles == dict.fromkeys(catalog.ROLE_GROUPS["Organization Management"], "RoleGroup")


def test_a_directory_role_over_an_administrative_unit_opens_no_role_group(serve: Any) -> None:
    tenant = TenantBuilder()
    account = tenant.user(SERVICE_ACCOUNT)
    tenant.entra_role(account, "Exchange Administrator", scope=tenant.administrative_unit("Sales"))
    assert _roles_of_account(serve(tenant.build())) == {}


def test_role_assignee_that_exchange_does_not_know_is_not_found(serve: Any) -> None:
    caller = serve(SCENARIOS["account_unknown_to_exchange"]().tenant)
    assert caller.exchange("Get-ManagementRoleAssignment", RoleAssignee=USER_ID).status_code == 404
    assert caller.exchange("Get-User", Identity=USER_ID).status_code == 404
    assert caller.graph(f"/v1.0/users/{USER_ID}").status_code == 200


def test_identity_and_role_assignee_exclude_each_other(caller: Caller) -> None:
    answer = caller.exchange("Get-ManagementRoleAssignment", Identity="x", RoleAssignee=USER_ID)
    assert answer.status_code == 400


def test_a_mailbox_brings_end_user_roles(serve: Any) -> None:
    tenant = TenantBuilder()
    tenant.user(SERVICE_ACCOUNT, has_mailbox=True)
    caller = serve(tenant.build())
    assert _roles_of_account(caller) == dict.fromkeys(catalog.END_USER_ROLES, "RoleAssignmentPolicy")
    (mailbox,) = caller.rows("Get-Mailbox", Identity=SERVICE_ACCOUNT)
    (policy,) = caller.rows("Get-RoleAssignmentPolicy")
    assert mailbox["RoleAssignmentPolicy"] == policy["Name"]


def test_assignments_show_disabled_delegating_and_scopes(serve: Any) -> None:
    def assignments(scenario: str) -> dict[str, dict[str, Any]]:
        rows = serve(SCENARIOS[scenario]().tenant).rows("Get-ManagementRoleAssignment")
        return {row["Role"]: row for row in rows if row["RoleAssigneeName"] == "H2R Provisioning"}

    assert assignments("disabled_assignment")["Mail Recipients"]["Enabled"] is False
    delegating = assignments("delegating_only")["Distribution Groups"]
    assert delegating["RoleAssignmentDelegationType"] == "DelegatingOrgWide"
    scoped = assignments("custom_write_scope")["Mail Recipients"]
    assert (scoped["RecipientWriteScope"], scoped["CustomRecipientWriteScope"]) == (
        "CustomRecipientScope",
        "Sales recipients",
    )
    unit = assignments("administrative_unit_write_scope")["Mail Recipients"]
    assert (unit["RecipientWriteScope"], unit["CustomRecipientWriteScope"]) == (
        "AdministrativeUnit",
        stable_id("administrative unit", "Sales"),
    )


def test_assignments_can_be_narrowed(caller: Caller) -> None:
    rows = caller.rows("Get-ManagementRoleAssignment", Role="Mail Recipients", Delegating=True)
    assert [row["RoleAssigneeName"] for row in rows] == ["Organization Management"]


def test_effective_users_are_listed_one_per_row(serve: Any) -> None:
    caller = serve(SCENARIOS["nested_role_group"]().tenant)
    plain = caller.rows("Get-ManagementRoleAssignment", Identity="Mail Recipients-H2R Provisioning")
    assert [row["EffectiveUserName"] for row in plain] == ["All Group Members"]
    rows = caller.rows(
        "Get-ManagementRoleAssignment", Identity="Mail Recipients-H2R Provisioning", GetEffectiveUsers=True
    )
    assert [row["EffectiveUserName"] for row in rows] == ["svc-h2r"]


def test_management_roles_show_type_parent_and_what_they_lost(serve: Any) -> None:
    caller = serve(SCENARIOS["trimmed_custom_role"]().tenant)
    tree = {
        row["Name"]: row
        for row in caller.rows("Get-ManagementRole", Identity="Mail Recipients", Recurse=True)
    }
    assert tree.keys() == {"Mail Recipients", "H2R Mail Recipients"}
    child = tree["H2R Mail Recipients"]
    assert (child["RoleType"], child["Parent"], child["IsRootRole"]) == (
        "MailRecipients",
        "Mail Recipients",
        False,
    )
    entries = {
        role: {
            row["Name"]: set(row["Parameters"])
            for row in caller.rows("Get-ManagementRoleEntry", Identity=f"{role}\\*", ResultSize="Unlimited")
        }
        for role in tree
    }
    lost = entries["Mail Recipients"].keys() - entries["H2R Mail Recipients"].keys()
    assert lost == {"Add-MailboxPermission"}
    trimmed = entries["Mail Recipients"]["Set-Mailbox"] - entries["H2R Mail Recipients"]["Set-Mailbox"]
    assert trimmed == {"EmailAddresses"}


def test_role_types_of_the_required_roles(caller: Caller) -> None:
    types = {row["Name"]: row["RoleType"] for row in caller.rows("Get-ManagementRole")}
    assert [types[role] for role in catalog.REQUIRED_EXCHANGE_ROLES] == [
        "DistributionGroups",
        "MailRecipients",
        "SecurityGroupCreationAndMembership",
    ]


def test_scopes_are_listed_with_their_filter(serve: Any) -> None:
    (scope,) = serve(SCENARIOS["custom_write_scope"]().tenant).rows("Get-ManagementScope")
    assert (scope["Name"], scope["RecipientFilter"]) == ("Sales recipients", "Department -eq 'Sales'")
