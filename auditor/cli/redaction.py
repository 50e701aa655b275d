"""The options `--redact` and `--redact-key`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from auditor.errors import Problem

SHORTEST_KEY = 16  # characters; a shorter one is found by trying


def redaction_key(reference: str | None, *, redact: bool) -> bytes | None:
    """Return the key that a reference names, None without one. Raises InvalidInput when there is none to be used."""
    from auditor.cli.invocation import ask  # noqa: PLC0415 - --help must not load it
    from auditor.errors import InvalidInput  # noqa: PLC0415
    from auditor.inventory.entries import SecretUse  # noqa: PLC0415
    from auditor.inventory.fields import REFERENCE_FORMS, parse_secret_reference  # noqa: PLC0415
    from auditor.settings import resolve_secrets  # noqa: PLC0415

    if reference is None:
        return None
    if not redact:
        raise typer.BadParameter("is only used with --redact", param_hint="--redact-key")
    parsed = parse_secret_reference(reference, Path.cwd())
    if parsed is None:  # no message repeats it: it may be the secret itself
        message = "must be a reference to a secret, never the secret itself"
        raise InvalidInput([_problem(message, f"write {REFERENCE_FORMS}")])
    use = SecretUse(reference=parsed, file="--redact-key", line=None, place="the key of the tokens")
    key: bytes = resolve_secrets([use], ask)[parsed].value
    if len(key) < SHORTEST_KEY:
        raise InvalidInput([_problem("is too short", f"use at least {SHORTEST_KEY} characters that nobody guesses")])
    return key


def _problem(message: str, cure: str) -> Problem:
    from auditor.errors import Problem  # noqa: PLC0415

    return Problem(file="--redact-key", line=None, place="", message=message, cure=cure)
