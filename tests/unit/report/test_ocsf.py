from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema
from sample_results import clean_results, sample_results

from auditor.model.outcome import FindingOutcome, Outcome
from auditor.report.ocsf import ocsf_bytes


def events(results):
    return [json.loads(line) for line in ocsf_bytes(results).decode("ascii").splitlines()]


@pytest.mark.parametrize("version", ["1.5.0", "1.8.0"])
def test_every_line_is_a_compliance_finding_of_the_published_schema(version):
    schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(version=version))
    assert schema.lookup_class_name_from_uid(2003) == "compliance_finding"
    validator = Draft202012Validator(schema.get_class_schema(class_name="compliance_finding", profiles=[]))
    for results in (sample_results(), clean_results()):
        for event in events(results):
            assert [error.message for error in validator.iter_errors(event)] == []


def test_the_schema_would_find_a_mistake():
    schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(version="1.5.0"))
    validator = Draft202012Validator(schema.get_class_schema(class_name="compliance_finding", profiles=[]))
    (event,) = events(clean_results())
    assert not validator.is_valid(event | {"severity_id": 7})
    assert not validator.is_valid({name: value for name, value in event.items() if name != "finding_info"})


def test_every_requirement_and_every_other_finding_is_one_line():
    sample = sample_results()
    requirements = [one for connection in sample.connections for one in connection.requirements]
    lines = events(sample)
    statuses = Counter(line["compliance"]["status_code"] for line in lines)
    expected = Counter(one.outcome.value for one in requirements) + Counter(
        one.outcome.value for one in sample.findings
    )
    assert statuses == expected
    assert len(lines) == len(requirements) + len(sample.findings)


def test_a_finding_of_a_requirement_is_not_told_twice():
    sample = sample_results()
    connection = sample.connections[0]
    missing = next(one for one in connection.requirements if one.outcome is Outcome.MISSING)
    finding = next(one for one in sample.findings if one.outcome is FindingOutcome.MISSING)
    own = replace(
        finding, check=missing.check, connection=connection.id, entitlement=missing.id, scope=missing.scope
    )
    (line,) = [one for one in events(replace(sample, findings=(own,))) if one["finding_info"]["uid"] == own.key]
    assert line["compliance"]["control"] == missing.id
    assert line["compliance"]["status"] == "Fail"
    assert line["severity"] == own.severity.value.capitalize()


def test_what_could_not_be_verified_neither_passes_nor_fails():
    sample = sample_results()
    for outcome, status in ((Outcome.UNVERIFIABLE, "Warning"), (Outcome.SATISFIED, "Pass"), (Outcome.PARTIAL, "Fail")):
        told = [one for one in events(sample) if one["compliance"]["status_code"] == outcome.value]
        assert told
        assert {one["compliance"]["status"] for one in told} == {status}


def test_a_waived_finding_is_suppressed_and_keeps_its_outcome():
    (waived,) = [one for one in events(sample_results()) if one["status"] == "Suppressed"]
    assert waived["status_detail"] == "waived by W-1"
    assert waived["compliance"]["status"] in {"Fail", "Advisory"}


def test_hostile_text_stays_in_one_line_of_ascii_and_comes_out_as_it_went_in():
    sample = sample_results()
    text = "a\u2028b\nc\u202ed\x00\ud800"
    hostile = replace(sample, findings=(replace(sample.findings[0], title=text),))
    content = ocsf_bytes(hostile)
    assert len(content.splitlines()) == len(content.decode("ascii").splitlines()) == content.count(b"\n")
    assert text in {line["finding_info"]["title"] for line in events(hostile)}
