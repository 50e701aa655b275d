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
    planned("META-002", "M", "Two witnesses of Exchange roles agree"),
    planned("META-003", "M", "The auditing identity only reads and is not the audited account"),
    planned("META-004", "H", "Only read requests are sent"),
    planned("META-005", "L", "The matrix is recent and as released"),
    planned("META-006", "ML", "Waivers are valid"),
    planned("META-007", "L", "Clocks agree"),
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
