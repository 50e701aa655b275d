"""Management roles by type, not by name: a custom role counts as far as its remaining cmdlets go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.evaluate.fields import flag, same, text, texts
from auditor.evaluate.judgement import describe_gap
from auditor.matrix.exchange_defaults import EXCHANGE_DEFAULTS
from auditor.model.message import NOTHING, Message, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.model.evidence import Evidence, Read, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagementRole:
    """One role. `lacks` lists what a custom role lost against its root; None: not compared.

    `is_empty` is True when it was compared and no command is left.
    """

    id: str
    name: str
    role_type: str
    is_custom: bool
    is_end_user: bool
    lacks: tuple[str, ...] | None
    lacks_unknown: Message = NOTHING
    is_empty: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagementRoles:
    """All roles by name, case-folded, and why the list may not be whole.

    A role whose type Exchange did not state is as good as unread.
    """

    by_name: dict[str, ManagementRole]
    list_gap: str | None

    def find(self, name: str) -> ManagementRole | None:
        """Return the role of that name; built-in names are known even when the list was not read."""
        role = self.by_name.get(name.casefold())
        if role is not None and not role.role_type:
            return None
        built_in = EXCHANGE_DEFAULTS.compared_role_type(name)
        if role is None and built_in is not None:
            return ManagementRole(id=name, name=name, role_type=built_in, is_custom=False, is_end_user=False, lacks=())
        return role


def read_management_roles(evidence: Evidence) -> ManagementRoles:
    """Map every role to its type and, for custom ones, to what it lost."""
    read = evidence.read("management_roles")
    roles = {text(record, "Name").casefold(): _role(record, tuple(read), evidence) for record in read}
    return ManagementRoles(by_name=roles, list_gap=None if read.gap is None else describe_gap(read.gap))


def _role(record: Record, records: tuple[Record, ...], evidence: Evidence) -> ManagementRole:
    name = text(record, "Name")
    built_in = EXCHANGE_DEFAULTS.compared_role_type(name)
    role_type = text(record, "RoleType") or built_in or ""
    is_copy = EXCHANGE_DEFAULTS.is_compared(role_type) and built_in is None
    is_custom = is_copy or bool(text(record, "Parent")) or flag(record, "IsRootRole") is False
    lacks: tuple[str, ...] | None = ()
    unknown = NOTHING
    if is_custom:
        lacks, unknown = _compare_with_root(record, records, evidence)
    return ManagementRole(
        id=text(record, "ExchangeObjectId") or text(record, "Guid") or text(record, "Name"),
        name=name,
        role_type=role_type,
        is_custom=is_custom,
        is_end_user=flag(record, "IsEndUserRole") is True or role_type.startswith("My"),
        lacks=lacks,
        lacks_unknown=unknown,
        is_empty=is_custom and lacks is not None and not evidence.read("management_role_entries", name).records,
    )


def root_of(record: Record, records: tuple[Record, ...]) -> Record | None:
    """Return the built-in role a custom role descends from: its type's root, which no child can change."""
    role_type = text(record, "RoleType")
    own_type = [other for other in records if same(text(other, "RoleType"), role_type)]
    by_name = (other for other in own_type if EXCHANGE_DEFAULTS.compared_role_type(text(other, "Name")))
    return next(by_name, None) or next((other for other in own_type if not text(other, "Parent")), None)


def _compare_with_root(
    record: Record, records: tuple[Record, ...], evidence: Evidence
) -> tuple[tuple[str, ...] | None, Message]:
    root = root_of(record, records)
    if root is None:
        return None, say("the built-in role behind {name} is not in the list of roles", name=text(record, "Name"))
    own = evidence.read("management_role_entries", text(record, "Name"))
    full = evidence.read("management_role_entries", text(root, "Name"))
    for read in (own, full):
        if read.gap is not None:
            return None, describe_gap(read.gap)
    if not full.records:
        return None, say("Exchange returned no entries of {name} to compare with", name=text(root, "Name"))
    return _missing_entries(own, full), NOTHING


def _missing_entries(own: Read, full: Read) -> tuple[str, ...]:
    have: dict[str, set[str]] = {}
    for entry in own:  # a cmdlet may be listed more than once, of different snap-ins
        have.setdefault(text(entry, "Name").casefold(), set()).update(map(str.casefold, texts(entry, "Parameters")))
    lacks = []
    for entry in full:
        name = text(entry, "Name")
        parameters = have.get(name.casefold())
        if parameters is None:
            lacks.append(name)
            continue
        lost = [parameter for parameter in texts(entry, "Parameters") if parameter.casefold() not in parameters]
        lacks.extend(f"{name} -{parameter}" for parameter in lost)
    return tuple(sorted(lacks))


def lost_together(losses: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """Return what nobody has who holds all of several trimmed roles; the commands and parameters of roles add up.

    Each of `losses` is what one role lacks: `Set-Mailbox`, or `Set-Mailbox -Alias` for a parameter alone.
    """
    candidates = dict.fromkeys(each for lacks in losses for each in lacks)
    return tuple(sorted(each for each in candidates if all(_is_lost(each, lacks) for lacks in losses)))


def _is_lost(entry: str, lacks: tuple[str, ...]) -> bool:
    return entry in lacks or entry.partition(" ")[0] in lacks
