"""Every right that entries on the target OUs and below give the account, and whether the matrix documents it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from auditor.acl import RIGHTS_BEYOND_READ, AccessMask, AceKind, format_ace_sddl, rights_in_words
from auditor.evaluate.directory.beyond_task import rights_beyond_task
from auditor.evaluate.directory.grants import places_where
from auditor.evaluate.directory.holder import holder_without_domain_admins
from auditor.evaluate.directory.user_task import decide_user_task
from auditor.model.message import Message, joined, say, written
from auditor.model.results import EntitlementRecord

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.acl import Ace, Token
    from auditor.evaluate.directory.judge import DirectoryFacts
    from auditor.evaluate.directory.membership import Membership
    from auditor.evaluate.directory.schema import DirectorySchema
    from auditor.evaluate.directory.subtree import Subtree

Status = Literal["documented", "excess", "baseline", "not_judged"]

_GRANTS = (AceKind.ALLOW, AceKind.CONDITIONAL_ALLOW)


def right_entitlements(facts: DirectoryFacts) -> tuple[EntitlementRecord, ...]:
    """Return, without Domain Admins, the entries that grant more than reading.

    Of a target OU all are listed, of the containers below those that are set there and not inherited.
    """
    membership = facts.account.membership
    if membership is None:
        return ()
    return tuple(
        record
        for delegated in facts.delegations.values()
        if delegated.subtree is not None
        for record in _rights_in(facts.schema, membership, delegated.subtree)
    )


def _rights_in(schema: DirectorySchema, membership: Membership, subtree: Subtree) -> Iterator[EntitlementRecord]:
    holder = holder_without_domain_admins(membership)
    token, groups = holder.certain, subtree.alike(holder.possible)
    beyond_task = {
        (place.container.dn, ace)
        for right in rights_beyond_task(schema)
        for place in places_where(groups, right.question, holder)
        if place.is_certain
        for ace in place.aces
    }
    for group in groups:
        of_task = {ace for part in decide_user_task(group.descriptor, token) for ace in part.aces}
        grants = [ace for ace in group.descriptor.dacl or () if _grants(ace, token)]
        for container in group.containers:
            for ace in dict.fromkeys(grants):
                if ace.is_inherited and container is not subtree.target:
                    continue
                is_excess = (container.dn, ace) in beyond_task
                yield EntitlementRecord(
                    kind="ad_right",
                    name=ace_in_words(ace, schema),
                    id=format_ace_sddl(ace),
                    scope=container.dn,
                    status=_status(ace, membership, is_excess=is_excess, is_of_task=ace in of_task),
                    paths=(membership.path_without_domain_admins_to(ace.trustee),),
                )


def _grants(ace: Ace, token: Token) -> bool:
    return ace.kind in _GRANTS and ace.trustee in token.sids and bool(ace.rights & RIGHTS_BEYOND_READ)


def _status(ace: Ace, membership: Membership, *, is_excess: bool, is_of_task: bool) -> Status:
    if is_excess:
        return "excess"
    if is_of_task:
        return "documented"
    return "baseline" if membership.is_everybodys(ace.trustee) else "not_judged"


def ace_in_words(ace: Ace, schema: DirectorySchema) -> Message:
    """Say what an ACE grants or denies, on what, in the names of a directory."""
    words = joined(say(" and "), map(written, rights_in_words(ace.mask)))
    if ace.object_type is not None:
        words = say("{words} ({name})", words=words, name=_name_of_object_type(ace.object_type, ace, schema))
    if ace.inherited_object_type is not None:
        return say(
            "{words} of {kind} objects below", words=words, kind=schema.name_of_class(ace.inherited_object_type)
        )
    return say("{words} of everything below", words=words) if ace.is_inherit_only else words


def _name_of_object_type(guid: str, ace: Ace, schema: DirectorySchema) -> str:
    names = (schema.name_of(guid, AccessMask(bit)) for bit in AccessMask(ace.rights))
    return next((name for name in names if name != guid), guid)
