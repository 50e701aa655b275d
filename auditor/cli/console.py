"""What the tool says to a person or a log collector: everything but data, on standard error."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from enum import StrEnum

from auditor.model.instants import format_instant


class LogFormat(StrEnum):
    """How lines are said: for people, or one JSON object each."""

    TEXT = "text"
    JSON = "json"


class _Voice:
    """How this process speaks; the option of a command sets it, and every command starts with text."""

    log_format = LogFormat.TEXT


def speak(log_format: LogFormat) -> LogFormat:
    """Say every further line in this format, and return it."""
    _Voice.log_format = log_format
    return log_format


def visible(text: str) -> str:
    """Return text with control and direction characters spelled out, so that no name can steer a terminal."""
    return "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text)


def say(message: str, *, level: str = "info", **facts: str | float | None) -> None:
    """Say one line. As JSON it has `time`, `level` and `message`, and the facts that are given."""
    if _Voice.log_format is LogFormat.JSON:
        told = {"time": format_instant(datetime.now(UTC)), "level": level, "message": message, **facts}
        line = json.dumps(told)  # ASCII: whatever shows it, no name can steer it
    else:
        line = visible(message)
    sys.stderr.write(f"{line}\n")  # in one piece: connections are read side by side
    sys.stderr.flush()
