"""Carries out searches before they are asked for, over a second session, while the first waits for its answers.

A domain controller works on one search of a session at a time. What is read is the same with and without this, and
in the same order: only the waiting is shortened. A search that was not begun in time is left to the first session, as
is one that failed before its first page, and all of them when the second session cannot be had.
"""

from __future__ import annotations

import threading
from collections import deque
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self, TypeAlias

from auditor.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import TracebackType

    from auditor.collect.directory.session import DirectorySession, FoundObject, Page, SearchRequest

    Follow: TypeAlias = "Callable[[SearchRequest, Iterable[FoundObject]], Iterable[SearchRequest]]"

MOST_HELD = 4000  # objects that wait to be taken; then nothing more is read until some are


@dataclass(eq=False, slots=True, kw_only=True)
class _Search:
    request: SearchRequest
    follow: Follow | None
    pages: deque[Page] = field(default_factory=deque)
    is_begun: bool = False
    is_awaited: bool = False
    is_given_up: bool = False
    is_over: bool = False
    failure: BaseException | None = None


class ReadAhead:
    """Searches in a thread of its own once it was begun, in the order in which they were planned."""

    def __init__(self, open_session: Callable[[], DirectorySession]) -> None:
        self._open_session = open_session
        self._changed = threading.Condition()
        self._known: dict[SearchRequest, _Search] = {}
        self._planned: deque[_Search] = deque()
        self._held = 0
        self._has_ended = False
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()
        if kind is None and self._thread is not None:
            self._thread.join()

    def plan(self, request: SearchRequest, follow: Follow | None = None) -> None:
        """Have a search carried out, and then those that `follow` makes of the objects it found.

        To `follow` the objects come without attributes, so that those of a large search need not be kept until its end.
        """
        with self._changed:
            if request not in self._known:
                self._known[request] = search = _Search(request=request, follow=follow)
                self._planned.append(search)
                self._changed.notify_all()

    def begin(self) -> None:
        """Sign in and start, if that was not done yet and anything is planned."""
        if self._thread is None and self._planned:
            # Left by an interrupt it ends with the program
            self._thread = threading.Thread(target=self._work, name="read ahead", daemon=True)
            self._thread.start()

    def pages(self, request: SearchRequest) -> Iterator[Page] | None:
        """Return the pages of a search that was carried out or is being, None when it has to be asked by others."""
        with self._changed:
            search = self._known.pop(request, None)
            if search is None:
                return None
            if not search.is_begun:
                self._planned.remove(search)
                return None
            self._await(search)
            if not search.pages and isinstance(search.failure, SourceError):
                return None
        return self._taken(search)

    def _taken(self, search: _Search) -> Iterator[Page]:
        try:
            while (page := self._next(search)) is not None:
                yield page
        finally:
            with self._changed:
                search.is_given_up = True
                self._held -= sum(len(page.objects) for page in search.pages)
                self._changed.notify_all()

    def _next(self, search: _Search) -> Page | None:
        with self._changed:
            self._await(search)
            if search.pages:
                page = search.pages.popleft()
                self._held -= len(page.objects)
                self._changed.notify_all()
                return page
            if search.failure is not None:
                raise search.failure
            return None

    def _await(self, search: _Search) -> None:
        search.is_awaited = True
        self._changed.notify_all()
        self._changed.wait_for(lambda: search.pages or search.is_over)
        search.is_awaited = False

    def _work(self) -> None:
        try:
            session = self._open_session()
        except SourceError:
            return
        with closing(session):
            while (search := self._next_planned()) is not None:
                try:
                    self._carry_out(session, search)
                except BaseException as error:  # noqa: BLE001 - raised again for whoever takes the pages
                    search.failure = error
                with self._changed:
                    search.is_over = True
                    self._changed.notify_all()

    def _next_planned(self) -> _Search | None:
        with self._changed:
            self._changed.wait_for(lambda: self._planned or self._has_ended)
            if self._has_ended:
                return None
            search = self._planned.popleft()
            search.is_begun = True
            return search

    def _carry_out(self, session: DirectorySession, search: _Search) -> None:
        found: list[FoundObject] = []
        for page in session.pages(search.request):
            with self._changed:
                if search.is_given_up:
                    return
                search.pages.append(page)
                self._held += len(page.objects)
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._held < MOST_HELD or search.is_awaited or self._has_ended)
                if self._has_ended:
                    return
            if search.follow is not None:
                found.extend(replace(each, attributes={}) for each in page.objects)
        if search.follow is not None:
            for request in search.follow(search.request, found):
                self.plan(request, search.follow)
