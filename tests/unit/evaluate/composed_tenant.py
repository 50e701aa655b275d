"""An Exchange Online connection as evidence: the documented shape, and what a test may change about it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from auditor.model.connection import CLOUD_ENDPOINTS, Cloud, ExchangeOnlineConnection
from tests.unit.evaluate.composed import compose

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.model.evidence import Evidence, Gap, Json, Record
    from tests.unit.evaluate.composed import Question

UPN = "svc-h2r@contoso.com"
ACCOUNT_ID = "11111111-0000-0000-0000-000000000001"
GROUP_ID = "22222222-0000-0000-0000-000000000001"
USER_ADMINISTRATOR = "fe930be7-5e62-47db-91af-98c3a49a38b1"
GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
EXCHANGE_ADMINISTRATOR = "29232cdf-9323-42fd-ade2-1d097af3e4de"
DISTRIBUTION_GROUPS = "Distribution Groups"
MAIL_RECIPIENTS = "Mail Recipients"
SECURITY_GROUPS = "Security Group Creation and Membership"
DOCUMENTED_ROLES = (DISTRIBUTION_GROUPS, MAIL_RECIPIENTS, SECURITY_GROUPS)
ROLE_GROUP = "H2R Provisioning"

CONNECTION = ExchangeOnlineConnection(
    id="contoso",
    name="Exchange Online",
    profile="hybrid-exchange-online",
    tenant="contoso.onmicrosoft.com",
    service_account=UPN,
    cloud=Cloud.GLOBAL,
    endpoints=CLOUD_ENDPOINTS[Cloud.GLOBAL],
)


def entra_role(template_id: str, *, principal: str = ACCOUNT_ID, scope: str = "/", **more: Json) -> Record:
    """Build a directory role assignment."""
    return {
        "id": f"{principal}-{template_id}{scope}",
        "principalId": principal,
        "roleDefinitionId": template_id,
        "directoryScopeId": scope,
        "roleDefinition": {"id": template_id, "templateId": template_id, "displayName": f"name of {template_id}"},
        **more,
    }


def role_group(name: str = ROLE_GROUP, *, guid: str = "", **more: Json) -> Record:
    """Build a role group."""
    return {
        "Name": name,
        "ExchangeObjectId": guid or f"role-group-{name}",
        "Guid": guid or f"role-group-{name}",
        **more,
    }


def member(object_id: str = ACCOUNT_ID, *, kind: str = "UserMailbox", name: str = "svc-h2r") -> Record:
    """Build a member of a role group."""
    return {"Name": name, "ExternalDirectoryObjectId": object_id, "RecipientTypeDetails": kind}


def role(name: str, role_type: str = "", **more: Json) -> Record:
    """Build a built-in management role."""
    return {
        "Name": name,
        "RoleType": role_type or name.replace(" and ", "And").replace(" ", ""),
        "ExchangeObjectId": f"role-{name}",
        "Parent": "",
        "IsRootRole": True,
        "IsEndUserRole": False,
        **more,
    }


def assignment(role_name: str, assignee: str = ROLE_GROUP, *, kind: str = "RoleGroup", **more: Json) -> Record:
    """Build an enabled, regular role assignment for the whole organisation."""
    return {
        "Name": f"{role_name}-{assignee}",
        "ExchangeObjectId": f"assignment-{role_name}-{assignee}",
        "Role": role_name,
        "RoleAssigneeName": assignee,
        "RoleAssignee": assignee,
        "RoleAssigneeType": kind,
        "RoleAssignmentDelegationType": "Regular",
        "Enabled": True,
        "IsValid": True,
        "RecipientWriteScope": "Organization",
        **more,
    }


def consent(scope: str, *, principal: str | None = ACCOUNT_ID, grant_id: str = "grant", **more: Json) -> Record:
    """Build a delegated permission grant, for everyone when there is no principal."""
    return {
        "id": grant_id,
        "clientId": "client",
        "resourceId": "graph",
        "consentType": "AllPrincipals" if principal is None else "Principal",
        "principalId": principal,
        "scope": scope,
        **more,
    }


USER: Record = {
    "id": ACCOUNT_ID,
    "userPrincipalName": UPN,
    "displayName": "Hire2Retire",
    "accountEnabled": True,
    "onPremisesSyncEnabled": None,
    "onPremisesSecurityIdentifier": None,
}
EXCHANGE_USER: Record = {
    "Name": "svc-h2r",
    "ExternalDirectoryObjectId": ACCOUNT_ID,
    "ExchangeObjectId": "exchange-1",
    "UserPrincipalName": UPN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """By default a user who is User Administrator and in a role group with the documented roles."""

    connection: ExchangeOnlineConnection = CONNECTION
    user: tuple[Record, ...] = (USER,)
    exchange_user: tuple[Record, ...] = (EXCHANGE_USER,)
    member_of: tuple[Record, ...] = ()
    entra_roles: tuple[Record, ...] = (entra_role(USER_ADMINISTRATOR),)
    entra_roles_of_groups: Mapping[str, tuple[Record, ...]] = field(default_factory=dict)
    eligible: tuple[Record, ...] = ()
    instances: tuple[Record, ...] = ()
    role_groups: tuple[Record, ...] = (role_group(),)
    members: Mapping[str, tuple[Record, ...]] = field(default_factory=lambda: {ROLE_GROUP: (member(),)})
    roles: tuple[Record, ...] = tuple(role(name) for name in DOCUMENTED_ROLES)
    role_entries: Mapping[str, tuple[Record, ...]] = field(default_factory=dict)
    assignments: tuple[Record, ...] = tuple(assignment(name) for name in DOCUMENTED_ROLES)
    of_account: tuple[Record, ...] | None = None
    consents: tuple[Record, ...] = ()
    vendor_consents: tuple[Record, ...] = ()
    vendor_app_roles: tuple[Record, ...] = ()
    gaps: Mapping[Question, Gap] = field(default_factory=dict)

    def with_assignments(self, *more: Record, roles: tuple[Record, ...] = ()) -> Tenant:
        """Return the same with further role assignments, and further roles."""
        return replace(self, assignments=(*self.assignments, *more), roles=(*self.roles, *roles))

    def evidence(self) -> Evidence:
        """Return what a collection of all this leaves."""
        answers: dict[Question, tuple[Record, ...]] = {
            ("organization", ""): ({"id": "contoso"},),
            ("user", ""): self.user,
            ("transitive_member_of", ""): self.member_of,
            ("role_assignments", ACCOUNT_ID): self.entra_roles,
            ("role_assignment_instances", ACCOUNT_ID): self.instances,
            ("role_eligibility_instances", ACCOUNT_ID): self.eligible,
            ("role_definitions", ""): (),
            ("consent_grants", ""): self.consents,
            ("vendor_consent_grants", ""): self.vendor_consents,
            ("vendor_app_role_assignments", ""): self.vendor_app_roles,
            ("exchange_user", ""): self.exchange_user,
            ("role_groups", ""): self.role_groups,
            ("management_role_assignments", ""): self.assignments,
            ("management_role_assignments_of_account", ""): self._assignments_of_account(),
            ("management_roles", ""): self.roles,
            ("management_scopes", ""): (),
        }
        answers |= {("role_assignments", each): found for each, found in self.entra_roles_of_groups.items()}
        answers |= {("management_role_entries", name): found for name, found in self.role_entries.items()}
        for each in self.role_groups:
            answers["role_group_members", str(each["ExchangeObjectId"])] = self.members.get(str(each["Name"]), ())
        return compose(self.connection, answers, self.gaps, {})

    def _assignments_of_account(self) -> tuple[Record, ...]:
        if self.of_account is not None:
            return self.of_account
        reachable = {name for name, members in self.members.items() if any(_is_account(each) for each in members)}
        return tuple(each for each in self.assignments if each["RoleAssigneeName"] in {*reachable, "svc-h2r"})


def _is_account(record: Record) -> bool:
    return record["ExternalDirectoryObjectId"] == ACCOUNT_ID
