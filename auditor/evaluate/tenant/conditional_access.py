"""Which Conditional Access policies apply to the account, as far as that decides whether it signs in unattended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.evaluate.fields import text, texts
from auditor.model.message import say

if TYPE_CHECKING:
    from auditor.evaluate.tenant.judge import TenantFacts
    from auditor.model.evidence import Json, Record

_EXCHANGE, _GRAPH = "00000002-0000-0ff1-ce00-000000000000", "00000003-0000-0000-c000-000000000000"
_EVERY = "all"
# How people and the product sign in today; a policy for other clients is about legacy protocols
_MODERN_CLIENTS = frozenset({"browser", "mobileappsanddesktopclients"})
_NARROWING = ("authenticationFlows", "devices", "insiderRiskLevels", "signInRiskLevels", "userRiskLevels")


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedPolicy:
    """An enabled policy that covers the account.

    `blocks_elsewhere`: it blocks except from named locations; `blocks`: from everywhere. `asks_for` are its
    controls; `sign_in_hours` is how long a sign-in lasts, or empty.
    """

    id: str
    name: str
    blocks: bool
    blocks_elsewhere: bool
    asks_for: tuple[str, ...]
    sign_in_hours: str

    @property
    def asks_for_a_second_factor(self) -> bool:
        """True when multifactor authentication, or a strength of it, is among the controls."""
        return "mfa" in self.asks_for or "authentication strength" in self.asks_for


def applied_policies(facts: TenantFacts) -> tuple[AppliedPolicy, ...]:
    """Return the policies that apply whenever the account signs in to Exchange Online or Graph."""
    return tuple(_applied(policy) for policy in _policies_in_force(facts) if _covers(policy, facts))


def are_groups_needed(facts: TenantFacts) -> bool:
    """Tell whether a policy asks for groups or roles, of which not all of the account's were read."""
    names = ("includeGroups", "excludeGroups", "includeRoles", "excludeRoles")
    users = (_part(policy, "conditions", "users") for policy in _policies_in_force(facts))
    return bool(facts.entra_roles.gaps) and any(texts(each, name) for each in users for name in names)


def excluding_policies(facts: TenantFacts) -> tuple[tuple[str, str], ...]:
    """Return (name, through what) of the enabled policies that would cover the account, were it not excluded."""
    found = []
    for policy in _policies_in_force(facts):
        users = _part(policy, "conditions", "users")
        through = _excluded_through(users, facts) if _includes(users, facts) else ""
        found += [(text(policy, "displayName"), through)] if through else []
    return tuple(found)


def _policies_in_force(facts: TenantFacts) -> list[Record]:
    """Return the policies for the product; report-only ones, and those for some sign-ins alone, do not count."""
    return [
        policy
        for policy in facts.evidence.read("conditional_access_policies")
        if text(policy, "state") == "enabled" and _is_for_product(policy, facts) and _is_for_every_sign_in(policy)
    ]


def _covers(policy: Record, facts: TenantFacts) -> bool:
    users = _part(policy, "conditions", "users")
    return _includes(users, facts) and not _excluded_through(users, facts)


def _includes(users: Record, facts: TenantFacts) -> bool:
    included = _folded(texts(users, "includeUsers"))
    return bool(
        included & {_EVERY, (facts.account.object_id or "").casefold()}
        or _folded(texts(users, "includeGroups")) & _groups(facts).keys()
        or _folded(texts(users, "includeRoles")) & _roles(facts)
    )


def _excluded_through(users: Record, facts: TenantFacts) -> str:
    if (facts.account.object_id or "").casefold() in _folded(texts(users, "excludeUsers")):
        return say("the account itself")
    groups = _groups(facts)
    for group_id in sorted(_folded(texts(users, "excludeGroups")) & groups.keys()):
        return say("the group {name}", name=groups[group_id])
    return say("a directory role") if _folded(texts(users, "excludeRoles")) & _roles(facts) else ""


def _is_for_product(policy: Record, facts: TenantFacts) -> bool:
    applications = _part(policy, "conditions", "applications")
    own = {_EVERY, "office365", _EXCHANGE, _GRAPH, (facts.connection.vendor_app_id or "").casefold()} - {""}
    included, excluded = (_folded(texts(applications, f"{which}Applications")) for which in ("include", "exclude"))
    return bool(included & own) and not (included == {_EVERY} and excluded >= {_EXCHANGE, _GRAPH})


def _applied(policy: Record) -> AppliedPolicy:
    grant = _part(policy, "grantControls")
    controls = [each for each in texts(grant, "builtInControls") if each]
    if isinstance(grant.get("authenticationStrength"), dict):
        controls.append(say("authentication strength"))
    is_block = "block" in controls
    has_exceptions = bool(texts(_part(policy, "conditions", "locations"), "excludeLocations"))
    frequency = _part(policy, "sessionControls", "signInFrequency")
    hours = f"{frequency.get('value')} {text(frequency, 'type')}" if frequency.get("isEnabled") is True else ""
    return AppliedPolicy(
        id=text(policy, "id"),
        name=text(policy, "displayName") or text(policy, "id"),
        blocks=is_block and not has_exceptions,
        blocks_elsewhere=is_block and has_exceptions,
        asks_for=tuple(each for each in controls if each != "block"),
        sign_in_hours=hours,
    )


def _is_for_every_sign_in(policy: Record) -> bool:
    """Tell whether nothing but users, applications and places left out decides: no platform, device, risk or client."""
    conditions = _part(policy, "conditions")
    platforms, clients = _part(conditions, "platforms"), _folded(texts(conditions, "clientAppTypes"))
    return (
        not any(_says_something(conditions.get(each)) for each in _NARROWING)
        and not texts(platforms, "excludePlatforms")
        and _folded(texts(platforms, "includePlatforms")) <= {_EVERY}
        and _folded(texts(_part(conditions, "locations"), "includeLocations")) <= {_EVERY}
        and (not clients or _EVERY in clients or clients >= _MODERN_CLIENTS)
    )


def _says_something(condition: Json) -> bool:
    return any(condition.values()) if isinstance(condition, dict) else bool(condition)


def _groups(facts: TenantFacts) -> dict[str, str]:
    return {
        text(group, "id").casefold(): text(group, "displayName") or text(group, "id")
        for group in facts.evidence.read("transitive_member_of")
    }


def _roles(facts: TenantFacts) -> frozenset[str]:
    return frozenset(role.template_id for role in facts.entra_roles.active if role.is_tenant_wide)


def _part(record: Record, *names: str) -> Record:
    found: Json = record
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _folded(values: tuple[str, ...]) -> frozenset[str]:
    return frozenset(value.casefold() for value in values)


def has_security_defaults(facts: TenantFacts) -> bool:
    """Tell whether Microsoft's security defaults ask every administrator for a second factor."""
    return any(record.get("isEnabled") is True for record in facts.evidence.read("security_defaults"))
