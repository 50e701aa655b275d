"""The command line as a fixture."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import pytest

from tests.unit.cli.estate import Auditor

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def auditor(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Auditor:
    """Return a function that runs a command in this process."""
    return Auditor(monkeypatch, capsys)


@pytest.fixture
def silent_server() -> Iterator[tuple[int, threading.Event]]:
    """A server that accepts connections and never says a word; yields its port and when somebody came."""
    came = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        accepted = []

        def accept() -> None:
            try:
                while True:
                    accepted.append(listener.accept()[0])
                    came.set()
            except OSError:
                return

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield listener.getsockname()[1], came
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(timeout=5)
        for connection in accepted:
            connection.close()
