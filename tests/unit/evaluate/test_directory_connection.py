"""The connection itself: port, TLS, certificates, base DNs (A6, A7, A16, A17)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from auditor.model.evidence import Gap, GapKind
from tests.unit.evaluate.composed import NOW, REFUSED, findings, judge, outcome, read_of, row, told
from tests.unit.evaluate.composed_directory import (
    DELEGATED,
    HEAD,
    HOST,
    STAFF,
    TRUSTED_HOST,
    Container,
    Directory,
    descriptor,
)

if TYPE_CHECKING:
    from auditor.model.evidence import Evidence, Record

UNTRUSTED = Gap(kind=GapKind.UNTRUSTED, message="the certificate is not trusted")
SECOND = "10.1.0.11"


def with_certificate(**changes: object) -> Record:
    certificate = TRUSTED_HOST["certificate"]
    assert isinstance(certificate, dict)
    return {**TRUSTED_HOST, "certificate": {**certificate, **changes}}  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("port", "global_catalog", "expected"),
    [
        (636, False, "satisfied"),
        (636, True, "satisfied"),
        (389, False, "missing"),
        (389, True, "missing"),
        (3268, True, "missing"),
        (3269, False, "missing"),
        (3269, True, "satisfied"),
        (10636, False, "missing"),
    ],
)
def test_port(port: int, global_catalog: bool, expected: str) -> None:
    results = judge(Directory().connect(port=port, global_catalog=global_catalog).evidence())
    judged = row(results, "M9")
    assert judged.outcome == expected
    assert judged.scope == HOST
    if expected == "missing":
        assert f"port {port} is configured" in judged.reason
        assert results.summary.verdict == "non_compliant"


def test_the_wrong_port_is_known_without_an_answer() -> None:
    silent = Directory(gaps={("host", HOST): REFUSED}).connect(port=389)
    assert outcome(judge(silent.evidence()), "M9") == "missing"


@pytest.mark.parametrize(
    "record",
    [
        None,
        {**TRUSTED_HOST, "tls": None, "certificate": None},
        {**TRUSTED_HOST, "certificate": None},
        with_certificate(verified=False, error="self-signed certificate"),
    ],
    ids=["no record", "no TLS", "no certificate", "not verified"],
)
@pytest.mark.parametrize("gap", [REFUSED, None], ids=["with a gap", "without a gap"])
def test_without_verified_tls_the_host_is_open(record: Record | None, gap: Gap | None) -> None:
    evidence = Directory(hosts={HOST: record} if record else {}).evidence()
    if gap is not None or record is None:
        kept = [record] if record else []
        evidence = with_read(evidence, ("host", HOST), kept, gap)
    results = judge(evidence)
    assert outcome(results, "M9") == "unverifiable"
    assert results.summary.verdict == "inconclusive"


def with_read(evidence: Evidence, question: tuple[str, str], records: list[Record], gap: Gap | None) -> Evidence:
    """Replace one read."""
    others = tuple(each for each in evidence.reads if (each[0].dataset, each[0].subject) != question)
    return replace(evidence, reads=(*others, read_of(question, records, gap)))


def test_a_refused_sign_in_over_verified_tls_satisfies_the_port_and_stays_open_elsewhere() -> None:
    refused = Gap(kind=GapKind.SIGN_IN_REFUSED, message="wrong password")
    evidence = with_read(Directory().evidence(), ("host", HOST), [{**TRUSTED_HOST, "signed_in": False}], refused)
    results = judge(evidence)
    assert outcome(results, "M9") == "satisfied"
    assert told(results, "AD-COL-001") == [("unverifiable", "high")]
    assert "wrong password" in findings(results, "AD-COL-001")[0].actual
    assert told(results, "META-001") == []
    assert results.summary.verdict == "inconclusive"


def test_each_host_is_judged_by_itself() -> None:
    directory = Directory(gaps={("host", SECOND): REFUSED}).connect(hosts=(HOST, SECOND))
    results = judge(directory.evidence())
    assert (outcome(results, "M9", HOST), outcome(results, "M9", SECOND)) == ("satisfied", "unverifiable")
    assert [host.host for host in results.connections[0].hosts] == [HOST, SECOND]


@pytest.mark.parametrize(
    ("record", "trouble"),
    [
        (TRUSTED_HOST, None),
        (with_certificate(verified=False, error="self-signed certificate"), "self-signed certificate"),
        (with_certificate(name_matches=False), "does not name the configured host"),
        (with_certificate(not_after="2026-11-23T08:00:00.000Z"), "ended at"),
        (with_certificate(not_after="2026-12-23T08:00:00.000Z"), "within 30 days"),
        (with_certificate(not_after="2026-12-23T08:00:00.001Z"), None),
        (with_certificate(not_after="soon"), "not readable"),
        (with_certificate(not_after=None), "not readable"),
    ],
)
def test_certificate(record: Record, trouble: str | None) -> None:
    results = judge(Directory(hosts={HOST: record}).evidence(), now=NOW)
    found = findings(results, "AD-COL-003")
    assert len(found) == (trouble is not None)
    assert all(trouble in each.actual and each.outcome == "advisory" for each in found if trouble)


def test_a_base_dn_that_is_no_domain_is_an_advisory() -> None:
    results = judge(Directory().connect(base_dns=(STAFF,)).evidence())
    assert told(results, "AD-COL-005") == [("advisory", "low")]
    assert results.summary.verdict == "compliant"


@pytest.mark.parametrize("base", [f"OU=Other,{HEAD}", "DC=example,DC=org", f"OU=X,{STAFF}"])
def test_a_target_ou_outside_every_base_dn_is_a_finding(base: str) -> None:
    results = judge(Directory().connect(base_dns=(base,)).evidence())
    outside = [each for each in findings(results, "AD-COL-005") if each.outcome == "missing"]
    assert [(each.scope, each.severity) for each in outside] == [(STAFF, "high")]
    assert results.summary.verdict == "non_compliant"


def test_base_dns_are_compared_as_the_directory_compares_them() -> None:
    spelled = "ou=staff , dc=Corp,DC=Example,dc=com"
    directory = Directory(ous={spelled: Container(raw=descriptor(*DELEGATED))}).connect(target_ous=(spelled,))
    assert findings(judge(directory.evidence()), "AD-COL-005") == []
