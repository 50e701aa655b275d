from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from auditor.collect.directory.limits import Limits
from auditor.collect.directory.session import FoundObject, Scope, SearchRequest
from auditor.errors import SourceError
from auditor.model.evidence import Gap, GapKind
from tests.unit.collect.directory import ber
from tests.unit.collect.directory.scripted_server import HEAD, Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from auditor.collect.directory.session import DirectorySession
    from tests.unit.collect.directory.collecting import Open
    from tests.unit.collect.directory.scripted_server import Answer

OU = f"OU=Staff,{HEAD}"
BELOW = SearchRequest(base=OU, attributes=("objectClass",), scope=Scope.SUBTREE)
AT = SearchRequest(base=OU, attributes=("objectClass", "nTSecurityDescriptor"))


def read_all(session: DirectorySession, request: SearchRequest = BELOW) -> tuple[list[str], Gap | None]:
    """Return the DNs that were read and the gap that ended the read."""
    dns: list[str] = []
    try:
        for page in session.pages(request):
            dns.extend(found.dn for found in page.objects)
    except SourceError as error:
        return dns, error.gap
    return dns, None


def paged(*answers: Callable[[Request], bytes]) -> Answer:
    """Answer the first page with the first of `answers`, and so on."""
    remaining = list(answers)

    def answer(request: Request) -> bytes:
        return remaining.pop(0)(request)

    return answer


def sending(raw: bytes) -> Answer:
    """Answer every request with these bytes; none closes the connection."""
    return lambda _: raw


def noting(asked: list[Request], answer: Answer) -> Answer:
    """Keep what is asked."""

    def note(request: Request) -> bytes:
        asked.append(request)
        return answer(request)

    return note


def page(number: int, cookie: bytes) -> Callable[[Request], bytes]:
    return lambda request: request.entry(f"OU={number},{OU}", {}) + request.done(cookie=cookie)


def test_pages_are_followed_to_the_end_with_the_cookie_that_came(session_with: Open) -> None:
    asked: list[Request] = []
    pages = paged(page(1, b"one"), page(2, b"\0two"), page(3, b""))
    with session_with(noting(asked, pages)) as session:
        assert read_all(session) == ([f"OU={n},{OU}" for n in (1, 2, 3)], None)
    assert [request.cookie for request in asked] == [b"", b"one", b"\0two"]


def test_the_next_page_is_asked_for_while_one_is_looked_at(session_with: Open) -> None:
    arrived = threading.Event()

    def second(request: Request) -> bytes:
        arrived.set()
        return page(2, b"")(request)

    with session_with(paged(page(1, b"more"), second)) as session:
        next(session.pages(BELOW))
        assert arrived.wait(timeout=5)


def test_what_is_asked_between_two_pages_and_the_pages_get_their_own_answers(session_with: Open) -> None:
    def answer(request: Request) -> bytes:
        if not request.is_subtree:
            return request.entry(request.base, {}) + request.done()
        return page(2, b"")(request) if request.cookie else page(1, b"more")(request)

    with session_with(answer) as session:
        pages = session.pages(BELOW)
        first = next(pages)
        between = session.object_at(AT)
        (last,) = pages
    assert isinstance(between, FoundObject)
    assert [found.dn for found in (*first.objects, between, *last.objects)] == [f"OU=1,{OU}", OU, f"OU=2,{OU}"]


def test_pages_that_are_given_up_disturb_nothing(session_with: Open) -> None:
    pages = paged(page(1, b"more"), page(2, b"still more"), page(3, b""))
    with session_with(pages) as session:
        next(session.pages(BELOW))
        assert read_all(session) == ([f"OU=3,{OU}"], None)


def test_a_page_that_came_stands_when_the_host_goes_before_the_next(session_with: Open) -> None:
    with session_with(paged(page(1, b"more"), sending(b""))) as session:
        pages = session.pages(BELOW)
        first = next(pages)
        with pytest.raises(SourceError) as between:
            session.object_at(AT)
        with pytest.raises(SourceError) as after:
            next(pages)
    assert [found.dn for found in first.objects] == [f"OU=1,{OU}"]
    assert between.value.gap.kind is GapKind.UNREACHABLE
    assert after.value.gap.kind is GapKind.INCOMPLETE


def test_what_comes_in_one_piece_is_taken_apart(session_with: Open) -> None:
    """Entries, a continuation, an intermediate answer and the result, with values of every length of length."""
    sizes = (0, 1, 127, 128, 255, 256, 65_535, 65_536)
    values = {"Name": [b"x" * size for size in sizes], "none": []}

    def answer(request: Request) -> bytes:
        intermediate = ber.message(request.message_id, ber.tlv(0x79, ber.tlv(0x80, b"1.2.3")))
        return request.entry("", values) + intermediate + request.entry(OU, values) + request.done()

    with session_with(answer) as session:
        (only,) = session.pages(BELOW)
    assert only.objects == tuple(
        FoundObject(dn=dn, attributes={"name": tuple(b"x" * size for size in sizes)}) for dn in ("", OU)
    )


@pytest.mark.parametrize("code", [3, 4, 11, 51, 80])
def test_a_limit_leaves_what_was_read_and_a_gap(session_with: Open, code: int) -> None:
    with session_with(lambda request: request.entry(f"OU=1,{OU}", {}) + request.done(code)) as session:
        dns, gap = read_all(session)
    assert dns == [f"OU=1,{OU}"]
    assert gap is not None
    assert gap.kind is GapKind.INCOMPLETE


@pytest.mark.parametrize("second", [
    lambda request: request.done(52),
    lambda request: request.done(32),
    sending(b""),
    sending(b"\x30\x03garbage"),
])
def test_a_later_page_that_fails_makes_the_read_incomplete(
    session_with: Open, second: Callable[[Request], bytes]
) -> None:
    with session_with(paged(page(1, b"more"), second)) as session:
        dns, gap = read_all(session)
    assert dns == [f"OU=1,{OU}"]
    assert gap is not None
    assert gap.kind is GapKind.INCOMPLETE


def test_an_answer_that_does_not_say_whether_more_follows_is_incomplete(session_with: Open) -> None:
    with session_with(lambda request: ber.done(request.message_id)) as session:
        _, gap = read_all(session)
    assert gap is not None
    assert gap.kind is GapKind.INCOMPLETE


def test_continuations_are_kept_apart_from_objects(session_with: Open) -> None:
    url = "ldap://child.corp.example.com/DC=child,DC=corp,DC=example,DC=com"

    def answer(request: Request) -> bytes:
        return request.entry(OU, {}) + ber.continuation(request.message_id, url) + request.done()

    with session_with(answer) as session:
        (only,) = session.pages(BELOW)
    assert [found.dn for found in only.objects] == [OU]
    assert only.continuations == (url,)


@pytest.mark.parametrize(("code", "kind"), [
    (32, GapKind.NOT_FOUND),
    (50, GapKind.NOT_PERMITTED),
    (0, GapKind.NOT_PERMITTED),
    (1, GapKind.INCOMPLETE),
    (12, GapKind.INCOMPLETE),
])
def test_an_object_that_is_not_shown_is_a_gap_of_its_own_kind(
    session_with: Open, code: int, kind: GapKind
) -> None:
    with session_with(lambda request: request.done(code)) as session:
        answer = session.object_at(AT)
    assert isinstance(answer, Gap)
    assert answer.kind is kind
    assert OU in answer.message


@pytest.mark.parametrize("refer", [
    lambda request: request.done(10, referrals=["ldap://other/DC=x"]),
    lambda request: ber.continuation(request.message_id, "ldap://other/DC=x") + request.done(),
], ids=["result", "continuation"])
def test_a_referral_is_not_followed_and_never_absence(session_with: Open, refer: Answer) -> None:
    with session_with(refer) as session:
        answer = session.object_at(AT)
    assert isinstance(answer, Gap)
    assert answer.kind is GapKind.INCOMPLETE
    assert "ldap://other/DC=x" in answer.message


def test_descriptors_are_asked_for_without_the_sacl(session_with: Open) -> None:
    asked: list[Request] = []
    with session_with(noting(asked, lambda request: request.done())) as session:
        session.object_at(AT)
    assert "1.2.840.113556.1.4.801" in asked[0].controls
    assert AT.as_query()["controls"] == ["sd_flags=5"]
    assert BELOW.as_query()["controls"] == ["paged_results=1000"]


def ranged(total: int, step: int, *, breaks_at: int | None = None) -> Answer:
    """Answer as Active Directory does: at most `step` values of memberOf at once."""

    def answer(request: Request) -> bytes:
        (asked,) = [name for name in request.attributes if name.lower().startswith("memberof")]
        first = int(asked.partition("=")[2].partition("-")[0] or 0)
        if breaks_at is not None and first >= breaks_at:
            return request.entry(OU, {}) + request.done()
        last = "*" if first + step >= total else str(first + step - 1)
        values = [f"CN=g{number},{HEAD}" for number in range(first, min(first + step, total))]
        return request.entry(OU, {"memberOf": [], f"memberOf;range={first}-{last}": values}) + request.done()

    return answer


MEMBER_OF = SearchRequest(base=OU, attributes=("memberOf",))


@pytest.mark.parametrize("total", [3, 4, 7, 12])
def test_values_that_come_in_ranges_are_read_to_the_last(session_with: Open, total: int) -> None:
    with session_with(ranged(total, 3)) as session:
        found = session.object_at(MEMBER_OF)
        assert isinstance(found, FoundObject)
        whole = session.with_all_values(found)
    assert whole.texts("memberOf") == tuple(f"CN=g{number},{HEAD}" for number in range(total))
    assert set(whole.attributes) == {"memberof"}


def test_a_range_that_breaks_off_is_no_complete_attribute(session_with: Open) -> None:
    with session_with(ranged(7, 3, breaks_at=3)) as session:
        found = session.object_at(MEMBER_OF)
        assert isinstance(found, FoundObject)
        with pytest.raises(SourceError) as raised:
            session.with_all_values(found)
    assert raised.value.gap.kind is GapKind.INCOMPLETE


def test_a_range_that_miscounts_is_no_complete_attribute(session_with: Open) -> None:
    def answer(request: Request) -> bytes:
        first = request.attributes == ("memberOf",)
        name = "memberOf;range=0-4" if first else "memberOf;range=1-*"
        return request.entry(OU, {name: [f"CN={name},DC=x"]}) + request.done()

    with session_with(answer) as session:
        found = session.object_at(MEMBER_OF)
        assert isinstance(found, FoundObject)
        with pytest.raises(SourceError):
            session.with_all_values(found)


BAD_ANSWERS: dict[str, Callable[[Request], bytes]] = {
    "no BER": sending(b"HTTP/1.1 400 Bad Request\r\n\r\n".ljust(86)),
    "nothing inside": sending(b"\x30\x01\x00"),
    "message without operation": lambda request: ber.tlv(0x30, ber.integer(request.message_id)),
    "unknown operation": lambda request: ber.message(request.message_id, ber.tlv(0x7E, b"")),
    "unknown tag": lambda request: ber.message(request.message_id, ber.tlv(0x1F, b"x")),
    "result without code": lambda request: ber.message(request.message_id, ber.tlv(0x65)),
    "result code of no meaning": lambda request: ber.message(request.message_id, ber.result(0x65, 9999)),
    "other message id": lambda request: ber.done(request.message_id + 7, cookie=b""),
    "other operation": lambda request: ber.bind_response(request.message_id),
    "entry of a number": lambda request: entry_with(request, ber.integer(5)) + request.done(),
    "DN that is no UTF-8": lambda request: request.entry(b"OU=\xff\xfe", {}) + request.done(),
    "attribute name of a number": lambda request: (
        entry_with(request, ber.octets("DC=x"), ber.tlv(0x30, ber.tlv(0x30, ber.integer(1)))) + request.done()
    ),
    "attribute name that is no UTF-8": lambda request: (
        entry_with(request, ber.octets("DC=x"), ber.tlv(0x30, attribute(b"\xff", ber.octets("x")))) + request.done()
    ),
    "value of a number": lambda request: (
        entry_with(request, ber.octets("DC=x"), ber.tlv(0x30, attribute(b"cn", ber.integer(7)))) + request.done()
    ),
    "value longer than its attribute": lambda request: (
        entry_with(request, ber.octets("DC=x"), ber.tlv(0x30, attribute(b"cn", b"\x04\x7fx"))) + request.done()
    ),
    "value of indefinite length": lambda request: (
        entry_with(request, ber.octets("DC=x"), ber.tlv(0x30, attribute(b"cn", b"\x04\x80x\0\0"))) + request.done()
    ),
    "message of indefinite length": lambda request: b"\x30\x80" + request.done()[2:] + b"\0\0",
    "entry to another request": lambda request: ber.entry(request.message_id + 1, "DC=x", {}) + request.done(),
    "deep nesting": lambda request: ber.message(request.message_id, nested(3000)),
    "cookie that is none": lambda request: ber.message(
        request.message_id,
        ber.result(0x65, 0),
        ber.tlv(0xA0, ber.tlv(0x30, ber.octets(ber.PAGED_RESULTS), ber.octets(b"\x30\x00"))),
    ),
    "cookie of a number": lambda request: ber.message(
        request.message_id,
        ber.result(0x65, 0),
        ber.tlv(
            0xA0,
            ber.tlv(
                0x30, ber.octets(ber.PAGED_RESULTS), ber.octets(ber.tlv(0x30, ber.integer(0), ber.integer(1 << 40)))
            ),
        ),
    ),
    "intermediate answer without end": lambda request: (
        ber.message(request.message_id, b"\x79\x7f") + request.done()
    ),
    # Put together byte by byte, a number of that size takes an hour
    "number of two million bytes": lambda request: ber.message(
        request.message_id, ber.tlv(0x65, ber.tlv(0x0A, b"\1" * 2_000_000), ber.octets(""), ber.octets(""))
    ),
}


def entry_with(request: Request, *parts: bytes) -> bytes:
    return ber.message(request.message_id, ber.tlv(0x64, *parts))


def attribute(name: bytes, values: bytes) -> bytes:
    return ber.tlv(0x30, ber.octets(name), ber.tlv(0x31, values))


def nested(depth: int) -> bytes:
    body = b""
    for _ in range(depth):
        body = ber.tlv(0x30, body)
    return body


@pytest.mark.parametrize("bad", BAD_ANSWERS.values(), ids=BAD_ANSWERS.keys())
def test_an_answer_that_is_no_ldap_is_malformed(session_with: Open, bad: Callable[[Request], bytes]) -> None:
    with session_with(bad) as session:
        dns, gap = read_all(session)
    assert dns == []
    assert gap is not None
    assert gap.kind is GapKind.MALFORMED


def test_a_closed_connection_is_unreachable_and_stays_so(session_with: Open) -> None:
    asked: list[Request] = []
    with session_with(noting(asked, sending(b""))) as session:
        gaps = [read_all(session)[1] for _ in range(2)]
    assert [gap.kind for gap in gaps if gap] == [GapKind.UNREACHABLE] * 2
    assert len(asked) == 1


def test_notice_of_disconnection_is_unreachable(session_with: Open) -> None:
    name = ber.tlv(0x8A, b"1.3.6.1.4.1.1466.20036")
    unavailable = ber.integer(52, tag=0x0A)
    notice = ber.message(0, ber.tlv(0x78, unavailable, ber.octets(""), ber.octets("bye"), name))
    with session_with(sending(notice)) as session:
        _, gap = read_all(session)
    assert gap is not None
    assert gap.kind is GapKind.UNREACHABLE


def test_silence_is_a_time_out(session_with: Open) -> None:
    half = ber.done(1, cookie=b"")[:-3]
    with session_with(sending(half)) as session:
        _, gap = read_all(session)
    assert gap is not None
    assert gap.kind is GapKind.TIMED_OUT


def test_a_trickle_ends_with_the_time_allowed_for_all(session_with: Open) -> None:
    limits = Limits(connect_s=1, receive_s=5, overall_s=0.8)
    started_at = time.monotonic()
    with session_with(sending(b"\x30\x84\x00\xff\xff\xff"), limits) as session:
        _, gap = read_all(session)
    assert gap is not None
    assert gap.kind is GapKind.TIMED_OUT
    assert time.monotonic() - started_at < limits.receive_s / 2


def test_an_answer_without_end_is_malformed(session_with: Open) -> None:
    limits = Limits(connect_s=1, receive_s=5, overall_s=10, answer_bytes=50_000)
    with session_with(sending(b"\x30\x84\x7f\xff\xff\xff" + bytes(100_000)), limits) as session:
        _, gap = read_all(session)
    assert gap is not None
    assert gap.kind is GapKind.MALFORMED


def test_a_hostile_message_comes_on_one_line_without_direction_marks(session_with: Open) -> None:
    text = "first\r\nsecond\u202e\x1b[31m" + "x" * 5000
    with session_with(lambda request: request.done(80, text)) as session:
        _, gap = read_all(session)
    assert gap is not None
    assert gap.message.isprintable()
    assert len(gap.message) < 600
