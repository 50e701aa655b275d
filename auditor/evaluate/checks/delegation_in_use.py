"""AD-DEL-016 to 020, AD-PRV-020: where a delegation does not reach, and what stands in its way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.acl import Token, format_ace_sddl
from auditor.evaluate.directory.user_task import controls_user, decide_user_task, is_deletion_guard
from auditor.evaluate.findings import make_finding
from auditor.evaluate.listing import and_more
from auditor.evaluate.quotes import quote_aces
from auditor.evaluate.remediation import delegate
from auditor.model.message import Message, joined, say, written
from auditor.model.outcome import FindingOutcome, Outcome, Severity
from auditor.model.results import EvidenceReference, Remediation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.acl import Ace
    from auditor.evaluate.directory.delegation import Delegated
    from auditor.evaluate.directory.judge import DirectoryFacts
    from auditor.evaluate.directory.membership import Membership
    from auditor.evaluate.directory.subtree import Inhabitant
    from auditor.model.results import Finding

_NAMES_SHOWN = 10
_DOCUMENTED = say("create, delete and manage users below the OU")


def check_delegation_reaches(facts: DirectoryFacts) -> Iterator[Finding]:
    """AD-DEL-016, 017, 018: containers and people that the delegation does not reach, and denials in its way."""
    membership = facts.account.membership
    if membership is None:
        return
    token = Token(membership.without_domain_admins)
    for ou, delegated in facts.delegations.items():
        if delegated.inhabitants is None:
            continue
        inhabitants = delegated.inhabitants.found
        # What could not be read is told by AD-COL-008.
        unreached = [
            each for each in inhabitants if not each.is_group and each.descriptor and not each.is_controlled_by(token)
        ]
        blocked = _blocked_containers(delegated, token)
        people = [each.dn for each in unreached if _is_blocked(each) and not each.has_admin_count]
        if blocked or people:
            yield _blocked(facts, membership, ou, blocked, people)
        protected = [each for each in inhabitants if _is_blocked(each) and each.has_admin_count]
        if protected:
            yield _protected(facts, membership, ou, protected)
        on_containers, on_people = _denials_on_containers(delegated, token), _denials_on_people(unreached, token)
        denials = [*on_containers, *on_people]
        if denials:
            yield _denied(facts, membership, ou, denials, is_general=bool(on_containers))


def _is_blocked(inhabitant: Inhabitant) -> bool:
    return inhabitant.descriptor is not None and inhabitant.descriptor.is_dacl_protected


def _blocked_containers(delegated: Delegated, token: Token) -> list[str]:
    return [
        container.dn
        for group in (delegated.subtree.alike(token) if delegated.subtree else ())
        if not all(part.is_held for part in decide_user_task(group.descriptor, token))
        for container in group.containers
        if container.descriptor is not None and container.descriptor.is_dacl_protected
    ]


def _denials_on_containers(delegated: Delegated, token: Token) -> list[tuple[str, Ace]]:
    return [
        (container.dn, part.denied_by)
        for group in (delegated.subtree.alike(token) if delegated.subtree else ())
        for part in decide_user_task(group.descriptor, token)
        if part.denied_by is not None
        for container in group.containers
    ]


def _denials_on_people(unreached: Sequence[Inhabitant], token: Token) -> list[tuple[str, Ace]]:
    """What is inherited is told on its container."""
    denied = (
        (each.dn, controls_user(each.descriptor, token, each.sid).denied_by) for each in unreached if each.descriptor
    )
    return [(dn, ace) for dn, ace in denied if ace is not None and not ace.is_inherited]


def _blocked(
    facts: DirectoryFacts, membership: Membership, ou: str, containers: list[str], people: list[str]
) -> Finding:
    counted: dict[Message, list[str]] = {}
    if containers:
        many = say("{count} containers", count=len(containers))
        counted[say("1 container") if len(containers) == 1 else many] = containers
    if people:
        many = say("{count} users", count=len(people))
        counted[say("1 user") if len(people) == 1 else many] = people
    named = (say("{counted}: {names}", counted=number, names=_some(dns)) for number, dns in counted.items())
    return make_finding(
        check="AD-DEL-016",
        connection=facts.connection.id,
        # A single person outside the delegation's reach leaves the delegation of the OU as documented.
        outcome=FindingOutcome.PARTIAL if containers and facts.delegation_is_required else FindingOutcome.ADVISORY,
        severity=Severity.HIGH,
        principal=membership.account_sid,
        entitlement="inheritance",
        scope=ou,
        title=say("Inheritance is blocked on {counted} below", counted=joined(say(" and "), counted)),
        documented=_DOCUMENTED,
        actual=say("the delegation does not reach {counted}", counted=joined("; ", named)),
        evidence=_evidence(ou),
        remediation=Remediation(
            text=say("Enable inheritance on these objects, or delegate the task on each of the containers."),
            commands=delegate(containers[:_NAMES_SHOWN], membership.sign_in_name).commands,
        ),
    )


def _protected(facts: DirectoryFacts, membership: Membership, ou: str, protected: list[Inhabitant]) -> Finding:
    return make_finding(
        check="AD-DEL-017",
        connection=facts.connection.id,
        outcome=FindingOutcome.ADVISORY,
        severity=Severity.MEDIUM,
        principal=membership.account_sid,
        entitlement="protected accounts",
        scope=ou,
        title=say("{count} protected accounts live below this OU", count=len(protected)),
        documented=_DOCUMENTED,
        actual=say("with a protected DACL and adminCount: {accounts}", accounts=_some([each.dn for each in protected])),
        evidence=_evidence(ou),
        remediation=Remediation(
            text=say(
                "Administrators' accounts do not belong where a product manages people: move them, or take them out "
                "of the protected groups and enable inheritance again.",
            )
        ),
    )


def _denied(
    facts: DirectoryFacts, membership: Membership, ou: str, denials: list[tuple[str, Ace]], *, is_general: bool
) -> Finding:
    shown = [say("{ace} on {dn}", ace=format_ace_sddl(ace), dn=dn) for dn, ace in dict.fromkeys(denials)]
    return make_finding(
        check="AD-DEL-018",
        connection=facts.connection.id,
        outcome=FindingOutcome.PARTIAL if is_general and facts.delegation_is_required else FindingOutcome.ADVISORY,
        severity=Severity.HIGH,
        principal=membership.account_sid,
        entitlement="deny",
        scope=ou,
        title=say("Deny entries take a documented right away"),
        documented=_DOCUMENTED,
        actual=_some(shown),
        evidence=_evidence(ou),
        remediation=Remediation(
            text=say(
                "Remove the deny entry, or take the account out of the group that it names. On a single user, 'user "
                "cannot change password' is such an entry.",
            )
            if not any(is_deletion_guard(ace) for _, ace in denials)
            else say(
                "An entry that denies everybody to delete what is in an OU protects one below it from accidental "
                "deletion: keep it, and accept this with a waiver. Remove others, or take the account out of the group "
                "that they name."
            )
        ),
    )


def check_target_ou_exists(facts: DirectoryFacts) -> Iterator[Finding]:
    """AD-DEL-019: a target OU that the directory proves not to have."""
    for ou, delegated in facts.delegations.items():
        if delegated.judgement.outcome is Outcome.MISSING and delegated.subtree is None:
            yield make_finding(
                check="AD-DEL-019",
                connection=facts.connection.id,
                outcome=FindingOutcome.MISSING if facts.delegation_is_required else FindingOutcome.ADVISORY,
                severity=Severity.HIGH,
                principal=facts.account.principal.sid or facts.connection.username,
                entitlement="target OU",
                scope=ou,
                title=say("A target OU does not exist"),
                documented=say("delegated control of the target OU"),
                actual=say("the directory shows no such object, and the auditing identity may list its parent"),
                evidence=(
                    EvidenceReference(dataset="target_ou", record=ou),
                    EvidenceReference(dataset="nearest_ancestor", record=ou),
                ),
                remediation=Remediation(text=say("Correct the inventory and the product, or create the OU.")),
            )


def check_delegation_trustee(facts: DirectoryFacts) -> Iterator[Finding]:
    """AD-DEL-020: the task is delegated to the account itself rather than to a group."""
    membership = facts.account.membership
    if membership is None:
        return
    token = Token(membership.without_domain_admins)
    for ou, delegated in facts.delegations.items():
        target = delegated.subtree.target.descriptor if delegated.subtree else None
        aces = [ace for part in decide_user_task(target, token) for ace in part.aces] if target else []
        direct = [ace for ace in aces if ace.trustee == membership.account_sid]
        if target and target.dacl and direct:
            indexed = ((target.dacl.index(ace), ace, membership.sign_in_name) for ace in direct)
            yield make_finding(
                check="AD-DEL-020",
                connection=facts.connection.id,
                outcome=FindingOutcome.ADVISORY,
                severity=Severity.INFO,
                principal=membership.account_sid,
                entitlement="trustee",
                scope=ou,
                title=say("The task is delegated to the account itself"),
                documented=say("delegated control; the page does not say to whom"),
                actual=say("entries on the OU name the account rather than a group"),
                evidence=(
                    EvidenceReference(dataset="target_ou", record=ou),
                    *quote_aces("target_ou", ou, indexed),
                ),
                remediation=Remediation(text=say("Delegate to a group made for it, and make the account its member.")),
            )


def check_leaving_domain_admins(facts: DirectoryFacts) -> Iterator[Finding]:
    """AD-PRV-020: what would break if the account left Domain Admins today."""
    membership = facts.account.membership
    if membership is None or not membership.is_domain_admin:
        return
    outcomes = {ou: delegated.judgement.outcome for ou, delegated in facts.delegations.items()}
    lacking = [ou for ou, outcome in outcomes.items() if outcome in (Outcome.MISSING, Outcome.PARTIAL)]
    breaking = {ou: outcome for ou, outcome in outcomes.items() if outcome is not Outcome.SATISFIED}
    unknown = len(breaking) - len(lacking)
    if breaking:
        yield make_finding(
            check="AD-PRV-020",
            connection=facts.connection.id,
            outcome=FindingOutcome.ADVISORY,
            severity=Severity.HIGH,
            principal=membership.account_sid,
            entitlement="without Domain Admins",
            scope="connection",
            title=say(
                "Leaving Domain Admins today would break {count} of {all} target OUs; of {unknown} it cannot be said"
                if unknown
                else "Leaving Domain Admins today would break {count} of {all} target OUs",
                count=len(lacking),
                all=len(outcomes),
                unknown=unknown,
            ),
            documented=say("delegated control of every target OU"),
            actual=_some([joined(": ", (ou, written(outcome))) for ou, outcome in breaking.items()]),
            evidence=tuple(EvidenceReference(dataset="target_ou", record=ou) for ou in breaking),
            remediation=Remediation(
                text=say("Delegate what is listed, run again, and only then take the account out of Domain Admins."),
                commands=delegate(lacking, membership.sign_in_name).commands,
            ),
        )


def _some(names: Sequence[str]) -> Message:
    more = and_more(names, _NAMES_SHOWN, "; ")
    return joined("", (joined("; ", names[:_NAMES_SHOWN]), more))


def _evidence(ou: str) -> tuple[EvidenceReference, ...]:
    return (
        EvidenceReference(dataset="containers", record=ou),
        EvidenceReference(dataset="inhabitants", record=ou),
    )
