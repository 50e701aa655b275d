"""AD-GRP-002: which reading of the vendor's pages decided, and what the other one would say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.evaluate.checks.account_finding import account_finding
from auditor.evaluate.directory.judge import judge_by_itself
from auditor.evaluate.directory.readings import legs_of
from auditor.model.message import joined, say, written
from auditor.model.outcome import Severity, combine_all_of, combine_any_of
from auditor.model.results import EvidenceReference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.evaluate.directory.judge import DirectoryFacts
    from auditor.model.results import Finding

_IN_WORDS = {"all_of": say("both are needed"), "any_of": say("one of them is enough")}


def check_both_readings(facts: DirectoryFacts) -> Iterator[Finding]:
    """Report when Domain Admins and delegation together, and one of them, give different answers (rule A1)."""
    legs = {
        kind: combine_all_of(each.outcome for each in judgements)
        for kind, judgements in legs_of(judge_by_itself(facts)).items()
    }
    both, either = combine_all_of(legs.values()), combine_any_of(legs.values())
    if len(legs) < 2 or both is either:  # noqa: PLR2004 - two conditions
        return
    decided = facts.profile.rules.domain_admins_and_delegation
    shown = {"ad_group": say("Domain Admins"), "ad_delegation": say("delegation")}
    yield account_finding(
        facts,
        check="AD-GRP-002",
        severity=Severity.INFO,
        title=say("The two readings of the vendor's pages give different answers"),
        documented=say("one page asks for Domain Admins and delegation, another for one of them"),
        actual=joined(
            "; ",
            (
                say("read so that both are needed: {both}", both=written(both)),
                say("read so that one is enough: {either}", either=written(either)),
                *(joined(": ", (shown.get(kind, kind), written(outcome))) for kind, outcome in legs.items()),
                say("this profile decides that {reading}", reading=_IN_WORDS[decided]),
            ),
        ),
        cure=say("Ask the vendor in writing which reading holds, and choose the profile accordingly."),
        evidence=(EvidenceReference(dataset="token_groups"), EvidenceReference(dataset="target_ou")),
    )
