"""Microsoft Graph answers as documented."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.microsoft365 import catalog
from tests.microsoft365.graph_routes import ROUTES
from tests.microsoft365.scenarios import SCENARIOS, SERVICE_ACCOUNT, documented_shape, exact
from tests.microsoft365.snapshot import Tenant, stable_id
from tests.microsoft365.tenant import TenantBuilder

if TYPE_CHECKING:
    from tests.microsoft365.caller import Caller

USER_ID = stable_id("user", SERVICE_ACCOUNT)


_NEVER = "nobody@contoso.example"
_SAMPLE_PATHS = [
    (route, route.path.replace("{id}", USER_ID).replace("{key}", catalog.ENTRA_ROLES["User Administrator"]))
    for route in ROUTES
]


@pytest.mark.parametrize(("route", "path"), _SAMPLE_PATHS, ids=[path for _, path in _SAMPLE_PATHS])
def test_each_graph_call_needs_its_permission(serve: Any, route: Any, path: str) -> None:
    everything = frozenset(catalog.GRAPH_READ_PERMISSIONS)
    version = "beta" if route.beta_only else "v1.0"
    without = serve(documented_shape(graph_permissions=everything - set(route.any_of)).build())
    denied = without.graph(f"/{version}{path}")
    assert (denied.status_code, denied.json()["error"]["code"]) == (403, "Authorization_RequestDenied")
    only = serve(documented_shape(graph_permissions=frozenset({route.any_of[0]})).build())
    assert only.graph(f"/{version}{path}").status_code != 403


def test_the_user_is_found_by_name_and_by_id_and_otherwise_not_found(caller: Caller) -> None:
    by_name = caller.graph(f"/v1.0/users/{SERVICE_ACCOUNT.upper()}?$select=id,accountEnabled").json()
    assert (by_name["id"], by_name["accountEnabled"]) == (USER_ID, True)
    assert caller.graph(f"/v1.0/users('{USER_ID}')?$select=id").json()["id"] == USER_ID
    assert caller.graph(f"/v1.0/users/{_NEVER}").json()["error"]["code"] == "Request_ResourceNotFound"


def test_a_name_that_begins_with_a_dollar_sign_needs_parentheses(serve: Any) -> None:
    tenant = TenantBuilder()
    person = tenant.user("$o'brien@contoso.example")
    caller = serve(tenant.build())
    assert caller.graph("/v1.0/users/$o'brien@contoso.example").status_code == 400
    assert caller.graph("/v1.0/users('$o''brien@contoso.example')?$select=id").json()["id"] == person.id


def test_account_state_is_not_among_the_default_properties(caller: Caller) -> None:
    assert "accountEnabled" not in caller.graph(f"/v1.0/users/{USER_ID}").json()


def test_basic_permission_does_not_reach_account_state(serve: Any) -> None:
    caller = serve(documented_shape(graph_permissions=frozenset({"User.ReadBasic.All"})).build())
    assert caller.graph(f"/v1.0/users/{USER_ID}?$select=id,displayName").status_code == 200
    assert caller.graph(f"/v1.0/users/{USER_ID}?$select=accountEnabled").status_code == 403


def test_sign_in_activity_needs_an_id_a_licence_and_a_permission(serve: Any) -> None:
    query = "?$select=id,signInActivity"
    caller = serve(exact().tenant)
    activity = caller.graph(f"/v1.0/users/{USER_ID}{query}").json()["signInActivity"]
    assert activity["lastSuccessfulSignInDateTime"] == "2026-11-01T06:00:00Z"
    assert caller.graph(f"/v1.0/users/{SERVICE_ACCOUNT}{query}").status_code == 400
    tenant = documented_shape()
    tenant.licences = frozenset()
    code = serve(tenant.build()).graph(f"/v1.0/users/{USER_ID}{query}").json()["error"]["code"]
    assert code == "Authentication_RequestFromNonPremiumTenantOrB2CTenant"
    silent = documented_shape(
        graph_permissions=TenantBuilder().auditor.without_permissions("AuditLog.Read.All")
    )
    assert serve(silent.build()).graph(f"/v1.0/users/{USER_ID}{query}").status_code == 403


def _tenant_with_groups(**auditor: Any) -> Tenant:
    tenant = documented_shape(**auditor)
    account = tenant.user(SERVICE_ACCOUNT)
    inner = tenant.group("Inner", members=[account])
    tenant.group("Outer", members=[inner], role_assignable=True)
    tenant.administrative_unit("Sales", members=[account])
    for number in range(5):
        tenant.group(f"Other {number}", members=[account])
    return tenant.build()


def test_transitive_memberships_show_their_types(serve: Any) -> None:
    caller = serve(_tenant_with_groups())
    found = {
        row["displayName"]: row["@odata.type"]
        for row in caller.values(f"/v1.0/users/{USER_ID}/transitiveMemberOf")
    }
    assert found["Outer"] == "#microsoft.graph.group"
    assert found["Sales"] == "#microsoft.graph.administrativeUnit"
    assert found["User Administrator"] == "#microsoft.graph.directoryRole"
    assert "Outer" not in {row["displayName"] for row in caller.values(f"/v1.0/users/{USER_ID}/memberOf")}


def test_objects_of_unreadable_types_show_type_and_id_only(serve: Any) -> None:
    caller = serve(_tenant_with_groups(graph_permissions=frozenset({"User.Read.All"})))
    rows = caller.values(f"/v1.0/users/{USER_ID}/transitiveMemberOf")
    groups = [row for row in rows if row["@odata.type"] == "#microsoft.graph.group"]
    assert groups
    assert all(row["id"] and row["displayName"] is row["isAssignableToRole"] is None for row in groups)


def test_a_cast_needs_the_advanced_query_header(serve: Any) -> None:
    caller = serve(_tenant_with_groups())
    path = f"/v1.0/users/{USER_ID}/transitiveMemberOf/microsoft.graph.group?$count=true"
    assert caller.graph(path).status_code == 400
    answer = caller.graph(path, ConsistencyLevel="eventual").json()
    assert answer["@odata.count"] == len(answer["value"]) == 7


@pytest.mark.parametrize("page_size", [1, 3, 9])
def test_graph_pages_are_followed_verbatim_to_the_end(serve: Any, page_size: int) -> None:
    caller = serve(_tenant_with_groups(), graph_page_size=page_size)
    link = f"/v1.0/users/{USER_ID}/transitiveMemberOf?$select=id,displayName&$top=999"
    seen: list[str] = []
    while link:
        page = caller.graph(link).json()
        assert len(page["value"]) <= page_size
        seen += [row["displayName"] for row in page["value"]]
        link = page.get("@odata.nextLink", "")
    assert len(seen) == len(set(seen)) == 9


def test_a_page_token_is_good_for_its_own_query_only(serve: Any) -> None:
    caller = serve(_tenant_with_groups(), graph_page_size=2)
    link = caller.graph(f"/v1.0/users/{USER_ID}/transitiveMemberOf").json()["@odata.nextLink"]
    assert caller.graph(link).status_code == 200
    assert caller.graph(link.replace("transitiveMemberOf", "memberOf")).status_code == 400
    assert caller.graph(f"{link}x").json()["error"]["code"] == "Directory_ExpiredPageToken"


def test_role_assignments_are_filtered_and_expanded(caller: Caller) -> None:
    path = "/v1.0/roleManagement/directory/roleAssignments"
    (row,) = caller.values(f"{path}?$filter=principalId eq '{USER_ID}'&$expand=roleDefinition")
    assert row["directoryScopeId"] == "/"
    assert row["roleDefinition"]["displayName"] == "User Administrator"
    assert caller.values(f"{path}?$filter=principalId eq '{stable_id('user', 'none')}'") == []
    assert caller.graph(f"{path}?$filter=startswith(principalId,'a')").status_code == 400
    assert caller.graph(f"{path}?$expand=roleDefinition,principal").status_code == 400


def test_transitive_role_assignments_exist_in_beta_behind_a_header(serve: Any) -> None:
    scenario = SCENARIOS["role_through_role_assignable_group"]()
    caller = serve(scenario.tenant)
    path = (
        f"/roleManagement/directory/transitiveRoleAssignments?$count=true&$filter=principalId eq '{USER_ID}'"
    )
    assert caller.graph(f"/v1.0{path}", ConsistencyLevel="eventual").status_code == 400
    assert caller.graph(f"/beta{path}").status_code == 404
    (row,) = caller.values(f"/beta{path}", ConsistencyLevel="eventual")
    assert row["principalId"] == stable_id("group", "H2R administrators")


def test_schedule_instances_need_a_premium_2_licence(serve: Any) -> None:
    caller = serve(SCENARIOS["eligible_only"]().tenant)
    path = "/v1.0/roleManagement/directory/{}?$filter=principalId eq '" + USER_ID + "'&$expand=roleDefinition"
    (row,) = caller.values(path.format("roleEligibilityScheduleInstances"))
    assert row["roleDefinition"]["displayName"] == "User Administrator"
    assert caller.values(path.format("roleAssignmentScheduleInstances")) == []
    tenant = documented_shape()
    tenant.licences = frozenset({"P1"})
    caller = serve(tenant.build())
    for name in ("roleEligibilityScheduleInstances", "roleAssignmentScheduleInstances"):
        answer = caller.graph(path.format(name))
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "AadPremiumLicenseRequired")


def test_an_activated_assignment_carries_its_end(serve: Any) -> None:
    tenant = documented_shape()
    account = tenant.user(SERVICE_ACCOUNT)
    tenant.entra_role(account, "Global Reader", end="2026-12-01T00:00:00Z", assignment_type="Activated")
    rows = serve(tenant.build()).values("/v1.0/roleManagement/directory/roleAssignmentScheduleInstances")
    mine = {row["assignmentType"]: row["endDateTime"] for row in rows if row["principalId"] == USER_ID}
    assert mine == {"Assigned": None, "Activated": "2026-12-01T00:00:00Z"}


def test_eligible_membership_of_a_group_is_listed_for_its_principal(serve: Any) -> None:
    tenant = documented_shape()
    group = tenant.group("H2R administrators", role_assignable=True)
    tenant.eligible_member(tenant.user(SERVICE_ACCOUNT), group)
    caller = serve(tenant.build())
    path = "/v1.0/identityGovernance/privilegedAccess/group/eligibilityScheduleInstances"
    assert caller.graph(path).status_code == 400
    (row,) = caller.values(f"{path}?$filter=principalId eq '{USER_ID}'")
    assert row["groupId"] == group.id


def test_only_activated_directory_roles_are_listed(caller: Caller) -> None:
    names = {row["displayName"] for row in caller.values("/v1.0/directoryRoles")}
    assert names == {"User Administrator", "Global Reader"}
    path = "/v1.0/directoryRoles(roleTemplateId='{}')/members"
    (member,) = caller.values(path.format(catalog.ENTRA_ROLES["User Administrator"]))
    assert member["id"] == USER_ID
    assert caller.graph(path.format(catalog.ENTRA_ROLES["Global Administrator"])).status_code == 404


def test_a_role_over_an_administrative_unit_is_scoped_and_no_tenant_wide_membership(serve: Any) -> None:
    caller = serve(SCENARIOS["user_administrator_of_administrative_unit"]().tenant)
    unit = stable_id("administrative unit", "Sales")
    rows = caller.values(f"/v1.0/roleManagement/directory/roleAssignments?$filter=principalId eq '{USER_ID}'")
    assert [row["directoryScopeId"] for row in rows] == [f"/administrativeUnits/{unit}"]
    (scoped,) = caller.values(f"/v1.0/users/{USER_ID}/scopedRoleMemberOf")
    assert scoped["administrativeUnitId"] == unit
    assert caller.values(f"/v1.0/users/{USER_ID}/transitiveMemberOf") == []


def test_privileged_roles_are_marked_in_beta_only(caller: Caller) -> None:
    path = "/roleManagement/directory/roleDefinitions"
    beta = {row["displayName"]: row["isPrivileged"] for row in caller.values(f"/beta{path}")}
    assert (beta["Global Administrator"], beta["Exchange Administrator"]) == (True, False)
    assert all("isPrivileged" not in row for row in caller.values(f"/v1.0{path}"))


def test_the_vendor_application_shows_its_consents_and_permissions(serve: Any) -> None:
    caller = serve(SCENARIOS["vendor_application_with_consent"]().tenant)
    (vendor,) = caller.values(
        f"/v1.0/servicePrincipals?$filter=appId eq '{stable_id('application', 'Hire2Retire')}'"
    )
    grants = caller.values(f"/v1.0/oauth2PermissionGrants?$filter=clientId eq '{vendor['id']}'")
    scopes = {grant["consentType"]: grant["scope"].split() for grant in grants}
    assert scopes["AllPrincipals"] == ["Mail.ReadWrite", "Directory.AccessAsUser.All"]
    assert scopes["Principal"] == ["openid", "profile", "offline_access"]
    (own,) = caller.values(f"/v1.0/users/{USER_ID}/oauth2PermissionGrants")
    assert own["principalId"] == USER_ID
    (role,) = caller.values(f"/v1.0/servicePrincipals/{vendor['id']}/appRoleAssignments")
    resource = caller.graph(f"/v1.0/servicePrincipals/{role['resourceId']}").json()
    names = {entry["id"]: entry["value"] for entry in resource["appRoles"]}
    assert names[role["appRoleId"]] == "User.ReadWrite.All"


def test_group_owners_and_the_initial_domain_are_readable(serve: Any) -> None:
    caller = serve(SCENARIOS["role_through_role_assignable_group"]().tenant)
    group = stable_id("group", "H2R administrators")
    (owner,) = caller.values(f"/v1.0/groups/{group}/owners")
    assert owner["userPrincipalName"] == "group-owner@contoso.example"
    (organization,) = caller.values("/v1.0/organization")
    initial = [domain["name"] for domain in organization["verifiedDomains"] if domain["isInitial"]]
    assert initial == ["contoso.onmicrosoft.example"]


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
def test_graph_takes_no_writes(caller: Caller, method: str) -> None:
    assert caller.graph(f"/v1.0/users/{USER_ID}", method=method).status_code == 405


def test_a_property_that_does_not_exist_cannot_be_selected(caller: Caller) -> None:
    assert caller.graph(f"/v1.0/users/{USER_ID}?$select=id,isInvented").status_code == 400
