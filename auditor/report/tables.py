"""The record as flat tables, for spreadsheets. Views of the record, never its truth."""

from __future__ import annotations

import csv
import json
from functools import cache
from typing import TYPE_CHECKING

import pandas as pd

from auditor.model.outcome import DriftState
from auditor.report.visible_text import make_visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from auditor.model.drift import DriftEntry
    from auditor.model.results import (
        EntitlementRecord,
        EvidenceReference,
        Finding,
        Path,
        RequirementPart,
        RequirementResult,
        Results,
        SourceRecord,
    )

# A spreadsheet runs a cell that starts with one of these as a formula.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

FINDING_COLUMNS = (
    "key", "connection", "check", "outcome", "severity", "title", "principal", "entitlement", "scope",
    "documented", "actual", "why", "paths", "remediation", "commands", "controls", "evidence",
    "waiver", "drift",
)
MATRIX_COLUMNS = (
    "connection", "id", "check", "title", "scope", "plane", "basis", "outcome", "how",
    "documented", "actual", "reason", "note", "paths", "parts", "evidence",
)
ENTITLEMENT_COLUMNS = ("connection", "kind", "name", "id", "scope", "status", "paths")
EVIDENCE_COLUMNS = (
    "connection", "dataset", "subject", "endpoint", "query", "started_at", "finished_at", "records", "pages",
    "complete", "error_kind", "error", "missing_permission", "sha256",
)
WAIVER_COLUMNS = (
    "id", "state", "in_effect", "is_self_approved", "finding", "note", "check", "connection", "principal",
    "entitlement", "scope", "accepted_fingerprint", "reason", "owner", "approved_by", "ticket", "created", "expires",
)
DRIFT_COLUMNS = ("state", "subject", "key", "connection", "title", "scope", "before", "after", "reason")


def findings_table(results: Results) -> pd.DataFrame:
    """Return one row per finding, in the order of the record; every cell is text."""
    return _table((_finding_row(finding) for finding in results.findings), FINDING_COLUMNS)


def matrix_table(results: Results) -> pd.DataFrame:
    """Return one row per connection, requirement and scope; every cell is text."""
    rows = (
        _requirement_row(connection.id, requirement)
        for connection in results.connections
        for requirement in connection.requirements
    )
    return _table(rows, MATRIX_COLUMNS)


def entitlements_table(results: Results) -> pd.DataFrame:
    """Return one row per connection and entitlement; every cell is text."""
    rows = (
        _entitlement_row(connection.id, entitlement)
        for connection in results.connections
        for entitlement in connection.entitlements
    )
    return _table(rows, ENTITLEMENT_COLUMNS)


def evidence_table(results: Results) -> pd.DataFrame:
    """Return one row per read, in the order of the record; counts are whole numbers, every other cell is text."""
    rows = (_source_row(connection.id, one) for connection in results.connections for one in connection.sources)
    return _table(rows, EVIDENCE_COLUMNS)


def waivers_table(results: Results) -> pd.DataFrame:
    """Return one row per waiver of the file; every cell is text."""
    rows = ({name: _text(getattr(waiver, name)) for name in WAIVER_COLUMNS} for waiver in results.waivers)
    return _table(rows, WAIVER_COLUMNS)


def drift_table(results: Results) -> pd.DataFrame:
    """Return one row per difference from the earlier run; every cell is text."""
    told = [_drift_row(entry) for entry in results.drift.entries]
    known = {entry.key for entry in results.drift.entries}
    bare = [
        dict.fromkeys(DRIFT_COLUMNS, "") | {"state": state.value, "subject": "finding", "key": key}
        for state in DriftState
        for key in getattr(results.drift, state)
        if key not in known
    ]
    return _table([*told, *bare], DRIFT_COLUMNS)


def csv_bytes(table: pd.DataFrame) -> bytes:
    """Return `table` as UTF-8 CSV: every cell quoted, deceptive characters spelled out, formulas made inert by `'`."""
    inert = table.map(cache(lambda cell: neutralise_formula(make_visible(cell))))  # most cells say what others do
    text: str = inert.to_csv(index=False, quoting=csv.QUOTE_ALL, lineterminator="\n")
    return text.encode("utf-8")


def neutralise_formula(cell: str) -> str:
    """Return `cell`, with a `'` in front when a spreadsheet would run it (CWE-1236)."""
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell


def _table(rows: Iterable[Mapping[str, object]], columns: tuple[str, ...]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=list(columns), dtype=object)


def _finding_row(finding: Finding) -> dict[str, object]:
    return {
        "key": finding.key,
        "connection": finding.connection,
        "check": finding.check,
        "outcome": finding.outcome.value,
        "severity": finding.severity.value,
        "title": finding.title,
        "principal": finding.principal,
        "entitlement": finding.entitlement,
        "scope": finding.scope,
        "documented": finding.documented,
        "actual": finding.actual,
        "why": finding.why,
        "paths": _paths(finding.paths),
        "remediation": finding.remediation.text,
        "commands": "\n".join(finding.remediation.commands),
        "controls": "; ".join(f"{control.framework} {control.id}" for control in finding.controls),
        "evidence": _references(finding.evidence),
        "waiver": finding.waiver or "",
        "drift": finding.drift or "",
    }


def _requirement_row(connection: str, requirement: RequirementResult) -> dict[str, object]:
    return {
        "connection": connection,
        "id": requirement.id,
        "check": requirement.check,
        "title": requirement.title,
        "scope": requirement.scope,
        "plane": requirement.plane,
        "basis": requirement.basis,
        "outcome": requirement.outcome.value,
        "how": requirement.how,
        "documented": requirement.documented,
        "actual": requirement.actual,
        "reason": requirement.reason,
        "note": requirement.note,
        "paths": _paths(requirement.paths),
        "parts": "\n".join(_part(part) for part in requirement.parts),
        "evidence": _references(requirement.evidence),
    }


def _entitlement_row(connection: str, entitlement: EntitlementRecord) -> dict[str, object]:
    return {
        "connection": connection,
        "kind": entitlement.kind,
        "name": entitlement.name,
        "id": entitlement.id,
        "scope": entitlement.scope,
        "status": entitlement.status,
        "paths": _paths(entitlement.paths),
    }


def _source_row(connection: str, source: SourceRecord) -> dict[str, object]:
    return {
        "connection": connection,
        "dataset": source.dataset,
        "subject": source.subject,
        "endpoint": source.endpoint,
        "query": json.dumps(source.query, ensure_ascii=False),
        "started_at": source.started_at,
        "finished_at": source.finished_at,
        "records": source.records,
        "pages": source.pages,
        "complete": _text(source.complete),
        "error_kind": source.error_kind or "",
        "error": source.error or "",
        "missing_permission": source.missing_permission or "",
        "sha256": source.sha256,
    }


def _drift_row(entry: DriftEntry) -> dict[str, object]:
    return {name: _text(getattr(entry, name)) for name in DRIFT_COLUMNS}


def _text(value: str | bool | None) -> str:
    if value is None:
        return ""
    return str(value) if isinstance(value, str) else ("yes" if value else "no")


def _part(part: RequirementPart) -> str:
    return f"{part.title}: {part.outcome.value}" + (f" ({part.reason})" if part.reason else "")


def _paths(paths: tuple[Path, ...]) -> str:
    return "\n".join(" > ".join(path) for path in paths)


def _references(references: tuple[EvidenceReference, ...]) -> str:
    return "; ".join(
        f"{one.dataset} {one.record}".strip() + (f": {one.quote}" if one.quote else "") for one in references
    )
