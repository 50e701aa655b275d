"""How Microsoft delivers Exchange Online: role groups, their roles, and the directory roles behind some of them.

The data carry the month they describe. Administrators may change what they describe, so a judgement uses them
to explain and to group what was read, and for what Exchange does not show; what was read wins.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltInRoleGroup:
    """A role group of every organisation, the roles it is delivered with, and who is in it by a directory role."""

    name: str
    roles: frozenset[str]
    entra_roles: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeDefaults:
    """Exchange Online as delivered in the month `as_of` (`YYYY-MM`); directory roles are template ids.

    `compared_role_types` are the types of the built-in roles that the built-in profiles name, by role: custom roles of
    these types are compared with them, command by command.
    """

    as_of: str
    source: str
    role_groups: tuple[BuiltInRoleGroup, ...]
    compared_role_types: dict[str, str]
    entra_role_by_synthetic_group: dict[str, str]
    far_reaching_role_types: frozenset[str]

    def role_group(self, name: str) -> BuiltInRoleGroup | None:
        """Return the built-in role group of that name; no other role group can be given it."""
        return next((group for group in self.role_groups if group.name.casefold() == name.casefold()), None)

    def compared_role_type(self, name: str) -> str | None:
        """Return the type of a built-in role that copies are compared with; no custom role can be given its name."""
        types = self.compared_role_types.items()
        return next((role_type for known, role_type in types if known.casefold() == name.casefold()), None)

    def is_compared(self, role_type: str) -> bool:
        """Tell whether custom roles of this type are compared with a built-in role."""
        return role_type in self.compared_role_types.values()

    def entra_role_behind(self, name: str) -> str | None:
        """Return the directory role whose holders Microsoft puts into a synthetic role group like `TenantAdmins_-1`."""
        found = re.fullmatch(r"([A-Za-z]+)_-?[0-9a-f]+", name, re.IGNORECASE)
        stem = found[1].casefold() if found else ""
        roles = (role for known, role in self.entra_role_by_synthetic_group.items() if known.casefold() == stem)
        return next(roles, None)


EXCHANGE_DEFAULTS = TypeAdapter(ExchangeDefaults).validate_json(
    Path(__file__).with_name("exchange_defaults.json").read_bytes()
)
