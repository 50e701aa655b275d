"""Requests and responses as the services see them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class System(StrEnum):
    """Who was called. `FOREIGN` is an origin that nobody should ever call."""

    LOGIN = "login"
    GRAPH = "graph"
    EXCHANGE = "exchange"
    MACHINE = "machine"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request. Header names are in lower case; `query` keeps the last value of each name."""

    system: System
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def body_object(self) -> dict[str, Any]:
        """The body as a JSON object; empty when it is anything else."""
        try:
            document = json.loads(self.body)
        except ValueError:
            return {}
        return document if isinstance(document, dict) else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One HTTP response."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def json_response(status: int, document: object, **headers: str) -> Response:
    """A JSON response; header names are given with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(
        status=status,
        body=json.dumps(document, ensure_ascii=False).encode(),
        headers={"Content-Type": "application/json; charset=utf-8", **named},
    )
