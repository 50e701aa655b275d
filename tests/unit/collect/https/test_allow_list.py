"""What may be sent, and what never is."""

from __future__ import annotations

import json

import pytest

from auditor.collect.https.allow_list import READ_CMDLETS, AllowList, origin
from auditor.model.connection import CLOUD_ENDPOINTS, Cloud

GLOBAL = AllowList(endpoints=CLOUD_ENDPOINTS[Cloud.GLOBAL], regional_hosts=True)
CUSTOM = AllowList(endpoints=CLOUD_ENDPOINTS[Cloud.GLOBAL], regional_hosts=False)
GRAPH = "https://graph.microsoft.com/v1.0"
INVOKE = "https://outlook.office365.com/adminapi/beta/contoso.example/InvokeCommand"
LOGIN = "https://login.microsoftonline.com/contoso.example"


def command(name: str, **parameters: object) -> bytes:
    return json.dumps({"CmdletInput": {"CmdletName": name, "Parameters": parameters}}).encode()


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("GET", f"{GRAPH}/organization"),
        ("GET", f"{GRAPH}/users/svc@contoso.example?$select=id"),
        ("GET", f"{GRAPH}/users('%24svc@contoso.example')"),
        ("GET", f"{GRAPH}/users/0/transitiveMemberOf?$skiptoken=abc%2Fdef=="),
        ("GET", f"{GRAPH}/roleManagement/directory/roleAssignments?$filter=principalId%20eq%20'0'"),
        ("GET", f"{GRAPH}/servicePrincipals?$filter=appId%20eq%20'0'"),
        ("GET", f"{GRAPH}/oauth2PermissionGrants"),
        ("GET", f"{LOGIN}/v2.0/.well-known/openid-configuration"),
        ("POST", f"{LOGIN}/oauth2/v2.0/token"),
    ],
)
def test_reads_and_sign_in_pass(method: str, url: str) -> None:
    assert GLOBAL.objection(method, url, b"client_id=0") is None


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
def test_graph_is_only_ever_read(method: str) -> None:
    assert GLOBAL.objection(method, f"{GRAPH}/organization", None) is not None


@pytest.mark.parametrize(
    "url",
    [
        "https://graph.microsoft.com/v1.0/me",
        "https://graph.microsoft.com/v1.0/usersX/0",
        "https://graph.microsoft.com/beta/organization",
        "https://graph.microsoft.com/v1.0/users/",
        "https://graph.microsoft.com/v1.0/users//memberOf",
        "https://graph.microsoft.com/v1.0/users/../me",
        "https://graph.microsoft.com/v1.0/users/%2e%2E/me",
        "https://graph.microsoft.com",
        "http://graph.microsoft.com/v1.0/organization",
        "https://graph.microsoft.com:8443/v1.0/organization",
        "https://graph.microsoft.com.evil.example/v1.0/organization",
        "https://evil.example/v1.0/organization",
        "https://graph.microsoft.com@evil.example/v1.0/organization",
        "https://evil.example\\@graph.microsoft.com/v1.0/organization",
        "https://graph.microsoft.com/v1.0/organization#fragment",
        "https://graph.microsoft.com:99999/v1.0/organization",
        "https://[graph.microsoft.com/v1.0/organization",
        "https://outlook.office365.com/v1.0/organization",
        "//graph.microsoft.com/v1.0/organization",
        "",
    ],
)
def test_other_addresses_are_refused(url: str) -> None:
    assert GLOBAL.objection("GET", url, None) is not None


@pytest.mark.parametrize("cmdlet", sorted(READ_CMDLETS))
def test_reading_commands_pass(cmdlet: str) -> None:
    assert cmdlet.startswith("Get-")
    assert GLOBAL.objection("POST", INVOKE, command(cmdlet)) is None


@pytest.mark.parametrize(
    "body",
    [
        command("Set-User", Identity="svc"),
        command("Add-RoleGroupMember", Identity="H2R", Member="svc"),
        command("get-user", Identity="svc"),
        command("Get-Mailbox", Identity="svc"),
        command("Get-User", Identity=""),
        command("Get-User", Identity="  "),
        command("Get-User", Identity=None),
        command("Get-User", Identity=[]),
        command("Get-ManagementRoleAssignment", RoleAssignee=None),
        b'{"CmdletInput": {"CmdletName": "Get-User", "Parameters": null}}',
        b"[]",
        None,
    ],
)
def test_other_commands_and_empty_identities_are_refused(body: bytes | None) -> None:
    assert GLOBAL.objection("POST", INVOKE, body) is not None


@pytest.mark.parametrize(
    ("url", "globally", "elsewhere"),
    [
        (INVOKE, True, True),
        (INVOKE.replace("outlook", "eurprd01.outlook"), True, False),
        (INVOKE.replace("https://outlook", "https://eviloutlook"), False, False),
        (INVOKE.replace("outlook.office365.com", "outlook.office365.com.evil.example"), False, False),
        (INVOKE.replace("office365.com", "office365.com:8443"), False, False),
        (INVOKE.replace("InvokeCommand", "$batch"), False, False),
        (INVOKE.replace("/adminapi/", "/x/adminapi/"), False, False),
    ],
)
def test_regional_hosts_belong_to_the_clouds_of_microsoft(url: str, globally: bool, elsewhere: bool) -> None:
    assert (GLOBAL.objection("POST", url, command("Get-RoleGroup")) is None) is globally
    assert (CUSTOM.objection("POST", url, command("Get-RoleGroup")) is None) is elsewhere


def test_sign_in_goes_to_the_configured_host_alone() -> None:
    foreign = "https://evil.example/contoso.example/oauth2/v2.0/token"
    assert GLOBAL.objection("POST", foreign, b"") is not None
    assert GLOBAL.objection("POST", f"{LOGIN}/oauth2/v2.0/devicecode", b"") is not None
    assert GLOBAL.objection("GET", f"{LOGIN}/oauth2/v2.0/token", None) is not None


def test_one_sign_in_service_may_have_two_names() -> None:
    china = AllowList(endpoints=CLOUD_ENDPOINTS[Cloud.CHINA], regional_hosts=True)
    token = "contoso.partner.onmschina.cn/oauth2/v2.0/token"
    assert china.objection("POST", f"https://login.partner.microsoftonline.cn/{token}", b"") is None
    assert china.objection("POST", f"https://login.chinacloudapi.cn/{token}", b"") is None
    assert china.objection("POST", f"https://login.partner.microsoftonline.cn:444/{token}", b"") is not None
    assert china.objection("POST", f"https://login.microsoftonline.com/{token}", b"") is not None
    assert GLOBAL.objection("POST", f"https://login.partner.microsoftonline.cn/{token}", b"") is not None


def test_an_origin_compares_without_case_and_default_port() -> None:
    assert origin("https://Graph.Microsoft.com/v1.0") == origin("https://graph.microsoft.com:443/x")
    assert origin("https://[::1]:8443/x") == ("::1", 8443)
