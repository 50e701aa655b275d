"""Descriptors read and written by the auditor, beside what Samba's own library makes of them."""

from __future__ import annotations

import json
import re
import struct
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from auditor.acl import (
    DIRECTORY_RIGHTS,
    FULL_CONTROL,
    OWNER_RIGHTS_SID,
    PRINCIPAL_SELF_SID,
    WELL_KNOWN_GUIDS,
    Ace,
    AceFlag,
    ControlFlag,
    MalformedDescriptor,
    SecurityDescriptor,
    Token,
    decide,
    format_descriptor_sddl,
    parse_descriptor,
    serialise_descriptor,
)
from tests.integration.conftest import skip_without_samba
from tests.lab.machine import SYSTEM_PYTHON, run

pytestmark = pytest.mark.directory

SCRIPT = Path(__file__).parents[1] / "lab" / "read_descriptors.py"
TYPES_SAMBA_KNOWS = frozenset({0x00, 0x01, 0x02, 0x05, 0x06, 0x07})
OBJECT_TYPES = frozenset({0x05, 0x06, 0x07})
SIDS = (
    "S-1-0-0", "S-1-1-0", "S-1-3-0", "S-1-3-1", OWNER_RIGHTS_SID, "S-1-5-2", "S-1-5-7", "S-1-5-9", PRINCIPAL_SELF_SID,
    "S-1-5-11", "S-1-5-15", "S-1-5-18", "S-1-5-32-544", "S-1-5-32-548", "S-1-5-32-554", "S-1-5-21-1-2-3-512",
    "S-1-5-21-4294967295-0-1-1104", "S-1-18-2-3-4-5-6-7-8-9-10-11-12-13-14-15",
)  # fmt: skip
GUIDS = (*sorted({guid for guid, _ in WELL_KNOWN_GUIDS}), "00000000-dead-beef-0000-000000000001")
RANDOM_DESCRIPTORS, DAMAGED_DESCRIPTORS = 2_000, 20_000


@pytest.fixture(scope="module")
def descriptors() -> list[SecurityDescriptor]:
    random = Random(20261127)
    return [random_descriptor(random) for _ in range(RANDOM_DESCRIPTORS)]


def test_samba_reads_what_was_written(descriptors: list[SecurityDescriptor]) -> None:
    answers = ask_samba(unpack=[serialise_descriptor(each).hex() for each in descriptors])["unpack"]
    assert answers == [content(parse_descriptor(serialise_descriptor(each))) for each in descriptors]


def test_samba_reads_the_sddl_as_the_same_descriptor(descriptors: list[SecurityDescriptor]) -> None:
    written = [each for each in descriptors if each.dacl is not None]  # Samba has no word for a NULL DACL
    answers = ask_samba(parse=[format_descriptor_sddl(each) for each in written])["parse"]
    assert [without_control(answer) for answer in answers] == [without_control(content(each)) for each in written]
    dacl_flags = ControlFlag.DACL_PROTECTED | ControlFlag.DACL_AUTO_INHERIT_REQUIRED | ControlFlag.DACL_AUTO_INHERITED
    assert [answer[2] & dacl_flags for answer in answers] == [each.control & dacl_flags for each in written]


def test_samba_writes_the_same_sddl(descriptors: list[SecurityDescriptor]) -> None:
    written = [each for each in descriptors if each.dacl is not None]
    answers = ask_samba(print=[serialise_descriptor(each).hex() for each in written])["print"]
    assert [spelled_alike(answer) for answer in answers] == [
        spelled_alike(format_descriptor_sddl(each)) for each in written
    ]


def test_damaged_descriptors_mean_what_they_mean_to_samba(descriptors: list[SecurityDescriptor]) -> None:
    random = Random(20261127)
    damaged = [damage(random, serialise_descriptor(random.choice(descriptors))) for _ in range(DAMAGED_DESCRIPTORS)]
    compared = 0
    for raw, answer in zip(damaged, ask_samba(unpack=[raw.hex() for raw in damaged])["unpack"], strict=True):
        ours = content_or_none(raw)
        if answer is None or ours is None or not is_plain(raw, answer):
            continue
        assert ours == answer, raw.hex()
        compared += 1
    assert compared > DAMAGED_DESCRIPTORS / 5


def test_owner_rights_decide_as_they_do_for_samba_on_files() -> None:
    """In its directory Samba does not know OWNER RIGHTS; its access check for files does (MS-DTYP 2.5.3.2)."""
    random = Random(20261127)
    token = ("S-1-5-21-1-2-3-1104", "S-1-5-11")
    cases = [(descriptor_with_owner_rights(random, token), right) for _ in range(1000) for right in DIRECTORY_RIGHTS]
    granted = ask_samba(grant=[[serialise_descriptor(each).hex(), token, int(right)] for each, right in cases])["grant"]
    decided = [decide(each, Token(frozenset(token)), right).granted for each, right in cases]
    assert decided == granted
    others = [decide(without_owner_rights(each), Token(frozenset(token)), right).granted for each, right in cases]
    assert sum(one != other for one, other in zip(decided, others, strict=True)) > len(cases) / 20


def ask_samba(**questions: list[Any]) -> dict[str, list[Any]]:
    skip_without_samba()
    asked = json.dumps({"unpack": [], "print": [], "parse": [], "grant": [], **questions})
    answers: dict[str, list[Any]] = json.loads(
        run([SYSTEM_PYTHON, str(SCRIPT)], folder=SCRIPT.parent, standard_input=asked)
    )
    return answers


def random_descriptor(random: Random) -> SecurityDescriptor:
    has_dacl = random.random() < 0.9
    control = random.choice((0, 0x1000, 0x0400, 0x0500, 0x1400)) | ControlFlag.SELF_RELATIVE
    return SecurityDescriptor(
        owner=random.choice((*SIDS, None)),
        group=random.choice((*SIDS, None)),
        control=int(control | ControlFlag.DACL_PRESENT) if has_dacl else int(control),
        dacl=tuple(random_ace(random) for _ in range(random.randrange(9))) if has_dacl else None,
    )


def random_ace(random: Random) -> Ace:
    ace_type = random.choice((0x00, 0x01, 0x05, 0x06))
    has_types = ace_type in OBJECT_TYPES
    return Ace(
        type=ace_type,
        flags=random.randrange(0x20),
        mask=random.choice((random.getrandbits(9), random.getrandbits(32), 1 << random.randrange(32), 0xF01FF)),
        trustee=random.choice(SIDS),
        object_type=random.choice((*GUIDS, None)) if has_types else None,
        inherited_object_type=random.choice((*GUIDS, None, None)) if has_types else None,
    )


def descriptor_with_owner_rights(random: Random, token: tuple[str, ...]) -> SecurityDescriptor:
    """Return a descriptor whose denies are for OWNER RIGHTS alone and come first; elsewhere Samba goes its own way."""
    inherit_only = int(AceFlag.CONTAINER_INHERIT | AceFlag.INHERIT_ONLY)

    def some_ace(ace_type: int, *trustees: str) -> Ace:
        flags = random.choice((0, 0, 0, inherit_only))
        mask = int(FULL_CONTROL) & random.getrandbits(20) & random.getrandbits(20)
        return Ace(type=ace_type, flags=flags, mask=mask, trustee=random.choice(trustees))

    denies = tuple(some_ace(0x01, OWNER_RIGHTS_SID) for _ in range(random.randrange(3)))
    allows = tuple(some_ace(0x00, OWNER_RIGHTS_SID, *token, "S-1-5-18") for _ in range(random.randrange(1, 5)))
    owner = random.choice((*token, "S-1-5-18"))
    return SecurityDescriptor(owner=owner, group=owner, control=0x8004, dacl=denies + allows)


def without_owner_rights(descriptor: SecurityDescriptor) -> SecurityDescriptor:
    kept = tuple(ace for ace in descriptor.dacl or () if ace.trustee != OWNER_RIGHTS_SID)
    return replace(descriptor, dacl=kept)


def damage(random: Random, raw: bytes) -> bytes:
    changed = bytearray(raw)
    for _ in range(random.randint(1, 3)):
        changed[random.randrange(len(raw))] = random.choice((0, 1, 4, 8, 0xFF, random.randrange(0x100)))
    return bytes(changed[: random.randrange(len(raw))] if random.random() < 0.1 else changed)


def content(descriptor: SecurityDescriptor) -> list[Any]:
    """Return a descriptor in the form of Samba's answers."""
    aces = None if descriptor.dacl is None else [
        [ace.type, ace.flags, ace.mask, ace.trustee, ace.object_type, ace.inherited_object_type]
        for ace in descriptor.dacl
    ]  # fmt: skip
    return [descriptor.owner, descriptor.group, descriptor.control, aces]


def content_or_none(raw: bytes) -> list[Any] | None:
    try:
        return content(parse_descriptor(raw))
    except MalformedDescriptor:
        return None


def is_plain(raw: bytes, answer: list[Any]) -> bool:
    """Tell whether nothing is in it that Samba reads otherwise than MS-DTYP says, or does not know.

    That is an offset that is no multiple of four, which it rounds up, a DACL whose control bit is clear (2.4.6), an ACE
    type it does not know (2.4.4), and a SID whose authority takes more than 32 bits, which it writes without leading
    zeros (2.4.2.1).
    """
    owner, group, control, aces = answer
    offsets = struct.unpack_from("<4I", raw, 4)
    sids = (owner or "", group or "", *(ace[3] for ace in aces or ()))
    return (
        not any(offset % 4 for offset in offsets)
        and bool(control & ControlFlag.DACL_PRESENT)
        and all(ace[0] in TYPES_SAMBA_KNOWS for ace in aces or ())
        and not any("0x" in sid for sid in sids)
    )


def without_control(answer: list[Any]) -> list[Any]:
    owner, group, _, aces = answer
    return [owner, group, aces]


def spelled_alike(sddl: str) -> str:
    """Return SDDL with what may be spelled in several ways spelled in one: the order of rights, hexadecimal digits."""
    return re.sub(r"(?<=;)(?:0x0*([0-9a-f]+)|(?:[A-Z]{2})+)(?=;[^;]*;[^;]*;)", _rights_alike, sddl)


def _rights_alike(match: re.Match[str]) -> str:
    return match[1] or "".join(sorted(re.findall("..", match[0])))
