"""Reads every group the account reaches: by its token, upwards through `memberOf`, and its primary group."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from auditor.acl.sid import format_sid, parse_sid
from auditor.collect.directory.filters import SIDS_PER_FILTER, any_of_sids, batches_of_sids
from auditor.collect.directory.session import DESCRIPTOR, FoundObject, Scope, SearchRequest
from auditor.model.evidence import Gap, GapKind
from auditor.model.message import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from auditor.collect.directory.reader import DirectoryReader
    from auditor.collect.evidence_writer import OpenRead
    from auditor.model.evidence import Json

_GROUP_ATTRIBUTES = (
    "objectSid", "sAMAccountName", "groupType", "memberOf", "managedBy", "adminCount", "description",
    DESCRIPTOR,
)
_MEMBERSHIP_ATTRIBUTES = ("objectSid", "memberOf", DESCRIPTOR)
# Everyone, Authenticated Users, Network, This Organization: in every token, in no tokenGroups
_AUTHENTICATED_USERS = parse_sid("S-1-5-11")
_WELL_KNOWN_SIDS = (parse_sid("S-1-1-0"), _AUTHENTICATED_USERS, *map(parse_sid, ("S-1-5-2", "S-1-5-15")))
_NAMES_SHOWN = 20


def read_well_known_memberships(reader: DirectoryReader, context: str) -> tuple[str, ...]:
    """Store the foreign security principals that every token contains; return the DNs of their groups.

    Every domain has one for Authenticated Users, a member of Users since the domain was made. Where it does not show,
    the others may be hidden as well.
    """
    request = SearchRequest(
        base=context,
        attributes=_MEMBERSHIP_ATTRIBUTES,
        filter=f"(&(objectClass=foreignSecurityPrincipal){any_of_sids(_WELL_KNOWN_SIDS)})",
        scope=Scope.SUBTREE,
    )
    groups: list[str] = []
    is_shown = False
    with reader.read("well_known_memberships", request.as_query()) as read:
        for found in reader.objects_below(read, request):
            is_shown |= _AUTHENTICATED_USERS in found.attributes.get("objectsid", ())
            groups.extend(reader.store(read, found).texts("memberOf"))
        if not is_shown:
            read.leave_gap(Gap(
                kind=GapKind.NOT_PERMITTED,
                message=say("which groups every account is in is not known: Authenticated Users does not show"),
                missing_permission=say(
                    "List contents on {dn}, and Read below it", dn=f"CN=ForeignSecurityPrincipals,{context}"
                ),
            ))
    return tuple(groups)


def read_groups(
    reader: DirectoryReader,
    account: FoundObject,
    *,
    context: str,
    token_sids: Sequence[bytes],
    groups: Iterable[str],
) -> None:
    """Store the groups with `token_sids`, the primary group, those in `groups`, and all above any of them.

    The read is incomplete when one of them cannot be read, and names it; also without `token_sids`, because
    `memberOf` may be withheld just as `tokenGroups` was.
    """
    sids = tuple(dict.fromkeys((*token_sids, *_primary_group(account))))
    by_sid = [_groups_with(context, batch) for batch in batches_of_sids(sids)]
    query: dict[str, Json] = {
        **_groups_with(context, sids).as_query(),
        "sids_per_search": SIDS_PER_FILTER,
        "then": _group_at("each DN in memberOf of what was read, upwards").as_query(),
    }
    with reader.read("groups", query) as read:
        walk = _GroupWalk(reader=reader, read=read, missing_sids=set(sids))
        for request in by_sid:
            walk.read_by_sid(request)
        walk.read_upwards([*account.texts("memberOf"), *groups])
        walk.note_unread()
        if not token_sids:
            read.leave_gap(Gap(
                kind=GapKind.INCOMPLETE,
                message=say(
                    "without tokenGroups it is not known which other groups {account} is in", account=account.dn
                ),
            ))


@dataclass(frozen=True, slots=True, kw_only=True)
class _GroupWalk:
    """The groups still to visit, and those that could not be read."""

    reader: DirectoryReader
    read: OpenRead
    missing_sids: set[bytes]
    visited: set[str] = field(default_factory=set)
    to_visit: deque[str] = field(default_factory=deque)
    unreadable: list[str] = field(default_factory=list)

    def read_by_sid(self, request: SearchRequest) -> None:
        for found in self.reader.objects_below(self.read, request):
            self._store(found)

    def read_upwards(self, dns: Iterable[str]) -> None:
        self.to_visit.extend(dns)
        while self.to_visit:
            dn = self.to_visit.popleft()
            if dn in self.visited:
                continue
            self.visited.add(dn)
            answer = self.reader.object_at(self.read, _group_at(dn))
            if isinstance(answer, Gap):
                self.unreadable.append(dn)
            else:
                self._store(answer)

    def note_unread(self) -> None:
        unread = [*sorted(_sid_text(sid) for sid in self.missing_sids), *self.unreadable]
        if not unread:
            return
        names = "; ".join(unread[:_NAMES_SHOWN])
        if len(unread) > _NAMES_SHOWN:
            names = say("{names} and {count} more", names=names, count=len(unread) - _NAMES_SHOWN)
        self.read.leave_gap(Gap(
            kind=GapKind.INCOMPLETE,
            message=say(
                "{count} groups of the account could not be read here: {names}", count=len(unread), names=names
            ),
            missing_permission=say(
                "Read on them; this host does not hold groups of other domains, nor SIDs of a former domain "
                "(sIDHistory)"
            ),
        ))

    def _store(self, found: FoundObject) -> None:
        whole = self.reader.store(self.read, found)
        self.visited.add(whole.dn)
        self.missing_sids.difference_update(whole.attributes.get("objectsid", ()))
        self.to_visit.extend(whole.texts("memberOf"))


def _primary_group(account: FoundObject) -> tuple[bytes, ...]:
    """Return the binary SID of the primary group: the account's domain SID and `primaryGroupID`."""
    sid = next(iter(account.attributes.get("objectsid", ())), b"")
    rid = next(iter(account.texts("primaryGroupID")), "")
    if len(sid) < 12 or not rid.isdecimal() or int(rid) >= 1 << 32:  # noqa: PLR2004
        return ()
    return (sid[:-4] + int(rid).to_bytes(4, "little"),)


def _group_at(dn: str) -> SearchRequest:
    return SearchRequest(base=dn, attributes=_GROUP_ATTRIBUTES)


def _groups_with(context: str, sids: Sequence[bytes]) -> SearchRequest:
    return SearchRequest(base=context, attributes=_GROUP_ATTRIBUTES, filter=any_of_sids(sids), scope=Scope.SUBTREE)


def _sid_text(raw: bytes) -> str:
    try:
        return format_sid(raw)
    except ValueError:
        return raw.hex()
