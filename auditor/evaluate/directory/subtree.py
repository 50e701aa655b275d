"""A target OU with everything below and above it, as far as the auditing identity may see it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, TypeVar

from auditor.acl import AccessMask, SecurityDescriptor, Token, decide, narrow
from auditor.evaluate.directory.user_task import controls_user, may_be_defeated
from auditor.evaluate.directory.well_known import IN_EVERY_TOKEN
from auditor.model.directory_entry import DirectoryEntry, record_to_entry
from auditor.model.distinguished_name import dns_above, is_dn_within, parse_dn, parsed_dn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from auditor.model.evidence import Evidence, Gap


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A container with its parsed descriptor; None when it could not be read."""

    dn: str
    descriptor: SecurityDescriptor | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike:
    """Containers that are the same to a token: `descriptor` is what concerns it, on each of them.

    Thousands of containers fall into few such groups, so whatever is asked of them is asked once per group.
    """

    descriptor: SecurityDescriptor
    containers: tuple[Container, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inhabitant:
    """A user or group below a target OU, with its parsed descriptor; None when it could not be read.

    `structural_class` is the most specific of its object classes, empty when they were withheld.
    """

    dn: str
    sid: str | None
    structural_class: str
    has_admin_count: bool
    descriptor: SecurityDescriptor | None

    @property
    def is_group(self) -> bool:
        """Whether it is a group rather than a user."""
        return self.structural_class == "group"

    def is_controlled_by(self, token: Token) -> bool:
        """Tell whether a token has full control of it; False when its descriptor could not be read."""
        return self.descriptor is not None and controls_user(self.descriptor, token, self.sid).is_held


_Named = TypeVar("_Named", Container, Inhabitant)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inhabitants:
    """The users and groups below an OU, and why there may be more."""

    found: tuple[Inhabitant, ...]
    gap: Gap | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subtree:
    """A target OU, the containers below it, and why the list below may not be whole.

    `readable` are the containers whose descriptors were read, the target first; `unread` are the DNs of the others.
    `unlisted` are containers whose contents the auditing identity may not list: more may lie below them.
    `above` are the objects it inherits from, the closest first.
    """

    target: Container
    readable: tuple[Container, ...]
    unread: tuple[str, ...]
    gap: Gap | None
    unlisted: tuple[str, ...]
    above: tuple[Container, ...]
    _alike: dict[Token, tuple[Alike, ...]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def alike(self, token: Token) -> tuple[Alike, ...]:
        """Return the readable containers in groups, that of the target first."""
        if token not in self._alike:
            groups: dict[SecurityDescriptor, list[Container]] = {}
            known: dict[int, list[Container]] = {}
            for container in self.readable:
                descriptor = container.descriptor
                if descriptor is not None:
                    if id(descriptor) not in known:  # thousands share one object, and hashing one takes long
                        known[id(descriptor)] = groups.setdefault(narrow(descriptor, token), [])
                    known[id(descriptor)].append(container)
            self._alike[token] = tuple(
                Alike(descriptor=descriptor, containers=tuple(containers)) for descriptor, containers in groups.items()
            )
        return self._alike[token]

    @property
    def descriptors(self) -> tuple[tuple[SecurityDescriptor, int], ...]:
        """The descriptors of the readable containers, each object once, with the number of containers that share it."""
        return tuple(_shared(self.readable))

    @property
    def is_whole(self) -> bool:
        """True when everything below the target was seen and read."""
        return self.gap is None and not self.unread and not self.unlisted


class Ancestors:
    """The objects above the target OUs, found by name: there may be thousands of either."""

    def __init__(self, evidence: Evidence) -> None:
        entries = map(record_to_entry, evidence.read("ancestors"))
        named = ((parsed_dn(entry.dn), entry) for entry in entries)
        self._containers = {name: _container(evidence, entry) for name, entry in named if name is not None}

    def of(self, dn: str) -> tuple[Container, ...]:
        """Return the objects above a DN, the closest first."""
        name = parsed_dn(dn)
        above = None if name is None else name.parent
        found = map(self._containers.get, () if above is None else above.lineage())
        return tuple(container for container in found if container is not None)


def auditor_lists(evidence: Evidence, ancestor: DirectoryEntry) -> bool:
    """Tell whether the auditing identity is proven to see every child of an object."""
    descriptor = _container(evidence, ancestor).descriptor
    return descriptor is not None and _lists(descriptor, *auditor_token(evidence))


def auditor_token(evidence: Evidence) -> tuple[Token, bool]:
    """Return what is known of the auditing identity's token, and whether that is all of it."""
    entries = [record_to_entry(record) for record in evidence.read("auditing_identity")]
    own = {entry.sid for entry in entries if entry.sid is not None}
    groups = {sid for entry in entries for sid in entry.sids("tokenGroups")}
    return Token(frozenset({*own, *groups, *IN_EVERY_TOKEN})), bool(own and groups)


def _lists(descriptor: SecurityDescriptor, token: Token, is_whole: bool) -> bool:
    """Tell whether a token is proven to see every child of a container (MS-ADTS 3.1.1.4.4)."""
    if not is_whole and may_be_defeated(descriptor, token):
        return False
    return _may_list(narrow(descriptor, token), token)


@lru_cache(maxsize=1 << 12)
def _may_list(descriptor: SecurityDescriptor, token: Token) -> bool:
    decision = decide(descriptor, token, AccessMask.LIST_CONTENTS)
    return decision.granted and decision.is_certain


def read_subtree(
    evidence: Evidence, target_ou: str, entry: DirectoryEntry, above: tuple[Container, ...] = ()
) -> Subtree:
    """Gather a target OU, whose own record is `entry`, with the containers below it."""
    read = evidence.read("containers", target_ou)
    built_in = _built_in_containers(evidence, target_ou)
    target = _container(evidence, entry)
    kept = (
        below
        for below in map(record_to_entry, read)
        if not built_in or (below.dn not in built_in and built_in.isdisjoint(dns_above(below.dn)))
    )
    found = [target, *_in_order(_container(evidence, below) for below in kept)]
    auditor = auditor_token(evidence)
    listing = {id(descriptor): _lists(descriptor, *auditor) for descriptor, _ in _shared(found)}
    return Subtree(
        target=target,
        readable=tuple(each for each in found if each.descriptor is not None),
        unread=tuple(each.dn for each in found if each.descriptor is None and each is not target),
        gap=read.gap,
        unlisted=tuple(each.dn for each in found if each.descriptor and not listing[id(each.descriptor)]),
        above=above,
    )


def _shared(containers: Iterable[Container]) -> Iterator[tuple[SecurityDescriptor, int]]:
    """Yield each descriptor object once, with the number of containers that have it; equal ones are one object."""
    having: dict[int, list[SecurityDescriptor]] = {}
    for container in containers:
        if container.descriptor is not None:
            having.setdefault(id(container.descriptor), []).append(container.descriptor)
    return ((same[0], len(same)) for same in having.values())


def read_inhabitants(evidence: Evidence, ou: str) -> Inhabitants:
    """Gather the users and groups below an OU."""
    read = evidence.read("inhabitants", ou)
    found = _in_order(_inhabitant(evidence, record_to_entry(record)) for record in read)
    return Inhabitants(found=tuple(found), gap=read.gap)


def _in_order(found: Iterable[_Named]) -> list[_Named]:
    """Sort by DN: each domain controller answers in an order of its own, and what is told names the first ones."""
    return sorted(found, key=attrgetter("dn"))


def _inhabitant(evidence: Evidence, entry: DirectoryEntry) -> Inhabitant:
    return Inhabitant(
        dn=entry.dn,
        sid=entry.sid,
        structural_class=next(iter(entry.texts("objectClass")[-1:]), ""),
        has_admin_count=entry.integer("adminCount") == 1,
        descriptor=evidence.descriptor(entry.descriptor),
    )


def _built_in_containers(evidence: Evidence, target_ou: str) -> set[str]:
    """Return the containers every domain head has, apart from Users: no product puts people there."""
    if not parse_dn(target_ou).is_dc_form:
        return set()
    users = f"CN=Users,{target_ou}"
    entries = map(record_to_entry, evidence.read("containers", target_ou))
    critical = (each.dn for each in entries if each.text("isCriticalSystemObject") == "TRUE")
    return {dn for dn in critical if not is_dn_within(dn, users)}


def _container(evidence: Evidence, entry: DirectoryEntry) -> Container:
    return Container(dn=entry.dn, descriptor=evidence.descriptor(entry.descriptor))
