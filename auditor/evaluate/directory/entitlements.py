"""Every group in the account's token, and whether the matrix documents it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from auditor.acl import Token, domain_of_sid, rid_of_sid
from auditor.evaluate.directory.user_task import decide_user_task
from auditor.evaluate.directory.well_known import (
    ADMINISTRATORS,
    DENIED_RODC_REPLICATION_RID,
    IN_EVERY_TOKEN,
    PRIVILEGED_BUILT_IN,
    PRIVILEGED_NAMES,
    PRIVILEGED_RIDS,
)
from auditor.matrix.profile import DirectoryGroup
from auditor.model.connection import ConnectionKind
from auditor.model.directory_entry import record_to_entry
from auditor.model.outcome import Outcome
from auditor.model.results import EntitlementRecord

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.evaluate.directory.judge import DirectoryFacts
    from auditor.evaluate.directory.membership import Membership

Status = Literal["documented", "excess", "baseline", "not_judged"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldGroup:
    """One group of the token. `not_judged` where it may carry a delegation on a target OU that was not read."""

    sid: str
    name: str
    status: Status
    is_privileged: bool
    is_explained: bool


def held_groups(facts: DirectoryFacts) -> tuple[HeldGroup, ...]:
    """Classify every group of the token against the profile; empty when the account was not read."""
    membership = facts.account.membership
    if membership is None:
        return ()
    carriers = _documented_carriers(facts, membership)
    all_carriers_are_known = bool(facts.delegations) and all(
        each.subtree is not None or each.judgement.outcome is Outcome.MISSING for each in facts.delegations.values()
    )
    # The check of SID history tells former identities; a SID there that administers is as good as the membership.
    former = {sid for sid in sid_history(facts) if not _is_privileged(sid, membership)}
    usual = f"{domain_of_sid(membership.account_sid)}-{facts.account.usual_primary_group}"
    ignored = {membership.account_sid, *IN_EVERY_TOKEN, *former}
    return tuple(
        HeldGroup(
            sid=sid,
            name=membership.names.get(sid, sid),
            status=_status(sid, membership, carriers, usual, is_known=all_carriers_are_known),
            is_privileged=_is_privileged(sid, membership),
            is_explained=sid in membership.ways,
        )
        for sid in sorted(membership.token - ignored)
    )


def group_entitlements(facts: DirectoryFacts) -> tuple[EntitlementRecord, ...]:
    """Return the groups as the report lists them."""
    membership = facts.account.membership
    if membership is None:
        return ()
    return tuple(
        EntitlementRecord(
            kind="ad_group",
            name=group.name,
            id=group.sid,
            scope=domain_of_sid(group.sid) or "builtin",
            status=group.status,
            paths=(membership.path_to(group.sid),),
        )
        for group in held_groups(facts)
    )


def sid_history(facts: DirectoryFacts) -> tuple[str, ...]:
    """Return the account's former SIDs, which its token holds as well."""
    return facts.account.entry.sids("sIDHistory") if facts.account.entry else ()


def _status(
    sid: str, membership: Membership, carriers: frozenset[str], usual: str, *, is_known: bool
) -> Status:
    if sid in carriers:
        return "documented"
    if membership.is_everybodys(sid) or sid == usual:
        return "baseline"
    if membership.is_domain_admin and _comes_with_domain_admins(sid, membership):
        return "baseline"  # comes with Domain Admins, not an excess of its own
    return "excess" if is_known or _is_privileged(sid, membership) else "not_judged"


def _comes_with_domain_admins(sid: str, membership: Membership) -> bool:
    if sid in membership.ways:
        return sid not in membership.ways_without_domain_admins
    is_denied_rodc = domain_of_sid(sid) is not None and rid_of_sid(sid) == DENIED_RODC_REPLICATION_RID
    return sid == ADMINISTRATORS or is_denied_rodc


def _is_privileged(sid: str, membership: Membership) -> bool:
    if sid in PRIVILEGED_BUILT_IN:
        return True
    if domain_of_sid(sid) is not None and rid_of_sid(sid) in {512, *PRIVILEGED_RIDS}:
        return True
    return membership.names.get(sid, "").casefold() in PRIVILEGED_NAMES


def _documented_carriers(facts: DirectoryFacts, membership: Membership) -> frozenset[str]:
    """Return the SIDs a documented requirement is held through: the documented groups, the trustees of the
    delegation, and every group on a way to one of them. A privileged group is documented by name only.
    """
    documented = _documented_groups(facts, membership)
    wanted = documented | set(_delegation_trustees(facts, membership))
    ways = [*membership.ways.items(), *membership.ways_without_domain_admins.items()]
    carriers = frozenset(step for sid, way in ways if sid in wanted for step in way) | wanted
    return frozenset(sid for sid in carriers if sid in documented or not _is_privileged(sid, membership))


def _documented_groups(facts: DirectoryFacts, membership: Membership) -> set[str]:
    domain = domain_of_sid(membership.account_sid)
    return {
        f"{domain}-{requirement.needs.rid}"
        for requirement in facts.profile.of_kind(ConnectionKind.HYBRID)
        if isinstance(requirement.needs, DirectoryGroup)
    }


def _delegation_trustees(facts: DirectoryFacts, membership: Membership) -> Iterator[str]:
    token = Token(membership.without_domain_admins | membership.perhaps_without_domain_admins)
    for _, read in facts.evidence.reads_of("target_ou"):
        for record in read:
            descriptor = facts.evidence.descriptor(record_to_entry(record).descriptor)
            parts = decide_user_task(descriptor, token) if descriptor else ()
            yield from (trustee for part in parts for trustee in part.trustees)
