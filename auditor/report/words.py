"""The words of the report: one symbol, one word and one definition per result."""

from __future__ import annotations

from dataclasses import dataclass

from auditor.model.connection import ConnectionKind
from auditor.model.outcome import DriftState, FindingOutcome, Outcome, Severity, Verdict, WaiverState


@dataclass(frozen=True, slots=True)
class Word:
    """A result in words. `mark` is a glyph the report can draw; `tone` is the CSS class of its colour."""

    text: str
    mark: str
    tone: str
    definition: str


OUTCOMES: dict[Outcome, Word] = {
    Outcome.SATISFIED: Word(
        "Satisfied", "✓", "good", "The account holds what is documented, exactly or through something wider."
    ),
    Outcome.PARTIAL: Word(
        "Partial", "◐", "warn", "The account holds some of what is documented, or in a narrower scope."
    ),
    Outcome.MISSING: Word(
        "Missing", "✗", "bad", "Everything needed to judge was read, and the account does not hold it."
    ),
    Outcome.UNVERIFIABLE: Word(
        "Unverifiable", "?", "unknown",
        "Something needed to judge could not be read. This is neither a pass nor a failure.",
    ),
    Outcome.NOT_APPLICABLE: Word(
        "Not applicable", "\u2013", "neutral", "The requirement does not concern this connection or scope."
    ),
}

FINDING_OUTCOMES: dict[FindingOutcome, Word] = {
    FindingOutcome.MISSING: OUTCOMES[Outcome.MISSING],
    FindingOutcome.PARTIAL: OUTCOMES[Outcome.PARTIAL],
    FindingOutcome.EXCESS: Word(
        "Excess", "+", "bad", "The account holds it, and the matrix does not document it."
    ),
    FindingOutcome.UNVERIFIABLE: OUTCOMES[Outcome.UNVERIFIABLE],
    FindingOutcome.ADVISORY: Word(
        "Advisory", "◇", "neutral", "Good practice beyond the matrix. It never changes the verdict."
    ),
}

SEVERITIES: dict[Severity, Word] = {
    Severity.CRITICAL: Word("Critical", "■", "critical", "Control of the directory or tenant is at stake."),
    Severity.HIGH: Word("High", "◆", "high", "A documented right is absent, or a powerful one is held."),
    Severity.MEDIUM: Word("Medium", "●", "medium", "A real deviation with limited reach."),
    Severity.LOW: Word("Low", "○", "low", "Worth putting right when the occasion arises."),
    Severity.INFO: Word("Info", "i", "info", "For information."),
}

REVIEW_VERDICTS: dict[Verdict, Word] = {
    Verdict.COMPLIANT: Word(
        "Compliant", "✓", "good",
        "Everything in scope was verified and no deviation at or above severity {severity} stands.",
    ),
    Verdict.NON_COMPLIANT: Word(
        "Not compliant", "✗", "bad", "At least one deviation at or above severity {severity} stands."
    ),
    Verdict.INCONCLUSIVE: Word(
        "Inconclusive", "?", "unknown",
        "No deviation at or above severity {severity} was found, but something in scope could not be verified.",
    ),
}

READINESS_VERDICTS: dict[Verdict, Word] = {
    verdict: Word(text, word.mark, word.tone, word.definition)
    for (verdict, word), text in zip(
        REVIEW_VERDICTS.items(), ("Ready", "Not ready", "Cannot say"), strict=True
    )
}

ENTITLEMENT_STATUSES: dict[str, Word] = {
    "documented": Word("Documented", "✓", "good", "The matrix documents it."),
    "excess": Word("Excess", "+", "bad", "Held, and not in the matrix."),
    "baseline": Word(
        "Baseline", "\u2013", "neutral", "Every account has it, or it comes with a documented group."
    ),
    "not_judged": Word("Listed", "\u2013", "neutral", "Listed and explained; the matrix does not judge it."),
}

DRIFT_STATES: dict[DriftState, Word] = {
    DriftState.NEW: Word("New", "+", "bad", "It was not there in the earlier run, and both runs could see it."),
    DriftState.RESOLVED: Word(
        "Resolved", "✓", "good", "It was there in the earlier run and is gone; everything that shows it was read."
    ),
    DriftState.CHANGED: Word("Changed", "◐", "warn", "It is in both runs, in another state."),
    DriftState.NOT_COMPARABLE: Word(
        "Not comparable", "?", "unknown",
        "One of the runs could not verify it, did not cover it, or did not know the check. Nothing follows from that.",
    ),
}

ENTITLEMENT_VERBS: dict[DriftState, str] = {
    DriftState.NEW: "held since then",
    DriftState.RESOLVED: "no longer held",
    DriftState.CHANGED: "held or judged differently",
}

# What was there before and is there after, in the middle of a sentence.
DRIFT_WORDS: dict[str, str] = {
    **{str(outcome): word.text.lower() for outcome, word in (*OUTCOMES.items(), *FINDING_OUTCOMES.items())},
    **{status: word.text.lower() for status, word in ENTITLEMENT_STATUSES.items()},
    "absent": "nothing",
}

FINDING_DRIFTS: dict[str, str] = {
    "new": "New since the last run",
    "changed": "Changed since the last run",
    "persisting": "In the last run as well",
}

WAIVER_STATES: dict[WaiverState, Word] = {
    WaiverState.ACTIVE: Word("Active", "✓", "good", "It covers a finding in the state that was accepted."),
    WaiverState.EXPIRING: Word("Expiring", "●", "warn", "It covers a finding and ends within 30 days."),
    WaiverState.EXPIRED: Word("Expired", "✗", "bad", "Its last day is over; what it covered counts again."),
    WaiverState.VOID: Word(
        "Void", "✗", "bad", "The finding is no longer in the state that was accepted; it counts again."
    ),
    WaiverState.UNMATCHED: Word("Unmatched", "?", "unknown", "No finding of this run is the one it names."),
}

CONNECTION_KINDS: dict[ConnectionKind, str] = {
    ConnectionKind.HYBRID: "Hybrid (Active Directory)",
    ConnectionKind.EXCHANGE_ONLINE: "Exchange Online (Microsoft 365)",
}

CONFIGURATION_NAMES: dict[str, str] = {
    "base_dns": "Base DNs",
    "target_ous": "Target OUs",
    "group_ous": "Group OUs",
    "tls_server_name": "TLS server name",
    "ca_file": "CA file",
    "vendor_app_id": "Vendor application id",
    "service_account": "Service account",
    "linked_to": "Linked to",
    "hosts": "Hosts",
    "port": "Port",
    "global_catalog": "Global catalog",
    "username": "User name",
    "profile": "Profile",
    "tenant": "Tenant",
    "cloud": "Cloud",
    "endpoints": "Endpoints",
}

PLANES: dict[str, str] = {
    "ad_group": "Active Directory group",
    "ad_delegation": "Active Directory delegation",
    "exchange_and_entra_role": "Exchange role and Microsoft Entra role",
    "ad_connection": "Connection to Active Directory",
    "exchange_role": "Exchange role",
    "exchange_role_group": "Exchange role group",
    "entra_role": "Microsoft Entra role",
    "entra_account": "Microsoft Entra account",
}

ENTITLEMENT_KINDS: dict[str, str] = {
    "ad_group": "Active Directory group",
    "ad_right": "Active Directory right",
    "exchange_role": "Exchange role",
    "exchange_role_group": "Exchange role group",
    "entra_role": "Microsoft Entra role",
    "consent": "Consent",
}

WAYS_OF_HOLDING: dict[str, str] = {
    "exact": "exactly as documented",
    "superset": "through a wider right",
    "union": "through several role groups together",
    "via_group": "through a group",
    "direct": "granted directly",
    "via_role_group": "through a role group",
    "via_entra_role": "through a Microsoft Entra role",
}

GAP_KINDS: dict[str, str] = {
    "unreachable": "unreachable",
    "timed_out": "timed out",
    "untrusted": "certificate not trusted",
    "sign_in_refused": "sign-in refused",
    "not_permitted": "not permitted",
    "not_licensed": "not licensed",
    "not_found": "not found",
    "throttled": "throttled",
    "incomplete": "incomplete",
    "malformed": "malformed answer",
    "not_attempted": "not attempted",
}

FRAMEWORKS: dict[str, str] = {
    "nist-800-53r5": "NIST SP 800-53 r5",
    "iso-27001-2022": "ISO/IEC 27001:2022 Annex A",
    "soc-2": "SOC 2",
    "pci-dss-4.0.1": "PCI DSS 4.0.1",
    "cis-m365": "CIS Microsoft 365",
    "cisa-scuba-aad": "CISA SCuBA",
    "mitre-attack": "MITRE ATT&CK",
}

# Who can act on a finding, by the prefix of its check.
OWNERS: dict[str, str] = {
    "AD": "Active Directory administrator",
    "EXO": "Exchange administrator",
    "ENT": "Microsoft Entra administrator",
}
OTHER_OWNER = "Operator of this audit"
