"""Kerberos at a real domain controller and its KDC reads what a simple bind reads, and is refused in words."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ldap3
import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from auditor.collect.directory import collect_directory
from auditor.collect.directory.hosts import sign_in_again
from auditor.collect.evidence_writer import EvidenceWriter
from auditor.collect.replay import read_evidence
from auditor.model.connection import HybridConnection
from auditor.model.evidence import GapKind
from auditor.model.sign_in import KerberosSignIn, PasswordSignIn, Secret, SecretReference
from tests.integration.audits import directory_inventory
from tests.lab.cases import AUDITOR, TARGETS
from tests.lab.estate import LAB_PASSWORD
from tests.lab.estates import KNOWN_ANSWERS
from tests.unit.collect.directory.authority import Authority
from tests.unit.collect.directory.scripted_server import ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.collect.directory.session import DirectorySession
    from auditor.model.evidence import Evidence, Gap
    from auditor.model.sign_in import DirectorySignIn
    from tests.lab.domain_controller import DomainController
    from tests.unit.collect.directory.authority import Issued
    from tests.unit.collect.directory.scripted_server import Accept

pytestmark = pytest.mark.directory

try:
    import gssapi

    from tests.integration.kerberos_acceptor import Acceptor
except ImportError as missing:
    if os.environ.get("CI") == "true":
        raise
    pytest.skip(f"the extra `kerberos` is not installed: {missing}", allow_module_level=True)

CURRENT_TICKET = KerberosSignIn(username=None)


@dataclass(frozen=True, kw_only=True)
class Realm:
    """The lab's domain as a machine with Kerberos knows it; nothing of this machine's own is used."""

    controller: DomainController
    folder: Path
    environment: pytest.MonkeyPatch

    def use_keytab(self, account: str, *, spoilt: bool = False) -> None:
        """Set the client keytab to one of `account`; a spoilt one has other keys than the account."""
        keytab = self.folder / f"{account}.keytab"
        self.controller.export_keytab(account, keytab)
        if spoilt:
            keytab.write_bytes(_with_other_keys(keytab.read_bytes()))
        self.environment.setenv("KRB5_CLIENT_KTNAME", f"FILE:{keytab}")

    def get_ticket(self, account: str, *, lifetime_s: int = 3600) -> None:
        """Put a ticket of `account` into the ticket cache, and forget the keytab."""
        configuration = self.folder / "krb5.conf"
        text = self.controller.kerberos_configuration.read_text(encoding="ascii")
        configuration.write_text(text.replace("]\n", f"]\n  ticket_lifetime = {lifetime_s}s\n", 1), encoding="ascii")
        self.environment.setenv("KRB5_CONFIG", str(configuration))
        self.use_keytab(account)
        assert gssapi.Credentials(usage="initiate").name
        self.environment.setenv("KRB5_CLIENT_KTNAME", str(self.folder / "none.keytab"))

    def collect(self, sign_in: DirectorySignIn, **settings: Any) -> Evidence:
        """Collect a connection to the lab's controller."""
        controller = self.controller
        defaults: dict[str, Any] = {
            "id": "lab",
            "name": "Connection-Directory Service",
            "profile": "hybrid-exchange-online",
            "hosts": (controller.address,),
            "port": 636,
            "tls_server_name": controller.domain.host_name,
            "base_dns": (controller.domain.head,),
            "username": controller.user_principal_name(KNOWN_ANSWERS.case("da-nested").account),
            "target_ous": (controller.dn(TARGETS),),
            "group_ous": (),
            "ca_file": str(controller.ca_file),
        }
        connection = HybridConnection(**(defaults | settings))
        folder = self.folder / f"evidence-{len(list(self.folder.iterdir()))}"
        writer = EvidenceWriter(folder, connection, lambda: datetime.now(UTC))
        secrets = {SecretReference("env", "LAB_PASSWORD"): Secret(LAB_PASSWORD.encode())}
        steps: list[str] = []
        writer.close({"signed_in_as": collect_directory(connection, sign_in, secrets, writer, steps.append)})
        return read_evidence(folder)

    def collect_from(self, issued: Issued, accept: Accept) -> Evidence:
        """Collect from a server with that certificate which takes tickets as `accept` says."""
        with ScriptedServer(pem_file=issued.pem_file, accept=accept) as server:
            authority = str(issued.pem_file.with_name("ca.pem"))
            return self.collect(CURRENT_TICKET, hosts=("127.0.0.1",), port=server.port, ca_file=authority)

    def wrong_passwords(self, account: str) -> int:
        """Return how often the domain counts a wrong password of `account`."""
        with self.controller.sign_in() as connection:
            connection.search(self.controller.domain.head, f"(sAMAccountName={account})", attributes=["badPwdCount"])
            (entry,) = (entry for entry in connection.response or [] if entry["type"] == "searchResEntry")
            return int(entry["raw_attributes"]["badPwdCount"][0])


@pytest.fixture
def realm(domain_controller: DomainController, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Realm:
    monkeypatch.setenv("KRB5_CONFIG", str(domain_controller.kerberos_configuration))
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{tmp_path / 'tickets'}")
    monkeypatch.setenv("KRB5_CLIENT_KTNAME", str(tmp_path / "none.keytab"))
    return Realm(controller=domain_controller, folder=tmp_path, environment=monkeypatch)


@pytest.fixture
def realm_that_counts(realm: Realm) -> Iterator[Realm]:
    """Let the domain count wrong passwords, which it does only where accounts lock out."""
    with realm.controller.sign_in() as connection:
        for threshold in ("50", "0"):
            change = {"lockoutThreshold": [(ldap3.MODIFY_REPLACE, [threshold])]}
            assert connection.modify(realm.controller.domain.head, change), connection.result
            if threshold != "0":
                yield realm


def _with_other_keys(keytab: bytes) -> bytes:
    """Change the keys: after its key an entry of Samba has eight bytes, version and flags."""
    changed, at = bytearray(keytab), 2
    while at < len(changed):
        end = at + 4 + int.from_bytes(changed[at : at + 4], "big")
        changed[end - 9] ^= 0xFF
        at = end
    return bytes(changed)


def gap_of_host(evidence: Evidence, host: str) -> Gap:
    return evidence.read("host", host).gap or pytest.fail(f"{host} let us in")


def digests(evidence: Evidence) -> list[tuple[str, str, str, bool]]:
    return [(source.dataset, source.subject, source.sha256, source.complete) for source in evidence.sources]


def test_a_ticket_reads_the_same_evidence_as_a_password(realm: Realm) -> None:
    realm.get_ticket(AUDITOR)
    by_ticket = realm.collect(CURRENT_TICKET)
    username = realm.controller.user_principal_name(AUDITOR)
    by_password = realm.collect(PasswordSignIn(username=username, password=SecretReference("env", "LAB_PASSWORD")))
    assert digests(by_ticket) == digests(by_password)
    assert by_ticket.read("account").absence_is_proven
    assert by_ticket.collected_by["signed_in_as"] == realm.controller.principal(AUDITOR)


def test_a_second_session_signs_in_with_the_same_ticket(realm: Realm) -> None:
    """Read ahead from the first page on, as of a large directory."""
    realm.get_ticket(AUDITOR)
    alone = realm.collect(CURRENT_TICKET)
    opened: list[str] = []

    def open_another(*arguments: Any, **settings: Any) -> DirectorySession:
        session = sign_in_again(*arguments, **settings)
        opened.append(session.signed_in_as)
        return session

    realm.environment.setattr("auditor.collect.directory.collector.sign_in_again", open_another)
    realm.environment.setattr("auditor.collect.directory.reader.PAGE_SIZE", 1)
    assert digests(realm.collect(CURRENT_TICKET)) == digests(alone)
    assert opened == [realm.controller.principal(AUDITOR)]


@pytest.mark.parametrize("is_named", [True, False])
def test_a_keytab_signs_in_without_kinit(realm: Realm, is_named: bool) -> None:
    realm.use_keytab(AUDITOR)
    evidence = realm.collect(KerberosSignIn(username=realm.controller.principal(AUDITOR) if is_named else None))
    assert evidence.read("auditing_identity").absence_is_proven
    assert evidence.collected_by["signed_in_as"] == realm.controller.principal(AUDITOR)


def test_a_host_given_by_address_is_called_by_the_name_it_gives(realm: Realm) -> None:
    realm.use_keytab(AUDITOR)
    evidence = realm.collect(CURRENT_TICKET, tls_server_name=None)
    assert evidence.read("host", realm.controller.address).records[0]["signed_in"] is True


def test_no_ticket_is_said_with_what_to_do(realm: Realm) -> None:
    gap = gap_of_host(realm.collect(CURRENT_TICKET), realm.controller.address)
    assert gap.kind is GapKind.NOT_ATTEMPTED
    assert "there is no Kerberos ticket" in gap.message
    assert "kinit" in (gap.missing_permission or "")


def test_the_ticket_of_another_is_not_used(realm: Realm) -> None:
    realm.get_ticket(AUDITOR)
    evidence = realm.collect(KerberosSignIn(username=realm.controller.principal("Administrator")))
    assert "there is no Kerberos ticket" in gap_of_host(evidence, realm.controller.address).message
    assert evidence.collected_by["signed_in_as"] == ""


def test_an_expired_ticket_is_said(realm: Realm) -> None:
    realm.get_ticket(AUDITOR, lifetime_s=1)
    time.sleep(2)
    gap = gap_of_host(realm.collect(CURRENT_TICKET), realm.controller.address)
    assert gap.kind is GapKind.SIGN_IN_REFUSED
    assert "ticket has expired" in gap.message


def test_a_wrong_keytab_is_tried_once_whatever_hosts_there_are(realm_that_counts: Realm) -> None:
    realm = realm_that_counts
    address = realm.controller.address
    same_host = f"::ffff:{address}"
    realm.use_keytab(AUDITOR, spoilt=True)
    before = realm.wrong_passwords(AUDITOR)
    evidence = realm.collect(CURRENT_TICKET, hosts=(address, same_host))
    assert realm.wrong_passwords(AUDITOR) == before + 1
    gap = gap_of_host(evidence, address)
    assert gap.kind is GapKind.SIGN_IN_REFUSED
    assert "keytab does not hold the account's password" in gap.message
    assert gap_of_host(evidence, same_host).kind is GapKind.NOT_ATTEMPTED
    assert all(read.gap for _, read in evidence.reads_of("account"))


def test_a_disabled_account_is_said(realm: Realm) -> None:
    disabled = next(case for case in KNOWN_ANSWERS.cases if not case.enabled)
    realm.use_keytab(disabled.account)
    gap = gap_of_host(realm.collect(CURRENT_TICKET), realm.controller.address)
    assert gap.kind is GapKind.SIGN_IN_REFUSED
    assert "disabled, expired or locked out" in gap.message


def test_a_kdc_that_is_not_there_is_no_refusal(realm: Realm) -> None:
    realm.use_keytab(AUDITOR)
    configuration = realm.folder / "other.conf"
    text = realm.controller.kerberos_configuration.read_text(encoding="ascii")
    configuration.write_text(text.replace(f"kdc = {realm.controller.address}", "kdc = 127.0.0.255:1"), encoding="ascii")
    realm.environment.setenv("KRB5_CONFIG", str(configuration))
    gap = gap_of_host(realm.collect(CURRENT_TICKET), realm.controller.address)
    assert gap.kind is GapKind.UNREACHABLE
    assert "no Kerberos server of the realm answers" in gap.message


def test_a_host_without_a_service_principal_does_not_stop_the_next(realm: Realm) -> None:
    realm.use_keytab(AUDITOR)
    domain_name = realm.controller.domain.dns_name  # the certificate names it, no service does
    hosts = (realm.controller.address, f"::ffff:{realm.controller.address}")
    evidence = realm.collect(CURRENT_TICKET, tls_server_name=domain_name, hosts=hosts)
    for host in hosts:
        gap = gap_of_host(evidence, host)
        assert gap.kind is GapKind.NOT_ATTEMPTED
        assert f"[{host}]" in gap.message or f"/{host}:" in gap.message
        assert f"knows no service ldap/{domain_name}" in gap.message


def test_an_audit_with_a_keytab_alone_runs_from_end_to_end(realm: Realm) -> None:
    realm.use_keytab(AUDITOR)
    case = KNOWN_ANSWERS.case("da-nested")
    inventory = directory_inventory(realm.controller, [case])
    inventory["defaults"]["auditor"]["active_directory"] = {"kerberos": True}
    file = realm.folder / "inventory.json"
    file.write_text(json.dumps(inventory), encoding="utf-8")
    finished = subprocess.run(
        [sys.executable, "-m", "auditor", "run", "-c", file, "-o", realm.folder / "runs", "-f", "json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr  # compliant, and everything in scope was verified
    results = json.loads(Path(finished.stdout.strip(), "results.json").read_text(encoding="utf-8"))
    (connection,) = results["connections"]
    assert [host["sign_in"] for host in connection["hosts"]] == ["signed in"]


@pytest.fixture
def issued(tmp_path: Path, realm: Realm) -> Issued:
    folder = tmp_path / "authority"
    folder.mkdir()
    return Authority(folder).issue(realm.controller.domain.host_name)


@pytest.fixture
def acceptor(realm: Realm, issued: Issued) -> Acceptor:
    """Accept tickets for the domain controller, bound to the certificate that `issued` is."""
    keytab = realm.folder / "service.keytab"
    realm.controller.export_keytab(f"ldap/{realm.controller.domain.host_name}", keytab)
    realm.use_keytab(AUDITOR)
    der = issued.certificate.public_bytes(Encoding.DER)
    return Acceptor(keytab=keytab, channel=b"tls-server-end-point:" + hashlib.sha256(der).digest())


def test_a_host_that_enforces_channel_binding_lets_us_in_without_a_security_layer(
    realm: Realm, issued: Issued, acceptor: Acceptor
) -> None:
    evidence = realm.collect_from(issued, acceptor)
    assert evidence.read("host", "127.0.0.1").records[0]["signed_in"] is True
    assert acceptor.answers == [bytes([1, 0, 0, 0])]


def test_a_ticket_for_another_tls_connection_is_refused_in_words(
    realm: Realm, issued: Issued, acceptor: Acceptor
) -> None:
    acceptor.channel = b"tls-server-end-point:" + bytes(32)  # what the host sees behind a TLS inspection
    gap = gap_of_host(realm.collect_from(issued, acceptor), "127.0.0.1")
    assert gap.kind is GapKind.SIGN_IN_REFUSED
    assert "bound to another TLS connection" in gap.message


@pytest.mark.parametrize(("layers", "is_accepted"), [(1, True), (7, True), (6, False), (0, False)])
def test_the_security_layer_is_always_none(
    realm: Realm, issued: Issued, acceptor: Acceptor, layers: int, is_accepted: bool
) -> None:
    acceptor.layers = layers
    evidence = realm.collect_from(issued, acceptor)
    assert evidence.read("host", "127.0.0.1").records[0]["signed_in"] is is_accepted
    if not is_accepted:
        assert "sign or seal" in gap_of_host(evidence, "127.0.0.1").message


def test_a_host_that_skips_its_proof_is_not_believed(realm: Realm, issued: Issued, acceptor: Acceptor) -> None:
    gap = gap_of_host(realm.collect_from(issued, lambda _: (0, "", None)), "127.0.0.1")
    assert gap.kind is GapKind.MALFORMED


@pytest.mark.parametrize("challenge", [None, b"", b"no token"])
def test_challenges_that_are_none_end_the_sign_in(
    realm: Realm, issued: Issued, acceptor: Acceptor, challenge: bytes | None
) -> None:
    gap = gap_of_host(realm.collect_from(issued, lambda _: (14, "", challenge)), "127.0.0.1")
    assert gap.kind is GapKind.SIGN_IN_REFUSED


def test_a_challenge_after_the_last_ends_the_sign_in(realm: Realm, issued: Issued, acceptor: Acceptor) -> None:
    def goes_on(token: bytes) -> tuple[int, str, bytes | None]:
        code, text, challenge = acceptor(token)
        return (14, text, challenge) if code == 0 else (code, text, challenge)

    gap = gap_of_host(realm.collect_from(issued, goes_on), "127.0.0.1")
    assert gap.kind is GapKind.MALFORMED
    assert len(acceptor.answers) == 1
