"""A target OU with everything below and above it, as far as the auditing identity may see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.acl import AccessMask, MalformedDescriptor, SecurityDescriptor, Token, decide, parse_descriptor
from auditor.evaluate.directory.user_task import may_be_defeated
from auditor.evaluate.directory.well_known import IN_EVERY_TOKEN
from auditor.model.directory_entry import DirectoryEntry, record_to_entry
from auditor.model.distinguished_name import is_dn_within, parse_dn

if TYPE_CHECKING:
    from auditor.model.evidence import Evidence, Gap


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A container with its parsed descriptor; None when it could not be read."""

    dn: str
    descriptor: SecurityDescriptor | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subtree:
    """A target OU, the containers below it, and why the list below may not be whole.

    `unlisted` are containers whose contents the auditing identity may not list: more may lie below them.
    `above` are the objects it inherits from, the closest first.
    """

    target: Container
    below: tuple[Container, ...]
    gap: Gap | None
    unlisted: tuple[str, ...]
    above: tuple[Container, ...]

    @property
    def readable(self) -> tuple[Container, ...]:
        """The containers whose descriptors were read, the target first."""
        return tuple(each for each in (self.target, *self.below) if each.descriptor is not None)

    @property
    def is_whole(self) -> bool:
        """True when everything below the target was seen and read."""
        return self.gap is None and not self.unread and not self.unlisted

    @property
    def unread(self) -> tuple[str, ...]:
        """DNs below the target whose descriptors could not be read."""
        return tuple(each.dn for each in self.below if each.descriptor is None)


def auditor_lists(evidence: Evidence, ancestor: DirectoryEntry) -> bool:
    """Tell whether the auditing identity is proven to see every child of an object."""
    descriptor = _container(evidence, ancestor).descriptor
    return descriptor is not None and _lists(descriptor, *_auditor_token(evidence))


def _auditor_token(evidence: Evidence) -> tuple[Token, bool]:
    """Return what is known of the auditing identity's token, and whether that is all of it."""
    entries = [record_to_entry(record) for record in evidence.read("auditing_identity")]
    own = {entry.sid for entry in entries if entry.sid is not None}
    groups = {sid for entry in entries for sid in entry.sids("tokenGroups")}
    return Token(frozenset({*own, *groups, *IN_EVERY_TOKEN})), bool(own and groups)


def _lists(descriptor: SecurityDescriptor, token: Token, is_whole: bool) -> bool:
    """Tell whether a token is proven to see every child of a container (MS-ADTS 3.1.1.4.4)."""
    if not is_whole and may_be_defeated(descriptor, token):
        return False
    return decide(descriptor, token, AccessMask.LIST_CONTENTS).granted


def read_subtree(evidence: Evidence, target_ou: str, entry: DirectoryEntry) -> Subtree:
    """Gather a target OU, whose own record is `entry`, with the containers below and the objects above it."""
    read = evidence.read("containers", target_ou)
    entries = [record_to_entry(record) for record in read]
    built_in = _built_in_containers(target_ou, entries)
    kept = (each for each in entries if not any(is_dn_within(each.dn, head) for head in built_in))
    target, below = _container(evidence, entry), tuple(_container(evidence, each) for each in kept)
    auditor = _auditor_token(evidence)
    return Subtree(
        target=target,
        below=below,
        gap=read.gap,
        unlisted=tuple(
            each.dn for each in (target, *below) if each.descriptor and not _lists(each.descriptor, *auditor)
        ),
        above=_above(evidence, target_ou),
    )


def _built_in_containers(target_ou: str, entries: list[DirectoryEntry]) -> list[str]:
    """Return the containers every domain head has, apart from Users: no product puts people there."""
    if not parse_dn(target_ou).is_dc_form:
        return []
    users = f"CN=Users,{target_ou}"
    critical = (each.dn for each in entries if each.text("isCriticalSystemObject") == "TRUE")
    return [dn for dn in critical if not is_dn_within(dn, users)]


def _above(evidence: Evidence, target_ou: str) -> tuple[Container, ...]:
    entries = (record_to_entry(record) for record in evidence.read("ancestors"))
    closest_first = sorted(
        (each for each in entries if is_dn_within(target_ou, each.dn)), key=lambda each: -len(each.dn)
    )
    return tuple(_container(evidence, each) for each in closest_first)


def _container(evidence: Evidence, entry: DirectoryEntry) -> Container:
    raw = evidence.descriptors.get(entry.descriptor) if entry.descriptor else None
    try:
        return Container(dn=entry.dn, descriptor=None if raw is None else parse_descriptor(raw))
    except MalformedDescriptor:
        return Container(dn=entry.dn, descriptor=None)
