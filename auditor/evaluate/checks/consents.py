"""ENT-015 and ENT-016: what the vendor's application may do, in the account's name or by itself (rule A21)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.evaluate.findings import make_finding
from auditor.evaluate.tenant.entitlements import (
    Consent,
    app_roles,
    consents,
    meaning_of_scope,
    name_of_app_role,
    path_of_consent,
    privileged_scope,
)
from auditor.model.message import Message, say
from auditor.model.outcome import FindingOutcome, Severity
from auditor.model.results import EvidenceReference, Remediation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.evaluate.tenant.judge import TenantFacts
    from auditor.model.results import Finding


# Application permissions with which an application can give itself everything else.
_ALL_POWERFUL = frozenset(
    {
        "AppRoleAssignment.ReadWrite.All",
        "Application.ReadWrite.All",
        "Directory.ReadWrite.All",
        "RoleManagement.ReadWrite.Directory",
        "RoleManagement.ReadWrite.Exchange",
        "full_access_as_app",
    }
)


def check_consented_scopes(facts: TenantFacts) -> Iterator[Finding]:
    """ENT-015: scopes the profile does not expect, or, without such a list, far-reaching ones."""
    expected = facts.profile.rules.expected_scopes
    for consent in consents(facts):
        if expected is not None and consent.scope not in expected:
            yield _scope_finding(facts, consent, FindingOutcome.EXCESS, say("no scope beyond those the profile lists"))
        elif expected is None and privileged_scope(consent.scope):
            yield _scope_finding(
                facts,
                consent,
                FindingOutcome.ADVISORY,
                say("the page shows the consented scopes only as an image"),
            )


def _scope_finding(facts: TenantFacts, consent: Consent, outcome: FindingOutcome, documented: Message) -> Finding:
    meaning = meaning_of_scope(consent, facts)
    reach = say("for everyone in the tenant") if consent.is_tenant_wide else say("in the account's name")
    return make_finding(
        check="ENT-015",
        connection=facts.connection.id,
        outcome=outcome,
        severity=Severity.HIGH if consent.is_tenant_wide and privileged_scope(consent.scope) else Severity.MEDIUM,
        principal=facts.account.object_id or facts.account.name,
        entitlement=f"{consent.client_id} {consent.resource_id} {consent.scope}",
        scope="tenant" if consent.is_tenant_wide else "account",
        title=say("Consented scope {scope} {reach}", scope=consent.scope, reach=reach),
        documented=documented,
        actual=say(
            "{scope}, {reach}: {meaning}" if meaning else "{scope}, {reach}",
            scope=consent.scope,
            reach=reach,
            meaning=meaning,
        ),
        paths=(path_of_consent(consent, facts),),
        evidence=(EvidenceReference(dataset="consent_grants", record=consent.grant_id),),
        remediation=Remediation(
            text=say(
                "Compare with the vendor's consent page; revoke in Entra ID > Enterprise applications > "
                "Permissions what the product does not use.",
            )
        ),
    )


def check_application_permissions(facts: TenantFacts) -> Iterator[Finding]:
    """ENT-016: application permissions of the vendor's application; the page documents delegated access only."""
    expected = facts.profile.rules.expected_scopes
    for resource, resource_id, role_id in app_roles(facts):
        permission = name_of_app_role(resource_id, role_id, facts)
        if expected is not None and permission in expected:
            continue
        yield make_finding(
            check="ENT-016",
            connection=facts.connection.id,
            outcome=FindingOutcome.ADVISORY if expected is None else FindingOutcome.EXCESS,
            severity=_severity_of(permission),
            principal=facts.connection.vendor_app_id or "",
            entitlement=f"{resource_id} {role_id}",
            scope="tenant",
            title=say("The vendor's application holds an application permission on {resource}", resource=resource),
            documented=say("access is delegated (OAuth consent)"),
            actual=say(
                "application permission {permission} on {resource}",
                permission=permission or role_id,
                resource=resource,
            ),
            evidence=(EvidenceReference(dataset="vendor_app_role_assignments"),),
            remediation=Remediation(
                text=say("Ask the vendor what the application permission is for; remove it if it is unused.")
            ),
        )


def _severity_of(permission: str) -> Severity:
    """Return how urgent an application permission is; one whose name was not read counts as far-reaching."""
    if permission in _ALL_POWERFUL:
        return Severity.CRITICAL
    return Severity.HIGH if not permission or privileged_scope(permission) else Severity.MEDIUM
