from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from auditor.acl.sid import parse_sid
from auditor.model.directory_entry import record_to_entry
from auditor.model.evidence import GapKind
from tests.unit.collect.directory import ber
from tests.unit.collect.directory.collecting import gap_of
from tests.unit.collect.directory.scripted_server import (
    CONFIGURATION,
    HEAD,
    ROOT_DSE,
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

PARTITIONS = f"CN=Partitions,{CONFIGURATION}"
DOMAIN = "S-1-5-21-1-2-3"
SERVICE = f"CN=svc,OU=Service,{HEAD}"
AUDITOR = f"CN=auditor,OU=Service,{HEAD}"
DOMAIN_USERS = f"CN=Domain Users,CN=Users,{HEAD}"


def sid(rid: int) -> bytes:
    return parse_sid(f"{DOMAIN}-{rid}")


OBJECTS: Mapping[str, Attributes] = {
    HEAD: {"objectSid": [parse_sid(DOMAIN)], "nTSecurityDescriptor": [b"domain"]},
    SERVICE: {
        "objectSid": [sid(1104)],
        "primaryGroupID": ["513"],
        "tokenGroups": [sid(513)],
        "nTSecurityDescriptor": [b"service"],
    },
    AUDITOR: {"objectSid": [sid(1105)], "tokenGroups": [sid(513)]},
    DOMAIN_USERS: {"objectSid": [sid(513)], "nTSecurityDescriptor": [b"users"]},
    PARTITIONS: {"uPNSuffixes": ["contoso.com"]},
    f"CN=CORP,{PARTITIONS}": {"nCName": [HEAD]},
    f"CN=EU,{PARTITIONS}": {"nCName": ["DC=eu,DC=example,DC=com"]},
}
MATCHES = {b"auditor@corp.example.com": [AUDITOR], sid(513): [DOMAIN_USERS]}


def audit(
    collect: Collect, issued: Issued, answer: Answer, **settings: Any
) -> tuple[Evidence, ScriptedServer]:
    with ScriptedServer(pem_file=issued.pem_file, answer=answer) as server:
        return collect(server.port, **settings), server


def accounts(evidence: Evidence) -> list[str]:
    return [str(record["dn"]) for record in evidence.read("account")]


@pytest.mark.parametrize(("username", "matches"), [
    ("svc@corp.example.com", {b"svc@corp.example.com": [SERVICE]}),
    ("svc@corp.example.com", {b"sAMAccountName": [SERVICE]}),
    ("svc@contoso.com", {b"sAMAccountName": [SERVICE]}),
    ("svc@CONTOSO.com", {b"sAMAccountName": [SERVICE]}),
    ("CORP\\svc", {b"CORP": [f"CN=CORP,{PARTITIONS}"], b"sAMAccountName": [SERVICE]}),
    ("svc", {b"sAMAccountName": [SERVICE]}),
    (SERVICE, {}),
])
def test_the_account_is_found_by_every_form_of_its_name(
    collect: Collect, trusted: Issued, username: str, matches: dict[bytes, list[str]]
) -> None:
    answer = directory(OBJECTS, {**MATCHES, **matches})
    evidence, _ = audit(collect, trusted, answer, username=username)
    assert accounts(evidence) == [SERVICE]
    assert evidence.read("account").absence_is_proven
    assert [str(record["dn"]) for record in evidence.read("token_groups")] == [SERVICE]
    assert [str(record["dn"]) for record in evidence.read("groups")] == [DOMAIN_USERS]
    assert evidence.read("groups").absence_is_proven


@pytest.mark.parametrize("username", ["svc@fabrikam.com", "svc@example.com", f"CN=gone,{HEAD}"])
def test_no_match_is_a_complete_read_without_records(
    collect: Collect, trusted: Issued, username: str
) -> None:
    answer = directory(OBJECTS, {**MATCHES, b"sAMAccountName": [SERVICE]})
    evidence, _ = audit(collect, trusted, answer, username=username)
    assert accounts(evidence) == []
    assert evidence.read("account").absence_is_proven
    for dataset in ("token_groups", "groups"):
        assert gap_of(evidence, dataset).kind is GapKind.NOT_ATTEMPTED
    assert evidence.read("domain").absence_is_proven


def test_the_user_principal_name_comes_before_the_implied_one(collect: Collect, trusted: Issued) -> None:
    other = f"CN=other,{HEAD}"
    answer = directory(
        {**OBJECTS, other: {}}, {**MATCHES, b"userPrincipalName": [SERVICE], b"sAMAccountName": [other]}
    )
    evidence, _ = audit(collect, trusted, answer)
    assert accounts(evidence) == [SERVICE]


def test_several_matches_are_all_recorded_and_none_is_judged(collect: Collect, trusted: Issued) -> None:
    answer = directory(OBJECTS, {**MATCHES, b"svc@corp.example.com": [SERVICE, AUDITOR]})
    evidence, _ = audit(collect, trusted, answer)
    assert accounts(evidence) == [SERVICE, AUDITOR]
    gap = evidence.read("groups").gap
    assert gap is not None
    assert "2 accounts match" in gap.message


@pytest.mark.parametrize(("username", "matches"), [
    ("EU\\svc", {b"EU": [f"CN=EU,{PARTITIONS}"], b"sAMAccountName": [SERVICE]}),
    ("NOWHERE\\svc", {b"sAMAccountName": [SERVICE]}),
    ("CN=svc,DC=eu,DC=example,DC=com", {}),
])
def test_an_account_of_another_domain_is_not_confused_with_ours(
    collect: Collect, trusted: Issued, username: str, matches: dict[bytes, list[str]]
) -> None:
    evidence, _ = audit(collect, trusted, directory(OBJECTS, {**MATCHES, **matches}), username=username)
    assert accounts(evidence) == []
    gap = evidence.read("account").gap
    assert gap is not None
    assert gap.kind is GapKind.INCOMPLETE


def test_a_domain_name_that_cannot_be_checked_is_a_gap_beside_the_match(
    collect: Collect, trusted: Issued
) -> None:
    objects = {dn: attributes for dn, attributes in OBJECTS.items() if PARTITIONS not in dn}
    answer = directory(objects, {**MATCHES, b"sAMAccountName": [SERVICE]})
    evidence, _ = audit(collect, trusted, answer, username="CORP\\svc")
    assert accounts(evidence) == [SERVICE]
    assert gap_of(evidence, "account").kind is GapKind.NOT_PERMITTED


@pytest.mark.parametrize(("partition", "complete"), [
    ("DC=child,DC=corp,DC=example,DC=com", False),
    ("DC=DomainDnsZones,DC=corp,DC=example,DC=com", True),
    ("DC=ForestDnsZones,DC=corp,DC=example,DC=com", True),
    (CONFIGURATION, True),
    ("CN=Configuration,DC=root,DC=example,DC=com", True),
])
def test_absence_is_not_proven_while_a_child_domain_was_not_searched(
    collect: Collect, trusted: Issued, partition: str, complete: bool
) -> None:
    known = directory(OBJECTS, MATCHES)

    def answer(request: Request) -> bytes:
        url = f"ldap://other.corp.example.com/{partition.replace(' ', '%20')}??base"
        return (ber.continuation(request.message_id, url) if request.is_subtree else b"") + known(request)

    evidence, _ = audit(collect, trusted, answer)
    assert accounts(evidence) == []
    assert evidence.read("account").absence_is_proven is complete


def test_a_base_dn_of_no_partition_here_leaves_a_gap_and_the_others_are_searched(
    collect: Collect, trusted: Issued
) -> None:
    answer = directory(OBJECTS, {**MATCHES, b"svc@corp.example.com": [SERVICE]})
    evidence, _ = audit(collect, trusted, answer, base_dns=("DC=eu,DC=example,DC=com", f"OU=Staff,{HEAD}"))
    assert accounts(evidence) == [SERVICE]
    gap = evidence.read("account").gap
    assert gap is not None
    assert gap.kind is GapKind.INCOMPLETE
    assert "DC=eu" in gap.message


def test_a_global_catalog_never_shows_all_attributes(collect: Collect, trusted: Issued) -> None:
    answer = directory(OBJECTS, {**MATCHES, b"svc@corp.example.com": [SERVICE]})
    evidence, _ = audit(collect, trusted, answer, global_catalog=True)
    assert accounts(evidence) == [SERVICE]
    assert gap_of(evidence, "account").kind is GapKind.INCOMPLETE


def test_withheld_token_groups_are_a_missing_right_not_an_empty_token(
    collect: Collect, trusted: Issued
) -> None:
    tokenless: Attributes = {"objectSid": [sid(1104)], "primaryGroupID": ["513"]}
    objects = {**OBJECTS, SERVICE: tokenless}
    answer = directory(objects, {**MATCHES, b"svc@corp.example.com": [SERVICE]})
    evidence, _ = audit(collect, trusted, answer)
    gap = evidence.read("token_groups").gap
    assert gap is not None
    assert gap.kind is GapKind.NOT_PERMITTED
    assert "Windows Authorization Access Group" in (gap.missing_permission or "")
    assert gap_of(evidence, "groups").kind is GapKind.INCOMPLETE
    assert [str(record["dn"]) for record in evidence.read("groups")] == [DOMAIN_USERS]


def test_the_session_s_own_token_stands_in_for_a_withheld_one(collect: Collect, trusted: Issued) -> None:
    everyone = parse_sid("S-1-1-0")
    objects: dict[str, Attributes] = {
        **OBJECTS, AUDITOR: {"objectSid": [sid(1105)]}, "": {"tokenGroups": [sid(1105), everyone]},
    }
    evidence, _ = audit(collect, trusted, directory(objects, MATCHES))
    entries = [record_to_entry(record) for record in evidence.read("auditing_identity")]
    assert [entry.dn for entry in entries] == [AUDITOR, ""]
    assert entries[1].sids("tokenGroups") == (f"{DOMAIN}-1105", "S-1-1-0")
    assert evidence.read("auditing_identity").absence_is_proven


def test_secrets_of_accounts_are_not_asked_for(collect: Collect, trusted: Issued) -> None:
    _, server = audit(collect, trusted, directory(OBJECTS, MATCHES))
    asked = {name.lower() for request in server.requests for name in request.attributes}
    assert asked
    assert not asked & {"*", "+", "userpassword", "unicodepwd", "ms-mcs-admpwd", "mslaps-password"}
    assert not any("password" in name for name in asked)


def test_root_dse_without_partitions_finds_nothing_and_says_so(collect: Collect, trusted: Issued) -> None:
    root_dse = {"dnsHostName": ROOT_DSE["dnsHostName"]}
    with ScriptedServer(pem_file=trusted.pem_file, root_dse=root_dse, answer=directory(OBJECTS)) as server:
        evidence = collect(server.port, target_ous=(f"OU=Staff,{HEAD}",))
    for dataset, subject in (("account", ""), ("auditing_identity", ""), ("target_ou", f"OU=Staff,{HEAD}")):
        assert gap_of(evidence, dataset, subject).kind is GapKind.INCOMPLETE
    assert not evidence.read("domain").absence_is_proven


def test_the_domain_is_the_closest_partition_above_the_account(collect: Collect, trusted: Issued) -> None:
    child = f"DC=child,{HEAD}"
    account = f"CN=svc,{child}"
    root_dse = {**ROOT_DSE, "namingContexts": [HEAD, child, CONFIGURATION]}
    objects: dict[str, Attributes] = {**OBJECTS, child: {"objectSid": [sid(1)]}, account: {"objectSid": [sid(2)]}}
    answer = directory(objects, MATCHES)
    with ScriptedServer(pem_file=trusted.pem_file, root_dse=root_dse, answer=answer) as server:
        evidence = collect(server.port, username=account, base_dns=(HEAD, child))
    assert [str(record["dn"]) for record in evidence.read("domain")] == [child]
