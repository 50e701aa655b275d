"""The lab is what the other tests believe it is; the domain controller itself is the witness."""

from __future__ import annotations

import socket
import ssl
from contextlib import nullcontext
from typing import TYPE_CHECKING

import ldap3
import pytest
from ldap3.core.exceptions import LDAPBindError

from auditor.acl.sid import format_sid
from auditor.model.outcome import Outcome
from tests.lab.cases import AUDITOR, BOTH, CONTROL, CREATE, NEITHER, TARGETS, Power, probe_dn
from tests.lab.estate import LAB_PASSWORD, Membership
from tests.lab.estates import KNOWN_ANSWERS
from tests.lab.queries import group_sids, read

if TYPE_CHECKING:
    from tests.lab.cases import Case, Place, Target
    from tests.lab.domain_controller import DomainController

pytestmark = pytest.mark.directory

OWNER_AND_DACL = 0x5  # of sDRightsEffective (MS-ADTS 3.1.1.4.5.4)
SUCCESS, INSUFFICIENT_RIGHTS = 0, 50  # RFC 4511 4.1.9
CASES_THAT_SIGN_IN = [case for case in KNOWN_ANSWERS.cases if case.enabled]
# Samba gives the members of Authenticated Users the built-in groups that contain it, but no others
UNLIKE_WINDOWS = f"OU=world,{TARGETS}"


def add_user(connection: ldap3.Connection, dn: str, name: str) -> bool:
    """Create a user; tell whether it was done."""
    return bool(connection.add(dn, "user", {"sAMAccountName": name}))  # type: ignore[no-untyped-call]


def delete(connection: ldap3.Connection, dn: str) -> bool:
    """Delete an object; tell whether it was done."""
    return bool(connection.delete(dn))  # type: ignore[no-untyped-call]


def power_in(connection: ldap3.Connection, controller: DomainController, place: Place) -> Power:
    """Ask the domain controller what the signed-in account may do with users in a place."""
    power = NEITHER
    for entry in read(connection, controller.dn(place.dn), "allowedChildClassesEffective").values():
        if b"user" in entry.get("allowedChildClassesEffective", []):
            power |= CREATE
    for entry in read(connection, controller.dn(probe_dn(place)), "sDRightsEffective").values():
        if int(entry["sDRightsEffective"][0]) & OWNER_AND_DACL == OWNER_AND_DACL:
            power |= CONTROL
    return power


def test_ldaps_shows_a_certificate_that_verifies(domain_controller: DomainController) -> None:
    trust = ssl.create_default_context(cafile=str(domain_controller.ca_file))
    for name in (domain_controller.domain.host_name, domain_controller.address):
        with (
            socket.create_connection((domain_controller.address, 636), timeout=5) as plain,
            trust.wrap_socket(plain, server_hostname=name) as encrypted,
        ):
            assert encrypted.version() in {"TLSv1.2", "TLSv1.3"}


def test_the_certificate_is_for_no_other_name(domain_controller: DomainController) -> None:
    trust = ssl.create_default_context(cafile=str(domain_controller.ca_file))
    with (
        socket.create_connection((domain_controller.address, 636), timeout=5) as plain,
        pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"),
    ):
        trust.wrap_socket(plain, server_hostname="dc2.corp.example.com")


def test_two_domain_controllers_of_one_domain_run_side_by_side(
    domain_controller: DomainController, domain_controller_without_administrators: DomainController
) -> None:
    other = domain_controller_without_administrators
    assert domain_controller.address != other.address
    sids = set()
    for controller in (domain_controller, other):
        with controller.sign_in(AUDITOR) as connection:
            (head,) = read(connection, controller.domain.head, "objectSid").values()
        sids.add(head["objectSid"][0])
    assert len(sids) == 1


def test_nobody_signs_in_with_another_password(domain_controller: DomainController) -> None:
    with (
        pytest.raises(LDAPBindError, match="invalidCredentials"),
        domain_controller.sign_in(AUDITOR, LAB_PASSWORD + "x"),
    ):
        pass


@pytest.mark.parametrize("case", KNOWN_ANSWERS.cases, ids=lambda case: case.name)
def test_every_account_exists_and_signs_in_unless_disabled(
    domain_controller: DomainController, case: Case
) -> None:
    with domain_controller.sign_in(AUDITOR) as connection:
        (entry,) = read(
            connection, domain_controller.dn(case.account_dn), "userPrincipalName", "sAMAccountName"
        ).values()
    assert entry["sAMAccountName"] == [case.account.encode()]
    assert entry["userPrincipalName"] == [domain_controller.user_principal_name(case.account).encode()]
    refusal = nullcontext() if case.enabled else pytest.raises(LDAPBindError, match="invalidCredentials")
    with refusal, domain_controller.sign_in(case.account) as connection:
        assert connection.bound


def test_the_auditor_is_an_ordinary_user(domain_controller: DomainController) -> None:
    with domain_controller.sign_in(AUDITOR) as connection:
        (entry,) = read(
            connection, domain_controller.dn(f"CN={AUDITOR},OU=Service accounts"), "tokenGroups", "objectSid"
        ).values()
    domain = format_sid(entry["objectSid"][0]).rpartition("-")[0]
    users, pre_windows_2000_access, domain_users = "S-1-5-32-545", "S-1-5-32-554", f"{domain}-513"
    assert {format_sid(value) for value in entry["tokenGroups"]} <= {
        users, pre_windows_2000_access, domain_users
    }


@pytest.mark.parametrize("flags", [1, 4, 5, 7])
def test_the_auditor_reads_descriptors_without_the_system_acl(
    domain_controller: DomainController, flags: int
) -> None:
    with domain_controller.sign_in(AUDITOR) as connection:
        (entry,) = read(
            connection, domain_controller.dn(TARGETS), "nTSecurityDescriptor", flags=flags
        ).values()
    assert entry["nTSecurityDescriptor"][0][0] == 1  # the revision (MS-DTYP 2.4.6)


@pytest.mark.parametrize("flags", [None, 8, 13, 15])
def test_asking_for_the_system_acl_too_leaves_the_descriptor_out_without_an_error(
    domain_controller: DomainController, flags: int | None
) -> None:
    with domain_controller.sign_in(AUDITOR) as connection:
        (entry,) = read(
            connection, domain_controller.dn(TARGETS), "nTSecurityDescriptor", flags=flags
        ).values()
        assert connection.result["result"] == SUCCESS
    assert "nTSecurityDescriptor" not in entry


@pytest.mark.parametrize("case", CASES_THAT_SIGN_IN, ids=lambda case: case.name)
def test_the_domain_controller_grants_what_the_case_says(
    domain_controller_without_administrators: DomainController, case: Case
) -> None:
    controller = domain_controller_without_administrators
    with controller.sign_in(case.account) as connection:
        granted = {place.dn: power_in(connection, controller, place) for place in case.places}
    expected = {place.dn: place.power for place in case.places}
    granted.pop(UNLIKE_WINDOWS, None)
    expected.pop(UNLIKE_WINDOWS, None)
    assert granted == expected


def test_samba_puts_nobody_into_a_domain_local_group_through_authenticated_users(
    domain_controller_without_administrators: DomainController,
) -> None:
    controller, case = domain_controller_without_administrators, KNOWN_ANSWERS.case("well-known")
    place = next(place for place in case.places if place.dn == UNLIKE_WINDOWS)
    with controller.sign_in(case.account) as connection:
        assert power_in(connection, controller, place) == NEITHER


@pytest.mark.parametrize(
    "case",
    [case for case in CASES_THAT_SIGN_IN if case.domain_admins is not Outcome.MISSING],
    ids=lambda case: case.name,
)
def test_domain_admins_may_do_everything_everywhere(
    domain_controller: DomainController, case: Case
) -> None:
    with domain_controller.sign_in(case.account) as connection:
        granted = {power_in(connection, domain_controller, place) for place in case.places}
    assert granted == {BOTH}


@pytest.mark.parametrize("case", KNOWN_ANSWERS.cases, ids=lambda case: case.name)
def test_the_domain_controller_counts_domain_admins_as_the_case_says(
    domain_controller: DomainController, case: Case
) -> None:
    with domain_controller.sign_in() as connection:
        sids = group_sids(connection, domain_controller, case)
    is_domain_admin = any(sid.startswith("S-1-5-21-") and sid.endswith("-512") for sid in sids)
    is_put_there = Membership(group="Domain Admins", member=case.account) in case.memberships
    is_known = case.domain_admins is not Outcome.UNVERIFIABLE
    assert is_domain_admin == (case.domain_admins is Outcome.SATISFIED if is_known else is_put_there)


@pytest.mark.parametrize(
    "case", [case for case in KNOWN_ANSWERS.cases if case.excess_groups], ids=lambda case: case.name
)
def test_accounts_are_in_their_undocumented_groups(
    domain_controller: DomainController, case: Case
) -> None:
    with domain_controller.sign_in() as connection:
        sids = group_sids(connection, domain_controller, case)
        for name in case.excess_groups:
            (entry,) = read(
                connection,
                domain_controller.domain.head,
                "objectSid",
                scope=ldap3.SUBTREE,
                only=f"(sAMAccountName={name})",
            ).values()
            assert format_sid(entry["objectSid"][0]) in sids


def test_domain_admins_go_by_another_name(domain_controller: DomainController) -> None:
    with domain_controller.sign_in(AUDITOR) as connection:
        head = domain_controller.domain.head
        assert not read(
            connection, head, scope=ldap3.SUBTREE, only="(|(cn=Domain Admins)(sAMAccountName=Domain Admins))"
        )
        (dn,) = read(connection, head, scope=ldap3.SUBTREE, only="(sAMAccountName=Domänen-Admins)")
    assert dn.startswith("CN=Domänen-Admins,CN=Users,")


@pytest.mark.parametrize(
    "target",
    [target for case in KNOWN_ANSWERS.cases for target in case.targets if target.places],
    ids=lambda target: target.dn,
)
def test_answers_agree_with_the_power_they_stand_for(target: Target) -> None:
    powers = {place.power for place in target.places if place.dn.endswith(target.dn)}
    match target.delegation:
        case Outcome.SATISFIED:
            assert powers == {BOTH}
        case Outcome.MISSING:
            assert powers == {NEITHER}
        case _:
            assert target.delegation in {Outcome.PARTIAL, Outcome.UNVERIFIABLE}


def test_the_delegated_account_creates_resets_and_deletes_a_user(
    domain_controller: DomainController,
) -> None:
    dn = domain_controller.dn(f"CN=newcomer,OU=exact,{TARGETS}")
    with domain_controller.sign_in("svc-exact") as connection:
        assert add_user(connection, dn, "newcomer"), connection.result
        assert connection.extend.microsoft.modify_password(dn, LAB_PASSWORD), connection.result
        assert delete(connection, dn), connection.result


def test_a_denied_password_reset_is_refused_in_spite_of_full_control(
    domain_controller: DomainController,
) -> None:
    case = KNOWN_ANSWERS.case("denied")
    place = next(place for place in case.places if place.dn.startswith("OU=denied-reset,"))
    with domain_controller.sign_in(case.account) as connection:
        connection.extend.microsoft.modify_password(domain_controller.dn(probe_dn(place)), LAB_PASSWORD)
        assert connection.result["result"] == INSUFFICIENT_RIGHTS


def test_full_control_of_users_deletes_them_also_without_the_right_to_delete_children(
    domain_controller: DomainController,
) -> None:
    dn = domain_controller.dn(f"CN=shortlived,OU=keeps,{TARGETS}")
    with domain_controller.sign_in("svc-some-rights") as connection:
        assert add_user(connection, dn, "shortlived"), connection.result
        assert delete(connection, dn), connection.result
