"""ENT-002, ENT-003, ENT-013, ENT-017: how firmly, how far and under whose control directory roles are held."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.evaluate.checks.tenant_finding import DIRECTORY_ROLES, GROUPS, tenant_finding
from auditor.evaluate.fields import flag, same, text
from auditor.evaluate.listing import and_more
from auditor.evaluate.remediation import assign_entra_role, quote
from auditor.evaluate.tenant.built_in_roles import USER_ADMINISTRATOR
from auditor.evaluate.tenant.product_role_groups import owners_of
from auditor.model.message import joined, say, written
from auditor.model.outcome import FindingOutcome, Severity
from auditor.model.results import EvidenceReference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.evaluate.tenant.entra_roles import HeldRole
    from auditor.evaluate.tenant.judge import TenantFacts
    from auditor.model.message import Message
    from auditor.model.results import Finding

_LISTED = 20


def check_role_is_not_merely_eligible(facts: TenantFacts) -> Iterator[Finding]:
    """ENT-002: documented roles that the account may only activate, or that somebody activated for a while."""
    for template_id in sorted(facts.documented_entra_roles):
        held = facts.entra_roles.holding(template_id)
        eligible = [role for role in facts.entra_roles.eligible if same(role.template_id, template_id)]
        if held and all(role.is_activated for role in held):
            ends_at = held[0].ends_at or say("a time not stated")
            actual, roles = say("activated, lapses at {ends_at}", ends_at=ends_at), list(held)
        elif eligible and not held:
            actual, roles = say("eligible, not active: an unattended account cannot activate a role"), eligible
        else:
            continue
        name = roles[0].name
        cure = assign_entra_role(name, template_id, facts.account.name, is_eligible=True)
        yield tenant_finding(
            facts,
            check="ENT-002",
            outcome=FindingOutcome.ADVISORY,
            severity=Severity.HIGH,
            entitlement=template_id,
            scope="eligibility",
            title=say("{name} has to be activated", name=name),
            documented=say("directory role {name}", name=name),
            actual=actual,
            cure=written(cure.text),
            portal=DIRECTORY_ROLES,
            commands=cure.commands,
            paths=[role.path for role in roles],
            evidence=("role_eligibility_instances", "role_assignment_instances"),
        )


def check_role_scope(facts: TenantFacts) -> Iterator[Finding]:
    """ENT-003: documented roles that are held for a part of the tenant alone."""
    for template_id in sorted(facts.documented_entra_roles):
        held = facts.entra_roles.holding(template_id)
        if not held or held[0].is_tenant_wide:
            continue
        for role in held:
            covered = role.scope_name or say("a scope that was not stated")
            yield tenant_finding(
                facts,
                check="ENT-003",
                outcome=FindingOutcome.ADVISORY,
                severity=Severity.MEDIUM,
                entitlement=template_id,
                scope=role.scope,
                title=say("{name} covers {scope}", name=role.name, scope=covered),
                documented=say("directory role {name}", name=role.name),
                actual=say("limited to {limit}", limit=covered),
                cure=say(
                    "Make sure that everybody the product manages is in it, or assign the role for the whole tenant.",
                ),
                portal=joined(" > ", (DIRECTORY_ROLES, role.name)),
                paths=(role.path,),
                evidence=("role_assignments",),
            )


def check_role_carrying_groups(facts: TenantFacts) -> Iterator[Finding]:
    """ENT-013: groups that carry a directory role and can be joined without an administrator of roles."""
    carriers: dict[str, list[HeldRole]] = {}
    for role in (*facts.entra_roles.active, *facts.entra_roles.eligible):
        if role.group_id:
            carriers.setdefault(role.group_id, []).append(role)
    groups = {text(group, "id").casefold(): group for group in facts.evidence.read("transitive_member_of")}
    for group_id, roles in sorted(carriers.items()):
        group = groups.get(group_id.casefold(), {})
        owners = [name for _, name in owners_of(group_id, facts)]
        reasons = [say("the group is not role-assignable")] if flag(group, "isAssignableToRole") is False else []
        reasons += [say("its owners may add members: {owners}", owners=_shown(owners))] if owners else []
        if not reasons:
            continue
        name = text(group, "displayName") or group_id
        yield tenant_finding(
            facts,
            check="ENT-013",
            outcome=FindingOutcome.EXCESS,
            severity=Severity.HIGH,
            entitlement=group_id,
            scope="group",
            title=say("The group {name} hands a directory role to whoever is let in", name=name),
            documented=say("the directory role is given by administrators of roles"),
            actual=say(
                "{roles} through {name}: {reasons}",
                roles=", ".join(sorted({role.name for role in roles})),
                name=name,
                reasons=joined("; ", reasons),
            ),
            cure=say("Remove the owners of the group, or assign the role to the account itself."),
            portal=say("{groups} > {name} > Owners", groups=GROUPS, name=name),
            commands=(f"Get-MgGroupOwner -GroupId {quote(group_id)}",),
            paths=[role.path for role in roles],
            evidence=(EvidenceReference(dataset="group_owners", record=group_id), "transitive_member_of"),
        )


def check_reach_of_user_administrator(facts: TenantFacts) -> Iterator[Finding]:
    """ENT-017: what User Administrator permits beyond what the product does."""
    wide = [role for role in facts.entra_roles.holding(USER_ADMINISTRATOR) if role.is_tenant_wide]
    if not wide or USER_ADMINISTRATOR not in facts.documented_entra_roles:
        return
    yield tenant_finding(
        facts,
        check="ENT-017",
        outcome=FindingOutcome.ADVISORY,
        severity=Severity.INFO,
        entitlement=USER_ADMINISTRATOR,
        scope="reach",
        title=say("User Administrator reaches further than provisioning"),
        documented=say("directory role User Administrator"),
        actual=say(
            "the role also resets passwords of everybody who is no administrator, manages all groups that hold no "
            "roles, and grants delegated permissions to applications",
        ),
        cure=say("Ask the vendor whether the role may be limited to an administrative unit of the managed people."),
        portal=say("{directory_roles} > User Administrator", directory_roles=DIRECTORY_ROLES),
        paths=[role.path for role in wide],
        evidence=("role_assignments",),
    )


def _shown(names: list[str]) -> Message:
    more = and_more(names, _LISTED)
    return joined("", (", ".join(names[:_LISTED]), more))
