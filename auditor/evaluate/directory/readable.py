"""Whether an attribute that an object does not show is absent, or withheld from the auditing identity.

A directory leaves out what its reader may not read, without a word (MS-ADTS 3.1.1.4.4). So the absence of a value
means something only where the reader is proven to have the right to read it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.acl import AccessMask, Token, decide
from auditor.evaluate.directory.subtree import auditor_token
from auditor.evaluate.directory.user_task import may_be_defeated
from auditor.evaluate.directory.well_known import IN_EVERY_TOKEN

if TYPE_CHECKING:
    from auditor.evaluate.directory.membership import Membership
    from auditor.evaluate.directory.schema import DirectorySchema
    from auditor.model.directory_entry import DirectoryEntry
    from auditor.model.evidence import Evidence


class ReadProof:
    """What the auditing identity is proven to read of objects of one connection."""

    def __init__(self, evidence: Evidence, schema: DirectorySchema, membership: Membership | None) -> None:
        known, self._token_is_whole = auditor_token(evidence)
        self._token = Token(known.sids | _in_every_token(membership))
        self._evidence = evidence
        self._schema = schema

    def withholds(self, entry: DirectoryEntry, attribute: str) -> bool:
        """Tell whether an attribute shows no value although it may have one."""
        return not entry.octets(attribute) and not self._may_read(entry, attribute)

    def _may_read(self, entry: DirectoryEntry, attribute: str) -> bool:
        known = self._schema.attributes.get(attribute.lower())
        if known is None and self._schema.is_from_directory:
            return True  # this directory has no such attribute
        descriptor = self._evidence.descriptor(entry.descriptor)
        if descriptor is None or (not self._token_is_whole and may_be_defeated(descriptor, self._token)):
            return False
        structural_class = next(iter(entry.texts("objectClass")[-1:]), "")
        # Without its GUID only an entry for every property speaks of it for certain.
        questions = [(AccessMask.READ_PROPERTY, self._schema.object_types(attribute, structural_class))]
        if known is not None and known.is_confidential:
            questions.append((AccessMask.CONTROL_ACCESS, known.own_object_types))
        answers = [decide(descriptor, self._token, right, types, entry.sid) for right, types in questions]
        return all(answer.granted and answer.is_certain for answer in answers)


def _in_every_token(membership: Membership | None) -> frozenset[str]:
    """Return the groups that every account is in through Everyone and the like: `tokenGroups` leaves them out."""
    if membership is None:
        return frozenset()
    return frozenset(sid for sid, way in membership.ways.items() if IN_EVERY_TOKEN.keys() & set(way))
