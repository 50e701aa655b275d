"""The image: without privileges, with what the PDF needs, and nothing else of the repository."""

from __future__ import annotations

import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
CONTAINERFILE = (REPOSITORY / "Containerfile").read_text(encoding="utf-8")


def test_it_installs_what_the_pdf_needs() -> None:
    packages = (REPOSITORY / "scripts" / "system-packages").read_text(encoding="utf-8")
    wanted = re.search(r"apt-get:pdf\) install=\"\$apt_install (.*)\"", packages)
    assert wanted is not None
    assert set(wanted[1].split()) <= set(CONTAINERFILE.split())


def test_it_runs_as_nobody_in_particular() -> None:
    users = re.findall(r"^USER (.*)$", CONTAINERFILE, re.MULTILINE)
    assert users == ["10001:10001"]  # numeric: Kubernetes cannot tell that a name is not root
    assert CONTAINERFILE.index("USER") > CONTAINERFILE.rindex("RUN")


def test_only_what_is_copied_reaches_the_build() -> None:
    kept = {line[1:] for line in (REPOSITORY / ".containerignore").read_text().splitlines() if line.startswith("!")}
    lines = re.findall(r"^COPY (?!--)(.*) \S+$", CONTAINERFILE, re.MULTILINE)
    assert {name for line in lines for name in line.split()} == kept
    assert all((REPOSITORY / name).exists() for name in kept)


def test_dependencies_are_those_of_the_lock() -> None:
    assert "--require-hashes -r requirements.txt" in CONTAINERFILE
