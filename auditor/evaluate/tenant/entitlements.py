"""Everything the account holds in the tenant, and whether the matrix documents it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from auditor.evaluate.fields import same, text
from auditor.evaluate.judgement import Held, Unknown
from auditor.evaluate.tenant.role_groups import BUILT_IN_COLLECTIONS
from auditor.model.message import say
from auditor.model.results import EntitlementRecord, Path

if TYPE_CHECKING:
    from auditor.evaluate.tenant.judge import TenantFacts
    from auditor.evaluate.tenant.management_roles import ManagementRole
    from auditor.evaluate.tenant.role_assignments import RoleAssignment
    from auditor.model.evidence import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """One consented scope of an application on a resource, for everyone or for the account alone."""

    client_id: str
    resource_id: str
    scope: str
    is_tenant_wide: bool
    grant_id: str


def excess_role_assignments(facts: TenantFacts) -> tuple[RoleAssignment, ...]:
    """Return effective assignments of roles that the profile does not name, end-user roles left out."""
    return tuple(
        assignment
        for assignment in facts.exchange.assignments.all
        if assignment.is_effective and assignment.role is not None and is_excess(assignment.role, facts)
    )


def documented_assignments(facts: TenantFacts) -> tuple[RoleAssignment, ...]:
    """Return the effective assignments of the roles that the profile names."""
    return tuple(
        assignment
        for need in facts.documented_exchange_roles
        for assignment in facts.exchange.of_type(need.role_type)
        if assignment.is_effective and assignment.role is not None
    )


def open_role_assignments(facts: TenantFacts) -> tuple[RoleAssignment, ...]:
    """Return assignments that may give the account a role beyond the profile, as far as could be read."""
    return tuple(
        assignment
        for assignment in facts.exchange.assignments.all
        if not (assignment.is_effective and assignment.role)
        and not (assignment.ineffective and not assignment.is_delegating)
        and (isinstance(assignment.claim, Unknown) or assignment.uncertain or assignment.role is None)
        and (assignment.role is None or is_excess(assignment.role, facts))
    )


def is_excess(role: ManagementRole, facts: TenantFacts) -> bool:
    """Tell whether a role is none that the profile names and none of end users."""
    documented = {need.role_type.casefold() for need in facts.documented_exchange_roles}
    return not role.is_end_user and role.role_type.casefold() not in documented


def delegating_assignments(facts: TenantFacts) -> tuple[RoleAssignment, ...]:
    """Return assignments that let the account grant a role to others."""
    return tuple(
        assignment
        for assignment in facts.exchange.assignments.all
        if assignment.is_delegating and assignment.is_in_force and isinstance(assignment.claim, Held)
    )


def paths_of(assignment: RoleAssignment) -> tuple[Path, ...]:
    """Return the ways an assignment reaches the account."""
    return assignment.claim.paths if isinstance(assignment.claim, Held) else ()


def consents(facts: TenantFacts) -> tuple[Consent, ...]:
    """Return every consented scope in the account's name, and of the vendor's application for everyone."""
    account = facts.account.object_id or ""
    records: dict[str, Record] = {}
    for dataset in ("consent_grants", "vendor_consent_grants"):
        for record in facts.evidence.read(dataset):
            is_for_all = text(record, "consentType") == "AllPrincipals"
            if is_for_all or same(text(record, "principalId"), account):
                records[text(record, "id") or str(record)] = record
    return tuple(
        Consent(
            client_id=text(record, "clientId"),
            resource_id=text(record, "resourceId"),
            scope=scope,
            grant_id=grant_id,
            is_tenant_wide=text(record, "consentType") == "AllPrincipals",
        )
        for grant_id, record in records.items()
        for scope in text(record, "scope").split()
    )


def tenant_entitlements(facts: TenantFacts) -> tuple[EntitlementRecord, ...]:
    """Return role groups, effective roles, directory roles and consents as the report lists them."""
    return (*_role_groups(facts), *_exchange_roles(facts), *_entra_roles(facts), *_consents(facts))


def _role_groups(facts: TenantFacts) -> list[EntitlementRecord]:
    giving = {
        assignment.assignee.casefold()
        for need in facts.documented_exchange_roles
        for assignment in facts.exchange.of_type(need.role_type)
        if assignment.is_effective
    }
    return [
        EntitlementRecord(
            kind="exchange_role_group",
            name=group.name,
            id=group.id,
            scope="organization",
            status="documented"
            if group.name.casefold() in giving and group.name not in BUILT_IN_COLLECTIONS
            else "excess",
            paths=group.claim.paths,
        )
        for group in facts.exchange.role_groups.all
        if isinstance(group.claim, Held)
    ]


def _exchange_roles(facts: TenantFacts) -> list[EntitlementRecord]:
    excess = set(excess_role_assignments(facts))
    return [
        EntitlementRecord(
            kind="exchange_role",
            name=assignment.role_name,
            id=assignment.name,
            scope=assignment.limited_to or "organization",
            status="excess" if assignment in excess else _documented_or_baseline(assignment),
            paths=paths_of(assignment),
        )
        for assignment in facts.exchange.assignments.all
        if assignment.is_effective
    ]


def _documented_or_baseline(assignment: RoleAssignment) -> Literal["documented", "baseline"]:
    return "baseline" if assignment.role is not None and assignment.role.is_end_user else "documented"


def _entra_roles(facts: TenantFacts) -> list[EntitlementRecord]:
    return [
        EntitlementRecord(
            kind="entra_role",
            name=role.name,
            id=role.template_id,
            scope=role.scope,
            status="documented" if role.template_id in facts.documented_entra_roles else "excess",
            paths=(role.path,),
        )
        for role in facts.entra_roles.active
    ]


def _consents(facts: TenantFacts) -> list[EntitlementRecord]:
    expected = facts.profile.rules.expected_scopes
    return [
        EntitlementRecord(
            kind="consent",
            name=consent.scope,
            id=consent.grant_id,
            scope=say("everyone in the tenant") if consent.is_tenant_wide else say("in the account's name"),
            status=_consent_status(consent, expected),
            paths=(path_of_consent(consent, facts),),
        )
        for consent in consents(facts)
    ]


def _consent_status(
    consent: Consent, expected: tuple[str, ...] | None
) -> Literal["documented", "excess", "not_judged"]:
    if expected is None:
        return "not_judged"
    return "documented" if consent.scope in expected else "excess"


def path_of_consent(consent: Consent, facts: TenantFacts) -> Path:
    """Return the way from the account to a scope; the application is named as Graph names it, else by its id."""
    client = next(iter(facts.evidence.read("service_principal", consent.client_id)), None)
    name = text(client, "displayName") if client else ""
    application = f"{name} ({consent.client_id})" if name else consent.client_id
    return (
        facts.account.name,
        say("application {name}", name=application),
        say("scope {scope}", scope=consent.scope),
    )


def meaning_of_scope(consent: Consent, facts: TenantFacts) -> str:
    """Say what a consented scope permits, in the words of the application that offers it."""
    for resource in facts.evidence.read("service_principal", consent.resource_id):
        for offered in _objects(resource, "oauth2PermissionScopes"):
            if same(text(offered, "value"), consent.scope):
                return text(offered, "adminConsentDisplayName") or text(offered, "adminConsentDescription")
    return ""


def name_of_app_role(resource_id: str, role_id: str, facts: TenantFacts) -> str:
    """Return the name of an application permission, such as `User.Read.All`, or the empty string."""
    for resource in facts.evidence.read("service_principal", resource_id):
        for offered in _objects(resource, "appRoles"):
            if same(text(offered, "id"), role_id):
                return text(offered, "value")
    return ""


def _objects(record: Record, name: str) -> list[Record]:
    value = record.get(name)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def app_roles(facts: TenantFacts) -> tuple[tuple[str, str, str], ...]:
    """Return (resource's name and id, permission) of every application permission of the vendor's application."""
    return tuple(
        (text(record, "resourceDisplayName"), text(record, "resourceId"), text(record, "appRoleId"))
        for record in facts.evidence.read("vendor_app_role_assignments")
    )


def privileged_scope(scope: str) -> bool:
    """Tell whether a scope reads or writes mail, the directory or roles (rule A21)."""
    words = (
        "mail",
        "directory",
        "role",
        "user.readwrite",
        "group.readwrite",
        "full_access",
        "exchange.manage",
    )
    return any(word in scope.casefold() for word in words)
