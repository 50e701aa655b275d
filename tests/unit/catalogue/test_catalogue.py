"""The catalogue tells the truth: what it calls built is in the code, and the page shows what it says."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import auditor
from auditor.catalogue import CATALOGUE
from auditor.matrix.load import known_profiles, load_matrix

PACKAGE = Path(auditor.__file__).parent
ROOT = Path(__file__).parents[3]
BUILT = {check.id for check in CATALOGUE.values() if check.is_built}


def _ids_in_code() -> set[str]:
    """Return every check id that stands in the code of `evaluate` as a text of its own, so in no docstring."""
    return {
        node.value
        for file in sorted((PACKAGE / "evaluate").rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value in CATALOGUE
    }


def _ids_in_profiles() -> set[str]:
    profiles = (load_matrix(name).profile for name in known_profiles())
    return {requirement.check for profile in profiles for requirement in profile.requirements}


def test_every_check_that_is_called_built_is_reported_by_the_code_or_judged_by_the_matrix() -> None:
    assert BUILT - _ids_in_code() - _ids_in_profiles() == set()


def test_no_check_that_is_reported_is_called_not_built() -> None:
    assert (_ids_in_code() | _ids_in_profiles()) - BUILT == set()


def test_the_page_of_checks_is_current(tmp_path: Path) -> None:
    page = tmp_path / "checks.md"
    subprocess.run([sys.executable, ROOT / "scripts" / "write-checks-page", page], check=True)
    assert page.read_text(encoding="utf-8") == (ROOT / "docs" / "checks.md").read_text(encoding="utf-8")
