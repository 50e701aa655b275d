"""The command line as a fixture."""

from __future__ import annotations

import pytest

from tests.unit.cli.estate import Auditor


@pytest.fixture
def auditor(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Auditor:
    """Return a function that runs a command in this process."""
    return Auditor(monkeypatch, capsys)
