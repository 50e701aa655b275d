"""Loads matrix profiles: those that come with the tool, by id, and the user's own, by path."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from auditor.catalogue import CATALOGUE
from auditor.errors import InvalidInput, Problem
from auditor.matrix.profile import (
    AllOf,
    AnyOf,
    Delegation,
    DirectoryGroup,
    ExchangeRole,
    Ldaps,
    Matrix,
    Need,
    Profile,
    Requirement,
    RoleGroup,
    leaves,
)
from auditor.model.connection import ConnectionKind
from auditor.model.outcome import Severity
from auditor.strict_yaml import did_you_mean, load_document, validate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.model.results import MatrixReference
    from auditor.strict_yaml import Document

PROFILES = Path(__file__).parent / "profiles"
DEFAULT_PROFILE = "hybrid-exchange-online"
_SCOPES = {DirectoryGroup: "account", Delegation: "target_ou", Ldaps: "host"}


def known_profiles() -> tuple[str, ...]:
    """Return the ids of the profiles that come with the tool, the default first."""
    names = sorted(path.stem for path in PROFILES.glob("*.yaml"))
    return (DEFAULT_PROFILE, *(name for name in names if name != DEFAULT_PROFILE))


def load_matrix(reference: str) -> Matrix:
    """Load a profile by id or by the path of its file. Raises InvalidInput with every problem at once."""
    if reference in known_profiles():
        return load_profile_file(PROFILES / f"{reference}.yaml")
    if not reference.endswith((".yaml", ".yml", ".json")):
        raise InvalidInput(
            [
                Problem(
                    file=reference,
                    line=None,
                    place="profile",
                    message="is no known profile",
                    cure=f"{did_you_mean(reference, known_profiles())}known profiles are "
                    f"{', '.join(known_profiles())}; "
                    "or give the path of a profile file",
                )
            ]
        )
    return load_profile_file(Path(reference))


def load_profile_file(path: Path) -> Matrix:
    """Load one profile file. Raises InvalidInput with every problem at once."""
    document = load_document(path)
    profile, problems = validate(document, Profile)
    if profile is not None:
        problems = [*problems, *_inconsistencies(document, profile)]
    if profile is None or problems:
        raise InvalidInput(problems)
    content = path.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    released = None
    if profile.id in known_profiles():  # most often the file is the released one, which need not be read twice
        is_released = content == (PROFILES / f"{profile.id}.yaml").read_bytes()
        released = profile.reference(sha256) if is_released else _released(profile.id)
    return Matrix(profile=profile, sha256=sha256, content=content, released=released)


@cache
def _released(profile_id: str) -> MatrixReference:
    path = PROFILES / f"{profile_id}.yaml"
    profile, problems = validate(load_document(path), Profile)
    if profile is None:
        raise InvalidInput(problems)
    return profile.reference(hashlib.sha256(path.read_bytes()).hexdigest())


def _inconsistencies(document: Document, profile: Profile) -> Iterator[Problem]:
    if not profile.requirements:
        yield document.problem(
            ("requirements",), "is empty", "list at least one requirement; nothing compared is no pass"
        )
    yield from _role_group_without_roles(document, profile)
    seen: set[str] = set()
    for index, requirement in enumerate(profile.requirements):
        place = ("requirements", index)
        if requirement.id in seen:
            yield document.problem(
                (*place, "id"), f"{requirement.id} is used twice", "give each requirement its own id"
            )
        seen.add(requirement.id)
        if requirement.severity not in (Severity.CRITICAL, Severity.HIGH):
            message = "a documented requirement that is missing is high or critical"
            yield document.problem((*place, "severity"), message, "write severity: high")
        if requirement.check not in CATALOGUE:
            yield document.problem(
                (*place, "check"),
                "is no known check",
                f"{did_you_mean(requirement.check, CATALOGUE)}known checks are {', '.join(sorted(CATALOGUE))}",
            )
        yield from _needs_problems(document, place, requirement)


def _role_group_without_roles(document: Document, profile: Profile) -> Iterator[Problem]:
    needs = [need for requirement in profile.requirements for need in leaves(requirement.needs)]
    if any(isinstance(need, RoleGroup) for need in needs) and not any(isinstance(need, ExchangeRole) for need in needs):
        yield document.problem(
            ("requirements",),
            "asks for a role group and names no Exchange role",
            "add a requirement of type exchange_role",
        )


def _combines_nothing(need: Need) -> bool:
    return isinstance(need, (AllOf, AnyOf)) and (not need.parts or any(map(_combines_nothing, need.parts)))


def _needs_problems(document: Document, place: tuple[str | int, ...], requirement: Requirement) -> Iterator[Problem]:
    needs = list(leaves(requirement.needs))
    if not needs or _combines_nothing(requirement.needs):
        yield document.problem((*place, "needs"), "combines nothing", "list at least one part")
    for need in needs:
        kind = (
            ConnectionKind.HYBRID
            if isinstance(need, (DirectoryGroup, Delegation, Ldaps))
            else ConnectionKind.EXCHANGE_ONLINE
        )
        if kind is not requirement.kind:
            yield document.problem(
                (*place, "kind"), f"{need.type} belongs to {kind} connections", f"write kind: {kind}"
            )
    if isinstance(requirement.needs, (AllOf, AnyOf)):
        if requirement.kind is ConnectionKind.HYBRID:
            yield document.problem(
                (*place, "needs"),
                "combines needs of a hybrid connection, whose scopes differ",
                "write one requirement per need; rules.domain_admins_and_delegation combines them",
            )
        return
    scope = _SCOPES.get(type(requirement.needs), "account")
    if requirement.scope != scope:
        yield document.problem(
            (*place, "scope"), f"{requirement.needs.type} is judged per {scope}", f"write scope: {scope}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileDifference:
    """One difference between two profiles; `left` or `right` is empty when the row exists on one side only."""

    row: str
    field: str
    left: str
    right: str


def compare_profiles(left: Profile, right: Profile) -> tuple[ProfileDifference, ...]:
    """Return every difference in rules and requirements, rows in the order of `left`, then new ones."""
    rows_left = {requirement.id: requirement for requirement in left.requirements}
    rows_right = {requirement.id: requirement for requirement in right.requirements}
    found = [
        ProfileDifference(
            row="rules",
            field=name,
            left=str(getattr(left.rules, name)),
            right=str(getattr(right.rules, name)),
        )
        for name in left.rules.__slots__
        if getattr(left.rules, name) != getattr(right.rules, name)
    ]
    for row in dict.fromkeys((*rows_left, *rows_right)):
        found.extend(_compare_rows(row, rows_left.get(row), rows_right.get(row)))
    return tuple(found)


def _compare_rows(row: str, left: Requirement | None, right: Requirement | None) -> list[ProfileDifference]:
    if left is None or right is None:
        return [
            ProfileDifference(
                row=row,
                field="requirement",
                left=left.documented if left else "",
                right=right.documented if right else "",
            )
        ]
    return [
        ProfileDifference(row=row, field=name, left=str(getattr(left, name)), right=str(getattr(right, name)))
        for name in (
            "kind",
            "plane",
            "feature",
            "documented",
            "scope",
            "basis",
            "clause",
            "needs",
            "check",
            "severity",
        )
        if getattr(left, name) != getattr(right, name)
    ]


def profile_schema() -> dict[str, Any]:
    """Return the JSON Schema of a profile file."""
    return TypeAdapter(Profile).json_schema()
