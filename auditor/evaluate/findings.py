"""Makes findings, with keys that survive rewording, renaming and re-collection."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from typing import TYPE_CHECKING

from auditor.catalogue import CATALOGUE
from auditor.model.keys import finding_key
from auditor.model.message import Message, say, written
from auditor.model.outcome import FindingOutcome, Outcome, Severity
from auditor.model.results import EvidenceReference, Finding, Path, Remediation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.matrix.profile import Requirement
    from auditor.model.results import RequirementResult

_FROM_REQUIREMENT = {
    Outcome.MISSING: FindingOutcome.MISSING,
    Outcome.PARTIAL: FindingOutcome.PARTIAL,
    Outcome.UNVERIFIABLE: FindingOutcome.UNVERIFIABLE,
}

_TITLES = {
    FindingOutcome.MISSING: "{id} is missing: {documented}",
    FindingOutcome.PARTIAL: "{id} is only partly met: {documented}",
    FindingOutcome.UNVERIFIABLE: "{id} could not be verified: {documented}",
}

# Where an ACE stands in its list changes with its neighbours
_ACE_INDEX = re.compile(r"\bACE \d+(?:(?:, | and )\d+)*")


def state_fingerprint(finding: Finding) -> str:
    """Return `sha256:...` of the state a finding reports, in a form that reordering does not change.

    Two findings of one key with equal fingerprints say the same: outcome, severity, principal, what is
    actually there and by which paths.
    """
    state = {
        "outcome": finding.outcome,
        "severity": finding.severity,
        "principal": finding.principal,
        "actual": _canonical(finding.actual),
        "paths": sorted([_canonical(step) for step in path] for path in finding.paths),
    }
    text = json.dumps(state, sort_keys=True)
    return f"sha256:{hashlib.sha256(text.encode('ascii')).hexdigest()}"


def _canonical(text: str) -> str:
    return unicodedata.normalize("NFC", _ACE_INDEX.sub("ACE", text))


def make_finding(  # noqa: PLR0913 - a finding has this many facts, and every caller names them
    *,
    check: str,
    connection: str,
    outcome: FindingOutcome,
    severity: Severity,
    principal: str,
    entitlement: str,
    scope: str,
    title: Message,
    documented: Message,
    actual: Message,
    remediation: Remediation,
    paths: Sequence[Path] = (),
    evidence: Sequence[EvidenceReference] = (),
) -> Finding:
    """Build a finding; why it matters and its control references come from the check."""
    known = CATALOGUE[check]
    return Finding(
        key=finding_key(check, connection, entitlement, scope),
        check=check,
        connection=connection,
        outcome=outcome,
        severity=severity,
        principal=principal,
        entitlement=entitlement,
        scope=scope,
        title=title,
        documented=documented,
        actual=actual,
        why=known.why,
        paths=tuple(paths),
        remediation=remediation,
        controls=known.controls,
        evidence=tuple(evidence),
    )


def finding_of_requirement(
    requirement: Requirement,
    result: RequirementResult,
    *,
    connection: str,
    principal: str,
    remediation: Remediation,
) -> Finding | None:
    """Return the finding of a requirement that is not satisfied, or None.

    Something that could not be verified is reported at medium severity: it decides no verdict, but it
    keeps one open.
    """
    outcome = _FROM_REQUIREMENT.get(result.outcome)
    if outcome is None:
        return None
    severity = Severity.MEDIUM if outcome is not FindingOutcome.MISSING else requirement.severity
    return make_finding(
        check=requirement.check,
        connection=connection,
        outcome=outcome,
        severity=severity,
        principal=principal,
        entitlement=requirement.id,
        scope=result.scope,
        title=say(_TITLES[outcome], id=requirement.id, documented=written(requirement.documented)),
        documented=written(requirement.documented),
        actual=written(result.reason or result.actual),
        remediation=remediation,
        paths=result.paths,
        evidence=result.evidence,
    )
