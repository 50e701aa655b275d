"""Parses descriptors and judges the user task on each: `python -m tests.bench.judge_descriptors FILE`.

FILE holds hexadecimal texts as JSON. Prints the CPU seconds it took as JSON, from empty caches.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from auditor.acl import Token, parse_descriptor
from auditor.evaluate.directory.user_task import decide_user_task
from tests.bench.bench_descriptors import DOMAIN

TOKEN = Token(frozenset({f"{DOMAIN}-1104", f"{DOMAIN}-513", f"{DOMAIN}-1200", "S-1-1-0", "S-1-5-2", "S-1-5-11"}))


def main() -> None:
    """Measure once."""
    descriptors = [bytes.fromhex(text) for text in json.loads(Path(sys.argv[1]).read_text(encoding="ascii"))]
    started = time.process_time()
    for raw in descriptors:
        decide_user_task(parse_descriptor(raw), TOKEN)
    sys.stdout.write(json.dumps({"parsed and judged": time.process_time() - started}))


if __name__ == "__main__":
    main()
