"""Application certificates: PEM with key and certificate, or PFX, told apart by their content."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)

from auditor.model.message import say

if TYPE_CHECKING:
    from auditor.model.message import Message
    from auditor.model.sign_in import Secret

_PEM_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)


class CertificateUnusable(ValueError):
    """The certificate cannot be used to sign in; `reason` says why and never quotes it."""

    def __init__(self, reason: Message) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationCertificate:
    """A key with its certificate, both as PEM; the key is not encrypted any more."""

    private_key: str = field(repr=False)
    certificate: str


def load_certificate(secret: Secret, password: Secret | None) -> ApplicationCertificate:
    """Return the key and the certificate that belongs to it.

    Raises CertificateUnusable. Only RSA is accepted: Microsoft Entra ID verifies no other kind of key.
    """
    passphrase = password.value if password is not None else None
    try:
        read = _read_pem if b"-----BEGIN" in secret.value else _read_pfx
        key, certificates = read(secret.value, passphrase)
        own = [certificate for certificate in certificates if certificate.public_key() == key.public_key()]
    except UnsupportedAlgorithm as error:
        raise CertificateUnusable(say("it uses an algorithm that is not supported")) from error
    if not own:
        raise CertificateUnusable(say("it holds no certificate that belongs to its private key"))
    return ApplicationCertificate(
        private_key=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii"),
        certificate=own[0].public_bytes(Encoding.PEM).decode("ascii"),
    )


def _read_pem(content: bytes, passphrase: bytes | None) -> tuple[RSAPrivateKey, list[x509.Certificate]]:
    blocks = [(match[1], match[0]) for match in _PEM_BLOCK.finditer(content)]
    keys = [block for label, block in blocks if label.endswith(b"PRIVATE KEY")]
    if len(keys) != 1:
        raise CertificateUnusable(say("it holds {count} private keys; exactly one is needed", count=len(keys)))
    is_encrypted = b"ENCRYPTED" in keys[0]
    if is_encrypted and passphrase is None:
        raise CertificateUnusable(say("its private key is encrypted and no password is configured"))
    try:
        key = load_pem_private_key(keys[0], passphrase if is_encrypted else None)
    except ValueError as error:
        wrong = say("the password does not fit its private key")
        reason = wrong if is_encrypted else say("its private key is damaged")
        raise CertificateUnusable(reason) from error
    certificates = [_read_pem_certificate(block) for label, block in blocks if label == b"CERTIFICATE"]
    return _require_rsa(key), certificates


def _read_pem_certificate(block: bytes) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(block)
    except ValueError as error:
        raise CertificateUnusable(say("its certificate is damaged")) from error


def _read_pfx(content: bytes, passphrase: bytes | None) -> tuple[RSAPrivateKey, list[x509.Certificate]]:
    try:
        key, certificate, others = pkcs12.load_key_and_certificates(content, passphrase)
    except ValueError as error:
        reason = say("it is neither PEM nor a PFX file that the configured password opens")
        raise CertificateUnusable(reason) from error
    return _require_rsa(key), [*([certificate] if certificate else []), *others]


def _require_rsa(key: object) -> RSAPrivateKey:
    if isinstance(key, RSAPrivateKey):
        return key
    raise CertificateUnusable(say("it holds no RSA private key"))
