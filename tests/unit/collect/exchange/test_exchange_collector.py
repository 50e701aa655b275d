"""Which objects of Exchange Online are asked about in detail."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auditor.collect.exchange.collector import _identity_of_role_group, _roles_to_compare

if TYPE_CHECKING:
    from auditor.model.evidence import Record


@pytest.mark.parametrize(
    ("group", "identity"),
    [
        ({"ExchangeObjectId": "e", "Guid": "g", "Name": "n"}, "e"),
        ({"ExchangeObjectId": "", "Guid": "g", "Name": "n"}, "g"),
        ({"ExchangeObjectId": None, "Name": "n"}, "n"),
        ({"ExchangeObjectId@data.type": "System.Guid", "Name": " "}, None),
        ({"Name": ["n"]}, None),
        ({}, None),
    ],
)
def test_a_role_group_is_asked_for_by_the_most_exact_name_it_has(group: Record, identity: str | None) -> None:
    assert _identity_of_role_group(group) == identity


def role(name: str, role_type: str, parent: str | None, **more: bool) -> Record:
    return {"Name": name, "RoleType": role_type, "Parent": parent, **more}


BUILT_IN = (
    role("Mail Recipients", "MailRecipients", None, IsRootRole=True),
    role("Distribution Groups", "DistributionGroups", "", IsRootRole=True),
    role("Transport Rules", "TransportRules", None, IsRootRole=True),
)


def test_without_custom_roles_nothing_needs_comparing() -> None:
    assert _roles_to_compare(BUILT_IN) == ()


@pytest.mark.parametrize(
    "custom",
    [
        role("Fewer", "MailRecipients", "Mail Recipients", IsRootRole=False),
        role("Fewer", "MailRecipients", "Mail Recipients"),
        role("Fewer", "MailRecipients", None, IsRootRole=False),
    ],
)
def test_a_custom_role_is_compared_with_the_root_of_its_type(custom: Record) -> None:
    assert _roles_to_compare((*BUILT_IN, custom)) == ("Mail Recipients", "Fewer")


def test_a_child_of_a_child_is_compared_too() -> None:
    child = role("Fewer", "MailRecipients", "Mail Recipients")
    grandchild = role("Fewest", "MailRecipients", "Fewer")

    assert _roles_to_compare((grandchild, child, *BUILT_IN)) == ("Fewest", "Fewer", "Mail Recipients")


def test_custom_roles_of_other_types_are_not_read() -> None:
    assert _roles_to_compare((*BUILT_IN, role("My rules", "TransportRules", "Transport Rules"))) == ()


def test_records_without_a_usable_name_or_type_are_passed_over() -> None:
    odd: tuple[Record, ...] = (
        {},
        {"RoleType": ["MailRecipients"]},
        role("", "MailRecipients", "Mail Recipients"),
    )

    assert _roles_to_compare((*BUILT_IN, *odd)) == ("Mail Recipients",)
