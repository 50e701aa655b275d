"""The account's token and the membership graph that explains it.

`tokenGroups` decides what is in the token; the `memberOf` walk explains the way. A SID that the walk
cannot explain stays in the token, and is carried apart wherever the way matters.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING

from auditor.acl import domain_of_sid, rid_of_sid
from auditor.evaluate.directory.well_known import (
    BASELINE_BUILT_IN,
    DOMAIN_ADMINS_RID,
    DOMAIN_USERS_RID,
    IN_EVERY_TOKEN,
    is_built_in_administration,
)
from auditor.model.directory_entry import DirectoryEntry, record_to_entry
from auditor.model.distinguished_name import parse_dn
from auditor.model.evidence import Gap, GapKind
from auditor.model.message import say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.model.evidence import Evidence
    from auditor.model.results import Path

Way = tuple[str, ...]

_SECURITY_ENABLED = 0x80000000  # groupType bit, MS-ADTS 2.2.12


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """Every SID the account's sign-in carries, and how each came into the token.

    `sign_in_name` is a name for commands: `name@domain`. `names` maps SIDs to group names. `ways` maps a SID
    to the shortest chain of SIDs from the account to it; a SID of the token without a way is `unexplained`.
    `without_domain_admins` is the token after leaving Domain Admins, built-in administration excluded,
    `ways_without_domain_admins` the chains that remain; SIDs in `perhaps_without_domain_admins` may be in it
    as well, because the way to them could not be read. `token_gap` and `well_known_gap` say why the token may
    be larger than what is here: the second one hides groups that Everyone and the like are members of.
    `walked_beyond_token` are security groups the walk reaches and the token does not hold.
    """

    account_sid: str
    sign_in_name: str
    token: frozenset[str]
    token_gap: Gap | None
    well_known_gap: Gap | None
    names: Mapping[str, str]
    ways: Mapping[str, Way]
    without_domain_admins: frozenset[str]
    perhaps_without_domain_admins: frozenset[str]
    ways_without_domain_admins: Mapping[str, Way]
    unexplained: frozenset[str]
    walked_beyond_token: frozenset[str]
    domain_admins: str | None

    @property
    def is_domain_admin(self) -> bool:
        """True if Domain Admins of the account's own domain is in the token."""
        return self.domain_admins in self.token

    def is_everybodys(self, sid: str) -> bool:
        """Tell whether every account of the domain holds a SID: Everyone and the like, and groups they are in."""
        if sid in IN_EVERY_TOKEN or sid in BASELINE_BUILT_IN:
            return True
        if domain_of_sid(sid) is not None and rid_of_sid(sid) == DOMAIN_USERS_RID:
            return True
        return any(step in IN_EVERY_TOKEN for step in self.ways.get(sid, ()))

    def path_to(self, sid: str) -> Path:
        """Return the names on the way to a SID, or a path that says that it could not be read."""
        way = self.ways.get(sid)
        if way is None:
            return (self.names[self.account_sid], say("membership path not readable"), self.names.get(sid, sid))
        return self.in_names(way)

    def path_without_domain_admins_to(self, sid: str) -> Path:
        """Return the names on the way to a SID that remains after leaving Domain Admins."""
        way = self.ways_without_domain_admins.get(sid)
        return self.path_to(sid) if way is None else self.in_names(way)

    def in_names(self, way: Way) -> Path:
        """Return a chain of SIDs as a chain of names."""
        return tuple(self.names.get(sid, sid) for sid in way)


def read_membership(evidence: Evidence, account: DirectoryEntry) -> Membership:
    """Build token and graph of `account`. Raises ValueError when the account has no SID."""
    sid = account.sid
    if sid is None:
        msg = "an account without objectSid cannot hold access"
        raise ValueError(msg)
    graph = _Graph(evidence, account, sid)
    token_read = evidence.read("token_groups")
    token_entries = [record_to_entry(record) for record in token_read]
    token_sids = frozenset(member for entry in token_entries for member in entry.sids("tokenGroups"))
    token_gap = token_read.gap or _gap_in_token(account, token_entries)
    is_complete = token_gap is None
    allowed = token_sids if is_complete else None
    domain = domain_of_sid(sid)
    domain_admins = f"{domain}-{DOMAIN_ADMINS_RID}" if domain else None
    ways = graph.walk(allowed, blocked=None)
    ways_without = graph.walk(allowed, blocked=domain_admins)
    own = frozenset({sid, *account.sids("sIDHistory"), *IN_EVERY_TOKEN})
    unexplained = token_sids - ways.keys()
    without = frozenset(member for member in {*own, *ways_without} if not is_built_in_administration(member))
    perhaps = frozenset(member for member in unexplained if not is_built_in_administration(member))
    return Membership(
        account_sid=sid,
        sign_in_name=_sign_in_name(account, sid),
        token=frozenset({*own, *token_sids, *ways}),
        token_gap=token_gap,
        well_known_gap=evidence.read("well_known_memberships").gap or graph.gap_behind_well_known(),
        names=graph.names,
        ways=ways,
        without_domain_admins=without,
        perhaps_without_domain_admins=perhaps - without,
        ways_without_domain_admins=ways_without,
        unexplained=unexplained,
        walked_beyond_token=graph.security_groups_reached() - token_sids - own if is_complete else frozenset(),
        domain_admins=domain_admins,
    )


class _Graph:
    """Groups by SID, with the edges `memberOf`, primary group, and well-known membership."""

    def __init__(self, evidence: Evidence, account: DirectoryEntry, account_sid: str) -> None:
        entries = [record_to_entry(record) for record in evidence.read("groups")]
        self._account = account
        self._account_sid = account_sid
        self._by_dn = {_key(entry.dn): entry for entry in entries}
        self._by_sid = {entry.sid: entry for entry in entries if entry.sid}
        self._well_known = {
            entry.sid: entry
            for record in evidence.read("well_known_memberships")
            if (entry := record_to_entry(record)).sid in IN_EVERY_TOKEN and entry.sid
        }
        self.names: dict[str, str] = {
            account_sid: account.text("sAMAccountName") or account.dn,
            **IN_EVERY_TOKEN,
            **{sid: entry.text("sAMAccountName") or entry.dn for sid, entry in self._by_sid.items() if sid},
        }

    def walk(self, allowed: frozenset[str] | None, blocked: str | None) -> dict[str, Way]:
        """Return the shortest chain of SIDs to every SID, breadth first; among equally short ones by SID.

        `allowed` limits the walk to the groups the directory itself put into the token; `blocked` is a
        group that is not entered. What Everyone and the like are members of is followed as well:
        tokenGroups leaves it out, the directory's token does not.
        """
        ways: dict[str, Way] = {self._account_sid: (self._account_sid,)}
        ways |= {sid: (self._account_sid, sid) for sid in (*self._account.sids("sIDHistory"), *IN_EVERY_TOKEN)}
        queue = deque([(self._account_sid, self._account), *sorted(self._well_known.items(), key=itemgetter(0))])
        through_well_known = set(self._well_known)
        while queue:
            sid, entry = queue.popleft()
            for group_sid, group in self._groups_of(sid, entry):
                is_done = group_sid in ways or group_sid == blocked
                if is_done or not (sid in through_well_known or _is_in_token(group_sid, group, allowed)):
                    continue
                ways[group_sid] = (*ways[sid], group_sid)
                if sid in through_well_known:
                    through_well_known.add(group_sid)
                queue.append((group_sid, group))
        return ways

    def gap_behind_well_known(self) -> Gap | None:
        """Return a gap when a group that Everyone and the like are in, through any nesting, was not read."""
        queue = deque(self._well_known.values())
        seen: set[str] = set()
        while queue:
            entry = queue.popleft()
            for dn in entry.texts("memberOf"):
                if _key(dn) not in self._by_dn:
                    return Gap(
                        kind=GapKind.INCOMPLETE,
                        message=say("the group {dn} was not read, and every account is in it", dn=dn),
                        missing_permission=say("Read property on that group"),
                    )
                if _key(dn) not in seen:
                    seen.add(_key(dn))
                    queue.append(self._by_dn[_key(dn)])
        return None

    def security_groups_reached(self) -> frozenset[str]:
        """Return the SIDs of security groups reached from the account itself, ignoring tokenGroups."""
        seen: set[str] = set()
        queue = deque([(self._account_sid, self._account)])
        while queue:
            sid, entry = queue.popleft()
            for group_sid, group in self._groups_of(sid, entry):
                if group_sid not in seen and (group.integer("groupType") or 0) & _SECURITY_ENABLED:
                    seen.add(group_sid)
                    queue.append((group_sid, group))
        return frozenset(seen)

    def _groups_of(self, sid: str, entry: DirectoryEntry) -> list[tuple[str, DirectoryEntry]]:
        found = [self._by_dn.get(_key(dn)) for dn in entry.texts("memberOf")]
        primary = entry.integer("primaryGroupID")
        domain = domain_of_sid(sid)
        if primary is not None and domain is not None:
            found.append(self._by_sid.get(f"{domain}-{primary}"))
        groups = ((group.sid, group) for group in found if group is not None)
        return sorted(
            ((group_sid, group) for group_sid, group in groups if group_sid is not None), key=itemgetter(0)
        )


def _gap_in_token(account: DirectoryEntry, token_entries: list[DirectoryEntry]) -> Gap | None:
    """Return a gap when the token cannot be all there is: every account is in its primary group at least."""
    if not any(entry.sids("tokenGroups") for entry in token_entries):
        return Gap(
            kind=GapKind.INCOMPLETE,
            message=say("the directory returned no tokenGroups for the account"),
            missing_permission=say("Read all properties on the account"),
        )
    malformed = any(entry.has_malformed_sids("tokenGroups") for entry in token_entries)
    if malformed or account.has_malformed_sids("sIDHistory"):
        return Gap(kind=GapKind.MALFORMED, message=say("the directory returned values that are no SIDs"))
    return None


def _is_in_token(sid: str, group: DirectoryEntry, allowed: frozenset[str] | None) -> bool:
    """Let the directory's own token decide; without it only security groups count."""
    if allowed is not None:
        return sid in allowed
    return bool((group.integer("groupType") or 0) & _SECURITY_ENABLED)


def _sign_in_name(account: DirectoryEntry, sid: str) -> str:
    """Return the implicit user principal name, which every account has (MS-ADTS 5.1.1.1.1), or the SID."""
    name = account.text("sAMAccountName")
    try:
        domain = parse_dn(account.dn).dns_domain
    except ValueError:
        return sid
    return f"{name}@{domain}" if name and domain else sid


def _key(dn: str) -> str:
    try:
        return parse_dn(dn).normalised
    except ValueError:
        return dn.casefold()
