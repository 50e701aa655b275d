from __future__ import annotations

import pytest

from auditor.acl import DIRECTORY_RIGHTS, FULL_CONTROL, AccessMask, Ace, AppliesTo, atoms_of
from tests.unit.acl.aces import (
    ACCOUNT,
    CI,
    GENERIC_ALL,
    ID,
    IO,
    NP,
    OI,
    PWD_LAST_SET,
    STRANGER,
    USER,
    allow,
    conditional_allow,
    deny,
)


def _atoms(*aces):
    return frozenset().union(*map(atoms_of, aces))


def test_one_right_on_one_object_is_one_atom():
    (atom,) = atoms_of(allow(0x20, object_type=PWD_LAST_SET))
    assert (
        atom.trustee,
        atom.right,
        atom.object_type,
        atom.inherited_object_type,
        atom.applies_to,
        atom.allow,
    ) == (
        ACCOUNT,
        AccessMask.WRITE_PROPERTY,
        PWD_LAST_SET,
        None,
        AppliesTo.THIS_OBJECT,
        True,
    )


@pytest.mark.parametrize(
    ("merged", "split"),
    [
        (
            [allow(0x30, object_type=PWD_LAST_SET)],
            [allow(0x10, object_type=PWD_LAST_SET), allow(0x20, object_type=PWD_LAST_SET)],
        ),
        ([allow(GENERIC_ALL)], [allow(right) for right in DIRECTORY_RIGHTS]),
        ([allow(GENERIC_ALL)], [allow(FULL_CONTROL)]),
        ([allow(3, flags=CI)], [allow(3), allow(3, flags=CI | IO)]),
        ([allow(3, flags=CI, inherited=USER)], [allow(3), allow(3, flags=CI | IO, inherited=USER)]),
        ([allow(3, flags=CI)], [allow(3, flags=CI | ID)]),
        ([allow(3, flags=CI), allow(3, flags=CI | NP)], [allow(3, flags=CI)]),
        ([allow(3, flags=CI)], [allow(3, flags=CI | OI)]),
        ([allow(0x10_0003)], [allow(3)]),
    ],
)
def test_merged_and_split_aces_have_the_same_atoms(merged, split):
    assert _atoms(*merged) == _atoms(*split)


@pytest.mark.parametrize(
    "other",
    [
        deny(1),
        allow(2),
        allow(1, STRANGER),
        allow(1, object_type=USER),
        allow(1, flags=CI),
        conditional_allow(1),
    ],
)
def test_aces_that_differ_in_effect_have_different_atoms(other):
    assert _atoms(other) != _atoms(allow(1))


def test_no_propagate_lacks_the_deeper_descendants():
    assert {atom.applies_to for atom in atoms_of(allow(1, flags=CI | NP))} == {
        AppliesTo.THIS_OBJECT,
        AppliesTo.DIRECT_CHILDREN,
    }
    assert {atom.applies_to for atom in atoms_of(allow(1, flags=CI | IO))} == {
        AppliesTo.DIRECT_CHILDREN,
        AppliesTo.DEEPER_DESCENDANTS,
    }


def test_a_condition_is_part_of_the_atom_even_when_it_is_empty():
    (unconditional,) = atoms_of(allow(1))
    (empty,) = atoms_of(Ace(type=0x09, mask=1, trustee=ACCOUNT))
    assert (unconditional.condition, empty.condition) == (None, b"")


@pytest.mark.parametrize(
    "ace",
    [
        Ace(type=0x02, mask=1, trustee=ACCOUNT),
        Ace(type=0x77, mask=0, trustee=""),
        allow(1, flags=IO),
        allow(0),
    ],
)
def test_what_grants_nothing_has_no_atoms(ace):
    assert atoms_of(ace) == frozenset()
