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
            if one.check == finding.check and one.scope == finding.scope and one.outcome.value == finding.outcome.value
        ]
        findings.append(replace(finding, entitlement=match[0].id) if match else finding)
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
    assert sum(message.startswith("could not be verified: ") for message in skipped) == 1
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
        assert int(element.get("skipped")) == kinds["skipped"]
        assert element.get("errors") == "0"


def test_hostile_names_leave_xml_that_can_be_read():
    content = junit_bytes(sample_results()).decode("utf-8")
    assert "<script>" not in content
    assert not re.search("[\x00-\x08\x0b-\x1f\u202e\u200b]", content)
    assert junit_bytes(sample_results()) == junit_bytes(sample_results())


def test_a_clean_record_fails_and_skips_nothing():
    root = ET.fromstring(junit_bytes(clean_results()))
    assert (root.get("tests"), root.get("failures"), root.get("skipped")) == ("1", "0", "0")
