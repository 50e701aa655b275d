"""What the domain controller shows and withholds is what the auditing identity is judged to read or not."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from auditor.evaluate.directory.judge import gather_directory_facts
from auditor.evaluate.directory.readable import ReadProof
from auditor.matrix.load import load_matrix
from auditor.model.connection import HybridConnection
from auditor.model.directory_entry import record_to_entry
from auditor.recorded_run import read_recorded_run
from tests.integration.audits import CASES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from auditor.evaluate.directory.judge import DirectoryFacts
    from auditor.model.directory_entry import DirectoryEntry

PROFILE = load_matrix("hybrid-exchange-online").profile
# Those that are computed, or that every reader of an object sees whatever its permissions say
ALWAYS_SHOWN = frozenset({"tokengroups", "distinguishedname"})


def _audited(folder: Path) -> Iterator[DirectoryFacts]:
    for evidence, _ in read_recorded_run(folder).inputs:
        connection = evidence.connection
        assert isinstance(connection, HybridConnection)
        yield gather_directory_facts(evidence, connection, PROFILE)


def _without_values(entry: DirectoryEntry, attribute: str) -> DirectoryEntry:
    kept = {name: values for name, values in entry.attributes.items() if name != attribute}
    return type(entry)(dn=entry.dn, attributes=kept, descriptor=entry.descriptor)


@pytest.mark.directory
def test_every_attribute_that_was_shown_is_judged_readable(audited_folder: Path) -> None:
    """Had it no value, its absence would have been proven."""
    compared = Counter[str]()
    for facts in _audited(audited_folder):
        proof = ReadProof(facts.evidence, facts.schema, facts.account.membership)
        entries = [*facts.evidence.read("account"), *facts.evidence.read("groups")]
        for entry in map(record_to_entry, entries):
            for attribute in entry.attributes.keys() - ALWAYS_SHOWN:
                compared[attribute] += 1
                if attribute == "objectclass":  # its value names the class the permissions are judged for
                    continue
                hidden = proof.withholds(_without_values(entry, attribute), attribute)
                assert not hidden, f"{facts.connection.id}: {attribute} of {entry.dn}"
    assert len(compared) > 20, compared


@pytest.mark.directory
def test_every_attribute_that_was_withheld_is_judged_unreadable(audited_folder: Path) -> None:
    """The lab has set these attributes, so that a missing value was withheld."""
    shown, withheld = Counter[str](), Counter[str]()
    for facts in _audited(audited_folder):
        proof = ReadProof(facts.evidence, facts.schema, facts.account.membership)
        (entry,) = map(record_to_entry, facts.evidence.read("account"))
        case = CASES[facts.connection.id]
        for change in (each for each in case.attribute_changes if each.name == case.account):
            seen = bool(entry.octets(change.attribute))
            (shown if seen else withheld)[change.attribute] += 1
            assert proof.withholds(entry, change.attribute) is not seen, f"{entry.dn}: {change.attribute}"
    assert len(shown) > 5, shown
    assert len(withheld) > 2, withheld
