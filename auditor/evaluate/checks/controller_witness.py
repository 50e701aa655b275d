"""AD-COL-012: the domain controller's own effective rights for the audited account, beside the evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.acl import Token, effective_rights
from auditor.evaluate.findings import make_finding
from auditor.evaluate.judgement import describe_gap
from auditor.evaluate.listing import and_more
from auditor.model.directory_entry import record_to_entry
from auditor.model.message import Message, joined, say
from auditor.model.outcome import FindingOutcome, Outcome, Severity
from auditor.model.results import EvidenceReference, Remediation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.acl import SecurityDescriptor, Vocabulary
    from auditor.evaluate.directory.judge import DirectoryFacts
    from auditor.evaluate.directory.membership import Membership
    from auditor.model.directory_entry import DirectoryEntry
    from auditor.model.results import Finding

# sDRightsEffective bits, MS-ADTS 3.1.1.4.5.4: owner, group and DACL may be written
_OWNER_OR_GROUP = 0x1 | 0x2
_DACL = 0x4
_NAMES_SHOWN = 8
_NOTHING_BESIDE_IT = say("the OU's security descriptor, or what its class allows, was not read")
_CORRECT_PASSWORD = say("Correct the connection's own password in the inventory, or remove it.")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Comparison:
    """What only the domain controller grants, and what only the evaluation does; names of rights."""

    compared: int
    only_controller: tuple[Message, ...]
    only_evaluation: tuple[Message, ...]


def check_controller_agrees(facts: DirectoryFacts) -> Iterator[Finding]:
    """Compare on each target OU; agreement is told too, so that a reader sees that there was a witness."""
    membership = facts.account.membership
    if membership is None:
        return
    for ou, read in facts.evidence.reads_of("effective_rights"):
        delegated = facts.delegations.get(ou)
        if delegated is not None and delegated.subtree is None and delegated.judgement.outcome is Outcome.MISSING:
            continue  # the OU does not exist: there is nothing to compare
        if read.gap is not None:
            yield _unheard(facts, membership, ou, describe_gap(read.gap))
            continue
        comparison = _compare(facts, membership, ou, next((record_to_entry(record) for record in read), None))
        if comparison is None:
            yield _unheard(facts, membership, ou, _NOTHING_BESIDE_IT, cure=say("Make the OU readable, then run again."))
        else:
            yield _told(facts, membership, ou, comparison)


def _compare(facts: DirectoryFacts, membership: Membership, ou: str, said: DirectoryEntry | None) -> _Comparison | None:
    delegated = facts.delegations.get(ou)
    descriptor = delegated.subtree.target.descriptor if delegated and delegated.subtree else None
    if said is None or descriptor is None:
        return None
    vocabulary = facts.schema.vocabularies.get(next(iter(said.texts("objectClass")[-1:]), ""))
    if vocabulary is None:
        return None
    ours = _ours(descriptor, Token(membership.token), vocabulary)
    asked = {say("create {name}", name=each.name) for each in vocabulary.child_classes}
    asked |= {say("write {name}", name=each.name) for each in vocabulary.attributes}
    asked |= {say("change permissions"), say("change owner")}
    theirs = _theirs(said) & asked
    return _Comparison(
        compared=len(asked),
        only_controller=tuple(sorted(theirs - ours)),
        only_evaluation=tuple(sorted(ours - theirs)),
    )


def _ours(descriptor: SecurityDescriptor, token: Token, vocabulary: Vocabulary) -> set[Message]:
    rights = effective_rights(descriptor, token, vocabulary)
    standard = {"WRITE_DAC": say("change permissions"), "WRITE_OWNER": say("change owner")}
    return {
        *(say("create {name}", name=name) for name in rights.create_child),
        *(say("write {name}", name=name) for name in rights.write_property),
        *(words for name, words in standard.items() if name in rights.standard),
    }


def _theirs(said: DirectoryEntry) -> set[Message]:
    bits = said.integer("sDRightsEffective") or 0
    return {
        *(say("create {name}", name=name) for name in said.texts("allowedChildClassesEffective")),
        *(say("write {name}", name=name) for name in said.texts("allowedAttributesEffective")),
        *([say("change permissions")] if bits & _DACL else []),
        *([say("change owner")] if bits & _OWNER_OR_GROUP else []),
    }


def _told(facts: DirectoryFacts, membership: Membership, ou: str, comparison: _Comparison) -> Finding:
    differs = bool(comparison.only_controller or comparison.only_evaluation)
    if differs:
        actual = say(
            "of {compared} rights, only the domain controller grants: {only_controller}; "
            "only the evaluation grants: {only_evaluation}",
            compared=comparison.compared,
            only_controller=_some(comparison.only_controller),
            only_evaluation=_some(comparison.only_evaluation),
        )
        title = say("The domain controller's own verdict differs from the evaluation")
        cure = say("Run again: a membership may have changed in between. If it stays, trust neither and report it.")
    else:
        actual = say(
            "all {compared} rights compared agree, with every group the account is in",
            compared=comparison.compared,
        )
        title = say("The domain controller's own verdict agrees")
        cure = say("Nothing to do.")
    return make_finding(
        check="AD-COL-012",
        connection=facts.connection.id,
        outcome=FindingOutcome.UNVERIFIABLE if differs else FindingOutcome.ADVISORY,
        severity=Severity.MEDIUM if differs else Severity.INFO,
        principal=membership.account_sid,
        entitlement="effective rights",
        scope=ou,
        title=title,
        documented=say("two independent evaluations agree"),
        actual=actual,
        evidence=(EvidenceReference(dataset="effective_rights", record=ou),),
        remediation=Remediation(text=cure),
    )


def _unheard(
    facts: DirectoryFacts, membership: Membership, ou: str, reason: Message, *, cure: Message = _CORRECT_PASSWORD
) -> Finding:
    return make_finding(
        check="AD-COL-012",
        connection=facts.connection.id,
        outcome=FindingOutcome.UNVERIFIABLE,
        severity=Severity.MEDIUM,
        principal=membership.account_sid,
        entitlement="effective rights",
        scope=ou,
        title=say("The domain controller's own verdict could not be compared"),
        documented=say("two independent evaluations agree"),
        actual=reason,
        evidence=(EvidenceReference(dataset="effective_rights", record=ou),),
        remediation=Remediation(text=cure),
    )


def _some(names: tuple[Message, ...]) -> Message:
    more = and_more(names, _NAMES_SHOWN)
    return joined("", (joined(", ", names[:_NAMES_SHOWN]) if names else say("nothing"), more))
