"""Named tenants with what the documented requirements M1 to M6 come to in each, and why."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tests.microsoft365.catalog import (
    DISTRIBUTION_GROUPS,
    MAIL_RECIPIENTS,
    ORGANIZATION_MANAGEMENT,
    REQUIRED_EXCHANGE_ROLES,
    SECURITY_GROUPS,
)
from tests.microsoft365.further_scenarios import FURTHER_SCENARIOS
from tests.microsoft365.scenario import (
    ROLE_GROUP,
    SERVICE_ACCOUNT,
    USER_ADMINISTRATOR,
    VENDOR_APP_ID,
    Scenario,
    expect,
    put_into_role_group,
    start,
)
from tests.microsoft365.snapshot import stable_id
from tests.microsoft365.tempting_scenarios import TEMPTING_SCENARIOS
from tests.microsoft365.tenant import TenantBuilder

__all__ = ["SCENARIOS", "SERVICE_ACCOUNT", "VENDOR_APP_ID", "Scenario", "documented_shape", "exact"]

if TYPE_CHECKING:
    from collections.abc import Callable


def documented_shape(**auditor: Any) -> TenantBuilder:
    """Build the documented shape; `auditor` changes properties of the auditing application."""
    tenant, account = start()
    tenant.auditor = replace(tenant.auditor, **auditor)
    put_into_role_group(tenant, account)
    return tenant


def exact() -> Scenario:
    """The documented shape."""
    return expect(
        documented_shape(), "one role group holds the three roles, and User Administrator is active"
    )


def distribution_groups_missing() -> Scenario:
    """The role group lacks one role."""
    tenant, account = start()
    put_into_role_group(tenant, account, roles=(MAIL_RECIPIENTS, SECURITY_GROUPS))
    return expect(
        tenant, "no role group of the account holds Distribution Groups", missing=["M1"], partial=["M5"]
    )


def mail_recipients_missing() -> Scenario:
    """The role group lacks one role."""
    tenant, account = start()
    put_into_role_group(tenant, account, roles=(DISTRIBUTION_GROUPS, SECURITY_GROUPS))
    return expect(
        tenant, "no role group of the account holds Mail Recipients", missing=["M2"], partial=["M5"]
    )


def security_group_creation_missing() -> Scenario:
    """Recipient Management, which looks sufficient, lacks one role."""
    tenant, account = start()
    tenant.add_members("Recipient Management", account)
    return expect(
        tenant,
        "Recipient Management lacks Security Group Creation and Membership",
        missing=["M3"],
        partial=["M5"],
    )


def user_administrator_missing() -> Scenario:
    """The directory role was never assigned."""
    tenant, account = start(user_administrator=False)
    put_into_role_group(tenant, account)
    return expect(tenant, "the account holds no directory role", missing=["M2", "M4"])


def role_group_missing() -> Scenario:
    """The role group exists, the account is not in it."""
    tenant, _ = start()
    put_into_role_group(tenant, tenant.user("other@contoso.example"))
    return expect(tenant, "the account is in no role group", missing=["M1", "M2", "M3", "M5"])


def direct_assignments_only() -> Scenario:
    """The roles are assigned to the account itself."""
    tenant, account = start()
    for role in REQUIRED_EXCHANGE_ROLES:
        tenant.assign_role(role, to=account)
    return expect(tenant, "the roles are held, but through no role group", missing=["M5"])


def nested_role_group() -> Scenario:
    """The account is in a role group inside the role group."""
    tenant, account = start()
    inner = tenant.role_group("H2R Operators", members=[account])
    put_into_role_group(tenant, inner)
    return expect(tenant, "membership through a nested role group counts")


def nested_mail_enabled_security_group() -> Scenario:
    """The account is in a mail-enabled security group inside the role group."""
    tenant, account = start()
    put_into_role_group(tenant, tenant.group("H2R Identities", mail_enabled=True, members=[account]))
    return expect(tenant, "membership through a mail-enabled security group counts")


def custom_write_scope() -> Scenario:
    """The roles may write to one department only."""
    tenant, account = start()
    put_into_role_group(tenant, account, scope=tenant.management_scope("Sales recipients", "Department -eq 'Sales'"))
    return expect(tenant, "every Exchange role is limited to a custom scope", partial=["M1", "M2", "M3"])


def administrative_unit_write_scope() -> Scenario:
    """The roles may write to one administrative unit only."""
    tenant, account = start()
    put_into_role_group(tenant, account, scope=tenant.administrative_unit("Sales"))
    return expect(
        tenant, "every Exchange role is limited to an administrative unit", partial=["M1", "M2", "M3"]
    )


def disabled_assignment() -> Scenario:
    """One assignment of the role group is switched off."""
    tenant, account = start()
    group = tenant.role_group(ROLE_GROUP, roles=(DISTRIBUTION_GROUPS, SECURITY_GROUPS), members=[account])
    tenant.assign_role(MAIL_RECIPIENTS, to=group, enabled=False)
    return expect(tenant, "a disabled assignment grants nothing", missing=["M2"], partial=["M5"])


def delegating_only() -> Scenario:
    """One assignment of the role group only lets the role be handed on."""
    tenant, account = start()
    group = tenant.role_group(ROLE_GROUP, roles=(MAIL_RECIPIENTS, SECURITY_GROUPS), members=[account])
    tenant.assign_role(DISTRIBUTION_GROUPS, to=group, delegating=True)
    return expect(tenant, "a delegating assignment does not grant the role", missing=["M1"], partial=["M5"])


def eligible_only() -> Scenario:
    """User Administrator has to be activated first."""
    tenant, account = start(user_administrator=False)
    tenant.eligible_entra_role(account, USER_ADMINISTRATOR, start="2026-01-12T08:00:00Z")
    put_into_role_group(tenant, account)
    return expect(tenant, "an unattended account cannot activate an eligible role", missing=["M2", "M4"])


def role_through_role_assignable_group() -> Scenario:
    """User Administrator is held by a group."""
    tenant, account = start(user_administrator=False)
    owner = tenant.user("group-owner@contoso.example")
    group = tenant.group("H2R administrators", role_assignable=True, members=[account], owners=[owner])
    tenant.entra_role(group, USER_ADMINISTRATOR)
    put_into_role_group(tenant, account)
    return expect(tenant, "a directory role through a role-assignable group is active")


def user_administrator_of_administrative_unit() -> Scenario:
    """User Administrator covers one administrative unit."""
    tenant, account = start(user_administrator=False)
    tenant.entra_role(account, USER_ADMINISTRATOR, scope=tenant.administrative_unit("Sales"))
    put_into_role_group(tenant, account)
    return expect(tenant, "User Administrator is limited to an administrative unit", partial=["M2", "M4"])


def organization_management_member() -> Scenario:
    """Everything, through the most powerful role group."""
    tenant, account = start()
    tenant.add_members(ORGANIZATION_MANAGEMENT, account)
    return expect(tenant, "Organization Management holds the three roles, and far more")


def exchange_administrator() -> Scenario:
    """Organization Management, through a directory role."""
    tenant, account = start()
    tenant.entra_role(account, "Exchange Administrator")
    return expect(tenant, "Exchange Administrator makes the account a member of Organization Management")


def global_administrator() -> Scenario:
    """Organization Management through Global Administrator, with User Administrator beside it."""
    tenant, account = start()
    tenant.entra_role(account, "Global Administrator")
    return expect(tenant, "Global Administrator makes the account a member of Organization Management")


def global_administrator_only() -> Scenario:
    """Global Administrator and nothing else: it includes everything User Administrator permits."""
    tenant, account = start(user_administrator=False)
    tenant.entra_role(account, "Global Administrator")
    return expect(tenant, "Global Administrator includes User Administrator and Organization Management")


def untrimmed_custom_role() -> Scenario:
    """A custom child of Mail Recipients that kept all of its cmdlets."""
    tenant, account = start()
    child = tenant.custom_role("H2R Mail Recipients", parent=MAIL_RECIPIENTS)
    put_into_role_group(tenant, account, roles=(DISTRIBUTION_GROUPS, child, SECURITY_GROUPS))
    return expect(tenant, "a child role with all cmdlets of its parent is as good as its parent")


def trimmed_custom_role() -> Scenario:
    """A custom child of Mail Recipients that lost a cmdlet and a parameter."""
    tenant, account = start()
    child = tenant.custom_role(
        "H2R Mail Recipients",
        parent=MAIL_RECIPIENTS,
        without=["Add-MailboxPermission"],
        without_parameters={"Set-Mailbox": ["EmailAddresses"]},
    )
    put_into_role_group(tenant, account, roles=(DISTRIBUTION_GROUPS, child, SECURITY_GROUPS))
    return expect(tenant, "the child role counts only as far as its cmdlets go", partial=["M2"])


def extra_roles() -> Scenario:
    """The role group holds more than documented."""
    tenant, account = start()
    put_into_role_group(tenant, account, roles=(*REQUIRED_EXCHANGE_ROLES, "Role Management", "Mailbox Import Export"))
    return expect(tenant, "every requirement is met, two roles are excess")


def disabled_account() -> Scenario:
    """Everything is granted to an account that cannot sign in."""
    tenant, account = start(account_enabled=False)
    put_into_role_group(tenant, account)
    return expect(tenant, "the account is disabled", missing=["M6"])


def account_unknown_to_exchange() -> Scenario:
    """The account exists in Entra ID only."""
    tenant, _ = start(in_exchange=False)
    put_into_role_group(tenant, tenant.user("other@contoso.example"))
    return expect(
        tenant,
        "Exchange does not know the account, so it can hold no Exchange role",
        missing=["M1", "M2", "M3", "M5", "M6"],
    )


def account_not_in_tenant() -> Scenario:
    """No such account."""
    tenant = TenantBuilder()
    put_into_role_group(tenant, tenant.user("other@contoso.example"))
    return expect(tenant, "the tenant has no such account", missing=["M1", "M2", "M3", "M4", "M5", "M6"])


def two_role_groups() -> Scenario:
    """The roles are split over two role groups."""
    tenant, account = start()
    tenant.role_group("H2R Groups", roles=(DISTRIBUTION_GROUPS, SECURITY_GROUPS), members=[account])
    tenant.role_group("H2R Mail", roles=(MAIL_RECIPIENTS,), members=[account])
    return expect(tenant, "two role groups together hold the three roles")


def role_group_named_user_administrator() -> Scenario:
    """An Exchange role group merely bears the name of the directory role."""
    tenant, account = start(user_administrator=False)
    put_into_role_group(tenant, account)
    tenant.role_group(USER_ADMINISTRATOR, roles=["View-Only Recipients"], members=[account])
    return expect(tenant, "a role group cannot stand in for a directory role", missing=["M2", "M4"])


def vendor_application_with_consent() -> Scenario:
    """The vendor's application may write mail and act on the directory for everybody."""
    tenant, account = start()
    put_into_role_group(tenant, account)
    vendor = tenant.service_principal(
        "Hire2Retire", app_id=VENDOR_APP_ID, owner_tenant_id=stable_id("tenant", "vendor.example")
    )
    tenant.consent(vendor, "Mail.ReadWrite Directory.AccessAsUser.All")
    tenant.consent(vendor, "openid profile offline_access", principal=account)
    tenant.application_permission(vendor, "User.ReadWrite.All")
    return expect(tenant, "every requirement is met, the vendor's consents write mail and directory")


SCENARIOS: dict[str, Callable[[], Scenario]] = {
    scenario.__name__: scenario
    for scenario in (
        exact,
        distribution_groups_missing,
        mail_recipients_missing,
        security_group_creation_missing,
        user_administrator_missing,
        role_group_missing,
        direct_assignments_only,
        nested_role_group,
        nested_mail_enabled_security_group,
        custom_write_scope,
        administrative_unit_write_scope,
        disabled_assignment,
        delegating_only,
        eligible_only,
        role_through_role_assignable_group,
        user_administrator_of_administrative_unit,
        organization_management_member,
        exchange_administrator,
        global_administrator,
        global_administrator_only,
        untrimmed_custom_role,
        trimmed_custom_role,
        extra_roles,
        disabled_account,
        account_unknown_to_exchange,
        account_not_in_tenant,
        two_role_groups,
        role_group_named_user_administrator,
        vendor_application_with_consent,
    )
} | FURTHER_SCENARIOS | TEMPTING_SCENARIOS
