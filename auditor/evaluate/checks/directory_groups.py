"""AD-GRP-003 to 007: groups beyond the documented ones, and how the documented ones are held."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.acl import domain_of_sid
from auditor.evaluate.checks.account_finding import withheld
from auditor.evaluate.directory.entitlements import HeldGroup, held_groups, sid_history
from auditor.evaluate.directory.well_known import DOMAIN_USERS_RID
from auditor.evaluate.findings import make_finding
from auditor.evaluate.remediation import forget_sid_command, quote
from auditor.model.message import joined, say
from auditor.model.outcome import FindingOutcome, Severity
from auditor.model.results import EvidenceReference, Remediation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.evaluate.directory.judge import DirectoryFacts
    from auditor.evaluate.directory.membership import Membership
    from auditor.model.results import Finding

_TOLD = frozenset({"excess", "not_judged"})
_EVIDENCE = (EvidenceReference(dataset="token_groups"), EvidenceReference(dataset="groups"))


def check_excess_groups(facts: DirectoryFacts) -> Iterator[Finding]:
    """AD-GRP-004 and AD-GRP-005: a group of the token that the profile does not document."""
    membership = facts.account.membership
    if membership is None:
        return
    history = sid_history(facts)
    for group in held_groups(facts):
        if group.status not in _TOLD:
            continue
        if membership.is_domain_admin and not group.is_explained and not group.is_privileged:
            continue  # may come with Domain Admins; AD-COL-009 reports that the way could not be read
        is_open = group.status == "not_judged"
        yield make_finding(
            check="AD-GRP-004" if group.is_privileged else "AD-GRP-005",
            connection=facts.connection.id,
            outcome=FindingOutcome.UNVERIFIABLE if is_open else FindingOutcome.EXCESS,
            severity=Severity.CRITICAL if group.is_privileged else Severity.LOW,
            principal=membership.account_sid,
            entitlement=group.sid,
            scope=domain_of_sid(group.sid) or "builtin",
            title=say(
                "Member of {name}, which the matrix may not document"
                if is_open
                else "Member of {name}, which the matrix does not document",
                name=group.name,
            ),
            documented=say("no group beyond the documented ones"),
            actual=joined(
                "",
                (
                    say("{name} ({sid}) is in the account's token", name=group.name, sid=group.sid),
                    say(", through its SID history") if group.sid in history else "",
                    say("; whether it carries the documented delegation is open: a target OU was not read")
                    if is_open
                    else "",
                ),
            ),
            paths=(membership.path_to(group.sid),),
            evidence=_EVIDENCE,
            remediation=_forget(group, membership) if group.sid in history else _leave(group, membership),
        )


def _leave(group: HeldGroup, membership: Membership) -> Remediation:
    way = membership.ways.get(group.sid, (membership.account_sid, group.sid))
    first = way[1] if len(way) > 1 else group.sid
    if first == group.sid:
        text = say("Remove the account from {name} if the product does not need it.", name=group.name)
    else:
        name = membership.names.get(first, first)
        text = say(
            "Remove the account from {name}, the first group on the path to {group_name}.",
            name=name,
            group_name=group.name,
        )
    return Remediation(text=text, commands=(_leave_command(group.sid, membership),))


def _forget(group: HeldGroup, membership: Membership) -> Remediation:
    return Remediation(
        text=say(
            "Remove {sid} from the account's SID history, and find out who wrote it: no migration needs it.",
            sid=group.sid,
        ),
        commands=(forget_sid_command(membership.account_sid, group.sid),),
    )


def _leave_command(group_sid: str, membership: Membership) -> str:
    """Return the command that ends the membership which leads to a group."""
    first = membership.ways.get(group_sid, (membership.account_sid, group_sid))[1]
    return f"Remove-ADGroupMember -Identity {quote(first)} -Members {quote(membership.account_sid)}"


def check_domain_admins(facts: DirectoryFacts) -> Iterator[Finding]:
    """AD-GRP-003: documented, and still more than provisioning needs (rule A19)."""
    membership = facts.account.membership
    if membership is None or not membership.is_domain_admin or membership.domain_admins is None:
        return
    yield make_finding(
        check="AD-GRP-003",
        connection=facts.connection.id,
        outcome=FindingOutcome.ADVISORY,
        severity=Severity.HIGH,
        principal=membership.account_sid,
        entitlement=membership.domain_admins,
        scope="domain",
        title=say("The account is in Domain Admins, as the page asks"),
        documented=say("member of Domain Admins"),
        actual=say("full control of the domain through one service account"),
        paths=(membership.path_to(membership.domain_admins),),
        evidence=_EVIDENCE,
        remediation=Remediation(
            text=(
                say(
                    "Delegate what this report lists under 'What would break without Domain Admins', agree with the "
                    "vendor that delegation alone is enough for the connection, then remove the account from Domain "
                    "Admins.",
                )
            ),
            commands=(_leave_command(membership.domain_admins, membership),),
        ),
    )


def check_indirect_membership(facts: DirectoryFacts) -> Iterator[Finding]:
    """AD-GRP-006: Domain Admins reached only through nesting."""
    membership = facts.account.membership
    if membership is None or not membership.is_domain_admin or membership.domain_admins is None:
        return
    path = membership.path_to(membership.domain_admins)
    if len(path) <= 2:  # noqa: PLR2004 - account and group
        return
    yield make_finding(
        check="AD-GRP-006",
        connection=facts.connection.id,
        outcome=FindingOutcome.ADVISORY,
        severity=Severity.MEDIUM,
        principal=membership.account_sid,
        entitlement=membership.domain_admins,
        scope="nesting",
        title=say("Domain Admins is held through other groups"),
        documented=say("member of Domain Admins"),
        actual=say("held through {path}", path=", ".join(path[1:-1])),
        paths=(path,),
        evidence=_EVIDENCE,
        remediation=Remediation(
            text=say(
                "Review who may change the groups in between, or make the membership direct.",
            )
        ),
    )


def check_primary_group(facts: DirectoryFacts) -> Iterator[Finding]:
    """AD-GRP-007: a primary group other than that of its class hides from member lists."""
    entry, membership = facts.account.entry, facts.account.membership
    if entry is None or membership is None:
        return
    yield from withheld(facts, entry, "AD-GRP-007", "primaryGroupID")
    primary = entry.integer("primaryGroupID")
    if primary is None or primary == facts.account.usual_primary_group:
        return
    sid, usual = f"{domain_of_sid(membership.account_sid)}-{primary}", facts.account.usual_primary_group
    name = "Domain Users" if usual == DOMAIN_USERS_RID else "Domain Computers"
    yield make_finding(
        check="AD-GRP-007",
        connection=facts.connection.id,
        outcome=FindingOutcome.ADVISORY,
        severity=Severity.HIGH,
        principal=membership.account_sid,
        entitlement=sid,
        scope="primaryGroupID",
        title=say("The primary group is not {group}", group=name),
        documented=say("nothing is documented about the primary group"),
        actual=say("primary group {group}", group=membership.names.get(sid, sid)),
        evidence=(EvidenceReference(dataset="account"),),
        remediation=Remediation(
            text=say(
                "Make {group} the primary group; the membership then shows in the group's member list.", group=name
            ),
            commands=(f"Set-ADObject -Identity {quote(entry.dn)} -Replace @{{primaryGroupID={usual}}}",),
        ),
    )


def check_membership_witnesses(facts: DirectoryFacts) -> Iterator[Finding]:
    """AD-COL-009: the directory's token and the walk of the groups tell the same."""
    membership = facts.account.membership
    if membership is None or membership.token_gap is not None:
        return
    unexplained = [group for group in held_groups(facts) if not group.is_explained and group.status in _TOLD]
    names = [f"{membership.names.get(sid, sid)} ({sid})" for sid in sorted(membership.walked_beyond_token)]
    names += [f"{group.name} ({group.sid})" for group in unexplained]
    if not names:
        return
    yield make_finding(
        check="AD-COL-009",
        connection=facts.connection.id,
        outcome=FindingOutcome.UNVERIFIABLE,
        severity=Severity.MEDIUM,
        principal=membership.account_sid,
        entitlement="membership witnesses",
        scope="account",
        title=say("Token and membership graph do not tell the same"),
        documented=say("both ways of reading agree"),
        actual=say("told by one of them only: {names}", names=", ".join(names)),
        evidence=_EVIDENCE,
        remediation=Remediation(
            text=(
                say(
                    "Give the auditing identity read access to memberOf of these groups and run again; a difference "
                    "that remains may be a change still replicating.",
                )
            )
        ),
    )
