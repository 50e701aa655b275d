"""Profiles: what the loader accepts, and every problem it names at once."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest

from auditor.catalogue import CATALOGUE, Check
from auditor.errors import InvalidInput
from auditor.matrix.exchange_defaults import EXCHANGE_DEFAULTS
from auditor.matrix.load import DEFAULT_PROFILE, PROFILES, known_profiles, load_matrix, load_profile_file
from auditor.matrix.profile import ExchangeRole, leaves
from auditor.model.connection import ConnectionKind
from auditor.model.outcome import Severity
from tests.unit.matrix.profiles import default_profile, requirement, write_profile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def problems_of(path: Path) -> list[str]:
    with pytest.raises(InvalidInput) as refused:
        load_profile_file(path)
    return [str(problem) for problem in refused.value.problems]


def test_the_default_comes_first_and_every_known_profile_loads() -> None:
    assert known_profiles()[0] == DEFAULT_PROFILE
    for name in known_profiles():
        loaded = load_matrix(name)
        assert loaded.profile.id == name
        content = (PROFILES / f"{name}.yaml").read_bytes()
        assert (loaded.content, loaded.sha256) == (content, hashlib.sha256(content).hexdigest())
        assert loaded.reference.sha256 == loaded.sha256


def test_the_roles_that_copies_are_compared_with_are_those_of_the_profiles() -> None:
    profiles = (load_matrix(name).profile for name in known_profiles())
    needs = {leaf for profile in profiles for each in profile.requirements for leaf in leaves(each.needs)}
    roles = {leaf.name: leaf.role_type for leaf in needs if isinstance(leaf, ExchangeRole)}
    assert roles == EXCHANGE_DEFAULTS.compared_role_types


def test_the_default_profile_is_the_page() -> None:
    profile = load_matrix(DEFAULT_PROFILE).profile
    assert [each.id for each in profile.requirements] == [f"M{number}" for number in range(1, 10)]
    assert {each.severity for each in profile.requirements} <= {"critical", "high"}  # missing decides by default
    assert profile.rules.domain_admins_and_delegation == "all_of"
    assert profile.rules.single_role_group is False
    assert profile.rules.expected_scopes is None
    assert [each.id for each in profile.of_kind(ConnectionKind.HYBRID)] == ["M7", "M8", "M9"]
    m2 = next(each for each in profile.requirements if each.id == "M2")
    assert [leaf.type for leaf in leaves(m2.needs)] == ["entra_role", "exchange_role"]


def test_every_requirement_of_every_profile_names_a_check() -> None:
    checks = {each.check for name in known_profiles() for each in load_matrix(name).profile.requirements}
    assert checks <= CATALOGUE.keys()


def test_a_profile_of_the_user_s_own_is_loaded_by_path(tmp_path: Path) -> None:
    own = default_profile() | {"id": "mine"}
    path = write_profile(tmp_path / "mine.json", own)
    assert load_matrix(str(path)).profile.id == "mine"


@pytest.mark.parametrize(
    "reference", ["hybrid-exchange-onlin", "", "../hybrid-exchange-online", "hybrid-exchange-online.exe"]
)
def test_an_unknown_profile_is_refused_with_the_known_ones(reference: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        load_matrix(reference)
    assert DEFAULT_PROFILE in str(refused.value)


def test_a_mistyped_profile_gets_a_suggestion() -> None:
    with pytest.raises(InvalidInput, match="hybrid-exchange-online"):
        load_matrix("hybrid-exchange-onlin")


@pytest.mark.parametrize("name", ["missing.yaml", "folder.yaml"])
def test_a_file_that_cannot_be_read_is_bad_input(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.yaml").mkdir()
    with pytest.raises(InvalidInput):
        load_matrix(str(tmp_path / name))


def _no_requirements(profile: dict[str, Any]) -> None:
    profile["requirements"] = []


def _twice(profile: dict[str, Any]) -> None:
    profile["requirements"].append(profile["requirements"][0])


def _unknown_check(profile: dict[str, Any]) -> None:
    requirement(profile, "M1")["check"] = "EXO-0002"


def _wrong_kind(profile: dict[str, Any]) -> None:
    requirement(profile, "M7")["kind"] = "exchange_online"


def _wrong_scope(profile: dict[str, Any]) -> None:
    requirement(profile, "M8")["scope"] = "account"


def _nothing_needed(profile: dict[str, Any]) -> None:
    requirement(profile, "M2")["needs"] = {"type": "any_of", "parts": []}


def _combined_scopes(profile: dict[str, Any]) -> None:
    parts = [requirement(profile, each)["needs"] for each in ("M7", "M8")]
    requirement(profile, "M7")["needs"] = {"type": "all_of", "parts": parts}


def _unknown_key(profile: dict[str, Any]) -> None:
    requirement(profile, "M7")["sevrity"] = "low"


def _unknown_need(profile: dict[str, Any]) -> None:
    requirement(profile, "M7")["needs"] = {"type": "ad_gruop", "name": "x", "rid": 1}


def _unknown_rule(profile: dict[str, Any]) -> None:
    profile["rules"] = {"domain_admins_and_delegation": "both"}


def _unknown_severity(profile: dict[str, Any]) -> None:
    requirement(profile, "M7")["severity"] = "urgent"


@pytest.mark.parametrize(
    ("break_it", "place", "words"),
    [
        (_no_requirements, "requirements", "nothing compared is no pass"),
        (_twice, "requirements.9.id", "M1 is used twice"),
        (_unknown_check, "requirements.0.check", "is no known check"),
        (_wrong_kind, "requirements.6.kind", "belongs to hybrid"),
        (_wrong_scope, "requirements.7.scope", "write scope: target_ou"),
        (_nothing_needed, "requirements.1.needs", "combines nothing"),
        (_combined_scopes, "requirements.6.needs", "rules.domain_admins_and_delegation"),
        (_unknown_key, "requirements.6", "sevrity"),
        (_unknown_need, "requirements.6.needs", "ad_group"),
        (_unknown_rule, "rules", "all_of"),
        (_unknown_severity, "requirements.6.severity", "critical"),
    ],
)
def test_a_broken_profile_is_refused_where_it_is_broken(
    tmp_path: Path, break_it: Callable[[dict[str, Any]], None], place: str, words: str
) -> None:
    profile = default_profile()
    break_it(profile)
    told = "\n".join(problems_of(write_profile(tmp_path / "p.json", profile))).replace("[", ".").replace("]", "")
    assert place in told
    assert words in told


def test_a_mistyped_check_gets_a_suggestion(tmp_path: Path) -> None:
    profile = default_profile()
    _unknown_check(profile)
    assert "did you mean 'EXO-002'" in "\n".join(problems_of(write_profile(tmp_path / "p.json", profile)))


def test_every_problem_is_named_at_once(tmp_path: Path) -> None:
    profile = default_profile()
    for break_it in (_twice, _unknown_check, _wrong_kind, _wrong_scope):
        break_it(profile)
    assert len(problems_of(write_profile(tmp_path / "p.json", profile))) >= 4


def test_an_empty_combination_inside_another_is_refused(tmp_path: Path) -> None:
    profile = default_profile()
    requirement(profile, "M2")["needs"]["parts"].append({"type": "any_of", "parts": []})
    assert "combines nothing" in "\n".join(problems_of(write_profile(tmp_path / "p.json", profile)))


def test_a_role_group_without_exchange_roles_is_refused(tmp_path: Path) -> None:
    profile = default_profile()
    profile["requirements"] = [requirement(profile, each) for each in ("M4", "M5", "M6")]
    assert problems_of(write_profile(tmp_path / "p.json", profile))


def test_a_check_says_what_it_is_and_why_it_matters() -> None:
    with pytest.raises(ValueError, match="X-1"):
        Check(id="X-1", title="A title", severities=(Severity.HIGH,))
    assert all(each.id == key for key, each in CATALOGUE.items())
