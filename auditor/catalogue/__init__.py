"""Every check: title, rule, why it matters, and proposed control references.

Ids are stable once released. The references are proposals for a compliance person to confirm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.catalogue.audit import AUDIT
from auditor.catalogue.check import Check
from auditor.catalogue.directory_account import DIRECTORY_ACCOUNT
from auditor.catalogue.directory_connection import DIRECTORY_CONNECTION
from auditor.catalogue.directory_exposure import DIRECTORY_EXPOSURE
from auditor.catalogue.directory_rights import DIRECTORY_RIGHTS
from auditor.catalogue.entra import ENTRA
from auditor.catalogue.exchange import EXCHANGE

if TYPE_CHECKING:
    from collections.abc import Mapping

CATALOGUE: Mapping[str, Check] = {
    check.id: check
    for check in (
        *DIRECTORY_CONNECTION,
        *DIRECTORY_ACCOUNT,
        *DIRECTORY_EXPOSURE,
        *DIRECTORY_RIGHTS,
        *EXCHANGE,
        *ENTRA,
        *AUDIT,
    )
}

__all__ = ["CATALOGUE", "Check"]
