"""Judges the requirements of one hybrid connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.acl import Token
from auditor.evaluate.directory.account import ACCOUNT, DirectoryAccount, identify_account
from auditor.evaluate.directory.delegation import Delegated, judge_delegation
from auditor.evaluate.directory.hosts import judge_host
from auditor.evaluate.directory.readings import Judged, accept_one_leg, note_other_reading
from auditor.evaluate.directory.schema import DirectorySchema, read_schema
from auditor.evaluate.directory.subtree import Ancestors
from auditor.evaluate.directory.user_task import TaskPart, decide_user_task
from auditor.evaluate.judgement import Judgement, Scoped, Unknown, describe_gap, with_note
from auditor.evaluate.requirements import to_result
from auditor.matrix.profile import Delegation, DirectoryGroup, Ldaps
from auditor.model.connection import ConnectionKind, HybridConnection
from auditor.model.directory_entry import record_to_entry
from auditor.model.distinguished_name import parse_dn
from auditor.model.message import NOTHING, Message, joined, say, written
from auditor.model.outcome import Outcome
from auditor.model.results import EvidenceReference, RequirementResult, WithoutDomainAdmins

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.matrix.profile import Profile, Requirement
    from auditor.model.evidence import Evidence

NO_TARGET_OUS = say("(no target OUs listed)")


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryFacts:
    """Everything the requirements and the checks ask about one hybrid connection."""

    evidence: Evidence
    connection: HybridConnection
    profile: Profile
    account: DirectoryAccount
    schema: DirectorySchema
    delegations: Mapping[str, Delegated]

    @property
    def delegation_is_required(self) -> bool:
        """Whether the profile asks for the delegation, and not only where Domain Admins is missing (rule A1)."""
        asked = any(isinstance(each.needs, Delegation) for each in self.profile.of_kind(ConnectionKind.HYBRID))
        is_domain_admin = self.account.membership is not None and self.account.membership.is_domain_admin
        return asked and (self.profile.rules.domain_admins_and_delegation == "all_of" or not is_domain_admin)


def gather_directory_facts(evidence: Evidence, connection: HybridConnection, profile: Profile) -> DirectoryFacts:
    """Work out once who the account is, what is in its token, and what it may do on each target OU."""
    account, schema = identify_account(evidence, connection), read_schema(evidence)
    membership, ancestors = account.membership, Ancestors(evidence)
    delegations = (
        {}
        if membership is None
        else {ou: judge_delegation(evidence, membership, ou, ancestors.of(ou)) for ou in connection.target_ous}
    )
    return DirectoryFacts(
        evidence=evidence,
        connection=connection,
        profile=profile,
        account=account,
        schema=schema,
        delegations=delegations,
    )


def judge_directory(facts: DirectoryFacts) -> tuple[RequirementResult, ...]:
    """Return one result per requirement and scope: M7 per account, M8 per target OU, M9 per host."""
    judged = judge_by_itself(facts)
    if facts.profile.rules.domain_admins_and_delegation == "any_of":
        judged = accept_one_leg(judged)
    else:
        judged = note_other_reading(judged)
    return tuple(
        to_result(requirement, scoped.scope, scoped.judgement) for requirement, found in judged for scoped in found
    )


def judge_by_itself(facts: DirectoryFacts) -> Judged:
    """Judge every requirement for itself, before the readings of the page are weighed."""
    return [(requirement, _judge(requirement, facts)) for requirement in facts.profile.of_kind(ConnectionKind.HYBRID)]


def _judge(requirement: Requirement, facts: DirectoryFacts) -> list[Scoped]:
    match requirement.needs:
        case DirectoryGroup() as need:
            return [_judge_group(need, facts), *_other_domains(facts)]
        case Delegation():
            return _judge_delegations(facts)
        case Ldaps() as need:
            return [
                Scoped(scope=host, judgement=judge_host(need, facts.evidence, facts.connection, host))
                for host in facts.connection.hosts
            ]
        case other:
            msg = f"{other.type} is no need of a hybrid connection; the loader refuses such a profile"
            raise ValueError(msg)


def _judge_group(need: DirectoryGroup, facts: DirectoryFacts) -> Scoped:
    account = facts.account
    scope = facts.connection.username
    if account.membership is None:
        return Scoped(scope=scope, judgement=_without_account(account, need.name))
    membership = account.membership
    domain = (account.entry.sid or "").rpartition("-")[0] if account.entry else ""
    sid = f"{domain}-{need.rid}"
    evidence = (EvidenceReference(dataset="token_groups"), EvidenceReference(dataset="groups"))
    name = membership.names.get(sid, need.name)
    if sid in membership.token:
        path = membership.path_to(sid)
        is_former = account.entry is not None and sid in account.entry.sids("sIDHistory")
        is_direct = len(path) == 2 and sid in membership.ways and not is_former  # noqa: PLR2004 - account and group
        way = "member of {name}, through its SID history" if is_former else "member of {name}, through other groups"
        return Scoped(
            scope=scope,
            judgement=Judgement(
                outcome=Outcome.SATISFIED,
                how="exact" if is_direct else "via_group",
                reason=say("the account is a member of {name} ({sid})", name=name, sid=sid),
                actual=say("member of {name}, directly" if is_direct else way, name=name),
                paths=(path,),
                evidence=evidence,
            ),
        )
    if membership.token_gap is not None:
        return Scoped(
            scope=scope,
            judgement=Judgement(
                outcome=Outcome.UNVERIFIABLE,
                reason=describe_gap(membership.token_gap),
                actual=say("{name}: not seen", name=name),
                evidence=evidence,
            ),
        )
    return Scoped(
        scope=scope,
        judgement=Judgement(
            outcome=Outcome.MISSING,
            reason=say("the account is not a member of {name} ({sid})", name=name, sid=sid),
            actual=say("not a member of {name}", name=name),
            evidence=evidence,
        ),
    )


def _without_account(account: DirectoryAccount, what: str) -> Judgement:
    reason = account.found.reason if isinstance(account.found, Unknown) else NOTHING
    actual = say("{what}: not readable", what=what)
    return Judgement(outcome=Outcome.UNVERIFIABLE, reason=reason, actual=actual, evidence=(ACCOUNT,))


def _other_domains(facts: DirectoryFacts) -> list[Scoped]:
    """Domain Admins takes members of its own domain only, so other domains cannot ask for it (rule A8)."""
    if facts.account.entry is None:
        return []
    home = facts.account.entry.dn
    return [
        Scoped(
            scope=base,
            judgement=Judgement(
                outcome=Outcome.NOT_APPLICABLE,
                actual=NOTHING,
                reason=say(
                    "the account's home is another domain; Domain Admins is a global group and takes no member "
                    "from there",
                ),
            ),
        )
        for base in facts.connection.base_dns
        if not _is_same_domain(base, home)
    ]


def _is_same_domain(base: str, home: str) -> bool:
    """Compare the domains of two DNs; one that cannot be told apart counts as the same."""
    try:
        return parse_dn(base).dns_domain == parse_dn(home).dns_domain
    except ValueError:
        return True


def _judge_delegations(facts: DirectoryFacts) -> list[Scoped]:
    if not facts.connection.target_ous:
        return [
            Scoped(
                scope=NO_TARGET_OUS,
                judgement=Judgement(
                    outcome=Outcome.UNVERIFIABLE,
                    actual=say("not asked for"),
                    reason=say(
                        "the inventory lists no target OUs; they are not part of a connection, "
                        "so the operator has to name them",
                    ),
                ),
            )
        ]
    account = facts.account
    if account.membership is None:
        return [
            Scoped(scope=ou, judgement=_without_account(account, say("delegation")))
            for ou in facts.connection.target_ous
        ]
    return [
        Scoped(scope=ou, judgement=with_note(delegated.judgement, _effective(facts, ou)))
        for ou, delegated in facts.delegations.items()
    ]


def _effective(facts: DirectoryFacts, target_ou: str) -> Message:
    """Say what the account may do with all its groups, Domain Admins included."""
    record = next(iter(facts.evidence.read("target_ou", target_ou)), None)
    entry = record_to_entry(record) if record else None
    descriptor = facts.evidence.descriptor(entry.descriptor) if entry else None
    if descriptor is None or facts.account.membership is None:
        return NOTHING
    parts = decide_user_task(descriptor, Token(facts.account.membership.token))
    # Users below are left out: Domain Admins get full control of each from its class, not from the OU.
    held = [written(str(part.part)) for part in parts if part.is_held and part.part is not TaskPart.FULL_CONTROL]
    rights = joined(", ", held) if held else say("neither create nor delete")
    return say("With every group it is in, the account may on the OU itself: {rights}.", rights=rights)


def without_domain_admins(
    facts: DirectoryFacts, results: tuple[RequirementResult, ...]
) -> tuple[WithoutDomainAdmins, ...]:
    """Say what would break if the account left Domain Admins today, and what to delegate so that nothing does.

    Delegation is always judged without Domain Admins, so this is the same computation (rule A2), before
    any alternative reading excuses a leg.
    """
    ids = {
        requirement.id
        for requirement in facts.profile.of_kind(ConnectionKind.HYBRID)
        if isinstance(requirement.needs, Delegation)
    }
    if not ids:
        return ()
    judgements = {scoped.scope: scoped.judgement for scoped in _judge_delegations(facts)}
    return tuple(
        WithoutDomainAdmins(
            id=result.id,
            scope=result.scope,
            outcome=judgements[result.scope].outcome,
            reason=judgements[result.scope].reason,
            add=_commands(judgements[result.scope]),
        )
        for result in results
        if result.id in ids
    )


def _commands(judgement: Judgement) -> tuple[str, ...]:
    return judgement.remediation.commands if judgement.remediation is not None else ()
