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
from auditor.report.finding_view import DEVIATIONS
from auditor.report.judgements import judgements
from auditor.report.visible_text import make_visible

if TYPE_CHECKING:
    from auditor.model.results import RequirementResult, Results
    from auditor.report.finding_view import FindingView


def junit_bytes(results: Results) -> bytes:
    """Return the XML in UTF-8. Equal records give equal bytes."""
    root = ET.Element("testsuites", name="Hire2Retire permission audit")
    for judged in judgements(results):
        name = judged.connection.id if judged.connection is not None else "not in the record"
        suite = ET.SubElement(root, "testsuite", name=make_visible(name), hostname=make_visible(results.run.host))
        suite.set("timestamp", results.run.evaluated_at)
        suite.extend(_requirement_case(name, requirement, view) for requirement, view in judged.requirements)
        suite.extend(
            _finding_case(name, view)
            for view in judged.others
            if view.finding.outcome is not FindingOutcome.ADVISORY
        )
        _count(suite)
        suite.set("skipped", str(sum(1 for _ in suite.iter("skipped"))))
    _count(root)
    ET.indent(root)
    content: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return content + b"\n"


def _requirement_case(connection: str, requirement: RequirementResult, view: FindingView | None) -> ET.Element:
    where = f" [{requirement.scope}]" if requirement.scope else ""
    case = _case(connection, requirement.check, f"{requirement.id} {requirement.title}{where}")
    detail = requirement.reason or requirement.actual
    if requirement.outcome is Outcome.NOT_APPLICABLE:
        _say(case, "skipped", "not applicable", detail)
    elif view is not None:
        _tell(case, view)
    elif requirement.outcome is Outcome.UNVERIFIABLE:
        _say(case, "skipped", f"could not be verified: {detail}", detail)
    elif requirement.outcome is not Outcome.SATISFIED:
        _say(case, "failure", f"{requirement.outcome}: {detail}", detail)
    return case


def _finding_case(connection: str, view: FindingView) -> ET.Element:
    where = f" [{view.finding.scope}]" if view.finding.scope else ""
    case = _case(connection, view.finding.check, f"{view.finding.title}{where}")
    _tell(case, view)
    return case


def _case(connection: str, check: str, name: str) -> ET.Element:
    return ET.Element("testcase", classname=make_visible(f"{connection}.{check}"), name=make_visible(name), time="0")


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
        told.set("message", make_visible(message))
    if name == "failure":
        told.set("type", "deviation")
    told.text = "\n".join(make_visible(line) for line in detail.split("\n"))


def _count(element: ET.Element) -> None:
    kinds = Counter(child.tag for case in element.iter("testcase") for child in case)
    element.set("tests", str(sum(1 for _ in element.iter("testcase"))))
    element.set("failures", str(kinds["failure"]))
    element.set("errors", "0")
