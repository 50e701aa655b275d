"""Named tenants of the paths that reviews miss: scopes, schedules, owners, witnesses, consents, sign-in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.microsoft365.catalog import (
    DISTRIBUTION_GROUPS,
    MAIL_RECIPIENTS,
    ORGANIZATION_MANAGEMENT,
    REQUIRED_EXCHANGE_ROLES,
    SECURITY_GROUPS,
)
from tests.microsoft365.scenario import ROLE_GROUP, USER_ADMINISTRATOR, Scenario, expect, put_into_role_group, start

if TYPE_CHECKING:
    from collections.abc import Callable


def activated_role() -> Scenario:
    """User Administrator was activated by somebody and lapses today."""
    tenant, account = start(user_administrator=False)
    tenant.entra_role(account, USER_ADMINISTRATOR, end="2099-11-25T10:00:00Z", assignment_type="Activated")
    put_into_role_group(tenant, account)
    return expect(tenant, "an activated role is active as long as it lasts")


def eligible_member_of_role_group() -> Scenario:
    """The account may activate its membership of the group that holds User Administrator."""
    tenant, account = start(user_administrator=False)
    group = tenant.group("H2R administrators", role_assignable=True)
    tenant.entra_role(group, USER_ADMINISTRATOR)
    tenant.eligible_member(account, group)
    put_into_role_group(tenant, account)
    return expect(tenant, "an unattended account cannot activate a membership", missing=["M2", "M4"])


def eligible_owner_of_global_administrators() -> Scenario:
    """The account may activate ownership of a group of Global Administrators."""
    tenant, account = start()
    group = tenant.group("Emergency", role_assignable=True)
    tenant.entra_role(group, "Global Administrator")
    tenant.eligible_member(account, group, access="owner")
    put_into_role_group(tenant, account)
    return expect(tenant, "every requirement is met, a way to Global Administrator is excess")


def membership_that_ends() -> Scenario:
    """The membership that carries User Administrator ended."""
    tenant, account = start(user_administrator=False)
    group = tenant.group("H2R administrators", role_assignable=True)
    tenant.entra_role(group, USER_ADMINISTRATOR)
    tenant.member_until(account, group, "2026-01-31T00:00:00Z")
    put_into_role_group(tenant, account)
    return expect(tenant, "the role is active; its schedule says it should not be any more")


def owner_of_privileged_application() -> Scenario:
    """The account owns an application that may write the directory."""
    tenant, account = start()
    application, principal = tenant.application("Sync engine")
    tenant.application_permission(principal, "Directory.ReadWrite.All")
    tenant.own(account, application)
    put_into_role_group(tenant, account)
    return expect(tenant, "every requirement is met, an owner adds a secret to the application")


def owner_of_harmless_group() -> Scenario:
    """The account owns the groups it made, as the product does."""
    tenant, account = start()
    tenant.own(account, *(tenant.group(f"Team {number}") for number in range(3)))
    put_into_role_group(tenant, account)
    return expect(tenant, "owning a group that holds nothing gives nothing")


def owner_of_group_in_organization_management() -> Scenario:
    """The account owns a group that is a member of Organization Management."""
    tenant, account = start()
    group = tenant.group("Exchange admins", mail_enabled=True)
    tenant.own(account, group)
    tenant.add_members(ORGANIZATION_MANAGEMENT, group)
    put_into_role_group(tenant, account)
    return expect(tenant, "every requirement is met, an owner adds itself to the group")


def manager_of_role_group() -> Scenario:
    """The account may add members to its own role group."""
    tenant, account = start()
    tenant.role_group(ROLE_GROUP, roles=REQUIRED_EXCHANGE_ROLES, members=[account], managed_by=(account.id,))
    return expect(tenant, "every requirement is met, the account manages the role group")


def other_members_in_role_group() -> Scenario:
    """A person inherits the rights of the product."""
    tenant, account = start()
    put_into_role_group(tenant, account, tenant.user("helpdesk@contoso.example"))
    return expect(tenant, "every requirement is met, the role group has another member")


def crowd_in_member_group() -> Scenario:
    """The role group contains a group of more than a thousand people."""
    tenant, account = start()
    people = [tenant.user(f"person{number}@contoso.example") for number in range(1100)]
    crowd = tenant.group("Everybody in IT", mail_enabled=True, members=[account, *people])
    put_into_role_group(tenant, crowd)
    return expect(tenant, "membership through a group counts, and so does everybody else's")


def exclusive_scope_of_others() -> Scenario:
    """Executives are in an exclusive scope that the product's roles do not have."""
    tenant, account = start()
    put_into_role_group(tenant, account)
    scope = tenant.management_scope("Executives", "Department -eq 'Board'", exclusive=True)
    tenant.role_group("Executive support", roles=[MAIL_RECIPIENTS], scope=scope)
    return expect(tenant, "the roles reach the organisation, except what is exclusive to others")


def group_write_scope() -> Scenario:
    """One role may write the direct members of a group only."""
    tenant, account = start()
    group = tenant.role_group(ROLE_GROUP, roles=(DISTRIBUTION_GROUPS, SECURITY_GROUPS), members=[account])
    tenant.assign_role(MAIL_RECIPIENTS, to=group, recipient_group_scope="Managed people")
    return expect(tenant, "Mail Recipients is limited to a group", partial=["M2"])


def own_write_scope() -> Scenario:
    """One role lets the account write itself alone."""
    tenant, account = start()
    group = tenant.role_group(ROLE_GROUP, roles=(DISTRIBUTION_GROUPS, SECURITY_GROUPS), members=[account])
    tenant.assign_role(MAIL_RECIPIENTS, to=group, recipient_write_scope="Self")
    return expect(tenant, "a role for oneself manages nobody", missing=["M2"], partial=["M5"])


def invalid_assignment() -> Scenario:
    """One assignment is broken."""
    tenant, account = start()
    group = tenant.role_group(ROLE_GROUP, roles=(DISTRIBUTION_GROUPS, MAIL_RECIPIENTS), members=[account])
    tenant.assign_role(SECURITY_GROUPS, to=group, valid=False)
    return expect(tenant, "an invalid assignment grants nothing", missing=["M3"], partial=["M5"])


def grandchild_role() -> Scenario:
    """A child of a child of Distribution Groups that lost a cmdlet on the way."""
    tenant, account = start()
    child = tenant.custom_role("Fewer", parent=DISTRIBUTION_GROUPS, without=["Remove-DistributionGroup"])
    grandchild = tenant.custom_role("Fewest", parent=child)
    put_into_role_group(tenant, account, roles=(grandchild, MAIL_RECIPIENTS, SECURITY_GROUPS))
    return expect(tenant, "what a parent lost, its child does not have", partial=["M1"])


def exchange_recipient_administrator() -> Scenario:
    """Recipient Management through a directory role."""
    tenant, account = start()
    tenant.entra_role(account, "Exchange Recipient Administrator")
    return expect(
        tenant, "Recipient Management lacks Security Group Creation and Membership", missing=["M3"], partial=["M5"]
    )


def impersonation() -> Scenario:
    """The role group still carries the retired role that opens every mailbox."""
    tenant, account = start()
    put_into_role_group(tenant, account, roles=(*REQUIRED_EXCHANGE_ROLES, "ApplicationImpersonation"))
    return expect(tenant, "every requirement is met, impersonation is excess")


def commands_switched_off() -> Scenario:
    """Every role is there, and no command may be run."""
    tenant, account = start(remote_powershell_enabled=False)
    put_into_role_group(tenant, account)
    return expect(tenant, "the roles are held; that they cannot be used is advice")


def blocked_outside_named_locations() -> Scenario:
    """The documented shape with the policy that fits an unattended account."""
    tenant, account = start()
    put_into_role_group(tenant, account)
    tenant.conditional_access(
        "Service accounts", users=(account.id,), controls=("block",), without_locations=("product",)
    )
    return expect(tenant, "the account is bound to the product's addresses")


def excluded_from_every_policy() -> Scenario:
    """A policy asks everybody for a second factor, except the group the account is in."""
    tenant, account = start()
    put_into_role_group(tenant, account)
    group = tenant.group("Without second factor", members=[account])
    tenant.conditional_access("Second factor for all", without_groups=(group.id,))
    return expect(tenant, "the account is left out through a group")


FURTHER_SCENARIOS: dict[str, Callable[[], Scenario]] = {
    scenario.__name__: scenario
    for scenario in (
        activated_role,
        eligible_member_of_role_group,
        eligible_owner_of_global_administrators,
        membership_that_ends,
        owner_of_privileged_application,
        owner_of_harmless_group,
        owner_of_group_in_organization_management,
        manager_of_role_group,
        other_members_in_role_group,
        crowd_in_member_group,
        exclusive_scope_of_others,
        group_write_scope,
        own_write_scope,
        invalid_assignment,
        grandchild_role,
        exchange_recipient_administrator,
        impersonation,
        commands_switched_off,
        blocked_outside_named_locations,
        excluded_from_every_policy,
    )
}
