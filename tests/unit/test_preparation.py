"""Everything a collection needs is checked completely before anything is contacted."""

from __future__ import annotations

import builtins
import re
from typing import TYPE_CHECKING, Any

import pytest

from auditor.errors import InvalidInput
from auditor.inventory.entries import ReplayEntry
from auditor.preparation import Prepared, prepare
from tests.unit.cli.estate import COMPLIANT, OPEN, write_inventory
from tests.unit.evaluate.recorded import write_evidence
from tests.unit.matrix.profiles import default_profile, write_profile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RECORDED: dict[str, Any] = {"id": "old", "kind": "hybrid", "replay": "recorded/corp"}
RECORDED_TENANT: dict[str, Any] = {"id": "cloud", "kind": "exchange_online", "replay": "recorded/contoso"}


def hybrid(connection_id: str, password: str) -> dict[str, Any]:
    return {
        "id": connection_id,
        "kind": "hybrid",
        "hosts": ["10.1.0.10"],
        "base_dns": ["DC=corp,DC=example,DC=com"],
        "username": "svc@corp.example.com",
        "target_ous": [],
        "auditor": {"active_directory": {"username": "audit@corp.example.com", "password": password}},
    }


def tenant(connection_id: str, **credential: Any) -> dict[str, Any]:
    sign_in = {
        "tenant_id": "3f0c0000-0000-0000-0000-000000000000",
        "client_id": "9a1b0000-0000-0000-0000-000000000000",
        **credential,
    }
    return {
        "id": connection_id,
        "kind": "exchange_online",
        "tenant": "contoso.onmicrosoft.com",
        "service_account": "svc-h2r@contoso.com",
        "auditor": {"microsoft365": sign_in},
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_evidence(COMPLIANT.evidence(), tmp_path / "recorded" / "corp")
    write_evidence(OPEN.evidence(), tmp_path / "recorded" / "contoso")
    return tmp_path


def importing_fails(failure: Exception) -> Callable[..., Any]:
    """Return an `__import__` that fails for gssapi."""
    genuine = builtins.__import__

    def importing(name: str, *arguments: Any, **options: Any) -> Any:
        if name == "gssapi":
            raise failure
        return genuine(name, *arguments, **options)

    return importing


def never(place: str) -> str:
    pytest.fail(f"asked for {place}")


def prepared(folder: Path, *entries: dict[str, Any], only: tuple[str, ...] = (), **top: Any) -> Prepared:
    return prepare(write_inventory(folder, list(entries), **top), only, never)


def problems(folder: Path, *entries: dict[str, Any], only: tuple[str, ...] = (), **top: Any) -> list[str]:
    with pytest.raises(InvalidInput) as refused:
        prepared(folder, *entries, only=only, **top)
    return [str(problem) for problem in refused.value.problems]


def test_a_good_inventory_is_ready(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIT_PASSWORD", "S3cret")
    ready = prepared(folder, hybrid("live", "env:AUDIT_PASSWORD"), RECORDED, RECORDED_TENANT)
    assert [entry.id for entry in ready.entries] == ["live", "old", "cloud"]
    assert {name: matrix.profile.id for name, matrix in ready.matrices.items()} == dict.fromkeys(
        ("live", "old", "cloud"), "hybrid-exchange-online"
    )
    assert [secret.reveal_text() for secret in ready.secrets.values()] == ["S3cret"]
    assert "S3cret" not in repr(ready)


def test_a_selection_needs_only_its_own_secrets(folder: Path) -> None:
    entries = (hybrid("live", "env:NOT_SET_ANYWHERE"), RECORDED, RECORDED_TENANT)
    ready = prepared(folder, *entries, only=("cloud", "old"))
    assert [entry.id for entry in ready.entries] == ["old", "cloud"]  # the inventory's order
    assert ready.secrets == {}
    assert "NOT_SET_ANYWHERE" in problems(folder, *entries, only=("live",))[0]


def test_every_unknown_connection_is_named_with_those_there_are(folder: Path) -> None:
    told = problems(folder, RECORDED, RECORDED_TENANT, only=("old", "x", "y"))
    assert len(told) == 2
    assert all("choose from old, cloud" in each for each in told)
    assert "did you mean 'cloud'? " in problems(folder, RECORDED, RECORDED_TENANT, only=("clud",))[0]


def test_an_unknown_connection_hides_no_other_problem(folder: Path) -> None:
    told = problems(folder, hybrid("live", "env:NOT_SET_ANYWHERE"), RECORDED, only=("live", "x"))
    assert len(told) == 2
    assert any("NOT_SET_ANYWHERE" in each for each in told)


def test_prompts_are_asked_once_per_place(folder: Path) -> None:
    asked: list[str] = []

    def answer(place: str) -> str:
        asked.append(place)
        return "secret"

    inventory = write_inventory(folder, [hybrid("one", "prompt:"), hybrid("two", "prompt:"), RECORDED])
    prepare(inventory, (), answer)
    assert len(asked) == len(set(asked)) == 2


def test_problems_of_secrets_profiles_and_evidence_are_told_together(folder: Path) -> None:
    (folder / "recorded" / "corp" / "sources.json").unlink()
    told = problems(
        folder,
        hybrid("live", "env:NOT_SET_ANYWHERE"),
        RECORDED,
        {**RECORDED_TENANT, "profile": "hybrid-active-directory"},
    )
    assert len(told) == 3
    assert any("NOT_SET_ANYWHERE" in each for each in told)
    assert any("recorded evidence" in each for each in told)
    assert any("no requirement for exchange_online" in each for each in told)


def test_a_problem_that_two_connections_share_is_told_once(folder: Path) -> None:
    (folder / "mine.json").write_text("{}")
    shared = {"profile": "mine.json"}
    told = problems(folder, RECORDED | shared, RECORDED_TENANT | shared)
    assert len(told) == len(set(told))


def test_evidence_of_the_other_kind_is_refused(folder: Path) -> None:
    (told,) = problems(folder, {**RECORDED, "kind": "exchange_online"})
    assert "the recorded evidence is of a hybrid connection" in told
    assert "write kind: hybrid" in told
    assert re.search(r"inventory\.json:[0-9]+ \(old\)", told)


def test_a_profile_of_the_user_s_own_is_found_beside_the_inventory(folder: Path) -> None:
    write_profile(folder / "mine.json", default_profile() | {"id": "mine"})
    by_default = prepared(folder, RECORDED, defaults={"profile": "mine.json"})
    assert (by_default.default_matrix.profile.id, by_default.matrices["old"].profile.id) == ("mine", "mine")
    by_connection = prepared(folder, {**RECORDED, "profile": "mine.json"})
    assert (by_connection.default_matrix.profile.id, by_connection.matrices["old"].profile.id) == (
        "hybrid-exchange-online",
        "mine",
    )


@pytest.mark.parametrize("content", [b"no certificate", b"-----BEGIN CERTIFICATE-----\n"])
def test_a_certificate_that_cannot_sign_in_is_told_before_anything_is_contacted(folder: Path, content: bytes) -> None:
    (folder / "audit.pem").write_bytes(content)
    (told,) = problems(folder, tenant("live", certificate="file:audit.pem"))
    assert "audit.pem" in told
    assert "no certificate" not in told  # what a secret's file holds is shown nowhere


@pytest.mark.parametrize(
    ("failure", "told_as"),
    [
        (ModuleNotFoundError("No module named 'gssapi'", name="gssapi"), "support is not installed"),
        (ImportError("libgssapi_krb5.so.2: cannot open shared object file"), "library of the system cannot be loaded"),
        (OSError("Could not find KfW installation"), "library of the system cannot be loaded"),
    ],
)
def test_kerberos_that_cannot_be_used_is_told_before_anything_is_contacted(
    folder: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception, told_as: str
) -> None:
    monkeypatch.setattr(builtins, "__import__", importing_fails(failure))
    live = {**hybrid("live", "env:UNUSED"), "auditor": {"active_directory": {"kerberos": True}}}
    told = problems(folder, live, {**live, "id": "live-2"}, RECORDED)
    assert len(told) == 2
    assert all(told_as in each and "[kerberos]" in each for each in told)
    assert prepared(folder, live, RECORDED, only=("old",)).secrets == {}


def test_recorded_evidence_asks_for_no_sign_in(folder: Path) -> None:
    ready = prepared(folder, RECORDED)
    (entry,) = ready.entries
    assert isinstance(entry, ReplayEntry)
    assert entry.folder == folder / "recorded" / "corp"


def test_a_device_code_needs_somebody_to_read_it(folder: Path) -> None:
    entry = tenant("cloud", device_code=True)
    (told,) = problems(folder, entry)
    assert "there is no terminal to show the code at" in told
    ready = prepare(write_inventory(folder, [entry]), (), never, print)
    assert ready.prompt is print


def test_a_federated_token_must_be_there_from_the_start(folder: Path) -> None:
    (told,) = problems(folder, tenant("cloud", federated_token="file:/nowhere/token"))
    assert "/nowhere/token cannot be read" in told
