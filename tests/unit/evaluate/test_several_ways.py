"""Several ways to one right in a tenant: all are shown, and what trimmed roles hold together adds up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.evaluate.composed import REFUSED, findings, judge, outcome, row, told
from tests.unit.evaluate.composed_tenant import (
    ACCOUNT_ID,
    DISTRIBUTION_GROUPS,
    EXCHANGE_ADMINISTRATOR,
    GROUP_ID,
    MAIL_RECIPIENTS,
    ROLE_GROUP,
    SECURITY_GROUPS,
    UPN,
    USER_ADMINISTRATOR,
    Tenant,
    assignment,
    entra_role,
    member,
    role,
    role_group,
)

ORGANIZATION_MANAGEMENT = "Organization Management"
BOTH = ({"Name": "Set-Mailbox", "Parameters": ["Alias", "Identity"]}, {"Name": "Get-Mailbox", "Parameters": []})
WITHOUT_PARAMETER = ({"Name": "Set-Mailbox", "Parameters": ["Identity"]}, BOTH[1])
WITHOUT_SET, WITHOUT_GET = (BOTH[1],), (BOTH[0],)


def test_every_way_into_organization_management_is_shown() -> None:
    base = Tenant()
    tenant = replace(
        base,
        entra_roles=(entra_role(USER_ADMINISTRATOR), entra_role(EXCHANGE_ADMINISTRATOR)),
        role_groups=(*base.role_groups, role_group(ORGANIZATION_MANAGEMENT)),
        members={
            ROLE_GROUP: (member(),),
            ORGANIZATION_MANAGEMENT: (member(), member("", kind="RoleGroup", name=ROLE_GROUP)),
        },
    )
    (found,) = findings(judge(tenant.evidence()), "EXO-010")
    assert found.paths == (
        (UPN, f"role group {ORGANIZATION_MANAGEMENT}"),
        (UPN, f"Entra role name of {EXCHANGE_ADMINISTRATOR}", f"role group {ORGANIZATION_MANAGEMENT}"),
        (UPN, f"role group {ROLE_GROUP}", f"role group {ORGANIZATION_MANAGEMENT}"),
    )


def with_trimmed_roles(first: tuple, second: tuple, **more: object) -> Tenant:
    base = Tenant()
    copies = [role(name, "MailRecipients", Parent=MAIL_RECIPIENTS, IsRootRole=False) for name in ("Mail A", "Mail B")]
    return replace(
        base,
        roles=(*base.roles, *copies),
        role_entries={"Mail A": first, "Mail B": second, MAIL_RECIPIENTS: BOTH},
        assignments=(
            assignment(DISTRIBUTION_GROUPS),
            assignment(SECURITY_GROUPS),
            assignment("Mail A"),
            assignment("Mail B", **more),
        ),
    )


@pytest.mark.parametrize(
    ("first", "second", "expected", "lost"),
    [
        (WITHOUT_SET, WITHOUT_GET, "satisfied", ""),
        (WITHOUT_PARAMETER, WITHOUT_GET, "satisfied", ""),
        (WITHOUT_SET, WITHOUT_SET, "partial", "together lack Set-Mailbox"),
        (WITHOUT_SET, WITHOUT_PARAMETER, "partial", "together lack Set-Mailbox -Alias"),
        (WITHOUT_PARAMETER, WITHOUT_PARAMETER, "partial", "together lack Set-Mailbox -Alias"),
    ],
)
def test_the_commands_of_trimmed_roles_add_up(first: tuple, second: tuple, expected: str, lost: str) -> None:
    results = judge(with_trimmed_roles(first, second).evidence())
    assert outcome(results, "M2") == expected
    assert lost in row(results, "M2").reason
    assert "Mail A and Mail B" in row(results, "M2").reason
    assert row(results, "M2").reason.endswith(lost)


def test_a_role_without_a_command_is_none() -> None:
    results = judge(with_trimmed_roles((), ()).evidence())
    assert outcome(results, "M2") == "missing"
    assert "no command is left in its role" in row(results, "M2").reason
    assert outcome(results, "M5") == "partial"
    assert outcome(judge(with_trimmed_roles((), WITHOUT_GET).evidence()), "M2") == "partial"
    assert outcome(judge(with_trimmed_roles((), BOTH).evidence()), "M2") == "satisfied"
    unread = replace(with_trimmed_roles((), ()), gaps={("management_role_entries", "Mail A"): REFUSED})
    assert outcome(judge(unread.evidence()), "M2") == "unverifiable"


def test_a_trimmed_role_that_is_limited_or_disabled_adds_nothing() -> None:
    limited = with_trimmed_roles(
        WITHOUT_SET, WITHOUT_GET, RecipientWriteScope="CustomRecipientScope", CustomRecipientWriteScope="Staff"
    )
    assert outcome(judge(limited.evidence()), "M2") == "partial"
    disabled = with_trimmed_roles(WITHOUT_SET, WITHOUT_GET, Enabled=False)
    assert outcome(judge(disabled.evidence()), "M2") == "partial"


def managed_by(manager: str, **more: object) -> Tenant:
    base = Tenant()
    others = role_group("Others", ManagedBy=[manager])
    return replace(base, role_groups=(*base.role_groups, others), **more)


GROUP = {"@odata.type": "#microsoft.graph.group", "id": GROUP_ID, "displayName": "Team", "mailNickname": "team"}
OPEN, EXCESS = [("unverifiable", "medium")], [("excess", "high")]


@pytest.mark.parametrize(
    ("manager", "expected"),
    [
        (ACCOUNT_ID, EXCESS),
        (ACCOUNT_ID.upper(), EXCESS),
        ("svc-h2r", EXCESS),  # the name it has in Exchange
        ("Hire2Retire", OPEN),  # a display name
        (ROLE_GROUP, EXCESS),
        (ORGANIZATION_MANAGEMENT, []),
        (GROUP_ID, EXCESS),
        ("Team", OPEN),
        ("team", OPEN),
        ("33333333-0000-0000-0000-000000000001", []),
        ("somebody", []),
    ],
)
def test_a_manager_of_a_role_group_is_told_by_id(manager: str, expected: list[tuple[str, str]]) -> None:
    tenant = managed_by(manager, member_of=(GROUP,))
    assert told(judge(tenant.evidence()), "EXO-015") == expected


def test_a_role_group_named_like_the_account_leaves_the_manager_open() -> None:
    base = managed_by("svc-h2r")
    tenant = replace(base, role_groups=(*base.role_groups, role_group("svc-h2r")))
    assert told(judge(tenant.evidence()), "EXO-015") == OPEN


def test_a_role_group_is_the_manager_whatever_the_account_s_groups_are_called() -> None:
    namesake = {**GROUP, "displayName": ORGANIZATION_MANAGEMENT}
    base = managed_by(ORGANIZATION_MANAGEMENT, member_of=(namesake,))
    tenant = replace(base, role_groups=(*base.role_groups, role_group(ORGANIZATION_MANAGEMENT)))
    assert told(judge(tenant.evidence()), "EXO-015") == []
