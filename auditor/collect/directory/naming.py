"""Reads what the directory calls things: its schema, its extended rights, and the accounts behind SIDs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.collect.directory.filters import any_of_sids, batches_of_sids
from auditor.collect.directory.reader import require_domain_sid, require_found
from auditor.collect.directory.session import Scope, SearchRequest
from auditor.errors import SourceError
from auditor.model.evidence import Gap, GapKind
from auditor.model.message import say

if TYPE_CHECKING:
    from auditor.collect.directory.reader import DirectoryReader

_CLASS_ATTRIBUTES = ("lDAPDisplayName", "schemaIDGUID")
_ATTRIBUTE_ATTRIBUTES = (
    "lDAPDisplayName", "schemaIDGUID", "attributeSecurityGUID", "systemFlags", "systemOnly", "linkID", "searchFlags",
)
_RIGHT_ATTRIBUTES = ("cn", "displayName", "rightsGuid", "validAccesses", "appliesTo")
_VOCABULARY_ATTRIBUTES = ("objectClass", "allowedChildClasses", "allowedAttributes")
_TRUSTEE_ATTRIBUTES = ("objectSid", "sAMAccountName", "objectClass")


def read_schema(reader: DirectoryReader) -> None:
    """Store classes, attributes and control access rights with their GUIDs (MS-ADTS 3.1.1.2, 5.1.3.2.1)."""
    for dataset, request in _schema_searches(reader).items():
        with reader.read(dataset, request.as_query()) as read:
            if not request.base:
                raise SourceError(Gap(kind=GapKind.INCOMPLETE, message=say("the host does not name its schema")))
            for found in reader.objects_below(read, request):
                reader.store(read, found)


def plan_schema(reader: DirectoryReader) -> None:
    """Have the schema read ahead."""
    for request in _schema_searches(reader).values():
        if request.base:
            reader.ahead.plan(request)


def _schema_searches(reader: DirectoryReader) -> dict[str, SearchRequest]:
    schema, configuration = reader.schema_context or "", reader.configuration_context
    rights = f"CN=Extended-Rights,{configuration}" if configuration else ""
    return {
        "schema_classes": _children(schema, "(objectClass=classSchema)", _CLASS_ATTRIBUTES),
        "schema_attributes": _children(schema, "(objectClass=attributeSchema)", _ATTRIBUTE_ATTRIBUTES),
        "extended_rights": _children(rights, "(objectClass=controlAccessRight)", _RIGHT_ATTRIBUTES),
    }


def _children(base: str, filter_text: str, attributes: tuple[str, ...]) -> SearchRequest:
    return SearchRequest(base=base, attributes=attributes, filter=filter_text, scope=Scope.CHILDREN)


def read_class_vocabularies(reader: DirectoryReader) -> None:
    """Store for one object of each structural class read so far what its class allows (MS-ADTS 3.1.1.4.5.21, .23)."""
    for structural_class, dn in sorted(reader.samples.items()):
        request = SearchRequest(base=dn, attributes=_VOCABULARY_ATTRIBUTES)
        with reader.read("class_vocabulary", request.as_query(), subject=structural_class) as read:
            reader.store(read, require_found(reader.object_at(read, request)))


def read_trustees(reader: DirectoryReader, context: str) -> None:
    """Store the accounts of the domain that security descriptors name; a SID without one was deleted."""
    sids = sorted(reader.trustees)
    requests = [
        SearchRequest(base=context, attributes=_TRUSTEE_ATTRIBUTES, filter=any_of_sids(batch), scope=Scope.SUBTREE)
        for batch in batches_of_sids(sids)
    ]
    query = SearchRequest(
        base=context, attributes=_TRUSTEE_ATTRIBUTES, filter="each SID of the domain that was met in a descriptor",
        scope=Scope.SUBTREE,
    ).as_query()
    with reader.read("trustees", query) as read:
        require_domain_sid(reader, context)  # without it no SID was noted, which is not the same as that there is none
        for request in requests:
            for found in reader.objects_below(read, request):
                reader.store(read, found)
