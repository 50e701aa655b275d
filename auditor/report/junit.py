"""The results as JUnit XML, for a pipeline's list of tests.

A test suite is a connection, a test case a requirement in one scope, or an excess, or a read that left
something open. What makes the verdict fails; what could not be verified is skipped with its reason, never
passed; what is waived is skipped with the waiver's id. Advisories are no test cases.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from auditor.model.outcome import FindingOutcome, Outcome
from auditor.report.finding_view import DEVIATIONS, finding_views
from auditor.report.hostile_text import spell_out

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.model.results import ConnectionResult, RequirementResult, Results
    from auditor.report.finding_view import FindingView


def junit_bytes(results: Results) -> bytes:
    """Return the XML in UTF-8. Equal records give equal bytes."""
    root = ET.Element("testsuites", name="Hire2Retire permission audit")
    views = finding_views(results)
    for connection in results.connections:
        own = [view for view in views if view.finding.connection == connection.id]
        suite = ET.SubElement(root, "testsuite", name=spell_out(connection.id), hostname=spell_out(results.run.host))
        suite.set("timestamp", results.run.evaluated_at)
        suite.extend(_cases(connection, own))
        _count(suite)
    _count(root)
    ET.indent(root)
    content: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return content + b"\n"


def _cases(connection: ConnectionResult, views: list[FindingView]) -> Iterator[ET.Element]:
    judged = {(view.finding.check, view.finding.entitlement, view.finding.scope): view for view in views}
    for requirement in connection.requirements:
        yield _requirement_case(connection, requirement, judged)
    requirements = {(one.check, one.id, one.scope) for one in connection.requirements}
    for key, view in judged.items():
        if key not in requirements and view.finding.outcome is not FindingOutcome.ADVISORY:
            yield _finding_case(connection, view)


def _requirement_case(
    connection: ConnectionResult,
    requirement: RequirementResult,
    judged: dict[tuple[str, str, str], FindingView],
) -> ET.Element:
    where = f" [{requirement.scope}]" if requirement.scope else ""
    case = _case(connection, requirement.check, f"{requirement.id} {requirement.title}{where}")
    view = judged.get((requirement.check, requirement.id, requirement.scope))
    if requirement.outcome is Outcome.NOT_APPLICABLE:
        _say(case, "skipped", "not applicable", requirement.reason or requirement.actual)
    elif view is not None:
        _tell(case, view)
    return case


def _finding_case(connection: ConnectionResult, view: FindingView) -> ET.Element:
    where = f" [{view.finding.scope}]" if view.finding.scope else ""
    case = _case(connection, view.finding.check, f"{view.finding.title}{where}")
    _tell(case, view)
    return case


def _case(connection: ConnectionResult, check: str, name: str) -> ET.Element:
    return ET.Element("testcase", classname=spell_out(f"{connection.id}.{check}"), name=spell_out(name), time="0")


def _tell(case: ET.Element, view: FindingView) -> None:
    finding = view.finding
    detail = f"{finding.actual}\nWhat to do: {finding.remediation.text}\nKey: {finding.key}"
    if finding.outcome is FindingOutcome.UNVERIFIABLE:
        _say(case, "skipped", f"could not be verified: {finding.actual}", detail)
    elif finding.waiver is not None:
        _say(case, "skipped", f"{finding.outcome}, waived by {finding.waiver}", detail)
    elif view.decides:
        _say(case, "failure", f"{finding.outcome}, {finding.severity}: {finding.actual}", detail)
    elif finding.outcome in DEVIATIONS:
        _say(case, "system-out", "", f"{finding.outcome}, {finding.severity}, below the threshold: {detail}")


def _say(case: ET.Element, name: str, message: str, detail: str) -> None:
    told = ET.SubElement(case, name)
    if message:
        told.set("message", spell_out(message))
    if name == "failure":
        told.set("type", "deviation")
    told.text = "\n".join(spell_out(line) for line in detail.split("\n"))


def _count(element: ET.Element) -> None:
    kinds = Counter(child.tag for case in element.iter("testcase") for child in case)
    element.set("tests", str(sum(1 for _ in element.iter("testcase"))))
    element.set("failures", str(kinds["failure"]))
    element.set("errors", "0")
    element.set("skipped", str(kinds["skipped"]))
