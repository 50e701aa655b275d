"""A directory in memory that keeps the limits of Active Directory's query policy, which Samba does not.

MaxPageSize and MaxValRange are those of MS-ADTS 3.1.1.3.4.6; a search that asks for no pages ends at MaxPageSize with
"size limit exceeded", one with another search's cookie is refused, values beyond the range come as `name;range=0-1499`
(3.1.1.3.1.3.3), `tokenGroups` only comes in a search of one object, and what another domain holds is referred to.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from tests.unit.collect.directory import ber
from tests.unit.collect.directory.scripted_server import BASE, CHILDREN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tests.unit.collect.directory.scripted_server import Attributes, Request

OPERATIONS_ERROR, SIZE_LIMIT_EXCEEDED, REFERRAL, NO_SUCH_OBJECT, UNWILLING = 1, 4, 10, 32, 53  # RFC 4511 4.1.9
SD_FLAGS = "1.2.840.113556.1.4.801"
TEXT = b"text:"
AND, OR, NOT, EQUALITY, PRESENT = 0xA0, 0xA1, 0xA2, 0xA3, 0x87  # RFC 4511 4.5.1.7


@dataclass(kw_only=True)
class LimitedDirectory:
    """Answers searches from `objects`, by DN. `referred` maps what lies elsewhere to the URL of who has it.

    `interfere` gets each answer with its number, from 0, and its request, and returns what to send instead.
    """

    objects: Mapping[str, Attributes]
    referred: Mapping[str, str] = field(default_factory=dict)
    page_size: int = 1000
    value_range: int = 1500
    interfere: Callable[[int, Request, bytes], bytes] | None = None
    largest_page: int = 0
    answered: int = 0

    def __post_init__(self) -> None:
        self._numbers = count()
        self._open: dict[bytes, tuple[Request, list[str]]] = {}
        self._by_name = {dn.lower(): dn for dn in self.objects}
        self._comparable = {dn: comparable(entry) for dn, entry in self.objects.items()}

    def __call__(self, request: Request) -> bytes:
        answer, number = self._answer(request), self.answered
        self.answered += 1
        return answer if self.interfere is None else self.interfere(number, request, answer)

    def _answer(self, request: Request) -> bytes:
        for dn, url in self.referred.items():
            if request.base == dn or request.base.endswith(f",{dn}"):
                return request.done(REFERRAL, referrals=[f"{url}/{request.base}"])
        if request.base.lower() not in self._by_name:
            return request.done(NO_SUCH_OBJECT)
        if request.scope != BASE and "tokenGroups" in request.attributes:
            return request.done(OPERATIONS_ERROR)
        return self._search(request)

    def _search(self, request: Request) -> bytes:
        if request.cookie:
            began, dns = self._open.pop(request.cookie, (None, []))
            if began is None or (began.base, began.filter) != (request.base, request.filter):
                return request.done(UNWILLING)
        else:
            dns = list(self._matching(request))
        size = min(request.page_size or self.page_size, self.page_size)
        page, rest = dns[:size], dns[size:]
        self.largest_page = max(self.largest_page, len(page))
        entries = b"".join(request.entry(dn, self._shown(dn, request)) for dn in page)
        if rest and not request.page_size:
            return entries + request.done(SIZE_LIMIT_EXCEEDED)
        cookie = b""
        if rest:
            cookie = f"page {next(self._numbers)}".encode()
            self._open[cookie] = (request, rest)
        return entries + (b"" if rest else self._continuations(request)) + request.done(cookie=cookie)

    def _matching(self, request: Request) -> Iterator[str]:
        base = self._by_name[request.base.lower()]
        if request.scope == BASE:
            candidates: Sequence[str] = [base]
        elif request.scope == CHILDREN:
            candidates = [dn for dn in self.objects if dn.partition(",")[2] == base]
        else:
            candidates = [dn for dn in self.objects if dn == base or dn.endswith(f",{base}")]
        ((kind, condition),) = ber.parts(request.filter)
        is_asked_for = compiled(kind, condition)
        return (dn for dn in candidates if is_asked_for(self._comparable[dn]))

    def _continuations(self, request: Request) -> bytes:
        below = (f"{url}/{dn}" for dn, url in self.referred.items() if dn.endswith(f",{request.base}"))
        return b"".join(ber.continuation(request.message_id, url) for url in below) if request.is_subtree else b""

    def _shown(self, dn: str, request: Request) -> Attributes:
        shown: dict[str, Sequence[bytes | str]] = {}
        for asked in request.attributes:
            name, _, limits = asked.partition(";range=")
            for own, values in self.objects[dn].items():
                if own.lower() == name.lower() and (own != "nTSecurityDescriptor" or SD_FLAGS in request.controls):
                    shown |= self._ranged(own, values, limits)
        return shown

    def _ranged(self, name: str, values: Sequence[bytes | str], limits: str) -> dict[str, Sequence[bytes | str]]:
        if not limits and len(values) <= self.value_range:
            return {name: values}
        first = int(limits.partition("-")[0] or 0)
        end = min(first + self.value_range, len(values))
        last = "*" if end == len(values) else str(end - 1)
        return {name: [], f"{name};range={first}-{last}": values[first:end]}


def compiled(kind: int, condition: bytes) -> Callable[[Mapping[str, frozenset[bytes]]], bool]:
    """Return a filter as a function of an object's `comparable` form. Only what the tool uses of filters is known."""
    if kind in {AND, OR}:
        parts = [compiled(*part) for part in ber.parts(condition)]
        combine = all if kind == AND else any
        return lambda entry: combine(part(entry) for part in parts)
    if kind == NOT:
        ((inner_kind, inner_condition),) = ber.parts(condition)
        inner = compiled(inner_kind, inner_condition)
        return lambda entry: not inner(entry)
    if kind == PRESENT:
        present = condition.decode().lower()
        return lambda entry: present in entry
    assert kind == EQUALITY, f"filter {kind:#x}"
    (_, raw_name), (_, asked) = ber.parts(condition)
    name, folded = raw_name.decode().lower(), asked.lower()
    return lambda entry: asked in entry.get(name, ()) or (TEXT + folded) in entry.get(name, ())


def comparable(entry: Attributes) -> dict[str, frozenset[bytes]]:
    """Return values by lower-case name: octets as they are, text marked and without regard to case."""
    return {
        name.lower(): frozenset(TEXT + value.lower().encode() if isinstance(value, str) else value for value in values)
        for name, values in entry.items()
        if values
    }
