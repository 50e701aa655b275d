"""Looks for bytes that break the laws of descriptors, guided by what code they reach: see `scripts/fuzz`.

`python -m tests.fuzz.fuzz_descriptors FOLDER [libFuzzer options]`. Keeps in FOLDER every input that reached something
new, and begins with what is there and with one descriptor for every documented type of ACE.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris  # type: ignore[import-not-found]

with atheris.instrument_imports(include=["auditor.acl"]):
    from auditor.acl import Ace, SecurityDescriptor, serialise_descriptor
    from tests.property.descriptor_laws import OBJECT_TYPES, TOKEN, check_bytes

DOCUMENTED_TYPES = (
    0x00, 0x01, 0x02, 0x05, 0x06, 0x07, 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x0F, 0x11, 0x12, 0x13
)  # fmt: skip  # MS-DTYP 2.4.4
OBJECT_ACE_TYPES = frozenset({0x05, 0x06, 0x07, 0x0B, 0x0C, 0x0F})


def main() -> None:
    """Fuzz until the options say stop."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for ace_type in DOCUMENTED_TYPES:
        (folder / f"type-{ace_type:02x}").write_bytes(serialise_descriptor(_descriptor_with(ace_type)))
    atheris.Setup(sys.argv, check_bytes_of_fuzzer)
    atheris.Fuzz()


def check_bytes_of_fuzzer(raw: bytes) -> None:
    """Check one input."""
    check_bytes(raw)


def _descriptor_with(ace_type: int) -> SecurityDescriptor:
    account, group, everybody = sorted(TOKEN.sids)
    has_types = ace_type in OBJECT_ACE_TYPES
    ace = Ace(
        type=ace_type,
        mask=0xF01FF,
        trustee=group,
        object_type=OBJECT_TYPES[0] if has_types else None,
        inherited_object_type=OBJECT_TYPES[1] if has_types else None,
    )
    return SecurityDescriptor(owner=account, group=everybody, control=0x8004, dacl=(ace,))


if __name__ == "__main__":
    main()
