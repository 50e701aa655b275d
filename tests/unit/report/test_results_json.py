from __future__ import annotations

import json
from dataclasses import replace

import pytest
from sample_results import NAMES, sample_results

from auditor.errors import InvalidInput, RunFailed
from auditor.report.results_json import read_results, results_bytes, results_schema, write_results


def problems_of(tmp_path, content: bytes) -> list[str]:
    path = tmp_path / "results.json"
    path.write_bytes(content)
    with pytest.raises(InvalidInput) as caught:
        read_results(path)
    return [str(problem) for problem in caught.value.problems]


def changed(change) -> bytes:
    plain = json.loads(results_bytes(sample_results()))
    change(plain)
    return json.dumps(plain).encode()


def test_what_is_written_is_read_back_equal(tmp_path):
    write_results(sample_results(), tmp_path / "results.json")
    read_back = read_results(tmp_path / "results.json")
    assert results_bytes(read_back) == results_bytes(sample_results())
    assert replace(read_back, connections=(), waivers=()) == replace(
        sample_results(), connections=(), waivers=()
    )


def test_bytes_are_deterministic_readable_and_end_each_line_the_same_way():
    content = results_bytes(sample_results())
    assert content == results_bytes(sample_results())
    assert NAMES.encode() in content
    assert content.startswith(b'{\n  "schema_version": "1.0"')
    assert content.endswith(b"}\n")
    assert b"\r" not in content


def test_a_lone_surrogate_survives(tmp_path):
    sample = sample_results()
    odd = replace(sample, run=replace(sample.run, operator="a\ud800b"))
    write_results(odd, tmp_path / "results.json")
    assert read_results(tmp_path / "results.json").run.operator == "a\ud800b"


def test_no_file_is_bad_input(tmp_path):
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_results(tmp_path / "absent.json")


def test_a_folder_that_cannot_be_written_fails_the_run(tmp_path):
    with pytest.raises(RunFailed, match="cannot be written"):
        write_results(sample_results(), tmp_path / "absent" / "results.json")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"null", b"[" * 100_000, b'{"run": 1}'])
def test_what_is_no_record_is_refused(tmp_path, content):
    assert problems_of(tmp_path, content)


def test_a_syntax_error_names_its_line(tmp_path):
    assert "results.json:2:" in problems_of(tmp_path, b'{\n  "run" 1}')[0]


def test_every_problem_is_listed_with_its_place(tmp_path):
    def spoil(plain):
        plain["findings"][0]["severity"] = "grave"
        plain["findings"][1]["severity"] = "grave"
        del plain["run"]["host"]

    problems = problems_of(tmp_path, changed(spoil))
    assert len(problems) == 3
    assert "(findings.0.severity)" in "".join(problems)
    assert "(run.host)" in "".join(problems)


def test_a_field_this_version_does_not_know_is_refused_because_leaving_it_out_would_be_silent(tmp_path):
    def add(plain):
        plain["connections"][0]["requirements"][0]["exempt"] = True

    (problem,) = problems_of(tmp_path, changed(add))
    assert "connections.0.requirements.0.exempt" in problem


def test_a_missing_optional_field_takes_its_default(tmp_path):
    path = tmp_path / "results.json"
    path.write_bytes(changed(lambda plain: plain.pop("drift")))
    assert read_results(path).drift.baseline_run is None


def test_counts_that_contradict_the_requirements_are_refused(tmp_path):
    def embellish(plain):
        plain["summary"]["counts"]["satisfied"] += 1
        plain["summary"]["counts"]["missing"] -= 1

    problems = problems_of(tmp_path, changed(embellish))
    assert [("satisfied" in problem, "missing" in problem) for problem in problems] == [
        (True, False),
        (False, True),
    ]


def test_the_schema_describes_every_field_of_the_record():
    schema = results_schema()
    record = schema["$defs"]["Results"]
    assert set(record["properties"]) == set(json.loads(results_bytes(sample_results())))
    assert schema["$ref"] == "#/$defs/Results"
    assert record["additionalProperties"] is False
