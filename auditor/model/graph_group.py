"""What Microsoft Graph says about a group."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from auditor.model.evidence import Record


def is_assignable_to_role(group: Record) -> bool | None:
    """Tell whether a group can hold directory roles; None when Graph did not say.

    Graph writes null for a group that was not created for roles, and it shows null in every property but the id to who
    may not read the group (https://learn.microsoft.com/graph/api/user-list-transitivememberof). The name, which every
    group has, tells the two apart.
    """
    value = group.get("isAssignableToRole")
    if isinstance(value, bool):
        return value
    is_shown = isinstance(group.get("displayName"), str)
    return False if is_shown and "isAssignableToRole" in group and value is None else None
