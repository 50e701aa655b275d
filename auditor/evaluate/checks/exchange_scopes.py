"""EXO-006 and EXO-017: how far the documented Exchange roles let the account write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.evaluate.checks.tenant_finding import ADMIN_ROLES, tenant_finding
from auditor.evaluate.remediation import quote
from auditor.evaluate.tenant.entitlements import documented_assignments, paths_of
from auditor.evaluate.tenant.write_scopes import WriteScopes
from auditor.model.message import joined, say
from auditor.model.outcome import FindingOutcome, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.evaluate.tenant.judge import TenantFacts
    from auditor.model.results import Finding

_DOCUMENTED = say("the page limits the roles to nothing")
_EVIDENCE = ("management_role_assignments", "management_scopes")


def check_write_scopes(facts: TenantFacts) -> Iterator[Finding]:
    """EXO-006: documented roles whose write scope leaves recipients out, and by what."""
    for assignment in documented_assignments(facts):
        limit = assignment.no_write or (
            assignment.limited_to and say("limited to {limit}", limit=assignment.limited_to)
        )
        if not limit:
            continue
        yield tenant_finding(
            facts,
            check="EXO-006",
            outcome=FindingOutcome.ADVISORY,
            severity=Severity.MEDIUM,
            entitlement=assignment.name,
            scope=say("write scope"),
            title=say("{role_name} does not reach every recipient", role_name=assignment.role_name),
            documented=_DOCUMENTED,
            actual=joined(": ", (assignment.name, limit)),
            cure=say(
                "Compare the limit with the people and groups the product manages; widen it where it is too narrow.",
            ),
            portal=say("{admin_roles} > the role group > Write scope", admin_roles=ADMIN_ROLES),
            commands=(
                f"Get-ManagementRoleAssignment -Identity {quote(assignment.name)} | Format-List *WriteScope*",
                f"Set-ManagementRoleAssignment {quote(assignment.name)} -RecipientRelativeWriteScope Organization",
            ),
            paths=paths_of(assignment),
            evidence=_EVIDENCE,
        )
    yield from _exclusive_scopes(facts)


def _exclusive_scopes(facts: TenantFacts) -> Iterator[Finding]:
    """Tell what exclusive scopes keep from the account; they hold against roles for the whole organisation too."""
    assignments = documented_assignments(facts)
    own = frozenset(name for assignment in assignments for name in assignment.custom_scopes)
    for scope_id, words in WriteScopes(facts.evidence).exclusive_to_others(own) if assignments else ():
        yield tenant_finding(
            facts,
            check="EXO-006",
            outcome=FindingOutcome.ADVISORY,
            severity=Severity.MEDIUM,
            entitlement=scope_id,
            scope=say("exclusive scope"),
            title=say("An exclusive scope keeps recipients from the account"),
            documented=_DOCUMENTED,
            actual=say("recipients in {words} can be written by the assignees of that scope alone", words=words),
            cure=say("If the product manages these recipients, assign the documented roles with this scope as well."),
            portal=say("{admin_roles} > the role group > Write scope", admin_roles=ADMIN_ROLES),
            commands=("Get-ManagementScope -Exclusive $true",),
            evidence=_EVIDENCE,
        )


def check_unlimited_write_scope(facts: TenantFacts) -> Iterator[Finding]:
    """EXO-017: documented roles that reach every recipient of the organisation."""
    unlimited = [each for each in documented_assignments(facts) if not each.limited_to and not each.no_write]
    if not unlimited:
        return
    yield tenant_finding(
        facts,
        check="EXO-017",
        outcome=FindingOutcome.ADVISORY,
        severity=Severity.LOW,
        entitlement="unlimited write scope",
        scope="organization",
        title=say("The documented roles reach every recipient"),
        documented=say("the page does not say whether the product works with a limited write scope"),
        actual=say(
            "{roles} may write the whole organisation",
            roles=", ".join(sorted({each.role_name for each in unlimited})),
        ),
        cure=say(
            "Ask the vendor whether a management scope or an administrative unit with the managed recipients is "
            "enough. A group scope covers the direct members of the group alone.",
        ),
        portal=say("{admin_roles} > the role group > Write scope", admin_roles=ADMIN_ROLES),
        commands=('New-ManagementScope -Name "H2R recipients" -RecipientRestrictionFilter "..."',),
        paths=[path for each in unlimited for path in paths_of(each)],
        evidence=_EVIDENCE,
    )
