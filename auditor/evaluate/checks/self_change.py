"""AD-CTL-008: an account that can change itself, or the groups it is in, without Domain Admins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.acl import Token, format_ace_sddl
from auditor.evaluate.checks.account_finding import account_finding
from auditor.evaluate.directory.control import Controller, control_of, powers_over_account, powers_over_members
from auditor.evaluate.directory.entitlements import held_groups
from auditor.evaluate.remediation import quote
from auditor.model.directory_entry import record_to_entry
from auditor.model.distinguished_name import is_dn_within
from auditor.model.message import Message, joined, say
from auditor.model.outcome import FindingOutcome, Severity
from auditor.model.results import EvidenceReference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.evaluate.directory.control import Power
    from auditor.evaluate.directory.judge import DirectoryFacts
    from auditor.evaluate.directory.membership import Membership
    from auditor.model.directory_entry import DirectoryEntry
    from auditor.model.results import Finding


def check_self_change(facts: DirectoryFacts) -> Iterator[Finding]:
    """Report the account and each of its groups that it can change, or that lie in a target OU it manages.

    What Principal Self may do, every account may: that is left out.
    """
    entry, membership = facts.account.entry, facts.account.membership
    if entry is None or membership is None:
        return
    structural_class = next(iter(entry.texts("objectClass")[-1:]), "user")
    over_account, over_group = powers_over_account(facts.schema, structural_class), powers_over_members(facts.schema)
    yield from _finding(facts, membership, entry, over_account, what=say("itself"), dataset="account", is_placed=True)
    giving = {group.sid for group in held_groups(facts) if group.status != "baseline"}
    for group in map(record_to_entry, facts.evidence.read("groups")):
        if group.sid in membership.token:
            name = membership.names.get(group.sid, group.sid)
            yield from _finding(
                facts,
                membership,
                group,
                over_group,
                what=say("its group {name}", name=name),
                dataset="groups",
                is_placed=group.sid in giving,
            )


def _finding(  # noqa: PLR0913 - the object and how it is told
    facts: DirectoryFacts,
    membership: Membership,
    entry: DirectoryEntry,
    powers: tuple[Power, ...],
    *,
    what: Message,
    dataset: str,
    is_placed: bool,
) -> Iterator[Finding]:
    """Yield a finding about one object. `is_placed` tells that where the object lies matters as well."""
    certain = _control(facts, entry, membership.without_domain_admins, powers)
    perhaps = _control(
        facts, entry, membership.without_domain_admins | membership.perhaps_without_domain_admins, powers
    )
    ous = [ou for ou in facts.connection.target_ous if is_placed and is_dn_within(entry.dn, ou)]
    if certain.powers or ous:
        outcome, severity, control = FindingOutcome.EXCESS, Severity.CRITICAL, certain
    elif perhaps.powers or perhaps.perhaps:
        outcome, severity, control = FindingOutcome.UNVERIFIABLE, Severity.MEDIUM, perhaps
    else:
        return
    words = [say("it lies in the target OU {ou}, whose objects the account is to manage", ou=ou) for ou in ous]
    may = joined(", ", control.powers or control.perhaps)
    if may:
        entries = " ".join(format_ace_sddl(ace) for _, ace in control.aces) or say("by ownership")
        words.append(say("without Domain Admins the account may {may}: {entries}", may=may, entries=entries))
    yield account_finding(
        facts,
        check="AD-CTL-008",
        entitlement="change itself",
        scope=entry.dn,
        outcome=outcome,
        severity=severity,
        title=say(
            "The account can change {what}"
            if outcome is FindingOutcome.EXCESS
            else "The account may be able to change {what}",
            what=what,
        ),
        documented=say("delegated control of the users in the target OUs"),
        actual=joined("; ", words),
        cure=say(
            "Move the account and its groups to an OU that it has no rights on, and remove what gives it rights "
            "over them.",
        ),
        commands=(
            f'Move-ADObject -Identity {quote(entry.dn)} -TargetPath "<an OU for privileged service accounts>"',
            *dict.fromkeys(
                f"dsacls {quote(entry.dn)} /R {quote(ace.trustee)}" for _, ace in control.aces if not ace.is_inherited
            ),
        ),
        paths=tuple(
            (
                *membership.path_without_domain_admins_to(ace.trustee),
                say("ACE {index} on {dn}", index=index, dn=entry.dn),
            )
            for index, ace in control.aces
        ),
        evidence=(EvidenceReference(dataset=dataset),),
    )


def _control(
    facts: DirectoryFacts, entry: DirectoryEntry, sids: frozenset[str], powers: tuple[Power, ...]
) -> Controller:
    """Return what a token may do with an object; AD-COL-008 tells of one whose descriptor was not read."""
    descriptor = facts.evidence.descriptor(entry.descriptor)
    if descriptor is None:
        return Controller(trustee="", powers=(), perhaps=(), aces=(), owns=False)
    return control_of(descriptor, Token(sids), powers)
