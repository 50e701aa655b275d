"""Exchange roles and the role group they come from (M1 to M3, M5; rules A9, A10, A11, A22)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auditor.matrix.profile import AllOf
from tests.unit.evaluate.composed import MATRIX, REFUSED, findings, judge, matrix, outcome, row, told
from tests.unit.evaluate.composed_tenant import (
    ACCOUNT_ID,
    DISTRIBUTION_GROUPS,
    DOCUMENTED_ROLES,
    EXCHANGE_ADMINISTRATOR,
    GROUP_ID,
    MAIL_RECIPIENTS,
    ROLE_GROUP,
    SECURITY_GROUPS,
    USER_ADMINISTRATOR,
    Tenant,
    assignment,
    entra_role,
    member,
    role,
    role_group,
)

ONE_GROUP = matrix(single_role_group=True)
SPREAD = Tenant(
    role_groups=(role_group("One"), role_group("Two")),
    members={"One": (member(),), "Two": (member(),)},
    assignments=(
        assignment(DISTRIBUTION_GROUPS, "One"),
        assignment(MAIL_RECIPIENTS, "Two"),
        assignment(SECURITY_GROUPS, "Two"),
    ),
)
DIRECT = Tenant(
    role_groups=(),
    members={},
    assignments=tuple(assignment(name, "svc-h2r", kind="User") for name in DOCUMENTED_ROLES),
)
ORGANIZATION_MANAGEMENT = Tenant(
    role_groups=(role_group("Organization Management"),),
    members={"Organization Management": (member(),)},
    assignments=(
        *(assignment(name, "Organization Management") for name in DOCUMENTED_ROLES),
        assignment("Role Management", "Organization Management"),
        assignment(
            "Role Management",
            "Organization Management",
            RoleAssignmentDelegationType="DelegatingOrgWide",
            ExchangeObjectId="d",
        ),
    ),
    roles=(*Tenant().roles, role("Role Management")),
)


def with_distribution_groups(**changes: object) -> Tenant:
    """Return the documented tenant with the assignment of M1 changed."""
    changed = {**assignment(DISTRIBUTION_GROUPS), **changes}
    return Tenant(assignments=(changed, *Tenant().assignments[1:]))  # type: ignore[arg-type]


def test_roles_spread_over_role_groups_are_accepted_with_an_advisory() -> None:
    results = judge(SPREAD.evidence())
    judged = row(results, "M5")
    assert (judged.outcome, judged.how) == ("satisfied", "union")
    assert "the union of the account's role groups is accepted" in judged.note
    assert told(results, "EXO-005") == [("advisory", "low")]
    assert results.summary.verdict == "compliant"


def test_a_profile_may_ask_for_one_role_group() -> None:
    results = judge(SPREAD.evidence(), against=ONE_GROUP)
    assert outcome(results, "M5") == "partial"
    assert told(results, "EXO-001") == [("partial", "medium")]
    assert results.summary.verdict == "non_compliant"
    assert outcome(judge(Tenant().evidence(), against=ONE_GROUP), "M5") == "satisfied"


def test_one_role_group_is_asked_for_inside_a_combination_too() -> None:
    m5 = next(each for each in MATRIX.profile.requirements if each.id == "M5")
    m6 = next(each for each in MATRIX.profile.requirements if each.id == "M6")
    combined = replace(m5, needs=AllOf(type="all_of", parts=(m5.needs, m6.needs)))
    others = tuple(each for each in MATRIX.profile.requirements if each.id != "M5")
    results = judge(SPREAD.evidence(), against=matrix(*others, combined, single_role_group=True))
    assert outcome(results, "M5") == "partial"


def test_one_role_group_that_holds_everything_is_exact_beside_others() -> None:
    extra = replace(
        Tenant(), role_groups=(role_group(), role_group("Two")), members={ROLE_GROUP: (member(),), "Two": (member(),)}
    )
    results = judge(extra.with_assignments(assignment(MAIL_RECIPIENTS, "Two")).evidence(), against=ONE_GROUP)
    assert row(results, "M5").how == "exact"
    assert told(results, "EXO-005") == []


def test_a_profile_without_exchange_roles_can_be_judged() -> None:
    entra_only = matrix(*(each for each in MATRIX.profile.requirements if each.id in {"M4", "M6"}))
    results = judge(Tenant().evidence(), against=entra_only)
    assert [outcome(results, each) for each in ("M4", "M6")] == ["satisfied", "satisfied"]


def test_direct_assignments_satisfy_the_roles_but_no_role_group_gives_them() -> None:
    results = judge(DIRECT.evidence())
    assert [outcome(results, each) for each in ("M1", "M2", "M3")] == ["satisfied"] * 3
    assert row(results, "M1").how == "direct"
    judged = row(results, "M5")
    assert judged.outcome == "missing"
    assert "assigned to the account itself" in judged.reason
    assert told(results, "EXO-016") == [("advisory", "low")]


def test_organization_management_satisfies_everything_in_exchange_and_is_excess() -> None:
    results = judge(ORGANIZATION_MANAGEMENT.evidence())
    assert [outcome(results, each) for each in ("M1", "M2", "M3", "M5")] == ["satisfied"] * 4
    (finding,) = findings(results, "EXO-010")
    assert (finding.outcome, finding.severity) == ("excess", "critical")
    assert finding.paths == (("svc-h2r@contoso.com", "role group Organization Management"),)
    assert told(results, "EXO-011") == told(results, "EXO-014") == []  # told once, by EXO-010
    assert results.summary.verdict == "non_compliant"


def test_organization_management_through_an_entra_role_counts_and_shows_the_way() -> None:
    through = replace(
        ORGANIZATION_MANAGEMENT,
        members={"Organization Management": (member("", kind="RoleGroup", name="ExchangeServiceAdmins_-12"),)},
        entra_roles=(entra_role(USER_ADMINISTRATOR), entra_role(EXCHANGE_ADMINISTRATOR)),
        of_account=ORGANIZATION_MANAGEMENT.assignments,
    )
    results = judge(through.evidence())
    assert [outcome(results, each) for each in ("M1", "M2", "M3", "M5")] == ["satisfied"] * 4
    assert row(results, "M1").how == "via_entra_role"
    assert told(results, "EXO-010") == [("excess", "critical")]
    assert told(results, "ENT-011") == [("excess", "high")]


@pytest.mark.parametrize(
    ("changes", "expected", "words"),
    [
        ({"RoleAssignmentDelegationType": "DelegatingOrgWide"}, "missing", "delegating only"),
        ({"RoleAssignmentDelegationType": "Delegating"}, "missing", "delegating only"),
        ({"Enabled": False}, "missing", "disabled"),
        ({"IsValid": False}, "missing", "invalid"),
        ({"RecipientWriteScope": "None"}, "missing", "write scope is None"),
        ({"RecipientWriteScope": "Self"}, "missing", "write scope is Self"),
        ({"CustomRecipientWriteScope": "Poland"}, "partial", "recipient scope Poland"),
        ({"CustomRecipientWriteScope": "Poland", "RecipientWriteScope": "None"}, "partial", "recipient scope Poland"),
        ({"RecipientAdministrativeUnitScope": "AU-1"}, "partial", "administrative unit AU-1"),
        ({"RecipientOrganizationalUnitScope": "OU-1"}, "partial", "organizational unit OU-1"),
        ({"RecipientWriteScope": "CustomRecipientScope"}, "partial", "write scope CustomRecipientScope"),
        ({"RecipientWriteScope": None}, "unverifiable", "did not state"),
        ({"RoleAssignmentDelegationType": None}, "unverifiable", "delegating only"),
        ({"Enabled": None}, "unverifiable", "enabled"),
    ],
)
def test_an_assignment_counts_only_as_far_as_it_grants(changes: dict[str, object], expected: str, words: str) -> None:
    results = judge(with_distribution_groups(**changes).evidence())
    judged = row(results, "M1")
    assert (judged.outcome, words in judged.reason) == (expected, True), judged.reason


def test_an_ineffective_assignment_beside_an_effective_one_does_no_harm() -> None:
    disabled = assignment(DISTRIBUTION_GROUPS, Enabled=False, ExchangeObjectId="old", Name="old")
    assert outcome(judge(Tenant().with_assignments(disabled).evidence()), "M1") == "satisfied"


def test_a_delegating_assignment_is_an_excess_of_its_own() -> None:
    delegating = assignment(
        MAIL_RECIPIENTS, RoleAssignmentDelegationType="DelegatingOrgWide", ExchangeObjectId="d", Name="d"
    )
    results = judge(Tenant().with_assignments(delegating).evidence())
    assert told(results, "EXO-014") == [("excess", "high")]
    assert outcome(results, "M2") == "satisfied"


@pytest.mark.parametrize("off", [{"Enabled": False}, {"IsValid": False}], ids=["disabled", "invalid"])
def test_a_delegating_assignment_that_is_not_in_force_grants_nothing(off: dict[str, bool]) -> None:
    delegating = assignment(
        MAIL_RECIPIENTS, RoleAssignmentDelegationType="DelegatingOrgWide", ExchangeObjectId="d", Name="d", **off
    )
    assert told(judge(Tenant().with_assignments(delegating).evidence()), "EXO-014") == []


def test_a_name_alone_is_not_the_account_when_exchange_lists_no_such_assignment() -> None:
    results = judge(replace(DIRECT, of_account=()).evidence())
    assert [outcome(results, each) for each in ("M1", "M2", "M3")] == ["unverifiable"] * 3
    assert "does not list" in row(results, "M1").reason


def test_an_object_id_is_the_account_whatever_exchange_lists() -> None:
    by_id = tuple(assignment(name, ACCOUNT_ID, kind="User") for name in DOCUMENTED_ROLES)
    assert outcome(judge(replace(DIRECT, assignments=by_id, of_account=()).evidence()), "M1") == "satisfied"


def test_a_role_group_is_one_also_where_the_type_of_the_assignee_is_not_stated() -> None:
    untyped = tuple(assignment(name, kind="") for name in DOCUMENTED_ROLES)
    results = judge(replace(Tenant(), assignments=untyped).evidence())
    assert (outcome(results, "M1"), outcome(results, "M5")) == ("satisfied", "satisfied")


def test_a_person_named_like_one_of_microsoft_s_groups_is_a_person() -> None:
    person = member("33333333-0000-0000-0000-000000000003", name="ExchangeServiceAdmins_-1")
    tenant = replace(
        Tenant(), members={ROLE_GROUP: (person,)}, entra_roles=(entra_role(EXCHANGE_ADMINISTRATOR),), of_account=()
    )
    assert outcome(judge(tenant.evidence()), "M1") == "missing"


@pytest.mark.parametrize(
    ("name", "severity"),
    [("Role Management", "high"), ("Mail Tips", "medium"), ("View-Only Recipients", "low")],
)
def test_another_effective_role_is_an_excess(name: str, severity: str) -> None:
    results = judge(Tenant().with_assignments(assignment(name), roles=(role(name),)).evidence())
    assert told(results, "EXO-011") == [("excess", severity)]


@pytest.mark.parametrize("name", ["MyBaseOptions", "My Custom Options"])
def test_what_every_mailbox_has_is_no_excess(name: str) -> None:
    own = role(name, "MyBaseOptions", IsEndUserRole=True)
    results = judge(Tenant().with_assignments(assignment(name), roles=(own,)).evidence())
    assert told(results, "EXO-011") == []


def test_a_role_that_only_calls_itself_my_is_an_excess() -> None:
    disguised = role("MyHarmlessRole", "RoleManagement", Parent="Role Management", IsRootRole=False)
    tenant = replace(
        Tenant().with_assignments(assignment("MyHarmlessRole"), roles=(disguised, role("Role Management"))),
        role_entries={"MyHarmlessRole": (), "Role Management": ()},
    )
    assert told(judge(tenant.evidence()), "EXO-011") == [("excess", "high")]


def custom_role(*kept: str, parameters: tuple[str, ...] = ("Identity", "Members")) -> Tenant:
    child = role("H2R Lists", "DistributionGroups", Parent=DISTRIBUTION_GROUPS, IsRootRole=False)
    full = (
        {"Name": "Set-DistributionGroup", "Parameters": ["Identity", "Members"]},
        {"Name": "New-DistributionGroup", "Parameters": []},
    )
    own = tuple({"Name": name, "Parameters": list(parameters)} for name in kept)
    return Tenant(
        assignments=(assignment("H2R Lists"), *Tenant().assignments[1:]),
        roles=(*Tenant().roles, child),
        role_entries={DISTRIBUTION_GROUPS: full, "H2R Lists": own},
    )


def test_a_custom_role_counts_as_far_as_its_cmdlets_go() -> None:
    whole = custom_role("Set-DistributionGroup", "New-DistributionGroup")
    assert outcome(judge(whole.evidence()), "M1") == "satisfied"
    fewer = row(judge(custom_role("Set-DistributionGroup").evidence()), "M1")
    assert (fewer.outcome, "lacks New-DistributionGroup" in fewer.reason) == ("partial", True)
    narrower = custom_role("Set-DistributionGroup", "New-DistributionGroup", parameters=("Identity",))
    assert "Set-DistributionGroup -Members" in row(judge(narrower.evidence()), "M1").reason


def test_a_cmdlet_listed_twice_is_compared_as_one() -> None:
    entries = ({"Name": "Set-User", "Parameters": ["A"]}, {"Name": "Set-User", "Parameters": ["B"]})
    tenant = replace(custom_role(), role_entries={DISTRIBUTION_GROUPS: entries, "H2R Lists": entries})
    assert outcome(judge(tenant.evidence()), "M1") == "satisfied"


def test_a_custom_role_whose_cmdlets_were_not_read_stays_open() -> None:
    unread = replace(custom_role("Set-DistributionGroup"), gaps={("management_role_entries", "H2R Lists"): REFUSED})
    assert outcome(judge(unread.evidence()), "M1") == "unverifiable"


def test_a_role_that_only_bears_the_name_of_the_entra_role_does_not_count() -> None:
    """Rule A3: User Administrator is judged in Entra, whatever Exchange calls its roles and groups."""
    named = Tenant(
        entra_roles=(),
        role_groups=(*Tenant().role_groups, role_group("User Administrator")),
        members={ROLE_GROUP: (member(),), "User Administrator": (member(),)},
    ).with_assignments(assignment("User Administrator"), roles=(role("User Administrator"),))
    results = judge(named.evidence())
    assert (outcome(results, "M2"), outcome(results, "M4")) == ("missing", "missing")


def test_a_member_that_only_bears_the_name_does_not_count() -> None:
    impostor = Tenant(members={ROLE_GROUP: (member("99999999-0000-0000-0000-000000000009"),)})
    results = judge(impostor.evidence())
    assert [outcome(results, each) for each in ("M1", "M3", "M5")] == ["missing"] * 3


def test_a_renamed_account_is_still_a_member() -> None:
    renamed = Tenant(members={ROLE_GROUP: (member(name="somebody else"),)})
    assert outcome(judge(renamed.evidence()), "M5") == "satisfied"


def test_membership_through_groups_and_loops_of_role_groups() -> None:
    inner, outer = role_group("Inner"), role_group()
    nested = Tenant(
        role_groups=(outer, inner),
        members={
            ROLE_GROUP: (member("", kind="RoleGroup", name="Inner") | {"ExchangeObjectId": inner["ExchangeObjectId"]},),
            "Inner": (
                member("", kind="RoleGroup", name=ROLE_GROUP) | {"ExchangeObjectId": outer["ExchangeObjectId"]},
                member(GROUP_ID, kind="MailUniversalSecurityGroup", name="Operators"),
            ),
        },
        member_of=(
            {
                "@odata.type": "#microsoft.graph.group",
                "id": GROUP_ID,
                "displayName": "Operators",
                "isAssignableToRole": False,
            },
        ),
    )
    results = judge(nested.evidence())
    assert row(results, "M1").paths[0][:4] == (
        "svc-h2r@contoso.com",
        "group Operators",
        "role group Inner",
        f"role group {ROLE_GROUP}",
    )
    outside = judge(replace(nested, member_of=()).evidence())
    assert outcome(outside, "M1") == "missing"


@pytest.mark.parametrize(
    "question",
    [("role_group_members", f"role-group-{ROLE_GROUP}"), ("management_role_assignments", "")],
)
def test_a_refused_read_leaves_missing_roles_open(question: tuple[str, str]) -> None:
    empty = Tenant(members={}, gaps={question: REFUSED})
    results = judge(empty.evidence())
    assert [outcome(results, each) for each in ("M1", "M3", "M5")] == ["unverifiable"] * 3
    assert results.summary.verdict == "inconclusive"


def test_shared_mailboxes_without_mail_recipients_are_pointed_out() -> None:
    """Rule A4: the page asks for User Administrator only; Microsoft says that it does not suffice."""
    without = Tenant(assignments=tuple(each for each in Tenant().assignments if each["Role"] != MAIL_RECIPIENTS))
    results = judge(without.evidence())
    assert outcome(results, "M4") == "satisfied"
    assert ("advisory", "medium") in told(results, "EXO-003")
    assert told(judge(Tenant().evidence()), "EXO-003") == []
