"""Fourteen runs over a composed estate that changes, one a day: the drift is right every day."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from auditor.history.manifest import verify_run
from auditor.model.evidence import Gap, GapKind
from tests.unit.cli.estate import record
from tests.unit.evaluate.composed_directory import (
    DOMAIN,
    GROUPS,
    HOST,
    READABLE,
    STAFF,
    TRUSTED_HOST,
    Container,
    Directory,
    descriptor,
    group,
    service_account,
)
from tests.unit.evaluate.composed_tenant import Tenant

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.unit.cli.estate import Auditor, Finished
    from tests.unit.evaluate.composed import Question

SECOND_HOST = "10.1.0.11"
PAYROLL = f"{DOMAIN}-1777"
UNREACHABLE = Gap(kind=GapKind.UNREACHABLE, message="refused")
NOT_ATTEMPTED = Gap(kind=GapKind.NOT_ATTEMPTED, message="no host answers")
ONE_HOST_LOST: Mapping[Question, Gap] = {("host", SECOND_HOST): UNREACHABLE}
NOTHING_READ: Mapping[Question, Gap] = {
    **{("host", host): UNREACHABLE for host in (HOST, SECOND_HOST)},
    **{
        (dataset, ""): NOT_ATTEMPTED
        for dataset in (
            "domain",
            "auditing_identity",
            "account",
            "well_known_memberships",
            "token_groups",
            "groups",
            "tier_zero",
            "trustees",
        )
    },
    **{(dataset, STAFF): NOT_ATTEMPTED for dataset in ("target_ou", "containers")},
    ("ancestors", ""): NOT_ATTEMPTED,
}


def estate(*, payroll: bool = False, delegated: bool = True, gaps: Mapping[Question, Gap] | None = None) -> Directory:
    """Return the documented shape, perhaps with a group more, a delegation less, or unread."""
    plain = Directory(
        hosts={HOST: TRUSTED_HOST, SECOND_HOST: {**TRUSTED_HOST, "host": SECOND_HOST}}, gaps=gaps or {}
    ).connect(hosts=(HOST, SECOND_HOST))
    names = ["Domain Admins", "H2R Delegates"]
    if payroll:
        names.append("Payroll")
        plain = replace(plain, groups=(*GROUPS, group("Payroll", PAYROLL)), token=(*plain.token, PAYROLL))
    if not delegated:
        plain = replace(plain, ous={STAFF: Container(raw=descriptor(READABLE))})
    return replace(plain, accounts=(service_account(*names),))


AS_DOCUMENTED, WITH_PAYROLL = estate(), estate(payroll=True)
BOTH = estate(payroll=True, delegated=False)
TASK = ("create child objects and delete child objects (user)", "full control of user objects below")
OPEN = "AD-COL-001 AD-COL-001 AD-COL-002 AD-COL-002 AD-DEL-001 AD-GRP-001"


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What a directory is on a day and what its run says: the checks of findings by how they differ."""

    directory: Directory
    verdict: str
    new: str = ""
    resolved: str = ""
    changed: str = ""
    not_comparable: str = ""
    entitlements: tuple[str, ...] = ()
    waived: int = 0


# On day 6 the group is accepted until the end of day 9.
DAYS = [
    Day(directory=AS_DOCUMENTED, verdict="compliant"),
    Day(directory=AS_DOCUMENTED, verdict="compliant"),
    Day(directory=WITH_PAYROLL, verdict="non_compliant", new="AD-GRP-005", entitlements=("new Payroll",)),
    Day(
        directory=BOTH,
        verdict="non_compliant",
        # The group that carried the delegation is documented no longer, and Domain Admins could not be left.
        new="AD-DEL-001 AD-GRP-002 AD-GRP-005 AD-PRV-020",
        entitlements=(*(f"resolved {right}" for right in TASK), "changed H2R Delegates"),
    ),
    Day(directory=BOTH, verdict="non_compliant"),
    Day(
        directory=WITH_PAYROLL,
        verdict="non_compliant",
        resolved="AD-DEL-001 AD-GRP-002 AD-GRP-005 AD-PRV-020",
        entitlements=(*(f"new {right}" for right in TASK), "changed H2R Delegates"),
    ),
    Day(directory=WITH_PAYROLL, verdict="compliant", new="AD-GOV-003", waived=1),
    Day(
        directory=estate(payroll=True, gaps=ONE_HOST_LOST),
        verdict="inconclusive",
        not_comparable="AD-COL-001 AD-COL-002",
        waived=1,
    ),
    Day(directory=WITH_PAYROLL, verdict="compliant", not_comparable="AD-COL-001 AD-COL-002", waived=1),
    Day(directory=WITH_PAYROLL, verdict="compliant", waived=1),
    Day(directory=WITH_PAYROLL, verdict="non_compliant", changed="AD-GOV-003"),
    Day(
        directory=estate(payroll=True, gaps=NOTHING_READ),
        verdict="inconclusive",
        not_comparable=f"{OPEN} AD-GRP-003 AD-GRP-005",
        entitlements=tuple(
            f"not_comparable {name}"
            for name in ("Administrators", "Domain Admins", "Domain Users", "H2R Delegates", "Payroll", "Users", *TASK)
        ),
    ),
    # The group went while nobody could look: that is never told as resolved.
    Day(
        directory=AS_DOCUMENTED,
        verdict="compliant",
        not_comparable=f"{OPEN} AD-GRP-003",
        entitlements=tuple(
            f"not_comparable {name}"
            for name in ("Administrators", "Domain Admins", "Domain Users", "H2R Delegates", "Users", *TASK)
        ),
    ),
    Day(directory=AS_DOCUMENTED, verdict="compliant"),
]


def instant(day: int, hour: int = 6) -> str:
    """Return the instant of a day's run."""
    return f"2026-11-{day + 2:02}T{hour:02}:00:00Z"


def run_day(auditor: Auditor, folder: Path, day: int, *options: str | Path, formats: str = "json") -> Finished:
    inventory = record(folder / f"day-{day}", corp=DAYS[day].directory.evidence(), contoso=Tenant().evidence())
    arguments = ("-c", inventory, "-o", folder / "runs", "-f", formats, "--now", instant(day), "--fail-on", "low")
    return auditor("run", *arguments, *options)


def accept(auditor: Auditor, waivers: Path, finished: Finished, check: str, day: int, last_day: int) -> None:
    """Write a waiver for the one finding of a check."""
    (key,) = [each["key"] for each in finished.results["findings"] if each["check"] == check]
    options = ("--reason", "cut-over", "--owner", "o@x", "--approved-by", "a@x", "--expires", instant(last_day)[:10])
    added = auditor(
        "waivers", "add", waivers, "--run", finished.folder, "--finding", key, *options, "--now", instant(day)
    )
    assert added.code == 0, added.err


def checks(keys: list[str]) -> str:
    """Return the checks of keys, in the order of the alphabet."""
    return " ".join(sorted(key.rpartition("-")[0] for key in keys))


def test_the_drift_is_right_every_day(auditor: Auditor, tmp_path: Path) -> None:
    waivers = tmp_path / "waivers.yaml"
    first_seen: dict[str, str] = {}
    last: Finished | None = None
    for number, day in enumerate(DAYS):
        if number == 6 and last is not None:
            accept(auditor, waivers, last, "AD-GRP-005", number, 9)
        options = ("--waivers", waivers) if waivers.exists() else ()
        finished = run_day(auditor, tmp_path, number, *options)
        results, place = finished.results, f"day {number}"
        drift = results["drift"]
        assert results["summary"]["verdict"] == day.verdict, place
        assert results["summary"]["counts"]["waived"] == day.waived, place
        assert drift["baseline_run"] == (last.results["run"]["id"] if last else None), place
        for state in ("new", "resolved", "changed", "not_comparable"):
            assert checks(drift[state]) == getattr(day, state), f"{place}: {state}"
        told = [each for each in drift["entries"] if each["subject"] == "entitlement"]
        assert tuple(f"{each['state']} {each['title']}" for each in told) == day.entitlements, place
        assert [each["run"] for each in results["trend"]] == runs_before(last), place
        unannounced = [each["title"] for each in results["findings"] if each["check"] == "AD-GOV-004"]
        assert len(unannounced) == (len(TASK) if number in (3, 5) else 0), place
        _check_findings(results, first_seen, is_first=last is None)
        assert verify_run(finished.folder) == ()
        last = finished
    assert last is not None
    listed = json.loads(auditor("history", "list", "-o", tmp_path / "runs", "--json").out)
    assert [each["evaluated_at"][:10] for each in listed] == [instant(day)[:10] for day in range(13, -1, -1)]


def runs_before(last: Finished | None) -> list[str]:
    """Return the runs that a trend must hold after `last`."""
    return [*(each["run"] for each in last.results["trend"]), last.results["run"]["id"]] if last else []


def _check_findings(results: dict[str, Any], first_seen: dict[str, str], *, is_first: bool) -> None:
    """Check that findings and drift say the same, and that a finding keeps the instant it was first seen."""
    drift, now = results["drift"], results["run"]["evaluated_at"]
    for state in ("new", "changed"):
        assert set(drift[state]) == {each["key"] for each in results["findings"] if each["drift"] == state}
    keys = {each["key"] for each in results["findings"]}
    for key in first_seen.keys() - keys:
        del first_seen[key]
    for each in results["findings"]:
        assert each["first_seen"] == first_seen.setdefault(each["key"], now)
        persists = each["key"] not in {*drift["new"], *drift["changed"], *drift["not_comparable"]}
        persists = persists and each["check"] != "AD-GOV-004"  # which is about the comparison itself
        assert (each["drift"] == "persisting") == (persists and not is_first)


def test_a_replay_with_the_same_baseline_is_byte_identical(auditor: Auditor, tmp_path: Path) -> None:
    for day in range(3):
        last = run_day(auditor, tmp_path, day)
    earlier = next(each for each in sorted((tmp_path / "runs").iterdir()) if each.name.startswith("20261103"))
    inventory = tmp_path / "day-2" / "inventory.json"
    options = ("-f", "json", "--now", instant(2), "--fail-on", "low")
    in_place = auditor("run", "-c", inventory, "-o", tmp_path / "runs", *options)
    assert in_place.folder.name == f"{last.folder.name}.2"
    assert (in_place.folder / "results.json").read_bytes() == (last.folder / "results.json").read_bytes()
    named = [
        auditor("run", "-c", inventory, "-o", tmp_path / name, *options, "--baseline", earlier).folder / "results.json"
        for name in "ab"
    ]
    assert named[0].read_bytes() == named[1].read_bytes()
    drift = json.loads(named[0].read_bytes())["drift"]
    assert drift == last.results["drift"]


def test_a_clock_moved_back_compares_with_nothing_later_and_says_so(auditor: Auditor, tmp_path: Path) -> None:
    run_day(auditor, tmp_path, 3)
    finished = run_day(auditor, tmp_path, 1)
    assert finished.results["drift"]["baseline_run"] is None
    assert "1 runs" in finished.err
    assert "later than this one" in finished.err


def test_an_altered_earlier_run_is_passed_over_and_told(auditor: Auditor, tmp_path: Path) -> None:
    first, second = (run_day(auditor, tmp_path, day) for day in (1, 2))
    path = second.folder / "results.json"
    path.write_text(path.read_text(encoding="utf-8").replace("Payroll", "Nothing"), encoding="utf-8")
    third = run_day(auditor, tmp_path, 3)
    assert third.results["drift"]["baseline_run"] == first.results["run"]["id"]
    (told,) = [each for each in third.results["findings"] if each["check"] == "META-008"]
    assert (told["outcome"], told["entitlement"], told["drift"]) == ("advisory", second.folder.name, None)
    refused = run_day(auditor, tmp_path / "again", 3, "--baseline", second.folder)
    assert (refused.code, refused.out) == (2, "")
    assert "not as manifest.json records it" in refused.err


def test_html_tells_the_changes_first(auditor: Auditor, tmp_path: Path) -> None:
    for day in range(3):
        last = run_day(auditor, tmp_path, day, formats="json,html")
    html = (last.folder / "report.html").read_text(encoding="utf-8")
    main = html[html.index("<main") :]
    assert main.index('id="changes"') < main.index('id="summary"')
    assert "chart-trend" in main
    assert "Payroll" in main[: main.index('id="summary"')]
