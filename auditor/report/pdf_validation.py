"""Asks veraPDF whether a PDF holds what it claims, on machines that have it; elsewhere nothing is said."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

VALIDATOR = "verapdf"
TIMEOUT_S = 300
_VALID, _INVALID = 0, 1  # exit codes of its command line; any other means that it could not judge


def validate_claim(path: Path) -> tuple[bool | None, str] | None:
    """Return whether a PDF conforms to the PDF/A it claims, and in words; None without a validator on the PATH.

    The truth is None when the validator could not judge.
    """
    program = shutil.which(VALIDATOR)
    if program is None:
        return None
    command = [program, "--format", "text", str(path.absolute())]  # without --flavour it takes what the file claims
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=TIMEOUT_S)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        return None, f"veraPDF could not judge it ({type(error).__name__})"
    said = done.stdout.decode("utf-8", "replace").strip().splitlines()
    word = said[0].partition(" ")[0] if said else ""
    if done.returncode == _VALID and word == "PASS":
        return True, "veraPDF: it conforms to the PDF/A that it claims"
    if done.returncode == _INVALID and word == "FAIL":
        return False, "veraPDF: it does not conform to the PDF/A that it claims"
    return None, f"veraPDF could not judge it (exit code {done.returncode})"
