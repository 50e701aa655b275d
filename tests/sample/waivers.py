"""Accepts three findings of the sample, as its owner would: `auditor waivers add` writes `waivers.yaml`."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

HEADING = """# Findings of the sample that Contoso accepted: composed, like everything about Contoso.
# Written by `auditor waivers add`; the states are those at the instant that README.md names.
version: 1
waivers: []
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """What is accepted: the one finding of `check` of `connection`; and for how long."""

    check: str
    connection: str
    reason: str
    ticket: str
    created: str
    expires: str


ACCEPTED = (
    Acceptance(
        check="AD-GRP-005",
        connection="hybrid-munich",
        reason="The payroll vendor's appliance finds its accounts by this group, until it is replaced",
        ticket="CHG-2041",
        created="2026-11-02",
        expires="2027-04-30",
    ),
    Acceptance(
        check="AD-CTL-001",
        connection="hybrid-fabrikam",
        reason="SDProp is repaired with the new domain controllers",
        ticket="CHG-2066",
        created="2026-11-16",
        expires="2026-12-11",
    ),
    Acceptance(
        check="EXO-010",
        connection="exchange-migration",
        reason="Needed to move the last mailboxes",
        ticket="MIG-77",
        created="2026-08-03",
        expires="2026-10-31",
    ),
)


def accept_findings(folder: Path) -> Path:
    """Judge the sample in `folder`, write `folder/waivers.yaml` anew, and return it."""
    waivers = folder / "waivers.yaml"
    with tempfile.TemporaryDirectory(prefix="contoso-") as work:
        # what is found decides the exit code of a run
        run = Path(_auditor("run", "-q", "-c", folder / "inventory.yaml", "-o", work, "-f", "json", expected=(1,)))
        findings = json.loads((run / "results.json").read_bytes())["findings"]
        waivers.write_text(HEADING, encoding="utf-8")
        for each in ACCEPTED:
            (key,) = (
                finding["key"]
                for finding in findings
                if (finding["check"], finding["connection"]) == (each.check, each.connection)
            )
            _auditor(
                *("waivers", "add", waivers, "--run", run, "--finding", key),
                *("--reason", each.reason, "--ticket", each.ticket),
                *("--owner", "anna.kowalska@contoso.example", "--approved-by", "ciso@contoso.example"),
                *("--expires", each.expires, "--now", f"{each.created}T09:00:00Z"),
            )
    return waivers


def _auditor(*arguments: str | Path, expected: tuple[int, ...] = (0,)) -> str:
    finished = subprocess.run(
        [sys.executable, "-m", "auditor", *map(str, arguments)], stdout=subprocess.PIPE, text=True, check=False
    )
    if finished.returncode not in expected:
        sys.exit(f"auditor {arguments[0]} ended with {finished.returncode}")
    return finished.stdout.strip()
