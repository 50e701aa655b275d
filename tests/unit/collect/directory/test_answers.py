from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from auditor.collect.directory.answers import (
    Result,
    envelope,
    tells_disconnection,
    unpacked_continuation,
    unpacked_entry,
    unpacked_result,
)
from tests.unit.collect.directory import ber

if TYPE_CHECKING:
    from collections.abc import Callable

DN = "OU=Staff,DC=corp,DC=example,DC=com"
VALUES = {"objectClass": [b"top", b"organizationalUnit"], "nTSecurityDescriptor": [bytes(range(256)) * 3]}
ENTRY = ber.entry(1000, DN, VALUES)
REFERRING = ber.done(1000, 10, "elsewhere", cookie=b"more", referrals=["ldap://a", "ldap://b"])
CHALLENGING = ber.bind_response(1000, 14, "go on", b"challenge")
CONTINUING = ber.continuation(1000, "ldap://other/DC=other")
ENDING = ber.message(
    0,
    ber.tlv(
        0x78,
        ber.integer(52, tag=0x0A),
        ber.octets(""),
        ber.octets(""),
        ber.tlv(0x8A, b"1.3.6.1.4.1.1466.20036"),
    ),
)
UNPACKED: dict[str, tuple[bytes, Callable[[bytes], object]]] = {
    "entry": (ENTRY, unpacked_entry),
    "result": (REFERRING, unpacked_result),
    "bind": (CHALLENGING, unpacked_result),
    "continuation": (CONTINUING, unpacked_continuation),
    "disconnection": (ENDING, tells_disconnection),
}


def test_an_entry_is_its_name_and_its_raw_values() -> None:
    assert unpacked_entry(ENTRY) == (DN, {name.lower(): tuple(values) for name, values in VALUES.items()})


def test_a_result_is_its_code_its_words_and_what_came_with_it() -> None:
    assert unpacked_result(REFERRING) == Result(
        code=10,
        description="referral",
        message="elsewhere",
        referrals=("ldap://a", "ldap://b"),
        challenge=b"",
        cookie=b"more",
    )
    bound = unpacked_result(CHALLENGING)
    assert (bound.code, bound.message, bound.challenge, bound.cookie) == (14, "go on", b"challenge", None)


def test_controls_of_other_kinds_are_passed_over() -> None:
    """A criticality may stand before the value, and the value may be left out (RFC 4511 4.1.11)."""
    other = ber.tlv(0x30, ber.octets("1.2.3"), ber.tlv(0x01, b"\xff"))
    pages = ber.tlv(
        0x30,
        ber.octets(ber.PAGED_RESULTS),
        ber.tlv(0x01, b"\x00"),
        ber.octets(ber.tlv(0x30, ber.integer(0), ber.octets("next"))),
    )
    message = ber.message(7, ber.result(0x65, 0), ber.tlv(0xA0, other, pages))
    assert unpacked_result(message).cookie == b"next"
    assert unpacked_result(ber.message(7, ber.result(0x65, 0), ber.tlv(0xA0, other))).cookie is None


def test_what_goes_by_which_number_is_told() -> None:
    assert envelope(ENTRY)[:2] == (1000, 0x64)
    assert unpacked_continuation(CONTINUING) == ("ldap://other/DC=other",)
    assert tells_disconnection(ENDING)
    assert not tells_disconnection(REFERRING)


@pytest.mark.parametrize(
    ("whole", "unpack", "size"),
    [(whole, unpack, size) for whole, unpack in UNPACKED.values() for size in range(len(whole))],
)
def test_a_message_that_is_cut_off_is_none(whole: bytes, unpack: Callable[[bytes], object], size: int) -> None:
    with pytest.raises(ValueError, match=r"."):
        unpack(whole[:size])


@pytest.mark.parametrize(("whole", "unpack"), UNPACKED.values(), ids=UNPACKED.keys())
def test_bytes_changed_at_random_are_unpacked_or_refused(whole: bytes, unpack: Callable[[bytes], object]) -> None:
    """Whatever hostile bytes come: an error of one kind, or something made of them."""
    chance = random.Random(0)
    unpacked = 0
    for _ in range(10_000):
        message = changed(whole, chance)
        try:
            unpack(message)
        except ValueError:
            continue
        unpacked += 1
    assert 0 < unpacked < 10_000


def test_values_of_a_changed_entry_lie_within_it() -> None:
    chance = random.Random(1)
    unpacked = 0
    for _ in range(10_000):
        message = changed(ENTRY, chance)
        try:
            _, attributes = unpacked_entry(message)
        except ValueError:
            continue
        unpacked += 1
        assert all(value in message for values in attributes.values() for value in values)
        assert sum(len(value) for values in attributes.values() for value in values) <= len(message)
    assert unpacked


def changed(whole: bytes, chance: random.Random) -> bytes:
    message = bytearray(whole)
    for _ in range(chance.randint(1, 4)):
        at = chance.choice((chance.randrange(min(80, len(message))), chance.randrange(len(message))))
        message[at] = chance.randrange(256)
    return bytes(message)
