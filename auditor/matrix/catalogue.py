"""What every check is about: title, why it matters, and proposed control references.

Ids are stable once released. The references are proposals for a compliance person to confirm.
"""

from __future__ import annotations

from dataclasses import dataclass

from auditor.model.results import ControlReference

_FRAMEWORKS = {
    "N": "nist-800-53r5",
    "I": "iso-27001-2022",
    "S": "soc-2",
    "P": "pci-dss-4.0.1",
    "A": "mitre-attack",
    "B": "cisa-scuba-aad",
    "C": "cis-m365",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One identifiable rule."""

    id: str
    title: str
    why: str
    controls: tuple[ControlReference, ...]

    def __post_init__(self) -> None:
        if not (self.title and self.why):
            msg = f"{self.id}: a check says what it is and why it matters"
            raise ValueError(msg)


def _check(check_id: str, title: str, why: str, controls: str = "") -> Check:
    references = tuple(
        ControlReference(framework=_FRAMEWORKS[family], id=reference)
        for family, reference in (item.split(":", 1) for item in controls.split())
    )
    return Check(id=check_id, title=title, why=why, controls=references)


CATALOGUE: dict[str, Check] = {
    check.id: check
    for check in (
        # Active Directory: the connection
        _check(
            "AD-COL-001",
            "Every host of the connection answers and accepts the sign-in",
            "A host that does not answer cannot serve the product either, and nothing on it can be verified.",
            "N:CA-7",
        ),
        _check(
            "AD-COL-002",
            "The connection speaks LDAP over TLS on the documented port",
            "Without TLS the bind password of a privileged account crosses the network readably.",
            "N:SC-8 I:8.24 P:4.2 P:8.3.2",
        ),
        _check(
            "AD-COL-003",
            "The LDAPS certificate is valid for the configured host",
            "A certificate that names another host, or will expire, leaves clients the choice between failing and "
            "not verifying; the second lets anybody in between read the bind password.",
            "N:SC-17",
        ),
        _check(
            "AD-COL-005",
            "Base DNs are as documented and contain every target OU",
            "The product finds only what lies below its base DN; an OU outside it is never provisioned.",
            "N:CM-6",
        ),
        _check(
            "AD-COL-007",
            "The auditing identity is not the audited account",
            "An account that audits itself can hide what it holds; a separate reader makes the evidence independent.",
            "N:AC-5 I:5.3",
        ),
        _check(
            "AD-COL-009",
            "Two ways of reading the memberships agree",
            "The directory's own token and the walk of the groups must tell the same; a difference means that part of "
            "the membership could not be read or explained.",
            "N:CA-7",
        ),
        # Active Directory: the account
        _check(
            "AD-ACC-001",
            "The audited account exists and is unique",
            "Access can only be judged for one known identity.",
            "N:AC-2 I:5.16",
        ),
        _check(
            "AD-ACC-002",
            "The account is enabled, not locked and not about to expire",
            "Provisioning stops the moment the account can no longer sign in.",
            "N:AC-2 P:8.2.4",
        ),
        _check(
            "AD-ACC-007",
            "No weak account options",
            "An account that needs no password, stores it reversibly, uses DES or skips pre-authentication can be "
            "taken "
            "over without guessing its password online.",
            "N:IA-5 A:T1558.004",
        ),
        _check(
            "AD-ACC-013",
            "No SID history",
            "SIDs of former identities stay in the token and give their rights unseen.",
            "A:T1134.005",
        ),
        # Active Directory: groups
        _check(
            "AD-GRP-001",
            "The documented group is present",
            "The page requires the account to belong to Domain Admins.",
            "N:AC-3 N:AC-6 S:CC6.3 P:7.2.5",
        ),
        _check(
            "AD-GRP-003",
            "Domain Admins is more than provisioning needs",
            "The page asks for it, so it is compliant; but it gives full control of the domain to whoever obtains one "
            "service password. The vendor's alternative wording accepts delegation alone.",
            "N:AC-6(5) N:AC-6(1) I:8.2 P:7.2.5 A:T1078.002",
        ),
        _check(
            "AD-GRP-004",
            "No undocumented privileged group",
            "Each of these groups leads to control of the domain and none is asked for by the page.",
            "N:AC-6 N:AC-2(7) I:8.2",
        ),
        _check(
            "AD-GRP-005",
            "No undocumented ordinary group",
            "Every further group adds rights that nobody reviews as part of this account.",
            "N:AC-6(7)",
        ),
        _check(
            "AD-GRP-006",
            "Documented groups are held directly",
            "Through nesting, whoever manages the group in between decides who holds the rights.",
            "N:AC-2",
        ),
        _check(
            "AD-GRP-007",
            "The primary group is Domain Users",
            "A member by primary group is not in the group's member list, so reviews of that list overlook it.",
            "N:AC-2",
        ),
        # Active Directory: delegation
        _check(
            "AD-DEL-001",
            "The user task is delegated on every target OU",
            "The page requires delegated control of each target OU; without it, provisioning depends on Domain Admins.",
            "N:AC-3 N:AC-6 I:5.15 I:5.18 S:CC6.1 S:CC6.3 P:7.2.1 P:7.2.5",
        ),
        _check(
            "AD-DEL-010",
            "Membership of groups can be written where the product assigns groups",
            "The vendor's delegation page promises group membership but repeats the user task, which writes no "
            "membership; without this right, group assignment depends on Domain Admins.",
            "N:AC-3 N:AC-6 I:5.15",
        ),
        # Exchange Online
        _check(
            "EXO-001",
            "The Exchange roles come from a role group of the account",
            "A role group can be reviewed and handed over; the page asks for one.",
            "N:AC-2 N:AC-3 I:A.5.18 S:CC6.1",
        ),
        _check(
            "EXO-002",
            "Distribution Groups is effective",
            "Without it the product cannot manage distribution lists.",
            "N:AC-3 N:AC-6 I:A.5.15 I:A.5.18 S:CC6.1",
        ),
        _check(
            "EXO-003",
            "Mail Recipients is effective",
            "Without it the product cannot manage mailboxes and Microsoft 365 groups through Exchange.",
            "N:AC-3 N:AC-6 I:A.5.15 I:A.5.18 S:CC6.1",
        ),
        _check(
            "EXO-004",
            "Security Group Creation and Membership is effective",
            "Without it the product cannot manage mail-enabled security groups.",
            "N:AC-3 N:AC-6 I:A.5.15 I:A.5.18 S:CC6.1",
        ),
        _check(
            "EXO-005",
            "One role group holds all documented roles",
            "The page speaks of one role group; roles spread over several are harder to review.",
            "N:AC-3 N:CM-3 I:A.5.18",
        ),
        _check(
            "EXO-010",
            "The account is not in Organization Management",
            "Organization Management may change everything in Exchange Online and grant every role to anyone.",
            "N:AC-6(5) N:AC-6 I:A.8.2 S:CC6.3 B:7.2",
        ),
        _check(
            "EXO-011",
            "No Exchange roles beyond the documented ones",
            "Each further role adds cmdlets the product does not need.",
            "N:AC-6 N:AC-6(1) I:A.8.2 I:A.5.15",
        ),
        _check(
            "EXO-012",
            "The account is not in Recipient Management",
            "Recipient Management adds creation, moves, migration and password reset to the documented roles.",
            "N:AC-6 I:A.5.15",
        ),
        _check(
            "EXO-014",
            "The account cannot grant roles to others",
            "A delegating assignment lets its holder give the role to anyone.",
            "N:AC-6(5) N:AC-5 I:A.5.3 I:A.8.2",
        ),
        _check(
            "EXO-016",
            "Documented roles are not assigned to the account itself",
            "Direct assignments escape reviews of role groups.",
            "N:AC-2(7) I:A.5.18",
        ),
        # Entra ID
        _check(
            "ENT-001",
            "User Administrator is active",
            "Without it the product cannot manage Microsoft 365 groups and users in Entra ID.",
            "N:AC-2 N:AC-3 I:A.5.18 I:A.8.2 S:CC6.2",
        ),
        _check(
            "ENT-004",
            "Active role assignments do not end soon",
            "A time-bound assignment stops provisioning on a known day.",
            "N:AC-2(3) I:A.5.18",
        ),
        _check(
            "ENT-005",
            "The service account is usable",
            "The connection needs an existing, enabled account that Exchange knows.",
            "N:AC-2 I:A.5.16",
        ),
        _check(
            "ENT-010",
            "The account is not Global Administrator",
            "Global Administrator controls the whole tenant.",
            "N:AC-6(5) I:A.8.2 B:7.1 B:7.2 C:1.1.3",
        ),
        _check(
            "ENT-011",
            "The account is not Exchange Administrator",
            "Exchange Administrator is a member of Organization Management in Exchange Online.",
            "N:AC-6 I:A.8.2 B:7.2",
        ),
        _check(
            "ENT-012",
            "No other directory roles",
            "The page documents User Administrator only.",
            "N:AC-6(1) N:AC-6(5) I:A.8.2",
        ),
        _check(
            "ENT-015",
            "Consented scopes are known and expected",
            "A consent lets the application act with the account's rights wherever the scope reaches.",
            "N:AC-6 N:CM-7 I:A.5.18 B:5.2 C:5.1.5.1",
        ),
        _check(
            "ENT-016",
            "Application permissions of the vendor's application are known and expected",
            "Application permissions act without any account and outlive it.",
            "N:AC-6 I:A.8.2 I:A.5.23",
        ),
        _check(
            "ENT-026",
            "A privileged account is not synchronised from on-premises",
            "A synchronised account lets an on-premises compromise reach the tenant.",
            "N:AC-6 I:A.8.2 B:7.3 C:1.1.1",
        ),
        # The audit itself
        _check(
            "META-001",
            "Every source was read completely",
            "What was not read is neither present nor absent; conclusions that need it stay open.",
            "N:AU-12 N:CA-7",
        ),
        _check(
            "META-009",
            "On-premises and cloud administration are separate identities",
            "One identity that is Domain Admin and a cloud administrator lets a compromise of either side reach "
            "the other.",
            "N:AC-6 N:AC-5",
        ),
    )
}
