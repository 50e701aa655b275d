"""AD-COL-008: objects in scope whose security descriptor could not be read, and the checks that leaves open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.evaluate.checks.account_finding import account_finding, read_permissions_of
from auditor.model.directory_entry import record_to_entry
from auditor.model.message import say
from auditor.model.outcome import FindingOutcome, Severity
from auditor.model.results import EvidenceReference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.evaluate.directory.judge import DirectoryFacts
    from auditor.model.results import Finding

_OPEN = {
    "target_ou": "AD-DEL-*, AD-PRV-*",
    "containers": "AD-DEL-*, AD-PRV-*",
    "inhabitants": "AD-DEL-*",
    "group_ou": "AD-DEL-010",
    "domain": "AD-PRV-010, AD-PRV-011",
    "tier_zero": "AD-PRV-011, AD-CTL-001",
    "other_containers": "AD-PRV-012",
    "ancestors": "AD-PRV-013",
    "certificate_services": "AD-PRV-015",
    "managed_service_accounts": "AD-PRV-014",
    "groups": "AD-CTL-004, AD-CTL-008",
    "account": "AD-CTL-001, AD-CTL-003, AD-CTL-005, AD-CTL-008",
}
# Beside what the connection works on. Windows itself withholds some of them from ordinary readers (IPsec policies,
# NTDS quotas), so they are told without keeping the verdict open.
_BESIDE = frozenset({"other_containers", "certificate_services", "managed_service_accounts"})
_NAMES_SHOWN = 10


def check_descriptors_are_readable(facts: DirectoryFacts) -> Iterator[Finding]:
    """Report per read how many objects came without a descriptor, or with a malformed one, and which."""
    for dataset, checks in _OPEN.items():
        for subject, read in facts.evidence.reads_of(dataset):
            unread = sorted(
                entry.dn for entry in map(record_to_entry, read) if facts.evidence.descriptor(entry.descriptor) is None
            )
            if unread:
                yield _finding(facts, dataset, subject, unread, checks)


def _finding(facts: DirectoryFacts, dataset: str, subject: str, unread: list[str], checks: str) -> Finding:
    more = say(" and {count} more", count=len(unread) - _NAMES_SHOWN) if len(unread) > _NAMES_SHOWN else ""
    return account_finding(
        facts,
        check="AD-COL-008",
        entitlement=dataset,
        scope=subject or dataset,
        outcome=FindingOutcome.ADVISORY if dataset in _BESIDE else FindingOutcome.UNVERIFIABLE,
        severity=Severity.LOW if dataset in _BESIDE else Severity.MEDIUM,
        title=say(
            "1 security descriptor could not be read ({dataset})"
            if len(unread) == 1
            else "{count} security descriptors could not be read ({dataset})",
            count=len(unread),
            dataset=dataset.replace("_", " "),
        ),
        documented=say("the security descriptor of every object in scope is readable"),
        actual=say(
            "withheld or malformed: {unread}{more}. Rights of the account there would not be seen: {checks}",
            unread="; ".join(unread[:_NAMES_SHOWN]),
            more=more,
            checks=checks,
        ),
        cure=say("Grant the auditing identity Read permissions on these objects, then run again."),
        commands=read_permissions_of(facts, unread[:_NAMES_SHOWN]),
        evidence=(EvidenceReference(dataset=dataset, record=subject),),
    )
