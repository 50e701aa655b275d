"""One collection from scripted servers, and the gaps it left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import pytest

from auditor.collect.directory import Limits

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from auditor.collect.directory.session import DirectorySession
    from auditor.model.evidence import Evidence, Gap

Open: TypeAlias = "Callable[..., AbstractContextManager[DirectorySession]]"
PASSWORD = "Sécret-pässword-1"
IMPATIENT = Limits(connect_s=0.6, receive_s=0.6, overall_s=20.0)


class Collect(Protocol):
    """Collects over `port` of 127.0.0.1 with settings of the connection changed; returns the evidence."""

    def __call__(
        self,
        port: int,
        *,
        limits: Limits = IMPATIENT,
        auditor: str = ...,
        password: str = PASSWORD,
        **settings: Any,
    ) -> Evidence: ...


def gap_of(evidence: Evidence, dataset: str, subject: str = "") -> Gap:
    """Return the gap of a read that must have one."""
    return evidence.read(dataset, subject).gap or pytest.fail(f"{dataset} {subject} has no gap")
