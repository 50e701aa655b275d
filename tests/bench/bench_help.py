"""How long `auditor --help` takes: `python -m tests.bench.bench_help [ROUNDS]`.

In turn with a bare Typer program of one command; CPU time counts. Prints the medians and their ratio; at most 1.5 is
wanted.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path

MOST = 1.5
REPOSITORY = Path(__file__).parents[2]
BARE = """
import typer

app = typer.Typer()


@app.command()
def main(name: str = "world") -> None:
    \"\"\"Greet.\"\"\"
    print(name)


app()
"""


def cpu_s(*arguments: str) -> float:
    """Return the CPU time of one run of this Python."""
    before = os.times()
    subprocess.run([sys.executable, *arguments], cwd=REPOSITORY, stdout=subprocess.DEVNULL, check=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def main() -> None:
    """Measure, and fail when it takes too long."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    times = [(cpu_s("-m", "auditor", "--help"), cpu_s("-c", BARE, "--help")) for _ in range(rounds)]
    ours, bare = (statistics.median(each) for each in zip(*times, strict=True))
    sys.stdout.write(f"auditor --help {ours:.3f} s, bare Typer {bare:.3f} s of CPU: ratio {ours / bare:.2f}\n")
    sys.exit(ours / bare > MOST)


if __name__ == "__main__":
    main()
