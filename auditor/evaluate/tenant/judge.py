"""Judges the requirements of one Exchange Online connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from auditor.evaluate.judgement import Judgement, with_note
from auditor.evaluate.requirements import judge_need, to_result
from auditor.evaluate.tenant.account import TenantAccount, identify_account, judge_account
from auditor.evaluate.tenant.entra_judgement import judge_entra_role
from auditor.evaluate.tenant.entra_roles import EntraRoles, read_entra_roles
from auditor.evaluate.tenant.exchange_roles import (
    ExchangeAccess,
    judge_exchange_role,
    judge_role_group,
    read_exchange_access,
)
from auditor.matrix.profile import (
    Delegation,
    DirectoryGroup,
    EntraAccount,
    EntraRole,
    ExchangeRole,
    Ldaps,
    Need,
    RoleGroup,
    leaves,
)
from auditor.model.connection import ConnectionKind, ExchangeOnlineConnection
from auditor.model.message import say
from auditor.model.outcome import Outcome

if TYPE_CHECKING:
    from auditor.matrix.profile import Profile
    from auditor.model.evidence import Evidence
    from auditor.model.results import RequirementResult


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantFacts:
    """Everything the requirements and the checks ask about one tenant connection."""

    evidence: Evidence
    connection: ExchangeOnlineConnection
    profile: Profile
    account: TenantAccount
    entra_roles: EntraRoles
    exchange: ExchangeAccess

    @property
    def documented_exchange_roles(self) -> tuple[ExchangeRole, ...]:
        """The Exchange roles the profile names, each once."""
        found = (
            leaf
            for requirement in self.profile.of_kind(ConnectionKind.EXCHANGE_ONLINE)
            for leaf in leaves(requirement.needs)
            if isinstance(leaf, ExchangeRole)
        )
        return tuple(dict.fromkeys(found))

    @property
    def documented_entra_roles(self) -> frozenset[str]:
        """The template ids of the directory roles the profile names."""
        return frozenset(
            leaf.template_id.casefold()
            for requirement in self.profile.of_kind(ConnectionKind.EXCHANGE_ONLINE)
            for leaf in leaves(requirement.needs)
            if isinstance(leaf, EntraRole)
        )


def gather_tenant_facts(evidence: Evidence, connection: ExchangeOnlineConnection, profile: Profile) -> TenantFacts:
    """Work out once what the account is and holds."""
    account = identify_account(evidence, connection)
    roles = read_entra_roles(evidence, account)
    return TenantFacts(
        evidence=evidence,
        connection=connection,
        profile=profile,
        account=account,
        entra_roles=roles,
        exchange=read_exchange_access(evidence, account, roles),
    )


def judge_tenant(facts: TenantFacts) -> tuple[RequirementResult, ...]:
    """Return one result per requirement of the profile; the scope is the audited account."""
    scope = facts.connection.service_account
    results = []
    for requirement in facts.profile.of_kind(ConnectionKind.EXCHANGE_ONLINE):
        judgement = judge_need(requirement.needs, lambda need: _judge_leaf(need, facts))
        results.append(to_result(requirement, scope, judgement))
    return tuple(results)


def _judge_leaf(need: Need, facts: TenantFacts) -> Judgement:
    match need:
        case ExchangeRole():
            return judge_exchange_role(need, facts.account, facts.exchange)
        case EntraRole():
            return judge_entra_role(need, facts.evidence, facts.account, facts.entra_roles)
        case RoleGroup():
            judgement = judge_role_group(facts.documented_exchange_roles, facts.account, facts.exchange)
            return _apply_single_role_group(judgement, facts)
        case EntraAccount():
            return judge_account(facts.evidence, facts.account, facts.exchange.assignments)
        case Delegation() | DirectoryGroup() | Ldaps():
            msg = f"{need.type} is no need of an Exchange Online connection; the loader refuses such a profile"
            raise ValueError(msg)
        case _:
            assert_never(need)  # type: ignore[arg-type]  # combinations are taken apart before


def _apply_single_role_group(judgement: Judgement, facts: TenantFacts) -> Judgement:
    """Read "a role group" as one, or as their union, as the profile says (rule A9)."""
    if judgement.outcome is not Outcome.SATISFIED or judgement.how != "union":
        return judgement
    if facts.profile.rules.single_role_group:
        return Judgement(
            outcome=Outcome.PARTIAL,
            how=judgement.how,
            actual=judgement.actual,
            paths=judgement.paths,
            evidence=judgement.evidence,
            reason=say("{reason}; the profile asks for one that holds them all", reason=judgement.reason),
        )
    return with_note(
        judgement, say("The page speaks of one role group; the union of the account's role groups is accepted.")
    )
