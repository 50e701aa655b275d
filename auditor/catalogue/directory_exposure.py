"""Active Directory: how the account is exposed, who controls it, and where it may sign in."""

from __future__ import annotations

from auditor.catalogue.check import check, planned

DIRECTORY_EXPOSURE = (
    # Kerberos and credential exposure
    check(
        "AD-KRB-001",
        "CH",
        "The account has no service principal name",
        reads="servicePrincipalName",
        rule="it is empty: the product signs in as a client",
        why="Anyone in the domain can ask for a ticket of an account with a service principal name and guess its "
        "password offline.",
        controls="A:T1558.003",
    ),
    check(
        "AD-KRB-002",
        "C",
        "The account is not trusted for unconstrained delegation",
        reads="userAccountControl",
        rule="the option is not set",
        why="Whoever holds the account can act as anybody who ever signs in to it.",
        controls="N:AC-6 A:T1187",
    ),
    check(
        "AD-KRB-003",
        "CH",
        "The account is not trusted for constrained delegation",
        reads="msDS-AllowedToDelegateTo and userAccountControl",
        rule="neither delegation targets nor protocol transition are set",
        why="The account can act as other people on the named services; on a domain controller that is the domain.",
        controls="N:AC-6 A:T1550.003",
    ),
    check(
        "AD-KRB-004",
        "H",
        "Nobody may act on behalf of others on the account",
        reads="msDS-AllowedToActOnBehalfOfOtherIdentity",
        rule="it is empty",
        why="Whoever it names can sign in to the account's services as anybody.",
        controls="N:AC-6 A:T1134",
    ),
    check(
        "AD-KRB-005",
        "M",
        "A privileged account is sensitive and cannot be delegated",
        reads="userAccountControl and the token, for a member of Domain Admins",
        rule="'account is sensitive and cannot be delegated' is set, or the account is in Protected Users",
        why="Without it, a service that may delegate can act as this account elsewhere.",
        controls="N:IA-2",
    ),
    planned("AD-KRB-006", "M", "AES is offered, RC4 and DES are not"),
    check(
        "AD-KRB-007",
        "H",
        "The account has no key credentials",
        reads="msDS-KeyCredentialLink",
        rule="it is empty",
        why="A key credential lets its holder sign in without the password and survives its change.",
        controls="N:IA-5 A:T1556",
    ),
    planned("AD-KRB-008", "M", "The account has no explicit certificate mapping"),
    check(
        "AD-KRB-009",
        "H",
        "No secret in readable text",
        reads="description, info and comment of the account; every domain user may read them",
        rule="nothing in them names a password or is made like one; what they say is not repeated",
        why="Every account of the domain can read these attributes.",
        controls="P:8.6.2",
    ),
    # Who controls the account
    check(
        "AD-CTL-001",
        "M",
        "Protection by AdminSDHolder is consistent",
        reads="protected groups in the token, adminCount, and the descriptors of the account and of AdminSDHolder",
        rule="a member of a protected group has a protected DACL that equals AdminSDHolder's",
        why="SDProp repairs a privileged account about hourly; a difference that stays means that it does not, and "
        "delegations from above reach the account.",
        controls="N:AC-6",
    ),
    check(
        "AD-CTL-002",
        "L",
        "adminCount does not outlive the membership",
        reads="adminCount and the protected groups in the token",
        rule="adminCount is set only on members of protected groups",
        why="The account keeps a protected DACL that nobody maintains.",
        controls="N:AC-6",
    ),
    check(
        "AD-CTL-003",
        "C",
        "Only administrators of the domain can take over the account",
        reads="the account's security descriptor, trustee by trustee",
        rule="nobody but administrators by SID or RID may reset its password, change its permissions or owner, write "
        "its credentials or service principal names, or own it",
        why="Whoever can take over the account holds everything it holds.",
        controls="N:AC-6 A:T1098",
    ),
    check(
        "AD-CTL-004",
        "H",
        "Only administrators of the domain control the groups that give the account its rights",
        reads="the security descriptors of the groups on the account's granting paths",
        rule="nobody but administrators by SID or RID may change their members, permissions, owner or manager, add "
        "themselves, or own them",
        why="Whoever can add members to these groups can hold the same rights.",
        controls="N:AC-6",
    ),
    check(
        "AD-CTL-005",
        "M",
        "The account is owned by administrators of the domain",
        reads="the owner in the account's security descriptor",
        rule="Domain Admins, Enterprise Admins or Administrators own it",
        why="An owner can change the permissions of what it owns.",
        controls="N:AC-6",
    ),
    planned("AD-CTL-006", "C", "AdminSDHolder carries no undocumented entry"),
    planned("AD-CTL-007", "M", "Who controls the group policies over the account"),
    check(
        "AD-CTL-008",
        "C",
        "The account cannot change itself or its groups",
        reads="the descriptors of the account and of its groups, without Domain Admins; where they lie",
        rule="the account may change neither itself nor the members, permissions or owner of a group it is in, and "
        "neither it nor a group that gives it rights lies in a target OU",
        why="An account that can raise its own rights makes every limit on it meaningless.",
        controls="N:AC-6",
    ),
    planned("AD-LOG-001", "H", "Interactive logon is denied"),
    planned("AD-LOG-002", "M", "Logon workstations or an authentication policy silo limit the account"),
    planned("AD-LOG-003", "I", "Logon hours are stated"),
    planned("AD-LOG-004", "M", "Sign-ins come from the connector only"),
    planned("AD-LOG-005", "M", "Changes by the account are audited"),
)
