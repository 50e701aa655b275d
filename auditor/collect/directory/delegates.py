"""Reads who is behind the trustees that a target OU's own entries name: accounts, and everybody in groups."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from auditor.acl import AceKind, MalformedDescriptor, domain_of_sid, parse_descriptor, parse_sid, rid_of_sid
from auditor.collect.directory.filters import any_of_sids, filter_value
from auditor.collect.directory.session import DESCRIPTOR, FoundObject, Scope, SearchRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from auditor.collect.directory.reader import DirectoryReader

_ATTRIBUTES = ("objectSid", "sAMAccountName", "userPrincipalName", "displayName", "objectClass", "userAccountControl")
_LOWEST_RID_OF_NO_BUILT_IN = 1000  # MS-SAMR 3.1.1.9.2: those below are Windows' own
# Computers are users by class; of them only group managed service accounts sign in for a service.
_ACCOUNTS_AND_GROUPS = (
    "(|(&(objectClass=user)(!(objectClass=computer)))(objectClass=msDS-GroupManagedServiceAccount)(objectClass=group))"
)


def read_delegates(reader: DirectoryReader, context: str, units: Iterable[str]) -> None:
    """Store for each trustee of the domain that may do something on one of `units` the accounts it stands for."""
    for sid in sorted({sid for unit in units for sid in _trustees(reader, unit)}):
        request = SearchRequest(
            base=context, attributes=_ATTRIBUTES, filter=any_of_sids([parse_sid(sid)]), scope=Scope.SUBTREE
        )
        with reader.read("delegates", request.as_query(), subject=sid) as read:
            pending = deque(reader.objects_below(read, request))
            seen = {found.dn for found in pending}
            while pending:
                found = reader.store(read, pending.popleft())
                if "group" in found.texts("objectClass"):
                    for member in reader.objects_below(read, _members_of(found, context)):
                        if member.dn not in seen:
                            seen.add(member.dn)
                            pending.append(member)


def _trustees(reader: DirectoryReader, unit: str) -> Iterator[str]:
    answer = reader.session.object_at(SearchRequest(base=unit, attributes=(DESCRIPTOR,)))
    raw = answer.attributes.get(DESCRIPTOR.lower(), ()) if isinstance(answer, FoundObject) else ()
    for descriptor in raw:
        try:
            aces = parse_descriptor(descriptor).dacl or ()
        except MalformedDescriptor:
            continue  # the dataset `target_ou` holds it, and says so
        yield from (ace.trustee for ace in aces if ace.kind is not AceKind.DENY and _is_of_a_domain(ace.trustee))


def _is_of_a_domain(sid: str) -> bool:
    return domain_of_sid(sid) is not None and rid_of_sid(sid) >= _LOWEST_RID_OF_NO_BUILT_IN


def _members_of(group: FoundObject, context: str) -> SearchRequest:
    """Ask for the accounts and groups in a group, level by level: not every server follows a chain in one search."""
    rids = (int.from_bytes(sid[-4:], "little") for sid in group.attributes.get("objectsid", ()))
    primary = "".join(f"(primaryGroupID={rid})" for rid in rids)
    inside = f"(|(memberOf={filter_value(group.dn)}){primary})"
    return SearchRequest(
        base=context, attributes=_ATTRIBUTES, filter=f"(&{_ACCOUNTS_AND_GROUPS}{inside})", scope=Scope.SUBTREE
    )
