"""Profile files for tests: the one that comes with the tool, changed."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

from auditor.matrix.load import PROFILES

if TYPE_CHECKING:
    from pathlib import Path

_DEFAULT: dict[str, Any] = YAML(typ="safe").load(PROFILES / "hybrid-exchange-online.yaml")


def default_profile() -> dict[str, Any]:
    """Return the default profile as plain values, free to change."""
    return copy.deepcopy(_DEFAULT)


def requirement(profile: dict[str, Any], requirement_id: str) -> dict[str, Any]:
    """Return one requirement of a profile."""
    return next(each for each in profile["requirements"] if each["id"] == requirement_id)


def write_profile(path: Path, profile: dict[str, Any]) -> Path:
    """Write a profile file and return its path."""
    path.write_text(json.dumps(profile), encoding="utf-8")
    return path
