"""Differences between two profiles."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

import pytest

from auditor.matrix.load import compare_profiles, known_profiles, load_matrix
from auditor.matrix.profile import EntraAccount, Requirement, Rules
from auditor.model.connection import ConnectionKind
from auditor.model.outcome import Severity

if TYPE_CHECKING:
    from auditor.matrix.profile import Profile

PROFILE = load_matrix("hybrid-exchange-online").profile
OTHERS = {
    "kind": ConnectionKind.HYBRID,
    "plane": "entra_account",
    "feature": "other",
    "documented": "other",
    "scope": "host",
    "basis": "derived",
    "clause": "other",
    "check": "EXO-005",
    "severity": Severity.INFO,
    "needs": EntraAccount(type="entra_account"),
}


def with_first(**changes: object) -> Profile:
    first, *rest = PROFILE.requirements
    return replace(PROFILE, requirements=(replace(first, **changes), *rest))  # type: ignore[arg-type]


def test_a_profile_does_not_differ_from_itself() -> None:
    for name in known_profiles():
        profile = load_matrix(name).profile
        assert compare_profiles(profile, profile) == ()


def test_every_field_of_a_requirement_is_compared() -> None:
    assert OTHERS.keys() == {each.name for each in fields(Requirement)} - {"id"}
    for name, value in OTHERS.items():
        (difference,) = compare_profiles(PROFILE, with_first(**{name: value}))
        assert (difference.row, difference.field) == ("M1", name)
        assert difference.right == str(value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("domain_admins_and_delegation", "any_of"),
        ("single_role_group", True),
        ("expected_scopes", ("openid",)),
        ("expected_role_group_members", ("00000000-0000-0000-0000-000000000001",)),
    ],
)
def test_every_rule_is_compared(name: str, value: object) -> None:
    other = replace(PROFILE, rules=replace(PROFILE.rules, **{name: value}))  # type: ignore[arg-type]
    (difference,) = compare_profiles(PROFILE, other)
    assert (difference.row, difference.field, difference.right) == ("rules", name, str(value))
    assert {each.name for each in fields(Rules)} == {
        "domain_admins_and_delegation",
        "single_role_group",
        "expected_scopes",
        "expected_role_group_members",
    }


def test_rows_on_one_side_only_are_told_in_both_directions() -> None:
    shorter = replace(PROFILE, requirements=PROFILE.requirements[1:])
    (gone,) = compare_profiles(PROFILE, shorter)
    (new,) = compare_profiles(shorter, PROFILE)
    assert (gone.row, gone.left, gone.right) == ("M1", PROFILE.requirements[0].documented, "")
    assert (new.row, new.left, new.right) == ("M1", "", PROFILE.requirements[0].documented)


def test_the_order_of_rows_is_no_difference() -> None:
    assert compare_profiles(PROFILE, replace(PROFILE, requirements=PROFILE.requirements[::-1])) == ()
