"""Well-known security identifiers (MS-DTYP 2.4.2.4) and what they mean for the judgement."""

from __future__ import annotations

from auditor.acl import domain_of_sid, rid_of_sid

EVERYONE = "S-1-1-0"
NETWORK = "S-1-5-2"
AUTHENTICATED_USERS = "S-1-5-11"
THIS_ORGANIZATION = "S-1-5-15"
AUTHENTICATION_AUTHORITY_ASSERTED_IDENTITY = "S-1-18-1"
CREATOR_OWNER = "S-1-3-0"
CREATOR_GROUP = "S-1-3-1"
SYSTEM = "S-1-5-18"
ADMINISTRATORS = "S-1-5-32-544"
USERS = "S-1-5-32-545"
ACCOUNT_OPERATORS = "S-1-5-32-548"
PRINT_OPERATORS = "S-1-5-32-550"
PRE_WINDOWS_2000_COMPATIBLE_ACCESS = "S-1-5-32-554"

DOMAIN_ADMINS_RID = 512
DOMAIN_USERS_RID = 513
DOMAIN_COMPUTERS_RID = 515
ENTERPRISE_ADMINS_RID = 519
PROTECTED_USERS_RID = 525
DENIED_RODC_REPLICATION_RID = 572

# In the token of every account that signs in over the network with a password or a ticket.
IN_EVERY_TOKEN = {
    EVERYONE: "Everyone",
    NETWORK: "Network",
    AUTHENTICATED_USERS: "Authenticated Users",
    THIS_ORGANIZATION: "This Organization",
    AUTHENTICATION_AUTHORITY_ASSERTED_IDENTITY: "Authentication authority asserted identity",
}

PRIVILEGED_RIDS = {
    498: "Enterprise Read-only Domain Controllers",
    516: "Domain Controllers",
    517: "Cert Publishers",
    518: "Schema Admins",
    519: "Enterprise Admins",
    520: "Group Policy Creator Owners",
    521: "Read-only Domain Controllers",
    526: "Key Admins",
    527: "Enterprise Key Admins",
}
PRIVILEGED_BUILT_IN = {
    ADMINISTRATORS: "Administrators",
    ACCOUNT_OPERATORS: "Account Operators",
    "S-1-5-32-549": "Server Operators",
    PRINT_OPERATORS: "Print Operators",
    "S-1-5-32-551": "Backup Operators",
    "S-1-5-32-552": "Replicator",
    "S-1-5-32-578": "Hyper-V Administrators",
}
PRIVILEGED_NAMES = frozenset(
    {
        "dnsadmins",
        "organization management",
        "exchange windows permissions",
        "exchange trusted subsystem",
    }
)
# Groups that every account is in, or that Windows puts every member of another group into.
BASELINE_BUILT_IN = frozenset({USERS, PRE_WINDOWS_2000_COMPATIBLE_ACCESS})


def is_built_in_administration(sid: str) -> bool:
    """Tell whether rights of this SID are built-in administration, not delegation (rule A2)."""
    if sid in (ADMINISTRATORS, SYSTEM, ACCOUNT_OPERATORS, CREATOR_OWNER):
        return True
    return domain_of_sid(sid) is not None and rid_of_sid(sid) in (DOMAIN_ADMINS_RID, ENTERPRISE_ADMINS_RID)
