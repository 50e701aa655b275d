"""The audit itself: completeness, governance, and trust in the result."""

from __future__ import annotations

from auditor.catalogue.check import check, planned

AUDIT = (
    check(
        "AD-GOV-001",
        "H",
        "Every connection is judged against an approved matrix",
        reads="the SHA-256 of the profile that each hybrid connection is judged against, and waivers of this check",
        rule="the SHA-256 is that of a profile this version was released with, or a waiver records who approved it",
        why="Whoever writes the matrix decides what counts as an excess; one that nobody else read approves itself.",
        controls="P:7.2.3 I:A.5.15",
    ),
    check(
        "AD-GOV-002",
        "M",
        "The matrix is the current one",
        reads="the id and the date of the profile, and of the profile of that id this version was released with",
        rule="the released one is not of a later date",
        why="A matrix that the vendor has replaced asks for rights that are no longer needed, and misses new ones.",
        controls="N:CM-2",
    ),
    check(
        "AD-GOV-003",
        "ML",
        "Waivers of directory findings are valid",
        reads="the waivers of hybrid connections and the findings of this run",
        rule="each is within its dates for more than 30 days, names a finding in the accepted state, and was approved "
        "by someone else than its owner",
        why="An acceptance that has ended, that covers something else than was accepted, or that nobody else "
        "approved is no control.",
        controls="N:CA-5 I:A.8.2",
    ),
    check(
        "AD-GOV-004",
        "M",
        "Changes since the last run are accounted for",
        reads="what the audited accounts held in the earlier run, and hold now",
        rule="no entitlement came, went or changed without being a finding",
        why="A grant that comes or goes without a ticket is a change nobody decided.",
        controls="N:CM-3 N:AC-2(4) S:CC8.1",
    ),
    planned("AD-GOV-005", "M", "Reviews happen on time"),
    planned("AD-GOV-006", "M", "Earlier findings are closed"),
    check(
        "AD-GOV-007",
        "H",
        "The account serves one connection",
        reads="the accounts of all hybrid connections, by SID",
        rule="no other connection of the inventory has the same account",
        why="An account that serves test and production carries a compromise of the one into the other, and nobody "
        "can tell whose change it was.",
        controls="N:AC-2 P:6.5.3",
    ),
    check(
        "AD-GOV-008",
        "H",
        "The evidence is as it was written",
        reads="the manifest of the run that recorded evidence of a hybrid connection is taken from, where it has one; "
        "the digests that evidence keeps of its own files",
        rule="every file of the evidence and of the run's inputs has the SHA-256 that the manifest records; evidence "
        "that contradicts its own digests is refused",
        why="Evidence that somebody changed shows what somebody wants to be seen; nothing it says is proven.",
        controls="N:AU-10 I:A.5.28",
    ),
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
        reads="the date and the SHA-256 of the profile",
        rule="the SHA-256 is that of a profile this version was released with, and its date is not older than a year",
        why="The vendor changes the page; an old matrix judges against yesterday's.",
        controls="N:CA-2",
    ),
    check(
        "META-006",
        "ML",
        "Waivers are valid",
        reads="the waivers of tenant connections and of unknown ones, and the findings of this run",
        rule="each is within its dates for more than 30 days, names a finding in the accepted state, and was approved "
        "by someone else than its owner",
        why="An acceptance that has ended, that covers something else than was accepted, or that nobody else "
        "approved is no control.",
        controls="N:CA-5 I:A.8.2",
    ),
    check(
        "META-007",
        "L",
        "Clocks agree",
        reads="the Date header of the services",
        rule="clocks differ by no more than five minutes",
        why="Ends, ages and drift are judged by the clock.",
        controls="N:AU-8",
    ),
    check(
        "META-008",
        "L",
        "The run folder is as it was written",
        reads="the manifest: of this run once everything is written, of earlier runs before they are compared with, of "
        "the run that recorded evidence of a tenant connection is taken from",
        rule="every file has the SHA-256 that the manifest records",
        why="A record that was altered afterwards shows what somebody wants to be seen.",
        controls="N:AU-10 I:A.5.28",
    ),
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
