"""The process: `python -m auditor`, and what the installed command runs."""

from __future__ import annotations

import os
import threading

from auditor.cli import main


def run_process() -> None:
    """Run the command line and end the process with its exit code, whatever threads are still at.

    A read that nobody waits for any longer goes on in a thread of its own. OpenSSL's clean-up at the end of a process
    would take away what it works with and crash the process: it is left out then.
    """
    try:
        main()
    except SystemExit as finished:
        if threading.active_count() > 1 and isinstance(finished.code, int):
            os._exit(finished.code)
        raise


if __name__ == "__main__":  # a process that is spawned imports this module, and must not run it
    run_process()
