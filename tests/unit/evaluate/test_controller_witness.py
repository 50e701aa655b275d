"""The domain controller's own verdict beside the evaluation (AD-COL-012). All data is composed."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from auditor.acl import FULL_CONTROL, WELL_KNOWN_GUIDS, AccessMask, Ace, GuidKind, well_known_guid
from tests.unit.evaluate.composed import NOT_FOUND, REFUSED, judge, outcome, told
from tests.unit.evaluate.composed_directory import (
    ACCOUNT,
    ADMINISTRATORS,
    DELEGATED,
    DELEGATES,
    DOMAIN,
    HEAD,
    INHERIT_ONLY,
    READABLE,
    Directory,
    ace,
    descriptor,
    user_task,
)
from tests.unit.evaluate.composed_directory import STAFF as OU
from tests.unit.evaluate.composed_rights import HOSTILE_NAMES, owned, the_finding, with_raw, with_read, with_target

DESCRIPTION, G_P_LINK = (well_known_guid(name, GuidKind.ATTRIBUTE) for name in ("description", "gPLink"))
CHILDREN, ATTRIBUTES = ("user", "group", "computer"), ("description", "gPLink", "nTSecurityDescriptor")
CLASSES = ["top", "organizationalUnit"]
OWNER, GROUP, DACL, SACL = 1, 2, 4, 8  # sDRightsEffective, MS-ADTS 3.1.1.4.5.4


def system_owns(*aces: Ace) -> Directory:
    """Return a target OU that no group of the account owns, so that nobody has rights on it without an entry."""
    return with_target(owned("S-1-5-18", *aces))


def witnessed(
    directory: Directory,
    children: tuple[str, ...] = (),
    attributes: tuple[str, ...] = (),
    bits: int = 0,
    classes: list[str] | None = None,
) -> Directory:
    """Return the directory with what its domain controller grants the account on the target OU."""
    vocabulary = with_raw(OU, None, objectClass=CLASSES, allowedChildClasses=CHILDREN, allowedAttributes=ATTRIBUTES)
    said = with_raw(
        OU,
        None,
        objectClass=CLASSES if classes is None else classes,
        allowedChildClassesEffective=children,
        allowedAttributesEffective=attributes,
        sDRightsEffective=bits,
    )
    directory = with_read(directory, "class_vocabulary", vocabulary, subject="organizationalUnit")
    return with_read(directory, "effective_rights", said, subject=OU)


AGREEING: dict[str, tuple[tuple[Ace, ...], tuple[str, ...], tuple[str, ...], int]] = {
    "the user task": (user_task(DELEGATES), ("user",), (), 0),
    "full control": ((ace(FULL_CONTROL, ACCOUNT),), CHILDREN, ("description", "gPLink"), OWNER | GROUP | DACL),
    "one attribute": ((ace(AccessMask.WRITE_PROPERTY, ACCOUNT, object_type=DESCRIPTION),), (), ("description",), 0),
    "permissions": ((ace(AccessMask.WRITE_DAC, ACCOUNT),), (), (), DACL),
    "owner": ((ace(AccessMask.WRITE_OWNER, ACCOUNT),), (), (), OWNER | GROUP),
    "nothing": ((), (), (), 0),
    "waiting for children": ((ace(FULL_CONTROL, ACCOUNT, flags=INHERIT_ONLY),), (), (), 0),
    "administrators": (
        (ace(FULL_CONTROL, ADMINISTRATORS),),
        CHILDREN,
        ("description", "gPLink"),
        OWNER | GROUP | DACL,
    ),
    "what was not asked about": (user_task(DELEGATES), ("user", "printQueue"), ("nTSecurityDescriptor",), SACL),
}


@pytest.mark.parametrize(("aces", "children", "attributes", "bits"), AGREEING.values(), ids=AGREEING)
def test_agreement_is_told(
    aces: tuple[Ace, ...], children: tuple[str, ...], attributes: tuple[str, ...], bits: int
) -> None:
    results = judge(witnessed(system_owns(*aces), children, attributes, bits).evidence())
    assert told(results, "AD-COL-012") == [("advisory", "info")]
    found = the_finding(results, "AD-COL-012")
    assert found.scope == OU
    assert found.actual.startswith("all 7 rights compared agree")


DIFFERING: dict[str, tuple[tuple[str, ...], tuple[str, ...], int, str]] = {
    "a class more": (("user", "group"), (), 0, "only the domain controller grants: create group"),
    "a class less": ((), (), 0, "only the evaluation grants: create user"),
    "an attribute more": (("user",), ("gPLink",), 0, "only the domain controller grants: write gPLink"),
    "permissions more": (("user",), (), DACL, "only the domain controller grants: change permissions"),
    "owner more": (("user",), (), OWNER, "only the domain controller grants: change owner"),
    "group more": (("user",), (), GROUP, "only the domain controller grants: change owner"),
}


@pytest.mark.parametrize(("children", "attributes", "bits", "words"), DIFFERING.values(), ids=DIFFERING)
def test_each_difference_is_told_and_leaves_the_verdict_open(
    children: tuple[str, ...], attributes: tuple[str, ...], bits: int, words: str
) -> None:
    results = judge(witnessed(system_owns(*DELEGATED), children, attributes, bits).evidence())
    assert told(results, "AD-COL-012") == [("unverifiable", "medium")]
    found = the_finding(results, "AD-COL-012")
    assert words in found.actual
    assert "of 7 rights" in found.actual
    assert results.summary.verdict == "inconclusive"


def test_a_group_of_the_account_that_was_not_read_is_seen_by_the_witness() -> None:
    unread = f"{DOMAIN}-1300"
    results = judge(
        witnessed(system_owns(*DELEGATED, ace(AccessMask.WRITE_DAC, unread)), ("user",), (), DACL).evidence()
    )
    assert told(results, "AD-COL-012") == [("unverifiable", "medium")]


def test_without_the_account_s_password_there_is_no_witness_to_tell_of() -> None:
    assert told(judge(system_owns(*DELEGATED).evidence()), "AD-COL-012") == []


def test_of_an_ou_that_does_not_exist_the_witness_has_nothing_to_say() -> None:
    gaps = {("target_ou", OU): NOT_FOUND, ("effective_rights", OU): NOT_FOUND}
    hidden = replace(Directory(), ous={}, gaps=gaps)
    assert told(judge(hidden.evidence()), "AD-COL-012") == [("unverifiable", "medium")]
    results = judge(replace(hidden, ancestors={OU: (HEAD, descriptor(READABLE))}).evidence())
    assert outcome(results, "M8", OU) == "missing"
    assert told(results, "AD-COL-012") == []


@pytest.mark.parametrize("gap", [REFUSED, NOT_FOUND])
def test_a_witness_that_was_not_heard_is_told(gap: object) -> None:
    directory = replace(witnessed(system_owns(*DELEGATED)), gaps={("effective_rights", OU): gap})
    results = judge(directory.evidence())
    assert told(results, "AD-COL-012") == [("unverifiable", "medium")]
    assert gap.message in the_finding(results, "AD-COL-012").actual  # type: ignore[attr-defined]
    assert results.summary.verdict == "inconclusive"


@pytest.mark.parametrize(
    "directory",
    [
        witnessed(system_owns(*DELEGATED), ("user",), classes=[]),
        witnessed(system_owns(*DELEGATED), ("user",), classes=["top", "container"]),
        witnessed(with_target(None), ("user",)),
        replace(witnessed(system_owns(*DELEGATED)), gaps={("class_vocabulary", "organizationalUnit"): REFUSED}),
        with_read(witnessed(system_owns(*DELEGATED)), "effective_rights", subject=OU),
    ],
    ids=["classes withheld", "another class", "descriptor withheld", "vocabulary not read", "no answer"],
)
def test_a_witness_without_anything_beside_it_is_told(directory: Directory) -> None:
    results = judge(directory.evidence())
    assert told(results, "AD-COL-012") == [("unverifiable", "medium")]
    assert the_finding(results, "AD-COL-012").title == "The domain controller's own verdict could not be compared"
    assert "password" not in the_finding(results, "AD-COL-012").remediation.text


def test_long_lists_are_counted() -> None:
    many = [name for (_, kind), name in sorted(WELL_KNOWN_GUIDS.items()) if kind is GuidKind.ATTRIBUTE]
    many = [name for name in many if name != "nTSecurityDescriptor"][:30]
    vocabulary = with_raw(OU, None, objectClass=CLASSES, allowedChildClasses=[], allowedAttributes=many)
    directory = witnessed(system_owns(*DELEGATED), (), tuple(many))
    directory = with_read(directory, "class_vocabulary", vocabulary, subject="organizationalUnit")
    actual = the_finding(judge(directory.evidence()), "AD-COL-012").actual
    assert re.search(r"and 22 more \(digest [0-9a-f]{8}\); only the evaluation grants: nothing", actual)


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_names_are_told_as_they_are(name: str) -> None:
    ou = f"OU={name},{HEAD}"
    base = replace(system_owns(*DELEGATED), ous={ou: next(iter(system_owns(*DELEGATED).ous.values()))}).connect(
        target_ous=(ou,)
    )
    vocabulary = with_raw(ou, None, objectClass=CLASSES, allowedChildClasses=CHILDREN, allowedAttributes=ATTRIBUTES)
    base = with_read(base, "class_vocabulary", vocabulary, subject="organizationalUnit")
    said = with_raw(ou, None, objectClass=CLASSES, allowedChildClassesEffective=["user", "group"])
    found = the_finding(judge(with_read(base, "effective_rights", said, subject=ou).evidence()), "AD-COL-012")
    assert found.scope == ou
    assert found.outcome == "unverifiable"
