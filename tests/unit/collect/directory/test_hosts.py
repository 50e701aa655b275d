from __future__ import annotations

import json
import socket
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import hashes

from auditor.model.evidence import GapKind
from tests.unit.collect.directory.authority import DAY, Authority, Issued
from tests.unit.collect.directory.collecting import PASSWORD, gap_of
from tests.unit.collect.directory.scripted_server import HEAD, ROOT_DSE, ScriptedServer

if TYPE_CHECKING:
    from pathlib import Path

    from auditor.model.evidence import Evidence, Record
    from tests.unit.collect.directory.collecting import Collect

WRONG_PASSWORD = "80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data 52e, v2580"
HOSTS = ("127.0.0.1", "127.0.0.7", "127.0.0.8")
DATASETS = (
    "domain", "auditing_identity", "account", "token_groups", "groups", "well_known_memberships",
)


def host_record(evidence: Evidence, host: str) -> Record:
    (record,) = evidence.read("host", host)
    return record


def kind_of(evidence: Evidence, dataset: str, subject: str = "") -> GapKind | None:
    gap = evidence.read(dataset, subject).gap
    return None if gap is None else gap.kind


@pytest.fixture
def three_hosts(trusted: Issued) -> list[ScriptedServer]:
    """Three servers on one port of three addresses; to be entered by the test."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    return [ScriptedServer(pem_file=trusted.pem_file, address=address, port=port) for address in HOSTS]


def test_a_host_that_lets_us_in_is_recorded_with_certificate_and_root_dse(
    collect: Collect, trusted: Issued
) -> None:
    with ScriptedServer(pem_file=trusted.pem_file) as server:
        evidence = collect(server.port)
    record = host_record(evidence, "127.0.0.1")
    assert record["reachable"] is True
    assert record["signed_in"] is True
    certificate = record["certificate"]
    assert isinstance(certificate, dict)
    assert certificate["sha256"] == trusted.certificate.fingerprint(hashes.SHA256()).hex()
    assert (certificate["verified"], certificate["error"], certificate["name_matches"]) == (True, None, True)
    assert record["root_dse"] == ROOT_DSE
    assert kind_of(evidence, "host", "127.0.0.1") is None
    assert [source.endpoint for source in evidence.sources if source.dataset == "host"] == [
        f"ldaps://127.0.0.1:{server.port}"
    ]
    assert server.binds == [("auditor@corp.example.com", PASSWORD.encode())]
    assert evidence.collected_by["signed_in_as"] == "auditor@corp.example.com"


def test_every_host_is_tried_and_the_first_that_lets_us_in_is_read(
    collect: Collect, three_hosts: list[ScriptedServer]
) -> None:
    refused, *alive = three_hosts
    with ExitStack() as stack:
        for server in alive:
            stack.enter_context(server)
        evidence = collect(refused.port, hosts=HOSTS)
    assert kind_of(evidence, "host", HOSTS[0]) is GapKind.UNREACHABLE
    assert host_record(evidence, HOSTS[0])["reachable"] is False
    assert [host_record(evidence, host)["signed_in"] for host in HOSTS] == [False, True, True]
    assert [len(server.binds) for server in three_hosts] == [0, 1, 1]
    assert [len(server.requests) > 1 for server in three_hosts] == [False, True, False]
    endpoints = {source.endpoint for source in evidence.sources if source.dataset == "account"}
    assert endpoints == {f"ldaps://{HOSTS[1]}:{refused.port}"}


def test_a_refused_credential_is_offered_to_no_other_host(
    collect: Collect, three_hosts: list[ScriptedServer]
) -> None:
    three_hosts[0].bind_code, three_hosts[0].bind_text = 49, WRONG_PASSWORD
    with ExitStack() as stack:
        for server in three_hosts:
            stack.enter_context(server)
        evidence = collect(three_hosts[0].port, hosts=HOSTS)
    assert [len(server.binds) for server in three_hosts] == [1, 0, 0]
    assert [bytes(server.received) for server in three_hosts[1:]] == [b"", b""]
    assert kind_of(evidence, "host", HOSTS[0]) is GapKind.SIGN_IN_REFUSED
    for host in HOSTS[1:]:
        assert kind_of(evidence, "host", host) is GapKind.NOT_ATTEMPTED
        certificate = host_record(evidence, host)["certificate"]
        assert isinstance(certificate, dict)
        assert certificate["verified"] is True
    for dataset in DATASETS:
        assert kind_of(evidence, dataset) is GapKind.NOT_ATTEMPTED
        assert "password is wrong" in gap_of(evidence, dataset).message


def test_a_busy_host_does_not_stop_the_next(collect: Collect, three_hosts: list[ScriptedServer]) -> None:
    three_hosts[0].bind_code = 51
    with ExitStack() as stack:
        for server in three_hosts:
            stack.enter_context(server)
        evidence = collect(three_hosts[0].port, hosts=HOSTS)
    assert [len(server.binds) for server in three_hosts] == [1, 1, 1]
    assert kind_of(evidence, "host", HOSTS[0]) is GapKind.UNREACHABLE
    assert host_record(evidence, HOSTS[1])["signed_in"] is True


@pytest.mark.parametrize("names", [("127.0.0.1",), ("elsewhere.example.com",)], ids=["expired", "other name"])
def test_nothing_is_sent_to_a_host_that_cannot_be_verified(
    collect: Collect, authority: Authority, names: tuple[str, ...]
) -> None:
    issued = authority.issue(*names, ends_in=-DAY if names == ("127.0.0.1",) else DAY)
    with ScriptedServer(pem_file=issued.pem_file) as server:
        evidence = collect(server.port)
    assert server.handshakes > 0
    assert server.received == b""
    assert kind_of(evidence, "host", "127.0.0.1") is GapKind.UNTRUSTED
    certificate = host_record(evidence, "127.0.0.1")["certificate"]
    assert isinstance(certificate, dict)
    assert certificate["sha256"] == issued.certificate.fingerprint(hashes.SHA256()).hex()
    assert evidence.collected_by["signed_in_as"] == ""


def test_a_configured_name_decides_for_an_address(collect: Collect, authority: Authority) -> None:
    issued = authority.issue("dc1.corp.example.com")
    with ScriptedServer(pem_file=issued.pem_file) as server:
        evidence = collect(server.port, tls_server_name="dc1.corp.example.com")
    assert host_record(evidence, "127.0.0.1")["signed_in"] is True


@pytest.mark.parametrize(("auditor", "password"), [("auditor@corp.example.com", ""), ("", PASSWORD)])
def test_an_empty_name_or_password_is_never_sent(
    collect: Collect, trusted: Issued, auditor: str, password: str
) -> None:
    with ScriptedServer(pem_file=trusted.pem_file) as server:
        evidence = collect(server.port, auditor=auditor, password=password)
    assert server.binds == []
    assert kind_of(evidence, "host", "127.0.0.1") is GapKind.SIGN_IN_REFUSED


def test_a_server_that_sends_the_password_back_does_not_get_it_into_the_evidence(
    collect: Collect, trusted: Issued, tmp_path: Path
) -> None:
    with ScriptedServer(pem_file=trusted.pem_file, bind_code=49, bind_text=f"no: {PASSWORD}") as server:
        collect(server.port)
    written = b"".join(file.read_bytes() for file in tmp_path.glob("evidence */*"))
    assert written
    assert PASSWORD.encode() not in written
    assert json.dumps(PASSWORD).strip('"').encode() not in written


def test_without_any_host_every_dataset_is_a_gap(collect: Collect, trusted: Issued) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    targets = (f"OU=A,{HEAD}", f"OU=B,{HEAD}")
    evidence = collect(port, target_ous=targets, group_ous=targets[1:])
    for dataset in DATASETS:
        assert kind_of(evidence, dataset) is GapKind.NOT_ATTEMPTED
        assert "refused" in gap_of(evidence, dataset).message
    for dn in targets:
        assert kind_of(evidence, "target_ou", dn) is GapKind.NOT_ATTEMPTED
        assert kind_of(evidence, "containers", dn) is GapKind.NOT_ATTEMPTED
    assert kind_of(evidence, "group_ou", targets[1]) is GapKind.NOT_ATTEMPTED
    subjects = [subject for subject, _ in evidence.reads_of("containers")]
    assert len(subjects) == len(set(subjects))
