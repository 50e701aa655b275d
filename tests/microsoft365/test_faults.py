"""Each fault shows on the wire as the thing it stands for, as often as it was told to."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.microsoft365 import catalog
from tests.microsoft365.faults import Fault, FaultKind, Match
from tests.microsoft365.scenarios import exact
from tests.microsoft365.wire import System

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.microsoft365.caller import Caller

GRAPH = Match(system=System.GRAPH, path="/v1.0/organization")
EXCHANGE = Match(system=System.EXCHANGE, cmdlet="Get-RoleGroup")


def ask(caller: Caller, system: System) -> requests.Response:
    """Send the call the matches above are for."""
    return caller.graph("/v1.0/organization") if system is System.GRAPH else caller.exchange("Get-RoleGroup")


def strike(caller: Caller, kind: FaultKind, match: Match = GRAPH, **options: Any) -> requests.Response:
    """Put a fault in force and run into it."""
    ask(caller, match.system)  # signs in
    caller.service.faults.add(Fault(match=match, kind=kind, **options))
    return ask(caller, match.system)


def _graph_error(response: requests.Response) -> str:
    code: str = response.json()["error"]["code"]
    return code


WHOLE_ANSWERS: list[tuple[FaultKind, Match, int, Callable[[requests.Response], bool]]] = [
    (FaultKind.UNAUTHORIZED, GRAPH, 401, lambda r: _graph_error(r) == "InvalidAuthenticationToken"),
    (FaultKind.UNAUTHORIZED, EXCHANGE, 401, lambda r: r.content == b""),
    (FaultKind.FORBIDDEN, GRAPH, 403, lambda r: _graph_error(r) == "Authorization_RequestDenied"),
    (FaultKind.FORBIDDEN, EXCHANGE, 403, lambda r: set(r.content) == {0}),
    (FaultKind.NOT_FOUND, GRAPH, 404, lambda r: _graph_error(r) == "Request_ResourceNotFound"),
    (FaultKind.NOT_FOUND, EXCHANGE, 404, lambda r: "ManagementObjectNotFoundException" in r.text),
    (FaultKind.THROTTLED, GRAPH, 429, lambda r: _graph_error(r) == "TooManyRequests"),
    (FaultKind.THROTTLED, EXCHANGE, 429, lambda r: "Retry-After" not in r.headers),
    (FaultKind.SERVER_ERROR, GRAPH, 500, lambda r: _graph_error(r) == "InternalServerError"),
    (FaultKind.BAD_GATEWAY, EXCHANGE, 502, lambda r: r.headers["Content-Type"] == "text/plain"),
    (FaultKind.UNAVAILABLE, GRAPH, 503, lambda r: _graph_error(r) == "ServiceUnavailable"),
    (FaultKind.GATEWAY_TIMEOUT, EXCHANGE, 504, lambda r: bool(r.text)),
    (FaultKind.TRANSIENT_CMDLET_ERROR, EXCHANGE, 400, lambda r: "ServerBusyException" in r.text),
    (FaultKind.EMBEDDED_ERROR, EXCHANGE, 200, lambda r: r.json().keys() == {"@odata.error"}),
    (FaultKind.HTML, GRAPH, 200, lambda r: r.text.startswith("<!DOCTYPE html>")),
    (FaultKind.EMPTY_BODY, EXCHANGE, 200, lambda r: r.content == b""),
    (FaultKind.NO_PREMIUM_2_LICENCE, GRAPH, 400, lambda r: _graph_error(r) == "AadPremiumLicenseRequired"),
    (FaultKind.NO_PREMIUM_TENANT, GRAPH, 403, lambda r: "NonPremiumTenant" in _graph_error(r)),
    (
        FaultKind.BLANK_NEXT_LINK,
        EXCHANGE,
        200,
        lambda r: r.json()["@odata.nextLink"] == "" and bool(r.json()["value"]),
    ),
    (
        FaultKind.MORE_RESULTS_WARNING,
        EXCHANGE,
        200,
        lambda r: "more results" in r.json()["@adminapi.warnings"][0],
    ),
]


@pytest.mark.parametrize(
    ("kind", "match", "status", "shows"),
    WHOLE_ANSWERS,
    ids=[f"{kind} at {m.system}" for kind, m, _, _ in WHOLE_ANSWERS],
)
def test_a_fault_shows_on_the_wire(
    caller: Caller, kind: FaultKind, match: Match, status: int, shows: Callable[[requests.Response], bool]
) -> None:
    response = strike(caller, kind, match)
    assert response.status_code == status
    assert shows(response)
    assert caller.service.requests[-1].status == status


@pytest.mark.parametrize("kind", [FaultKind.THROTTLED, FaultKind.UNAVAILABLE])
@pytest.mark.parametrize("match", [GRAPH, EXCHANGE], ids=["graph", "exchange"])
def test_a_waiting_time_is_given_when_asked_for(caller: Caller, kind: FaultKind, match: Match) -> None:
    assert strike(caller, kind, match, retry_after="7").headers["Retry-After"] == "7"


@pytest.mark.parametrize("match", [GRAPH, EXCHANGE], ids=["graph", "exchange"])
def test_truncated_json_has_an_honest_length_and_no_end(caller: Caller, match: Match) -> None:
    response = strike(caller, FaultKind.TRUNCATED_JSON, match)
    assert len(response.content) == int(response.headers["Content-Length"])
    with pytest.raises(json.JSONDecodeError):
        response.json()


def test_a_body_can_end_before_its_announced_length(caller: Caller) -> None:
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        strike(caller, FaultKind.DROPPED_MID_BODY)


def test_a_connection_can_be_reset(caller: Caller) -> None:
    with pytest.raises(requests.exceptions.ConnectionError):
        strike(caller, FaultKind.CONNECTION_RESET)
    assert caller.service.requests[-1].status is None
    # below TLS the caller sees the reset itself, which Python's ssl may report as an end of file
    caller.service.faults.add(Fault(match=Match(system=System.FOREIGN), kind=FaultKind.CONNECTION_RESET))
    with pytest.raises(requests.exceptions.ConnectionError, match="reset by peer"):
        caller.session.get(caller.service.foreign_plain, timeout=10)


def test_a_hanging_call_ends_with_its_time(caller: Caller) -> None:
    started = time.monotonic()
    with pytest.raises(requests.exceptions.ConnectionError):
        strike(caller, FaultKind.HANG, seconds=0.3)
    assert 0.3 <= time.monotonic() - started < 5


def test_a_hanging_call_does_not_hold_up_the_end_of_the_service(caller: Caller) -> None:
    ask(caller, System.GRAPH)
    caller.service.faults.add(Fault(match=GRAPH, kind=FaultKind.HANG, seconds=600))
    with pytest.raises(requests.exceptions.ReadTimeout):
        caller.session.get(
            f"{caller.service.endpoints.graph}/v1.0/organization",
            headers=caller.authorization(caller.service.endpoints.graph),
            timeout=0.2,
        )
    started = time.monotonic()
    caller.service.__exit__(None, None, None)
    assert time.monotonic() - started < 5


def test_an_oversized_body_can_be_abandoned(caller: Caller) -> None:
    ask(caller, System.GRAPH)
    caller.service.faults.add(Fault(match=GRAPH, kind=FaultKind.OVERSIZED_BODY, megabytes=4))
    url = f"{caller.service.endpoints.graph}/v1.0/organization"
    headers = caller.authorization(caller.service.endpoints.graph)
    with caller.session.get(url, headers=headers, stream=True, timeout=10) as response:
        assert "Content-Length" not in response.headers
        assert sum(len(chunk) for chunk in response.iter_content(1 << 16)) > 4 << 20
    with caller.session.get(url, headers=headers, stream=True, timeout=10) as response:
        assert next(response.iter_content(1 << 16))
    caller.service.faults.clear()
    assert ask(caller, System.GRAPH).status_code == 200


def test_a_page_token_can_expire_while_the_first_page_is_fine(serve: Any) -> None:
    caller = serve(exact().tenant, exchange_page_size=3)
    first = strike(caller, FaultKind.EXPIRED_PAGE, EXCHANGE)
    assert first.status_code == 200
    later = caller.exchange("Get-RoleGroup", url=first.json()["@odata.nextLink"])
    assert (later.status_code, later.headers["Content-Type"]) == (400, "text/plain")
    assert "Expired" in later.text


@pytest.mark.parametrize("match", [GRAPH, EXCHANGE], ids=["graph", "exchange"])
def test_a_next_link_can_lead_elsewhere_and_a_visit_there_is_noticed(caller: Caller, match: Match) -> None:
    link = strike(caller, FaultKind.FOREIGN_NEXT_LINK, match).json()["@odata.nextLink"]
    assert link.startswith(caller.service.foreign)
    caller.session.get(link, headers={"Authorization": "Bearer leaked"}, timeout=10)
    visit = caller.service.requests[-1]
    assert (visit.system, visit.carried_authorization) == (System.FOREIGN, True)


@pytest.mark.parametrize("match", [GRAPH, EXCHANGE], ids=["graph", "exchange"])
def test_a_redirect_can_lead_to_another_host_or_to_plain_http(caller: Caller, match: Match) -> None:
    foreign = strike(caller, FaultKind.REDIRECT_TO_FOREIGN_HOST, match)
    assert foreign.status_code == 302
    assert foreign.headers["Location"].startswith(f"{caller.service.foreign}/")
    caller.service.faults.clear()
    plain = strike(caller, FaultKind.REDIRECT_TO_PLAIN_HTTP, match).headers["Location"]
    assert plain.startswith("http://127.0.0.1:")
    caller.session.get(plain, timeout=10)
    assert caller.service.requests[-1].system is System.FOREIGN


def test_sign_in_can_be_struck_too(caller: Caller) -> None:
    for kind, status in ((FaultKind.THROTTLED, 429), (FaultKind.SERVER_ERROR, 500)):
        caller.service.faults.clear()
        caller.service.faults.add(Fault(match=Match(system=System.LOGIN), kind=kind))
        assert caller.session.get(caller.service.endpoints.login, timeout=10).status_code == status


def test_a_transient_fault_spares_and_strikes_as_often_as_told(caller: Caller) -> None:
    ask(caller, System.EXCHANGE)
    caller.service.faults.add(Fault(match=EXCHANGE, kind=FaultKind.UNAVAILABLE, skip=1, times=2))
    assert [ask(caller, System.EXCHANGE).status_code for _ in range(5)] == [200, 503, 503, 200, 200]


def test_faults_of_one_call_follow_each_other(caller: Caller) -> None:
    ask(caller, System.EXCHANGE)
    caller.service.faults.add(Fault(match=EXCHANGE, kind=FaultKind.THROTTLED, times=1))
    caller.service.faults.add(Fault(match=EXCHANGE, kind=FaultKind.UNAVAILABLE, times=1))
    assert [ask(caller, System.EXCHANGE).status_code for _ in range(3)] == [429, 503, 200]


def test_a_fault_strikes_only_what_it_matches(caller: Caller) -> None:
    only = Match(system=System.EXCHANGE, cmdlet="Get-RoleGroupMember", identity="Help Desk")
    caller.service.faults.add(Fault(match=only, kind=FaultKind.FORBIDDEN))
    assert caller.exchange("Get-RoleGroupMember", Identity="Help Desk").status_code == 403
    assert caller.exchange("Get-RoleGroupMember", Identity=catalog.ORGANIZATION_MANAGEMENT).status_code == 200
    assert caller.exchange("Get-RoleGroup", Identity="Help Desk").status_code == 200
    assert caller.graph("/v1.0/organization").status_code == 200


def test_every_kind_of_fault_is_tested() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    assert [kind.name for kind in FaultKind if not re.search(rf"FaultKind\.{kind.name}\b", source)] == []
