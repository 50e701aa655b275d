"""`auditor connections`, `matrix`, `schema`, `--version`: data on standard output, nothing contacted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from auditor import __version__
from auditor.matrix.load import known_profiles
from tests.unit.cli.estate import COMPLIANT, NOW, OPEN, record, write_inventory
from tests.unit.evaluate.recorded import write_evidence
from tests.unit.matrix.profiles import default_profile, requirement, write_profile

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.cli.estate import Auditor

HYBRID = {
    "id": "corp",
    "kind": "hybrid",
    "name": "Corp",
    "hosts": ["10.1.0.10", "10.1.0.11"],
    "base_dns": ["DC=corp,DC=example,DC=com"],
    "username": "svc\u202e-h2r@corp.example.com",
    "target_ous": ["OU=Staff,DC=corp,DC=example,DC=com"],
    "auditor": {"active_directory": {"username": "audit@corp.example.com", "password": "env:NOT_SET_ANYWHERE"}},
}
TENANT = {
    "id": "contoso",
    "kind": "exchange_online",
    "tenant": "contoso.onmicrosoft.com",
    "service_account": "svc-h2r@contoso.com",
    "auditor": {
        "microsoft365": {
            "tenant_id": "3f0c0000-0000-0000-0000-000000000000",
            "client_id": "9a1b0000-0000-0000-0000-000000000000",
            "client_secret": "file:/nowhere/secret",
        }
    },
}


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    write_evidence(OPEN.evidence(), tmp_path / "evidence" / "old")
    recorded = {"id": "old", "kind": "exchange_online", "replay": "evidence/old", "name": "Old"}
    return write_inventory(tmp_path, [HYBRID, TENANT, recorded])


def test_connections_are_listed_without_their_secrets_being_set(auditor: Auditor, inventory: Path) -> None:
    finished = auditor("connections", "list", "-c", inventory)
    assert (finished.code, finished.err) == (0, "")
    heading, *rows = finished.out.splitlines()
    assert heading.split() == ["id", "kind", "account", "where", "profile"]
    assert [row.split()[0] for row in rows] == ["corp", "contoso", "old"]
    assert "10.1.0.10, 10.1.0.11, port 636" in rows[0]
    assert "(recorded)" in rows[2]
    assert all(row.split()[-1] == "hybrid-exchange-online" for row in rows)
    assert "\\u202e" in rows[0]
    assert not {"\x1b", "\u202e"} & set(finished.out)


def test_connections_are_listed_as_json(auditor: Auditor, inventory: Path) -> None:
    finished = auditor("connections", "list", "-c", inventory, "--json")
    corp, contoso, old = json.loads(finished.out)
    assert corp["sign_in"]["as"] == "audit@corp.example.com"
    (secret,) = corp["sign_in"]["secrets"]
    assert secret.endswith("password: env:NOT_SET_ANYWHERE")
    assert corp["hosts"] == HYBRID["hosts"]
    assert contoso["sign_in"]["as"] == "9a1b0000-0000-0000-0000-000000000000"
    assert (old["kind"], old["sign_in"]) == ("exchange_online", None)


@pytest.mark.parametrize(
    ("fields", "identity"),
    [({}, "current Kerberos ticket"), ({"username": "audit@CORP.EXAMPLE.COM"}, "audit@CORP.EXAMPLE.COM")],
)
def test_a_sign_in_with_kerberos_is_listed(
    auditor: Auditor, tmp_path: Path, fields: dict[str, str], identity: str
) -> None:
    sign_in = {"active_directory": {"kerberos": True, **fields}}
    inventory = write_inventory(tmp_path, [{**HYBRID, "auditor": sign_in}])
    (corp,) = json.loads(auditor("connections", "list", "-c", inventory, "--json").out)
    assert corp["sign_in"] == {"as": identity, "secrets": []}


def test_a_run_without_its_secrets_is_refused_before_anything_is_contacted(
    auditor: Auditor, inventory: Path, tmp_path: Path
) -> None:
    finished = auditor("run", "-c", inventory, "-o", tmp_path / "runs")
    assert finished.code == 2
    assert "NOT_SET_ANYWHERE" in finished.err
    assert "/nowhere/secret" in finished.err
    assert not (tmp_path / "runs").exists()
    selected = auditor(
        "run", "-c", inventory, "-o", tmp_path / "runs", "--connection", "old", "-f", "json", "--now", NOW
    )
    assert selected.code == 3


def test_a_profile_is_shown(auditor: Auditor) -> None:
    finished = auditor("matrix", "show")
    assert finished.code == 0
    assert "hybrid-exchange-online version" in finished.out
    assert all(f"\nM{number}  " in finished.out for number in range(1, 10))
    assert all(name in finished.err for name in known_profiles())


@pytest.mark.parametrize("name", known_profiles())
def test_every_profile_is_shown_as_json(auditor: Auditor, name: str) -> None:
    finished = auditor("matrix", "show", name, "--json")
    shown = json.loads(finished.out)
    assert shown["id"] == name
    assert len(shown["sha256"]) == 64


def test_an_unknown_profile_ends_with_2(auditor: Auditor) -> None:
    finished = auditor("matrix", "show", "hybrid-exchange-onlin")
    assert (finished.code, finished.out) == (2, "")
    assert "did you mean 'hybrid-exchange-online'" in finished.err


def test_a_hostile_profile_cannot_steer_the_terminal(auditor: Auditor, tmp_path: Path) -> None:
    profile = default_profile() | {"title": "\u202e"}
    requirement(profile, "M1")["documented"] = "\u2028\u202e"
    path = write_profile(tmp_path / "mine.json", profile)
    shown = auditor("matrix", "show", path)
    differences = auditor("matrix", "diff", "hybrid-exchange-online", path)
    assert shown.code == differences.code == 0
    assert not {"\u2028", "\u202e"} & set(shown.out + differences.out)


def test_a_profile_file_is_validated(auditor: Auditor, tmp_path: Path) -> None:
    path = write_profile(tmp_path / "mine.json", default_profile())
    valid = auditor("matrix", "validate", path)
    assert (valid.code, valid.out) == (0, "")
    assert "9 requirements" in valid.last_line
    broken = default_profile()
    requirement(broken, "M1")["check"] = "X"
    requirement(broken, "M8")["scope"] = "account"
    finished = auditor("matrix", "validate", write_profile(tmp_path / "broken.json", broken))
    assert finished.code == 2
    assert len(finished.err.splitlines()) == 3
    assert auditor("matrix", "validate", tmp_path / "nowhere.yaml").code == 2


def test_profiles_are_compared(auditor: Auditor, tmp_path: Path) -> None:
    same = auditor("matrix", "diff", "hybrid-exchange-online", "hybrid-exchange-online", "--json")
    assert (same.code, json.loads(same.out)) == (0, [])
    changed = default_profile()
    requirement(changed, "M1")["severity"] = "critical"
    path = write_profile(tmp_path / "mine.json", changed)
    (difference,) = json.loads(auditor("matrix", "diff", "hybrid-exchange-online", path, "--json").out)
    assert difference == {"row": "M1", "field": "severity", "left": "high", "right": "critical"}
    told = auditor("matrix", "diff", "hybrid-exchange-online", path)
    assert told.out.splitlines() == ["M1 severity", "  - high", "  + critical"]
    assert told.last_line == "1 differences"
    neither = auditor("matrix", "diff", "one", "two")
    assert neither.code == 2
    assert all(f"{name} (profile): is no known profile" in neither.err for name in ("one", "two"))


def test_a_run_is_judged_by_the_profile_the_connection_names(auditor: Auditor, tmp_path: Path) -> None:
    write_evidence(COMPLIANT.evidence(), tmp_path / "evidence" / "one")
    own = default_profile() | {"id": "mine"}
    own["requirements"] = [requirement(own, "M9")]
    write_profile(tmp_path / "mine.json", own)
    entry = {"id": "one", "kind": "hybrid", "replay": "evidence/one", "profile": "mine.json"}
    finished = auditor(
        "run", "-c", write_inventory(tmp_path, [entry]), "-o", tmp_path / "runs", "-f", "json", "--now", NOW
    )
    (connection,) = finished.results["connections"]
    assert connection["matrix"]["id"] == "mine"
    assert [each["id"] for each in connection["requirements"]] == ["M9"]
    digest = connection["matrix"]["sha256"]
    copied = (finished.folder / "inputs" / f"matrix-{digest[:12]}.yaml").read_bytes()
    assert copied == (tmp_path / "mine.json").read_bytes()


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        ("no-such-profile", "is no known profile"),
        ("entra-exchange-online", "no requirement for hybrid"),
        ("gone.yaml", "gone.yaml"),
    ],
)
def test_a_profile_that_cannot_judge_the_connection_ends_with_2(
    auditor: Auditor, tmp_path: Path, profile: str, words: str
) -> None:
    record(tmp_path, one=COMPLIANT.evidence())
    entry = {"id": "one", "kind": "hybrid", "replay": "evidence/one", "profile": profile}
    finished = auditor("run", "-c", write_inventory(tmp_path, [entry]), "-o", tmp_path / "runs")
    assert (finished.code, finished.out) == (2, "")
    assert words in finished.err
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("name", ["inventory", "matrix", "results"])
def test_schemas_are_json_schemas(auditor: Auditor, name: str) -> None:
    finished = auditor("schema", name)
    assert (finished.code, finished.err) == (0, "")
    schema = json.loads(finished.out)
    references = list(_references(schema))
    assert references
    for reference in references:
        assert _target(schema, reference), reference
    for each in _subschemas(schema):
        assert set(_types(each)) <= {"object", "array", "string", "integer", "number", "boolean", "null"}, each
        assert isinstance(each.get("properties", {}), dict)
        assert isinstance(each.get("required", []), list)
        assert isinstance(each.get("enum", []), list)


def _subschemas(node: Any) -> list[dict[str, Any]]:
    if isinstance(node, list):
        return [found for each in node for found in _subschemas(each)]
    if not isinstance(node, dict):
        return []
    is_schema = "type" in node and isinstance(node["type"], (str, list))
    return [*([node] if is_schema else []), *(found for each in node.values() for found in _subschemas(each))]


def _types(schema: dict[str, Any]) -> list[str]:
    return [schema["type"]] if isinstance(schema["type"], str) else schema["type"]


def _references(node: Any) -> list[str]:
    if isinstance(node, list):
        return [found for each in node for found in _references(each)]
    if not isinstance(node, dict):
        return []
    own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
    return [*own, *(found for each in node.values() for found in _references(each))]


def _target(schema: dict[str, Any], reference: str) -> Any:
    assert reference.startswith("#/"), reference
    node: Any = schema
    for step in reference[2:].split("/"):
        node = node[step]
    return node


def test_the_version_is_told(auditor: Auditor) -> None:
    finished = auditor("--version")
    assert (finished.code, finished.out, finished.err) == (0, f"auditor {__version__}\n", "")
