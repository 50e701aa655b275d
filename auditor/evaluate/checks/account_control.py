"""AD-CTL-003, 004: who else can take over the account, or the groups that give it its rights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.acl import AccessMask, format_ace_sddl, rights_in_words
from auditor.evaluate.checks.account_finding import ACCOUNT, account_finding, read_permissions_of
from auditor.evaluate.checks.account_protection import owned_by_domain_admins
from auditor.evaluate.directory.control import controllers_of, powers_over_account, powers_over_group
from auditor.evaluate.directory.entitlements import held_groups
from auditor.evaluate.directory.origin import InheritanceSources, Origin
from auditor.evaluate.directory.principals import Principals
from auditor.evaluate.remediation import quote
from auditor.model.directory_entry import record_to_entry
from auditor.model.message import Message, data, joined, say, written
from auditor.model.outcome import FindingOutcome, Severity
from auditor.model.results import EvidenceReference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.acl import Ace, SecurityDescriptor
    from auditor.evaluate.directory.control import Controller, Power
    from auditor.evaluate.directory.judge import DirectoryFacts
    from auditor.evaluate.directory.membership import Membership
    from auditor.model.directory_entry import DirectoryEntry
    from auditor.model.results import Finding

_NAMES_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class _Object:
    """What somebody may control: the account, or a group; and how a finding about it is made."""

    entry: DirectoryEntry
    check: str
    name: str
    severity: Severity
    class_guid: str | None
    powers: tuple[Power, ...]
    evidence: EvidenceReference


def check_takeover_of_account(facts: DirectoryFacts) -> Iterator[Finding]:
    """AD-CTL-003: anybody but administrators of the domain who can take over the account."""
    entry, membership = facts.account.entry, facts.account.membership
    if entry is None or membership is None:
        return
    structural_class = next(iter(entry.texts("objectClass")[-1:]), "user")
    account = _Object(
        entry=entry,
        check="AD-CTL-003",
        name=say("the account"),
        severity=Severity.CRITICAL,
        class_guid=facts.schema.classes.get(structural_class.lower()),
        powers=powers_over_account(facts.schema, structural_class),
        evidence=ACCOUNT,
    )
    descriptor = facts.evidence.descriptor(entry.descriptor)
    if descriptor is None:
        yield _not_readable(facts, "AD-CTL-003", [entry.dn], ACCOUNT)
    else:
        yield from _Inspection(facts, membership).controllers(account, descriptor)


def check_takeover_of_groups(facts: DirectoryFacts) -> Iterator[Finding]:
    """AD-CTL-004: anybody else who can join, or let others join, a group that gives the account its rights."""
    membership = facts.account.membership
    if membership is None:
        return
    giving = {each.sid: each.name for each in held_groups(facts) if each.status == "documented" or each.is_privileged}
    evidence, powers = EvidenceReference(dataset="groups"), powers_over_group(facts.schema)
    entries = {entry.sid: entry for entry in map(record_to_entry, facts.evidence.read("groups"))}
    inspection, unread = _Inspection(facts, membership), []
    for sid, name in giving.items():
        entry = entries.get(sid)
        descriptor = None if entry is None else facts.evidence.descriptor(entry.descriptor)
        if entry is None or descriptor is None:
            unread.append(entry.dn if entry else sid)
            continue
        group = _Object(
            entry=entry,
            check="AD-CTL-004",
            name=say("the group {name}", name=name),
            severity=Severity.HIGH,
            class_guid=facts.schema.classes.get("group"),
            powers=powers,
            evidence=evidence,
        )
        yield from inspection.controllers(group, descriptor)
    if unread:
        yield _not_readable(facts, "AD-CTL-004", unread, evidence)


def _not_readable(facts: DirectoryFacts, check: str, unread: list[str], evidence: EvidenceReference) -> Finding:
    more = say(" and {count} more", count=len(unread) - _NAMES_SHOWN) if len(unread) > _NAMES_SHOWN else ""
    shown = joined("", ("; ".join(unread[:_NAMES_SHOWN]), more))
    return account_finding(
        facts,
        check=check,
        entitlement="descriptors",
        outcome=FindingOutcome.UNVERIFIABLE,
        severity=Severity.MEDIUM,
        title=say("Who controls it could not be read"),
        actual=say("the security descriptor could not be read: {shown}", shown=shown),
        cure=say("Grant the auditing identity Read permissions on {shown}, then run again.", shown=shown),
        commands=read_permissions_of(facts, [dn for dn in unread[:_NAMES_SHOWN] if "=" in dn]),
        evidence=(evidence,),
    )


class _Inspection:
    """Looks at one object after another of a connection."""

    def __init__(self, facts: DirectoryFacts, membership: Membership) -> None:
        self._facts = facts
        self._account_sid = membership.account_sid
        self._principals = Principals(facts.evidence, facts.connection, membership)
        self._sources = InheritanceSources(facts.evidence)

    def controllers(self, target: _Object, descriptor: SecurityDescriptor) -> Iterator[Finding]:
        """Yield a finding for each trustee that controls an object and is neither an administrator nor the account."""
        for controller in controllers_of(descriptor, target.powers):
            if controller.trustee != self._account_sid and not self._principals.is_tier_zero(controller.trustee):
                yield self._finding(target, controller)

    def _finding(self, target: _Object, controller: Controller) -> Finding:
        name, dn = self._principals.name(controller.trustee), target.entry.dn
        is_certain = bool(controller.powers)
        may = joined(", ", controller.powers or controller.perhaps)
        how, paths = [], []
        if controller.owns:
            how.append(say("it owns the object"))
            paths.append((name, say("owner of {dn}", dn=dn)))
        for index, ace in controller.aces:
            origin = self._place_of(target, ace).words
            place = say(", inherited from {origin}", origin=origin) if ace.is_inherited else ""
            words = _ace_in_words(self._facts, ace, name)
            how.append(say("ACE {index} {words}{place}", index=index, words=words, place=place))
            paths.append((name, say("ACE {index} on {dn}", index=index, dn=dn)))
        return account_finding(
            self._facts,
            check=target.check,
            entitlement=controller.trustee,
            scope=dn,
            outcome=FindingOutcome.ADVISORY if is_certain else FindingOutcome.UNVERIFIABLE,
            severity=target.severity if is_certain else Severity.MEDIUM,
            title=say(
                "{name} can take over {target}: {may}"
                if is_certain
                else "{name} may, under a condition, take over {target}: {may}",
                name=name,
                target=target.name,
                may=may,
            ),
            actual=say(
                "{name} ({trustee}): {may}; {how}",
                name=name,
                trustee=controller.trustee,
                may=may,
                how=joined("; ", how) if how else say("the DACL is NULL: nothing is limited"),
            ),
            cure=say(
                "Remove these entries where they are set explicitly, or let an administrative group hold them. /R "
                "removes every entry of the trustee on that object.",
            ),
            commands=self._commands(target, controller),
            paths=paths or [(name, say("NULL DACL on {dn}", dn=dn))],
            evidence=(target.evidence, EvidenceReference(dataset="trustees")),
        )

    def _place_of(self, target: _Object, ace: Ace) -> Origin:
        """Return where an ACE stands explicitly."""
        dn = target.entry.dn
        if ace.is_inherited:
            return self._sources.origin_of(dn, ace, target.class_guid)
        return Origin(words=data(dn), dn=dn)

    def _commands(self, target: _Object, controller: Controller) -> tuple[str, ...]:
        places = dict.fromkeys(self._place_of(target, ace).dn for _, ace in controller.aces)
        revoked = (f"dsacls {quote(dn)} /R {quote(controller.trustee)}" for dn in places if dn is not None)
        owned = owned_by_domain_admins(target.entry.dn, self._account_sid) if controller.owns else ()
        return (*revoked, *owned)


def _ace_in_words(facts: DirectoryFacts, ace: Ace, name: str) -> Message:
    """Say what an ACE allows, in SDDL and in words."""
    what = joined(say(" and "), map(written, rights_in_words(ace.mask)))
    if ace.object_type is not None:
        kinds = (AccessMask.CONTROL_ACCESS, AccessMask.WRITE_PROPERTY, AccessMask.VALIDATED_WRITE)
        right = next((kind for kind in kinds if ace.rights & kind), AccessMask.CREATE_CHILD)
        what = say("{what} ({name})", what=what, name=facts.schema.name_of(ace.object_type, right))
    return say("{ace} allows {what} to {name}", ace=format_ace_sddl(ace), what=what, name=name)
