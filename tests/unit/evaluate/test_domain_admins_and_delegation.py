"""The two conditions on the bind account: both, or one of them; and what Domain Admins hides (A1, A2, A8, A14, A19)."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from auditor.evaluate.directory.user_task import USER_CLASS
from auditor.matrix.profile import DirectoryGroup
from auditor.model.outcome import Outcome, combine_all_of, combine_any_of
from tests.unit.evaluate.composed import MATRIX, REFUSED, findings, judge, matrix, outcome, row, told
from tests.unit.evaluate.composed_directory import (
    ACCOUNT,
    ADMINISTRATORS,
    CHILDREN,
    CONNECTION,
    CONTAINER_INHERIT,
    DELEGATED,
    DELEGATES,
    DOMAIN,
    DOMAIN_ADMINS,
    DOMAIN_USERS,
    GROUPS,
    HEAD,
    READABLE,
    STAFF,
    USERS,
    Container,
    Directory,
    ace,
    descriptor,
    dn_of,
    group,
    service_account,
    user_task,
)

EITHER = matrix(domain_admins_and_delegation="any_of")
BRANCH = f"OU=Branch,{HEAD}"
DELEGATIONS = {
    Outcome.SATISFIED: Container(raw=descriptor(*DELEGATED)),
    Outcome.PARTIAL: Container(
        raw=descriptor(READABLE, ace(CHILDREN, DELEGATES, object_type=USER_CLASS, flags=CONTAINER_INHERIT))
    ),
    Outcome.MISSING: Container(raw=descriptor(READABLE)),
    Outcome.UNVERIFIABLE: Container(raw=None),
}


def in_domain_admins(leg: Outcome) -> Directory:
    if leg is Outcome.SATISFIED:
        return Directory()
    outside = Directory(
        accounts=(service_account("H2R Delegates"),),
        token=(DOMAIN_USERS, USERS, DELEGATES),
    )
    return replace(outside, gaps={("token_groups", ""): REFUSED}) if leg is Outcome.UNVERIFIABLE else outside


def connection(membership: Outcome, delegation: Outcome) -> Directory:
    return replace(in_domain_admins(membership), ous={STAFF: DELEGATIONS[delegation]})


# Without the account's whole token a delegation that is not seen is not proven to be missing either.
LEGS = [
    (membership, delegation)
    for membership, delegation in product((Outcome.SATISFIED, Outcome.MISSING, Outcome.UNVERIFIABLE), DELEGATIONS)
    if membership is not Outcome.UNVERIFIABLE or delegation in (Outcome.SATISFIED, Outcome.UNVERIFIABLE)
]


@pytest.mark.parametrize(("membership", "delegation"), LEGS)
def test_both_conditions_are_asked_for_by_default(membership: Outcome, delegation: Outcome) -> None:
    results = judge(connection(membership, delegation).evidence())
    assert (outcome(results, "M7"), outcome(results, "M8")) == (membership, delegation)
    expected = {Outcome.SATISFIED: "compliant", Outcome.UNVERIFIABLE: "inconclusive"}
    assert results.summary.verdict == expected.get(combine_all_of([membership, delegation]), "non_compliant")


@pytest.mark.parametrize(("membership", "delegation"), LEGS)
def test_one_condition_is_enough_under_the_other_reading(membership: Outcome, delegation: Outcome) -> None:
    results = judge(connection(membership, delegation).evidence(), against=EITHER)
    combined = combine_any_of([membership, delegation])
    assert {outcome(results, "M7"), outcome(results, "M8")} - {Outcome.NOT_APPLICABLE} == {combined}
    expected = {Outcome.SATISFIED: "compliant", Outcome.UNVERIFIABLE: "inconclusive"}
    verdict = expected.get(combined, "non_compliant")
    if Outcome.UNVERIFIABLE in (membership, delegation):  # what else it is in, or holds there, was not read either
        verdict = "inconclusive"
    assert results.summary.verdict == verdict


def test_an_excused_condition_keeps_what_it_is_by_itself() -> None:
    results = judge(connection(Outcome.SATISFIED, Outcome.MISSING).evidence(), against=EITHER)
    excused = row(results, "M8")
    assert excused.outcome == "not_applicable"
    assert "missing by itself" in excused.reason
    assert "the other one is satisfied" in excused.reason
    (without,) = results.connections[0].without_domain_admins
    assert without.outcome == "missing"
    assert len(without.add) == 2


def test_one_undelegated_ou_fails_the_delegation_leg_as_a_whole() -> None:
    two = in_domain_admins(Outcome.MISSING).connect(target_ous=(STAFF, BRANCH))
    two = replace(two, ous={STAFF: DELEGATIONS[Outcome.SATISFIED], BRANCH: DELEGATIONS[Outcome.MISSING]})
    results = judge(two.evidence(), against=EITHER)
    assert outcome(results, "M8", BRANCH) == outcome(results, "M7") == "missing"
    assert outcome(results, "M8", STAFF) == "satisfied"
    assert results.summary.verdict == "non_compliant"


def test_a_profile_with_one_of_the_two_legs_excuses_nothing() -> None:
    delegation_only = matrix(
        *(each for each in MATRIX.profile.requirements if each.id in {"M8", "M9"}),
        domain_admins_and_delegation="any_of",
    )
    assert outcome(judge(connection(Outcome.SATISFIED, Outcome.MISSING).evidence(), against=delegation_only), "M8") == (
        "missing"
    )


def test_every_group_the_profile_names_belongs_to_the_group_leg() -> None:
    asked = next(each for each in MATRIX.profile.requirements if each.id == "M7")
    also = replace(asked, id="M7b", needs=DirectoryGroup(type="ad_group", name="Domain Users", rid=513))
    both_groups = matrix(*MATRIX.profile.requirements, also, domain_admins_and_delegation="any_of")
    results = judge(connection(Outcome.MISSING, Outcome.SATISFIED).evidence(), against=both_groups)
    assert outcome(results, "M7") == "not_applicable"
    assert outcome(results, "M7b") == "satisfied"
    assert results.summary.verdict == "compliant"


@pytest.mark.parametrize(
    ("membership", "delegation", "noted"),
    [
        (Outcome.SATISFIED, Outcome.SATISFIED, []),
        (Outcome.SATISFIED, Outcome.MISSING, ["M8"]),
        (Outcome.SATISFIED, Outcome.PARTIAL, ["M8"]),
        (Outcome.SATISFIED, Outcome.UNVERIFIABLE, ["M8"]),
        (Outcome.MISSING, Outcome.SATISFIED, ["M7"]),
        (Outcome.MISSING, Outcome.MISSING, []),
        (Outcome.MISSING, Outcome.PARTIAL, []),
    ],
)
def test_the_note_says_when_the_other_reading_would_pass(
    membership: Outcome, delegation: Outcome, noted: list[str]
) -> None:
    results = judge(connection(membership, delegation).evidence())
    assert [each.id for each in results.connections[0].requirements if "other wording" in each.note] == noted


def test_domain_admins_does_not_delegate() -> None:
    rights_of_administrators = [
        each for sid in (DOMAIN_ADMINS, ADMINISTRATORS) for each in (*user_task(sid), ace(0xF01FF, sid, flags=2))
    ]
    results = judge(
        replace(Directory(), ous={STAFF: Container(raw=descriptor(READABLE, *rights_of_administrators))}).evidence()
    )
    judged = row(results, "M8")
    assert judged.outcome == "missing"
    assert "create user objects, delete user objects" in judged.note  # what it may do with Domain Admins


@pytest.mark.parametrize("sid", [ADMINISTRATORS, f"{DOMAIN}-519", "S-1-5-32-548"])
def test_built_in_administration_does_not_delegate_even_when_held_by_itself(sid: str) -> None:
    administrator = Directory(
        accounts=(service_account("Domain Admins", "Built-in"),),
        groups=(*(each for each in GROUPS if each.sid != sid), group("Built-in", sid)),
        token=(DOMAIN_USERS, USERS, DOMAIN_ADMINS, sid),
        ous={STAFF: Container(raw=descriptor(READABLE, *user_task(sid)))},
    )
    results = judge(administrator.evidence())
    assert outcome(results, "M8") == results.connections[0].without_domain_admins[0].outcome == "missing"
    assert told(results, "AD-GRP-004") == [("excess", "critical")]


def test_a_group_held_only_through_domain_admins_does_not_delegate_either() -> None:
    nested = Directory(
        accounts=(service_account("Domain Admins"),),
        groups=(*GROUPS[:2], group("Domain Admins", DOMAIN_ADMINS, dn_of("H2R Delegates")), *GROUPS[3:]),
    )
    results = judge(nested.evidence())
    assert outcome(results, "M7") == "satisfied"
    assert outcome(results, "M8") == "missing"
    assert not findings(results, "AD-GRP-005")  # it came with Domain Admins


def test_a_group_whose_way_cannot_be_read_leaves_the_delegation_open() -> None:
    unexplained = Directory(accounts=(service_account("Domain Admins"),))
    judged = row(judge(unexplained.evidence()), "M8")
    assert judged.outcome == "unverifiable"
    assert "H2R Delegates" in judged.reason


def test_an_empty_list_of_target_ous_is_never_a_pass() -> None:
    results = judge(Directory(ous={}).connect(target_ous=()).evidence())
    judged = row(results, "M8")
    assert judged.outcome == "unverifiable"
    assert "lists no target OUs" in judged.reason
    assert (results.summary.verdict, results.run.exit.code) == ("inconclusive", 3)


def test_domain_admins_of_another_domain_is_not_asked_for() -> None:
    elsewhere = "DC=other,DC=example,DC=com"
    results = judge(Directory().connect(base_dns=(HEAD, elsewhere)).evidence())
    assert outcome(results, "M7", CONNECTION.username) == "satisfied"
    other = row(results, "M7", elsewhere)
    assert other.outcome == "not_applicable"
    assert "another domain" in other.reason
    assert results.summary.verdict == "compliant"


def test_domain_admins_of_another_domain_does_not_count() -> None:
    foreign = "S-1-5-21-1-2-3-512"
    results = judge(
        Directory(
            accounts=(service_account("H2R Delegates"),), token=(DOMAIN_USERS, USERS, DELEGATES, foreign)
        ).evidence()
    )
    assert outcome(results, "M7") == "missing"
    assert ("excess", "critical") in told(results, "AD-GRP-004")


def test_domain_admins_is_compliant_and_still_an_advisory() -> None:
    results = judge(Directory().evidence())
    assert told(results, "AD-GRP-003") == [("advisory", "high")]
    assert results.summary.verdict == "compliant"
    without = judge(in_domain_admins(Outcome.MISSING).evidence())
    assert told(without, "AD-GRP-003") == []


def test_a_localised_domain_admins_is_recognised_by_its_rid() -> None:
    renamed = Directory(
        accounts=(service_account("Domänen-Admins", "H2R Delegates"),),
        groups=(*GROUPS[:2], group("Domänen-Admins", DOMAIN_ADMINS, dn_of("Administrators")), *GROUPS[3:]),
    )
    judged = row(judge(renamed.evidence()), "M7")
    assert (judged.outcome, judged.how) == ("satisfied", "exact")
    assert judged.paths == (("svc-h2r", "Domänen-Admins"),)


def test_a_group_that_only_bears_the_name_does_not_count() -> None:
    impostor = Directory(
        accounts=(service_account("Domain Admins", "H2R Delegates"),),
        groups=(*GROUPS[:2], group("Domain Admins", f"{DOMAIN}-1300"), *GROUPS[4:]),
        token=(DOMAIN_USERS, USERS, DELEGATES, f"{DOMAIN}-1300"),
    )
    assert outcome(judge(impostor.evidence()), "M7") == "missing"


def test_domain_admins_as_primary_group_counts_and_is_pointed_out() -> None:
    primary = Directory(accounts=(service_account("H2R Delegates", primaryGroupID=512),))
    results = judge(primary.evidence())
    assert outcome(results, "M7") == "satisfied"
    assert told(results, "AD-GRP-007") == [("advisory", "high")]


def test_nested_domain_admins_shows_its_path_and_is_pointed_out() -> None:
    tier = group("Tier 0", f"{DOMAIN}-1301", dn_of("Domain Admins"))
    nested = Directory(
        accounts=(service_account("Tier 0", "H2R Delegates"),),
        groups=(*GROUPS, tier),
        token=(*Directory().token, f"{DOMAIN}-1301"),
    )
    results = judge(nested.evidence())
    judged = row(results, "M7")
    assert (judged.outcome, judged.how) == ("satisfied", "via_group")
    assert judged.paths == (("svc-h2r", "Tier 0", "Domain Admins"),)
    assert told(results, "AD-GRP-006") == [("advisory", "medium")]
    assert told(results, "AD-GRP-005") == []  # the group on the way is documented through what it carries


def test_administrators_through_domain_admins_is_no_excess_of_its_own_but_alone_it_is() -> None:
    assert told(judge(Directory().evidence()), "AD-GRP-004") == []
    direct = Directory(accounts=(service_account("Domain Admins", "H2R Delegates", "Administrators"),))
    results = judge(direct.evidence())
    assert [(each.entitlement, each.severity) for each in findings(results, "AD-GRP-004")] == [
        (ADMINISTRATORS, "critical")
    ]
    assert results.summary.verdict == "non_compliant"


@pytest.mark.parametrize(
    "unseen", [Directory(accounts=()), Directory(gaps={("account", ""): REFUSED})], ids=["not found", "refused"]
)
def test_an_account_that_was_not_seen_lacks_nothing(unseen: Directory) -> None:
    """A search shows what its reader may see, so that an empty answer proves no absence."""
    results = judge(unseen.evidence())
    assert (outcome(results, "M7"), outcome(results, "M8")) == ("unverifiable", "unverifiable")
    assert results.summary.verdict == "inconclusive"


def test_two_accounts_of_one_name_are_nobody() -> None:
    twin = replace(service_account(), attributes={**service_account(objectSid=f"{DOMAIN}-9999").attributes})
    results = judge(Directory(accounts=(service_account("Domain Admins"), twin)).evidence())
    assert (outcome(results, "M7"), outcome(results, "M8")) == ("unverifiable", "unverifiable")
    assert told(results, "AD-ACC-001") == [("unverifiable", "high")]
    assert results.connections[0].principal.sid is None


def test_the_same_account_found_twice_is_one() -> None:
    twice = Directory(accounts=Directory().accounts * 2)
    assert judge(twice.evidence()).connections[0].principal.sid == ACCOUNT
