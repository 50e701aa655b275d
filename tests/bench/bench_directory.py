"""What a large directory costs: `python -m tests.bench.bench_directory [OUS ...]`, by default 1000 and 10000.

For each number of organizational units a lab domain is made, once without and once with a user in every second
unit. Each round runs `ldapsearch` (C, Debian package ldap-utils), which dumps the units with their descriptors, and
`auditor run -f json` with everything it reads, one after the other on the same machine. Prints medians and ratios;
nothing is asserted.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.lab.domain_controller import DomainController
from tests.lab.estate import (
    GUIDS,
    LAB_PASSWORD,
    AccessChange,
    Estate,
    account,
    group,
    organizational_unit,
    user,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUNDS = 3
ROOT, SERVICE = "OU=Units", "OU=Service"
TRUSTEES = 40
CHANGED = 10  # every n-th unit has an entry of its own
UNITS_OF_A_PARENT = 100
AUDITED, AUDITOR = "svc-h2r", "auditor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Medians of one directory, in seconds and MiB."""

    units: int
    people: int
    dump_s: float
    run_s: float
    evaluate_cpu_s: float
    memory_mib: float


def main() -> None:
    """Measure each size and print the table."""
    if shutil.which("ldapsearch") is None:
        sys.exit("ldapsearch is missing: apt-get install ldap-utils")
    sizes = [int(text) for text in sys.argv[1:]] or [1000, 10000]
    sys.stdout.write("  units  people  ldapsearch    run   ratio  evaluate CPU  peak memory\n")
    measured = [_measure(units, people) for units in sizes for people in (0, units // 2)]
    for has_people in (False, True):
        rows = [row for row in measured if bool(row.people) == has_people]
        if len(rows) > 1:
            growth = math.log(rows[-1].run_s / rows[0].run_s) / math.log(rows[-1].units / rows[0].units)
            sys.stdout.write(f"exponent of the cost {'with' if has_people else 'without'} people: {growth:.2f}\n")


def _measure(units: int, people: int) -> Measured:
    with DomainController(estate=_estate(units, people)) as controller, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        inventory = _inventory(controller, folder)
        dumps, runs, memory = [], [], 0.0
        for _ in range(ROUNDS):
            dumps.append(_timed(_dump_command(controller), controller)[0])
            wall_s, _, peak = _timed(_auditor("run", "-c", str(inventory), "-o", str(folder / "runs")), controller)
            runs.append(wall_s)
            memory = max(memory, peak)
        run = next(iter(sorted((folder / "runs").iterdir())))
        again = [
            _timed(_auditor("evaluate", str(run), "-o", str(folder / "again")), controller)[1] for _ in range(ROUNDS)
        ]
        row = Measured(
            units=units,
            people=people,
            dump_s=statistics.median(dumps),
            run_s=statistics.median(runs),
            evaluate_cpu_s=statistics.median(again),
            memory_mib=memory,
        )
    sys.stdout.write(
        f"{row.units:7} {row.people:7} {row.dump_s:9.2f} s {row.run_s:5.2f} s {row.run_s / row.dump_s:6.2f} "
        f"{row.evaluate_cpu_s:11.2f} s {row.memory_mib:8.0f} MiB\n"
    )
    sys.stdout.flush()
    return row


def _estate(units: int, people: int) -> Estate:
    parents = [f"OU=Parent {number},{ROOT}" for number in range(math.ceil(units / UNITS_OF_A_PARENT))]
    leaves = [f"OU=Unit {number},{parents[number // UNITS_OF_A_PARENT]}" for number in range(units)]
    groups = [f"trustee-{number}" for number in range(TRUSTEES)]
    return Estate(
        objects=(
            *map(organizational_unit, (ROOT, SERVICE, *parents, *leaves)),
            account(f"CN={AUDITED},{SERVICE}", AUDITED),
            account(f"CN={AUDITOR},{SERVICE}", AUDITOR),
            *(group(f"CN={name},{SERVICE}", name) for name in groups),
            *(user(f"CN=Person {number},{leaves[number * 2 % units]}", f"person-{number}") for number in range(people)),
        ),
        access_changes=tuple(_access_changes(leaves, groups)),
    )


def _access_changes(leaves: list[str], groups: list[str]) -> Iterator[AccessChange]:
    """Delegate to many at the root, so that descriptors are as long as in a grown domain, and here and there below."""
    member = GUIDS["member"]
    inherited = tuple(f"(OA;CIIO;RPWP;{member};{{group}};{{sid:{name}}})" for name in groups)
    task = (f"(OA;CI;CCDC;{{user}};;{{sid:{AUDITED}}})", f"(OA;CIIO;GA;;{{user}};{{sid:{AUDITED}}})")
    yield AccessChange(dn=ROOT, aces=(*task, *inherited))
    for number, leaf in enumerate(leaves[::CHANGED]):
        yield AccessChange(dn=leaf, aces=(f"(A;CI;RPLC;;;{{sid:{groups[number % len(groups)]}}})",))


def _inventory(controller: DomainController, folder: Path) -> Path:
    path = folder / "inventory.json"
    sign_in = {"username": controller.user_principal_name(AUDITOR), "password": "env:LAB_PASSWORD"}
    connection = {
        "id": "large",
        "kind": "hybrid",
        "name": "a large directory",
        "hosts": [controller.address],
        "tls_server_name": controller.domain.host_name,
        "ca_file": str(controller.ca_file),
        "base_dns": [controller.domain.head],
        "username": controller.user_principal_name(AUDITED),
        "target_ous": [controller.dn(ROOT)],
        "auditor": {"active_directory": sign_in},
    }
    path.write_text(json.dumps({"version": 1, "organisation": "Lab", "connections": [connection]}), encoding="utf-8")
    return path


def _auditor(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "auditor", *arguments, "-q", "-f", "json"]


def _dump_command(controller: DomainController) -> list[str]:
    owner_and_dacl = "!1.2.840.113556.1.4.801=::MAMCAQU="
    return [
        "ldapsearch", "-LLL", "-o", "ldif-wrap=no", "-x", "-H", f"ldaps://{controller.address}",
        "-D", controller.user_principal_name(AUDITOR), "-w", LAB_PASSWORD, "-b", controller.dn(ROOT),
        "-E", "pr=1000/noprompt", "-E", owner_and_dacl, "(objectClass=organizationalUnit)",
        "objectClass", "nTSecurityDescriptor",
    ]  # fmt: skip


def _timed(command: list[str], controller: DomainController) -> tuple[float, float, float]:
    """Run a command; return its wall time and CPU time in seconds, and its peak memory in MiB."""
    environment = {**os.environ, "LAB_PASSWORD": LAB_PASSWORD, "LDAPTLS_CACERT": str(controller.ca_file)}
    started = time.monotonic()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall_s = time.monotonic() - started
        if process.returncode not in (0, 1):
            output.seek(0)
            sys.exit(f"{command[0]} failed: {output.read()[-2000:].decode(errors='replace')}")
    return wall_s, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


if __name__ == "__main__":
    main()
