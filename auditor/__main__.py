"""`python -m auditor`."""

from auditor.cli import main

if __name__ == "__main__":  # a process that is spawned imports this module, and must not run it
    main()
