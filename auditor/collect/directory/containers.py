"""Reads the head of the domain, the configured organizational units, and what lies below and beside them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from auditor.collect.directory.reader import not_held_here, require_found
from auditor.collect.directory.session import DESCRIPTOR, FoundObject, Scope, SearchRequest
from auditor.errors import SourceError
from auditor.model.distinguished_name import parsed_dn
from auditor.model.evidence import Gap, GapKind
from auditor.model.message import joined, say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from auditor.collect.directory.reader import DirectoryReader
    from auditor.collect.evidence_writer import OpenRead
    from auditor.model.distinguished_name import DistinguishedName

_DOMAIN_ATTRIBUTES = (
    "objectClass", "objectSid", "objectGUID", "msDS-Behavior-Version", "ms-DS-MachineAccountQuota",
    "minPwdLength", "minPwdAge", "maxPwdAge", "pwdHistoryLength", "pwdProperties", "lockoutThreshold",
    "lockoutDuration", "lockOutObservationWindow", DESCRIPTOR,
)
_CONTAINER_ATTRIBUTES = ("objectClass", "isCriticalSystemObject", DESCRIPTOR)
# In a filter, what the reader may not see does not exist (MS-ADTS 3.1.1.4.3): the last part finds containers
# whose class is withheld, which the others would leave out without a word.
_CONTAINERS = "(|(objectClass=organizationalUnit)(objectClass=container)(!(objectClass=*)))"
_INHABITANT_ATTRIBUTES = ("objectClass", "objectSid", "adminCount", DESCRIPTOR)
_MOST_LEVELS_WALKED = 5
_MOST_SIBLINGS = 20
_PEOPLE_AND_GROUPS = "(|(&(objectClass=user)(!(objectClass=computer)))(objectClass=group))"


def read_domain(reader: DirectoryReader, context: str) -> None:
    """Store the head of the naming context `context`; from then on its domain's SIDs in descriptors are noted."""
    request = SearchRequest(base=context, attributes=_DOMAIN_ATTRIBUTES)
    with reader.read("domain", request.as_query()) as read:
        head = require_found(reader.object_at(read, request))
        for sid in head.attributes.get("objectsid", ()):
            reader.watch_trustees(sid)
        reader.store(read, head)


def read_organizational_unit(reader: DirectoryReader, dataset: str, dn: str) -> FoundObject | Gap:
    """Store one configured unit and return it, or why the directory does not show it.

    An object that shows itself without classes or descriptor is stored as it is and leaves a gap: an empty
    DACL looks like that.
    """
    request = SearchRequest(base=dn, attributes=_CONTAINER_ATTRIBUTES)
    answer: FoundObject | Gap = Gap(kind=GapKind.NOT_ATTEMPTED, message=say("{dn} was not read", dn=dn))
    with reader.read(dataset, request.as_query(), subject=dn) as read:
        if reader.context_of(dn) is None:
            raise SourceError(not_held_here(reader, dn))
        answer = reader.object_at(read, request)
        found = reader.store(read, require_found(answer))
        _note_withheld(read, found, "objectClass", DESCRIPTOR)
    return read.gap or answer if isinstance(answer, Gap) else answer


def read_nearest_ancestor(reader: DirectoryReader, dn: str) -> None:
    """Store the closest object above `dn` that is visible.

    The server says "no such object" of an absent object and of one below contents that may not be listed;
    the right to list the ancestor's contents tells the two apart.
    """
    query = SearchRequest(base="each DN above, upwards", attributes=_CONTAINER_ATTRIBUTES).as_query()
    with reader.read("nearest_ancestor", query, subject=dn) as read:
        for ancestor in _ancestors(reader, dn):
            answer = reader.object_at(read, SearchRequest(base=ancestor, attributes=_CONTAINER_ATTRIBUTES))
            if isinstance(answer, Gap):
                if answer.kind is not GapKind.NOT_FOUND:
                    raise SourceError(answer)  # it is there, so what lies below it may be as well
                continue
            found = reader.store(read, answer)
            _note_withheld(read, found, DESCRIPTOR)
            return
        read.leave_gap(Gap(kind=GapKind.NOT_FOUND, message=say("no object above {dn} is visible", dn=dn)))


def read_ancestors(reader: DirectoryReader, dns: Iterable[str], shown: Iterable[str]) -> None:
    """Store every visible object above the DNs, each once: what units inherit comes from there.

    `shown` are those DNs that the directory shows: what lies above them exists, so where it is hidden there is a gap.
    """
    above = dict.fromkeys(ancestor for dn in dns for ancestor in _ancestors(reader, dn))
    existing = {ancestor for dn in shown for ancestor in _ancestors(reader, dn)}
    query = SearchRequest(base="each object above the target OUs", attributes=_CONTAINER_ATTRIBUTES).as_query()
    with reader.read("ancestors", query) as read:
        for ancestor in above:
            answer = reader.object_at(read, SearchRequest(base=ancestor, attributes=_CONTAINER_ATTRIBUTES))
            if not isinstance(answer, Gap):
                reader.store(read, answer)
            elif answer.kind is not GapKind.NOT_FOUND:
                raise SourceError(answer)
            elif ancestor in existing:
                read.leave_gap(replace(answer, kind=GapKind.NOT_PERMITTED))


def read_containers(reader: DirectoryReader, dn: str, unit: FoundObject) -> None:
    """Store the organizational units and containers below `unit`, configured as `dn`, without itself.

    Whoever may not list an object's contents is shown none. So without the unit's descriptor, which says
    whether the auditing identity may, the read proves nothing to be absent.
    """
    request = _containers_below(dn, Scope.SUBTREE)
    with reader.read("containers", request.as_query(), subject=dn) as read:
        for found in reader.objects_below(read, request):
            if found.dn != unit.dn:
                reader.store(read, found)
        _note_withheld(read, unit, DESCRIPTOR)


def read_inhabitants(reader: DirectoryReader, dn: str) -> None:
    """Store the users and groups below a configured unit: the delegation is meant for them."""
    request = _inhabitants_of(dn)
    with reader.read("inhabitants", request.as_query(), subject=dn) as read:
        for found in reader.objects_below(read, request):
            reader.store(read, found)


def plan_inhabitants(reader: DirectoryReader, dn: str) -> None:
    """Have the users and groups below a configured unit read ahead."""
    reader.ahead.plan(_inhabitants_of(dn))


def _inhabitants_of(dn: str) -> SearchRequest:
    return SearchRequest(
        base=dn, attributes=_INHABITANT_ATTRIBUTES, filter=_PEOPLE_AND_GROUPS, scope=Scope.SUBTREE
    )


def plan_other_containers(reader: DirectoryReader, contexts: Iterable[str], units: Iterable[str]) -> None:
    """Have the containers beside the configured units read ahead."""
    way = _WayAround(reader, units)
    for request in way.first(contexts):
        reader.ahead.plan(request, way.following)


def read_other_containers(reader: DirectoryReader, contexts: Iterable[str], units: Iterable[str]) -> None:
    """Store the containers of the domains that lie neither in nor above a configured unit, nor are one."""
    query = SearchRequest(
        base="each naming context that holds a unit, and the containers in it", attributes=_CONTAINER_ATTRIBUTES,
        filter=_CONTAINERS, scope=Scope.SUBTREE,
    ).as_query()
    with reader.read("other_containers", query) as read:
        _OtherContainers(reader, read, _WayAround(reader, units)).read_from(tuple(contexts))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Level:
    """The containers at one level: those that lie beside the units, and those that lie above one."""

    beside: tuple[FoundObject, ...]
    above: tuple[FoundObject, ...]


class _WayAround:
    """Finds the way round the configured units.

    Where few objects lie above the units, the way down to them is walked level by level, so that a large unit is not
    read twice. Where there are many, or many containers beside a unit, one search that passes over the units costs
    less than one for each container.
    """

    def __init__(self, reader: DirectoryReader, units: Iterable[str]) -> None:
        self._units = {name for name in map(parsed_dn, units) if name is not None}
        self._above = {
            name for unit in self._units for name in map(parsed_dn, _ancestors(reader, str(unit))) if name is not None
        }
        self.is_walked = len(self._above) <= _MOST_LEVELS_WALKED

    def first(self, contexts: Iterable[str]) -> list[SearchRequest]:
        """Return what is asked of each naming context to begin with."""
        scope = Scope.CHILDREN if self.is_walked else Scope.SUBTREE
        return [_containers_below(context, scope) for context in contexts]

    def following(self, request: SearchRequest, found: Iterable[FoundObject]) -> list[SearchRequest]:
        """Return what is asked next, after a search found that."""
        if request.scope is not Scope.CHILDREN:
            return []
        level = self.level(request.base, found)
        if level is None:
            return [_containers_below(request.base, Scope.SUBTREE)]
        return [
            *(_containers_below(each.dn, Scope.SUBTREE) for each in level.beside),
            *(_containers_below(each.dn, Scope.CHILDREN) for each in level.above),
        ]

    def level(self, base: str, found: Iterable[FoundObject]) -> _Level | None:
        """Tell the containers below `base` apart; None when there are so many that all below is searched at once."""
        beside, above = [], []
        for each in found:
            name = parsed_dn(each.dn)
            if name == parsed_dn(base):
                continue  # a host that shows the base among its children must not lead in a circle
            if name in self._above:
                above.append(each)
            elif name is not None and not self._is_in_unit(name):
                beside.append(each)
            if len(beside) > _MOST_SIBLINGS:
                return None
        return _Level(beside=tuple(beside), above=tuple(above))

    def passes(self, name: DistinguishedName) -> bool:
        """Tell whether an object lies beside the units: neither in nor above one."""
        return name not in self._above and not self._is_in_unit(name)

    def _is_in_unit(self, name: DistinguishedName) -> bool:
        closest: DistinguishedName | None = name
        while closest is not None and closest not in self._units:
            closest = closest.parent
        return closest is not None


class _OtherContainers:
    """Stores what lies beside the units."""

    def __init__(self, reader: DirectoryReader, read: OpenRead, way: _WayAround) -> None:
        self._reader = reader
        self._read = read
        self._way = way

    def read_from(self, contexts: Iterable[str]) -> None:
        """Store what lies beside the units in each naming context."""
        if not self._way.is_walked:
            for context in contexts:
                self._sweep(context)
            return
        levels = deque(contexts)
        while levels:
            self._walk(levels.popleft(), levels)

    def _walk(self, base: str, levels: deque[str]) -> None:
        level = self._way.level(base, self._search(base, Scope.CHILDREN))
        if level is None:
            self._sweep(base)
            return
        levels.extend(each.dn for each in level.above)
        for found in level.beside:
            self._reader.store(self._read, found)
            for below in self._search(found.dn, Scope.SUBTREE):
                if below.dn != found.dn:
                    self._reader.store(self._read, below)

    def _sweep(self, base: str) -> None:
        for found in self._search(base, Scope.SUBTREE):
            name = parsed_dn(found.dn)
            is_base = found.dn == base or name in self._reader.naming_contexts
            if name is not None and not is_base and self._way.passes(name):
                self._reader.store(self._read, found)

    def _search(self, base: str, scope: Scope) -> Iterator[FoundObject]:
        return self._reader.objects_below(self._read, _containers_below(base, scope))


def _containers_below(base: str, scope: Scope) -> SearchRequest:
    return SearchRequest(base=base, attributes=_CONTAINER_ATTRIBUTES, filter=_CONTAINERS, scope=scope)


def _ancestors(reader: DirectoryReader, dn: str) -> Iterator[str]:
    name = parsed_dn(dn)
    while name is not None and name not in reader.naming_contexts:
        name = name.parent
        if name is not None:
            yield str(name)


def _note_withheld(read: OpenRead, found: FoundObject, *needed: str) -> None:
    """Leave a gap when an object shows itself without attributes that every object has."""
    withheld = [name for name in needed if name.lower() not in found.attributes]
    if withheld:
        read.leave_gap(Gap(
            kind=GapKind.NOT_PERMITTED,
            message=say(
                "{attributes} of {dn} cannot be read by the auditing identity",
                attributes=joined(say(" and "), withheld),
                dn=found.dn,
            ),
            missing_permission=say(
                "Read (list contents, read all properties, read permissions) on {dn}", dn=found.dn
            ),
        ))
