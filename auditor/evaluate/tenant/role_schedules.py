"""When roles and memberships end, as Privileged Identity Management schedules them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.evaluate.fields import same, text
from auditor.model.instants import parse_instant

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from auditor.model.evidence import Evidence, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When something ends (as Graph writes it; None: it does not), and whether somebody activated it."""

    ends_at: str | None = None
    is_activated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedules:
    """Schedules of role assignments by principal, role and scope, and of memberships by group; ids case-folded."""

    roles: Mapping[tuple[str, str, str], Schedule]
    memberships: Mapping[str, Schedule]

    def of_role(self, principal_id: str, role_id: str, scope: str) -> Schedule:
        """Return the schedule of a role assignment; without one it has no end."""
        return self.roles.get((principal_id.casefold(), role_id.casefold(), scope.casefold()), Schedule())

    def end_of_membership(self, group_id: str) -> str | None:
        """Return when the account will have left a group."""
        return self.memberships.get(group_id.casefold(), Schedule()).ends_at

    @staticmethod
    def earlier(left: str | None, right: str | None) -> str | None:
        """Return the earlier of two ends."""
        return min((end for end in (left, right) if end is not None), key=_order, default=None)


def read_schedules(evidence: Evidence) -> Schedules:
    """Gather the schedules of the account and of its groups."""
    roles: dict[tuple[str, str, str], list[Record]] = defaultdict(list)
    for _, read in evidence.reads_of("role_assignment_instances"):
        for record in read:
            key = (text(record, "principalId"), text(record, "roleDefinitionId"), text(record, "directoryScopeId"))
            roles[key[0].casefold(), key[1].casefold(), key[2].casefold()].append(record)
    memberships: dict[str, list[Record]] = defaultdict(list)
    for record in evidence.read("group_assignment_instances"):
        if same(text(record, "accessId"), "member"):
            memberships[text(record, "groupId").casefold()].append(record)
    return Schedules(
        roles={key: _schedule(records) for key, records in roles.items()},
        memberships={key: _schedule(records) for key, records in memberships.items()},
    )


def _schedule(records: Iterable[Record]) -> Schedule:
    """Join several schedules of one thing: it ends with the last of them."""
    found = tuple(records)
    ends = [text(record, "endDateTime") for record in found]
    return Schedule(
        ends_at=max(ends, key=_order) if all(ends) else None,
        is_activated=all(same(text(record, "assignmentType"), "Activated") for record in found),
    )


def _order(instant: str) -> tuple[bool, float, str]:
    """Order instants by time; one that cannot be read comes after all others."""
    try:
        return False, parse_instant(instant).timestamp(), instant
    except ValueError:
        return True, 0, instant
