from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from xml.etree import ElementTree as ET

from sample_results import clean_results, sample_results

from auditor.model.outcome import Outcome, Severity
from auditor.report.finding_view import finding_views
from auditor.report.junit import junit_bytes


def suites(results):
    return ET.fromstring(junit_bytes(results)).findall("testsuite")


def joined(results):
    """Return the sample with findings made of its requirements, as an evaluation leaves them."""
    findings = []
    for finding in results.findings:
        match = [
            one
            for connection in results.connections
            if connection.id == finding.connection
            for one in connection.requirements
            if one.check[:6] == finding.check[:6]
            and one.scope == finding.scope
            and one.outcome.value == finding.outcome.value
        ]
        own = {"check": match[0].check, "entitlement": match[0].id} if match else {}
        findings.append(replace(finding, **own))
    return replace(results, findings=tuple(findings))


def test_a_suite_is_a_connection_and_a_case_a_requirement():
    results = joined(sample_results())
    for connection, suite in zip(results.connections, suites(results), strict=True):
        assert suite.get("name") == connection.id
        cases = suite.findall("testcase")
        assert len(cases) >= len(connection.requirements)
        for requirement, case in zip(connection.requirements, cases, strict=False):
            assert case.get("name").startswith(f"{requirement.id} {requirement.title}")
            assert case.get("classname") == f"{connection.id}.{requirement.check}"
            if requirement.outcome is Outcome.SATISFIED:
                assert list(case) == []
            if requirement.outcome is Outcome.NOT_APPLICABLE:
                assert case[0].tag == "skipped"


def test_what_fails_is_what_decides_and_what_is_open_is_skipped_with_its_reason():
    results = joined(sample_results())
    root = ET.fromstring(junit_bytes(results))
    deciding = [view for view in finding_views(results) if view.decides]
    failures = root.findall(".//failure")
    assert len(failures) == len(deciding) == int(root.get("failures"))
    skipped = [one.get("message") for one in root.iter("skipped")]
    still_open = [message for message in skipped if message.startswith("could not be verified: ")]
    assert len(still_open) == results.summary.counts.unverifiable
    assert any("waived by W-1" in message for message in skipped)
    assert not any("advisory" in one.get("message", "") for one in root.iter())


def test_below_the_threshold_nothing_fails_and_nothing_is_hidden():
    sample = joined(sample_results())
    lenient = replace(sample, run=replace(sample.run, fail_on=Severity.CRITICAL))
    root = ET.fromstring(junit_bytes(lenient))
    assert len(root.findall(".//failure")) == 2
    told = [one.text for one in root.findall(".//system-out")]
    assert sum("below the threshold" in text for text in told) == 3


def test_the_numbers_of_suites_are_those_of_their_cases():
    root = ET.fromstring(junit_bytes(joined(sample_results())))
    for element in (root, *root.findall("testsuite")):
        kinds = Counter(child.tag for case in element.iter("testcase") for child in case)
        assert int(element.get("tests")) == len(list(element.iter("testcase")))
        assert int(element.get("failures")) == kinds["failure"]
        assert element.get("errors") == "0"
        if element.tag == "testsuite":
            assert int(element.get("skipped")) == kinds["skipped"]


def test_hostile_names_leave_xml_that_can_be_read():
    content = junit_bytes(sample_results()).decode("utf-8")
    assert "<script>" not in content
    assert not re.search("[\x00-\x08\x0b-\x1f\u202e\u200b]", content)
    assert junit_bytes(sample_results()) == junit_bytes(sample_results())


def test_a_clean_record_fails_and_skips_nothing():
    root = ET.fromstring(junit_bytes(clean_results()))
    assert (root.get("tests"), root.get("failures"), root[0].get("skipped")) == ("1", "0", "0")


def test_a_requirement_without_a_finding_is_never_passed_by_mistake():
    sample = replace(sample_results(), findings=())
    cases = {case.get("name"): case for case in ET.fromstring(junit_bytes(sample)).iter("testcase")}
    expected = {Outcome.SATISFIED: [], Outcome.PARTIAL: ["failure"], Outcome.MISSING: ["failure"]}
    for connection in sample.connections:
        for requirement in connection.requirements:
            name = next(name for name in cases if name.startswith(f"{requirement.id} {requirement.title}"))
            wanted = expected.get(requirement.outcome, ["skipped"])
            assert [child.tag for child in cases.pop(name)] == wanted
    assert cases == {}


def test_a_finding_of_a_connection_that_is_not_in_the_record_is_told():
    sample = sample_results()
    stray = replace(sample.findings[0], connection="gone")
    root = ET.fromstring(junit_bytes(replace(sample, findings=(stray,))))
    assert [len(suite) for suite in root][-1] == 1
    assert root[-1][0][0].tag == "failure"


# The JUnit shape that Jenkins' xunit plugin publishes as junit-10.xsd: attributes, required ones first, and children.
SHAPE = {
    "testsuites": ([], ["name", "time", "tests", "failures", "errors"], {"testsuite"}),
    "testsuite": (
        ["name", "tests", "failures", "errors"],
        ["group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url"],
        {"testsuite", "properties", "testcase", "system-out", "system-err"},
    ),
    "testcase": (
        ["name"],
        ["time", "classname", "group"],
        {"skipped", "error", "failure", "system-out", "system-err"},
    ),
    "skipped": ([], ["type", "message"], set()),
    "failure": ([], ["type", "message"], set()),
    "system-out": ([], [], set()),
}


def test_it_has_the_shape_that_readers_of_junit_accept():
    for results in (sample_results(), joined(sample_results()), clean_results()):
        root = ET.fromstring(junit_bytes(results))
        assert root.tag == "testsuites"
        for element in root.iter():
            required, optional, children = SHAPE[element.tag]
            assert set(required) <= set(element.keys()) <= {*required, *optional}
            assert {child.tag for child in element} <= children
            if children:
                assert not (element.text or "").strip()
            assert re.fullmatch(r"(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]*)?", element.get("time", ""))
