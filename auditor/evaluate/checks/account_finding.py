"""What every finding about the audited account itself has in common, and what is said of withheld attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.evaluate.directory.readable import ReadProof
from auditor.evaluate.findings import make_finding
from auditor.evaluate.judgement import describe_gap
from auditor.evaluate.remediation import grant_command
from auditor.model.directory_entry import record_to_entry
from auditor.model.message import Message, say
from auditor.model.outcome import FindingOutcome, Severity
from auditor.model.results import EvidenceReference, Remediation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from auditor.evaluate.directory.judge import DirectoryFacts
    from auditor.model.directory_entry import DirectoryEntry
    from auditor.model.results import Finding, Path

ACCOUNT = EvidenceReference(dataset="account")
_GOOD_PRACTICE = say("nothing is documented; good practice for a privileged service account")


def account_finding(  # noqa: PLR0913 - a finding has this many facts, and every caller names them
    facts: DirectoryFacts,
    *,
    check: str,
    severity: Severity,
    title: Message,
    actual: Message,
    cure: Message,
    outcome: FindingOutcome = FindingOutcome.ADVISORY,
    documented: Message = _GOOD_PRACTICE,
    entitlement: str = "",
    scope: str = "account",
    commands: Sequence[str] = (),
    paths: Sequence[Path] = (),
    evidence: Sequence[EvidenceReference] = (ACCOUNT,),
) -> Finding:
    """Build a finding about the audited account; without an `entitlement` there is one per check."""
    return make_finding(
        check=check,
        connection=facts.connection.id,
        outcome=outcome,
        severity=severity,
        principal=facts.account.principal.sid or facts.connection.username,
        entitlement=entitlement or check,
        scope=scope,
        title=title,
        documented=documented,
        actual=actual,
        paths=paths,
        evidence=evidence,
        remediation=Remediation(text=cure, commands=tuple(commands)),
    )


_NUMBERS = frozenset(
    {
        "userAccountControl",
        "msDS-User-Account-Control-Computed",
        "accountExpires",
        "pwdLastSet",
        "lastLogonTimestamp",
        "adminCount",
        "primaryGroupID",
    }
)
_ON_EVERY_ACCOUNT = frozenset({"userAccountControl", "primaryGroupID"})


def withheld(facts: DirectoryFacts, entry: DirectoryEntry, check: str, *attributes: str) -> Iterator[Finding]:
    """Yield one finding that stays open when attributes of the account show no usable value and may have one."""
    gap = facts.evidence.read("account").gap
    proof = ReadProof(facts.evidence, facts.schema, facts.account.membership)

    def is_hidden(name: str) -> bool:
        if entry.octets(name):
            return name in _NUMBERS and entry.integer(name) is None
        return gap is not None or name in _ON_EVERY_ACCOUNT or proof.withholds(entry, name)

    hidden = [name for name in attributes if is_hidden(name)]
    if hidden:
        yield account_finding(
            facts,
            check=check,
            outcome=FindingOutcome.UNVERIFIABLE,
            severity=Severity.MEDIUM,
            title=say("Not readable: {hidden} of the account", hidden=", ".join(hidden)),
            actual=describe_gap(gap)
            if gap
            else say("not returned or no number, and the auditing identity is not proven to read it"),
            cure=say(
                "Grant the auditing identity Read property for {hidden} on {dn}, then run again. "
                "Where AdminSDHolder protects the account, grant it there: SDProp undoes it on the account.",
                hidden=", ".join(hidden),
                dn=entry.dn,
            ),
            commands=[grant_command(entry.dn, "", _auditor(facts), f"RP;{name}") for name in hidden],
        )


def read_permissions_of(facts: DirectoryFacts, dns: Iterable[str]) -> tuple[str, ...]:
    """Return the commands that let the auditing identity read the permissions of objects."""
    return tuple(grant_command(dn, "", _auditor(facts), "RC") for dn in dns)


def _auditor(facts: DirectoryFacts) -> str:
    entries = map(record_to_entry, facts.evidence.read("auditing_identity"))
    known = (entry.sid for entry in entries if entry.sid is not None)
    return next(known, facts.evidence.collected_by.get("signed_in_as", ""))
