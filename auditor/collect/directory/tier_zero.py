"""Reads the objects whose control is control of the domain or forest, certificate services, and managed accounts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from auditor.acl.sid import format_sid
from auditor.collect.directory.filters import any_of_sids
from auditor.collect.directory.reader import require_domain_sid
from auditor.collect.directory.session import DESCRIPTOR, Scope, SearchRequest
from auditor.model.evidence import Gap, GapKind
from auditor.model.message import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.collect.directory.reader import DirectoryReader

_ATTRIBUTES = ("objectClass", "objectSid", "sAMAccountName", "adminCount", DESCRIPTOR)
_CERTIFICATE_ATTRIBUTES = (
    "objectClass", "cn", "displayName", "msPKI-Certificate-Name-Flag", "msPKI-Enrollment-Flag", "msPKI-RA-Signature",
    "pKIExtendedKeyUsage", "certificateTemplates", DESCRIPTOR,
)
_CERTIFICATE_OBJECTS = (
    "(|(objectClass=pKICertificateTemplate)(objectClass=pKIEnrollmentService)(objectClass=certificationAuthority))"
)
_MANAGED_ACCOUNT_ATTRIBUTES = ("objectClass", "objectSid", "sAMAccountName", "msDS-GroupMSAMembership", DESCRIPTOR)
# Administrator, krbtgt and the privileged groups of the domain, by RID; the builtin ones, by SID (MS-ADTS 6.1.1.6)
_RIDS = (500, 502, 512, 516, 517, 518, 519, 520, 521, 526, 527)
_BUILTIN_RIDS = (544, 548, 549, 550, 551, 552)
# Whoever controls one of these computers controls the domain
_DOMAIN_CONTROLLERS = "(&(objectClass=computer)(primaryGroupID=516))"
# Every domain has these, whatever its level and its place in the forest
_RIDS_EVERYWHERE = (500, 502, 512, 516, 517, 520)
_HIDDEN_CONTROLLERS = Gap(  # a domain without one would not have answered
    kind=GapKind.NOT_PERMITTED,
    message=say("the domain controllers' computers are hidden from the auditing identity"),
    missing_permission=say("List contents on the Domain Controllers OU, and Read on the computers in it"),
)
_BUILTIN = b"\x01\x02\x00\x00\x00\x00\x00\x05\x20\x00\x00\x00"


def read_tier_zero(reader: DirectoryReader, context: str) -> None:
    """Store AdminSDHolder, the group policies, the forest's heads, privileged groups, the controllers and their OU."""
    bases = [
        f"CN=AdminSDHolder,CN=System,{context}",
        f"OU=Domain Controllers,{context}",
        f"CN=Policies,CN=System,{context}",
        reader.configuration_context,
        reader.schema_context,
    ]
    query = SearchRequest(base="each tier-0 object", attributes=_ATTRIBUTES).as_query()
    with reader.read("tier_zero", query) as read:
        for base in filter(None, bases):
            answer = reader.object_at(read, SearchRequest(base=base, attributes=_ATTRIBUTES))
            if isinstance(answer, Gap):
                read.leave_gap(answer)
            else:
                reader.store(read, answer)
        domain_sid = require_domain_sid(reader, context)
        request = SearchRequest(
            base=context,
            attributes=_ATTRIBUTES,
            filter=any_of_sids(_sids(domain_sid, _RIDS)),
            scope=Scope.SUBTREE,
        )
        hidden = dict.fromkeys(_sids(domain_sid, _RIDS_EVERYWHERE))
        for found in reader.objects_below(read, request):
            reader.store(read, found)
            for sid in found.attributes.get("objectsid", ()):
                hidden.pop(sid, None)
        if hidden:
            read.leave_gap(_hidden_groups(tuple(hidden)))
        seen = False
        for found in reader.objects_below(read, replace(request, filter=_DOMAIN_CONTROLLERS)):
            reader.store(read, found)
            seen = True
        if not seen:
            read.leave_gap(_HIDDEN_CONTROLLERS)


def _sids(domain_sid: bytes, rids: Sequence[int]) -> Sequence[bytes]:
    """Return the SIDs of accounts of the domain with those RIDs, and of the builtin groups."""
    head = domain_sid[:1] + bytes([domain_sid[1] + 1]) + domain_sid[2:]
    own = [head + rid.to_bytes(4, "little") for rid in rids]
    return [*own, *(_BUILTIN + rid.to_bytes(4, "little") for rid in _BUILTIN_RIDS)]


def _hidden_groups(sids: Sequence[bytes]) -> Gap:
    """Return the gap for what every domain has and this one does not show: a search leaves it out without a word."""
    shown = ", ".join(map(format_sid, sids))
    return Gap(
        kind=GapKind.NOT_PERMITTED,
        message=say("privileged accounts and groups are hidden from the auditing identity: {names}", names=shown),
        missing_permission=say("List contents on the containers of these groups, and Read on them"),
    )


def read_certificate_services(reader: DirectoryReader) -> None:
    """Store certificate templates, enrolment services and authorities; a forest without them has none."""
    base = f"CN=Public Key Services,CN=Services,{reader.configuration_context}"
    request = SearchRequest(
        base=base, attributes=_CERTIFICATE_ATTRIBUTES, filter=_CERTIFICATE_OBJECTS, scope=Scope.SUBTREE
    )
    with reader.read("certificate_services", request.as_query()) as read:
        for found in reader.objects_below(read, request):
            reader.store(read, found)


def read_managed_service_accounts(reader: DirectoryReader, context: str) -> None:
    """Store the group managed service accounts of a domain, with who may retrieve their passwords."""
    request = SearchRequest(
        base=context,
        attributes=_MANAGED_ACCOUNT_ATTRIBUTES,
        filter="(objectClass=msDS-GroupManagedServiceAccount)",
        scope=Scope.SUBTREE,
    )
    with reader.read("managed_service_accounts", request.as_query()) as read:
        for found in reader.objects_below(read, request):
            reader.store(read, found)
