"""Runs that leave the house one after another: waivers, what changed, and tokens that stay the same."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from auditor.acl import format_sid
from auditor.assignment import Judging
from auditor.collect.replay import read_evidence
from auditor.concluded_run import run_facts
from auditor.evaluate.evaluate import conclude_run
from auditor.judging import judge_recorded
from auditor.model.directory_entry import record_to_entry
from auditor.model.instants import parse_instant
from auditor.model.outcome import Severity
from auditor.recorded_run import evidence_folders, read_recorded_run, write_redacted_run
from auditor.redaction.counterparts import counterparts
from auditor.redaction.evidence import redactor_of
from tests.integration.test_redacted_report import REPOSITORY, auditor, identifying, results_of, texts

SAMPLES = REPOSITORY / "sample_data" / "evidence"
PEOPLE = ("Olga Owner", "Anna Approver", "CHG-4711", "because the merger is not over")
BEFORE = {"acme-corp": "hybrid-munich", "acme-mail": "exchange-varna"}
AFTER = {"acme-corp": "hybrid-varna", "acme-mail": "exchange-varna"}
WORDS_OF_MICROSOFT = {"Groups"}  # also what a role group of every tenant is described with
FIRST, SECOND = "2026-11-23T08:00:00Z", "2026-11-28T09:30:00Z"
FORMATS = "json,html,csv,xlsx,md,junit,ocsf,proposal"


def inventory(folder, **replays):
    connections = [
        {"id": name, "kind": "hybrid" if "hybrid" in replay else "exchange_online", "replay": str(SAMPLES / replay)}
        for name, replay in replays.items()
    ]
    path = folder / "inventory.json"
    path.write_text(json.dumps({"version": 1, "organisation": "Contoso Ltd", "connections": connections}))
    return path


def run(*arguments, code=1):
    done = auditor("run", "-q", *arguments)
    assert done.returncode == code, done.stderr
    return Path(done.stdout.strip())


def redact(source, target, *more, formats=FORMATS):
    done = auditor("report", source, "--redact", "-q", "-o", target, "-f", formats, *more)
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory):
    """Return an earlier and a later run of one connection that changed in between; the later one with a waiver."""
    place = tmp_path_factory.mktemp("two")
    before = inventory(place, **BEFORE)
    earlier = run("-c", before, "-o", place / "runs", "-f", "json", "--now", FIRST)
    after = inventory(place, **AFTER)
    unwaived = run("-c", after, "-o", place / "aside", "-f", "json", "--now", SECOND)
    finding = next(each for each in results_of(unwaived)["findings"] if each["check"] == "AD-GRP-005")
    waivers = place / "waivers.yaml"
    added = auditor(
        "waivers", "add", waivers, "--run", unwaived, "--finding", finding["key"], "--owner", PEOPLE[0],
        "--approved-by", PEOPLE[1], "--ticket", PEOPLE[2], "--reason", PEOPLE[3], "--expires", "2027-05-01",
        "--now", SECOND,
    )
    assert added.returncode == 0, added.stderr
    later = run("-c", after, "-o", place / "runs", "-f", "json", "--now", SECOND, "--waivers", waivers)
    return earlier, later, after, waivers


def told(results):
    """Return what a run says whatever things are called."""
    return {
        "summary": results["summary"],
        "findings": Counter(
            (each["check"], each["outcome"], each["severity"], each["drift"], each["first_seen"], bool(each["waiver"]))
            for each in results["findings"]
        ),
        "drift": {name: len(results["drift"][name]) for name in ("new", "resolved", "changed", "not_comparable")},
        "compared": results["drift"]["compared"],
        "entries": Counter((each["state"], each["subject"], each["before"]) for each in results["drift"]["entries"]),
        "waivers": [(each["state"], each["in_effect"], bool(each["finding"])) for each in results["waivers"]],
        "trend": [each["counts"] for each in results["trend"]],
    }


def test_waivers_and_what_changed_come_redacted(two_runs, tmp_path):
    earlier, later, _, _ = two_runs
    original = results_of(later)
    assert original["waivers"][0]["in_effect"]
    assert original["drift"]["new"]
    assert original["drift"]["resolved"]
    redacted = redact(later, tmp_path)
    assert told(results_of(redacted)) == told(original)
    names = identifying(original) | identifying(results_of(earlier)) | {*PEOPLE, earlier.name}
    public = {one["name"] for one in results_of(redacted)["connections"][1]["entitlements"]}
    assert {
        (name, word)
        for name, text in texts(redacted)
        for word in names - public - WORDS_OF_MICROSOFT
        if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE)
    } == set()
    assert auditor("verify", redacted).returncode == 0


def test_without_the_earlier_run_it_says_that_what_changed_is_not_told(two_runs, tmp_path):
    _, later, _, _ = two_runs
    alone = tmp_path / "alone" / later.name
    alone.parent.mkdir()
    alone.symlink_to(later)
    results = results_of(redact(alone, tmp_path / "away", formats="json"))
    assert results["drift"]["baseline_run"] is None
    assert any("what changed is not told" in each for each in results["limitations"])
    assert [each["in_effect"] for each in results["waivers"]] == [True]


def test_runs_redacted_with_one_key_are_compared_like_the_originals(two_runs, tmp_path, monkeypatch):
    earlier, later, _, _ = two_runs
    monkeypatch.setenv("AWAY_KEY", "a key of more than sixteen characters")
    with_key = ("--redact-key", "env:AWAY_KEY")
    one = redact(earlier, tmp_path, *with_key, formats="json")
    other = redact(later, tmp_path, *with_key, formats="json")
    original, redacted = (
        json.loads(auditor("diff", *pair, "--json").stdout) for pair in ((earlier, later), (one, other))
    )
    for name in ("compared", "new", "resolved", "changed", "not_comparable"):
        counted = [len(each[name]) if isinstance(each[name], list) else each[name] for each in (original, redacted)]
        assert counted[0] == counted[1], name
    apart = redact(earlier, tmp_path / "other", formats="json")
    assert results_of(apart)["connections"][0]["id"] != results_of(one)["connections"][0]["id"]


def test_a_run_is_redacted_at_once_and_compared_with_the_last_of_its_key(two_runs, tmp_path, monkeypatch):
    earlier, later, after, waivers = two_runs
    monkeypatch.setenv("AWAY_KEY", "a key of more than sixteen characters")
    common = ("--redact", "--redact-key", "env:AWAY_KEY", "-o", tmp_path / "away")
    before = inventory(tmp_path, **BEFORE)
    run("-c", before, "-f", "json", "--now", FIRST, *common)
    redacted = run("-c", after, "-f", FORMATS, "--now", SECOND, "--waivers", waivers, *common)
    original = results_of(later)
    assert told(results_of(redacted)) == told(original)
    names = identifying(original) | identifying(results_of(earlier)) | {*PEOPLE}
    public = {one["name"] for one in results_of(redacted)["connections"][1]["entitlements"]}
    assert {
        (name, word)
        for name, text in texts(redacted)
        for word in names - public - WORDS_OF_MICROSOFT
        if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE)
    } == set()


def test_the_same_evidence_gives_the_same_bytes(two_runs, tmp_path):
    _, later, _, _ = two_runs
    one, other = redact(later, tmp_path / "one"), redact(later, tmp_path / "other")
    files = sorted(path.relative_to(one) for path in one.rglob("*") if path.is_file())
    assert [path for path in files if (one / path).read_bytes() != (other / path).read_bytes()] == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--redact-key", "env:AWAY_KEY"), "only used with --redact"),
        (("--redact", "--redact-key", "env:SHORT_KEY"), "too short"),
        (("--redact", "--redact-key", "literal secret"), "never the secret itself"),
        (("--redact", "--resume"), "leave --resume out"),
        (("--redact", "--executor", "dask", "--scheduler", "tls://x:1"), "redact on one machine"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path, monkeypatch, arguments, words):
    monkeypatch.setenv("AWAY_KEY", "a key of more than sixteen characters")
    monkeypatch.setenv("SHORT_KEY", "short")
    done = auditor("run", "-q", "-c", inventory(tmp_path, corp="hybrid-varna"), "-o", tmp_path / "out", *arguments)
    assert done.returncode == 2
    assert words in " ".join(done.stderr.replace("│", " ").split())
    assert "literal secret" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_every_finding_of_the_samples_has_its_counterpart(tmp_path):
    connections = {folder.name: folder.name for folder in sorted(SAMPLES.iterdir())}
    source = run("-c", inventory(tmp_path, **connections), "-o", tmp_path / "runs", "-f", "json", "--now", SECOND)
    recorded = read_recorded_run(source)
    judging = Judging(kind="review", now=parse_instant(SECOND), fail_on=Severity.MEDIUM, exit_zero=False)
    facts = run_facts(recorded.facts, judging)
    original = conclude_run(judge_recorded(recorded, facts), recorded.default_matrix, facts)
    redactor = redactor_of(evidence_folders(source).values(), None)
    write_redacted_run(source, tmp_path / "away", redactor)
    away = read_recorded_run(tmp_path / "away")
    redacted = conclude_run(judge_recorded(away, facts), away.default_matrix, facts)
    pairs = counterparts(original.findings, redacted.findings, redactor.pseudonyms)
    assert len(original.findings) > 100
    assert [one.key for one in original.findings if one.key not in pairs.redacted] == []
    assert len({one.key for one in pairs.redacted.values()}) == len(original.findings)
    for one in original.findings:
        other = pairs.redacted[one.key]
        assert (other.check, other.outcome, other.severity) == (one.check, one.outcome, one.severity)


# Microsoft's own applications, the same in every tenant: Graph, and Azure ESTS Service
MICROSOFTS = ("00000003-0000-0000-c000-000000000000", "f8cdef31-a31e-4b4a-93e4-5f571e91255a")
GUIDS = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SIDS = re.compile(r"s-1-5-21(?:-\d+){3}")
MAILS = re.compile(r"[\w.+-]+@(?!odata\.|data\.)[\w-]+\.[\w.-]*\w")
DNS = re.compile(r"(?:cn|ou)=[^\"\\<>]+?,(?:dc=\w+,?)+")
ADDRESSES = re.compile(r"(?<![\w.])127\.\d+\.\d+\.\d+(?![\w.])")
NAMING = {"samaccountname", "userprincipalname", "displayname", "mail", "cn", "dnshostname", "userPrincipalName"}


def is_windows_own(record):
    """Tell whether Windows made an object in every domain: its relative id is below 1000 (MS-ADTS 6.1.1.4, 6.1.1.6)."""
    sids = record_to_entry(record).octets("objectSid") if isinstance(record.get("attributes"), dict) else ()
    return any(int(format_sid(sid).rpartition("-")[2]) < 1000 for sid in sids)


def names_in(redactor, folders):
    """Return what the evidence calls its people, groups, machines and domains, unless Microsoft named it so."""
    names = set()
    for source, read in (one for folder in folders for one in read_evidence(folder).reads):
        if source.dataset in {"extended_rights", "schema_classes", "schema_attributes", "role_definitions"}:
            continue
        for record in read:
            if is_windows_own(record):
                continue
            fields = record["attributes"] if isinstance(record.get("attributes"), dict) else record
            values = (fields[name] for name in NAMING & fields.keys())
            names |= {one for each in values for one in (each if isinstance(each, list) else [each])}
    return {
        name.casefold()
        for name in names
        if isinstance(name, str) and len(name) > 5 and not redactor.pseudonyms.is_public(name)
    }


def test_no_identifier_of_the_samples_is_in_any_file(tmp_path):
    connections = {f"site-{folder.name}": folder.name for folder in sorted(SAMPLES.iterdir())}
    source = run("-c", inventory(tmp_path, **connections), "-o", tmp_path / "runs", "-f", "json", "--now", SECOND)
    folders = [*evidence_folders(source).values()]
    redactor = redactor_of(folders, None)
    original = "\n".join(text.casefold() for _, text in texts(source))
    found = set()
    names = names_in(redactor, folders) | set(connections)
    public = redactor.pseudonyms.ids | set(MICROSOFTS)
    for path in source.rglob("*.jsonl"):
        if path.name[4:].startswith(("extended_rights", "schema_")):  # what Windows calls its own rights and classes
            public |= set(GUIDS.findall(path.read_text(encoding="utf-8").casefold()))
    words = re.compile("|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in sorted(names, key=len, reverse=True)))
    for name, text in texts(redact(source, tmp_path / "away", formats=FORMATS)):
        shown = text.casefold()
        for pattern in (SIDS, MAILS, DNS, ADDRESSES):
            found |= {(name, each) for each in set(pattern.findall(shown)) if each in original}
        found |= {(name, each) for each in set(GUIDS.findall(shown)) - public if each in original}
        found |= {(name, each) for each in set(words.findall(shown))}
    assert len(names) > 40
    assert sorted({(name.rpartition("/")[2], each) for name, each in found}) == []
