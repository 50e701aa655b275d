"""What every dataset needs: the session, the writer, and the way from an object to a stored record."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from auditor.collect.directory.session import PAGE_SIZE, Scope
from auditor.errors import SourceError
from auditor.model.directory_entry import DESCRIPTOR_ATTRIBUTE, DirectoryEntry, entry_to_record
from auditor.model.distinguished_name import DistinguishedName, parsed_dn
from auditor.model.evidence import Gap, GapKind
from auditor.model.message import say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from auditor.collect.directory.read_ahead import ReadAhead
    from auditor.collect.directory.session import DirectorySession, FoundObject, SearchRequest
    from auditor.collect.evidence_writer import EvidenceWriter, OpenRead
    from auditor.model.evidence import Json


@dataclass(slots=True, kw_only=True)
class DirectoryReader:
    """Reads from one host. `naming_contexts` maps the partitions it holds to its spelling of their DNs.

    `samples` fills with one DN per structural class that was read, `trustees` with the SIDs of the domain that
    security descriptors name once `watch_trustees` was called.
    """

    session: DirectorySession
    ahead: ReadAhead
    writer: EvidenceWriter
    naming_contexts: Mapping[DistinguishedName, str]
    configuration_context: str | None
    schema_context: str | None
    samples: dict[str, str] = field(default_factory=dict)
    trustees: set[bytes] = field(default_factory=set)
    domain_sid: bytes | None = None
    _trustee_pattern: re.Pattern[bytes] | None = None
    _searched: set[str] = field(default_factory=set)

    @contextmanager
    def read(self, dataset: str, query: Mapping[str, Json], *, subject: str = "") -> Iterator[OpenRead]:
        """Open a read that counts its pages from zero. `query` may be completed while the read is open."""
        with self.writer.read(dataset, endpoint=self.session.endpoint, query=query, subject=subject) as read:
            read.pages = 0
            yield read

    def object_at(self, read: OpenRead, request: SearchRequest) -> FoundObject | Gap:
        """Ask for one object and count it as a page."""
        read.pages += 1
        return self.session.object_at(request)

    def objects_below(self, read: OpenRead, request: SearchRequest) -> Iterator[FoundObject]:
        """Search a subtree and count its pages.

        Continuations to other servers are left alone: what they name are partitions of their own. A full page
        of a subtree is the sign of a large one, where it is worth a second session to read ahead.
        """
        for page in self.ahead.pages(request) or self.session.pages(request):
            read.pages += 1
            if len(page.objects) >= PAGE_SIZE and request.scope is Scope.SUBTREE:  # every schema fills a page
                self.ahead.begin()
            yield from page.objects

    def store(self, read: OpenRead, found: FoundObject) -> FoundObject:
        """Write an object with all its values into `read`; return it with all its values."""
        whole = self.session.with_all_values(found)
        attributes = dict(whole.attributes)
        descriptor = next(iter(attributes.pop(DESCRIPTOR_ATTRIBUTE, ())), None)
        for structural_class in whole.texts("objectClass")[-1:]:  # from top to the class itself, MS-ADTS 3.1.1.1.4
            self.samples.setdefault(structural_class, whole.dn)
        digest = None if descriptor is None else self._store_descriptor(descriptor)
        read.add(entry_to_record(DirectoryEntry(dn=whole.dn, attributes=attributes, descriptor=digest)))
        return whole

    def watch_trustees(self, domain_sid: bytes) -> None:
        """Collect from now on the SIDs of a domain that security descriptors name."""
        self.domain_sid = domain_sid
        head = domain_sid[:1] + bytes([domain_sid[1] + 1]) + domain_sid[2:]
        self._trustee_pattern = re.compile(re.escape(head) + b"....", re.DOTALL)

    def _store_descriptor(self, descriptor: bytes) -> str:
        digest = self.writer.store_descriptor(descriptor)
        # Searched rather than parsed: a false hit is a SID that is looked up in vain. Most descriptors come many times.
        if self._trustee_pattern is not None and digest not in self._searched:
            self._searched.add(digest)
            self.trustees.update(self._trustee_pattern.findall(descriptor))
        return digest

    def context_of(self, dn: str) -> str | None:
        """Return the naming context of this host that holds `dn`: the closest one above it."""
        name = parsed_dn(dn)
        if name is None:
            return None
        holding = [context for context in self.naming_contexts if name.is_within(context)]
        closest = max(holding, key=lambda context: len(context.relative_names), default=None)
        return None if closest is None else self.naming_contexts[closest]


def require_found(answer: FoundObject | Gap) -> FoundObject:
    """Return the object, or raise the gap as SourceError."""
    if isinstance(answer, Gap):
        raise SourceError(answer)
    return answer


def require_domain_sid(reader: DirectoryReader, context: str) -> bytes:
    """Return the SID of the domain `context`, or raise why nothing can be said of its SIDs as SourceError."""
    if reader.domain_sid is None:
        raise SourceError(Gap(
            kind=GapKind.NOT_PERMITTED,
            message=say("objectSid of {dn} was not returned", dn=context),
            missing_permission=say("Read all properties on {dn}", dn=context),
        ))
    return reader.domain_sid


def not_held_here(reader: DirectoryReader, dn: str) -> Gap:
    """Return the gap for a DN that is in none of the host's naming contexts."""
    return Gap(
        kind=GapKind.INCOMPLETE,
        message=say(
            "{host} does not hold {dn}: it is in none of its naming contexts", host=reader.session.endpoint, dn=dn
        ),
        missing_permission=say("give the domain that holds it a connection of its own"),
    )
