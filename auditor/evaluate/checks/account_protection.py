"""AD-CTL-001, 002, 005: whether AdminSDHolder protects the account as it should, and who owns it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from auditor.acl import AccessMask, domain_of_sid, rid_of_sid
from auditor.evaluate.checks.account_finding import ACCOUNT, account_finding, read_permissions_of, withheld
from auditor.evaluate.directory.principals import Principals
from auditor.evaluate.directory.well_known import DOMAIN_ADMINS_RID
from auditor.evaluate.judgement import describe_gap
from auditor.evaluate.remediation import quote
from auditor.model.directory_entry import record_to_entry
from auditor.model.message import joined, say
from auditor.model.outcome import FindingOutcome, Severity
from auditor.model.results import EvidenceReference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.acl import SecurityDescriptor
    from auditor.evaluate.directory.judge import DirectoryFacts
    from auditor.evaluate.directory.membership import Membership
    from auditor.model.directory_entry import DirectoryEntry
    from auditor.model.results import Finding

# Groups whose members SDProp protects, by RID and as built-in groups (MS-ADTS 3.1.1.6.1.2)
_PROTECTED_RIDS = frozenset({DOMAIN_ADMINS_RID, 516, 518, 519, 521, 526, 527})
_PROTECTED_BUILT_IN = frozenset(f"S-1-5-32-{rid}" for rid in (544, 548, 549, 550, 551, 552))
_TIER_ZERO = EvidenceReference(dataset="tier_zero")
_RUN_SDPROP = (
    '$root = [adsi]"LDAP://RootDSE"; $root.Put("runProtectAdminGroupsTask", 1); $root.SetInfo()  # on the PDC emulator'
)


def _protected_groups(membership: Membership) -> list[str]:
    return sorted(sid for sid in membership.token if _is_protected(sid))


def _is_protected(sid: str) -> bool:
    return sid in _PROTECTED_BUILT_IN or (domain_of_sid(sid) is not None and rid_of_sid(sid) in _PROTECTED_RIDS)


def check_protection(facts: DirectoryFacts) -> Iterator[Finding]:
    """AD-CTL-001: a member of a protected group bears AdminSDHolder's DACL, cut off from inheritance."""
    entry, membership = facts.account.entry, facts.account.membership
    groups = _protected_groups(membership) if membership is not None else []
    if entry is None or membership is None or not groups:
        return
    hidden = tuple(withheld(facts, entry, "AD-CTL-001", "adminCount"))
    yield from hidden
    own, template = facts.evidence.descriptor(entry.descriptor), _admin_sd_holder(facts)
    if own is None or template is None:
        yield _not_comparable(facts, entry, own_is_read=own is not None)
        return
    trouble = [] if hidden or entry.integer("adminCount") == 1 else [say("adminCount is not 1")]
    trouble += [] if own.is_dacl_protected else [say("its DACL inherits from the OU it lies in")]
    trouble += [] if _grants(own) == _grants(template) else [say("its DACL is not that of AdminSDHolder")]
    if trouble:
        names = ", ".join(membership.names.get(sid, sid) for sid in groups)
        yield account_finding(
            facts,
            check="AD-CTL-001",
            severity=Severity.MEDIUM,
            title=say("The account is in a protected group, and AdminSDHolder does not protect it"),
            actual=say(
                "in {names}; {trouble}. SDProp runs about hourly: a membership or a change younger than "
                "that is pending",
                names=names,
                trouble=joined("; ", trouble),
            ),
            cure=say("Wait for SDProp, or start it; if the difference stays, find out why it does not run."),
            commands=(_RUN_SDPROP,),
            evidence=(ACCOUNT, _TIER_ZERO),
        )


def _not_comparable(facts: DirectoryFacts, entry: DirectoryEntry, *, own_is_read: bool) -> Finding:
    gap = facts.evidence.read("tier_zero").gap
    what = "AdminSDHolder" if own_is_read else entry.dn
    return account_finding(
        facts,
        check="AD-CTL-001",
        entitlement="descriptors",
        outcome=FindingOutcome.UNVERIFIABLE,
        severity=Severity.MEDIUM,
        title=say("Protection by AdminSDHolder could not be compared"),
        actual=describe_gap(gap)
        if own_is_read and gap
        else say(
            "the security descriptor of {what} could not be read",
            what=what,
        ),
        cure=say("Grant the auditing identity Read permissions on {what}, then run again.", what=what),
        evidence=(ACCOUNT, _TIER_ZERO),
    )


def _admin_sd_holder(facts: DirectoryFacts) -> SecurityDescriptor | None:
    entries = map(record_to_entry, facts.evidence.read("tier_zero"))
    holder = next((each for each in entries if each.dn.casefold().startswith("cn=adminsdholder,cn=system,")), None)
    return None if holder is None else facts.evidence.descriptor(holder.descriptor)


def _grants(descriptor: SecurityDescriptor) -> Counter[tuple[object, ...]] | None:
    """Return what a DACL says, whatever its order and inheritance flags; None for a NULL DACL."""
    if descriptor.dacl is None:
        return None
    return Counter(
        (ace.type, AccessMask(ace.rights), ace.trustee, ace.object_type, ace.inherited_object_type)
        for ace in descriptor.dacl
    )


def check_orphaned_admin_count(facts: DirectoryFacts) -> Iterator[Finding]:
    """AD-CTL-002: adminCount stays when an account leaves the protected groups, and the DACL with it."""
    entry, membership = facts.account.entry, facts.account.membership
    if entry is None or membership is None or _protected_groups(membership):
        return
    hidden = tuple(withheld(facts, entry, "AD-CTL-002", "adminCount"))
    yield from hidden
    if hidden or entry.integer("adminCount") != 1:
        return
    gap = membership.token_gap
    yield account_finding(
        facts,
        check="AD-CTL-002",
        outcome=FindingOutcome.ADVISORY if gap is None else FindingOutcome.UNVERIFIABLE,
        severity=Severity.LOW,
        title=say("adminCount is set, and the account is in no protected group"),
        actual=say("adminCount is 1; the account is in no protected group")
        if gap is None
        else say("adminCount is 1; the account is in no protected group that was read: {gap}", gap=describe_gap(gap)),
        cure=say(
            "Clear adminCount and let the DACL inherit again, unless the account is to go back into such a group.",
        ),
        commands=(
            f"Set-ADUser -Identity {quote(entry.dn)} -Clear adminCount",
            f"dsacls {quote(entry.dn)} /P:N /resetDefaultDACL",
        ),
        evidence=(ACCOUNT, EvidenceReference(dataset="token_groups")),
    )


def check_owner(facts: DirectoryFacts) -> Iterator[Finding]:
    """AD-CTL-005: an owner changes the permissions of what it owns."""
    entry, membership = facts.account.entry, facts.account.membership
    if entry is None or membership is None:
        return
    descriptor = facts.evidence.descriptor(entry.descriptor)
    owner = None if descriptor is None else descriptor.owner
    if owner is None:
        yield account_finding(
            facts,
            check="AD-CTL-005",
            outcome=FindingOutcome.UNVERIFIABLE,
            severity=Severity.MEDIUM,
            title=say("The owner of the account could not be read"),
            actual=say("the security descriptor of {dn} could not be read, or names no owner", dn=entry.dn),
            cure=say("Grant the auditing identity Read permissions on {dn}, then run again.", dn=entry.dn),
            commands=read_permissions_of(facts, [entry.dn]),
        )
        return
    principals = Principals(facts.evidence, facts.connection, membership)
    if not principals.may_own(owner):
        yield account_finding(
            facts,
            check="AD-CTL-005",
            entitlement=owner,
            severity=Severity.MEDIUM,
            title=say("The account is owned by {name}", name=principals.name(owner)),
            actual=say("owner: {name} ({owner})", name=principals.name(owner), owner=owner),
            cure=say("Make Domain Admins the owner."),
            commands=owned_by_domain_admins(entry.dn, membership.account_sid),
        )


def owned_by_domain_admins(dn: str, account_sid: str) -> tuple[str, ...]:
    """Return the commands that make Domain Admins of the account's domain the owner of an object.

    A literal path, because a name may hold what PowerShell takes for wildcards.
    """
    domain_admins = f"{domain_of_sid(account_sid)}-{DOMAIN_ADMINS_RID}"
    path = quote(f"AD:\\{dn}")
    owner = f"[System.Security.Principal.SecurityIdentifier]{quote(domain_admins)}"
    return (
        f"$acl = Get-Acl -LiteralPath {path}; $acl.SetOwner({owner}); Set-Acl -LiteralPath {path} -AclObject $acl",
    )
