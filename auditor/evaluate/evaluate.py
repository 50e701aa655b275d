"""Evidence and matrix in, results out. The clock comes in as an argument."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from auditor.catalogue import CATALOGUE
from auditor.evaluate.checks.changes import check_changes, check_earlier_runs
from auditor.evaluate.checks.completeness import check_completeness
from auditor.evaluate.checks.matrix_release import check_matrix, check_matrix_approval, check_matrix_is_current
from auditor.evaluate.checks.recorded_evidence import check_recorded_evidence
from auditor.evaluate.checks.registry import run_directory_checks, run_tenant_checks
from auditor.evaluate.checks.shared_identity import (
    AuditedAccount,
    audited_account,
    check_shared_account,
    check_shared_identity,
)
from auditor.evaluate.checks.waivers import check_waivers
from auditor.evaluate.directory.entitlements import group_entitlements
from auditor.evaluate.directory.hosts import host_records
from auditor.evaluate.directory.judge import (
    DirectoryFacts,
    gather_directory_facts,
    judge_directory,
    without_domain_admins,
)
from auditor.evaluate.directory.right_entitlements import right_entitlements
from auditor.evaluate.drift import compare, mark
from auditor.evaluate.findings import finding_of_requirement
from auditor.evaluate.quotes import quote_records
from auditor.evaluate.remediation import remediate
from auditor.evaluate.tenant.entitlements import tenant_entitlements
from auditor.evaluate.tenant.judge import TenantFacts, gather_tenant_facts, judge_tenant
from auditor.evaluate.verdict import conclude, exit_of, summarise
from auditor.evaluate.waivers import apply_waivers
from auditor.model.connection import HybridConnection
from auditor.model.drift import DriftRecord
from auditor.model.instants import format_instant
from auditor.model.message import message_records, say
from auditor.model.outcome import FindingOutcome, Severity, Verdict
from auditor.model.results import (
    ConnectionResult,
    Counts,
    EarlierRun,
    Exit,
    Finding,
    Results,
    Run,
    RunKind,
    SourceRecord,
    Tool,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from auditor.matrix.profile import Matrix
    from auditor.model.evidence import Evidence, Source
    from auditor.model.waiver import WaiverFile

CHECKS = tuple(check.id for check in CATALOGUE.values() if check.is_built)
LONGEST_TREND = 60
LIMITATIONS = (
    say(
        "Beyond the matrix this version judges what `auditor checks list` calls built; a check that is listed there as "
        "not built was not made, and its silence is no pass."
    ),
    say(
        "Replication between domain controllers and between Microsoft's services takes time; a change made shortly "
        "before the collection may not show yet."
    ),
    say(
        "Privileges outside access control lists (for example taking ownership or restoring files as an operator of a "
        "domain controller) are not part of this report."
    ),
    say(
        "A container that hides itself from the auditing identity (for example by an empty access control list) inside "
        "an OU whose contents can be listed does not show; neither do the objects in it."
    ),
    say(
        "The consents of the product are shown on the vendor's page only as an image; they are listed and explained, "
        "not judged, unless the profile lists expected scopes."
    ),
    say(
        "Which connections exist is taken from the operator's inventory; the product offers no interface to read them."
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """What the results say about the run itself. `argv` carries no secrets and no output folder."""

    kind: RunKind
    organisation: str
    operator: str
    host: str
    tool_version: str
    argv: tuple[str, ...]
    fail_on: Severity
    exit_zero: bool
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierRuns:
    """What this run is compared with: the baseline if there is one, and the folders that were altered."""

    baseline: Results | None = None
    altered: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One connection by itself: plain data, so that it may be judged in another process or on another machine.

    Its verdict and counts come with the rest of the run. `started_at` and `finished_at` are None without any read.
    """

    account: AuditedAccount
    result: ConnectionResult
    findings: tuple[Finding, ...]
    evidence_sha256: str
    started_at: datetime | None
    finished_at: datetime | None
    limitations: tuple[str, ...] = ()


def evaluate(
    inputs: Sequence[tuple[Evidence, Matrix]],
    default_matrix: Matrix,
    run: RunFacts,
    waivers: WaiverFile | None = None,
    earlier: EarlierRuns | None = None,
) -> Results:
    """Judge every connection's evidence against its matrix, apply waivers, and compare with an earlier run.

    Raises ValueError when there is nothing to judge.
    """
    judged = [judge_connection(evidence, matrix, run) for evidence, matrix in inputs]
    return conclude_run(judged, default_matrix, run, waivers, earlier)


def conclude_run(
    judged: Sequence[Judged],
    default_matrix: Matrix,
    run: RunFacts,
    waivers: WaiverFile | None = None,
    earlier: EarlierRuns | None = None,
) -> Results:
    """Put judged connections together: what they share, waivers, the earlier run, the verdict.

    Raises ValueError when there is none.
    """
    if not judged:
        msg = "no evidence to judge: nothing compared is no pass"
        raise ValueError(msg)
    earlier = earlier or EarlierRuns()
    waived = apply_waivers(_findings(judged), waivers.waivers if waivers else (), run.now)
    hybrid = {each.account.connection: each.account.identity for each in judged if each.account.is_in_directory}
    findings: tuple[Finding, ...] = (*waived.findings, *check_waivers(waived.records, hybrid))
    connections = tuple(each.result for each in judged)
    drift = DriftRecord()
    if earlier.baseline is not None:
        drift = compare(earlier.baseline, connections, findings, CHECKS)
    findings = (*findings, *check_changes(drift, hybrid), *check_earlier_runs(earlier.altered, connections[0].id))
    findings = tuple(mark(findings, drift, earlier.baseline, format_instant(run.now)))
    own: dict[str, list[Finding]] = {connection.id: [] for connection in connections}
    for finding in findings:
        own.get(finding.connection, []).append(finding)
    connections = tuple(conclude(connection, own[connection.id], run.fail_on) for connection in connections)
    summary = summarise(connections, findings)
    salt = f"{waivers.sha256 if waivers else ''}{drift.baseline_run or ''}"
    exit_ = exit_of(summary, run.fail_on, exit_zero=run.exit_zero)
    limitations = (*LIMITATIONS, *(words for each in judged for words in each.limitations))
    return Results(
        run=_run(judged, default_matrix, run, exit_, salt),
        summary=summary,
        connections=connections,
        findings=findings,
        drift=drift,
        waivers=waived.records,
        trend=_trend(earlier.baseline),
        limitations=limitations,
        messages=message_records(exit_, connections, findings, drift, waived.records, limitations),
    )


def _supplied(evidence: Evidence) -> Iterator[str]:
    """Say of each file that answers were taken from that nobody can tell whether they are the service's."""
    origins = (source.query.get("supplied") for source in evidence.sources)
    files = {origin["sha256"]: origin for origin in origins if isinstance(origin, dict)}
    for digest, origin in files.items():
        yield say(
            "{connection}: Exchange Online was not asked. Its answers were exported by {person} until {instant} and "
            "supplied as {file} (SHA-256 {digest}). Nothing in that file proves that they are what Exchange Online "
            "said.",
            connection=evidence.connection.id,
            person=str(origin.get("exported_by")),
            instant=str(origin.get("exported_at")),
            file=str(origin.get("file")),
            digest=str(digest),
        )


def _findings(judged: Sequence[Judged]) -> tuple[Finding, ...]:
    """Return the findings of every connection, most urgent first, then those of several connections together."""
    accounts = [each.account for each in judged]
    shared = (*check_shared_identity(accounts), *check_shared_account(accounts))
    return (*sorted((finding for each in judged for finding in each.findings), key=_order), *shared)


def _run(judged: Sequence[Judged], default_matrix: Matrix, run: RunFacts, exit_: Exit, salt: str) -> Run:
    evidence_sha256 = hashlib.sha256("".join(each.evidence_sha256 for each in judged).encode("ascii")).hexdigest()
    return Run(
        id=_run_id(evidence_sha256, default_matrix, run, salt),
        kind=run.kind,
        organisation=run.organisation,
        started_at=format_instant(min(filter(None, (each.started_at for each in judged)), default=run.now)),
        finished_at=format_instant(max(filter(None, (each.finished_at for each in judged)), default=run.now)),
        evaluated_at=format_instant(run.now),
        operator=run.operator,
        host=run.host,
        tool=Tool(name="auditor", version=run.tool_version),
        argv=run.argv,
        fail_on=run.fail_on,
        matrix=default_matrix.reference,
        evidence_sha256=evidence_sha256,
        exit=exit_,
        checks=CHECKS,
    )


def _trend(baseline: Results | None) -> tuple[EarlierRun, ...]:
    """Return the runs before this one: those the baseline knew, and the baseline itself."""
    if baseline is None:
        return ()
    last = EarlierRun(
        run=baseline.run.id,
        evaluated_at=baseline.run.evaluated_at,
        verdict=baseline.summary.verdict,
        counts=baseline.summary.counts,
    )
    return (*baseline.trend, last)[-LONGEST_TREND:]


def judge_connection(evidence: Evidence, matrix: Matrix, run: RunFacts) -> Judged:
    """Judge one connection's evidence against its matrix, knowing nothing of any other connection.

    Raises ValueError when the matrix has nothing to judge it by.
    """
    connection = evidence.connection
    facts: DirectoryFacts | TenantFacts
    if isinstance(connection, HybridConnection):
        facts = gather_directory_facts(evidence, connection, matrix.profile)
        results = judge_directory(facts)
        checks = (
            *run_directory_checks(facts, run.now),
            *check_matrix_approval(facts, matrix),
            *check_matrix_is_current(facts, matrix),
        )
        entitlements = (*group_entitlements(facts), *right_entitlements(facts))
        hosts = host_records(evidence, connection)
        without = without_domain_admins(facts, results)
    else:
        facts = gather_tenant_facts(evidence, connection, matrix.profile)
        results = judge_tenant(facts)
        checks = tuple(run_tenant_checks(facts, run.now, run.kind))
        entitlements, hosts = tenant_entitlements(facts), ()
        without = ()
    checks = (*checks, *check_matrix(facts, matrix, run.now))
    if not results:
        msg = f"profile {matrix.profile.id} has no requirement for {connection.kind}: nothing compared is no pass"
        raise ValueError(msg)
    account = audited_account(facts)
    checks = (*checks, *check_recorded_evidence(evidence, account.identity))
    requirements = {requirement.id: requirement for requirement in matrix.profile.requirements}
    from_requirements = (
        finding_of_requirement(
            requirements[result.id],
            result,
            connection=connection.id,
            principal=account.identity,
            remediation=remediate(requirements[result.id], result, evidence),
        )
        for result in results
    )
    found = (*(finding for finding in from_requirements if finding is not None), *checks)
    findings = tuple(
        quote_records(finding, evidence) for finding in (*found, *check_completeness(evidence, results, found))
    )
    result = ConnectionResult(
        id=connection.id,
        kind=connection.kind,
        name=connection.name,
        verdict=Verdict.INCONCLUSIVE,  # `conclude` says, once the findings of all connections and waivers are known
        counts=Counts(),
        matrix=matrix.reference,
        configuration={name: list(value) if isinstance(value, tuple) else value
                       for name, value in asdict(connection).items()},
        signed_in_as=evidence.collected_by.get("signed_in_as", ""),
        principal=facts.account.principal,
        requirements=results,
        without_domain_admins=without,
        entitlements=entitlements,
        hosts=hosts,
        sources=tuple(_source_record(source) for source in evidence.sources),
    )
    return Judged(
        account=account,
        result=result,
        findings=findings,
        evidence_sha256=evidence.sha256,
        started_at=min((source.started_at for source in evidence.sources), default=None),
        finished_at=max((source.finished_at for source in evidence.sources), default=None),
        limitations=tuple(_supplied(evidence)),
    )


def _source_record(source: Source) -> SourceRecord:
    gap = source.gap
    return SourceRecord(
        dataset=source.dataset,
        subject=source.subject,
        endpoint=source.endpoint,
        query=source.query,
        started_at=format_instant(source.started_at),
        finished_at=format_instant(source.finished_at),
        records=source.records,
        pages=source.pages,
        complete=source.complete,
        error=gap.message if gap else None,
        error_kind=str(gap.kind) if gap else None,
        missing_permission=gap.missing_permission if gap else None,
        sha256=source.sha256,
        duration_s=round((source.finished_at - source.started_at).total_seconds(), 3),
    )


def _run_id(evidence_sha256: str, matrix: Matrix, run: RunFacts, salt: str) -> str:
    parts = f"{evidence_sha256}{matrix.sha256}{run.kind}{run.fail_on}{salt}"
    digest = hashlib.sha256(parts.encode("utf-8")).hexdigest()
    return f"{run.now:%Y%m%dT%H%M%SZ}-{digest[:8]}"


def _order(finding: Finding) -> tuple[bool, int, int, str, str, str]:
    """Deviations first, by severity; then what is open; advisories last."""
    kinds = (
        FindingOutcome.MISSING,
        FindingOutcome.PARTIAL,
        FindingOutcome.EXCESS,
        FindingOutcome.UNVERIFIABLE,
        FindingOutcome.ADVISORY,
    )
    rank = kinds.index(finding.outcome)
    return (rank > 2, finding.severity.rank, rank, finding.connection, finding.check, finding.key)  # noqa: PLR2004
