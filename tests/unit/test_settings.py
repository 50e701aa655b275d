"""Secrets: where they come from, and what is said when they cannot be had."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import keyring
import keyring.errors
import pytest
from keyring.backend import KeyringBackend

from auditor.errors import InvalidInput, Problem
from auditor.inventory.entries import SecretUse
from auditor.model.sign_in import Secret, SecretReference
from auditor.settings import resolve_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def _use(scheme: str, locator: object, *, line: int = 1, is_certificate: bool = False) -> SecretUse:
    return SecretUse(
        reference=SecretReference(scheme, str(locator)),
        file="inventory.yaml",
        line=line,
        place=f"connections[{line}].password",
        is_certificate=is_certificate,
    )


def _nobody(place: str) -> str:
    raise EOFError


def _value(use: SecretUse) -> bytes:
    return resolve_secrets([use], _nobody)[use.reference].value


def _problem(*uses: SecretUse) -> Problem:
    with pytest.raises(InvalidInput) as refused:
        resolve_secrets(uses, _nobody)
    (problem,) = refused.value.problems
    return problem


class _MemoryKeyring(KeyringBackend):
    priority = 1

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], str] = {}
        self.is_locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.is_locked:
            raise keyring.errors.KeyringLocked("hunter2")
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.entries[service, username]


@pytest.fixture
def memory_keyring() -> Iterator[_MemoryKeyring]:
    before = keyring.get_keyring()
    backend = _MemoryKeyring()
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)


def test_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("H2R_SECRET", " pässword\n")
    assert _value(_use("env", "H2R_SECRET")) == " pässword\n".encode()


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        (b"secret", b"secret"),
        (b"secret\n", b"secret"),
        (b"secret\r\n", b"secret"),
        (b"secret\n\n", b"secret\n"),
        (b" secret \n", b" secret "),
        (b"\xef\xbb\xbfsecret\r\n", b"secret"),
    ],
)
def test_a_password_file_loses_its_last_line_break_alone(
    tmp_path: Path, content: bytes, secret: bytes
) -> None:
    path = tmp_path / "secret"
    path.write_bytes(content)
    assert _value(_use("file", path)) == secret


def test_a_certificate_file_keeps_every_byte(tmp_path: Path) -> None:
    path = tmp_path / "audit.pfx"
    path.write_bytes(b"\xef\xbb\xbf\x30\xff\r\n")
    assert _value(_use("file", path, is_certificate=True)) == b"\xef\xbb\xbf\x30\xff\r\n"


def test_keyring(memory_keyring: _MemoryKeyring) -> None:
    memory_keyring.set_password("auditor", "corp/svc", "secret")
    assert _value(_use("keyring", "auditor/corp/svc")) == b"secret"


def test_each_prompt_is_asked_once_and_for_its_place() -> None:
    asked: list[str] = []

    def ask(place: str) -> str:
        asked.append(place)
        return f"secret of {place}"

    uses = [_use("prompt", "defaults.a"), _use("prompt", "defaults.b"), _use("prompt", "defaults.a", line=2)]
    secrets = resolve_secrets(uses, ask)
    assert asked == ["defaults.a", "defaults.b"]
    assert secrets[SecretReference("prompt", "defaults.b")] == Secret(b"secret of defaults.b")


def test_no_references_need_nothing() -> None:
    assert resolve_secrets([], _nobody) == {}


def test_a_variable_that_is_not_set_or_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("H2R_SECRET", raising=False)
    assert str(_problem(_use("env", "H2R_SECRET", line=7))) == (
        "inventory.yaml:7 (connections[7].password): the environment variable H2R_SECRET is not set"
        " -> set H2R_SECRET for this run"
    )
    monkeypatch.setenv("H2R_SECRET", "")
    assert "env:H2R_SECRET is empty" in _problem(_use("env", "H2R_SECRET")).message


def test_a_file_that_is_missing_a_folder_or_empty(tmp_path: Path) -> None:
    missing = _problem(_use("file", tmp_path / "absent"))
    assert "absent cannot be read: No such file or directory" in missing.message
    assert "may read the file" in missing.cure
    assert "Is a directory" in _problem(_use("file", tmp_path)).message
    for content in (b"", b"\n", b"\r\n", b"\xef\xbb\xbf\n"):
        (tmp_path / "empty").write_bytes(content)
        assert "is empty" in _problem(_use("file", tmp_path / "empty")).message


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the superuser reads everything")
def test_a_file_without_the_right_to_read_it(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(b"secret")
    path.chmod(0)
    assert "Permission denied" in _problem(_use("file", path)).message


@pytest.mark.parametrize("content", [b"hunter2\xff", "hunter2".encode("utf-16")])
def test_a_password_that_is_not_utf_8(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "secret"
    path.write_bytes(content)
    problem = _problem(_use("file", path))
    assert problem.message == "the secret is not UTF-8 text"
    assert "hunter2" not in str(problem)


def test_a_keyring_without_the_entry_or_locked(memory_keyring: _MemoryKeyring) -> None:
    problem = _problem(_use("keyring", "auditor/svc"))
    assert problem.message == "the keyring has no entry svc of auditor"
    assert problem.cure == "store it with: keyring set auditor svc"
    memory_keyring.is_locked = True
    problem = _problem(_use("keyring", "auditor/svc"))
    assert "cannot be used: KeyringLocked" in problem.message
    assert "hunter2" not in str(problem)


def test_a_keyring_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    problem = _problem(_use("keyring", "auditor/svc"))
    assert problem.message == "the keyring support is not installed"
    assert "[keyring]" in problem.cure


def test_a_prompt_without_a_terminal() -> None:
    problem = _problem(_use("prompt", "defaults.a"))
    assert problem.message == "there is no terminal to ask for the secret"
    assert "env:" in problem.cure


def test_an_empty_answer_is_no_secret() -> None:
    with pytest.raises(InvalidInput, match=r"prompt:defaults\.a is empty"):
        resolve_secrets([_use("prompt", "defaults.a")], lambda _: "")


def test_every_place_without_its_secret_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("H2R_SECRET", raising=False)
    uses = [
        _use("env", "H2R_SECRET"),
        _use("file", tmp_path / "x", line=2),
        _use("env", "H2R_SECRET", line=3),
    ]
    with pytest.raises(InvalidInput) as refused:
        resolve_secrets(uses, _nobody)
    assert [problem.line for problem in refused.value.problems] == [1, 2, 3]


def test_a_found_secret_stays_out_of_the_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("H2R_SECRET", "hunter2")
    monkeypatch.delenv("H2R_OTHER", raising=False)
    with pytest.raises(InvalidInput) as refused:
        resolve_secrets([_use("env", "H2R_SECRET"), _use("env", "H2R_OTHER")], _nobody)
    assert "hunter2" not in str(refused.value)
    assert "hunter2" not in repr(refused.value.problems)
