"""Adds a waiver to a file and keeps everything a person wrote there, comments included."""

from __future__ import annotations

import io
import os
from contextlib import suppress
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedSeq

from auditor.errors import InvalidInput, RunFailed
from auditor.waivers.load import load_waivers

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from auditor.model.waiver import Waiver

_NEW_FILE = "# Accepted findings. Each entry ends; `auditor waivers list` shows when.\nversion: 1\nwaivers: []\n"
_WIDTH = 4096  # no line is folded that a person did not fold


def next_id(known: frozenset[str]) -> str:
    """Return the first of `W-001`, `W-002` and so on that is not `known`."""
    return next(name for number in range(1, len(known) + 2) if (name := f"W-{number:03}") not in known)


def add_waiver(path: Path, waiver: Waiver, today: date) -> None:
    """Append `waiver` to the file, which is made when it is not there.

    The new content is checked before it replaces the old in one step. Raises InvalidInput when it does
    not pass the file's own rules, RunFailed when the file cannot be written.
    """
    staged = path.with_name(f".{path.name}.new")
    try:
        text = path.read_bytes().decode("utf-8-sig") if path.exists() else _NEW_FILE
        staged.write_text(_appended(text, _as_plain(waiver)), encoding="utf-8", newline="\n")
        _require_valid(staged, path, today)
        with staged.open("rb") as stream:
            os.fsync(stream.fileno())
        staged.replace(path)
    except OSError as error:
        raise RunFailed(f"{path} cannot be written: {error.strerror}") from error
    finally:
        with suppress(OSError):  # on a file system that is read-only it was never written
            staged.unlink(missing_ok=True)


def _require_valid(staged: Path, path: Path, today: date) -> None:
    try:
        load_waivers(staged, today)
    except InvalidInput as invalid:
        raise InvalidInput(replace(problem, file=str(path)) for problem in invalid.problems) from invalid


def _as_plain(waiver: Waiver) -> dict[str, str]:
    return {name: value if isinstance(value, str) else value.isoformat() for name, value in asdict(waiver).items()}


def _appended(text: str, entry: dict[str, str]) -> str:
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = _WIDTH
    content: Any = yaml.load(text)
    entries = content["waivers"]
    if not isinstance(entries, CommentedSeq) or not entries:
        entries = content["waivers"] = CommentedSeq()
        offset = 2
    else:
        offset = entries.lc.col  # the column of the dashes, as the file has it
    entries.append(entry)
    yaml.indent(mapping=2, sequence=offset + 2, offset=offset)
    written = io.StringIO()
    yaml.dump(content, written)
    return written.getvalue()
