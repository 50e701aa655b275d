"""How much CPU `auditor diff` takes: `python -m tests.bench.bench_diff [ENTITLEMENTS]`.

Composed: two runs of twenty connections with as many entitlements together, of which one in a hundred differs. The
command runs as a process of its own, start included; its CPU time counts. For 50,000 entitlements each less than 2
seconds are wanted on an idle machine.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from auditor.model.results import EntitlementRecord
from auditor.report.results_json import write_results
from tests.unit.evaluate.composed import judge
from tests.unit.evaluate.composed_tenant import CONNECTION, Tenant

if TYPE_CHECKING:
    from auditor.model.results import Results

REPOSITORY = Path(__file__).parents[2]
MOST_S = 2.0
CONNECTIONS = 20


def main() -> None:
    """Measure one comparison, and fail when it takes too much."""
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    with tempfile.TemporaryDirectory() as folder:
        for name, changed in (("a", "user"), ("b", "manager")):
            (Path(folder) / name).mkdir()
            write_results(_run(wanted, changed), Path(folder) / name / "results.json")
        before = os.times()
        told = subprocess.run(
            [sys.executable, "-m", "auditor", "diff", f"{folder}/a", f"{folder}/b"],
            cwd=REPOSITORY, capture_output=True, text=True, check=True,
        )
        after = os.times()
    cpu_s = after.children_user + after.children_system - before.children_user - before.children_system
    sys.stdout.write(f"{told.stderr.splitlines()[-1]}\n{wanted} entitlements each: {cpu_s:.2f} s of CPU\n")
    sys.exit(cpu_s > MOST_S)


def _run(wanted: int, changed: str) -> Results:
    connections = [replace(CONNECTION, id=f"tenant-{number:02}") for number in range(CONNECTIONS)]
    evidence = [Tenant(connection=connection).evidence() for connection in connections]
    results = judge(*evidence)
    share = wanted // CONNECTIONS
    return replace(
        results,
        connections=tuple(
            replace(connection, entitlements=tuple(_entitlement(number, changed) for number in range(share)))
            for connection in results.connections
        ),
    )


def _entitlement(number: int, changed: str) -> EntitlementRecord:
    return EntitlementRecord(
        kind="ad_right",
        name=f"write property of {changed if number % 100 == 0 else 'user'}",
        id=f"write_property:{number % 40}",
        scope=f"OU=Department {number // 40:05},OU=Staff,DC=corp,DC=example,DC=com",
        status="excess" if number % 100 == 0 and changed == "user" else "documented",
        paths=(("svc-h2r", "H2R Delegates", f"ACE {number % 40}"),),
    )


if __name__ == "__main__":
    main()
