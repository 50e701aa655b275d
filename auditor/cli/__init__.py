"""The command line: the only place that prints, reads the clock or exits."""

from __future__ import annotations

from auditor.cli.app import main

__all__ = ["main"]
