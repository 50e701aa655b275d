"""What a scenario is, and the parts that most of them share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.model.outcome import Outcome
from tests.microsoft365.catalog import REQUIRED_EXCHANGE_ROLES
from tests.microsoft365.snapshot import stable_id
from tests.microsoft365.tenant import TenantBuilder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.microsoft365.objects import AdministrativeUnit, ManagementRole, ManagementScope, Member, User
    from tests.microsoft365.snapshot import Tenant

SERVICE_ACCOUNT = "svc-h2r@contoso.example"
ROLE_GROUP = "H2R Provisioning"
USER_ADMINISTRATOR = "User Administrator"
VENDOR_APP_ID = stable_id("application", "Hire2Retire")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A tenant, the account audited in it, and the expected outcome per requirement id, M1 to M6."""

    tenant: Tenant
    expected: Mapping[str, Outcome]
    reason: str
    service_account: str = SERVICE_ACCOUNT


def expect(
    tenant: TenantBuilder, reason: str, *, missing: Iterable[str] = (), partial: Iterable[str] = ()
) -> Scenario:
    """Finish a scenario in which everything not named is satisfied."""
    expected = dict.fromkeys(("M1", "M2", "M3", "M4", "M5", "M6"), Outcome.SATISFIED)
    expected |= dict.fromkeys(partial, Outcome.PARTIAL) | dict.fromkeys(missing, Outcome.MISSING)
    return Scenario(tenant=tenant.build(), expected=expected, reason=reason)


def start(*, user_administrator: bool = True, **account: bool | str) -> tuple[TenantBuilder, User]:
    """A tenant with an enabled service account that is User Administrator and holds nothing in Exchange."""
    tenant = TenantBuilder()
    service_account = tenant.user(SERVICE_ACCOUNT, **account)
    tenant.user("adele@contoso.example", has_mailbox=True, licensed=True)
    if user_administrator:
        tenant.entra_role(service_account, USER_ADMINISTRATOR)
    return tenant, service_account


def put_into_role_group(
    tenant: TenantBuilder,
    *members: Member,
    roles: Iterable[str | ManagementRole] = REQUIRED_EXCHANGE_ROLES,
    scope: ManagementScope | AdministrativeUnit | None = None,
) -> None:
    """Make the product's role group with these members."""
    tenant.role_group(ROLE_GROUP, roles=roles, members=members, scope=scope)
