"""What a domain controller tells the auditor about what it may not see, and how it spells odd names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ldap3
import pytest

from auditor.model.outcome import Outcome
from tests.lab.cases import AUDITOR, TARGETS
from tests.lab.estates import KNOWN_ANSWERS
from tests.lab.queries import group_sids, read

if TYPE_CHECKING:
    from tests.lab.cases import Case
    from tests.lab.domain_controller import DomainController

pytestmark = pytest.mark.directory

SUCCESS, NO_SUCH_OBJECT = 0, 32  # RFC 4511 4.1.9
CONTAINERS = "(|(objectClass=organizationalUnit)(objectClass=container))"


def test_an_unreadable_descriptor_is_left_out_of_an_entry_that_looks_complete(
    domain_controller: DomainController,
) -> None:
    dn = domain_controller.dn(f"OU=unreadable,{TARGETS}")
    with domain_controller.sign_in(AUDITOR) as connection:
        found = read(connection, dn, "objectClass", "ou", "nTSecurityDescriptor")
        assert connection.result["result"] == SUCCESS
    assert found == {dn: {"objectClass": [b"top", b"organizationalUnit"], "ou": [b"unreadable"]}}


def test_an_ou_with_an_empty_dacl_is_an_entry_without_attributes(domain_controller: DomainController) -> None:
    dn = domain_controller.dn(f"OU=empty-dacl,{TARGETS}")
    with domain_controller.sign_in(AUDITOR) as connection:
        assert read(connection, dn, "objectClass", "ou", "nTSecurityDescriptor") == {dn: {}}
        assert connection.result["result"] == SUCCESS
        assert read(connection, dn, "ou", only=CONTAINERS) == {}
        assert connection.result["result"] == SUCCESS


def test_an_ou_with_an_empty_dacl_is_missed_by_a_search_for_its_class(
    domain_controller: DomainController,
) -> None:
    dn, base = domain_controller.dn(f"OU=empty-dacl,{TARGETS}"), domain_controller.dn(TARGETS)
    with domain_controller.sign_in(AUDITOR) as connection:
        assert dn not in read(connection, base, "ou", scope=ldap3.SUBTREE, only=CONTAINERS)
        assert connection.result["result"] == SUCCESS
        assert read(connection, base, "ou", scope=ldap3.LEVEL)[dn] == {}


@pytest.mark.parametrize(
    "ou", ["OU=hidden,OU=vault", "OU=nowhere,OU=vault", "OU=nowhere", "OU=nowhere,OU=at-all"]
)
def test_hidden_and_nonexistent_ous_give_the_same_answer(
    domain_controller: DomainController, ou: str
) -> None:
    with domain_controller.sign_in(AUDITOR) as connection:
        assert read(connection, domain_controller.dn(f"{ou},{TARGETS}"), "ou", "nTSecurityDescriptor") == {}
        assert connection.result["result"] == NO_SUCH_OBJECT
        assert connection.result["dn"] == ""  # no matchedDN that would name the nearest ancestor


def test_what_an_ou_does_not_list_is_missing_below_it_without_an_error(
    domain_controller: DomainController,
) -> None:
    dn = domain_controller.dn(f"OU=hidden-below,{TARGETS}")
    with domain_controller.sign_in(AUDITOR) as connection:
        found = read(connection, dn, "nTSecurityDescriptor", scope=ldap3.SUBTREE, only=CONTAINERS)
        assert connection.result["result"] == SUCCESS
    assert list(found) == [dn]
    with domain_controller.sign_in() as connection:
        assert len(read(connection, dn, scope=ldap3.SUBTREE, only=CONTAINERS)) == 2


@pytest.mark.parametrize(
    "case",
    [case for case in KNOWN_ANSWERS.cases if case.domain_admins is not Outcome.UNVERIFIABLE],
    ids=lambda case: case.name,
)
def test_the_auditor_reads_which_groups_an_account_is_in(
    domain_controller: DomainController, case: Case
) -> None:
    with domain_controller.sign_in(AUDITOR) as auditor, domain_controller.sign_in() as administrator:
        seen = group_sids(auditor, domain_controller, case)
        assert seen == group_sids(administrator, domain_controller, case) != set()


def test_groups_of_a_closed_account_are_left_out_of_its_entry_without_an_error(
    domain_controller: DomainController,
) -> None:
    dn = domain_controller.dn(KNOWN_ANSWERS.case("closed").account_dn)
    with domain_controller.sign_in(AUDITOR) as connection:
        (entry,) = read(
            connection, dn, "tokenGroups", "memberOf", "primaryGroupID", "objectSid", "sAMAccountName"
        ).values()
        assert connection.result["result"] == SUCCESS
    assert set(entry) == {"objectSid", "primaryGroupID", "sAMAccountName"}


def test_a_null_dacl_reaches_the_auditor_as_such(domain_controller: DomainController) -> None:
    dn = domain_controller.dn(f"OU=null-dacl,{TARGETS}")
    with domain_controller.sign_in(AUDITOR) as connection:
        (entry,) = read(connection, dn, "nTSecurityDescriptor").values()
    descriptor = entry["nTSecurityDescriptor"][0]
    dacl_present, control = 0x4, int.from_bytes(descriptor[2:4], "little")
    dacl_offset = int.from_bytes(descriptor[16:20], "little")  # MS-DTYP 2.4.6
    assert control & dacl_present
    assert dacl_offset == 0


def test_every_ou_with_an_odd_name_is_found_by_its_dn(domain_controller: DomainController) -> None:
    names = set()
    with domain_controller.sign_in(AUDITOR) as connection:
        for target in KNOWN_ANSWERS.case("names").targets:
            (entry,) = read(connection, domain_controller.dn(target.dn), "ou").values()
            names.add(entry["ou"][0].decode())
    assert {'"Quoted" + back\\slash = semi;colon', " spaces around ", "line\nbreak"} <= names
    assert len(names) == len(KNOWN_ANSWERS.case("names").targets)


def test_samba_spells_dns_in_another_way_than_they_are_written(domain_controller: DomainController) -> None:
    written = domain_controller.dn(rf"OU=\"Quoted\" \+ back\\slash \= semi\;colon,{TARGETS}")
    with domain_controller.sign_in(AUDITOR) as connection:
        (spelled,) = read(connection, written, "ou")
    assert spelled == written.replace(r"\=", r"\3D").replace(r"\;", r"\3B")
