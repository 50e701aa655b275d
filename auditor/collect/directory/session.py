"""A signed-in LDAP session that only searches, and says of every search whether it is complete."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

from ldap3 import BASE, DEREF_NEVER, LEVEL, SUBTREE, Connection
from ldap3.core.results import (
    RESULT_INSUFFICIENT_ACCESS_RIGHTS,
    RESULT_NO_SUCH_OBJECT,
    RESULT_REFERRAL,
    RESULT_SUCCESS,
)
from ldap3.operation.search import search_operation
from ldap3.protocol.microsoft import security_descriptor_control
from ldap3.protocol.rfc2696 import paged_search_control

from auditor.collect.directory.answers import Result, unpacked_entry
from auditor.collect.directory.failures import (
    LDAP_FAILURES,
    communication_failure,
    malformed_answer,
    printable,
)
from auditor.collect.directory.wire import Answer, Wire
from auditor.errors import SourceError
from auditor.model.evidence import Gap, GapKind, Json
from auditor.model.message import Message, say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

PAGE_SIZE = 1000
DESCRIPTOR = "nTSecurityDescriptor"
_OWNER_AND_DACL = 5  # MS-ADTS 3.1.1.3.4.1.11; asking for the SACL (8) too withholds all from non-admins
_RANGE = ";range="


class Scope(StrEnum):
    """How far below its base a search reaches (RFC 4511 4.5.1.2)."""

    BASE = "base"
    CHILDREN = "one"
    SUBTREE = "subtree"


_SCOPES: dict[Scope, Literal["BASE", "LEVEL", "SUBTREE"]] = {
    Scope.BASE: BASE,
    Scope.CHILDREN: LEVEL,
    Scope.SUBTREE: SUBTREE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRequest:
    """One search: of the object `base` itself, or paged over what lies below it."""

    base: str
    attributes: tuple[str, ...]
    filter: str = "(objectClass=*)"
    scope: Scope = Scope.BASE

    @property
    def is_paged(self) -> bool:
        """Whether the answer may take several pages."""
        return self.scope is not Scope.BASE

    def as_query(self) -> dict[str, Json]:
        """Return the search as it is kept in the evidence."""
        sd_flags = [f"sd_flags={_OWNER_AND_DACL}"] if DESCRIPTOR in self.attributes else []
        paged = [f"paged_results={PAGE_SIZE}"] if self.is_paged else []
        return {
            "base": self.base,
            "scope": str(self.scope),
            "filter": self.filter,
            "attributes": list(self.attributes),
            "controls": [*sd_flags, *paged],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundObject:
    """An object as it came from the wire; `attributes` maps lower-case names to raw values."""

    dn: str
    attributes: Mapping[str, tuple[bytes, ...]]

    def texts(self, name: str) -> tuple[str, ...]:
        """Return an attribute's values as text."""
        return tuple(value.decode("utf-8", "replace") for value in self.attributes.get(name.lower(), ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a search: the objects, and the URLs of parts that other servers hold (RFC 4511 4.5.3)."""

    objects: tuple[FoundObject, ...]
    continuations: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class _Question:
    """A search that was sent, for a page after the first or not, and its answer once that is there."""

    is_continuing: bool
    number: int = 0
    answer: Answer | None = None


class DirectorySession:
    """Searches on one host. Every method raises SourceError when the host gives no usable answer.

    `signed_in_as` is a form of name that `AccountSearch` finds; empty before the sign-in.

    After a failure below LDAP the session is over: the next search repeats that failure. With `first_page_only` the
    first page of a search passes for the whole.
    """

    def __init__(self, connection: Connection, endpoint: str, *, signed_in_as: str = "") -> None:
        self._connection = connection
        self._wire = Wire(connection)
        self.endpoint = endpoint
        self.signed_in_as = signed_in_as
        self.first_page_only = False
        self._broken: Gap | None = None
        self._unanswered: _Question | None = None

    def pages(self, request: SearchRequest) -> Iterator[Page]:
        """Yield the answer to a paged search page by page; what was yielded stands even when a later page fails.

        Before a page is unpacked the next one is asked for, so that the host works on it in the meantime.
        """
        question: _Question | None = self._ask(request)
        while question is not None:
            answer = self._answer_to(question)
            gap = self._failure(request, answer.result)
            # A server that honours the control for pages returns it with every page (RFC 2696 3)
            cookie = None if gap is not None else answer.result.cookie
            following = self._ask(request, cookie) if cookie and not self.first_page_only else None
            yield self._page(question, answer)
            if gap is not None:
                raise SourceError(_broke_off(gap) if question.is_continuing else gap)
            if cookie is None and not self.first_page_only:
                raise SourceError(Gap(
                    kind=GapKind.INCOMPLETE,
                    message=say(
                        "{host} did not say whether there is more below {dn}", host=self.endpoint, dn=request.base
                    ),
                ))
            question = following

    def object_at(self, request: SearchRequest) -> FoundObject | Gap:
        """Return the object at `request.base`, or why the directory does not show one.

        `NOT_FOUND` is the server's word that nothing is there, which it also gives for an object below one
        whose contents may not be listed; success without an entry is `NOT_PERMITTED`.
        """
        question = self._ask(request)
        answer = self._answer_to(question)
        gap = self._failure(request, answer.result)
        if gap is not None:
            return gap
        page = self._page(question, answer)
        if page.objects:
            return page.objects[0]
        if page.continuations:
            return self._held_elsewhere(request, page.continuations)
        return Gap(
            kind=GapKind.NOT_PERMITTED,
            message=say("{dn} exists or may exist, but is not visible to the auditing identity", dn=request.base),
            missing_permission=say("List contents and Read on {dn}", dn=request.base),
        )

    def with_all_values(self, found: FoundObject) -> FoundObject:
        """Fetch the rest of attributes that came in ranges (MS-ADTS 3.1.1.3.1.3.3)."""
        ranged = [name for name in found.attributes if _RANGE in name]
        if not ranged:
            return found
        attributes = {name: values for name, values in found.attributes.items() if _RANGE not in name}
        for option in ranged:
            name = option.partition(_RANGE)[0]
            attributes[name] = self._all_ranges(found.dn, option, found.attributes[option])
        return replace(found, attributes=attributes)

    def close(self) -> None:
        """Sign out and close, whatever state the connection is in."""
        transport = self._connection.socket
        with suppress(*LDAP_FAILURES):  # the farewell may fail; the socket is closed in any case
            self._connection.unbind()
        if transport is not None:
            transport.close()

    def _all_ranges(self, dn: str, option: str, first: tuple[bytes, ...]) -> tuple[bytes, ...]:
        values = list(first)
        while not option.endswith("-*"):
            name, _, limits = option.partition(_RANGE)
            if limits.partition("-")[2] != str(len(values) - 1):
                what_came = say("{limits} came with {count} values", limits=limits, count=len(values))
                raise SourceError(_broken_range(dn, name, what_came))
            rest = f"{name}{_RANGE}{len(values)}-*"
            answer = self.object_at(SearchRequest(base=dn, attributes=(rest,)))
            if isinstance(answer, Gap):
                raise SourceError(_broken_range(dn, name, answer.message))
            option = next((found for found in answer.attributes if found.startswith(rest[:-1])), "")
            if not option:
                nothing = say("nothing came from value {count} on", count=len(values))
                raise SourceError(_broken_range(dn, name, nothing))
            values.extend(answer.attributes[option])
        return tuple(values)

    def _ask(self, request: SearchRequest, cookie: bytes = b"") -> _Question:
        """Send a search. The answer to one that was sent before is received first, and kept."""
        self._receive()
        question = _Question(is_continuing=bool(cookie))
        if self._broken is None:
            try:
                question.number = self._wire.send(
                    "searchRequest", _search_operation(request), _controls(request, cookie)
                )
            except LDAP_FAILURES as error:
                self._broken = communication_failure(self.endpoint, error)
            else:
                self._unanswered = question
        return question

    def _receive(self) -> None:
        question, self._unanswered = self._unanswered, None
        if question is not None:
            try:
                question.answer = self._wire.receive(question.number)
            except LDAP_FAILURES as error:
                self._broken = communication_failure(self.endpoint, error)

    def _answer_to(self, question: _Question) -> Answer:
        if question is self._unanswered:
            self._receive()
        if question.answer is None:
            raise SourceError(self._end_of(question))
        return question.answer

    def _page(self, question: _Question, answer: Answer) -> Page:
        try:
            unpacked = [unpacked_entry(message) for message in answer.entries]
        except ValueError as error:
            self._broken = malformed_answer(self.endpoint)
            raise SourceError(self._end_of(question)) from error
        return Page(
            objects=tuple(FoundObject(dn=dn, attributes=attributes) for dn, attributes in unpacked),
            continuations=tuple(answer.continuations),
        )

    def _end_of(self, question: _Question) -> Gap:
        gap = self._broken or malformed_answer(self.endpoint)
        return _broke_off(gap) if question.is_continuing else gap

    def _failure(self, request: SearchRequest, result: Result) -> Gap | None:
        if result.code == RESULT_SUCCESS:
            return None
        said = printable(f"{result.description} {result.message}")
        if result.code == RESULT_NO_SUCH_OBJECT:
            return Gap(
                kind=GapKind.NOT_FOUND,
                message=say("{host} shows no object {dn}", host=self.endpoint, dn=request.base),
                missing_permission=say("List contents on its parent, if it exists"),
            )
        if result.code == RESULT_INSUFFICIENT_ACCESS_RIGHTS:
            return Gap(
                kind=GapKind.NOT_PERMITTED,
                message=say("{host} refused to read {dn}: {said}", host=self.endpoint, dn=request.base, said=said),
                missing_permission=say("Read on {dn}", dn=request.base),
            )
        if result.code == RESULT_REFERRAL:
            return self._held_elsewhere(request, result.referrals)
        return Gap(
            kind=GapKind.INCOMPLETE,
            message=say("{host} did not finish reading {dn}: {said}", host=self.endpoint, dn=request.base, said=said),
        )

    def _held_elsewhere(self, request: SearchRequest, urls: Iterable[str]) -> Gap:
        where = printable(", ".join(urls))
        message = say("{host} refers to {where} for {dn}", host=self.endpoint, where=where, dn=request.base)
        return Gap(kind=GapKind.INCOMPLETE, message=message)


def _broke_off(gap: Gap) -> Gap:
    message = say("the read broke off midway: {message}", message=gap.message)
    return replace(gap, kind=GapKind.INCOMPLETE, message=message)


def _broken_range(dn: str, name: str, reason: Message) -> Gap:
    message = say("{attribute} of {dn} could not be read to its end: {reason}", attribute=name, dn=dn, reason=reason)
    return Gap(kind=GapKind.INCOMPLETE, message=message)


def _search_operation(request: SearchRequest) -> Any:  # noqa: ANN401 - ldap3's form of it
    return search_operation(
        request.base, request.filter, _SCOPES[request.scope], DEREF_NEVER, list(request.attributes),
        size_limit=0, time_limit=0, types_only=False, auto_escape=True, auto_encode=True,
    )  # fmt: skip


def _controls(request: SearchRequest, cookie: bytes) -> list[Any]:
    controls: list[Any] = []
    if DESCRIPTOR in request.attributes:
        controls += security_descriptor_control(criticality=True, sdflags=_OWNER_AND_DACL)
    if request.is_paged:
        controls.append(paged_search_control(criticality=True, size=PAGE_SIZE, cookie=cookie))
    return controls
