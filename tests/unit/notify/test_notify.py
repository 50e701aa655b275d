"""News through real servers: taken, refused, too slow, not trusted; and never a secret in what is said about it."""

from __future__ import annotations

import email
import email.policy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from auditor.model.notification import MailChannel, MailSecurity, WebhookChannel, WebhookForm, When
from auditor.model.sign_in import Secret, SecretReference
from auditor.notify.message import Message
from auditor.notify.send import Patience, send
from auditor.notify.webhook import MOST_CHARACTERS
from tests.unit.notify.servers import (
    PASSWORD,
    USER,
    Mailbox,
    Requests,
    Trust,
    body_of,
    free_port,
    mail_server,
    make_trust,
    silent_server,
    web_server,
)

if TYPE_CHECKING:
    from pathlib import Path

QUICK = Patience(answer_s=0.5, overall_s=1.5)
USUAL = Patience(answer_s=10, overall_s=20)
URL, MAIL_PASSWORD = SecretReference("env", "HOOK"), SecretReference("env", "SMTP_PASSWORD")
MESSAGE = Message(
    subject="Permissions of Prüfung GmbH: non compliant",
    summary="# Zusammenfassung\n\n* missing: ü\n",
    facts={"new": 2},
    when_cut="(cut: see the report)",
)


@pytest.fixture
def trust(tmp_path: Path) -> Trust:
    return make_trust(tmp_path)


def mail_channel(port: int, security: str, trust: Trust | None, **changed: Any) -> MailChannel:
    signs_in = security != "none"
    values: dict[str, Any] = {
        "place": "notifications[0]", "when": When.CHANGE, "server": "127.0.0.1", "port": port,
        "security": MailSecurity(security), "sender": "auditor@corp.example.com",
        "recipients": ("one@corp.example.com", "two@corp.example.com"),
        "username": USER if signs_in else None, "password": MAIL_PASSWORD if signs_in else None,
        "ca_file": str(trust.ca_file) if trust else None, **changed,
    }
    return MailChannel(**values)


def tell_mail(channel: MailChannel, *, password: str = PASSWORD, patience: Patience = USUAL) -> tuple[str, ...]:
    told = send([channel], {MAIL_PASSWORD: Secret(password.encode())}, MESSAGE, patience)
    assert "S3cret" not in str(told)
    return told


def tell_web(
    url: str, trust: Trust | None, *, form: str = "webhook", patience: Patience = USUAL, message: Message = MESSAGE
) -> tuple[str, ...]:
    channel = WebhookChannel(
        place="notifications[1]", when=When.CHANGE, form=WebhookForm(form), url=URL,
        ca_file=str(trust.ca_file) if trust else None,
    )
    told = send([channel], {URL: Secret(f"{url}\n".encode())}, message, patience)
    assert not any(secret in str(told) for secret in ("S3cret", "/hook", "sig="))
    return told


@pytest.mark.parametrize("security", ["tls", "starttls", "none"])
def test_mail_arrives_whole(trust: Trust, security: str) -> None:
    mailbox = Mailbox()
    with mail_server(mailbox, trust, security) as port:
        assert tell_mail(mail_channel(port, security, trust)) == ()
    ((recipients, content),) = mailbox.mails
    assert mailbox.was_upgraded == [security == "starttls"]
    assert recipients == ["one@corp.example.com", "two@corp.example.com"]
    mail = email.message_from_bytes(content, policy=email.policy.default)
    assert (mail["Subject"], mail["From"]) == (MESSAGE.subject, "auditor@corp.example.com")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"]
    assert mail["Message-ID"].endswith("@corp.example.com>")
    assert body_of(mail).replace("\r\n", "\n") == MESSAGE.summary  # type: ignore[arg-type]


def test_a_subject_cannot_add_headers(trust: Trust) -> None:
    mailbox = Mailbox()
    hostile = replace(MESSAGE, subject="verdict\r\nBcc: x@evil.example\n\nbody")
    with mail_server(mailbox, trust, "none") as port:
        assert send([mail_channel(port, "none", None)], {}, hostile, USUAL) == ()
    mail = email.message_from_bytes(mailbox.mails[0][1], policy=email.policy.default)
    assert mail["Bcc"] is None
    assert "x@evil.example" in mail["Subject"]


def test_a_mail_server_that_is_not_trusted_gets_neither_password_nor_mail(trust: Trust) -> None:
    for security in ("tls", "starttls"):
        mailbox = Mailbox()
        with mail_server(mailbox, trust, security) as port:
            (told,) = tell_mail(mail_channel(port, security, None))
        assert "certificate cannot be verified" in told
        assert mailbox.mails == []


def test_a_mail_server_without_starttls_gets_nothing(trust: Trust) -> None:
    mailbox = Mailbox()
    with mail_server(mailbox, trust, "none") as port:
        (told,) = tell_mail(mail_channel(port, "starttls", trust))
    assert "SMTPNotSupportedError" in told
    assert mailbox.mails == []


@pytest.mark.parametrize(
    ("mailbox", "password", "reason"),
    [
        (Mailbox(on_data=lambda: "552 S3cret of the server"), PASSWORD, "answered 552"),
        (Mailbox(on_data=lambda: "451 try again"), PASSWORD, "answered 451"),
        (Mailbox(refuses=frozenset({"one@corp.example.com"})), PASSWORD, "refused 1 of 2"),
        (
            Mailbox(refuses=frozenset({"one@corp.example.com", "two@corp.example.com"})),
            PASSWORD,
            "refused every recipient",
        ),
        (Mailbox(), "S3cret-that-is-wrong", "answered 535"),
    ],
)
def test_a_refusing_mail_server_is_told(trust: Trust, mailbox: Mailbox, password: str, reason: str) -> None:
    with mail_server(mailbox, trust, "starttls") as port:
        (told,) = tell_mail(mail_channel(port, "starttls", trust), password=password)
    assert told.startswith("notifications[0]: not told: ")
    assert reason in told


def test_nobody_at_the_port_is_told(trust: Trust) -> None:
    port = free_port()
    (told,) = tell_mail(mail_channel(port, "none", None))
    assert "ConnectionRefusedError" in told
    (told,) = tell_web(f"https://127.0.0.1:{port}/hook", trust)
    assert "the connection failed" in told


def test_a_slow_server_is_given_up(trust: Trust) -> None:
    with silent_server() as port:
        for security in ("none", "starttls", "tls"):
            (told,) = tell_mail(mail_channel(port, security, trust), patience=QUICK)
            assert "no answer in time" in told
        (told,) = tell_web(f"https://127.0.0.1:{port}/hook", trust, patience=QUICK)
        assert "no answer in time" in told
    with web_server(Requests(delay_s=3), trust) as url:
        (told,) = tell_web(url, trust, patience=QUICK)
        assert "no answer in time" in told
    with web_server(Requests(drips=True), trust) as url:
        (told,) = tell_web(url, trust, patience=Patience(answer_s=0.5, overall_s=0.8))
        assert "no end in sight" in told


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_a_webhook_gets_the_facts_and_the_summary(trust: Trust, status: int) -> None:
    got = Requests(status=status)
    with web_server(got, trust) as url:
        assert tell_web(url, trust) == ()
    assert got.bodies == [{"new": 2, "subject": MESSAGE.subject, "summary": MESSAGE.summary}]
    assert got.paths == ["/hook?sig=S3cret-of-the-hook"]


def test_teams_gets_a_card_that_it_takes(trust: Trust) -> None:
    got = Requests(status=202)
    long = replace(MESSAGE, summary="ü" * 40_000)
    with web_server(got, trust) as url:
        assert tell_web(url, trust, form="teams") == ()
        assert tell_web(url, trust, form="teams", message=long) == ()
    card = got.bodies[0]["attachments"][0]
    assert got.bodies[0]["type"] == "message"
    assert card["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert [each["text"] for each in card["content"]["body"]] == [MESSAGE.subject, MESSAGE.summary]
    cut = got.bodies[1]["attachments"][0]["content"]["body"][1]["text"]
    assert len(cut) < MOST_CHARACTERS + 50
    assert cut.endswith("see the report)")


@pytest.mark.parametrize("status", [301, 307, 400, 403, 404, 429, 500, 503])
def test_a_refusing_webhook_is_told_and_nothing_follows_it_elsewhere(trust: Trust, status: int) -> None:
    elsewhere = Requests()
    with web_server(elsewhere, trust) as other:
        got = Requests(status=status, headers={"Location": other})
        with web_server(got, trust) as url:
            (told,) = tell_web(url, trust)
    assert told == f"notifications[1]: not told: the server answered {status}"
    assert elsewhere.bodies == []


def test_a_webhook_that_is_not_trusted_gets_nothing(trust: Trust) -> None:
    got = Requests()
    with web_server(got, trust) as url:
        (told,) = tell_web(url, None)
    assert "certificate cannot be verified" in told
    assert got.bodies == []


def test_one_failing_channel_holds_up_no_other(trust: Trust) -> None:
    mailbox = Mailbox()
    with mail_server(mailbox, trust, "none") as port, silent_server() as silent:
        stuck = WebhookChannel(place="n[0]", when=When.CHANGE, form=WebhookForm.TEAMS, url=URL)
        lost = WebhookChannel(place="n[1]", when=When.CHANGE, form=WebhookForm.TEAMS, url=SecretReference("env", "NO"))
        address = Secret(f"https://127.0.0.1:{silent}/hook".encode())
        told = send([stuck, lost, mail_channel(port, "none", None)], {URL: address}, MESSAGE, QUICK)
    assert [each.partition(":")[0] for each in told] == ["n[0]", "n[1]"]
    assert "a bug of the tool (KeyError)" in told[1]
    assert len(mailbox.mails) == 1
