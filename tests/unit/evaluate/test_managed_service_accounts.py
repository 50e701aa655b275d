"""Passwords of group managed service accounts (AD-PRV-014). All data is composed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from auditor.acl import FULL_CONTROL, READ_RIGHTS, AccessMask, GuidKind, well_known_guid
from tests.unit.evaluate.composed import REFUSED, judge, told
from tests.unit.evaluate.composed_directory import (
    ACCOUNT,
    ADMINISTERED,
    ADMINISTRATORS,
    AUTHENTICATED_USERS,
    CONTAINER_INHERIT,
    DELEGATES,
    DOMAIN,
    DOMAIN_ADMINS,
    DOMAIN_USERS,
    HEAD,
    INHERIT_ONLY,
    NULL_DACL,
    READABLE,
    Directory,
    ace,
    descriptor,
)
from tests.unit.evaluate.composed_rights import (
    HOSTILE_NAMES,
    Placed,
    owned,
    the_finding,
    with_raw,
    with_read,
    with_schema,
)

if TYPE_CHECKING:
    from auditor.acl import Ace
    from auditor.model.results import Results

SERVICE = f"CN=gmsa,CN=Managed Service Accounts,{HEAD}"
WHO_RETRIEVES = "888eedd6-ce04-df40-b462-b8a50e41ba38"  # schemaIDGUID of msDS-GroupMSAMembership
RP, WP, WD = AccessMask.READ_PROPERTY, AccessMask.WRITE_PROPERTY, AccessMask.WRITE_DAC
DESCRIPTION = well_known_guid("description", GuidKind.ATTRIBUTE)
UNEXPLAINED = f"{DOMAIN}-1300"


def account(*listed: Ace, raw: bytes | None = ADMINISTERED, dn: str = SERVICE) -> Placed:
    """Build a managed service account whose password these entries let somebody retrieve."""
    attribute = owned(ADMINISTRATORS, *listed)
    return with_raw(dn, raw, objectClass=["top", "computer"], **{"msDS-GroupMSAMembership": attribute})


def services(*accounts: Placed, base: Directory | None = None) -> Results:
    """Judge the default account beside these managed service accounts."""
    directory = with_read(base or Directory(), "managed_service_accounts", *accounts)
    return judge(with_schema(directory, attributes={"msDS-GroupMSAMembership": (WHO_RETRIEVES, 0)}).evidence())


@pytest.mark.parametrize(
    "listed",
    [
        ace(FULL_CONTROL, ACCOUNT),
        ace(AccessMask.GENERIC_ALL, DELEGATES),
        ace(RP, DELEGATES),
        ace(AccessMask.GENERIC_READ, AUTHENTICATED_USERS),
        ace(RP, DOMAIN_USERS),
    ],
    ids=["account", "generic all", "reading alone", "everybody", "Domain Users"],
)
def test_whoever_is_listed_retrieves_the_password(listed: Ace) -> None:
    results = services(account(listed))
    assert told(results, "AD-PRV-014") == [("excess", "critical")]
    found = the_finding(results, "AD-PRV-014")
    assert found.title == "Managed service account: the account may retrieve its password"
    assert found.scope == SERVICE
    assert found.paths[0][-1] == f"ACE 0 on msDS-GroupMSAMembership of {SERVICE}"
    assert results.summary.verdict == "non_compliant"


@pytest.mark.parametrize(
    "listed",
    [
        (),
        (ace(FULL_CONTROL, DOMAIN_ADMINS), ace(FULL_CONTROL, ADMINISTRATORS)),
        (ace(FULL_CONTROL, f"{DOMAIN}-4711"),),
        (ace(WP, DELEGATES),),
        (ace(RP, DELEGATES, ace_type=1), ace(FULL_CONTROL, DELEGATES)),
        (ace(RP, DELEGATES, flags=CONTAINER_INHERIT | INHERIT_ONLY),),
    ],
    ids=["nobody", "administrators", "a stranger", "writing", "denied", "inherit only"],
)
def test_whoever_is_not_does_not(listed: tuple[Ace, ...]) -> None:
    assert told(services(account(*listed)), "AD-PRV-014") == []


def test_an_account_without_a_list_gives_its_password_to_nobody() -> None:
    assert told(services(with_raw(SERVICE, ADMINISTERED)), "AD-PRV-014") == []


@pytest.mark.parametrize(
    "right",
    [
        ace(WP, DELEGATES, object_type=WHO_RETRIEVES),
        ace(WP, DELEGATES),
        ace(AccessMask.GENERIC_WRITE, DELEGATES),
        ace(WD, DELEGATES),
        ace(AccessMask.WRITE_OWNER, DELEGATES),
        ace(FULL_CONTROL, DELEGATES),
    ],
    ids=["the list", "every attribute", "generic write", "permissions", "owner", "full control"],
)
def test_whoever_writes_the_list_is_told_as_well(right: Ace) -> None:
    results = services(account(raw=descriptor(READABLE, right)))
    assert told(results, "AD-PRV-014") == [("excess", "critical")]
    found = the_finding(results, "AD-PRV-014")
    assert found.title == "Managed service account: the account may say who retrieves its password"
    assert found.remediation.commands == (f'dsacls "{SERVICE}" /R "{DELEGATES}"',)


@pytest.mark.parametrize(
    "right",
    [ace(READ_RIGHTS, DELEGATES), ace(WP, DELEGATES, object_type=DESCRIPTION), ace(WD, DELEGATES, ace_type=1)],
    ids=["reading", "another attribute", "denied"],
)
def test_whoever_does_not_is_not(right: Ace) -> None:
    assert told(services(account(raw=descriptor(READABLE, right))), "AD-PRV-014") == []


def test_a_missing_dacl_and_ownership_are_told() -> None:
    for raw, words in ((NULL_DACL, "the DACL is NULL"), (owned(DELEGATES, READABLE), "by ownership")):
        results = services(account(raw=raw))
        assert told(results, "AD-PRV-014") == [("excess", "critical")]
        assert words in the_finding(results, "AD-PRV-014").actual


@pytest.mark.parametrize("gap", ["condition", "membership"])
def test_what_cannot_be_known_is_left_open(gap: str) -> None:
    listed = ace(RP, UNEXPLAINED) if gap == "membership" else ace(RP, DELEGATES, ace_type=9)
    results = services(account(listed), base=replace(Directory(), token=(*Directory().token, UNEXPLAINED)))
    assert told(results, "AD-PRV-014") == [("unverifiable", "medium")]
    assert "may perhaps retrieve" in the_finding(results, "AD-PRV-014").title
    assert results.summary.verdict == "inconclusive"


def test_what_is_certain_comes_before_what_is_open() -> None:
    listed = ace(RP, DELEGATES, ace_type=9)
    results = services(account(listed, raw=descriptor(READABLE, ace(WD, DELEGATES))))
    assert told(results, "AD-PRV-014") == [("excess", "critical")]


def test_a_malformed_list_is_told() -> None:
    malformed = with_raw(SERVICE, ADMINISTERED, **{"msDS-GroupMSAMembership": b"\x01no descriptor"})
    results = services(malformed)
    assert told(results, "AD-PRV-014") == [("unverifiable", "medium")]
    assert results.summary.verdict == "inconclusive"


def test_accounts_that_could_not_be_read_are_told() -> None:
    results = judge(replace(Directory(), gaps={("managed_service_accounts", ""): REFUSED}).evidence())
    assert told(results, "AD-PRV-014") == []
    assert results.summary.verdict == "inconclusive"
    assert "the right to read it" in the_finding(results, "META-001").remediation.text


def test_one_whose_permissions_were_not_read_is_told() -> None:
    assert SERVICE in the_finding(services(account(raw=None)), "AD-COL-008").actual


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_names_are_told_as_they_are_and_steer_no_command(name: str) -> None:
    dn = f"CN={name},CN=Managed Service Accounts,{HEAD}"
    found = the_finding(services(account(raw=descriptor(READABLE, ace(WD, ACCOUNT)), dn=dn)), "AD-PRV-014")
    assert found.scope == dn
    (command,) = found.remediation.commands
    assert command.isprintable()
    assert command.count('"') == 4
    assert not set("$`%\u201c\u201d\u201e") & set(command)
