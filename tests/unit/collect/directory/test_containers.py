from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest

from auditor.model.directory_entry import record_to_entry
from auditor.model.evidence import GapKind
from tests.unit.collect.directory.collecting import gap_of
from tests.unit.collect.directory.scripted_server import (
    HEAD,
    Answer,
    Attributes,
    Request,
    ScriptedServer,
    directory,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.model.evidence import Evidence
    from tests.unit.collect.directory.authority import Issued
    from tests.unit.collect.directory.collecting import Collect

STAFF = f"OU=Staff,{HEAD}"
BELOW = f"OU=Below,{STAFF}"
BLIND = f"OU=Blind,{STAFF}"
UNIT: Attributes = {"objectClass": ["top", "organizationalUnit"], "nTSecurityDescriptor": [b"sd"]}


def audit(
    collect: Collect,
    issued: Issued,
    answer: Answer | Mapping[str, Attributes],
    *target_ous: str,
    **settings: Any,
) -> Evidence:
    with ScriptedServer(
        pem_file=issued.pem_file, answer=answer if callable(answer) else directory(answer)
    ) as server:
        return collect(server.port, target_ous=target_ous, **settings)


def test_a_unit_is_read_with_all_below_but_not_itself_again(collect: Collect, trusted: Issued) -> None:
    answer = directory(
        {STAFF: UNIT, BELOW: {**UNIT, "nTSecurityDescriptor": [b"other"]}, BLIND: {}},
        {b"isCriticalSystemObject": [], b"organizationalUnit": [STAFF, BELOW, BLIND]},
    )
    evidence = audit(collect, trusted, answer, STAFF)
    (unit,) = evidence.read("target_ou", STAFF)
    assert unit["descriptor"] == hashlib.sha256(b"sd").hexdigest()
    below = [record_to_entry(record) for record in evidence.read("containers", STAFF)]
    assert [(entry.dn, entry.descriptor) for entry in below] == [
        (BELOW, hashlib.sha256(b"other").hexdigest()), (BLIND, None),
    ]
    assert set(evidence.descriptors.values()) == {b"sd", b"other"}
    assert evidence.read("containers", STAFF).absence_is_proven


def test_containers_whose_class_is_withheld_are_asked_for_too(collect: Collect, trusted: Issued) -> None:
    evidence = audit(collect, trusted, {STAFF: UNIT}, STAFF)
    source = evidence.read("containers", STAFF).source
    assert source is not None
    assert "(!(objectClass=*))" in str(source.query["filter"])
    assert source.query["controls"] == ["sd_flags=5", "paged_results=1000"]


@pytest.mark.parametrize(
    "attributes", [{}, {"objectClass": ["top"]}], ids=["empty DACL", "no read permissions"]
)
def test_a_unit_without_descriptor_is_kept_and_proves_nothing(
    collect: Collect, trusted: Issued, attributes: Attributes
) -> None:
    evidence = audit(collect, trusted, {STAFF: attributes}, STAFF)
    (unit,) = evidence.read("target_ou", STAFF)
    assert unit["descriptor"] is None
    for dataset in ("target_ou", "containers"):
        gap = gap_of(evidence, dataset, STAFF)
        assert gap.kind is GapKind.NOT_PERMITTED
        assert STAFF in (gap.missing_permission or "")


def test_a_unit_that_is_not_shown_although_the_search_succeeds_may_exist(
    collect: Collect, trusted: Issued
) -> None:
    evidence = audit(collect, trusted, lambda request: request.done(), STAFF)
    assert gap_of(evidence, "target_ou", STAFF).kind is GapKind.NOT_PERMITTED
    assert gap_of(evidence, "containers", STAFF).kind is GapKind.NOT_ATTEMPTED
    assert evidence.reads_of("nearest_ancestor") == ()


def test_a_unit_that_is_not_found_brings_its_nearest_visible_ancestor(
    collect: Collect, trusted: Issued
) -> None:
    gone = rf"OU=a\, b,OU=gone,{STAFF}"
    evidence = audit(collect, trusted, {STAFF: UNIT, HEAD: UNIT}, gone)
    assert gap_of(evidence, "target_ou", gone).kind is GapKind.NOT_FOUND
    (ancestor,) = evidence.read("nearest_ancestor", gone)
    assert record_to_entry(ancestor).dn == STAFF
    assert ancestor["descriptor"] is not None
    assert evidence.read("nearest_ancestor", gone).absence_is_proven
    assert gap_of(evidence, "containers", gone).kind is GapKind.NOT_ATTEMPTED


def test_an_ancestor_without_descriptor_says_so(collect: Collect, trusted: Issued) -> None:
    gone = f"OU=gone,{STAFF}"
    evidence = audit(collect, trusted, {STAFF: {}, HEAD: UNIT}, gone)
    assert gap_of(evidence, "nearest_ancestor", gone).kind is GapKind.NOT_PERMITTED


def test_an_ancestor_that_is_there_and_hides_itself_leaves_open_what_is_below(
    collect: Collect, trusted: Issued
) -> None:
    gone = f"OU=gone,{STAFF}"
    shown = directory({HEAD: UNIT})
    evidence = audit(
        collect, trusted, lambda request: request.done() if request.base == STAFF else shown(request), gone
    )
    assert gap_of(evidence, "target_ou", gone).kind is GapKind.NOT_FOUND
    assert gap_of(evidence, "nearest_ancestor", gone).kind is GapKind.NOT_PERMITTED
    assert not evidence.read("nearest_ancestor", gone).records


def test_what_lies_above_a_unit_that_shows_exists(collect: Collect, trusted: Issued) -> None:
    evidence = audit(collect, trusted, {BELOW: UNIT, HEAD: UNIT}, BELOW)
    assert STAFF in gap_of(evidence, "ancestors").message
    assert [record_to_entry(record).dn for record in evidence.read("ancestors")] == [HEAD]
    gone = audit(collect, trusted, {HEAD: UNIT}, BELOW)
    assert gone.read("ancestors").absence_is_proven


def test_no_visible_ancestor_is_a_gap(collect: Collect, trusted: Issued) -> None:
    gone = f"OU=gone,{STAFF}"
    evidence = audit(collect, trusted, {}, gone)
    assert gap_of(evidence, "nearest_ancestor", gone).kind is GapKind.NOT_FOUND


@pytest.mark.parametrize("dn", ["OU=Staff,DC=eu,DC=example,DC=com", "no distinguished name"])
def test_a_unit_of_no_partition_here_is_not_reported_absent(
    collect: Collect, trusted: Issued, dn: str
) -> None:
    asked: list[Request] = []

    def answer(request: Request) -> bytes:
        asked.append(request)
        return request.done(32)

    evidence = audit(collect, trusted, answer, dn)
    assert gap_of(evidence, "target_ou", dn).kind is GapKind.INCOMPLETE
    assert dn not in {request.base for request in asked}


def test_a_target_and_group_unit_is_recorded_as_both_and_searched_once(
    collect: Collect, trusted: Issued
) -> None:
    evidence = audit(collect, trusted, {STAFF: UNIT}, STAFF, group_ous=(STAFF, STAFF))
    assert [subject for subject, _ in evidence.reads_of("group_ou")] == [STAFF]
    assert [subject for subject, _ in evidence.reads_of("containers")] == [STAFF]
    assert evidence.read("target_ou", STAFF).absence_is_proven
    assert evidence.read("group_ou", STAFF).absence_is_proven


def test_a_connection_lost_midway_leaves_the_rest_as_gaps_and_keeps_what_was_read(
    collect: Collect, trusted: Issued
) -> None:
    known = directory({STAFF: UNIT, HEAD: UNIT})

    def answer(request: Request) -> bytes:
        return b"" if request.base == BELOW else known(request)

    evidence = audit(collect, trusted, answer, STAFF, BELOW, f"OU=Later,{HEAD}")
    assert evidence.read("target_ou", STAFF).absence_is_proven
    assert gap_of(evidence, "target_ou", BELOW).kind is GapKind.UNREACHABLE
    assert gap_of(evidence, "target_ou", f"OU=Later,{HEAD}").kind is GapKind.UNREACHABLE
    assert evidence.reads_of("nearest_ancestor") == ()


@pytest.mark.parametrize("name", [
    r"OU=comma\, and \"quote\"", r"OU=\#hash", r"OU=\ lead", "OU=right\u202eto left", "OU=Köln", r"OU=a\0Ab",
])
def test_names_reach_the_server_as_they_were_written(collect: Collect, trusted: Issued, name: str) -> None:
    dn = f"{name},{HEAD}"
    evidence = audit(collect, trusted, {dn: UNIT}, dn)
    (unit,) = evidence.read("target_ou", dn)
    assert record_to_entry(unit).dn == dn
