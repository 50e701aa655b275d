"""Composed evidence on disk, as a collection leaves it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.collect.evidence_writer import EvidenceWriter
from tests.unit.evaluate.composed import NOW

if TYPE_CHECKING:
    from pathlib import Path

    from auditor.model.evidence import Evidence


def write_evidence(evidence: Evidence, folder: Path) -> Path:
    """Write the evidence of one connection into `folder` and return that."""
    writer = EvidenceWriter(folder, evidence.connection, lambda: NOW)
    for source, read in evidence.reads:
        with writer.read(
            source.dataset, endpoint=source.endpoint, query=source.query, subject=source.subject
        ) as open_read:
            for record in read:
                open_read.add(record)
            if read.gap is not None:
                open_read.leave_gap(read.gap)
    for raw in evidence.descriptors.values():
        writer.store_descriptor(raw)
    writer.close({"operator": "collector", "host": "there", "tool_version": "0.0.1", "signed_in_as": "auditor"})
    return folder
