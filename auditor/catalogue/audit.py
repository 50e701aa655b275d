"""The audit itself: completeness, governance, and trust in the result."""

from __future__ import annotations

from auditor.catalogue.check import check, planned

AUDIT = (
    planned("AD-GOV-001", "H", "Every connection is judged against an approved matrix"),
    planned("AD-GOV-002", "M", "The matrix is the current one"),
    planned("AD-GOV-003", "M", "Waivers of directory findings are valid"),
    planned("AD-GOV-004", "HM", "Changes since the last run are accounted for"),
    planned("AD-GOV-005", "M", "Reviews happen on time"),
    planned("AD-GOV-006", "M", "Earlier findings are closed"),
    planned("AD-GOV-007", "H", "The account serves one connection"),
    planned("AD-GOV-008", "H", "The evidence is as it was written"),
    check(
        "META-001",
        "HM",
        "Every source was read completely",
        reads="the provenance of every read",
        rule="every read is complete",
        why="What was not read is neither present nor absent; conclusions that need it stay open.",
        controls="N:AU-12 N:CA-7",
    ),
    check(
        "META-002",
        "M",
        "Two witnesses of Exchange roles agree",
        reads="members of role groups, Exchange's own answer for the account, sources of directory roles",
        rule="both ways to read what the account holds agree",
        why="Where two witnesses disagree, neither proves anything.",
        controls="N:CA-7",
    ),
    check(
        "META-003",
        "M",
        "The auditing identity only reads and is not the audited account",
        reads="the permissions and roles in the auditing identity's tokens, role groups",
        rule="it only reads, and is neither the account nor the vendor's application",
        why="An auditor that can write is a risk of its own; one that audits itself proves nothing.",
        controls="N:AC-5 N:AC-6 I:A.5.3",
    ),
    check(
        "META-004",
        "H",
        "Only read requests are sent",
        reads="the query of every read",
        rule="every one is a GET or a Get- command",
        why="The audit changes nothing.",
        controls="N:AC-6",
    ),
    check(
        "META-005",
        "L",
        "The matrix is recent and as released",
        reads="the date of the profile",
        rule="the profile is not older than a year",
        why="The vendor changes the page; an old matrix judges against yesterday's.",
        controls="N:CA-2",
    ),
    planned("META-006", "ML", "Waivers are valid"),
    check(
        "META-007",
        "L",
        "Clocks agree",
        reads="the Date header of the services",
        rule="clocks differ by no more than five minutes",
        why="Ends, ages and drift are judged by the clock.",
        controls="N:AU-8",
    ),
    planned("META-008", "L", "The run folder is as it was written"),
    check(
        "META-009",
        "H",
        "On-premises and cloud administration are separate identities",
        reads="the identities of all connections",
        rule="no identity is Domain Admin and holds a directory role",
        why="One identity that is Domain Admin and a cloud administrator lets a compromise of either side "
        "reach the other.",
        controls="N:AC-6 N:AC-5",
    ),
)
