"""Management roles by type, not by name: a custom role counts as far as its remaining cmdlets go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.evaluate.fields import flag, same, text, texts
from auditor.evaluate.judgement import describe_gap

if TYPE_CHECKING:
    from auditor.model.evidence import Evidence, Read, Record

# Built-in role names cannot be given to custom roles, so these names are known without a read.
BUILT_IN_ROLE_TYPES = {
    "distribution groups": "DistributionGroups",
    "mail recipients": "MailRecipients",
    "security group creation and membership": "SecurityGroupCreationAndMembership",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagementRole:
    """One role. `lacks` lists what a custom role lost against its root; None: not compared."""

    id: str
    name: str
    role_type: str
    is_custom: bool
    is_end_user: bool
    lacks: tuple[str, ...] | None
    lacks_unknown: str = ""


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
        built_in = BUILT_IN_ROLE_TYPES.get(name.casefold())
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
    role_type = text(record, "RoleType") or BUILT_IN_ROLE_TYPES.get(name.casefold(), "")
    is_copy = role_type in BUILT_IN_ROLE_TYPES.values() and name.casefold() not in BUILT_IN_ROLE_TYPES
    is_custom = is_copy or bool(text(record, "Parent")) or flag(record, "IsRootRole") is False
    lacks: tuple[str, ...] | None = ()
    unknown = ""
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
    )


def root_of(record: Record, records: tuple[Record, ...]) -> Record | None:
    """Return the built-in role a custom role descends from: its type's root, which no child can change."""
    role_type = text(record, "RoleType")
    own_type = [other for other in records if same(text(other, "RoleType"), role_type)]
    by_name = (other for other in own_type if text(other, "Name").casefold() in BUILT_IN_ROLE_TYPES)
    return next(by_name, None) or next((other for other in own_type if not text(other, "Parent")), None)


def _compare_with_root(
    record: Record, records: tuple[Record, ...], evidence: Evidence
) -> tuple[tuple[str, ...] | None, str]:
    root = root_of(record, records)
    if root is None:
        return None, f"the built-in role behind {text(record, 'Name')} is not in the list of roles"
    own = evidence.read("management_role_entries", text(record, "Name"))
    full = evidence.read("management_role_entries", text(root, "Name"))
    for read in (own, full):
        if read.gap is not None:
            return None, describe_gap(read.gap)
    if not full.records:
        return None, f"Exchange returned no entries of {text(root, 'Name')} to compare with"
    return _missing_entries(own, full), ""


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
