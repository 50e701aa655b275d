"""Secrets, resolved from the references in the inventory. They live in memory and appear in no message."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from auditor.errors import InvalidInput, Problem
from auditor.model.sign_in import Secret, SecretReference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from auditor.inventory.entries import SecretUse

_UTF8_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failure:
    message: str
    cure: str


def resolve_secrets(uses: Iterable[SecretUse], ask: Callable[[str], str]) -> dict[SecretReference, Secret]:
    """Resolve every reference once; prompts go through `ask`, which takes the place the secret is for.

    `ask` raises EOFError when nobody can answer. A password is UTF-8 text, from a file without its last
    line break; a certificate is the bytes as they are. An empty secret counts as none: directories take
    a bind with an empty password for an anonymous one (RFC 4513, 5.1.2). Raises InvalidInput with a
    problem for every place whose secret cannot be had.
    """
    resolved: dict[SecretReference, Secret | _Failure] = {}
    problems = []
    for use in uses:
        if use.reference not in resolved:
            resolved[use.reference] = _resolve(use, ask)
        result = resolved[use.reference]
        if isinstance(result, _Failure):
            problems.append(Problem(
                file=use.file, line=use.line, place=use.place, message=result.message, cure=result.cure
            ))
    if problems:
        raise InvalidInput(problems)
    return {reference: secret for reference, secret in resolved.items() if isinstance(secret, Secret)}


def _resolve(use: SecretUse, ask: Callable[[str], str]) -> Secret | _Failure:
    reference = use.reference
    match reference.scheme:
        case "env":
            value = _from_environment(reference.locator)
        case "file":
            value = _from_file(Path(reference.locator))
        case "keyring":
            value = _from_keyring(reference.locator)
        case "prompt":
            value = _from_prompt(reference.locator, ask)
        case scheme:
            raise ValueError(f"{scheme} is no scheme of secret references")
    if isinstance(value, bytes) and not use.is_certificate:
        value = _as_password(value, is_file=reference.scheme == "file")
    if value == b"":
        return _Failure(message=f"{reference} is empty", cure="store the secret there")
    return value if isinstance(value, _Failure) else Secret(value)


def _as_password(value: bytes, *, is_file: bool) -> bytes | _Failure:
    if is_file:
        value = value.removeprefix(_UTF8_BOM).removesuffix(b"\n").removesuffix(b"\r")
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return _Failure(message="the secret is not UTF-8 text", cure="store the secret as UTF-8 text")
    return value


def _from_environment(name: str) -> bytes | _Failure:
    value = os.environ.get(name)
    if value is None:
        message = f"the environment variable {name} is not set"
        return _Failure(message=message, cure=f"set {name} for this run")
    return value.encode("utf-8", "surrogateescape")


def _from_file(path: Path) -> bytes | _Failure:
    try:
        return path.read_bytes()
    except OSError as error:
        cure = "check the path, and that the account that runs this tool may read the file"
        return _Failure(message=f"{path} cannot be read: {error.strerror}", cure=cure)


def _from_keyring(locator: str) -> bytes | _Failure:
    service, _, name = locator.partition("/")
    try:
        # An optional extra, and slow to start: only those who use it pay for it
        import keyring  # noqa: PLC0415
        from keyring.errors import KeyringError  # noqa: PLC0415
    except ImportError:
        cure = "install hire2retire-permission-auditor[keyring], or keep the secret elsewhere"
        return _Failure(message="the keyring support is not installed", cure=cure)
    try:
        value = keyring.get_password(service, name)
    except KeyringError as error:
        cure = "unlock the keyring of the account that runs this tool, or keep the secret elsewhere"
        return _Failure(message=f"the keyring cannot be used: {type(error).__name__}", cure=cure)
    if value is None:
        cure = f"store it with: keyring set {service} {name}"
        return _Failure(message=f"the keyring has no entry {name} of {service}", cure=cure)
    return str(value).encode("utf-8")


def _from_prompt(place: str, ask: Callable[[str], str]) -> bytes | _Failure:
    try:
        return ask(place).encode("utf-8", "surrogateescape")
    except EOFError:
        cure = "run the tool in a terminal, or keep the secret in env:, file: or keyring:"
        return _Failure(message="there is no terminal to ask for the secret", cure=cure)
