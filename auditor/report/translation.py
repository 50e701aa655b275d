"""The record in the reader's language: its sentences are translated before a report is made of it.

A sentence is made anew from its template and values, which the record's `messages` hold; data in it stays as it was
read. Identifiers, scopes, commands and quotes stay too: they are to be found again in the record and in the systems.
Escaping is left to the renderers, to which a translated sentence is a text like any other.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from auditor.model.message import PLACEHOLDER, fill
from auditor.report.languages import ENGLISH, catalogue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.model.drift import DriftEntry
    from auditor.model.message import MessageRecord
    from auditor.model.results import (
        ConnectionResult,
        EntitlementRecord,
        EvidenceReference,
        Finding,
        MatrixReference,
        Path,
        Remediation,
        RequirementPart,
        RequirementResult,
        Results,
    )

_STEPS = frozenset({"membership path not readable"})  # of paths, without values; all others are names


def translated(results: Results, language: str) -> Results:
    """Return the record with its sentences in `language`; one that has no translation stays in English."""
    return results if language == ENGLISH else Sentences(results, catalogue(language)).of_record(results)


class Sentences:
    """Translates the sentences of one record."""

    def __init__(self, results: Results, translations: Mapping[str, str]) -> None:
        self._translations = translations
        self._messages: dict[str, MessageRecord] = {}
        for message in results.messages:
            self._messages.setdefault(fill(message.template, message.values), message)

    def __call__(self, text: str, within: frozenset[str] = frozenset()) -> str:
        """Return a sentence; `within` are those that it is part of, so that a circle in an altered file ends."""
        message = None if text in within else self._messages.get(text)
        if message is None:
            return self._translations.get(text, text)
        around = within | {text}
        # Those alone that are in the text: it bounds how many there are, whatever an altered file lists
        shown = {name: message.values[name] for name in PLACEHOLDER.findall(message.template)}
        values = {name: self(value, around) if name in message.texts else value for name, value in shown.items()}
        return fill(self._translations.get(message.template, message.template), values)

    def of_record(self, results: Results) -> Results:
        """Return the whole record."""
        run = results.run
        return replace(
            results,
            run=replace(
                run, matrix=self._matrix(run.matrix), exit=replace(run.exit, reason=self(run.exit.reason))
            ),
            connections=tuple(map(self._connection, results.connections)),
            findings=tuple(map(self.finding, results.findings)),
            drift=replace(results.drift, entries=tuple(map(self.drift_entry, results.drift.entries))),
            waivers=tuple(replace(waiver, note=self(waiver.note)) for waiver in results.waivers),
            limitations=tuple(map(self, results.limitations)),
        )

    def finding(self, finding: Finding) -> Finding:
        """Return a finding."""
        return replace(
            finding,
            title=self(finding.title),
            documented=self(finding.documented),
            actual=self(finding.actual),
            why=self(finding.why),
            paths=self._paths(finding.paths),
            remediation=self._remediation(finding.remediation),
            evidence=self._references(finding.evidence),
        )

    def drift_entry(self, entry: DriftEntry) -> DriftEntry:
        """Return a difference between two runs; what an entitlement is called may be a name."""
        title = self._name(entry.title) if entry.subject == "entitlement" else self(entry.title)
        return replace(entry, title=title, reason=self(entry.reason))

    def _connection(self, connection: ConnectionResult) -> ConnectionResult:
        return replace(
            connection,
            matrix=self._matrix(connection.matrix),
            requirements=tuple(map(self._requirement, connection.requirements)),
            without_domain_admins=tuple(
                replace(each, reason=self(each.reason), add=tuple(map(self, each.add)))
                for each in connection.without_domain_admins
            ),
            entitlements=tuple(map(self._entitlement, connection.entitlements)),
            hosts=tuple(
                replace(host, tls=self(host.tls), certificate=self(host.certificate), sign_in=self(host.sign_in))
                for host in connection.hosts
            ),
            sources=tuple(
                source
                if source.complete
                else replace(
                    source,
                    error=None if source.error is None else self(source.error),
                    missing_permission=None if source.missing_permission is None else self(source.missing_permission),
                )
                for source in connection.sources
            ),
        )

    def _requirement(self, requirement: RequirementResult) -> RequirementResult:
        remediation = requirement.remediation
        return replace(
            requirement,
            title=self(requirement.title),
            reason=self(requirement.reason),
            documented=self(requirement.documented),
            actual=self(requirement.actual),
            note=self(requirement.note),
            paths=self._paths(requirement.paths),
            parts=tuple(map(self._part, requirement.parts)),
            evidence=self._references(requirement.evidence),
            remediation=None if remediation is None else self._remediation(remediation),
        )

    def _part(self, part: RequirementPart) -> RequirementPart:
        return replace(part, title=self(part.title), reason=self(part.reason), paths=self._paths(part.paths))

    def _entitlement(self, entitlement: EntitlementRecord) -> EntitlementRecord:
        return replace(entitlement, name=self._name(entitlement.name), paths=self._paths(entitlement.paths))

    def _matrix(self, matrix: MatrixReference) -> MatrixReference:
        return replace(matrix, source=replace(matrix.source, title=self(matrix.source.title)))

    def _remediation(self, remediation: Remediation) -> Remediation:
        return replace(remediation, text=self(remediation.text))

    def _references(self, references: tuple[EvidenceReference, ...]) -> tuple[EvidenceReference, ...]:
        return tuple(replace(each, words=self(each.words)) if each.words else each for each in references)

    def _paths(self, paths: tuple[Path, ...]) -> tuple[Path, ...]:
        return tuple(tuple(map(self._name, path)) for path in paths)

    def _name(self, text: str) -> str:
        """Return a text that may be a name: one without values in it is, whatever it is called."""
        return self(text) if text in self._messages or text in _STEPS else text
