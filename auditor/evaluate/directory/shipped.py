"""What Windows gives groups of its own in every domain and on every OU that is made: nobody delegated it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.acl import AccessMask
from auditor.evaluate.directory.well_known import AUTHENTICATED_USERS, EVERYONE, PRINT_OPERATORS

if TYPE_CHECKING:
    from auditor.acl import Ace

_PRINT_QUEUE = "bf967aa8-0de6-11d0-a285-00aa003049e2"  # class
# (trustee, rights, object type); what Account Operators are given is left out with the rest of rule A2
_SHIPPED = frozenset(
    {
        # Unexpire-Password
        (AUTHENTICATED_USERS, AccessMask.CONTROL_ACCESS, "ccc2dc7d-a6ad-4a7a-8846-c04e3cc53501"),
        # Update-Password-Not-Required-Bit
        (AUTHENTICATED_USERS, AccessMask.CONTROL_ACCESS, "280f369c-67c7-438e-ae98-1d46f3c6f541"),
        # Enable-Per-User-Reversibly-Encrypted-Password
        (AUTHENTICATED_USERS, AccessMask.CONTROL_ACCESS, "05c74c5e-4deb-43b4-bd9f-86664c2a7fd5"),
        # Send-To
        (AUTHENTICATED_USERS, AccessMask.CONTROL_ACCESS, "ab721a55-1e2f-11d0-9819-00aa0040529b"),
        # User-Change-Password
        (EVERYONE, AccessMask.CONTROL_ACCESS, "ab721a53-1e2f-11d0-9819-00aa0040529b"),
        # The class of organizational units, on every one of them
        (PRINT_OPERATORS, AccessMask.CREATE_CHILD | AccessMask.DELETE_CHILD, _PRINT_QUEUE),
    }
)


def is_shipped(ace: Ace, rights: AccessMask) -> bool:
    """Tell whether Windows itself gives the trustee of an ACE these rights."""
    return (ace.trustee, rights, ace.object_type) in _SHIPPED
