"""Directories larger than one answer: pages, ranges, limits, deep nesting. Never is anything short without a word."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeAlias

import pytest

from auditor.collect.directory.limits import DEFAULT_LIMITS
from auditor.evaluate.evaluate import evaluate
from auditor.model.directory_entry import record_to_entry
from auditor.model.distinguished_name import is_dn_within
from auditor.model.evidence import GapKind
from auditor.model.outcome import FindingOutcome, Outcome
from tests.unit.collect.directory import ber
from tests.unit.collect.directory.collecting import gap_of
from tests.unit.collect.directory.large_domain import (
    GROUPS,
    LARGE_ROOT_DSE,
    SERVICE,
    STAFF,
    large_domain,
    unit_dn,
)
from tests.unit.collect.directory.limited_directory import LimitedDirectory
from tests.unit.collect.directory.scripted_server import CONFIGURATION, HEAD, Request, ScriptedServer
from tests.unit.evaluate.composed import MATRIX, RUN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from auditor.model.evidence import Evidence
    from auditor.model.results import RequirementResult, Results
    from tests.unit.collect.directory.authority import Issued
    from tests.unit.collect.directory.collecting import Collect
    from tests.unit.collect.directory.scripted_server import Attributes

Audit: TypeAlias = "Callable[[LimitedDirectory], Evidence]"
Question: TypeAlias = "tuple[str, str]"  # dataset and subject
CHILD_DOMAIN = f"DC=child,{HEAD}"
REFERRED = {CHILD_DOMAIN: "ldap://child.corp.example.com"}


@pytest.fixture
def audit(collect: Collect, trusted: Issued) -> Audit:
    """Collect from a directory, as often as wanted."""

    def run(directory: LimitedDirectory) -> Evidence:
        with ScriptedServer(pem_file=trusted.pem_file, answer=directory, root_dse=LARGE_ROOT_DSE) as server:
            return collect(server.port, limits=DEFAULT_LIMITS, target_ous=(STAFF,), group_ous=(GROUPS,))

    return run


def judged(evidence: Evidence) -> Results:
    return evaluate([(evidence, MATRIX)], MATRIX, RUN)


def user_task(evidence: Evidence) -> RequirementResult:
    (row,) = (row for row in judged(evidence).connections[0].requirements if row.id == "M8")
    return row


def gaps(evidence: Evidence) -> set[Question]:
    return {(source.dataset, source.subject) for source in evidence.sources if source.gap}


def dns(evidence: Evidence, dataset: str, subject: str = "") -> list[str]:
    return [record_to_entry(record).dn for record in evidence.read(dataset, subject)]


def test_a_large_domain_is_read_in_full_and_judged_to_the_last_unit(audit: Audit) -> None:
    units, nested, names = 3500, 500, [f"HOST/server{number}.corp.example.com" for number in range(4000)]
    objects = large_domain(units=units, nested_groups=nested, mailing_lists=20, users=1200)
    objects[SERVICE] = {**objects[SERVICE], "servicePrincipalName": names}
    directory = LimitedDirectory(objects=objects, referred=REFERRED)
    evidence = audit(directory)
    assert gaps(evidence) == set()
    assert directory.largest_page == directory.page_size

    assert sorted(dns(evidence, "containers", STAFF)) == sorted(map(unit_dn, range(1, units + 1)))
    assert [source.pages for source in evidence.sources if source.dataset == "containers"] == [4, 1]
    assert len(evidence.read("inhabitants", STAFF).records) == 1200
    assert sorted(dns(evidence, "groups")) == sorted(dn for dn in objects if dn.endswith(f",{GROUPS}"))
    (account,) = map(record_to_entry, evidence.read("account"))
    assert list(account.texts("servicePrincipalName")) == names

    row = user_task(evidence)
    assert row.outcome is Outcome.PARTIAL
    assert f"does not reach {unit_dn(units)} (inheritance is blocked there)" in row.reason
    assert {path[:-1] for path in row.paths} == {("svc", *(f"nested {number}" for number in range(nested)))}


# The rest asks a small domain whose directory gives little at once, and interferes with one answer of it
SMALL = {"units": 23, "nested_groups": 12, "mailing_lists": 9, "users": 17}
LIMITS: dict[str, int | None] = {
    "time limit exceeded": 3,
    "size limit exceeded": 4,
    "referral": 10,
    "administrative limit exceeded": 11,
    "unavailable critical extension": 12,
    "busy": 51,
    "unavailable": 52,
    "unwilling to perform": 53,
    "operations error": 1,
    "connection closed": None,
}
# They tell what other reads have met: one object of each class, the accounts behind SIDs
ABOUT_OTHER_READS = frozenset({"class_vocabulary", "trustees"})


def small_directory(interfere: Callable[[int, Request, bytes], bytes] | None = None) -> LimitedDirectory:
    return LimitedDirectory(
        objects=large_domain(**SMALL), referred=REFERRED, page_size=5, value_range=4, interfere=interfere
    )


def striking(number: int, code: int | None) -> LimitedDirectory:
    """Return half of answer `number` with a result code, or close the connection there."""

    def interfere(at: int, request: Request, answer: bytes) -> bytes:
        if at != number:
            return answer
        return b"" if code is None else half(answer) + request.done(code)

    return small_directory(interfere)


def half(answer: bytes) -> bytes:
    """Return the first half of an answer's messages, without the result."""
    messages = [ber.tlv(tag, content) for tag, content in ber.parts(answer)]
    return b"".join(messages[: len(messages) // 2])


def contents(evidence: Evidence) -> dict[Question, list[str]]:
    return {
        (source.dataset, source.subject): sorted(json.dumps(record, sort_keys=True) for record in read)
        for source, read in evidence.reads
        if source.dataset != "host"  # holds the port, which differs from run to run
    }


def missing(results: Results) -> set[str]:
    rows = {f"{row.id} {row.scope}" for row in results.connections[0].requirements if row.outcome is Outcome.MISSING}
    return rows | {f.key for f in results.findings if f.outcome is FindingOutcome.MISSING}


def test_small_pages_and_ranges_change_nothing(audit: Audit) -> None:
    assert contents(audit(small_directory())) == contents(
        audit(LimitedDirectory(objects=large_domain(**SMALL), referred=REFERRED))
    )


@pytest.mark.parametrize(("limit", "code"), LIMITS.items(), ids=LIMITS.keys())
def test_wherever_a_limit_strikes_a_read_is_whole_or_has_a_gap(audit: Audit, limit: str, code: int | None) -> None:
    directory = small_directory()
    whole_evidence = audit(directory)
    whole, missing_anyway = contents(whole_evidence), missing(judged(whole_evidence))
    assert gaps(whole_evidence) == set()
    kinds = list(LIMITS)
    for number in range(kinds.index(limit), directory.answered, len(kinds)):  # together they strike everywhere
        evidence = audit(striking(number, code))
        found = contents(evidence)
        short = {
            question
            for question, records in whole.items()
            if question[0] not in ABOUT_OTHER_READS
            and evidence.read(*question).absence_is_proven
            and found[question] != records
        }
        assert short == set(), f"search {number}: {limit}"
        assert gaps(evidence), f"search {number}: {limit}"
        assert missing(judged(evidence)) <= missing_anyway, f"search {number}: {limit}"


def test_without_the_domains_sid_no_trustee_is_said_to_be_gone(audit: Audit) -> None:
    def interfere(_: int, request: Request, answer: bytes) -> bytes:
        is_the_domain = request.base == HEAD and "lockoutThreshold" in request.attributes
        return request.done(LIMITS["busy"] or 0) if is_the_domain else answer

    evidence = audit(small_directory(interfere))
    assert gap_of(evidence, "domain").kind is GapKind.INCOMPLETE
    assert not evidence.read("trustees").absence_is_proven
    assert not [finding for finding in judged(evidence).findings if finding.check == "AD-PRV-018"]


def _beside(objects: Mapping[str, Attributes], targets: Iterable[str]) -> list[str]:
    """Name every unit and container of the domain that is neither a target, nor in one, nor above one."""
    return sorted(
        dn
        for dn, attributes in objects.items()
        if {"organizationalUnit", "container"} & set(map(str, attributes["objectClass"]))
        and is_dn_within(dn, HEAD)
        and not is_dn_within(dn, CONFIGURATION)
        and not any(is_dn_within(dn, target) or is_dn_within(target, dn) for target in targets)
    )


@pytest.mark.parametrize(
    ("targets", "siblings", "most_searches"),
    [
        pytest.param((STAFF,), 0, 15, id="walked round one unit"),
        pytest.param((unit_dn(1000), unit_dn(2222)), 0, 4, id="swept, because much lies above the units"),
        pytest.param((STAFF,), 300, 6, id="swept, because much lies beside the unit"),
        pytest.param((unit_dn(5),), 300, 6, id="swept from the level with many siblings"),
    ],
)
def test_what_lies_beside_the_units_is_read_once_and_in_few_searches(
    collect: Collect, trusted: Issued, targets: tuple[str, ...], siblings: int, most_searches: int
) -> None:
    objects = large_domain(units=2500, nested_groups=3, mailing_lists=3, users=3)
    like = objects[GROUPS]
    objects |= {f"OU=branch {number},{HEAD}": like for number in range(siblings)}
    objects |= {f"OU=office,OU=branch {number},{HEAD}": like for number in range(siblings)}
    directory = LimitedDirectory(objects=objects)
    with ScriptedServer(pem_file=trusted.pem_file, answer=directory, root_dse=LARGE_ROOT_DSE) as server:
        evidence = collect(server.port, limits=DEFAULT_LIMITS, target_ous=targets)
    assert gaps(evidence) == set()
    # A real search ends where another naming context begins.
    found = [dn for dn in dns(evidence, "other_containers") if not is_dn_within(dn, CONFIGURATION)]
    assert sorted(found) == _beside(objects, targets)
    (source,) = (source for source in evidence.sources if source.dataset == "other_containers")
    assert source.pages <= most_searches
