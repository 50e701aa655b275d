from __future__ import annotations

import random

import pytest

from auditor.collect.directory.wire import unpacked_entry
from tests.unit.collect.directory import ber

DN = "OU=Staff,DC=corp,DC=example,DC=com"
VALUES = {"objectClass": [b"top", b"organizationalUnit"], "nTSecurityDescriptor": [bytes(range(256)) * 3]}
WHOLE = ber.entry(1000, DN, VALUES)


def test_an_entry_is_its_name_and_its_raw_values() -> None:
    assert unpacked_entry(WHOLE) == (DN, {name.lower(): tuple(values) for name, values in VALUES.items()})


@pytest.mark.parametrize("size", range(len(WHOLE)))
def test_an_entry_that_is_cut_off_is_none(size: int) -> None:
    with pytest.raises(ValueError, match=r"."):
        unpacked_entry(WHOLE[:size])


def test_bytes_changed_at_random_give_values_that_came_or_no_entry() -> None:
    """Whatever is made of hostile bytes: an error of one kind, or values that lie within the message."""
    chance = random.Random(0)
    unpacked = 0
    for _ in range(20_000):
        changed = bytearray(WHOLE)
        for _ in range(chance.randint(1, 4)):
            changed[chance.choice((chance.randrange(80), chance.randrange(len(changed))))] = chance.randrange(256)
        message = bytes(changed)
        try:
            _, attributes = unpacked_entry(message)
        except ValueError:
            continue
        unpacked += 1
        assert all(value in message for values in attributes.values() for value in values)
        assert sum(len(value) for values in attributes.values() for value in values) <= len(message)
    assert 0 < unpacked < 20_000
