"""Finds the templates, style sheets, script and fonts of the report."""

from __future__ import annotations

from pathlib import Path

import auditor
from auditor.errors import RunFailed


def templates_folder() -> Path:
    """Return the folder of templates: inside the package when installed, beside it in a checkout.

    Raises RunFailed when neither is there.
    """
    package = Path(auditor.__file__).resolve().parent
    for folder in (package / "report_templates", package.parent / "report_templates"):
        if (folder / "report.html").is_file():
            return folder
    raise RunFailed("the report's templates are missing: install the tool again")
