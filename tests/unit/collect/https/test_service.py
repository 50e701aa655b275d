"""One service: tokens renewed once, errors read, pages followed only at home."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import pytest

from auditor.collect.entra.questions import GraphQuestions
from auditor.collect.exchange.collector import LEAST_RIGHT
from auditor.collect.https import service as service_module
from auditor.collect.https.allow_list import AllowList
from auditor.collect.https.answers import ErrorReport
from auditor.collect.https.service import LeastRight, Page, Service
from auditor.collect.https.transport import Call, Transport, TransportLimits
from auditor.errors import SourceError
from auditor.model.connection import Endpoints
from auditor.model.evidence import Gap, GapKind
from auditor.model.message import Message
from tests.unit.collect.https.scripted_server import ScriptedServer, http

if TYPE_CHECKING:
    from pathlib import Path

    from auditor.collect.https.tokens import Tokens
    from tests.unit.collect.https.conftest import Hands

RIGHT = LeastRight(of_application=Message("R"), of_person=Message("P"))


class NumberedTokens:
    """Hands out token-1 until it is discarded, then token-2, and so on."""

    stale_rights = ""
    person: str | None = None

    def __init__(self, *, has_other_rights: bool = False) -> None:
        self.number = 1
        self.has_other_rights = has_other_rights

    def token(self, _: str) -> str:
        return f"token-{self.number}"

    def renew_once(self, _: str, refused: str) -> str:
        assert refused == f"token-{self.number}"
        self.number += 1
        return f"token-{self.number}"

    def with_other_rights(self, service: str, refused: str) -> str | None:
        return self.renew_once(service, refused) if self.has_other_rights else None


def service(server: ScriptedServer, hands: Hands, tokens: NumberedTokens | None = None) -> Service:
    endpoints = Endpoints(login=server.base, graph=server.base, exchange=server.base)
    return Service(
        base=server.base,
        transport=Transport(
            AllowList(endpoints=endpoints, regional_hosts=False),
            ca_file=str(server.ca_file),
            limits=TransportLimits(pace=hands.pace),
        ),
        tokens=cast("Tokens", tokens or NumberedTokens()),
        read_error=lambda _, content: ErrorReport(code="", message=str(content.get("error", ""))),
        read_shortfall=lambda content: cast("str | None", content.get("warning")),
    )


def call(server: ScriptedServer) -> Call:
    return Call(name="GET /x", method="GET", url=f"{server.base}/v1.0/organization")


def page(*records: object, **envelope: object) -> bytes:
    return http(200, json.dumps({"value": list(records), **envelope}).encode())


def collect_pages(server: ScriptedServer, hands: Hands) -> tuple[list[Page], Gap | None]:
    found: list[Page] = []
    asked = service(server, hands)
    try:
        for one in asked.pages(call(server), RIGHT):
            found.append(one)  # noqa: PERF402 - what came before a failure must be kept
    except SourceError as error:
        return found, error.gap
    finally:
        asked.transport.close()
    return found, None


def ask(server: ScriptedServer, hands: Hands, tokens: NumberedTokens | None = None) -> dict[str, Any]:
    asked = service(server, hands, tokens)
    try:
        return asked.ask(call(server), RIGHT)
    finally:
        asked.transport.close()


def test_a_refused_token_is_renewed_once(tmp_path: Path, hands: Hands) -> None:
    with ScriptedServer(tmp_path, http(401), http(200, b'{"a":1}')) as server:
        assert ask(server, hands) == {"a": 1}

        assert [b"token-1" in request for request in server.received] == [True, False]
        assert b"Authorization: Bearer token-2\r\n" in server.received[1]


def test_a_token_refused_twice_is_a_gap(tmp_path: Path, hands: Hands) -> None:
    with ScriptedServer(tmp_path, http(401)) as server:
        with pytest.raises(SourceError) as caught:
            ask(server, hands)

        assert caught.value.gap.kind is GapKind.SIGN_IN_REFUSED
        assert len(server.received) == 2


def test_a_read_that_was_not_permitted_is_tried_once_with_a_token_of_more_rights(
    tmp_path: Path, hands: Hands
) -> None:
    with ScriptedServer(tmp_path, http(403), http(200, b'{"a":1}')) as server:
        assert ask(server, hands, NumberedTokens(has_other_rights=True)) == {"a": 1}
        assert b"Authorization: Bearer token-2\r\n" in server.received[1]
    with ScriptedServer(tmp_path, http(403)) as server:
        with pytest.raises(SourceError) as caught:
            ask(server, hands, NumberedTokens(has_other_rights=True))
        assert caught.value.gap.kind is GapKind.NOT_PERMITTED
        assert len(server.received) == 2


@pytest.mark.parametrize(("status", "is_hinted"), [(403, True), (404, False)])
def test_rights_that_may_not_count_yet_are_told_where_a_read_was_not_permitted(
    tmp_path: Path, hands: Hands, status: int, is_hinted: bool
) -> None:
    tokens = NumberedTokens()
    tokens.stale_rights = Message("kept for a day")
    with ScriptedServer(tmp_path, http(status)) as server, pytest.raises(SourceError) as caught:
        ask(server, hands, tokens)
    assert caught.value.gap.message.endswith(" (kept for a day)") is is_hinted
    assert len(server.received) == 1


@pytest.mark.parametrize(
    ("right", "of_application", "of_person"),
    [
        (
            GraphQuestions(base="").user("svc").least_right,
            "Microsoft Graph application permission User.Read.All",
            "Microsoft Graph delegated permission User.Read.All",
        ),
        (
            LEAST_RIGHT,
            LEAST_RIGHT.of_application,
            LEAST_RIGHT.of_application.replace(
                "application role Exchange.ManageAsApp", "delegated permission Exchange.Manage"
            ),
        ),
    ],
)
def test_a_person_is_told_of_the_delegated_permission(
    tmp_path: Path, hands: Hands, right: LeastRight, of_application: str, of_person: str
) -> None:
    tokens = NumberedTokens()
    with ScriptedServer(tmp_path, http(403)) as server:
        for person, needed in ((None, of_application), ("reviewer@contoso.com", of_person)):
            tokens.person = person
            asked = service(server, hands, tokens)
            with pytest.raises(SourceError) as caught:
                asked.ask(call(server), right)
            asked.transport.close()
            assert caught.value.gap.missing_permission == needed


def test_an_error_inside_a_success_is_an_error(tmp_path: Path, hands: Hands) -> None:
    for body in (b'{"error": "no"}', b'{"@odata.error": {}, "value": []}'):
        with ScriptedServer(tmp_path, http(200, body)) as server, pytest.raises(SourceError) as caught:
            ask(server, hands)
        assert caught.value.gap.kind is GapKind.MALFORMED


def test_an_echoed_token_is_removed_from_records_and_messages(tmp_path: Path, hands: Hands) -> None:
    with ScriptedServer(tmp_path, http(200, b'{"you": "Bearer token-1"}')) as server:
        assert ask(server, hands) == {"you": "Bearer [removed]"}
    with ScriptedServer(tmp_path, http(403, b'{"error": "token-1"}')) as server:
        with pytest.raises(SourceError) as caught:
            ask(server, hands)
        assert caught.value.gap.message == "GET /x answered 403: [removed]"
        assert caught.value.gap.missing_permission == "R"


def test_pages_are_numbered_and_end_with_a_blank_or_absent_link(tmp_path: Path, hands: Hands) -> None:
    for last in ({}, {"@odata.nextLink": ""}, {"@odata.nextLink": "  "}, {"@odata.nextLink": None}):
        with ScriptedServer(tmp_path, b"") as server:
            link = f"{server.base}/v1.0/organization?$skiptoken=1"
            server.scripts = (page({"n": 1}, **{"@odata.nextLink": link}), page({"n": 2}, {"n": 3}, **last))

            pages, gap = collect_pages(server, hands)

        assert gap is None
        assert [(one.number, len(one.records)) for one in pages] == [(1, 1), (2, 2)]
        assert server.received[1].startswith(b"GET /v1.0/organization?$skiptoken=1 ")


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/v1.0/organization",
        "http://127.0.0.1/v1.0/organization",
        "https://127.0.0.1:1/v1.0/organization",
        "https://127.0.0.1/v1.0/organization",
        "/v1.0/organization?$skiptoken=1",
        "BASE@evil.example/v1.0/organization",
        "BASE\\@evil.example/v1.0/organization",
        "https://[",
    ],
)
def test_a_link_to_elsewhere_ends_the_reading(tmp_path: Path, hands: Hands, link: str) -> None:
    with ScriptedServer(tmp_path, b"") as server:
        server.scripts = (page({"n": 1}, **{"@odata.nextLink": link.replace("BASE", server.base)}),)

        pages, gap = collect_pages(server, hands)

        assert len(server.received) == 1
    assert len(pages) == 1
    assert gap is not None
    assert gap.kind is GapKind.INCOMPLETE
    assert "foreign host" in gap.message


@pytest.mark.parametrize(
    "link", ["/v1.0/me/messages", "/v1.0/users/../me", "/v1.0/organization", 7, ["x"], True]
)
def test_a_link_at_home_is_followed_only_to_another_page(tmp_path: Path, hands: Hands, link: object) -> None:
    with ScriptedServer(tmp_path, b"") as server:
        target = f"{server.base}{link}" if isinstance(link, str) else link
        server.scripts = (page({"n": 1}, **{"@odata.nextLink": target}),)

        pages, gap = collect_pages(server, hands)

        assert len(server.received) == 1
    assert len(pages) == 1
    assert gap is not None
    assert gap.kind is GapKind.INCOMPLETE


@pytest.mark.parametrize("later", [http(403), http(404), http(200, b"{}"), http(503), http(200, b"no json")])
def test_a_failure_after_the_first_page_is_incompleteness(tmp_path: Path, hands: Hands, later: bytes) -> None:
    with ScriptedServer(tmp_path, b"") as server:
        link = f"{server.base}/v1.0/organization?$skiptoken=1"
        server.scripts = (page({"n": 1}, **{"@odata.nextLink": link}), later)

        pages, gap = collect_pages(server, hands)

    assert len(pages) == 1
    assert gap is not None
    assert gap.kind is GapKind.INCOMPLETE
    assert "after page 1" in gap.message


def test_endless_paging_ends(tmp_path: Path, hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_module, "MOST_PAGES", 3)
    with ScriptedServer(tmp_path, b"") as server:
        server.scripts = tuple(
            page({"n": n}, **{"@odata.nextLink": f"{server.base}/v1.0/organization?$skiptoken={n}"})
            for n in range(10)
        )

        pages, gap = collect_pages(server, hands)

    assert len(pages) == 3
    assert gap is not None
    assert gap.kind is GapKind.INCOMPLETE


@pytest.mark.parametrize(
    "body", [b"{}", b'{"value": {}}', b'{"value": [1]}', b'{"value": null}', b'{"Value": []}']
)
def test_a_collection_without_a_list_of_objects_is_malformed(
    tmp_path: Path, hands: Hands, body: bytes
) -> None:
    with ScriptedServer(tmp_path, http(200, body)) as server:
        pages, gap = collect_pages(server, hands)

    assert pages == []
    assert gap is not None
    assert gap.kind is GapKind.MALFORMED


def test_a_warning_of_the_service_travels_with_its_page(tmp_path: Path, hands: Hands) -> None:
    with ScriptedServer(tmp_path, page({"n": 1}, warning="more")) as server:
        pages, _ = collect_pages(server, hands)

    assert [one.shortfall for one in pages] == ["more"]
