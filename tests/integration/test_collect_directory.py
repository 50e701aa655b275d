"""What is collected from a real domain controller is what it holds, and what it hides is a gap."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import ldap3
import pytest
from ldap3.protocol.microsoft import security_descriptor_control

from auditor.acl.sid import format_sid
from auditor.collect.directory import collect_directory
from auditor.collect.evidence_writer import EvidenceWriter
from auditor.collect.replay import read_evidence
from auditor.model.connection import HybridConnection
from auditor.model.directory_entry import DirectoryEntry, record_to_entry
from auditor.model.distinguished_name import parse_dn
from auditor.model.evidence import GapKind
from auditor.model.sign_in import PasswordSignIn, Secret, SecretReference
from tests.lab.cases import AUDITOR, TARGETS
from tests.lab.estate import LAB_PASSWORD
from tests.lab.estates import KNOWN_ANSWERS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from auditor.model.evidence import Evidence, Gap
    from tests.lab.cases import Case
    from tests.lab.domain_controller import DomainController

    Collect = Callable[..., Evidence]

pytestmark = pytest.mark.directory

UNSEEN = {"empty-dacl", "unreadable", "hidden", "nonexistent", "closed", "veiled"}
READABLE = [case for case in KNOWN_ANSWERS.cases if case.name not in UNSEEN]
BY_NAME = pytest.mark.parametrize("case", READABLE, ids=lambda case: case.name)


@pytest.fixture
def collect(domain_controller: DomainController, tmp_path: Path) -> Collect:
    def run(*, auditor: str = "", password: str = LAB_PASSWORD, **settings: Any) -> Evidence:
        defaults: dict[str, Any] = {
            "id": "lab",
            "name": "Connection-Directory Service",
            "profile": "hybrid-exchange-online",
            "hosts": (domain_controller.address,),
            "port": 636,
            "base_dns": (domain_controller.domain.head,),
            "username": domain_controller.user_principal_name(AUDITOR),
            "target_ous": (),
            "group_ous": (),
            "ca_file": str(domain_controller.ca_file),
        }
        connection = HybridConnection(**(defaults | settings))
        folder = tmp_path / f"evidence-{len(list(tmp_path.iterdir()))}"
        writer = EvidenceWriter(folder, connection, lambda: datetime.now(UTC))
        username = auditor or domain_controller.user_principal_name(AUDITOR)
        sign_in = PasswordSignIn(username=username, password=SecretReference("env", "LAB_PASSWORD"))
        secrets = {sign_in.password: Secret(password.encode())}
        steps: list[str] = []
        signed_in_as = collect_directory(connection, sign_in, secrets, writer, steps.append)
        writer.close({"signed_in_as": signed_in_as})
        return read_evidence(folder)

    return run


def entries(evidence: Evidence, dataset: str, subject: str = "") -> list[DirectoryEntry]:
    return [record_to_entry(record) for record in evidence.read(dataset, subject)]


def gap_of(evidence: Evidence, dataset: str, subject: str = "") -> Gap:
    return evidence.read(dataset, subject).gap or pytest.fail(f"{dataset} {subject} has no gap")


def incomplete(evidence: Evidence) -> set[tuple[str, str]]:
    return {(source.dataset, source.subject) for source in evidence.sources if not source.complete}


def held(
    controller: DomainController,
    base: str,
    *attributes: str,
    scope: Any = ldap3.BASE,
    only: str = "(objectClass=*)",
) -> dict[str, dict[str, list[bytes]]]:
    """Return what the domain administrator sees, by DN."""
    with controller.sign_in() as connection:
        controls = security_descriptor_control(sdflags=5)
        connection.search(base, only, scope, attributes=list(attributes), controls=controls)
        found = [entry for entry in connection.response or [] if entry["type"] == "searchResEntry"]
        return {entry["dn"]: dict(entry["raw_attributes"]) for entry in found}


def targets_of(controller: DomainController, case: Case) -> tuple[str, ...]:
    return tuple(controller.dn(target.dn) for target in case.targets)


@BY_NAME
def test_account_groups_and_units_are_read_as_the_directory_holds_them(
    collect: Collect, domain_controller: DomainController, case: Case
) -> None:
    targets = targets_of(domain_controller, case)
    evidence = collect(username=domain_controller.user_principal_name(case.account), target_ous=targets)
    assert incomplete(evidence) == set()
    (account,) = entries(evidence, "account")
    assert account.dn == domain_controller.dn(case.account_dn)
    (token,) = entries(evidence, "token_groups")
    (witness,) = held(domain_controller, account.dn, "tokenGroups").values()
    assert set(token.sids("tokenGroups")) == set(map(format_sid, witness["tokenGroups"]))
    reached = {group.sid for group in entries(evidence, "groups")}
    assert reached >= set(token.sids("tokenGroups"))
    for target in targets:
        (unit,) = entries(evidence, "target_ou", target)
        (witness,) = held(domain_controller, target, "nTSecurityDescriptor").values()
        assert evidence.descriptors[unit.descriptor or ""] == witness["nTSecurityDescriptor"][0]


def test_every_container_below_the_targets_is_read(
    collect: Collect, domain_controller: DomainController
) -> None:
    all_targets = domain_controller.dn(TARGETS)
    evidence = collect(target_ous=(all_targets,))
    seen = {
        entry.dn: evidence.descriptors.get(entry.descriptor or "")
        for entry in entries(evidence, "containers", all_targets)
    }
    there = held(
        domain_controller,
        all_targets,
        "nTSecurityDescriptor",
        scope=ldap3.SUBTREE,
        only="(|(objectClass=organizationalUnit)(objectClass=container))",
    )
    readable = [parse_dn(dn) for case in READABLE for dn in targets_of(domain_controller, case)]
    expected = {
        dn: values["nTSecurityDescriptor"][0]
        for dn, values in there.items()
        if any(parse_dn(dn).is_within(target) for target in readable)
    }
    assert len(expected) > len(readable)
    assert {dn: seen.get(dn) for dn in expected} == expected
    assert all_targets not in seen


@pytest.mark.parametrize("form", ["upn", "netbios", "netbios in lower case", "dns", "dn", "name"])
def test_the_account_is_found_by_every_form_of_its_name(
    collect: Collect, domain_controller: DomainController, form: str
) -> None:
    case = KNOWN_ANSWERS.case("da-only")
    username = {
        "upn": domain_controller.user_principal_name(case.account),
        "netbios": f"{domain_controller.domain.netbios}\\{case.account}",
        "netbios in lower case": f"{domain_controller.domain.netbios.lower()}\\{case.account}",
        "dns": f"{domain_controller.domain.dns_name}\\{case.account}",
        "dn": domain_controller.dn(case.account_dn).lower(),
        "name": case.account,
    }[form]
    evidence = collect(username=username)
    assert [entry.dn for entry in entries(evidence, "account")] == [domain_controller.dn(case.account_dn)]
    assert incomplete(evidence) == set()


@pytest.mark.parametrize("username", [
    "svc-nobody@corp.example.com", "*@corp.example.com", "svc-*", "svc-da-only)(objectClass=*",
    "CN=nobody,DC=corp,DC=example,DC=com",
])
def test_an_account_that_is_not_there_is_a_complete_read_of_nothing(collect: Collect, username: str) -> None:
    evidence = collect(username=username)
    assert evidence.read("account").records == ()
    assert evidence.read("account").absence_is_proven
    assert gap_of(evidence, "groups").kind is GapKind.NOT_ATTEMPTED


@pytest.mark.parametrize("username", ["OTHER\\svc-da-only", "CN=svc-da-only,DC=other,DC=com"])
def test_an_account_of_a_domain_that_is_not_held_here_is_not_reported_absent(
    collect: Collect, username: str
) -> None:
    evidence = collect(username=username)
    assert evidence.read("account").records == ()
    assert gap_of(evidence, "account").kind is GapKind.INCOMPLETE


@pytest.mark.parametrize("form", ["{name}@{dns}", "{netbios}\\{name}", "{dn}"])
def test_the_auditing_identity_signs_in_by_every_form_and_knows_its_token(
    collect: Collect, domain_controller: DomainController, form: str
) -> None:
    dn = domain_controller.dn(f"CN={AUDITOR},OU=Service accounts")
    domain = domain_controller.domain
    auditor = form.format(name=AUDITOR, dns=domain.dns_name, netbios=domain.netbios, dn=dn)
    evidence = collect(auditor=auditor)
    (identity,) = entries(evidence, "auditing_identity")
    (witness,) = held(domain_controller, dn, "objectSid", "tokenGroups").values()
    assert identity.sid == format_sid(witness["objectSid"][0])
    assert set(identity.sids("tokenGroups")) == set(map(format_sid, witness["tokenGroups"]))
    assert evidence.collected_by["signed_in_as"] == auditor


def test_the_domain_head_and_the_memberships_of_everyone_are_read(
    collect: Collect, domain_controller: DomainController
) -> None:
    evidence = collect()
    (head,) = entries(evidence, "domain")
    assert head.dn == domain_controller.domain.head
    assert head.sid
    assert head.integer("ms-DS-MachineAccountQuota") is not None
    assert head.descriptor in evidence.descriptors
    well_known = entries(evidence, "well_known_memberships")
    memberships = {entry.sid: entry.texts("memberOf") for entry in well_known}
    assert any("Pre-Windows 2000" in dn for dn in memberships["S-1-5-11"])
    assert "S-1-5-32-554" in {group.sid for group in entries(evidence, "groups")}


def test_withheld_groups_are_not_an_empty_token(
    collect: Collect, domain_controller: DomainController
) -> None:
    case = KNOWN_ANSWERS.case("closed")
    evidence = collect(username=domain_controller.user_principal_name(case.account))
    assert gap_of(evidence, "token_groups").kind is GapKind.NOT_PERMITTED
    assert gap_of(evidence, "groups").kind is GapKind.INCOMPLETE


def test_an_empty_dacl_is_a_gap_with_what_could_be_seen(
    collect: Collect, domain_controller: DomainController
) -> None:
    (target,) = targets_of(domain_controller, KNOWN_ANSWERS.case("empty-dacl"))
    evidence = collect(target_ous=(target,))
    (unit,) = entries(evidence, "target_ou", target)
    assert (unit.dn, unit.descriptor) == (target, None)
    assert gap_of(evidence, "target_ou", target).kind is GapKind.NOT_PERMITTED
    assert gap_of(evidence, "containers", target).kind is GapKind.NOT_PERMITTED


def test_a_descriptor_that_is_withheld_is_a_gap_or_null_never_absent(
    collect: Collect, domain_controller: DomainController
) -> None:
    unreadable, unreadable_below = targets_of(domain_controller, KNOWN_ANSWERS.case("unreadable"))
    evidence = collect(target_ous=(unreadable, unreadable_below))
    assert gap_of(evidence, "target_ou", unreadable).kind is GapKind.NOT_PERMITTED
    assert evidence.read("target_ou", unreadable_below).absence_is_proven
    assert [entry.descriptor for entry in entries(evidence, "containers", unreadable_below)] == [None]


def test_containers_that_hide_their_class_are_found_below_a_target(
    collect: Collect, domain_controller: DomainController
) -> None:
    (hidden,) = targets_of(domain_controller, KNOWN_ANSWERS.case("empty-dacl"))
    targets = domain_controller.dn(TARGETS)
    evidence = collect(target_ous=(targets,))
    assert {entry.dn: entry.descriptor for entry in entries(evidence, "containers", targets)}[hidden] is None


def test_what_lies_in_a_parent_that_lists_nothing_comes_with_that_parent(
    collect: Collect, domain_controller: DomainController
) -> None:
    hidden, nowhere, _ = targets_of(domain_controller, KNOWN_ANSWERS.case("hidden"))
    evidence = collect(target_ous=(hidden, nowhere))
    for target in (hidden, nowhere):
        assert gap_of(evidence, "target_ou", target).kind is GapKind.NOT_FOUND
        (vault,) = entries(evidence, "nearest_ancestor", target)
        assert vault.dn == target.partition(",")[2]
        assert vault.descriptor in evidence.descriptors


def test_a_unit_that_is_not_there_comes_with_its_nearest_ancestor(
    collect: Collect, domain_controller: DomainController
) -> None:
    target = f"OU=a,OU=b,OU=c,{domain_controller.dn(TARGETS)}"
    evidence = collect(target_ous=(target,))
    (ancestor,) = entries(evidence, "nearest_ancestor", target)
    assert ancestor.dn == domain_controller.dn(TARGETS)
    assert [source.pages for source in evidence.sources if source.dataset == "nearest_ancestor"] == [3]


def test_the_next_host_is_read_when_the_first_is_dead_and_every_host_is_recorded(
    collect: Collect,
    domain_controller: DomainController,
    domain_controller_without_administrators: DomainController,
) -> None:
    other = domain_controller_without_administrators
    dead = "127.0.0.255"
    evidence = collect(hosts=(dead, domain_controller.address, other.address))
    records = {subject: read.records[0] for subject, read in evidence.reads_of("host")}
    assert [records[host]["signed_in"] for host in (dead, domain_controller.address)] == [False, True]
    assert gap_of(evidence, "host", dead).kind is GapKind.UNREACHABLE
    # the other controller's certificate comes from an authority of its own, which ca_file does not have
    assert gap_of(evidence, "host", other.address).kind is GapKind.UNTRUSTED
    assert records[other.address]["certificate"]
    assert {source.endpoint for source in evidence.sources if source.dataset != "host"} == {
        f"ldaps://{domain_controller.address}:636"
    }


def test_a_wrong_password_is_a_gap_in_words(collect: Collect, domain_controller: DomainController) -> None:
    evidence = collect(password="not the password", hosts=(domain_controller.address,))
    gap = gap_of(evidence, "host", domain_controller.address)
    assert gap.kind is GapKind.SIGN_IN_REFUSED
    assert "user name or password is wrong" in gap.message
    assert gap_of(evidence, "account").kind is GapKind.NOT_ATTEMPTED


def test_the_plain_text_port_gets_no_credential(
    collect: Collect, domain_controller: DomainController
) -> None:
    evidence = collect(port=389)
    (record,) = evidence.read("host", domain_controller.address)
    assert (record["reachable"], record["signed_in"], record["tls"]) == (True, False, None)
    gap = gap_of(evidence, "host", domain_controller.address)
    assert gap.kind in {GapKind.UNREACHABLE, GapKind.MALFORMED}


@pytest.mark.parametrize("is_declared", [True, False])
def test_the_global_catalog_is_read_and_said_to_be_partial_whatever_the_inventory_calls_it(
    collect: Collect, domain_controller: DomainController, is_declared: bool
) -> None:
    target = domain_controller.dn(TARGETS)
    evidence = collect(port=3269, global_catalog=is_declared, target_ous=(target,))
    assert len(evidence.read("account").records) == 1
    assert gap_of(evidence, "account").kind is GapKind.INCOMPLETE
    assert evidence.read("target_ou", target).absence_is_proven


def test_collecting_twice_gives_the_same_evidence(
    collect: Collect, domain_controller: DomainController
) -> None:
    case = KNOWN_ANSWERS.case("da-nested")
    first, second = (
        collect(
            username=domain_controller.user_principal_name(case.account),
            target_ous=(domain_controller.dn(TARGETS),),
        )
        for _ in range(2)
    )
    assert [(source.dataset, source.sha256) for source in first.sources] == [
        (source.dataset, source.sha256) for source in second.sources
    ]
