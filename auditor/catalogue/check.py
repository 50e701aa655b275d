"""What a check is: one identifiable rule with its reason."""

from __future__ import annotations

from dataclasses import dataclass

from auditor.model.outcome import Severity
from auditor.model.results import ControlReference

_FRAMEWORKS = {
    "N": "nist-800-53r5",
    "I": "iso-27001-2022",
    "S": "soc-2",
    "P": "pci-dss-4.0.1",
    "A": "mitre-attack",
    "B": "cisa-scuba-aad",
    "C": "cis-m365",
}
_SEVERITIES = {severity[0].upper(): severity for severity in Severity}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One identifiable rule.

    `severities` are those its findings may have, most urgent first. `reads` says in words what it looks at,
    `rule` when there is nothing to report, `why` why that matters. A check that is not built is listed so that
    nobody takes its silence for a pass; it says nothing else.
    """

    id: str
    title: str
    severities: tuple[Severity, ...]
    reads: str = ""
    rule: str = ""
    why: str = ""
    controls: tuple[ControlReference, ...] = ()
    is_built: bool = True

    def __post_init__(self) -> None:
        if self.is_built and not (self.title and self.severities and self.reads and self.rule and self.why):
            msg = f"{self.id}: a check says what it is, what it reads, its rule and why it matters"
            raise ValueError(msg)


def check(  # noqa: PLR0913 - one line of the catalogue
    check_id: str,
    severities: str,
    title: str,
    *,
    reads: str,
    rule: str,
    why: str,
    controls: str = "",
) -> Check:
    """Return a check. `severities` are initials (`CH` is critical or high), `controls` are `N:AC-6 I:A.5.18`."""
    references = tuple(
        ControlReference(framework=_FRAMEWORKS[family], id=reference)
        for family, reference in (item.split(":", 1) for item in controls.split())
    )
    return Check(
        id=check_id,
        title=title,
        severities=tuple(_SEVERITIES[initial] for initial in severities),
        reads=reads,
        rule=rule,
        why=why,
        controls=references,
    )


def planned(check_id: str, severities: str, title: str) -> Check:
    """Return a check that is listed and not built."""
    return Check(
        id=check_id,
        title=title,
        severities=tuple(_SEVERITIES[initial] for initial in severities),
        is_built=False,
    )
