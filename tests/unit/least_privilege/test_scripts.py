"""The set-up scripts: PowerShell, the inventory's texts as literals, and no more than the rights that reading takes."""

from __future__ import annotations

import re

import pytest

from auditor.collect.entra.questions import GraphQuestions
from auditor.collect.exchange.collector import LEAST_RIGHT
from auditor.least_privilege.rights import GRAPH_PERMISSIONS, RIGHTS
from auditor.least_privilege.script import directory_script, quoted, tenant_script
from auditor.model.connection import CLOUD_ENDPOINTS, Cloud, ExchangeOnlineConnection, HybridConnection
from auditor.model.sign_in import (
    CloudSignIn,
    FederatedCredential,
    KerberosSignIn,
    ManagedIdentityCredential,
    PasswordSignIn,
    SecretReference,
)
from tests.unit.least_privilege.powershell import commands, literals, methods, syntax_errors

ODD = "OU=St\u2019aff's \u2018$(Remove-Item x)\u201a `\"; iex\u201b,DC=corp,DC=example"
HYBRID = HybridConnection(
    id="a",
    name="a",
    profile="p",
    hosts=("dc1.corp.example",),
    port=636,
    base_dns=("DC=corp,DC=example",),
    username="svc@corp.example",
    target_ous=("OU=Staff,DC=corp,DC=example", ODD),
    group_ous=("OU=Staff,DC=corp,DC=example", "OU=Groups,DC=corp,DC=example"),
)
TENANT = ExchangeOnlineConnection(
    id="t",
    name="t",
    profile="p",
    tenant="contoso.onmicrosoft.com",
    service_account="svc@contoso.com",
    cloud=Cloud.GCC_HIGH,
    endpoints=CLOUD_ENDPOINTS[Cloud.GCC_HIGH],
)
CLIENT_ID = "00000000-0000-0000-0000-000000000005"
PASSWORD = PasswordSignIn(username="CORP\\o'neil", password=SecretReference("env", "P"))
FEDERATED = CloudSignIn(
    tenant_id="contoso.com",
    client_id=CLIENT_ID,
    credential=FederatedCredential(token_file=SecretReference("file", "t")),
)
MANAGED = CloudSignIn(tenant_id=None, client_id=None, credential=ManagedIdentityCredential())


def test_the_directory_script_lets_the_account_read_each_unit_once() -> None:
    script = directory_script([HYBRID], PASSWORD)

    assert syntax_errors(script) == []
    texts = literals(script)
    assert texts[texts.index("dc1.corp.example") :][:5] == [
        "dc1.corp.example",
        "o'neil",
        "OU=Staff,DC=corp,DC=example",
        # PowerShell's own rule: each of a pair of quotes, of whatever shape, stands for one
        re.sub("([\u2018-\u201b])", r"\1\1", ODD),
        "OU=Groups,DC=corp,DC=example",
    ]
    assert "GenericRead" in script
    assert {name for name in commands(script) if name.partition("-")[0] not in {"Get", "Read"}} == {
        "New-ADUser",
        "Add-ADGroupMember",
    }
    assert methods(script) == {"AddAccessRule", "CommitChanges", "Dispose", "Replace", "ShouldProcess", "new"}


@pytest.mark.parametrize(
    ("username", "expected"),
    [(None, "auditor"), ("audit@CORP.EXAMPLE", "audit"), ("CN=audit,OU=x,DC=corp", "audit"),
     ("CN=Doe\\, Audit,OU=x,DC=corp", "Doe, Audit"), ("CORP\\audit", "audit")],
)
def test_the_account_is_named_as_the_sign_in_names_it(username: str | None, expected: str) -> None:
    sign_in = (
        KerberosSignIn(username=username)
        if username is None
        else PasswordSignIn(username=username, password=SecretReference("env", "P"))
    )
    assert f"$AccountName = '{expected}'" in directory_script([HYBRID], sign_in)


def test_the_tenant_script_grants_what_the_reads_need_and_no_more() -> None:
    script = tenant_script(TENANT, FEDERATED)

    assert syntax_errors(script) == []
    texts = literals(script)
    first = texts.index(GRAPH_PERMISSIONS[0])
    assert tuple(texts[first : first + len(GRAPH_PERMISSIONS)]) == GRAPH_PERMISSIONS
    assert {"USGov", "O365USGovGCCHigh", CLIENT_ID, "Exchange.ManageAsApp"} <= set(texts)
    assert not [name for name in commands(script) if name.partition("-")[0] in {"Remove", "Set", "Update", "Invoke"}]


def test_the_tenant_script_finds_a_managed_identity() -> None:
    script = tenant_script(TENANT, MANAGED)

    assert "$IsManagedIdentity = $true" in script
    assert "$ClientId = ''" in script
    assert "$TenantId = 'contoso.onmicrosoft.com'" in script


def test_every_permission_a_read_needs_is_among_the_rights_and_names_its_dataset() -> None:
    questions = GraphQuestions(base="https://graph")
    asked = [
        getattr(questions, name)(*(["00000000-0000-0000-0000-000000000001"] if name not in WITHOUT_SUBJECT else []))
        for name in dir(questions)
        if not name.startswith("_") and name != "base"
    ]
    needed = {(question.least_right.of_application.rpartition(" ")[2], question.dataset) for question in asked}
    assert needed == {(right.name, dataset) for right in RIGHTS if right.name in GRAPH_PERMISSIONS
                      for dataset in right.datasets}
    exchange = [right.name for right in RIGHTS if right.system == "exchange_online"]
    for word in ("Exchange.ManageAsApp", "View-Only Organization Management"):
        assert word in LEAST_RIGHT.of_application
    assert len(exchange) == 2


WITHOUT_SUBJECT = {"organization", "role_definitions", "conditional_access_policies", "security_defaults"}


def test_nothing_is_expanded_in_a_quoted_text() -> None:
    script = f"$a = {quoted(ODD)}"
    doubled = re.sub("([\u2018-\u201b'])", r"\1\1", ODD)
    assert quoted(ODD) == f"'{doubled}'"
    assert syntax_errors(script) == []
    assert commands(script) == set()
