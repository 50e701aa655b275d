from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from auditor.collect.directory.certificates import CertificateFacts, read_certificate, tls_server_end_point
from tests.unit.collect.directory.authority import DAY

if TYPE_CHECKING:
    from tests.unit.collect.directory.authority import Authority


def facts_of(authority: Authority, *names: str, common_name: str = "server") -> CertificateFacts:
    certificate = authority.issue(*names, common_name=common_name).certificate
    facts = read_certificate(certificate.public_bytes(Encoding.DER))
    assert facts is not None
    return facts


@pytest.mark.parametrize(("carried", "host"), [
    ("dc1.corp.example.com", "dc1.corp.example.com"),
    ("DC1.Corp.Example.COM", "dc1.corp.example.com"),
    ("dc1.corp.example.com", "DC1.CORP.EXAMPLE.COM."),
    ("*.corp.example.com", "dc1.corp.example.com"),
    ("xn--mnchen-3ya.example.com", "münchen.example.com"),
    ("10.1.0.10", "10.1.0.10"),
    ("2001:db8::1", "2001:0db8:0:0::1"),
])
def test_a_certificate_is_for_the_names_it_carries(authority: Authority, carried: str, host: str) -> None:
    assert facts_of(authority, carried).names_host(host)


@pytest.mark.parametrize(("carried", "host"), [
    ("dc1.corp.example.com", "dc2.corp.example.com"),
    ("dc1.corp.example.com", "dc1.corp.example.com.evil.example"),
    ("*.corp.example.com", "corp.example.com"),
    ("*.corp.example.com", "a.dc1.corp.example.com"),
    ("*.corp.example.com", ".corp.example.com"),
    ("dc*.corp.example.com", "dc1.corp.example.com"),
    ("*.com", "example.com"),
    ("10.1.0.10", "10.1.0.11"),
    ("dc1.corp.example.com", "10.1.0.10"),
])
def test_a_certificate_is_for_no_other_name(authority: Authority, carried: str, host: str) -> None:
    assert not facts_of(authority, carried).names_host(host)


def test_an_address_written_as_a_dns_name_does_not_stand_for_the_address() -> None:
    facts = CertificateFacts(
        sha256="",
        subject="",
        issuer="",
        dns_names=("10.1.0.10",),
        addresses=(),
        not_before=datetime.now(UTC),
        not_after=datetime.now(UTC),
    )
    assert not facts.names_host("10.1.0.10")


def test_the_common_name_counts_for_nothing(authority: Authority) -> None:
    facts = facts_of(authority, common_name="dc1.corp.example.com")
    assert facts.names == ()
    assert not facts.names_host("dc1.corp.example.com")


def test_facts_are_those_of_the_certificate(authority: Authority) -> None:
    certificate = authority.issue("dc1.corp.example.com", "10.1.0.10").certificate
    der = certificate.public_bytes(Encoding.DER)
    facts = read_certificate(der)
    assert facts is not None
    assert facts.sha256 == hashlib.sha256(der).hexdigest()
    assert facts.subject == "CN=server"
    assert facts.issuer == "CN=Test Root"
    assert facts.names == ("dc1.corp.example.com", "10.1.0.10")
    assert facts.not_after == certificate.not_valid_after_utc


@pytest.mark.parametrize("der", [b"", b"\x30\x00", b"not a certificate", b"\x30\x84\xff\xff\xff\xff"])
def test_bytes_that_are_no_certificate_have_no_facts(der: bytes) -> None:
    assert read_certificate(der) is None


def self_signed(key: Any, algorithm: Any, **options: Any) -> bytes:
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "dc1")]), datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + DAY)
    return builder.sign(key, algorithm, **options).public_bytes(Encoding.DER)


@pytest.mark.parametrize(("signed_with", "digested_with"), [
    (hashes.SHA256(), "sha256"),
    (hashes.SHA384(), "sha384"),
    (hashes.SHA512(), "sha512"),
])
def test_the_channel_binding_is_the_digest_that_the_signature_names(signed_with: Any, digested_with: str) -> None:
    der = self_signed(ec.generate_private_key(ec.SECP256R1()), signed_with)
    assert tls_server_end_point(der) == b"tls-server-end-point:" + hashlib.new(digested_with, der).digest()


def test_the_channel_binding_knows_the_hash_of_a_pss_signature() -> None:
    pss = padding.PSS(mgf=padding.MGF1(hashes.SHA384()), salt_length=48)
    der = self_signed(rsa.generate_private_key(65537, 2048), hashes.SHA384(), rsa_padding=pss)
    assert tls_server_end_point(der) == b"tls-server-end-point:" + hashlib.sha384(der).digest()


@pytest.mark.parametrize("weak", [b"\x04", b"\x05"], ids=["MD5", "SHA-1"])
def test_the_channel_binding_of_a_weak_signature_is_a_sha_256(weak: bytes) -> None:
    with_rsa = bytes.fromhex("2a864886f70d0101")  # RFC 8017 A.2.4; nobody here signs with weak hashes any more
    der = self_signed(rsa.generate_private_key(65537, 2048), hashes.SHA256())
    weakly_signed = der.replace(with_rsa + b"\x0b", with_rsa + weak)
    assert tls_server_end_point(weakly_signed) == b"tls-server-end-point:" + hashlib.sha256(weakly_signed).digest()


def test_a_signature_without_a_hash_has_no_channel_binding() -> None:
    assert tls_server_end_point(self_signed(ed25519.Ed25519PrivateKey.generate(), None)) is None
