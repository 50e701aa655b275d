"""Findings and requirements as flat tables, for spreadsheets. Views of the record, never its truth."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable

    from auditor.model.results import (
        EvidenceReference,
        Finding,
        Path,
        RequirementPart,
        RequirementResult,
        Results,
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


def csv_bytes(table: pd.DataFrame) -> bytes:
    """Return `table` as UTF-8 CSV with every cell quoted and formulas made inert by a leading `'`."""
    inert = table.map(neutralise_formula)
    text: str = inert.to_csv(index=False, quoting=csv.QUOTE_ALL, lineterminator="\n")
    return text.encode("utf-8", "backslashreplace")


def neutralise_formula(cell: str) -> str:
    """Return `cell`, with a `'` in front when a spreadsheet would run it (CWE-1236)."""
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell


def _table(rows: Iterable[dict[str, str]], columns: tuple[str, ...]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=list(columns), dtype=object)


def _finding_row(finding: Finding) -> dict[str, str]:
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


def _requirement_row(connection: str, requirement: RequirementResult) -> dict[str, str]:
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


def _part(part: RequirementPart) -> str:
    return f"{part.title}: {part.outcome.value}" + (f" ({part.reason})" if part.reason else "")


def _paths(paths: tuple[Path, ...]) -> str:
    return "\n".join(" > ".join(path) for path in paths)


def _references(references: tuple[EvidenceReference, ...]) -> str:
    return "; ".join(f"{one.dataset} {one.record}".strip() for one in references)
