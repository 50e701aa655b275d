"""Every check that runs, in the order of the report. A check that is not listed here does not run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.evaluate.checks.consents import check_application_permissions, check_consented_scopes
from auditor.evaluate.checks.directory_account import (
    check_account_is_unique,
    check_account_is_usable,
    check_account_options,
    check_auditor_is_someone_else,
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
from auditor.evaluate.checks.entra_roles import (
    check_excess_entra_roles,
    check_role_end,
    check_synchronised_account,
)
from auditor.evaluate.checks.exchange_roles import (
    check_built_in_role_groups,
    check_delegating_assignments,
    check_direct_assignments,
    check_excess_roles,
    check_open_questions,
    check_shared_mailbox_operability,
    check_single_role_group,
)
from auditor.evaluate.checks.group_membership_delegation import check_group_membership_delegation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from auditor.evaluate.directory.judge import DirectoryFacts
    from auditor.evaluate.tenant.judge import TenantFacts
    from auditor.model.results import Finding

_DIRECTORY_CHECKS: tuple[Callable[[DirectoryFacts], Iterator[Finding]], ...] = (
    check_account_is_unique,
    check_account_is_usable,
    check_account_options,
    check_sid_history,
    check_auditor_is_someone_else,
    check_base_dns,
    check_excess_groups,
    check_domain_admins,
    check_indirect_membership,
    check_primary_group,
    check_membership_witnesses,
    check_group_membership_delegation,
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
)


def run_directory_checks(facts: DirectoryFacts, now: datetime) -> Iterator[Finding]:
    """Run every check of a hybrid connection."""
    for check in _DIRECTORY_CHECKS:
        yield from check(facts)
    yield from check_certificates(facts, now)


def run_tenant_checks(facts: TenantFacts, now: datetime) -> Iterator[Finding]:
    """Run every check of an Exchange Online connection."""
    for check in _TENANT_CHECKS:
        yield from check(facts)
    yield from check_role_end(facts, now)
