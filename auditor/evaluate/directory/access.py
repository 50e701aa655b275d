"""What the audited account may do with each object that was read, and which ACE decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.acl import (
    OWNER_RIGHTS_SID,
    PRINCIPAL_SELF_SID,
    Decision,
    EffectiveRights,
    Reason,
    Token,
    decide,
    effective_rights,
    format_ace_sddl,
    rights_in_words,
)
from auditor.evaluate.directory.origin import InheritanceSources
from auditor.evaluate.directory.schema import read_schema
from auditor.evaluate.judgement import describe_gap
from auditor.model.directory_entry import record_to_entry
from auditor.model.distinguished_name import parse_dn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.acl import SecurityDescriptor
    from auditor.evaluate.directory.membership import Membership
    from auditor.evaluate.directory.right import Right
    from auditor.model.directory_entry import DirectoryEntry
    from auditor.model.distinguished_name import DistinguishedName
    from auditor.model.evidence import Evidence, Gap
    from auditor.model.results import Path

_SPECIAL_TRUSTEES = {OWNER_RIGHTS_SID: "Owner Rights", PRINCIPAL_SELF_SID: "Principal Self"}
_ASKED_FOR_BY_NAME = ("object", "target_ou", "group_ou")
_OBJECTS = (*_ASKED_FOR_BY_NAME, "containers", "inhabitants")


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidingAce:
    """The ACE that decided: its index in the object's DACL, SDDL, trustee, words, and where it is inherited from."""

    index: int
    sddl: str
    trustee: str
    trustee_name: str
    words: str
    inherited_from: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a right is granted or not. `path` leads from the account to the trustee of the deciding ACE.

    `is_certain` is False when the condition of a callback ACE could turn the answer.
    """

    right: str
    granted: bool
    is_certain: bool
    reason: Reason
    ace: DecidingAce | None
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectAccess:
    """One object. `rights` is None when its descriptor, or what its class allows, could not be read; `why` says so."""

    dn: str
    is_readable: bool
    rights: EffectiveRights | None
    why: str = ""
    explanation: Explanation | None = None


def objects_in(evidence: Evidence) -> Iterator[DirectoryEntry]:
    """Yield every object in scope once: asked for, target and group OUs, containers, users and groups below."""
    seen: set[str] = set()
    for dataset in _OBJECTS:
        for _, read in evidence.reads_of(dataset):
            for entry in map(record_to_entry, read):
                if entry.dn not in seen:
                    seen.add(entry.dn)
                    yield entry


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessQuestion:
    """Whose access to ask for, and how: `right` is explained on every object."""

    membership: Membership
    without_domain_admins: bool = False
    right: Right | None = None

    @property
    def token(self) -> Token:
        """The SIDs that are evaluated."""
        membership = self.membership
        return Token(membership.without_domain_admins if self.without_domain_admins else membership.token)


def access_to_objects(evidence: Evidence, question: AccessQuestion, only: str | None = None) -> Iterator[ObjectAccess]:
    """Yield what the account may do with each object, or with the one whose DN is `only`.

    Raises ValueError when `only` is no DN.
    """
    wanted = None if only is None else parse_dn(only)
    answers = _Answers(evidence, question)
    for entry in objects_in(evidence):
        if wanted is None or _is(entry.dn, wanted):
            yield answers.access(entry)
    for dn, gap in _unread(evidence).items():
        if wanted is None or _is(dn, wanted):
            yield ObjectAccess(dn=dn, is_readable=False, rights=None, why=describe_gap(gap))


def _unread(evidence: Evidence) -> dict[str, Gap]:
    """Return the objects that were asked for by name and did not come, each once."""
    reads = ((dn, read) for dataset in _ASKED_FOR_BY_NAME for dn, read in evidence.reads_of(dataset))
    return {dn: read.gap for dn, read in reads if read.gap is not None and not any(True for _ in read)}


def _is(dn: str, wanted: DistinguishedName) -> bool:
    try:
        return parse_dn(dn) == wanted
    except ValueError:
        return False


class _Answers:
    """Answers one question for object after object."""

    def __init__(self, evidence: Evidence, question: AccessQuestion) -> None:
        self._evidence = evidence
        self._question = question
        self._token = question.token
        self._schema = read_schema(evidence)
        self._sources = InheritanceSources(evidence)

    def access(self, entry: DirectoryEntry) -> ObjectAccess:
        descriptor = self._evidence.descriptor(entry.descriptor)
        if descriptor is None:
            why = f"its security descriptor could not be read (needed: Read permissions on {entry.dn})"
            return ObjectAccess(dn=entry.dn, is_readable=False, rights=None, why=why)
        structural_class = next(iter(entry.texts("objectClass")[-1:]), "")
        vocabulary = self._schema.vocabularies.get(structural_class)
        missing = f"what the class {structural_class or '(withheld)'} allows could not be read"
        return ObjectAccess(
            dn=entry.dn,
            is_readable=True,
            rights=effective_rights(descriptor, self._token, vocabulary, entry.sid) if vocabulary else None,
            why="" if vocabulary else f"{missing} (needed: Read on {entry.dn})",
            explanation=self._explanation(entry, descriptor, structural_class),
        )

    def _explanation(
        self, entry: DirectoryEntry, descriptor: SecurityDescriptor, structural_class: str
    ) -> Explanation | None:
        right = self._question.right
        if right is None:
            return None
        object_types = right.object_types_for(self._schema, structural_class)
        decision = decide(descriptor, self._token, right.mask, object_types, entry.sid)
        return Explanation(
            right=str(right),
            granted=decision.granted,
            is_certain=decision.is_certain,
            reason=decision.reason,
            ace=self._deciding_ace(entry.dn, decision, right, self._schema.classes.get(structural_class.lower())),
            path=self._path(decision, descriptor.owner),
        )

    def _deciding_ace(
        self, dn: str, decision: Decision, right: Right, class_guid: str | None
    ) -> DecidingAce | None:
        ace, index = decision.ace, decision.ace_index
        if ace is None or index is None:
            return None
        what = " and ".join(rights_in_words(ace.mask))
        if ace.object_type is not None:
            what += f" ({self._schema.name_of(ace.object_type, right.mask)})"
        name = self._name(ace.trustee)
        return DecidingAce(
            index=index,
            sddl=format_ace_sddl(ace),
            trustee=ace.trustee,
            trustee_name=name,
            words=f"{'allows' if decision.granted else 'denies'} {what} to {name}",
            inherited_from=self._sources.origin_of(dn, ace, class_guid).words if ace.is_inherited else None,
        )

    def _path(self, decision: Decision, owner: str | None) -> Path:
        trustee = owner if decision.reason is Reason.OWNER else decision.ace.trustee if decision.ace else None
        if trustee is None:
            return ()
        membership = self._question.membership
        if trustee in _SPECIAL_TRUSTEES:
            return (membership.names[membership.account_sid], self._name(trustee))
        return membership.path_to(trustee)

    def _name(self, sid: str) -> str:
        return self._question.membership.names.get(sid) or _SPECIAL_TRUSTEES.get(sid, sid)
