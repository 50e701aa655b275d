"""The transport against a server that misbehaves in prepared ways."""

from __future__ import annotations

import gzip
import time
from typing import TYPE_CHECKING

import pytest

from auditor.collect.https.allow_list import AllowList, ForbiddenRequest
from auditor.collect.https.answers import RETRIED_STATUSES, Answer, ErrorReport, fail
from auditor.collect.https.transport import Call, Pace, Transport, TransportLimits
from auditor.errors import SourceError
from auditor.model.connection import Endpoints
from auditor.model.evidence import Gap, GapKind
from tests.microsoft365.certificates import issue_server_identity
from tests.unit.collect.https.scripted_server import ScriptedServer, http, pieces

if TYPE_CHECKING:
    import ssl
    from pathlib import Path

    from tests.unit.collect.https.conftest import Hands

WITHOUT_WAITING = Pace(sleep=lambda _: None)


def transport(server: ScriptedServer, limits: TransportLimits, *, ca_file: str | None = None) -> Transport:
    endpoints = Endpoints(login=server.base, graph=server.base, exchange=server.base)
    allow_list = AllowList(endpoints=endpoints, regional_hosts=False)
    return Transport(allow_list, ca_file=ca_file or str(server.ca_file), limits=limits)


def accept(answer: Answer) -> Answer:
    if answer.status_code != 200:
        fail(answer, ErrorReport(code="", message=""), call="call", missing_permission=None)
    return answer


def ask(server: ScriptedServer, limits: TransportLimits, **options: str) -> Answer:
    sender = transport(server, limits, **options)
    try:
        return sender.ask(Call(name="call", method="GET", url=f"{server.base}/v1.0/organization"), accept)
    finally:
        sender.close()


def gap_of(server: ScriptedServer, limits: TransportLimits, **options: str) -> Gap:
    with pytest.raises(SourceError) as caught:
        ask(server, limits, **options)
    return caught.value.gap


@pytest.mark.parametrize("status", sorted(RETRIED_STATUSES))
def test_passing_faults_are_retried_with_growing_jittered_waits(
    tmp_path: Path, hands: Hands, status: int
) -> None:
    with ScriptedServer(tmp_path, http(status), http(status), http(status), http(200, b'{"a":1}')) as server:
        assert ask(server, TransportLimits(pace=hands.pace)).body == b'{"a":1}'

        assert len(server.received) == 4
    assert hands.ceilings == [1, 2, 4]


def test_retries_end(tmp_path: Path, hands: Hands) -> None:
    with ScriptedServer(tmp_path, http(503)) as server:
        assert gap_of(server, TransportLimits(pace=hands.pace)).kind is GapKind.UNREACHABLE

        assert len(server.received) == 4


def test_other_failures_are_final_at_once(tmp_path: Path, hands: Hands) -> None:
    with ScriptedServer(tmp_path, http(400)) as server:
        assert gap_of(server, TransportLimits(pace=hands.pace)).kind is GapKind.MALFORMED

        assert len(server.received) == 1


@pytest.mark.parametrize(
    ("retry_after", "wait_s"),
    [
        ("7", 7),
        ("0", 0),
        ("86400", 120),
        ("Mon, 23 Nov 2026 08:00:30 GMT", 30),
        ("Mon, 23 Nov 2026 07:00:00 GMT", 0),
        ("Mon, 23 Nov 2026 23:00:00 -0000", 120),
        ("soon", 1),
        ("Mon, 23 Nov 99999999999999999999 08:00:00 GMT", 1),
        ("Mon, 23 Nov 2026 08:00:00 +99999999999999", 1),
        ("9" * 400, 120),
        ("-5", 1),
        ("\u00b2", 1),
    ],
)
def test_retry_after_is_obeyed_within_reason(
    tmp_path: Path, hands: Hands, retry_after: str, wait_s: float
) -> None:
    with ScriptedServer(tmp_path, http(429, Retry_After=retry_after), http(200)) as server:
        ask(server, TransportLimits(pace=hands.pace))

    assert hands.waits == ([wait_s] if wait_s else [])


@pytest.mark.parametrize("date", ["", "soon", "Mon, 23 Nov 2026 08:00:00 +99999999999999", "1 Jan 0 0:0:9999999999999"])
def test_a_date_that_is_none_tells_no_time(tmp_path: Path, hands: Hands, date: str) -> None:
    with ScriptedServer(tmp_path, http(200, Date=date)) as server:
        assert ask(server, TransportLimits(pace=hands.pace)).status_code == 200


def test_a_call_gives_up_when_waiting_would_outlast_its_deadline(tmp_path: Path, hands: Hands) -> None:
    with ScriptedServer(tmp_path, http(429, Retry_After="100")) as server:
        gap = gap_of(server, TransportLimits(pace=hands.pace, attempts=99))

        assert gap.kind is GapKind.THROTTLED
        assert hands.waits == [100, 100]
        assert len(server.received) == 3


def test_after_the_deadline_of_the_connection_nothing_is_sent(tmp_path: Path, hands: Hands) -> None:
    with ScriptedServer(tmp_path, http(200)) as server:
        sender = transport(server, TransportLimits(pace=hands.pace, connection_deadline_s=60))
        hands.seconds = 60
        with pytest.raises(SourceError) as caught:
            sender.ask(Call(name="call", method="GET", url=f"{server.base}/v1.0/organization"), accept)
        sender.close()

        assert caught.value.gap.kind is GapKind.TIMED_OUT
        assert server.received == []


def test_an_answer_that_drips_meets_the_deadline(tmp_path: Path) -> None:
    drops = pieces(
        [b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", *[b"x"] * 40], lambda: time.sleep(0.05)
    )
    with ScriptedServer(tmp_path, drops) as server:
        limits = TransportLimits(read_timeout_s=5, call_deadline_s=0.3)
        started = time.monotonic()

        assert gap_of(server, limits).kind is GapKind.TIMED_OUT

        assert time.monotonic() - started < 1.5


def test_an_answer_in_chunks_arrives_whole(tmp_path: Path) -> None:
    parts = [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b'3\r\n{"a\r\n',
        b'4\r\n":1}\r\n',
        b"0\r\n\r\n",
    ]
    with ScriptedServer(tmp_path, pieces(parts, lambda: None)) as server:
        assert ask(server, TransportLimits()).body == b'{"a":1}'


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
    ],
    ids=["length", "chunk", "chunk size", "gzip"],
)
def test_a_damaged_body_is_asked_for_again_and_then_malformed(
    tmp_path: Path, hands: Hands, head: bytes
) -> None:
    with ScriptedServer(tmp_path, head) as server:
        assert gap_of(server, TransportLimits(pace=hands.pace)).kind is GapKind.MALFORMED

        assert len(server.received) == 4


@pytest.mark.parametrize("script", [b"", b"no http\r\n\r\n"], ids=["closed", "noise"])
def test_a_broken_connection_is_unreachable(tmp_path: Path, hands: Hands, script: bytes) -> None:
    with ScriptedServer(tmp_path, script) as server:
        assert gap_of(server, TransportLimits(pace=hands.pace)).kind is GapKind.UNREACHABLE

        assert len(server.received) == 4


def test_silence_is_a_timeout(tmp_path: Path) -> None:
    def silence(connection: ssl.SSLSocket) -> None:
        connection.recv(1)

    with ScriptedServer(tmp_path, silence) as server:
        limits = TransportLimits(read_timeout_s=0.2, attempts=2, pace=WITHOUT_WAITING)
        assert gap_of(server, limits).kind is GapKind.TIMED_OUT

        assert len(server.received) == 2


def test_an_address_where_nobody_listens_is_unreachable(tmp_path: Path, hands: Hands) -> None:
    with ScriptedServer(tmp_path, b"") as server:
        pass

    assert gap_of(server, TransportLimits(pace=hands.pace)).kind is GapKind.UNREACHABLE


@pytest.mark.parametrize("body", [b"x" * 2000, gzip.compress(b"x" * 1_000_000)], ids=["plain", "gzip"])
def test_an_answer_beyond_the_cap_is_refused_without_a_retry(tmp_path: Path, body: bytes) -> None:
    encoding = "identity" if body.startswith(b"x") else "gzip"
    with ScriptedServer(tmp_path, http(200, body, Content_Encoding=encoding)) as server:
        gap = gap_of(server, TransportLimits(largest_answer_bytes=1000, pace=WITHOUT_WAITING))

        assert gap.kind is GapKind.MALFORMED
        assert "more than" in gap.message
        assert len(server.received) == 1


def test_a_compressed_answer_is_understood(tmp_path: Path) -> None:
    with ScriptedServer(tmp_path, http(200, gzip.compress(b'{"a":1}'), Content_Encoding="gzip")) as server:
        assert ask(server, TransportLimits()).body == b'{"a":1}'


@pytest.mark.parametrize("location", ["/v1.0/users/x", "http://[", "https://evil.example/", "\x00", "::"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed_wherever_they_lead(tmp_path: Path, status: int, location: str) -> None:
    with ScriptedServer(tmp_path, http(status, b"x" * 100, Location=location)) as server:
        assert gap_of(server, TransportLimits()).kind is GapKind.MALFORMED

        assert len(server.received) == 1


def test_a_server_that_cannot_be_verified_is_not_asked(
    tmp_path: Path, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other").mkdir()
    stranger = tmp_path / "other" / "authority.pem"
    stranger.write_text(issue_server_identity().authority)
    with ScriptedServer(tmp_path, http(200)) as server:
        # what the environment trusts does not replace what the operator configured
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(server.ca_file))

        gap = gap_of(server, TransportLimits(pace=hands.pace), ca_file=str(stranger))

        assert gap.kind is GapKind.UNTRUSTED
        assert server.received == []
    assert hands.waits == []


def test_a_missing_ca_file_is_a_gap(tmp_path: Path) -> None:
    with ScriptedServer(tmp_path, http(200)) as server:
        gap = gap_of(server, TransportLimits(), ca_file=str(tmp_path / "absent.pem"))

    assert gap.kind is GapKind.UNTRUSTED


def test_credentials_of_the_users_netrc_are_not_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with ScriptedServer(tmp_path, http(200)) as server:
        ask(server, TransportLimits())

        assert b"authorization" not in server.received[0].lower()


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/v1.0/me"), ("DELETE", "/v1.0/organization"), ("POST", "/x")]
)
def test_what_is_not_allowed_stops_before_the_wire(tmp_path: Path, method: str, path: str) -> None:
    with ScriptedServer(tmp_path, http(200)) as server:
        sender = transport(server, TransportLimits())
        with pytest.raises(ForbiddenRequest):
            sender.ask(Call(name="call", method=method, url=f"{server.base}{path}"), accept)
        sender.close()

        assert server.received == []
