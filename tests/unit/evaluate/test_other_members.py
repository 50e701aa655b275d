"""EXO-018: who else is in the product's role group, through a group of Entra ID."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from auditor.evaluate.findings import state_fingerprint
from tests.unit.evaluate.composed import REFUSED, findings, judge, read_of
from tests.unit.evaluate.composed_tenant import ACCOUNT_ID, GROUP_ID, ROLE_GROUP, Tenant, member

if TYPE_CHECKING:
    from auditor.model.evidence import Gap, Record
    from auditor.model.results import Finding

GROUP = {"@odata.type": "#microsoft.graph.group", "id": GROUP_ID, "displayName": "Staff", "isAssignableToRole": None}
ACCOUNT = {"@odata.type": "#microsoft.graph.user", "id": ACCOUNT_ID}
OTHER = {"@odata.type": "#microsoft.graph.user", "id": "33333333-0000-0000-0000-000000000003"}
NESTED = {"@odata.type": "#microsoft.graph.group", "id": "22222222-0000-0000-0000-000000000002"}


def told(*members: Record, gap: Gap | None = None) -> list[Finding]:
    """Judge a role group whose one member is a group with these members."""
    through = member(GROUP_ID, kind="MailUniversalSecurityGroup", name="Staff")
    tenant = Tenant(members={ROLE_GROUP: (through,)}, member_of=(GROUP,), of_account=())
    evidence = tenant.evidence()
    reads = (*evidence.reads, read_of(("group_members", GROUP_ID), members, gap))
    return findings(judge(replace(evidence, reads=reads)), "EXO-018")


@pytest.mark.parametrize("members", [(ACCOUNT,), (ACCOUNT, NESTED)], ids=["alone", "in a nested group"])
def test_the_account_alone_is_nobody_else(members: tuple[Record, ...]) -> None:
    assert told(*members) == []


def test_another_member_is_an_excess() -> None:
    (finding,) = told(ACCOUNT, OTHER)
    assert (finding.outcome, finding.actual.partition(" (digest ")[0]) == ("excess", "1 in the group Staff")


def test_another_person_in_its_place_is_another_state() -> None:
    states = [
        state_fingerprint(told(ACCOUNT, {**OTHER, "id": person})[0])
        for person in (OTHER["id"], OTHER["id"], "44444444-0000-0000-0000-000000000004")
    ]
    assert states[0] == states[1] != states[2]


def test_members_that_were_not_read_are_neither_there_nor_not() -> None:
    (finding,) = told(ACCOUNT, gap=REFUSED)
    assert finding.outcome == "unverifiable"
    assert "not all read" in finding.actual
    assert ("group_members", GROUP_ID) in [(each.dataset, each.record) for each in finding.evidence]


def test_a_member_that_was_read_is_an_excess_whoever_else_there_may_be() -> None:
    (finding,) = told(OTHER, gap=REFUSED)
    assert (finding.outcome, "1 in the group Staff" in finding.actual) == ("excess", True)
    assert "not all read" in finding.actual
