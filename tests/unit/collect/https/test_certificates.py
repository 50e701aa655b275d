"""Application certificates in every form an administrator may have them."""

from __future__ import annotations

import re

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)

from auditor.collect.https.certificates import load_certificate
from auditor.collect.https.tokens import check_certificate
from auditor.model.sign_in import Secret
from tests.microsoft365.certificates import issue_application_certificate

MINE = issue_application_certificate()
OTHER = issue_application_certificate("Other")
KEY = load_pem_private_key(MINE.private_key.encode(), None)
CERTIFICATE = x509.load_pem_x509_certificate(MINE.certificate.encode())
OTHER_CERTIFICATE = x509.load_pem_x509_certificate(OTHER.certificate.encode())
PASSWORD = Secret(b"p4ss w\xc3\xb6rd")
LOCK = BestAvailableEncryption(PASSWORD.value)


def pem_key(format_: PrivateFormat, lock: BestAvailableEncryption | NoEncryption) -> str:
    return KEY.private_bytes(Encoding.PEM, format_, lock).decode()


def pfx(lock: BestAvailableEncryption | NoEncryption, *others: x509.Certificate) -> bytes:
    return pkcs12.serialize_key_and_certificates(b"audit", KEY, CERTIFICATE, others, lock)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("content", "password"),
    [
        ((MINE.private_key + MINE.certificate).encode(), None),
        ((MINE.certificate + MINE.private_key).encode(), None),
        ((OTHER.certificate + MINE.certificate + MINE.private_key).encode(), None),
        ((MINE.private_key + MINE.certificate).encode(), PASSWORD),
        ((MINE.private_key + MINE.certificate).replace("\n", "\r\n").encode(), None),
        (b"Bag Attributes\n  friendlyName: audit\n" + (MINE.certificate + MINE.private_key).encode(), None),
        ((pem_key(PrivateFormat.TraditionalOpenSSL, NoEncryption()) + MINE.certificate).encode(), None),
        ((pem_key(PrivateFormat.PKCS8, LOCK) + MINE.certificate).encode(), PASSWORD),
        ((pem_key(PrivateFormat.TraditionalOpenSSL, LOCK) + MINE.certificate).encode(), PASSWORD),
        (pfx(NoEncryption()), None),
        (pfx(LOCK), PASSWORD),
        (pfx(LOCK, OTHER_CERTIFICATE), PASSWORD),
    ],
    ids=range(12),
)
def test_the_key_and_its_own_certificate_are_found(content: bytes, password: Secret | None) -> None:
    assert check_certificate(Secret(content), password) is None

    found = load_certificate(Secret(content), password)

    assert found.certificate == MINE.certificate
    assert found.private_key == MINE.private_key


def elliptic() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + MINE.certificate.encode()


@pytest.mark.parametrize(
    ("content", "password", "problem"),
    [
        (b"", None, "neither PEM nor a PFX"),
        (b"\x30\x82junk", None, "neither PEM nor a PFX"),
        (pfx(LOCK), Secret(b"wrong"), "neither PEM nor a PFX"),
        (pfx(LOCK), None, "neither PEM nor a PFX"),
        (MINE.certificate.encode(), None, "0 private keys"),
        ((MINE.private_key + OTHER.private_key + MINE.certificate).encode(), None, "2 private keys"),
        (MINE.private_key.encode(), None, "no certificate that belongs"),
        ((MINE.private_key + OTHER.certificate).encode(), None, "no certificate that belongs"),
        ((pem_key(PrivateFormat.PKCS8, LOCK) + MINE.certificate).encode(), None, "no password is configured"),
        ((pem_key(PrivateFormat.PKCS8, LOCK) + MINE.certificate).encode(), Secret(b"wrong"), "does not fit"),
        ((pem_key(PrivateFormat.TraditionalOpenSSL, LOCK) + MINE.certificate).encode(), None, "no password"),
        (
            re.sub(r"(?<=\n)[A-Za-z0-9+/]{64}\n", "", MINE.private_key, count=3).encode(),
            None,
            "private key is damaged",
        ),
        (
            (MINE.private_key + MINE.certificate[:200] + "\n-----END CERTIFICATE-----").encode(),
            None,
            "is damaged",
        ),
        (elliptic(), None, "no RSA private key"),
        (
            pkcs12.serialize_key_and_certificates(None, None, CERTIFICATE, None, NoEncryption()),
            None,
            "no RSA",
        ),
    ],
    ids=range(15),
)
def test_an_unusable_certificate_is_described_without_quoting_it(
    content: bytes, password: Secret | None, problem: str
) -> None:
    found = check_certificate(Secret(content), password)

    assert found is not None
    assert problem in found
    assert not any(line and line in found for line in MINE.private_key.splitlines()[1:-1])


def test_a_loaded_key_does_not_show_itself() -> None:
    found = load_certificate(Secret((MINE.private_key + MINE.certificate).encode()), None)

    assert "PRIVATE KEY" not in repr(found)
