"""How fast descriptors are parsed and judged: `python -m tests.bench.bench_descriptors [DESCRIPTORS]`.

Composed: a tree of organizational units, ten in each, whose descriptors hold 42 ACEs in the median, of which few are
distinct, as in a real domain. Several times in turn, a new process of this Python parses and judges the user task on
each, and one of the system's Python unpacks each with Samba's library, which is in C, and reads the masks of its
ACEs. Unpacking alone is timed too, but nobody can judge by that. CPU time counts. Prints the medians and their ratio;
at least 3 is wanted.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from auditor.acl import (
    FULL_CONTROL,
    READ_RIGHTS,
    WELL_KNOWN_GUIDS,
    AccessMask,
    Ace,
    AceFlag,
    ControlFlag,
    GuidKind,
    SecurityDescriptor,
    aces_reaching_child,
    serialise_descriptor,
    well_known_guid,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
SYSTEM_PYTHON = "/usr/bin/python3"  # only the distribution's Python has Samba's modules
ROUNDS = 5
LEAST = 3.0
UNITS_IN_EACH = 10
DOMAIN = "S-1-5-21-1004336348-1177238915-682003330"
ALLOW, ALLOW_OBJECT = 0x00, 0x05
UNIT = well_known_guid("organizationalUnit", GuidKind.CLASS)
GUIDS = sorted({guid for guid, _ in WELL_KNOWN_GUIDS})
MASKS = (
    AccessMask.READ_PROPERTY,
    AccessMask.READ_PROPERTY | AccessMask.WRITE_PROPERTY,
    AccessMask.CREATE_CHILD | AccessMask.DELETE_CHILD,
    AccessMask.CONTROL_ACCESS,
    READ_RIGHTS,
    FULL_CONTROL,
)


def main() -> None:
    """Measure, and fail when it is too slow."""
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    composed = list(compose(wanted))
    descriptors = [serialise_descriptor(descriptor) for descriptor in composed]
    aces = [ace for descriptor in composed for ace in descriptor.dacl or ()]
    median = statistics.median(len(descriptor.dacl or ()) for descriptor in composed)
    say(f"{wanted} descriptors, median {median:.0f} ACEs, {len(set(aces)) / len(aces):.1%} of them distinct")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "descriptors.json")
        file.write_text(json.dumps([raw.hex() for raw in descriptors]), encoding="ascii")
        judge = (sys.executable, "-m", "tests.bench.judge_descriptors", str(file))
        unpack = (SYSTEM_PYTHON, str(HERE / "unpack_descriptors.py"), str(file))
        rounds = [{**_seconds(judge), **_seconds(unpack)} for _ in range(ROUNDS)]
    rates = {name: wanted / statistics.median(each[name] for each in rounds) for name in rounds[0]}
    for name, rate in rates.items():
        say(f"{name:32} {rate:10,.0f} per second")
    ratio = rates["parsed and judged"] / rates["unpacked by Samba, masks read"]
    say(f"parsed and judged, {ratio:.1f} times as fast as Samba's unpacker")
    sys.exit(ratio < LEAST)


def compose(wanted: int) -> Iterator[SecurityDescriptor]:
    """Yield the descriptors of a tree of units, each parent before its children."""
    random = Random(wanted)
    dacls: list[tuple[Ace, ...]] = [tuple(_ace(random) for _ in range(26))]  # of the domain's head
    own_of_every_unit = tuple(_ace(random, inherits=False) for _ in range(8))
    delegations = [tuple(_ace(random) for _ in range(random.randint(1, 4))) for _ in range(wanted // 20)]
    for number in range(wanted):
        inherited = tuple(each.ace for each in aces_reaching_child(dacls[number // UNITS_IN_EACH], UNIT))
        delegated = random.choice(delegations) if random.random() < 0.8 else ()
        dacl = (*delegated, *own_of_every_unit, *inherited)
        dacls.append(dacl)
        yield SecurityDescriptor(
            owner=f"{DOMAIN}-512", group=f"{DOMAIN}-512", control=int(ControlFlag.SELF_RELATIVE), dacl=dacl
        )


def _ace(random: Random, *, inherits: bool = True) -> Ace:
    has_type = random.random() < 0.8
    return Ace(
        type=ALLOW_OBJECT if has_type else ALLOW,
        flags=int(AceFlag.CONTAINER_INHERIT) if inherits else 0,
        mask=int(random.choice(MASKS)),
        trustee=f"{DOMAIN}-{random.randint(500, 3000)}",
        object_type=random.choice(GUIDS) if has_type else None,
    )


def _seconds(command: tuple[str, ...]) -> dict[str, float]:
    finished = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds: dict[str, float] = json.loads(finished.stdout)
    return seconds


def say(line: str) -> None:
    """Print a line."""
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
