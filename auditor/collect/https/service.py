"""One service of the tenant: signed requests, error answers as gaps, pages to the last one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from auditor.collect.https.allow_list import origin
from auditor.collect.https.answers import OK, UNAUTHORIZED, TransientFault, fail
from auditor.errors import SourceError
from auditor.model.evidence import Gap, GapKind
from auditor.model.message import Message, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from auditor.collect.https.answers import Answer, ErrorReport
    from auditor.collect.https.tokens import Tokens
    from auditor.collect.https.transport import Call, Transport
    from auditor.model.evidence import Json, Record

MOST_PAGES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a collection: its place (1 is the first), its records, and where the next one is.

    `shortfall` holds the service's warning that there is more than it returns, `answered` when it was asked and had
    answered, if that was not now.
    """

    number: int
    records: tuple[Record, ...]
    next_link: Json
    shortfall: str | None
    answered: tuple[datetime, datetime] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeastRight:
    """The least that a call takes: of an application, and of a person in its place (docs/OPERATIONS.md lists both)."""

    of_application: Message
    of_person: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Asks one service with the tokens made out to it.

    `read_error` finds the service's own words in an answer (the object is empty when the body is no
    JSON); it is also given the error of an answer that claims success. `read_shortfall` finds the
    warning that a page is not all there is. `first_page_only` is for finding out whether a collection can be read
    at all: its first page then passes for the whole.
    """

    base: str
    transport: Transport
    tokens: Tokens
    read_error: Callable[[Answer, Record], ErrorReport]
    read_shortfall: Callable[[Record], str | None]
    first_page_only: bool = False

    @property
    def provenance(self) -> Mapping[str, Json]:
        """Nothing: the answers are the service's own, given when they were written."""
        return {}

    def ask(self, call: Call, right: LeastRight) -> Record:
        """Return the JSON object that answers a call; raises SourceError.

        A refused token is replaced by a new one, once; so is one whose rights have become more since.
        """

        token = self.tokens.token(self.base)
        try:
            content = self.transport.ask(
                _signed(call, token),
                lambda answer: (
                    None if answer.status_code == UNAUTHORIZED else self._interpret(answer.without(token), call, right)
                ),
            )
        except SourceError as error:
            is_right_missing = error.gap.kind is GapKind.NOT_PERMITTED
            newer = self.tokens.with_other_rights(self.base, token) if is_right_missing else None
            if newer is None:
                raise
        else:
            if content is not None:
                return content
            newer = self.tokens.renew_once(self.base, token)
        return self.transport.ask(
            _signed(call, newer),
            lambda answer: self._interpret(answer.without(newer), call, right),
        )

    def pages(self, call: Call, right: LeastRight) -> Iterator[Page]:
        """Yield the pages of a collection, following `@odata.nextLink` with the same method and body.

        Raises SourceError: the failure itself on the first page, INCOMPLETE with its words later.
        """
        seen = {call.url}
        for number in range(1, MOST_PAGES + 1):
            page = self._page(call, number, right)
            yield page
            link = page.next_link
            if self.first_page_only:
                return
            if link is None or (isinstance(link, str) and not link.strip()):
                return
            if not isinstance(link, str) or link in seen:
                raise SourceError(_incomplete(call, number, say("the paging link cannot be followed")))
            self._require_own(call, number, link)
            seen.add(link)
            call = replace(call, url=link)
        raise SourceError(_incomplete(call, MOST_PAGES, say("there are more pages than the tool reads")))

    def _page(self, call: Call, number: int, right: LeastRight) -> Page:
        try:
            envelope = self.ask(call, right)
            return Page(
                number=number,
                records=_records(call, envelope),
                next_link=envelope.get("@odata.nextLink"),
                shortfall=None if self.first_page_only else self.read_shortfall(envelope),
            )
        except SourceError as error:
            if number == 1:
                raise
            gap = _incomplete(call, number - 1, error.gap.message)
            raise SourceError(replace(gap, missing_permission=error.gap.missing_permission)) from error

    def _require_own(self, call: Call, number: int, link: str) -> None:
        """Follow a paging link only where the tool would have gone by itself, token in hand."""
        allow_list = self.transport.allow_list
        is_regional = call.method == "POST" and allow_list.leads_to_exchange(link)
        if origin(link) != origin(self.base) and not is_regional:
            raise SourceError(_incomplete(call, number, say("the paging link leads to a foreign host")))
        objection = allow_list.objection(call.method, link, call.body)
        if objection is not None:
            reason = say("the paging link is not followed: {objection}", objection=objection)
            raise SourceError(_incomplete(call, number, reason))

    def _interpret(self, answer: Answer, call: Call, right: LeastRight) -> Record:
        content = answer.json_object()
        if answer.status_code == OK and content is None:
            message = say("{call} was answered with something that is not a JSON object", call=call.name)
            raise TransientFault(Gap(kind=GapKind.MALFORMED, message=message))
        if content is not None and answer.status_code == OK and not _holds_error(content):
            return content
        report = self.read_error(answer, content or {})
        return fail(
            answer,
            report,
            call=call.name,
            missing_permission=right.of_application if self.tokens.person is None else right.of_person,
            stale_rights=self.tokens.stale_rights,
        )


def _signed(call: Call, token: str) -> Call:
    headers = {**call.headers, "Authorization": f"Bearer {token}", "Accept": "application/json"}
    return replace(call, headers=headers)


def _holds_error(content: Record) -> bool:
    """Tell whether an answer of status 200 reports a failure all the same."""
    return any(content.get(key) is not None for key in ("error", "@odata.error", "odata.error"))


def _records(call: Call, envelope: Record) -> tuple[Record, ...]:
    value = envelope.get("value")
    if not isinstance(value, list) or not all(isinstance(record, dict) for record in value):
        message = say("{call} was answered without a list of objects", call=call.name)
        raise SourceError(Gap(kind=GapKind.MALFORMED, message=message))
    return tuple(record for record in value if isinstance(record, dict))


def _incomplete(call: Call, pages: int, reason: Message) -> Gap:
    message = say("{call} broke off after page {pages}: {reason}", call=call.name, pages=pages, reason=reason)
    return Gap(kind=GapKind.INCOMPLETE, message=message)
