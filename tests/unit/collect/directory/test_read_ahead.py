"""A second session reads ahead what will be asked; what is read must not depend on how far it gets."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from auditor.collect.directory.limits import DEFAULT_LIMITS
from auditor.collect.directory.read_ahead import MOST_HELD, ReadAhead
from auditor.errors import SourceError
from auditor.model.evidence import Gap, GapKind
from tests.unit.collect.directory.large_domain import GROUPS, LARGE_ROOT_DSE, STAFF, large_domain
from tests.unit.collect.directory.limited_directory import LimitedDirectory
from tests.unit.collect.directory.scripted_server import HEAD, Request, ScriptedServer
from tests.unit.collect.directory.test_large_directories import contents, gaps
from tests.unit.collect.directory.test_session import BELOW, noting, page, paged, sending

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from auditor.collect.directory.session import DirectorySession, FoundObject, Page, SearchRequest
    from auditor.model.evidence import Evidence
    from tests.unit.collect.directory.authority import Issued
    from tests.unit.collect.directory.collecting import Collect, Open
    from tests.unit.collect.directory.scripted_server import Answer

WAIT_S = 10
OTHER = replace(BELOW, base=f"OU=Other,{HEAD}")
LAST = replace(BELOW, base=f"OU=Last,{HEAD}")


@contextmanager
def reading_ahead(session_with: Open, answer: Answer) -> Iterator[tuple[ReadAhead, Callable[[str], None]]]:
    """Read ahead from a server, with a function that waits until it was asked something of that base."""
    asked: list[Request] = []
    arrived = threading.Condition()

    def note(request: Request) -> bytes:
        with arrived:
            asked.append(request)
            arrived.notify_all()
        return answer(request)

    def wait_for(base: str) -> None:
        with arrived:
            assert arrived.wait_for(lambda: any(request.base == base for request in asked), WAIT_S)

    with session_with(note) as session, ReadAhead(lambda: session) as ahead:
        yield ahead, wait_for


def taken(pages: Iterable[Page] | None) -> list[str]:
    assert pages is not None
    return [found.dn for each in pages for found in each.objects]


def one_below(request: Request) -> bytes:
    """Answer with one object below what was searched."""
    return request.entry(f"CN=found,{request.base}", {"description": ["kept by nobody"]}) + request.done()


def test_what_was_begun_is_taken_once_and_the_rest_is_left_to_others(session_with: Open) -> None:
    answer = paged(page(1, b"more"), page(2, b"yet more"), page(3, b""))
    with reading_ahead(session_with, answer) as (ahead, wait_for):
        ahead.plan(BELOW)
        assert ahead.pages(OTHER) is None
        ahead.begin()
        wait_for(BELOW.base)
        assert taken(ahead.pages(BELOW)) == [f"OU={number},{BELOW.base}" for number in (1, 2, 3)]
        assert ahead.pages(BELOW) is None


def test_nothing_is_asked_before_it_is_begun(session_with: Open) -> None:
    asked: list[Request] = []
    with session_with(noting(asked, one_below)) as session, ReadAhead(lambda: session) as ahead:
        ahead.plan(BELOW)
        assert ahead.pages(BELOW) is None
    assert asked == []


def test_what_follows_from_an_answer_is_asked_next(session_with: Open) -> None:
    followed: list[FoundObject] = []

    def follow(request: SearchRequest, found: Iterable[FoundObject]) -> list[SearchRequest]:
        followed.extend(found)
        return [replace(BELOW, base=each.dn) for each in followed] if request == BELOW else []

    inner = f"CN=found,{BELOW.base}"
    with reading_ahead(session_with, one_below) as (ahead, wait_for):
        ahead.plan(BELOW, follow)
        ahead.begin()
        wait_for(inner)
        assert taken(ahead.pages(BELOW)) == [inner]
        assert taken(ahead.pages(replace(BELOW, base=inner))) == [f"CN=found,{inner}"]
    assert [(each.dn, each.attributes) for each in followed] == [(inner, {}), (f"CN=found,{inner}", {})]


def test_a_session_that_cannot_be_had_leaves_everything_to_others() -> None:
    tries: list[int] = []

    def refused() -> DirectorySession:
        tries.append(1)
        raise SourceError(Gap(kind=GapKind.SIGN_IN_REFUSED, message="no more sessions"))

    with ReadAhead(refused) as ahead:
        ahead.begin()
        assert tries == [], "nothing is planned"
        ahead.plan(BELOW)
        ahead.begin()
        ahead.begin()
    assert ahead.pages(BELOW) is None
    assert tries == [1]


def test_what_failed_at_its_first_page_is_left_to_others(session_with: Open) -> None:
    with reading_ahead(session_with, sending(b"")) as (ahead, wait_for):
        ahead.plan(BELOW)
        ahead.plan(OTHER)
        ahead.begin()
        wait_for(BELOW.base)
        assert ahead.pages(BELOW) is None
        assert ahead.pages(OTHER) is None


def test_what_broke_off_has_its_pages_and_its_gap(session_with: Open) -> None:
    with reading_ahead(session_with, paged(page(1, b"more"), sending(b""))) as (ahead, wait_for):
        ahead.plan(BELOW)
        ahead.begin()
        wait_for(BELOW.base)
        pages = ahead.pages(BELOW)
        assert pages is not None
        assert [found.dn for found in next(pages).objects] == [f"OU=1,{BELOW.base}"]
        with pytest.raises(SourceError) as raised:
            next(pages)
    assert raised.value.gap.kind is GapKind.INCOMPLETE


def test_an_error_of_our_own_is_not_swallowed(session_with: Open) -> None:
    def follow(_: SearchRequest, __: object) -> list[SearchRequest]:
        raise ZeroDivisionError

    with reading_ahead(session_with, one_below) as (ahead, wait_for):
        ahead.plan(BELOW, follow)
        ahead.begin()
        wait_for(BELOW.base)
        with pytest.raises(ZeroDivisionError):
            taken(ahead.pages(BELOW))


def many(request: Request) -> bytes:
    """Answer with more than is held, and with more pages after the first three."""
    number = int(request.cookie or b"0")
    entries = b"".join(request.entry(f"CN={number} {each},{request.base}", {}) for each in range(MOST_HELD))
    return entries + request.done(cookie=str(number + 1).encode() if number < 3 else b"")


def test_more_than_is_held_comes_whole_in_whatever_order_it_is_taken(session_with: Open) -> None:
    with reading_ahead(session_with, many) as (ahead, wait_for):
        for request in (BELOW, OTHER):
            ahead.plan(request)
        ahead.begin()
        wait_for(BELOW.base)
        assert ahead.pages(OTHER) is None  # not begun, because nothing more is held
        assert len(taken(ahead.pages(BELOW))) == 4 * MOST_HELD


def test_pages_that_are_given_up_make_room_for_the_next_search(session_with: Open) -> None:
    with reading_ahead(session_with, many) as (ahead, wait_for):
        ahead.plan(BELOW)
        ahead.plan(LAST)
        ahead.begin()
        wait_for(BELOW.base)
        pages = ahead.pages(BELOW)
        assert pages is not None
        next(pages)
        del pages
        wait_for(LAST.base)
        assert len(taken(ahead.pages(LAST))) == 4 * MOST_HELD


def test_what_nobody_takes_does_not_keep_the_reader(session_with: Open) -> None:
    with reading_ahead(session_with, many) as (ahead, wait_for):
        ahead.plan(BELOW)
        ahead.plan(OTHER)
        ahead.begin()
        wait_for(BELOW.base)


@pytest.fixture
def audited(collect: Collect, trusted: Issued) -> Callable[..., tuple[Evidence, ScriptedServer]]:
    """Collect from a domain of so many units, whose host stops to accept sign-ins once it was asked something."""

    def run(units: int, *, accepts_one: bool) -> tuple[Evidence, ScriptedServer]:
        directory = LimitedDirectory(
            objects=large_domain(units=units, nested_groups=3, mailing_lists=3, users=units // 2)
        )

        def answer(request: Request) -> bytes:
            if accepts_one:
                server.bind_code = 49
            return directory(request)

        with ScriptedServer(pem_file=trusted.pem_file, answer=answer, root_dse=LARGE_ROOT_DSE) as server:
            evidence = collect(server.port, limits=DEFAULT_LIMITS, target_ous=(STAFF,), group_ous=(GROUPS,))
        return evidence, server

    return run


def test_evidence_is_the_same_with_and_without_a_second_session(
    audited: Callable[..., tuple[Evidence, ScriptedServer]],
) -> None:
    evidence, server = audited(2500, accepts_one=False)
    alone, refusing = audited(2500, accepts_one=True)
    assert gaps(evidence) == gaps(alone) == set()
    assert contents(evidence) == contents(alone)
    assert [(each.dataset, each.subject, each.pages) for each in evidence.sources] == [
        (each.dataset, each.subject, each.pages) for each in alone.sources
    ]
    assert list(evidence.descriptors) == list(alone.descriptors)
    assert len(server.binds) == len(refusing.binds) == 2, "one more sign-in, and none after a refused one"


def test_a_small_directory_is_read_over_one_session(
    audited: Callable[..., tuple[Evidence, ScriptedServer]],
) -> None:
    _, server = audited(20, accepts_one=False)
    assert len(server.binds) == 1
