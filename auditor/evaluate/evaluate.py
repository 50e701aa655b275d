"""Evidence and matrix in, results out. The clock comes in as an argument."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

from auditor.evaluate.checks.completeness import check_completeness
from auditor.evaluate.checks.registry import run_directory_checks, run_tenant_checks
from auditor.evaluate.checks.shared_identity import check_shared_identity
from auditor.evaluate.directory.entitlements import group_entitlements
from auditor.evaluate.directory.hosts import host_records
from auditor.evaluate.directory.judge import (
    DirectoryFacts,
    gather_directory_facts,
    judge_directory,
    without_domain_admins,
)
from auditor.evaluate.findings import finding_of_requirement
from auditor.evaluate.remediation import remediate
from auditor.evaluate.tenant.entitlements import tenant_entitlements
from auditor.evaluate.tenant.judge import TenantFacts, gather_tenant_facts, judge_tenant
from auditor.model.connection import HybridConnection
from auditor.model.instants import format_instant
from auditor.model.outcome import FindingOutcome, Outcome, Severity, Verdict
from auditor.model.results import (
    ConnectionResult,
    Counts,
    Exit,
    Finding,
    RequirementResult,
    Results,
    Run,
    SourceRecord,
    Summary,
    Tool,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from auditor.matrix.profile import Matrix
    from auditor.model.evidence import Evidence, Source

LIMITATIONS = (
    (
        "Beyond the matrix this version judges group memberships, Exchange and directory roles and consents. It does "
        "not judge directory rights other than the user task (for example changing permissions, replication, control "
        "of the domain head), who controls the account, or Kerberos exposure."
    ),
    (
        "Replication between domain controllers and between Microsoft's services takes time; a change made shortly "
        "before the collection may not show yet."
    ),
    (
        "Privileges outside access control lists (for example taking ownership or restoring files as an operator of a "
        "domain controller) are not part of this report."
    ),
    (
        "A container that hides itself from the auditing identity (for example by an empty access control list) inside "
        "an OU whose contents can be listed does not show; neither do the objects in it."
    ),
    (
        "The consents of the product are shown on the vendor's page only as an image; they are listed and explained, "
        "not judged, unless the profile lists expected scopes."
    ),
    "Which connections exist is taken from the operator's inventory; the product offers no interface to read them.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """What the results say about the run itself. `argv` carries no secrets and no output folder."""

    kind: Literal["review", "readiness"]
    organisation: str
    operator: str
    host: str
    tool_version: str
    argv: tuple[str, ...]
    fail_on: Severity
    exit_zero: bool
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    facts: DirectoryFacts | TenantFacts
    result: ConnectionResult
    findings: tuple[Finding, ...]


def evaluate(inputs: Sequence[tuple[Evidence, Matrix]], default_matrix: Matrix, run: RunFacts) -> Results:
    """Judge every connection's evidence against its matrix. Raises ValueError when there is nothing to judge."""
    if not inputs:
        msg = "no evidence to judge: nothing compared is no pass"
        raise ValueError(msg)
    judged = [_judge(evidence, matrix, run) for evidence, matrix in inputs]
    shared = tuple(check_shared_identity([each.facts for each in judged]))
    connections = tuple(_with_advisories(each.result, shared) for each in judged)
    findings = tuple(sorted((finding for each in judged for finding in each.findings), key=_order)) + shared
    verdict = _verdict_of_run(connections)
    evidence_sha256 = hashlib.sha256("".join(evidence.sha256 for evidence, _ in inputs).encode("ascii")).hexdigest()
    sources = [source for evidence, _ in inputs for source in evidence.sources]
    return Results(
        run=Run(
            id=_run_id(evidence_sha256, default_matrix, run),
            kind=run.kind,
            organisation=run.organisation,
            started_at=format_instant(min((source.started_at for source in sources), default=run.now)),
            finished_at=format_instant(max((source.finished_at for source in sources), default=run.now)),
            evaluated_at=format_instant(run.now),
            operator=run.operator,
            host=run.host,
            tool=Tool(name="auditor", version=run.tool_version),
            argv=run.argv,
            fail_on=run.fail_on,
            matrix=default_matrix.reference,
            evidence_sha256=evidence_sha256,
            exit=_exit(verdict, run),
        ),
        summary=Summary(verdict=verdict, counts=_add(connection.counts for connection in connections)),
        connections=connections,
        findings=findings,
        limitations=LIMITATIONS,
    )


def _judge(evidence: Evidence, matrix: Matrix, run: RunFacts) -> _Judged:
    connection = evidence.connection
    facts: DirectoryFacts | TenantFacts
    if isinstance(connection, HybridConnection):
        facts = gather_directory_facts(evidence, connection, matrix.profile)
        results = judge_directory(facts)
        checks = tuple(run_directory_checks(facts, run.now))
        entitlements, hosts = group_entitlements(facts), host_records(evidence, connection)
        without = without_domain_admins(facts, results)
    else:
        facts = gather_tenant_facts(evidence, connection, matrix.profile)
        results = judge_tenant(facts)
        checks = tuple(run_tenant_checks(facts, run.now))
        entitlements, hosts = tenant_entitlements(facts), ()
        without = ()
    if not results:
        msg = f"profile {matrix.profile.id} has no requirement for {connection.kind}: nothing compared is no pass"
        raise ValueError(msg)
    principal = facts.account.principal
    requirements = {requirement.id: requirement for requirement in matrix.profile.requirements}
    from_requirements = (
        finding_of_requirement(
            requirements[result.id],
            result,
            connection=connection.id,
            principal=principal.sid or principal.object_id or principal.name,
            remediation=remediate(requirements[result.id], result, evidence),
        )
        for result in results
    )
    found = (*(finding for finding in from_requirements if finding is not None), *checks)
    findings = (*found, *check_completeness(evidence, results, found))
    result = ConnectionResult(
        id=connection.id,
        kind=connection.kind,
        name=connection.name,
        verdict=_verdict(results, findings, run.fail_on),
        counts=_count(results, findings),
        matrix=matrix.reference,
        configuration=asdict(connection),
        signed_in_as=evidence.collected_by.get("signed_in_as", ""),
        principal=principal,
        requirements=results,
        without_domain_admins=without,
        entitlements=entitlements,
        hosts=hosts,
        sources=tuple(_source_record(source) for source in evidence.sources),
    )
    return _Judged(facts=facts, result=result, findings=findings)


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
    )


def _count(results: Iterable[RequirementResult], findings: Iterable[Finding]) -> Counts:
    outcomes = Counter(result.outcome for result in results)
    kinds = Counter(finding.outcome for finding in findings)
    return Counts(
        evaluated=outcomes.total(),
        satisfied=outcomes[Outcome.SATISFIED],
        partial=outcomes[Outcome.PARTIAL],
        missing=outcomes[Outcome.MISSING],
        unverifiable=outcomes[Outcome.UNVERIFIABLE],
        not_applicable=outcomes[Outcome.NOT_APPLICABLE],
        excess=kinds[FindingOutcome.EXCESS],
        advisory=kinds[FindingOutcome.ADVISORY],
    )


def _add(counts: Iterable[Counts]) -> Counts:
    total: Counter[str] = Counter()
    for each in counts:
        total.update(asdict(each))
    return Counts(**total)


def _with_advisories(result: ConnectionResult, shared: Sequence[Finding]) -> ConnectionResult:
    own = sum(finding.connection == result.id for finding in shared)
    if not own:
        return result
    counts = Counts(**{**asdict(result.counts), "advisory": result.counts.advisory + own})
    return ConnectionResult(**{name: getattr(result, name) for name in result.__slots__} | {"counts": counts})


def _verdict(results: Iterable[RequirementResult], findings: Iterable[Finding], fail_on: Severity) -> Verdict:
    """Return the verdict on one connection: deviations first, then what stays open, then compliance."""
    findings = tuple(findings)
    deviations = (FindingOutcome.MISSING, FindingOutcome.PARTIAL, FindingOutcome.EXCESS)
    if any(finding.outcome in deviations and finding.severity.reaches(fail_on) for finding in findings):
        return Verdict.NON_COMPLIANT
    is_open = any(result.outcome is Outcome.UNVERIFIABLE for result in results)
    if is_open or any(finding.outcome is FindingOutcome.UNVERIFIABLE for finding in findings):
        return Verdict.INCONCLUSIVE
    return Verdict.COMPLIANT


def _verdict_of_run(connections: Iterable[ConnectionResult]) -> Verdict:
    verdicts = {connection.verdict for connection in connections}
    order = (Verdict.NON_COMPLIANT, Verdict.INCONCLUSIVE, Verdict.COMPLIANT)
    return next(verdict for verdict in order if verdict in verdicts)


def _exit(verdict: Verdict, run: RunFacts) -> Exit:
    code, reason = {
        Verdict.NON_COMPLIANT: (1, f"findings at or above {run.fail_on}"),
        Verdict.INCONCLUSIVE: (3, "something in scope could not be verified"),
        Verdict.COMPLIANT: (0, f"everything in scope verified, no finding at or above {run.fail_on}"),
    }[verdict]
    return (
        Exit(code=0, reason=f"{reason}; --exit-zero was given")
        if run.exit_zero and code
        else Exit(code=code, reason=reason)
    )


def _run_id(evidence_sha256: str, matrix: Matrix, run: RunFacts) -> str:
    digest = hashlib.sha256(f"{evidence_sha256}{matrix.sha256}{run.kind}{run.fail_on}".encode("ascii")).hexdigest()
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
