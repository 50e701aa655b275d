"""AD-COL-001, 004, 007: the hosts of the connection, and who reads from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.evaluate.checks.account_finding import account_finding
from auditor.evaluate.directory.principals import Principals
from auditor.evaluate.directory.subtree import auditor_token
from auditor.evaluate.fields import texts
from auditor.evaluate.judgement import describe_gap
from auditor.evaluate.remediation import quote
from auditor.model.directory_entry import record_to_entry
from auditor.model.distinguished_name import parse_dn
from auditor.model.evidence import GapKind
from auditor.model.message import joined, say
from auditor.model.outcome import FindingOutcome, Severity
from auditor.model.results import EvidenceReference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.evaluate.directory.judge import DirectoryFacts
    from auditor.model.evidence import Json
    from auditor.model.results import Finding

_READ_ONLY_CONTROLLER = "1.2.840.113556.1.4.1920"  # LDAP_CAP_ACTIVE_DIRECTORY_PARTIAL_SECRETS_OID, MS-ADTS 3.1.1.3.4.3


def check_hosts_answer(facts: DirectoryFacts) -> Iterator[Finding]:
    """AD-COL-001: a host that does not answer, or refuses the sign-in; the directory's own reason is told."""
    for host in facts.connection.hosts:
        read = facts.evidence.read("host", host)
        signed_in = any(record.get("signed_in") is True for record in read)
        if read.gap is None or signed_in or read.gap.kind is GapKind.NOT_ATTEMPTED:
            continue  # after a refusal no other host is tried: the refusal is told
        yield account_finding(
            facts,
            check="AD-COL-001",
            entitlement="host",
            scope=host,
            outcome=FindingOutcome.UNVERIFIABLE,
            severity=Severity.HIGH,
            title=say("{host} does not answer, or does not let the auditing identity sign in", host=host),
            documented=say("every host of the connection can be signed in to"),
            actual=describe_gap(read.gap),
            cure=say("Mend what the message names, or take the host out of the connection and the inventory."),
            commands=(f"Test-NetConnection -ComputerName {quote(host)} -Port {facts.connection.port}",),
            evidence=(EvidenceReference(dataset="host", record=host),),
        )


def check_hosts_agree(facts: DirectoryFacts) -> Iterator[Finding]:
    """AD-COL-004: hosts of different domains, and read-only domain controllers."""
    told = {host: root_dse for host in facts.connection.hosts if (root_dse := _root_dse(facts, host)) is not None}
    contexts = {host: next(iter(texts(root_dse, "defaultNamingContext")), "") for host, root_dse in told.items()}
    if len({_domain(context) for context in contexts.values()}) > 1:
        yield account_finding(
            facts,
            check="AD-COL-004",
            entitlement="domain",
            scope="hosts",
            severity=Severity.MEDIUM,
            title=say("The hosts serve different domains"),
            documented=say("all hosts of a connection serve the same domain"),
            actual=joined(
                "; ",
                (joined(": ", (host, context or say("none named"))) for host, context in contexts.items()),
            ),
            cure=say("Give each domain a connection of its own; which host answers decides what the product changes."),
            evidence=tuple(EvidenceReference(dataset="host", record=host) for host in told),
        )
    for host, root_dse in told.items():
        if _READ_ONLY_CONTROLLER in texts(root_dse, "supportedCapabilities"):
            yield account_finding(
                facts,
                check="AD-COL-004",
                entitlement="read-only",
                scope=host,
                severity=Severity.MEDIUM,
                title=say("{host} is a read-only domain controller", host=host),
                documented=say("the product writes to every host of the connection"),
                actual=say("its rootDSE names the capability of read-only domain controllers"),
                cure=say("Replace it by a writable domain controller in the connection."),
                evidence=(EvidenceReference(dataset="host", record=host),),
            )


def _root_dse(facts: DirectoryFacts, host: str) -> dict[str, Json] | None:
    for record in facts.evidence.read("host", host):
        root_dse = record.get("root_dse")
        if isinstance(root_dse, dict):
            return root_dse
    return None


def _domain(context: str) -> object:
    try:
        return parse_dn(context)
    except ValueError:
        return context


def check_auditing_identity_is_a_reader(facts: DirectoryFacts) -> Iterator[Finding]:
    """AD-COL-007: the auditing identity is the audited account, or an administrator."""
    membership = facts.account.membership
    identities = {entry.sid for entry in map(record_to_entry, facts.evidence.read("auditing_identity"))} - {None}
    if membership is None:
        return
    evidence = (EvidenceReference(dataset="auditing_identity"),)
    if membership.account_sid in identities:
        yield account_finding(
            facts,
            check="AD-COL-007",
            severity=Severity.MEDIUM,
            title=say("The account audits itself"),
            documented=say("a separate identity that only reads"),
            actual=say("the tool signed in as the audited account"),
            cure=say("Use a separate account that may only read."),
            evidence=evidence,
        )
    principals = Principals(facts.evidence, facts.connection, membership)
    token, _ = auditor_token(facts.evidence)
    administrative = sorted(sid for sid in token.sids - identities if principals.is_tier_zero(sid))
    if administrative and membership.account_sid not in identities:
        yield account_finding(
            facts,
            check="AD-COL-007",
            entitlement="administrator",
            severity=Severity.MEDIUM,
            title=say("The auditing identity is an administrator"),
            documented=say("a separate identity that only reads"),
            actual=say(
                "its token holds {groups}",
                groups=", ".join(f"{principals.name(sid)} ({sid})" for sid in administrative),
            ),
            cure=say("Use an ordinary account: reading the directory needs no administrative group."),
            evidence=evidence,
        )
