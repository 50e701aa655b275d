"""Tenants that tempt to a wrong answer: nesting, names that mean nothing, roles that add up or hold nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.microsoft365.catalog import (
    DISTRIBUTION_GROUPS,
    MAIL_RECIPIENTS,
    ORGANIZATION_MANAGEMENT,
    REQUIRED_EXCHANGE_ROLES,
    ROLE_ENTRIES,
    SECURITY_GROUPS,
)
from tests.microsoft365.scenario import ROLE_GROUP, USER_ADMINISTRATOR, Scenario, expect, put_into_role_group, start

if TYPE_CHECKING:
    from collections.abc import Callable


def three_levels_deep() -> Scenario:
    """A group in a group in a role group in the role group that holds the roles."""
    tenant, account = start()
    inner = tenant.group("Inner", mail_enabled=True, members=[account])
    outer = tenant.group("Outer", mail_enabled=True, members=[inner])
    base = tenant.role_group("Base", members=[outer])
    put_into_role_group(tenant, base)
    return expect(tenant, "membership counts through every level, and nobody else is in any of them")


def trimmed_roles_that_add_up() -> Scenario:
    """Two copies of Mail Recipients, each without something the other has."""
    tenant, account = start()
    halves = [
        tenant.custom_role(f"Mail without {cmdlet}", parent=MAIL_RECIPIENTS, without=[cmdlet])
        for cmdlet in ("Set-Mailbox", "Get-Mailbox")
    ]
    put_into_role_group(tenant, account, roles=(DISTRIBUTION_GROUPS, SECURITY_GROUPS, *halves))
    return expect(tenant, "whoever holds both copies has every command")


def role_without_commands() -> Scenario:
    """A copy of Mail Recipients of which nothing is left."""
    tenant, account = start()
    empty = tenant.custom_role("Mail, nothing", parent=MAIL_RECIPIENTS, without=ROLE_ENTRIES[MAIL_RECIPIENTS])
    put_into_role_group(tenant, account, roles=(DISTRIBUTION_GROUPS, SECURITY_GROUPS, empty))
    return expect(tenant, "a role without a command is none", missing=["M2"], partial=["M5"])


def role_of_another_type_with_the_name() -> Scenario:
    """A copy of another role that is called like Mail Recipients, but for a space."""
    tenant, account = start()
    namesake = tenant.custom_role(f"{MAIL_RECIPIENTS} ", parent="Message Tracking")
    put_into_role_group(tenant, account, roles=(DISTRIBUTION_GROUPS, SECURITY_GROUPS, namesake))
    return expect(tenant, "the type of a role counts, not its name", missing=["M2"], partial=["M5"])


def namesake_in_role_group() -> Scenario:
    """Somebody with the account's display name holds the roles."""
    tenant, _ = start(display_name="Hire2Retire")
    namesake = tenant.user("other@contoso.example", display_name="Hire2Retire")
    put_into_role_group(tenant, namesake)
    return expect(tenant, "a display name is no identity", missing=["M1", "M2", "M3", "M5"])


def well_known_names_borne_by_others() -> Scenario:
    """The account and its groups bear the names of what would be excess; the role group's is hostile."""
    tenant, account = start(display_name=ORGANIZATION_MANAGEMENT)
    tenant.group("Global Administrator", mail_enabled=True, members=[account])
    tenant.group("TenantAdmins_-1", mail_enabled=True, members=[account])
    tenant.role_group("=HYPERLINK(1)\u202e<b>", roles=REQUIRED_EXCHANGE_ROLES, members=[account])
    return expect(tenant, "names give nothing, and take nothing away")


def owner_of_group_deep_in_organization_management() -> Scenario:
    """The account owns a group in a group that is a member of Organization Management."""
    tenant, account = start()
    inner = tenant.group("Inner", members=[tenant.user("admin@contoso.example")])
    tenant.own(account, inner)
    tenant.add_members(ORGANIZATION_MANAGEMENT, tenant.group("Outer", mail_enabled=True, members=[inner]))
    put_into_role_group(tenant, account)
    return expect(tenant, "every requirement is met, an owner adds itself to the group")


def roles_partly_from_the_role_group() -> Scenario:
    """Two roles from the role group, the third assigned directly."""
    tenant, account = start()
    put_into_role_group(tenant, account, roles=(DISTRIBUTION_GROUPS, MAIL_RECIPIENTS))
    tenant.assign_role(SECURITY_GROUPS, to=account)
    return expect(tenant, "all are held, not all from a role group", partial=["M5"])


def eligible_everywhere_active_in_a_unit() -> Scenario:
    """User Administrator is active for an administrative unit, and eligible for the tenant."""
    tenant, account = start(user_administrator=False)
    tenant.entra_role(account, USER_ADMINISTRATOR, scope=tenant.administrative_unit("West"))
    tenant.eligible_entra_role(account, USER_ADMINISTRATOR)
    put_into_role_group(tenant, account)
    return expect(tenant, "only the active assignment counts", partial=["M2", "M4"])


def group_that_is_eligible() -> Scenario:
    """A group of the account may activate Global Administrator."""
    tenant, account = start()
    tenant.eligible_entra_role(tenant.group("On call", role_assignable=True, members=[account]), "Global Administrator")
    put_into_role_group(tenant, account)
    return expect(tenant, "every requirement is met, Global Administrator is within reach")


def may_grant_role_management() -> Scenario:
    """A delegating assignment of a role that the account does not hold."""
    tenant, account = start()
    put_into_role_group(tenant, account)
    tenant.assign_role("Role Management", to=account, delegating=True)
    return expect(tenant, "every requirement is met, the account may grant what it lacks")


def disabled_excess() -> Scenario:
    """A far-reaching role whose assignment is switched off."""
    tenant, account = start()
    put_into_role_group(tenant, account)
    tenant.assign_role("Role Management", to=account, enabled=False)
    return expect(tenant, "what is switched off is not held")


def limited_and_unlimited() -> Scenario:
    """The roles for the organisation, and one of them once more for a part of it."""
    tenant, account = start()
    put_into_role_group(tenant, account)
    scope = tenant.management_scope("Staff", "Department -eq 'Staff'")
    tenant.role_group("For staff", roles=[MAIL_RECIPIENTS], members=[account], scope=scope)
    return expect(tenant, "the wider assignment counts")


def viewer_in_addition() -> Scenario:
    """The account may also view the configuration."""
    tenant, account = start()
    put_into_role_group(tenant, account)
    tenant.add_members("View-Only Organization Management", account)
    return expect(tenant, "every requirement is met, viewing is an excess below the threshold")


def application_in_role_group() -> Scenario:
    """Another application inherits the rights of the product."""
    tenant, account = start()
    put_into_role_group(tenant, account, tenant.service_principal("Other application"))
    return expect(tenant, "every requirement is met, the role group has another member")


def organizational_unit_scope() -> Scenario:
    """One role writes an organizational unit of Exchange alone."""
    tenant, account = start()
    group = tenant.role_group(ROLE_GROUP, roles=(DISTRIBUTION_GROUPS, SECURITY_GROUPS), members=[account])
    limit = {"recipient_write_scope": "OU", "recipient_organizational_unit_scope": "contoso/Staff"}
    tenant.assign_role(MAIL_RECIPIENTS, to=group, **limit)
    return expect(tenant, "Mail Recipients is limited to an organizational unit", partial=["M2"])


TEMPTING_SCENARIOS: dict[str, Callable[[], Scenario]] = {
    scenario.__name__: scenario
    for scenario in (
        three_levels_deep,
        trimmed_roles_that_add_up,
        role_without_commands,
        role_of_another_type_with_the_name,
        namesake_in_role_group,
        well_known_names_borne_by_others,
        owner_of_group_deep_in_organization_management,
        roles_partly_from_the_role_group,
        eligible_everywhere_active_in_a_unit,
        group_that_is_eligible,
        may_grant_role_management,
        disabled_excess,
        limited_and_unlimited,
        viewer_in_addition,
        application_in_role_group,
        organizational_unit_scope,
    )
}
