"""ENT-023 and ENT-024: how old the account's credentials are, and whether anybody uses it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from auditor.evaluate.findings import state_fingerprint
from auditor.model.evidence import Gap, GapKind
from tests.unit.evaluate.composed import NOW, REFUSED, findings, judge, read_of, told
from tests.unit.evaluate.composed_tenant import ACCOUNT_ID, USER, Tenant

if TYPE_CHECKING:
    from auditor.model.evidence import Evidence, Record

LONG_AGO = "2026-10-08T08:00:00.000Z, more than 45 days ago"
NOT_LICENSED = Gap(kind=GapKind.NOT_LICENSED, message="needs Entra ID P1")


def with_read(evidence: Evidence, dataset: str, *records: Record, gap: Gap | None = None) -> Evidence:
    return replace(evidence, reads=(*evidence.reads, read_of((dataset, ""), records, gap)))


@pytest.mark.parametrize(
    ("changed", "is_told"),
    [
        ("2026-11-22T08:00:00Z", False),
        ("2025-11-23T08:00:00Z", False),  # a year to the hour
        ("2025-11-22T08:00:00Z", True),
        (None, False),
        ("never", False),
    ],
)
def test_a_password_older_than_a_year_is_told(changed: str | None, is_told: bool) -> None:
    tenant = replace(Tenant(), user=({**USER, "lastPasswordChangeDateTime": changed},))
    assert told(judge(tenant.evidence()), "ENT-023") == ([("advisory", "medium")] if is_told else [])


@pytest.mark.parametrize(
    ("ends", "title"),
    [
        ("2026-11-22T08:00:00Z", "has ended"),
        ("2026-12-20T08:00:00Z", "ends soon"),
        ("2026-12-23T08:00:00Z", "ends soon"),  # thirty days
        ("2026-12-24T08:00:00Z", None),
        (None, None),
    ],
)
@pytest.mark.parametrize(("kind", "what"), [("passwordCredentials", "secret"), ("keyCredentials", "certificate")])
def test_a_credential_of_the_vendor_that_ends_is_told(
    kind: str, what: str, ends: str | None, title: str | None
) -> None:
    vendor = {"id": "vendor", kind: [{"keyId": "k1", "endDateTime": ends}]}
    found = findings(judge(with_read(Tenant().evidence(), "vendor_service_principal", vendor)), "ENT-023")
    found = [each for each in found if each.scope == "vendor application"]
    assert [(each.outcome, each.severity, each.entitlement) for each in found] == (
        [("advisory", "medium", "k1")] if title else []
    )
    assert all(title in each.title and what in each.title for each in found if title)


def credentials(*lives: tuple[str, str], kind: str = "passwordCredentials") -> list[tuple[str, str, str]]:
    made = [{"startDateTime": start, "endDateTime": end} for start, end in lives]
    evidence = with_read(Tenant().evidence(), "vendor_service_principal", {"id": "vendor", kind: made})
    found = findings(judge(evidence), "ENT-023")
    assert len({each.key for each in found}) == len(found)
    assert {each.outcome for each in found} <= {"advisory"}
    return [(each.scope, each.severity, each.actual) for each in found]


def test_a_secret_and_a_long_life_are_told_of_what_has_not_ended() -> None:
    year, longer = ("2026-10-01T00:00:00Z", "2027-10-01T00:00:00Z"), ("2026-10-01T00:00:00Z", "2028-10-01T00:00:00Z")
    assert [(scope, severity) for scope, severity, _ in credentials(year, longer)] == [
        ("kind of credential", "medium"),
        ("kind of credential", "medium"),
        ("lifetime", "low"),
    ]
    assert credentials(year, kind="keyCredentials") == []
    assert credentials(longer, kind="keyCredentials") == [("lifetime", "low", "it lives for 731 days")]
    assert [scope for scope, *_ in credentials(("2020-01-01T00:00:00Z", "2026-11-01T00:00:00Z"))] == [
        "vendor application"
    ]


def activity(**dates: str | None) -> Record:
    return {"id": ACCOUNT_ID, "signInActivity": dict(dates)}


@pytest.mark.parametrize(
    ("record", "severity", "words"),
    [
        (activity(lastSuccessfulSignInDateTime="2026-11-20T08:00:00Z"), None, ""),
        (activity(lastSuccessfulSignInDateTime="2026-10-09T08:00:00Z"), None, ""),  # 45 days
        (activity(lastSuccessfulSignInDateTime="2026-10-08T08:00:00Z"), "low", LONG_AGO),
        (
            activity(
                lastSignInDateTime="2025-01-01T08:00:00Z", lastNonInteractiveSignInDateTime="2026-11-20T08:00:00Z"
            ),
            None,
            "",
        ),
        (
            activity(
                lastSuccessfulSignInDateTime="2026-10-08T08:00:00Z", lastSignInDateTime="2026-11-20T08:00:00Z"
            ),
            "low",
            LONG_AGO,
        ),  # what came later was refused
        (activity(lastSuccessfulSignInDateTime=None), "low", "no successful sign-in"),
        ({"id": ACCOUNT_ID}, "low", "no successful sign-in"),
    ],
)
def test_an_account_that_nobody_uses_is_told(record: Record, severity: str | None, words: str) -> None:
    found = findings(judge(with_read(Tenant().evidence(), "sign_in_activity", record)), "ENT-024")
    assert [(each.outcome, each.severity) for each in found] == ([("advisory", severity)] if severity else [])
    assert all(words in each.actual for each in found)
    before = findings(judge(with_read(Tenant().evidence(), "sign_in_activity", record), kind="readiness"), "ENT-024")
    assert [(each.outcome, each.severity) for each in before] == ([("advisory", "info")] if severity else [])
    assert all(words in each.actual and "before the connection goes live" in each.actual for each in before)


def test_activity_that_the_licence_does_not_show_is_told_apart_from_none_and_from_refused() -> None:
    unlicensed = with_read(Tenant().evidence(), "sign_in_activity", gap=NOT_LICENSED)
    (finding,) = findings(judge(unlicensed), "ENT-024")
    assert (finding.outcome, finding.severity) == ("advisory", "info")
    assert "no licence" in finding.actual
    refused = with_read(Tenant().evidence(), "sign_in_activity", gap=REFUSED)
    assert [each for each in told(judge(refused), "ENT-024") if each[0] == "advisory"] == []


def test_a_day_later_the_same_is_told_so_that_nothing_counts_as_changed_and_no_waiver_is_void() -> None:
    idle = with_read(
        Tenant(user=({**USER, "lastPasswordChangeDateTime": "2025-01-01T08:00:00Z"},)).evidence(),
        "sign_in_activity",
        activity(lastSuccessfulSignInDateTime="2026-10-01T08:00:00Z"),
    )
    today, tomorrow = (
        {
            finding.check: state_fingerprint(finding)
            for finding in judge(idle, now=at).findings
            if finding.check in ("ENT-023", "ENT-024")
        }
        for at in (NOW, NOW + timedelta(days=1))
    )
    assert len(today) == 2
    assert today == tomorrow
