"""Runs that tell their news: on change, whatever happens to the channels, and when they fail."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from auditor.history.manifest import verify_run
from tests.unit.cli.estate import COMPLIANT, DEVIATING, OPEN, record
from tests.unit.notify.servers import Mailbox, Requests, Trust, free_port, mail_server, make_trust, web_server

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.cli.estate import Auditor, Finished


@pytest.fixture
def trust(tmp_path: Path) -> Trust:
    return make_trust(tmp_path)


def run(
    auditor: Auditor, folder: Path, day: int, notifications: list[dict[str, Any]], *options: str, **systems: Any
) -> Finished:
    inventory = record(folder / f"estate-{day}", **{name: each.evidence() for name, each in systems.items()})
    content = json.loads(inventory.read_text())
    inventory.write_text(json.dumps({**content, "notifications": notifications}))
    now = f"2026-11-{day:02}T08:00:00Z"
    return auditor("run", "-c", inventory, "-o", folder / "runs", "-f", "json", "--now", now, *options)


def hook(trust: Trust, **more: str) -> dict[str, Any]:
    return {"kind": "webhook", "url": "env:HOOK", "ca_file": str(trust.ca_file), **more}


def test_only_changes_are_told_unless_all_is_wanted(
    auditor: Auditor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, trust: Trust
) -> None:
    changes, everything = Requests(), Requests()
    days = [COMPLIANT, COMPLIANT, DEVIATING, DEVIATING, COMPLIANT]
    told = []
    with web_server(changes, trust) as url, web_server(everything, trust) as other:
        monkeypatch.setenv("HOOK", url)
        monkeypatch.setenv("OTHER", other)
        for day, system in enumerate(days, start=1):
            notifications = [hook(trust), hook(trust, when="always", url="env:OTHER")]
            finished = run(auditor, tmp_path, day, notifications, corp=system)
            assert "not told" not in finished.err
            told.append(len(changes.bodies))
    assert told == [1, 1, 2, 2, 3]
    assert len(everything.bodies) == len(days)
    first, worse, better = changes.bodies
    assert (first["verdict"], first["baseline_run"]) == ("compliant", None)
    assert (worse["verdict"], worse["exit_code"]) == ("non_compliant", 1)
    assert worse["new"] > 0
    assert better["resolved"] == worse["new"]
    assert "S3cret" not in str(changes.bodies)
    assert worse["summary"].startswith("# ")
    assert "Contoso" in worse["subject"]
    assert worse["entitlement_differences"] > 0
    assert f"{worse['entitlement_differences']} entitlements differ" in worse["subject"]
    assert worse["summary"].partition("\n## ")[2].startswith("Since the last run\n")


def test_what_stays_unverifiable_is_told_once(
    auditor: Auditor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, trust: Trust
) -> None:
    got = Requests()
    with web_server(got, trust) as url:
        monkeypatch.setenv("HOOK", url)
        for day in (1, 2, 3):
            run(auditor, tmp_path, day, [hook(trust)], contoso=OPEN)
    assert [each["verdict"] for each in got.bodies] == ["inconclusive"]


def test_mail_holds_the_summary(auditor: Auditor, tmp_path: Path, trust: Trust) -> None:
    mailbox = Mailbox()
    with mail_server(mailbox, trust, "starttls") as port:
        mail = {
            "kind": "mail", "server": "127.0.0.1", "port": port, "ca_file": str(trust.ca_file),
            "sender": "auditor@corp.example.com", "recipients": ["security@corp.example.com"],
        }
        finished = run(auditor, tmp_path, 1, [mail], corp=DEVIATING)
        (tmp_path / "wrong.pem").write_text("nothing")
        wrong = run(auditor, tmp_path / "more", 1, [{**mail, "ca_file": str(tmp_path / "wrong.pem")}], corp=DEVIATING)
    assert (finished.code, wrong.code) == (1, 2)
    ((recipients, content),) = mailbox.mails
    assert recipients == ["security@corp.example.com"]
    assert b"Decides the verdict" in content


def test_news_are_told_in_the_language_of_the_report(
    auditor: Auditor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, trust: Trust
) -> None:
    got = Requests()
    with web_server(got, trust) as url:
        monkeypatch.setenv("HOOK", url)
        for day, system in enumerate([COMPLIANT, DEVIATING], start=1):
            run(auditor, tmp_path, day, [hook(trust)], "--language", "de", corp=system)
        (tmp_path / "more").mkdir()
        (tmp_path / "more" / "runs").touch()
        run(auditor, tmp_path / "more", 1, [hook(trust)], "--language", "de", corp=COMPLIANT)
    first, worse, failed = got.bodies
    assert first["subject"].endswith(": konform, erster Lauf")
    assert worse["subject"].startswith("Hire2Retire-Berechtigungen von ")
    assert f": nicht konform, {worse['new']} neu, {worse['resolved']} behoben, " in worse["subject"]
    assert "Nicht konform" in worse["summary"]
    assert "Not compliant" not in worse["summary"]
    assert worse["verdict"] == "non_compliant"
    assert failed["subject"].endswith("Die Prüfung selbst ist gescheitert")
    assert failed["summary"].startswith("Nichts wurde geprüft: ")


@pytest.mark.parametrize("trouble", ["refused", "failing"])
def test_a_channel_that_fails_costs_neither_the_run_nor_its_exit_code(
    auditor: Auditor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, trust: Trust, trouble: str
) -> None:
    got = Requests(status=500)
    with web_server(got, trust) as url:
        address = url if trouble == "failing" else f"https://127.0.0.1:{free_port()}/S3cret-of-the-hook"
        monkeypatch.setenv("HOOK", address)
        finished = run(auditor, tmp_path, 1, [hook(trust)], corp=DEVIATING)
    assert finished.code == 1
    assert verify_run(finished.folder) == ()
    assert "notifications[0]: not told: " in finished.err
    assert finished.last_line.startswith("auditor: non_compliant; ")
    assert "S3cret" not in finished.out + finished.err


@pytest.mark.parametrize("what", ["failure", "bug"])
def test_a_run_that_fails_is_told_to_all(
    auditor: Auditor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, trust: Trust, what: str
) -> None:
    got = Requests()
    (tmp_path / "runs").touch() if what == "failure" else monkeypatch.setattr(
        "auditor.concluded_run.conclude_run", lambda *_: {}["S3cret"]
    )
    with web_server(got, trust) as url:
        monkeypatch.setenv("HOOK", url)
        finished = run(auditor, tmp_path, 1, [hook(trust)], corp=COMPLIANT)
    assert finished.code == 4
    (body,) = got.bodies
    assert (body["verdict"], body["exit_code"]) == (None, 4)
    assert "the review itself failed" in body["subject"]
    assert ("cannot be written" if what == "failure" else "KeyError") in body["summary"]
    assert "S3cret" not in body["summary"]


def test_a_redacted_run_that_fails_is_told_without_names(
    auditor: Auditor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, trust: Trust
) -> None:
    got = Requests()
    (tmp_path / "runs").touch()
    with web_server(got, trust) as url:
        monkeypatch.setenv("HOOK", url)
        finished = run(auditor, tmp_path, 1, [hook(trust)], "--redact", corp=COMPLIANT)
    assert finished.code == 4
    (body,) = got.bodies
    assert "redacted" in body["subject"]
    assert "Contoso" not in str(body)
    assert str(tmp_path) not in str(body)


WRONG = [
    ({"kind": "webhook"}, "url", "is missing"),
    ({"kind": "pager", "url": "env:HOOK"}, "kind", ""),
    ({"kind": "teams", "url": "https://teams.example.com/S3cret"}, "url", "reference to a secret"),
    ({"kind": "webhook", "url": "env:HOOK", "wen": "always"}, "wen", "did you mean"),
    ({"kind": "webhook", "url": "env:NOWHERE"}, "url", "is not set"),
    ({"kind": "webhook", "url": "env:PLAIN_HTTP"}, "url", "holds no https address"),
    ({"kind": "mail", "server": "mail.example.com", "sender": "a@b.example", "recipients": []}, "recipients", ""),
    ({"kind": "mail", "server": "m.example", "sender": "a@b.example", "recipients": ["me"]}, "recipients", "address"),
    (
        {"kind": "mail", "server": "m.example", "sender": "a@b.c", "recipients": ["a@b.c"], "username": "a"},
        "notifications[0]", "a username or a password",
    ),
    (
        {"kind": "mail", "server": "m.example", "sender": "a@b.c", "recipients": ["a@b.c"], "username": "a",
         "password": "env:HOOK", "security": "none"},
        "notifications[0]", "in the clear",
    ),
]


@pytest.mark.parametrize(("notification", "place", "message"), WRONG)
def test_a_wrong_notification_is_refused_before_anything_is_contacted(
    auditor: Auditor,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    notification: dict[str, Any],
    place: str,
    message: str,
) -> None:
    monkeypatch.setenv("HOOK", "https://127.0.0.1:1/S3cret")
    monkeypatch.setenv("PLAIN_HTTP", "http://127.0.0.1:1/S3cret")
    finished = run(auditor, tmp_path, 1, [notification], corp=COMPLIANT)
    assert (finished.code, finished.out) == (2, "")
    assert place in finished.err
    assert message in finished.err
    assert "S3cret" not in finished.err
    assert not (tmp_path / "runs").exists()


def test_a_collection_alone_needs_no_secret_of_a_channel(auditor: Auditor, tmp_path: Path, trust: Trust) -> None:
    inventory = record(tmp_path, corp=COMPLIANT.evidence())
    content = json.loads(inventory.read_text())
    inventory.write_text(json.dumps({**content, "notifications": [hook(trust, url="env:NOWHERE")]}))
    assert auditor("collect", "-c", inventory, "-o", tmp_path / "runs").code == 0
