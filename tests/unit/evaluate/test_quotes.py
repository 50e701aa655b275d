"""What findings quote: the entry that decides in SDDL and in words, the assignment as it was read. Composed data."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

import pytest

from auditor.acl import AccessMask, GuidKind, well_known_guid
from auditor.evaluate.directory.user_task import USER_CLASS
from auditor.evaluate.quotes import ACES_QUOTED, LONGEST_QUOTE, RECORDS_QUOTED, quote_aces, quote_records
from auditor.model.outcome import FindingOutcome, Severity
from auditor.model.results import EvidenceReference, Finding, Remediation
from tests.unit.evaluate.composed import judge, told
from tests.unit.evaluate.composed_directory import (
    ACCOUNT,
    CONTAINER_INHERIT,
    DELEGATES,
    INHERIT_ONLY,
    INHERITED,
    READABLE,
    STAFF,
    ace,
    user_task,
)
from tests.unit.evaluate.composed_rights import target

if TYPE_CHECKING:
    from auditor.model.evidence import Evidence

RESET = well_known_guid("User-Force-Change-Password", GuidKind.EXTENDED_RIGHT)
DENIAL = ace(
    AccessMask.CONTROL_ACCESS, DELEGATES,
    ace_type=1, object_type=RESET, inherited=USER_CLASS, flags=CONTAINER_INHERIT | INHERIT_ONLY,
)  # fmt: skip
PRINCIPAL = "11111111-2222-3333-4444-555555555555"
ROLE = "fe930be7-5e62-47db-91af-98c3a49a38b1"


def finding(*evidence: EvidenceReference, entitlement: str = "M4") -> Finding:
    return Finding(
        key="KEY", check="ENT-001", connection="contoso", outcome=FindingOutcome.PARTIAL, severity=Severity.HIGH,
        principal=PRINCIPAL, entitlement=entitlement, scope="", title="", documented="", actual="", why="",
        remediation=Remediation(text=""), evidence=evidence,
    )


class Recorded:
    """Evidence of a tenant: reads by (dataset, subject)."""

    def __init__(self, **reads: list[dict[str, object]]) -> None:
        self._reads = reads

    def read(self, dataset: str, subject: str = "") -> list[dict[str, object]]:
        known = {name.partition("__")[0]: name.partition("__")[2] for name in self._reads}
        is_asked = subject == (PRINCIPAL if known.get(dataset) == "of_principal" else "")
        return next((rows for name, rows in self._reads.items() if name.partition("__")[0] == dataset and is_asked), [])


def quoted(one: Finding, **reads: list[dict[str, object]]) -> list[str]:
    return [each.quote for each in quote_records(one, cast("Evidence", Recorded(**reads))).evidence]


def test_the_entries_that_grant_and_deny_the_task_are_quoted_with_words() -> None:
    grants = user_task(DELEGATES)
    (requirement,) = (
        each
        for each in judge(target(READABLE, DENIAL, *grants).evidence()).connections[0].requirements
        if each.id == "M8"
    )
    quotes = [each for each in requirement.evidence if each.quote]
    assert quotes[0].quote.startswith("(OD;CIIO;CR;00299570-246d-11d0-a768-00aa006e0529;")
    assert quotes[0].words.startswith("ACE 1 denies ")
    assert "extended right (User-Force-Change-Password) of user objects below" in quotes[0].words
    assert {each.record for each in quotes} == {STAFF}
    assert all(each.quote.endswith(f"{DELEGATES})") for each in quotes)
    assert any(each.words.startswith("ACE 2 allows ") for each in quotes)


def test_a_delegation_to_the_account_itself_quotes_its_entries() -> None:
    results = judge(target(READABLE, *user_task(ACCOUNT)).evidence())
    (found,) = (each for each in results.findings if each.check == "AD-DEL-020")
    assert told(results, "AD-DEL-020")
    assert [each.words[:5] for each in found.evidence if each.quote] == ["ACE 1", "ACE 2"]


def test_entries_are_quoted_once_and_few() -> None:
    many = [(index, ace(AccessMask.WRITE_PROPERTY, DELEGATES, flags=INHERITED), "H2R") for index in range(20)]
    assert len(quote_aces("target_ou", STAFF, [*many, *many])) == ACES_QUOTED
    (one,) = quote_aces("target_ou", STAFF, [many[0], many[0]])
    assert one.words == "ACE 0 allows H2R write property, inherited"


@pytest.mark.parametrize(
    ("ace_type", "words"), [(9, "allows H2R, under a condition,"), (10, "denies H2R, under a condition,")]
)
def test_a_condition_is_told(ace_type: int, words: str) -> None:
    (one,) = quote_aces("target_ou", STAFF, [(3, ace(AccessMask.WRITE_PROPERTY, DELEGATES, ace_type=ace_type), "H2R")])
    assert words in one.words


def test_the_assignment_of_the_role_is_quoted_and_no_other() -> None:
    rows = [{"id": "1", "roleDefinitionId": "other"}, {"id": "2", "roleDefinitionId": ROLE, "roleDefinition": {"a": 1}}]
    reference = EvidenceReference(dataset="role_assignments", record=PRINCIPAL)
    (quote,) = quoted(finding(reference, entitlement=ROLE), role_assignments__of_principal=rows)
    assert json.loads(quote) == {"id": "2", "roleDefinitionId": ROLE}


def test_without_a_role_every_assignment_is_quoted_up_to_a_few() -> None:
    rows: list[dict[str, object]] = [{"id": str(number)} for number in range(9)]
    reference = EvidenceReference(dataset="role_assignments", record=PRINCIPAL)
    assert len(quoted(finding(reference), role_assignments__of_principal=rows)) == RECORDS_QUOTED


def test_the_exchange_assignment_is_quoted_by_its_name() -> None:
    wanted = {"Name": "B", "Role": "Other", "App": None, "Guid@data.type": "x"}
    rows = [{"Name": "A", "Role": "Mail Recipients"}, wanted]
    reference = EvidenceReference(dataset="management_role_assignments", record="b")
    assert quoted(finding(reference), management_role_assignments=rows) == ['{"Name": "B", "Role": "Other"}']


def test_what_names_nothing_quotes_nothing() -> None:
    reference = EvidenceReference(dataset="management_role_assignments")
    assert quoted(finding(reference), management_role_assignments=[{"Name": ""}, {"Name": None}, {}]) == [""]
    assert quoted(finding(EvidenceReference(dataset="user")), user=[{"id": "M4"}]) == [""]


def test_a_long_record_is_cut_and_says_so() -> None:
    rows: list[dict[str, object]] = [{"Name": "A", "Text": "x" * 5000}]
    (quote,) = quoted(
        finding(EvidenceReference(dataset="management_role_assignments", record="A")), management_role_assignments=rows
    )
    assert len(quote) == LONGEST_QUOTE
    assert quote.endswith("characters, all of them in the evidence]")
