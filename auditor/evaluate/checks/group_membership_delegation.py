"""AD-DEL-010: membership can be written where the product assigns groups (rule A5: an advisory)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.acl import (
    AccessMask,
    Token,
    aces_reaching_child,
    decide,
    descriptor_of_child,
    object_types_of_property,
    parse_descriptor,
)
from auditor.evaluate.findings import make_finding
from auditor.evaluate.remediation import grant_command
from auditor.model.directory_entry import record_to_entry
from auditor.model.outcome import FindingOutcome, Severity
from auditor.model.results import EvidenceReference, Remediation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.evaluate.directory.judge import DirectoryFacts
    from auditor.model.results import Finding

_GROUP_CLASS = "bf967a9c-0de6-11d0-a285-00aa003049e2"
_MEMBER = "bf9679c0-0de6-11d0-a285-00aa003049e2"


def check_group_membership_delegation(facts: DirectoryFacts) -> Iterator[Finding]:
    """Report each group OU where groups below would not accept membership changes without Domain Admins."""
    membership = facts.account.membership
    if membership is None:
        return
    token_is_whole = membership.token_gap is None and membership.well_known_gap is None
    token = Token(membership.without_domain_admins | membership.perhaps_without_domain_admins)
    for ou in facts.connection.group_ous:
        record = next(iter(facts.evidence.read("group_ou", ou)), None)
        raw = facts.evidence.descriptors.get(record_to_entry(record).descriptor or "") if record else None
        if raw is None:
            continue  # an OU that was not read is reported by META-001
        holds = _writes_membership(raw, token)
        if holds or (holds is False and not token_is_whole):
            continue  # what the token may lack is reported where it was not read
        yield make_finding(
            check="AD-DEL-010",
            connection=facts.connection.id,
            outcome=FindingOutcome.UNVERIFIABLE if holds is None else FindingOutcome.ADVISORY,
            severity=Severity.MEDIUM,
            principal=membership.account_sid,
            entitlement="write member",
            scope=ou,
            title="The permissions of a group OU are malformed"
            if holds is None
            else "Group membership is not delegated on a group OU",
            documented="the delegation page promises group membership, its steps repeat the user task",
            actual="its security descriptor is malformed"
            if holds is None
            else "the account may not write member of groups below this OU without Domain Admins",
            evidence=(EvidenceReference(dataset="group_ou", record=ou),),
            remediation=Remediation(
                text='Delegate the wizard task "Modify the membership of a group" on this OU.',
                commands=(grant_command(ou, "S", facts.connection.username, "RPWP;member;group"),),
            ),
        )


def _writes_membership(raw: bytes, token: Token) -> bool | None:
    """Tell whether groups below accept membership changes; None when the descriptor is malformed."""
    try:
        dacl = parse_descriptor(raw).dacl
    except ValueError:
        return None
    below = descriptor_of_child(aces_reaching_child(dacl, _GROUP_CLASS))
    types = object_types_of_property(_MEMBER, _GROUP_CLASS)
    return decide(below, token, AccessMask.WRITE_PROPERTY, types).granted
