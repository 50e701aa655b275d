"""Memory stays flat however many members a group has: the records of a read go to disk as they arrive."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.integration.audits import tenant_inventory
from tests.microsoft365.scenarios import SERVICE_ACCOUNT
from tests.microsoft365.service import LocalMicrosoft365
from tests.microsoft365.tenant import Tenant, TenantBuilder

if TYPE_CHECKING:
    from pathlib import Path

FEW, MANY = 1_000, 100_000
# A hundred thousand records as Python objects take some 80 MiB
ALLOWED_KIB = 24 * 1024
# The peak of this program alone: that of getrusage starts with what the parent had when it forked
_MEASURED = """
import re, sys
from pathlib import Path
from auditor.cli import main
try:
    main()
finally:
    peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())
    sys.stderr.write(f"peak {peak[1]}\\n")
"""
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells the peak in /proc")


def tenant(members: int) -> Tenant:
    """The account's role group contains a group with that many people."""
    builder = TenantBuilder()
    account = builder.user(SERVICE_ACCOUNT)
    people = [builder.user(f"person{number}@contoso.example") for number in range(members)]
    everybody = builder.group("Everybody", mail_enabled=True, members=people)
    builder.role_group("H2R Provisioning", roles=["Mail Recipients"], members=[account, everybody])
    builder.entra_role(account, "User Administrator")
    return builder.build()


def peak_kib(folder: Path, *arguments: str) -> tuple[int, Path]:
    """Run the tool in a process of its own; return its peak memory and the folder it names."""
    finished = subprocess.run(
        [sys.executable, "-c", _MEASURED, *arguments, "-q", "-o", str(folder)],
        env={**os.environ, "LAB_SECRET": tenant(0).auditor.secrets[0].value},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.stdout.strip(), finished.stderr
    *_, last = finished.stderr.splitlines()
    return int(last.removeprefix("peak ")), folder.parent / finished.stdout.strip()


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> dict[int, tuple[int, Path]]:
    """Collect from a small and from a large tenant."""
    peaks = {}
    for members in (FEW, MANY):
        folder = tmp_path_factory.mktemp(f"members-{members}")
        with LocalMicrosoft365(tenant(members), graph_page_size=999) as service:
            inventory = folder / "inventory.json"
            inventory.write_text(json.dumps(tenant_inventory(service, SERVICE_ACCOUNT)), encoding="utf-8")
            peaks[members] = peak_kib(folder / "runs", "collect", "-c", str(inventory))
    return peaks


def members_in(run: Path) -> int:
    files = run.glob("evidence/contoso/*-group_members.jsonl")
    return sum(file.read_bytes().count(b"\n") for file in files)


def test_collecting_takes_no_more_memory_for_a_hundred_times_the_members(
    collected: dict[int, tuple[int, Path]],
) -> None:
    (few, small), (many, large) = collected[FEW], collected[MANY]
    assert (members_in(small), members_in(large)) == (FEW, MANY)
    assert many - few < ALLOWED_KIB, f"{few} KiB for {FEW} members, {many} KiB for {MANY}"


def test_judging_takes_no_more_memory_for_a_hundred_times_the_members(
    collected: dict[int, tuple[int, Path]], tmp_path: Path
) -> None:
    few, _ = peak_kib(tmp_path / "few", "evaluate", str(collected[FEW][1]))
    many, _ = peak_kib(tmp_path / "many", "evaluate", str(collected[MANY][1]))
    assert many - few < ALLOWED_KIB, f"{few} KiB for {FEW} members, {many} KiB for {MANY}"
