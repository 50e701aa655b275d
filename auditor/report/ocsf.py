"""The results as OCSF Compliance Finding events (class 2003), one JSON object per line, for a SIEM.

One event per requirement and scope, and one per finding that belongs to no requirement. What could not be
verified has the compliance status Warning, which OCSF defines as no result for want of information: it is
neither a pass nor a failure. https://schema.ocsf.io/1.5.0/classes/compliance_finding
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from auditor.model.instants import parse_instant
from auditor.model.keys import finding_key
from auditor.model.outcome import FindingOutcome, Outcome, Severity
from auditor.report.judgements import judgements
from auditor.report.words import FRAMEWORKS

if TYPE_CHECKING:
    from auditor.model.results import ConnectionResult, RequirementResult, Results
    from auditor.report.finding_view import FindingView

VERSION = "1.5.0"
CATEGORY, CLASS = 2, 2003

# status_id and status of the compliance object
_PASS, _WARNING, _FAIL = (1, "Pass"), (2, "Warning"), (3, "Fail")
_OF_REQUIREMENT = {
    Outcome.SATISFIED: _PASS,
    Outcome.PARTIAL: _FAIL,
    Outcome.MISSING: _FAIL,
    Outcome.UNVERIFIABLE: _WARNING,
    Outcome.NOT_APPLICABLE: (99, "Not applicable"),
}
_OF_FINDING = {
    FindingOutcome.MISSING: _FAIL,
    FindingOutcome.PARTIAL: _FAIL,
    FindingOutcome.EXCESS: _FAIL,
    FindingOutcome.UNVERIFIABLE: _WARNING,
    FindingOutcome.ADVISORY: (99, "Advisory"),
}
_SEVERITIES = {
    Severity.INFO: (1, "Informational"),
    Severity.LOW: (2, "Low"),
    Severity.MEDIUM: (3, "Medium"),
    Severity.HIGH: (4, "High"),
    Severity.CRITICAL: (5, "Critical"),
}
_CREATE, _UPDATE = (1, "Create"), (2, "Update")  # activity: a finding that an earlier run had is updated
_NEW, _SUPPRESSED = (1, "New"), (3, "Suppressed")  # status of the event: a waived finding is suppressed


def ocsf_bytes(results: Results) -> bytes:
    """Return the lines in ASCII, everything else as JSON escapes. Equal records give equal bytes."""
    lines = []
    for judged in judgements(results):
        connection = judged.connection
        if connection is not None:
            lines += [_of_requirement(results, connection, one, view) for one, view in judged.requirements]
        lines += [_of_finding(results, connection, view) for view in judged.others]
    return "".join(json.dumps(line, ensure_ascii=True, allow_nan=False) + "\n" for line in lines).encode("ascii")


def _of_requirement(
    results: Results, connection: ConnectionResult, requirement: RequirementResult, view: FindingView | None
) -> dict[str, Any]:
    if view is not None:
        event = _of_finding(results, connection, view)
    else:
        key = finding_key(requirement.check, connection.id, requirement.id, requirement.scope)
        event = _event(results, Severity.INFO, _CREATE, _NEW)
        event["finding_info"] = {"uid": key, "title": f"{requirement.id} {requirement.title}"}
        event["compliance"] = {"standards": [_matrix(connection)], "requirements": [requirement.id]}
        event["resources"] = _resources(connection, requirement.scope)
    status_id, status = _OF_REQUIREMENT[requirement.outcome]
    detail = requirement.reason or requirement.actual
    event["compliance"] |= {
        "control": requirement.id,
        "desc": requirement.documented,
        "status_id": status_id,
        "status": status,
        "status_code": requirement.outcome.value,
        "status_details": [detail] if detail else [],
    }
    event["metadata"]["event_code"] = requirement.check
    event["message"] = f"{requirement.id} {requirement.title}: {requirement.outcome.value}"
    return event


def _of_finding(results: Results, connection: ConnectionResult | None, view: FindingView) -> dict[str, Any]:
    finding = view.finding
    status_id, status = _OF_FINDING[finding.outcome]
    activity = _UPDATE if finding.drift in ("persisting", "changed") else _CREATE
    event = _event(results, finding.severity, activity, _SUPPRESSED if finding.waiver is not None else _NEW)
    frameworks = dict.fromkeys(FRAMEWORKS.get(one.framework, one.framework) for one in finding.controls)
    event["finding_info"] = {
        "uid": finding.key,
        "title": finding.title,
        "desc": finding.why,
        "first_seen_time": _milliseconds(finding.first_seen or results.run.evaluated_at),
        "last_seen_time": _milliseconds(results.run.evaluated_at),
    }
    event["compliance"] = {
        "standards": [_matrix(connection), *frameworks] if connection is not None else list(frameworks),
        "requirements": [f"{FRAMEWORKS.get(one.framework, one.framework)} {one.id}" for one in finding.controls],
        "control": finding.check,
        "desc": finding.documented,
        "status_id": status_id,
        "status": status,
        "status_code": finding.outcome.value,
        "status_details": [finding.actual],
    }
    event["remediation"] = {"desc": "\n".join((finding.remediation.text, *finding.remediation.commands))}
    event["resources"] = _resources(connection, finding.scope, finding.principal)
    event["metadata"]["event_code"] = finding.check
    event["message"] = finding.title
    if finding.waiver is not None:
        event["status_detail"] = f"waived by {finding.waiver}"
    return event


def _event(
    results: Results, severity: Severity, activity: tuple[int, str], status: tuple[int, str]
) -> dict[str, Any]:
    severity_id, severity_name = _SEVERITIES[severity]
    run = results.run
    return {
        "metadata": {
            "version": VERSION,
            "product": {"name": run.tool.name, "version": run.tool.version},
            "correlation_uid": run.id,
        },
        "category_uid": CATEGORY,
        "category_name": "Findings",
        "class_uid": CLASS,
        "class_name": "Compliance Finding",
        "activity_id": activity[0],
        "activity_name": activity[1],
        "type_uid": CLASS * 100 + activity[0],
        "type_name": f"Compliance Finding: {activity[1]}",
        "severity_id": severity_id,
        "severity": severity_name,
        "status_id": status[0],
        "status": status[1],
        "time": _milliseconds(run.evaluated_at),
    }


def _matrix(connection: ConnectionResult) -> str:
    return f"Hire2Retire permission matrix {connection.matrix.id} {connection.matrix.version}"


def _resources(connection: ConnectionResult | None, scope: str, principal: str = "") -> list[dict[str, Any]]:
    """Return the audited account, or whom the finding is about, and the scope."""
    resources: list[dict[str, Any]] = []
    if connection is not None:
        account = connection.principal
        uid = principal or account.sid or account.object_id or account.name
        resources.append({"type": "Account", "name": account.name, "uid": uid, "namespace": connection.id})
    elif principal:
        resources.append({"type": "Account", "uid": principal})
    if scope:
        resources.append({"type": "Scope", "name": scope})
    return resources


def _milliseconds(instant: str) -> int:
    return int(parse_instant(instant).timestamp() * 1000)
