"""The Microsoft 365 tenants of Contoso Ltd and of Fabrikam, which it acquired."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tests.microsoft365.catalog import (
    MAIL_RECIPIENTS,
    ORGANIZATION_MANAGEMENT,
    REQUIRED_EXCHANGE_ROLES,
    SECURITY_GROUPS,
)
from tests.microsoft365.snapshot import stable_id
from tests.microsoft365.tenant import TenantBuilder

if TYPE_CHECKING:
    from tests.microsoft365.objects import User
    from tests.microsoft365.snapshot import Tenant

VENDOR_APP_ID = stable_id("application", "Hire2Retire")
USER_ADMINISTRATOR = "User Administrator"
ROLES_LEFT_OUT = frozenset({  # of the built-in ones; no connection is about them, and they fill the evidence
    "Audit Logs", "Compliance Admin", "Data Loss Prevention", "E-Mail Address Policies", "Federated Sharing",
    "Information Rights Management", "Journaling", "Legal Hold", "Mail Enabled Public Folders", "Mail Tips",
    "Message Tracking", "Org Custom Apps", "Org Marketplace Apps", "Organization Client Access",
    "Public Folders", "Retention Management", "Security Admin", "Security Reader", "Transport Hygiene",
    "Transport Rules", "User Options", "View-Only Audit Logs",
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailboxes:
    """An Exchange Online connection."""

    id: str
    name: str
    service_account: str
    vendor_app_id: str | None = None
    linked_to: str | None = None


HEADQUARTERS = Mailboxes(
    id="exchange-headquarters",
    name="Exchange Online",
    service_account="svc-h2r@contoso.example",
    vendor_app_id=VENDOR_APP_ID,
    linked_to="hybrid-headquarters",
)
LODZ = Mailboxes(
    id="exchange-lodz", name="Exchange Online Łódź", service_account="svc-h2r-lodz@contoso.example"
)
ATHENS = Mailboxes(
    id="exchange-athens", name="Exchange Online Αθήνα", service_account="svc-h2r-athens@contoso.example"
)
MUNICH = Mailboxes(
    id="exchange-munich", name="Exchange Online München", service_account="svc-h2r-muc@contoso.example"
)
VARNA = Mailboxes(
    id="exchange-varna", name="Exchange Online Варна", service_account="svc-h2r-varna@contoso.example"
)
MIGRATION = Mailboxes(
    id="exchange-migration",
    name="Exchange Online (migration)",
    service_account="svc-h2r-migration@contoso.example",
    vendor_app_id=VENDOR_APP_ID,
)
FABRIKAM = Mailboxes(
    id="exchange-fabrikam",
    name="Exchange Online Fabrikam",
    service_account="svc-h2r@fabrikam.example",
)
IN_CONTOSO = (HEADQUARTERS, LODZ, ATHENS, MUNICH, VARNA, MIGRATION)
IN_FABRIKAM = (FABRIKAM,)


def contoso_tenant() -> Tenant:
    """Return the tenant in which each connection has a service account of its own kind."""
    tenant = TenantBuilder(display_name="Contoso Ltd")
    headquarters = _account(tenant, HEADQUARTERS, "Hire2Retire")
    lodz = _account(tenant, LODZ, "Hire2Retire Łódź")
    athens = tenant.user(ATHENS.service_account, display_name="Hire2Retire Αθήνα")
    munich = _account(tenant, MUNICH, "Hire2Retire München")
    varna = _account(tenant, VARNA, "Hire2Retire Варна", on_premises_sync_enabled=True)
    migration = _account(tenant, MIGRATION, "Hire2Retire migration")
    for upn, name in (
        ("lukasz.zolc@contoso.example", "Łukasz Żółć"),
        ("yulia.smirnova@contoso.example", "Юлия Смирнова"),
    ):
        tenant.user(upn, display_name=name, has_mailbox=True, licensed=True)
    tenant.eligible_entra_role(athens, USER_ADMINISTRATOR, start="2026-02-02T08:00:00Z")
    tenant.role_group("H2R Provisioning", roles=REQUIRED_EXCHANGE_ROLES, members=(headquarters,))
    tenant.role_group("H2R Αθήνα", roles=REQUIRED_EXCHANGE_ROLES, members=(athens,))
    tenant.role_group("<b>H2R</b> & Łódź", roles=(MAIL_RECIPIENTS, SECURITY_GROUPS), members=(lodz,))
    for role in REQUIRED_EXCHANGE_ROLES:
        tenant.assign_role(role, to=munich)
    office = tenant.management_scope("Служители Варна", "Office -eq 'Варна'")
    tenant.role_group("H2R Варна", roles=REQUIRED_EXCHANGE_ROLES, members=(varna,), scope=office)
    tenant.add_members(ORGANIZATION_MANAGEMENT, migration)
    _vendor_consents(tenant, headquarters, migration)
    return _smaller(tenant.build())


def fabrikam_tenant() -> Tenant:
    """Return a tenant in the documented shape that the auditing application may read only in part."""
    tenant = TenantBuilder(domain="fabrikam.example", display_name="Fabrikam GmbH")
    account = _account(tenant, FABRIKAM, "Hire2Retire")
    tenant.role_group("H2R Provisioning", roles=REQUIRED_EXCHANGE_ROLES, members=(account,))
    allowed = tenant.auditor.without_permissions("RoleManagement.Read.Directory", "Directory.Read.All")
    tenant.auditor = replace(tenant.auditor, graph_permissions=allowed, exchange_manage_as_app=False)
    return _smaller(tenant.build())


def _smaller(tenant: Tenant) -> Tenant:
    return replace(
        tenant,
        management_roles=tuple(role for role in tenant.management_roles if role.name not in ROLES_LEFT_OUT),
        management_role_assignments=tuple(
            each for each in tenant.management_role_assignments if each.role not in ROLES_LEFT_OUT
        ),
    )


def _account(tenant: TenantBuilder, connection: Mailboxes, display_name: str, **properties: bool) -> User:
    account = tenant.user(connection.service_account, display_name=display_name, **properties)
    tenant.entra_role(account, USER_ADMINISTRATOR)
    return account


def _vendor_consents(tenant: TenantBuilder, headquarters: User, migration: User) -> None:
    vendor = tenant.service_principal(
        "Hire2Retire", app_id=VENDOR_APP_ID, owner_tenant_id=stable_id("tenant", "vendor.example")
    )
    tenant.consent(vendor, "openid profile offline_access", principal=headquarters)
    tenant.consent(vendor, "openid profile offline_access Mail.ReadWrite", principal=migration)
