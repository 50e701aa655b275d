"""Bad inventories: each problem with file, line, place and cure, all of them at once."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from auditor.errors import InvalidInput, Problem

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import TypeAlias

    from auditor.inventory.entries import Inventory

    Load: TypeAlias = Callable[[str | bytes], Inventory]

HEAD = """\
version: 1
organisation: Contoso
defaults:
  auditor:
    active_directory: {username: auditor@corp.example.com, password: "env:P"}
    microsoft365: {tenant_id: c.com, client_id: 00000000-0000-0000-0000-000000000001, client_secret: "env:S"}
connections:
"""
HYBRID = """\
- id: corp
  kind: hybrid
  hosts: [dc1.corp.example.com]
  base_dns: ["DC=corp,DC=example,DC=com"]
  username: svc@corp.example.com
"""
EXCHANGE = """\
- id: mail
  kind: exchange_online
  tenant: contoso.com
  service_account: svc@contoso.com
"""
REPLAY = """\
- id: old
  kind: hybrid
  replay: evidence/corp
"""


def _problems(load: Load, content: str | bytes) -> tuple[Problem, ...]:
    with pytest.raises(InvalidInput) as refused:
        load(content)
    return refused.value.problems


def _line_of(text: str, part: str) -> int:
    return text.count("\n", 0, text.rindex(part)) + 1


@pytest.mark.parametrize(
    ("extra", "place", "message", "cure"),
    [
        ("port: 70000", "port", "must be at most 65535", "in that range"),
        ("port: 0", "port", "must be at least 1", "in that range"),
        ("port: '636'", "port", "must be a whole number, but is text", "without quotes"),
        ("port: true", "port", "must be a whole number, but is true or false", "whole number"),
        ("port: 636.0", "port", "must be a whole number", "whole number"),
        ("port:", "port", "must be a whole number, but is empty", "whole number"),
        ("global_catalog: 'yes'", "global_catalog", "must be true or false, but is text", "true or false"),
        ("target_ou: []", "target_ou", "is not a key known here", "did you mean 'target_ous'?"),
        ("tenant: contoso.com", "tenant", "is not a key known here", "known keys are auditor, base_dns"),
        ("target_ous: OU=a", "target_ous", "must be a list, but is text", "[brackets]"),
        ("target_ous: [OU]", "target_ous[0]", "no distinguished name: at character 1", "OU=Staff,"),
        ("target_ous: [5]", "target_ous[0]", "must be text, but is a number", "quotes"),
        (
            "target_ous: ['OU=a,DC=x', 'ou = A, dc=X']",
            "target_ous[1]",
            "repeats connections[0].target_ous[0]",
            "keep one",
        ),
        (
            "group_ous: ['OU=a', OU=b, OU=A]",
            "group_ous[2]",
            "repeats connections[0].group_ous[0]",
            "keep one",
        ),
        ("group_ous: ['OU=a', '']", "group_ous[1]", "is empty", "write a value"),
        ("ca_file: absent.pem", "ca_file", "absent.pem cannot be read: No such file", "check the path"),
        ("ca_file: evidence", "ca_file", "cannot be read: Is a directory", "check the path"),
        ("ca_file: profile.yaml", "ca_file", "holds no readable PEM certificate", "as PEM"),
        ("tls_server_name: https://dc1", "tls_server_name", "is neither a DNS name nor an IP", "bare name"),
        (
            "profile: hybrid-exchange-onlin",
            "profile",
            "is no known profile",
            "did you mean 'hybrid-exchange-online'? known",
        ),
        ("profile: absent.yaml", "profile", "absent.yaml does not exist", "check the path"),
        ("name: ''", "name", "is empty", "write a value"),
        ('name: "a\\nb"', "name", "contains a line break or a tab", "single quotes"),
        ('name: "a\\0b"', "name", "contains the control character U+0000", "remove it"),
        ("name: ' a'", "name", "starts or ends with a space", "remove the space"),
        ("password: hunter2", "password", "must be a reference to a secret", "write env:NAME, file:PATH"),
        ("password: 'vault:x'", "password", "must be a reference to a secret", "change the secret"),
        ("password: 'env:'", "password", "must be a reference to a secret", "env:NAME"),
        ("password: 'env:pass word'", "password", "must be a reference to a secret", "env:NAME"),
        ("password: 'prompt:hunter2'", "password", "must be a reference to a secret", "prompt:"),
        ("password: 'keyring:only'", "password", "must be a reference to a secret", "keyring:SERVICE/NAME"),
        ("password: 'file:'", "password", "must be a reference to a secret", "file:PATH"),
        ("password: 12345", "password", "must be a reference to a secret", "env:NAME"),
        ("password:", "password", "is empty", "remove the key"),
        ("ca_file:", "ca_file", "is empty", "remove the key"),
        (
            "auditor: {active_directory: {kerberos: true, username: a@B, password: 'env:P'}}",
            "auditor.active_directory",
            "has both kerberos and password",
            "remove password",
        ),
        (
            "auditor: {active_directory: {kerberos: true, username: a@b.example}}",
            "auditor.active_directory.username",
            "is no Kerberos principal",
            "as klist shows it",
        ),
        (
            "auditor: {active_directory: {kerberos: true, username: 'CORP\\a'}}",
            "auditor.active_directory.username",
            "is no Kerberos principal",
            "as klist shows it",
        ),
        (
            "auditor: {active_directory: {kerberos: false}}",
            "auditor.active_directory.kerberos",
            "must be",
            "true",
        ),
        (
            "auditor: {active_directory: {password: 'env:P'}}",
            "auditor.active_directory.username",
            "is missing",
            "kerberos: true",
        ),
        (
            "auditor: {active_directory: {username: a@b}}",
            "auditor.active_directory.password",
            "is missing",
            "add it",
        ),
        (
            "auditor: {microsoft365: {}}",
            "auditor.microsoft365",
            "is not a key known here",
            "known keys are active_directory",
        ),
        (
            "port: 1\n  port: 2",
            "port",
            "stands twice in one mapping, on lines 13 and 14",
            "keep one of the two",
        ),
    ],
)
def test_a_wrong_field_of_a_hybrid_connection(
    load: Load, folder: Path, extra: str, place: str, message: str, cure: str
) -> None:
    text = f"{HEAD}{HYBRID}  {extra}\n"
    (problem,) = _problems(load, text)
    assert problem.file == str(folder / "inventory.yaml")
    assert problem.line == _line_of(text, extra.rpartition("\n")[2].split(":")[0].strip())
    assert problem.place == f"connections[0].{place}"
    assert message in problem.message
    assert cure in problem.cure


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        ("id: corp", "id: ../x", "id", "is no usable id"),
        ("id: corp", "id: '..'", "id", "is no usable id"),
        ("id: corp", f"id: {'a' * 65}", "id", "is no usable id"),
        ("id: corp", "id: a b", "id", "is no usable id"),
        ("id: corp", "id: CON", "id", "cannot name a folder on Windows"),
        ("id: corp", "id: com1.x", "id", "cannot name a folder on Windows"),
        ("id: corp", "id: corp.", "id", "cannot name a folder on Windows"),
        ("id: corp", "id: 5", "id", "must be text, but is a number"),
        ("id: corp", "name: corp", "id", "is missing"),
        ("kind: hybrid", "kind: hybird", "kind", "must be one of hybrid, exchange_online"),
        ("kind: hybrid", "kind:", "kind", "is missing or empty"),
        ("kind: hybrid", "name: x", "kind", "is missing"),
        ("[dc1.corp.example.com]", "[]", "hosts", "at least 1 needed"),
        ("[dc1.corp.example.com]", "dc1", "hosts", "must be a list, but is text"),
        ("[dc1.corp.example.com]", "[10.1]", "hosts[0]", "must be text, but is a number"),
        ("[dc1.corp.example.com]", "['ldaps://dc1']", "hosts[0]", "is neither a DNS name nor an IP address"),
        ("[dc1.corp.example.com]", "['dc1:636']", "hosts[0]", "is neither a DNS name nor an IP address"),
        ("[dc1.corp.example.com]", "['dc1/x']", "hosts[0]", "is neither a DNS name nor an IP address"),
        ("[dc1.corp.example.com]", "['10.1.0.300']", "hosts[0]", "is neither a DNS name nor an IP address"),
        ("[dc1.corp.example.com]", "['-dc1']", "hosts[0]", "is neither a DNS name nor an IP address"),
        ("[dc1.corp.example.com]", "['dc1.']", "hosts[0]", "is neither a DNS name nor an IP address"),
        ("[dc1.corp.example.com]", "[dc1, DC1]", "hosts[1]", "repeats connections[0].hosts[0]"),
        (
            '["DC=corp,DC=example,DC=com"]',
            "[corp.example.com]",
            "base_dns[0]",
            "'corp.example.com' is no distinguished name",
        ),
        ('["DC=corp,DC=example,DC=com"]', "[]", "base_dns", "at least 1 needed"),
        ("username: svc@corp.example.com", "username: svc", "username", "is neither a UPN nor DOMAIN\\name"),
        (
            "username: svc@corp.example.com",
            "username: '.\\svc'",
            "username",
            "is neither a UPN nor DOMAIN\\name",
        ),
        ("username: svc@corp.example.com", "username: ''", "username", "is empty"),
    ],
)
def test_a_wrong_value_in_a_hybrid_connection(
    load: Load, old: str, new: str, place: str, message: str
) -> None:
    text = HEAD + HYBRID.replace(old, new)
    (problem,) = _problems(load, text)
    assert problem.place == f"connections[0].{place}"
    assert problem.line == (_line_of(text, new) if message != "is missing" else _line_of(text, "- "))
    assert message in problem.message
    assert problem.cure


@pytest.mark.parametrize(
    ("extra", "place", "message", "cure"),
    [
        (
            "cloud: golbal",
            "cloud",
            "must be one of global, gcc_high, dod, china, custom",
            "did you mean 'global'?",
        ),
        ("ca_file: root.pem", "ca_file", "is only used when cloud is custom", "cloud: custom"),
        (
            "endpoints: {login: 'https://a', graph: 'https://b', exchange: 'https://c'}",
            "endpoints",
            "only used when",
            "remove it",
        ),
        ("cloud: custom", "endpoints", "is missing, and cloud is custom", "login, graph and exchange"),
        ("vendor_app_id: H2R", "vendor_app_id", "is no GUID", "00000000-"),
        (
            "linked_to: corp",
            "linked_to",
            "names no hybrid connection of this file",
            "hybrid connections are: none",
        ),
        ("linked_to: mail", "linked_to", "names no hybrid connection of this file", "none"),
        ("hosts: [dc1]", "hosts", "is not a key known here", "known keys are"),
    ],
)
def test_a_wrong_field_of_an_exchange_online_connection(
    load: Load, extra: str, place: str, message: str, cure: str
) -> None:
    text = f"{HEAD}{EXCHANGE}  {extra}\n"
    (problem,) = _problems(load, text)
    assert problem.place == f"connections[0].{place}"
    assert problem.line == (_line_of(text, "- id") if "is missing" in message else _line_of(text, extra))
    assert message in problem.message
    assert cure in problem.cure


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        ("tenant: contoso.com", "tenant: contoso", "tenant", "is neither a domain nor a GUID"),
        ("tenant: contoso.com", "tenant: https://contoso.com", "tenant", "is neither a domain nor a GUID"),
        (
            "service_account: svc@contoso.com",
            "service_account: 'CORP\\svc'",
            "service_account",
            "neither a UPN nor an object id",
        ),
    ],
)
def test_a_wrong_value_in_an_exchange_online_connection(
    load: Load, old: str, new: str, place: str, message: str
) -> None:
    (problem,) = _problems(load, HEAD + EXCHANGE.replace(old, new))
    assert problem.place == f"connections[0].{place}"
    assert message in problem.message


@pytest.mark.parametrize(
    "address",
    [
        "http://a",
        "https://a/path",
        "https://user:pass@a",
        "https://a?x",
        "https://a:0",
        "https://a:70000",
        "a",
        "https://",
    ],
)
def test_custom_endpoints_are_plain_https(load: Load, address: str) -> None:
    endpoints = f"endpoints: {{login: '{address}', graph: 'https://b', exchange: 'https://c'}}"
    (problem,) = _problems(load, f"{HEAD}{EXCHANGE}  cloud: custom\n  {endpoints}\n")
    assert (problem.line, problem.place) == (13, "connections[0].endpoints.login")
    assert problem.message == "is no https base address"
    assert "pass" not in str(problem)


@pytest.mark.parametrize(
    ("credential", "message", "place"),
    [
        ("", "has nothing to sign in with", ""),
        ('federated_token: "env:T"', "must name the file that holds the token now", ".federated_token"),
        ("managed_identity: false", "", ".managed_identity"),
        ("device_code: true, managed_identity: true", "has both managed_identity and device_code", ""),
        ('certificate: "env:C", client_secret: "env:S"', "has both certificate and client_secret", ""),
        (
            'client_secret: "env:S", certificate_password: "env:C"',
            "stands without a certificate",
            ".certificate_password",
        ),
        ("client_secret: hunter2", "must be a reference to a secret", ".client_secret"),
    ],
)
def test_a_cloud_sign_in_needs_one_credential(load: Load, credential: str, message: str, place: str) -> None:
    head = HEAD.replace('client_secret: "env:S"', credential)
    (problem,) = _problems(load, head + EXCHANGE)
    assert (problem.line, problem.place) == (6, f"defaults.auditor.microsoft365{place}")
    assert message in problem.message
    assert "hunter2" not in str(problem)


def test_a_connection_without_sign_in_is_named(load: Load) -> None:
    text = f"version: 1\norganisation: x\nconnections:\n{HYBRID}{EXCHANGE}{REPLAY}"
    first, second = _problems(load, text)
    assert (first.line, first.place) == (4, "connections[0]")
    assert first.message == "has no sign-in for the auditing identity"
    assert first.cure == (
        "add defaults.auditor.active_directory for all connections, "
        "or connections[0].auditor.active_directory"
    )
    assert (second.line, second.place) == (9, "connections[1]")
    assert "defaults.auditor.microsoft365" in second.cure


@pytest.mark.parametrize(
    ("text", "line", "place", "message", "cure"),
    [
        (
            HEAD.replace("connections:", "connections: []"),
            7,
            "connections",
            "lists no connections",
            "add at least one",
        ),
        (HEAD, 7, "connections", "must be a list, but is empty", "[brackets]"),
        (HEAD.replace("connections:\n", ""), 1, "connections", "is missing", "add it"),
        (HEAD + "- 5\n", 8, "connections[0]", "must be a mapping of keys, but is a number", "key: value"),
        (HEAD + HYBRID.replace("- id", "  id"), 7, "connections", "must be a list, but is a mapping", "- "),
        (
            HEAD.replace("version: 1", "version: 2") + REPLAY,
            1,
            "version",
            "a version this tool does not know",
            "version: 1",
        ),
        (
            HEAD.replace("version: 1", "version: '1'") + REPLAY,
            1,
            "version",
            "must be a whole number, but is text",
            "quotes",
        ),
        (HEAD.replace("Contoso", "5") + REPLAY, 2, "organisation", "must be text, but is a number", "quotes"),
        (HEAD.replace("organisation: Contoso\n", "") + REPLAY, 1, "organisation", "is missing", "add it"),
        (
            HEAD + REPLAY + "connection: []\n",
            11,
            "connection",
            "is not a key known here",
            "did you mean 'connections'?",
        ),
        (
            HEAD + REPLAY + "  hosts: [x]\n",
            11,
            "connections[0].hosts",
            "is not a key",
            "id, kind, name, profile, replay",
        ),
        (
            HEAD + REPLAY.replace("/corp", "/absent"),
            10,
            "connections[0].replay",
            "absent is no folder",
            "evidence/",
        ),
        (
            HEAD + REPLAY + REPLAY.replace("old", "OLD"),
            11,
            "connections[1].id",
            "repeats connections[0].id on line 8",
            "another id",
        ),
        ("", 1, "", "is empty", "auditor schema"),
        ((HEAD + REPLAY).encode("utf-16"), 1, "", "is UTF-16 text", "UTF-8"),
        (
            (HEAD + REPLAY).replace("Contoso", "Soci\u00e9t\u00e9").encode("cp1252"),
            2,
            "",
            "is not UTF-8 text",
            "UTF-8",
        ),
        ((HEAD + REPLAY).replace("Contoso", "a\0b"), 2, "", "control character U+0000", "UTF-8"),
        ((HEAD + REPLAY).replace("  kind", "\tkind"), 9, "", "not valid YAML", "indent with spaces"),
    ],
)
def test_a_wrong_file(
    load: Load, folder: Path, text: str | bytes, line: int, place: str, message: str, cure: str
) -> None:
    (problem,) = _problems(load, text)
    assert problem.file == str(folder / "inventory.yaml")
    assert (problem.line, problem.place) == (line, place)
    assert message in problem.message
    assert cure in problem.cure


@pytest.mark.parametrize(
    "place", ["password: hunter2", "auditor: {active_directory: {username: a@b, password: hunter2}}"]
)
def test_a_literal_secret_is_echoed_nowhere(load: Load, place: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        load(f"{HEAD}{HYBRID}  {place}\n")
    error: BaseException | None = refused.value
    while error is not None:
        assert "hunter2" not in str(error)
        assert "hunter2" not in repr(error)
        error = error.__cause__ or error.__context__


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the superuser reads everything")
def test_an_unreadable_certificate_is_a_problem(load: Load, folder: Path) -> None:
    (folder / "root.pem").chmod(0)
    (problem,) = _problems(load, f"{HEAD}{HYBRID}  ca_file: root.pem\n")
    assert "cannot be read: Permission denied" in problem.message


def test_a_damaged_certificate_is_a_problem(load: Load, folder: Path) -> None:
    pem = (folder / "root.pem").read_text()
    (folder / "root.pem").write_text(pem[:60] + pem[64:])
    (problem,) = _problems(load, f"{HEAD}{HYBRID}  ca_file: root.pem\n")
    assert (problem.line, problem.place) == (13, "connections[0].ca_file")
    assert "holds no readable PEM certificate" in problem.message


def test_all_problems_of_a_file_come_at_once_in_the_order_of_its_lines(load: Load) -> None:
    text = (
        HEAD.replace("version: 1", "version: 9").replace("Contoso", "''")
        + HYBRID.replace("svc@corp.example.com", "svc").replace("corp\n", "corp\n  port: 0\n  port: 5\n", 1)
        + "  ca_file: absent.pem\n  target_ous: ['OU=a', ou=A, x]\n"
        + EXCHANGE.replace("id: mail", "id: CORP")
        + "  linked_to: crop\n  password: hunter2\n"
        + "- kind: other\n  port: x\n"
    )
    problems = _problems(load, text)
    assert [(problem.line, problem.place) for problem in problems] == [
        (1, "version"),
        (2, "organisation"),
        (9, "connections[0].port"),
        (10, "connections[0].port"),
        (14, "connections[0].username"),
        (15, "connections[0].ca_file"),
        (16, "connections[0].target_ous[2]"),
        (16, "connections[0].target_ous[1]"),
        (17, "connections[1].id"),
        (21, "connections[1].linked_to"),
        (22, "connections[1].password"),
        (23, "connections[2].kind"),
    ]
    assert "did you mean 'corp'?" in problems[9].cure


def test_a_bomb_of_aliases_is_refused_quickly(load: Load) -> None:
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 60))
    problems = _problems(load, bomb + HEAD + REPLAY)
    assert any("alias inside an anchored value" in problem.message for problem in problems)
