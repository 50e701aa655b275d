"""The record of a run: results.json, version 1.

Field names are the file's names; every other output is rendered from this record alone. Times are
ISO 8601 in UTC with a trailing `Z`. Tuples become JSON arrays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from auditor.model.connection import ConnectionKind
from auditor.model.drift import DriftRecord
from auditor.model.message import MessageRecord
from auditor.model.outcome import FindingOutcome, Outcome, Severity, Verdict, WaiverState
from auditor.model.record import quickly_pickled

Path = tuple[str, ...]
RunKind: TypeAlias = Literal["review", "readiness"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """The program that made the record."""

    name: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixSource:
    """Where a matrix profile comes from."""

    title: str
    url: str
    variant: str
    date: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixReference:
    """The matrix profile that was judged against; `sha256` is the digest of its file."""

    id: str
    version: str
    sha256: str
    source: MatrixSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """The exit code and its reason in words."""

    code: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """When, by whom, with what. `checks` names every check that this version runs."""

    id: str
    kind: RunKind
    organisation: str
    started_at: str
    finished_at: str
    evaluated_at: str
    operator: str
    host: str
    tool: Tool
    argv: tuple[str, ...]
    fail_on: Severity
    matrix: MatrixReference
    evidence_sha256: str
    exit: Exit
    checks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Requirement outcomes (the first five add up to `evaluated`) and findings by kind."""

    evaluated: int = 0
    satisfied: int = 0
    partial: int = 0
    missing: int = 0
    unverifiable: int = 0
    not_applicable: int = 0
    excess: int = 0
    advisory: int = 0
    waived: int = 0

    def __post_init__(self) -> None:
        parts = self.satisfied + self.partial + self.missing + self.unverifiable + self.not_applicable
        if parts != self.evaluated:
            msg = f"outcomes add up to {parts}, evaluated says {self.evaluated}"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The verdict on the run."""

    verdict: Verdict
    counts: Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class PrincipalRecord:
    """The audited account, as far as it could be read."""

    name: str
    sid: str | None = None
    object_id: str | None = None
    dn: str | None = None


@quickly_pickled
@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceReference:
    """Points into the evidence: dataset, and the record's DN, id or name (empty: the whole dataset).

    `quote` is what decides, word for word: an ACE in SDDL, an assignment record as JSON; `words` says it in words.
    """

    dataset: str
    record: str = ""
    quote: str = ""
    words: str = ""


@quickly_pickled
@dataclass(frozen=True, slots=True, kw_only=True)
class Remediation:
    """What a person may do about a finding; the tool never runs it."""

    text: str
    commands: tuple[str, ...] = ()


@quickly_pickled
@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementPart:
    """One leg of a requirement, judged on its own."""

    title: str
    outcome: Outcome
    how: str
    reason: str
    paths: tuple[Path, ...] = ()


@quickly_pickled
@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementResult:
    """One documented requirement in one scope.

    `how` says in one word how it is met: `exact`, `superset`, `union`, `via_group`, `via_role_group`,
    `via_entra_role`, `direct` (an Exchange role assigned to the account itself), or empty. `documented` and `actual`
    are sentences for the grid.
    """

    id: str
    check: str
    title: str
    scope: str
    plane: str
    basis: Literal["documented", "derived"]
    outcome: Outcome
    how: str
    reason: str
    documented: str
    actual: str
    note: str = ""
    paths: tuple[Path, ...] = ()
    parts: tuple[RequirementPart, ...] = ()
    evidence: tuple[EvidenceReference, ...] = ()
    remediation: Remediation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WithoutDomainAdmins:
    """What a requirement would be if the account left Domain Admins today; `add` names what to delegate."""

    id: str
    scope: str
    outcome: Outcome
    reason: str
    add: tuple[str, ...] = ()


@quickly_pickled
@dataclass(frozen=True, slots=True, kw_only=True)
class EntitlementRecord:
    """Something the account actually holds, and whether the matrix documents it.

    `baseline` is what every account of its kind has or what comes with something documented;
    `not_judged` is listed because the matrix does not say.

    `kind` is `ad_group`, `ad_right`, `exchange_role`, `exchange_role_group`, `entra_role` or `consent`.
    """

    kind: str
    name: str
    id: str
    scope: str
    status: Literal["documented", "excess", "baseline", "not_judged"]
    paths: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HostRecord:
    """One directory server of a hybrid connection, as met on the wire."""

    host: str
    port: int
    reachable: bool
    tls: str
    certificate: str
    sign_in: str
    domain: str


@quickly_pickled
@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRecord:
    """Provenance of one read. `duration_s` is None in records of earlier versions."""

    dataset: str
    subject: str
    endpoint: str
    query: Mapping[str, Any]
    started_at: str
    finished_at: str
    records: int
    pages: int
    complete: bool
    error: str | None
    error_kind: str | None
    missing_permission: str | None
    sha256: str
    duration_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionResult:
    """Everything about one connection. `configuration` is the inventory entry without secrets."""

    id: str
    kind: ConnectionKind
    name: str
    verdict: Verdict
    counts: Counts
    matrix: MatrixReference
    configuration: Mapping[str, Any]
    signed_in_as: str
    principal: PrincipalRecord
    requirements: tuple[RequirementResult, ...]
    without_domain_admins: tuple[WithoutDomainAdmins, ...]
    entitlements: tuple[EntitlementRecord, ...]
    hosts: tuple[HostRecord, ...]
    sources: tuple[SourceRecord, ...]


@quickly_pickled
@dataclass(frozen=True, slots=True, kw_only=True)
class ControlReference:
    """A proposed mapping to a control catalogue, for a compliance person to confirm."""

    framework: str
    id: str


@quickly_pickled
@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A missing, partial, excess, unverifiable or advisory result.

    `key` is made of check, connection, entitlement and scope by their identifiers, so it survives
    rewording, renaming, reordering and re-collection. `waiver` is the id of the waiver in effect.
    `first_seen` is the instant since which every run has reported this key.
    """

    key: str
    check: str
    connection: str
    outcome: FindingOutcome
    severity: Severity
    principal: str
    entitlement: str
    scope: str
    title: str
    documented: str
    actual: str
    why: str
    paths: tuple[Path, ...] = ()
    remediation: Remediation
    controls: tuple[ControlReference, ...] = ()
    evidence: tuple[EvidenceReference, ...] = ()
    waiver: str | None = None
    drift: Literal["new", "persisting", "changed"] | None = None
    first_seen: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiverRecord:
    """A waiver as it stood in this run. `finding` is the key of the finding it names, if there is one.

    Only a waiver `in_effect` keeps a finding from counting; `note` says why one is not, or when it ends.
    """

    id: str
    state: WaiverState
    in_effect: bool
    is_self_approved: bool
    finding: str | None
    note: str
    check: str
    connection: str
    principal: str
    entitlement: str
    scope: str
    accepted_fingerprint: str
    reason: str
    owner: str
    approved_by: str
    ticket: str
    created: str
    expires: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierRun:
    """One point of the trend: the summary of an earlier run."""

    run: str
    evaluated_at: str
    verdict: Verdict
    counts: Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """The whole record of a run. `trend` holds the runs before it, oldest first.

    Texts are in English whatever the language of a report. `messages` tell what those with names in them were made
    of, so that a report can say them in another language.
    """

    schema_version: Literal["1.0"] = "1.0"
    run: Run
    summary: Summary
    connections: tuple[ConnectionResult, ...]
    findings: tuple[Finding, ...]
    drift: DriftRecord = field(default_factory=DriftRecord)
    waivers: tuple[WaiverRecord, ...] = ()
    trend: tuple[EarlierRun, ...] = ()
    limitations: tuple[str, ...] = ()
    messages: tuple[MessageRecord, ...] = ()
