"""How a large estate scales: `python -m tests.bench.bench_estate [CONNECTIONS] [--cluster]`.

Composed: recorded connections, every second one hybrid with a hundred organizational units below its target OU, the
others Exchange Online. `auditor run` judges them and renders JSON, CSV and HTML, as a process of its own, start
included: a tenth of them and all of them on one processor, then all on two. Prints how much faster two processors
are (at least 1.7 is wanted), the exponent of the cost in CPU time from a tenth to all (at most 1.05), and the memory
of the largest process (less than 500 MiB); with --cluster also the time of a local Dask cluster of two workers over
that of the built-in executor (at most 1.3). Meaningful on an idle machine with two processors or more.
"""

from __future__ import annotations

import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.unit.cli.test_cluster import Cluster
from tests.unit.evaluate.composed_directory import (
    DELEGATED,
    DOMAIN,
    READABLE,
    STAFF,
    Container,
    Directory,
    ace,
    descriptor,
    service_account,
)
from tests.unit.evaluate.composed_tenant import Tenant
from tests.unit.evaluate.recorded import write_evidence

REPOSITORY = Path(__file__).parents[2]
UNITS = 100
ROUNDS = 2  # in turn; the shorter counts, since what else the machine does only ever adds
FASTER, EXPONENT, MEMORY_MIB, CLUSTER = 1.7, 1.05, 500, 1.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one run took; `memory_mib` is that of the largest process so far."""

    wall_s: float
    cpu_s: float
    memory_mib: float


def main() -> None:
    """Measure, and fail when one of the figures is not reached."""
    count = int(next((each for each in sys.argv[1:] if each.isdigit()), 1000))
    processors = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as scratch:
        few, many = (_record(Path(scratch) / str(number), number) for number in (count // 10, count))
        small = _run(few, processors[:1])
        rounds = [(_run(many, processors[:1]), _run(many, processors[:2])) for _ in range(ROUNDS)]
        one, two = (min(costs, key=lambda cost: cost.wall_s) for costs in zip(*rounds, strict=True))
        sys.stdout.write(f"two processors of this machine do {_twice(processors[:2]):.2f} times as much as one\n")
        figures = [
            ("two processors are faster by", one.wall_s / two.wall_s, FASTER, False),
            ("exponent of the cost", math.log10(one.cpu_s / small.cpu_s), EXPONENT, True),
            ("memory in MiB", two.memory_mib, MEMORY_MIB, True),
        ]
        sys.stdout.write(
            f"{count} connections: {one.wall_s:.1f} s on one processor ({one.cpu_s:.1f} s of CPU), "
            f"{two.wall_s:.1f} s on two; {count // 10}: {small.cpu_s:.1f} s of CPU\n"
        )
        if "--cluster" in sys.argv:
            with ExitStack() as stack:
                (Path(scratch) / "cluster").mkdir()
                cluster = Cluster(Path(scratch) / "cluster")
                stack.callback(cluster.stop)
                for _ in range(2):
                    cluster.worker()
                spread = _run(many, processors[:2], "--executor", "dask", "--scheduler", cluster.address)
            figures.append(("a cluster takes longer by", spread.wall_s / two.wall_s, CLUSTER, True))
    for name, value, wanted, is_most in figures:
        sys.stdout.write(f"{name}: {value:.2f} (wanted: {'at most' if is_most else 'at least'} {wanted})\n")
    sys.exit(any(value > wanted if is_most else value < wanted for _, value, wanted, is_most in figures))


def _twice(processors: list[int]) -> float:
    """Return how much more two loops on two processors do than one on one, in the same time."""
    loop = f"import os; os.sched_setaffinity(0, {processors}); any(False for _ in range(100_000_000))"
    one, two = (
        _wall_s([subprocess.Popen([sys.executable, "-c", loop]) for _ in range(count)]) for count in (1, 2)
    )
    return 2 * one / two


def _wall_s(running: list[subprocess.Popen[bytes]]) -> float:
    began = time.monotonic()
    for each in running:
        each.wait()
    return time.monotonic() - began


def _record(folder: Path, count: int) -> Path:
    """Write recorded connections and the inventory that replays them; return that."""
    entries = []
    for number in range(count):
        name = f"connection-{number:04}"
        evidence = (Tenant() if number % 2 else _directory(number)).evidence()
        write_evidence(evidence, folder / "evidence" / name)
        entries.append({"id": name, "kind": str(evidence.connection.kind), "replay": f"evidence/{name}"})
    inventory = folder / "inventory.json"
    inventory.write_text(json.dumps({"version": 1, "organisation": "Contoso", "connections": entries}))
    return inventory


def _directory(number: int) -> Directory:
    """Return a directory of its own account, with a few units in which delegation was taken away."""
    below = {
        f"OU=Department {each:03},{STAFF}": descriptor(*DELEGATED)
        if (each + number) % 10
        else descriptor(READABLE, ace(0x10, f"{DOMAIN}-{5000 + each}"))
        for each in range(UNITS)
    }
    account = service_account("Domain Admins", "H2R Delegates", objectSid=f"{DOMAIN}-{10_000 + number}")
    return Directory(accounts=(account,), ous={STAFF: Container(raw=descriptor(*DELEGATED), below=below)})


def _run(inventory: Path, processors: list[int], *options: str) -> Cost:
    # What was written stays until all is measured: on ext4 making files takes the kernel many times longer for some
    # minutes after many were removed, and the next run would pay for that
    output = tempfile.mkdtemp(dir=inventory.parent)
    command = [sys.executable, "-m", "auditor", "run", "-c", inventory, "-o", output, "-f", "json,csv,html", "-q"]
    os.sync()
    before, began = os.times(), time.monotonic()
    subprocess.run(
        [*command, "--exit-zero", "--now", "2026-11-23T08:00:00Z", *options],
        cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True,
        preexec_fn=lambda: os.sched_setaffinity(0, processors),
    )  # fmt: skip
    wall_s, after = time.monotonic() - began, os.times()
    return Cost(
        wall_s=wall_s,
        cpu_s=after.children_user + after.children_system - before.children_user - before.children_system,
        memory_mib=resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
    )


if __name__ == "__main__":
    main()
