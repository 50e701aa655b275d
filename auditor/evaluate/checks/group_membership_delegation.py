"""AD-DEL-010: membership can be written where the product assigns groups (rule A5: an advisory)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.acl import AccessMask, Token, object_types_of_property
from auditor.evaluate.directory.grants import aces_granting, aces_granting_below
from auditor.evaluate.directory.subtree import read_inhabitants, read_subtree
from auditor.evaluate.findings import make_finding
from auditor.evaluate.listing import and_more
from auditor.evaluate.remediation import grant_command
from auditor.model.directory_entry import record_to_entry
from auditor.model.message import Message, joined, say
from auditor.model.outcome import FindingOutcome, Severity
from auditor.model.results import EvidenceReference, Remediation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.evaluate.directory.judge import DirectoryFacts
    from auditor.evaluate.directory.membership import Membership
    from auditor.evaluate.directory.subtree import Inhabitant
    from auditor.model.directory_entry import DirectoryEntry
    from auditor.model.results import Finding

_GROUP_CLASS = "bf967a9c-0de6-11d0-a285-00aa003049e2"
_MEMBER = object_types_of_property("bf9679c0-0de6-11d0-a285-00aa003049e2", _GROUP_CLASS)
_NAMES_SHOWN = 5


def check_group_membership_delegation(facts: DirectoryFacts) -> Iterator[Finding]:
    """Report each group OU where groups, new ones or those that are there, take no members without Domain Admins."""
    membership = facts.account.membership
    if membership is None:
        return
    token_is_whole = membership.token_gap is None and membership.well_known_gap is None
    token = Token(membership.without_domain_admins | membership.perhaps_without_domain_admins)
    for ou in facts.connection.group_ous:
        entry = next((record_to_entry(record) for record in facts.evidence.read("group_ou", ou)), None)
        if entry is None or entry.descriptor is None:
            continue  # what was not read is told by META-001
        if facts.evidence.descriptor(entry.descriptor) is None:
            yield _malformed(facts, membership.account_sid, ou)
            continue
        reasons = [*_where_new_groups_are_closed(facts, ou, entry, token), *_closed_groups(facts, ou, token)]
        if reasons and token_is_whole:  # what the token may lack is told where it was not read
            yield _closed(facts, membership, ou, joined("; ", reasons))


def _where_new_groups_are_closed(
    facts: DirectoryFacts, ou: str, entry: DirectoryEntry, token: Token
) -> Iterator[Message]:
    closed = [
        container.dn
        for alike in read_subtree(facts.evidence, ou, entry).alike(token)
        if aces_granting_below(alike.descriptor, token, _GROUP_CLASS, AccessMask.WRITE_PROPERTY, _MEMBER) is None
        for container in alike.containers
    ]
    if closed:
        yield say("member of new groups cannot be written in {closed}", closed=_some(closed))


def _closed_groups(facts: DirectoryFacts, ou: str, token: Token) -> Iterator[Message]:
    groups = [each for each in read_inhabitants(facts.evidence, ou).found if each.is_group]
    closed = [each for each in groups if _is_closed(each, token)]
    protected = sum(each.descriptor is not None and each.descriptor.is_dacl_protected for each in closed)
    if closed:
        shown = _some([each.dn for each in closed])
        yield say(
            "member of {count} of the {all} groups cannot be written, {protected} protected: {shown}",
            count=len(closed),
            all=len(groups),
            protected=protected,
            shown=shown,
        )


def _is_closed(group: Inhabitant, token: Token) -> bool:
    """What could not be read is told by AD-COL-008."""
    descriptor = group.descriptor
    return descriptor is not None and (
        aces_granting(descriptor, token, AccessMask.WRITE_PROPERTY, _MEMBER) is None
    )


def _closed(facts: DirectoryFacts, membership: Membership, ou: str, reasons: str) -> Finding:
    return make_finding(
        check="AD-DEL-010",
        connection=facts.connection.id,
        outcome=FindingOutcome.ADVISORY,
        severity=Severity.MEDIUM,
        principal=membership.account_sid,
        entitlement="write member",
        scope=ou,
        title=say("Group membership is not delegated everywhere on a group OU"),
        documented=say("the delegation page promises group membership, its steps repeat the user task"),
        actual=say("without Domain Admins, {reasons}", reasons=reasons),
        evidence=tuple(
            EvidenceReference(dataset=dataset, record=ou) for dataset in ("group_ou", "containers", "inhabitants")
        ),
        remediation=Remediation(
            text=say(
                'Delegate the wizard task "Modify the membership of a group" on this OU; protected groups stay out of '
                "its reach, and are not for a product to fill.",
            ),
            commands=(grant_command(ou, "S", membership.sign_in_name, "RPWP;member;group"),),
        ),
    )


def _malformed(facts: DirectoryFacts, account_sid: str, ou: str) -> Finding:
    return make_finding(
        check="AD-DEL-010",
        connection=facts.connection.id,
        outcome=FindingOutcome.UNVERIFIABLE,
        severity=Severity.MEDIUM,
        principal=account_sid,
        entitlement="write member",
        scope=ou,
        title=say("The permissions of a group OU are malformed"),
        documented=say("the delegation page promises group membership, its steps repeat the user task"),
        actual=say("its security descriptor is malformed"),
        evidence=(EvidenceReference(dataset="group_ou", record=ou),),
        remediation=Remediation(text=say("Repair the permissions of this OU, then run again.")),
    )


def _some(names: Sequence[str]) -> Message:
    more = and_more(names, _NAMES_SHOWN)
    return joined("", ("; ".join(names[:_NAMES_SHOWN]), more))
