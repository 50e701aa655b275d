"""Who is behind a SID of a security descriptor, and whether control is theirs by the design of every domain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.acl import domain_of_sid, rid_of_sid
from auditor.evaluate.directory.well_known import (
    ACCOUNT_OPERATORS,
    ADMINISTRATORS,
    DOMAIN_ADMINS_RID,
    ENTERPRISE_ADMINS_RID,
    IN_EVERY_TOKEN,
    PRIVILEGED_BUILT_IN,
    SYSTEM,
)
from auditor.evaluate.fields import texts
from auditor.model.directory_entry import record_to_entry
from auditor.model.distinguished_name import parse_dn

if TYPE_CHECKING:
    from auditor.evaluate.directory.membership import Membership
    from auditor.model.connection import HybridConnection
    from auditor.model.evidence import Evidence

_ENTERPRISE_DOMAIN_CONTROLLERS = "S-1-5-9"
# Of the account's own domain: Administrator, krbtgt, Domain Admins, Domain Controllers, Key Admins (MS-DTYP 2.4.2.4)
_TIER_ZERO_RIDS = frozenset({500, 502, DOMAIN_ADMINS_RID, 516, 526})
# Of the forest's root domain: Schema Admins, Enterprise Admins, Enterprise Key Admins
_TIER_ZERO_RIDS_OF_ROOT = frozenset({518, ENTERPRISE_ADMINS_RID, 527})
# Account Operators control every account that AdminSDHolder does not protect, as Windows ships it.
_TIER_ZERO = frozenset({SYSTEM, ADMINISTRATORS, ACCOUNT_OPERATORS, _ENTERPRISE_DOMAIN_CONTROLLERS})
_OWNERS = frozenset({SYSTEM, ADMINISTRATORS})
_OTHER_NAMES = {SYSTEM: "Local System", _ENTERPRISE_DOMAIN_CONTROLLERS: "Enterprise Domain Controllers"}


class Principals:
    """The principals that descriptors of one connection name."""

    def __init__(self, evidence: Evidence, connection: HybridConnection, membership: Membership) -> None:
        self._domain = domain_of_sid(membership.account_sid)
        self._domain_is_root = _domain_is_root(evidence, connection)
        found = (
            entry for dataset in ("trustees", "tier_zero") for entry in map(record_to_entry, evidence.read(dataset))
        )
        self._names = {
            **_OTHER_NAMES,
            **IN_EVERY_TOKEN,
            **PRIVILEGED_BUILT_IN,
            **{entry.sid: name for entry in found if entry.sid and (name := entry.text("sAMAccountName"))},
            **membership.names,
        }

    def name(self, sid: str) -> str:
        """Return the name behind a SID, or the SID."""
        return self._names.get(sid, sid)

    def is_tier_zero(self, sid: str) -> bool:
        """Tell whether a principal controls the accounts of the domain by design: administrators and the like."""
        return sid in _TIER_ZERO or self._has_rid(sid, _TIER_ZERO_RIDS, _TIER_ZERO_RIDS_OF_ROOT)

    def may_own(self, sid: str) -> bool:
        """Tell whether a principal is a proper owner: Domain Admins, Enterprise Admins, Administrators, the system."""
        return sid in _OWNERS or self._has_rid(sid, frozenset({DOMAIN_ADMINS_RID}), frozenset({ENTERPRISE_ADMINS_RID}))

    def _has_rid(self, sid: str, of_domain: frozenset[int], of_root: frozenset[int]) -> bool:
        domain = domain_of_sid(sid)
        if domain is None:
            return False
        if rid_of_sid(sid) in of_root:  # the SID of another root domain is not known
            return domain == self._domain or not self._domain_is_root
        return domain == self._domain and rid_of_sid(sid) in of_domain


def _domain_is_root(evidence: Evidence, connection: HybridConnection) -> bool:
    """Tell whether the account's domain is known to be the root of its forest, which holds the forest's groups."""
    heads = [record_to_entry(record).dn for record in evidence.read("domain")]
    roots = [
        root
        for host in connection.hosts
        for record in evidence.read("host", host)
        if isinstance(root_dse := record.get("root_dse"), dict)
        for root in texts(root_dse, "rootDomainNamingContext")
    ]
    try:
        return bool(heads and roots) and {parse_dn(root) for root in roots} == {parse_dn(heads[0])}
    except ValueError:
        return False
