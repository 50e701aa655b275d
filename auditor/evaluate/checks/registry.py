"""Every check that runs, in the order of the report. A check that is not listed here does not run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.evaluate.checks.account_control import check_takeover_of_account, check_takeover_of_groups
from auditor.evaluate.checks.account_password import (
    check_account_is_in_use,
    check_password_age,
    check_password_expiry,
)
from auditor.evaluate.checks.account_protection import check_orphaned_admin_count, check_owner, check_protection
from auditor.evaluate.checks.audit_trust import (
    check_auditing_identity,
    check_clocks,
    check_only_reads_were_sent,
    check_witnesses,
)
from auditor.evaluate.checks.both_readings import check_both_readings
from auditor.evaluate.checks.certificate_templates import check_certificate_templates
from auditor.evaluate.checks.consents import check_application_permissions, check_consented_scopes
from auditor.evaluate.checks.controller_witness import check_controller_agrees
from auditor.evaluate.checks.delegation_in_use import (
    check_delegation_reaches,
    check_delegation_trustee,
    check_leaving_domain_admins,
    check_target_ou_exists,
)
from auditor.evaluate.checks.delegation_reach import check_delegation_above, check_delegation_outside, check_orphans
from auditor.evaluate.checks.directory_account import (
    check_account_is_dedicated,
    check_account_is_unique,
    check_account_is_usable,
    check_account_options,
    check_sid_history,
)
from auditor.evaluate.checks.directory_connection import check_base_dns, check_certificates
from auditor.evaluate.checks.directory_groups import (
    check_domain_admins,
    check_excess_groups,
    check_indirect_membership,
    check_membership_witnesses,
    check_primary_group,
)
from auditor.evaluate.checks.directory_hosts import (
    check_auditing_identity_is_a_reader,
    check_hosts_agree,
    check_hosts_answer,
)
from auditor.evaluate.checks.entra_role_limits import (
    check_reach_of_user_administrator,
    check_role_carrying_groups,
    check_role_is_not_merely_eligible,
    check_role_scope,
)
from auditor.evaluate.checks.entra_roles import (
    check_excess_entra_roles,
    check_role_end,
    check_synchronised_account,
)
from auditor.evaluate.checks.exchange_account import check_known_to_exchange
from auditor.evaluate.checks.exchange_roles import (
    check_built_in_role_groups,
    check_delegating_assignments,
    check_direct_assignments,
    check_excess_roles,
    check_open_questions,
    check_shared_mailbox_operability,
    check_single_role_group,
)
from auditor.evaluate.checks.exchange_scopes import check_unlimited_write_scope, check_write_scopes
from auditor.evaluate.checks.group_membership_delegation import check_group_membership_delegation
from auditor.evaluate.checks.kerberos_exposure import (
    check_constrained_delegation,
    check_delegation_onto_account,
    check_key_credentials,
    check_sensitive_account,
    check_service_principal_names,
    check_unconstrained_delegation,
)
from auditor.evaluate.checks.managed_service_accounts import check_managed_service_accounts
from auditor.evaluate.checks.owned_objects import check_owned_objects
from auditor.evaluate.checks.product_role_groups import (
    check_managed_role_groups,
    check_member_groups,
    check_other_members,
    check_other_roles,
    check_role_group_state,
)
from auditor.evaluate.checks.readable_descriptors import check_descriptors_are_readable
from auditor.evaluate.checks.secrets_in_text import check_secrets_in_text
from auditor.evaluate.checks.self_change import check_self_change
from auditor.evaluate.checks.sign_in import check_conditional_access, check_credentials, check_recent_use
from auditor.evaluate.checks.target_ou_excess import check_target_ou_excess
from auditor.evaluate.checks.tier_zero import check_replication_rights, check_tier_zero
from auditor.evaluate.checks.user_operations import check_user_operations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from auditor.evaluate.directory.judge import DirectoryFacts
    from auditor.evaluate.tenant.judge import TenantFacts
    from auditor.model.results import Finding, RunKind

_DIRECTORY_CHECKS: tuple[Callable[[DirectoryFacts], Iterator[Finding]], ...] = (
    check_hosts_answer,
    check_hosts_agree,
    check_base_dns,
    check_auditing_identity_is_a_reader,
    check_descriptors_are_readable,
    check_account_is_unique,
    check_account_is_dedicated,
    check_password_expiry,
    check_account_options,
    check_sid_history,
    check_both_readings,
    check_excess_groups,
    check_domain_admins,
    check_indirect_membership,
    check_primary_group,
    check_membership_witnesses,
    check_group_membership_delegation,
    check_delegation_reaches,
    check_target_ou_exists,
    check_delegation_trustee,
    check_user_operations,
    check_target_ou_excess,
    check_managed_service_accounts,
    check_replication_rights,
    check_tier_zero,
    check_delegation_outside,
    check_delegation_above,
    check_orphans,
    check_certificate_templates,
    check_service_principal_names,
    check_unconstrained_delegation,
    check_constrained_delegation,
    check_delegation_onto_account,
    check_sensitive_account,
    check_key_credentials,
    check_secrets_in_text,
    check_protection,
    check_orphaned_admin_count,
    check_takeover_of_account,
    check_takeover_of_groups,
    check_owner,
    check_self_change,
    check_leaving_domain_admins,
    check_controller_agrees,
)

_TENANT_CHECKS: tuple[Callable[[TenantFacts], Iterator[Finding]], ...] = (
    check_built_in_role_groups,
    check_excess_roles,
    check_open_questions,
    check_delegating_assignments,
    check_direct_assignments,
    check_single_role_group,
    check_shared_mailbox_operability,
    check_excess_entra_roles,
    check_synchronised_account,
    check_consented_scopes,
    check_application_permissions,
    check_write_scopes,
    check_unlimited_write_scope,
    check_known_to_exchange,
    check_role_group_state,
    check_managed_role_groups,
    check_other_members,
    check_other_roles,
    check_member_groups,
    check_role_is_not_merely_eligible,
    check_role_scope,
    check_role_carrying_groups,
    check_owned_objects,
    check_reach_of_user_administrator,
    check_conditional_access,
    check_witnesses,
    check_auditing_identity,
    check_only_reads_were_sent,
    check_clocks,
)


def run_directory_checks(facts: DirectoryFacts, now: datetime) -> Iterator[Finding]:
    """Run every check of a hybrid connection."""
    for check in _DIRECTORY_CHECKS:
        yield from check(facts)
    for check_at in (check_certificates, check_account_is_usable, check_password_age, check_account_is_in_use):
        yield from check_at(facts, now)


def run_tenant_checks(facts: TenantFacts, now: datetime, kind: RunKind) -> Iterator[Finding]:
    """Run every check of an Exchange Online connection."""
    for check in _TENANT_CHECKS:
        yield from check(facts)
    yield from check_credentials(facts, now)
    for check_before in (check_role_end, check_recent_use):
        yield from check_before(facts, now, kind)
