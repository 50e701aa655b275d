"""A certification authority that issues good and bad server certificates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from pathlib import Path

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A PEM file with certificate and key, and the certificate itself."""

    pem_file: Path
    certificate: x509.Certificate


class Authority:
    """Issues certificates below its own root, which is `ca_file`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _common_name("Test Root")
        self._issued = 0
        self.root = self._sign(self._name, self._key.public_key(), names=(), ends_in=365 * DAY, is_root=True)
        self.ca_file = folder / "ca.pem"
        self.ca_file.write_bytes(self.root.public_bytes(serialization.Encoding.PEM))

    def issue(
        self,
        *names: str,
        common_name: str = "server",
        ends_in: timedelta = 30 * DAY,
        self_signed: bool = False,
    ) -> Issued:
        """Return a certificate for DNS names and IP addresses; with a negative `ends_in` it has expired."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._sign(
            _common_name(common_name), key.public_key(), names=names, ends_in=ends_in,
            own_key=key if self_signed else None,
        )
        self._issued += 1
        pem_file = self._folder / f"server-{self._issued}.pem"
        pem_file.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return Issued(pem_file=pem_file, certificate=certificate)

    def _sign(
        self,
        subject: x509.Name,
        public_key: ec.EllipticCurvePublicKey,
        *,
        names: tuple[str, ...],
        ends_in: timedelta,
        is_root: bool = False,
        own_key: ec.EllipticCurvePrivateKey | None = None,
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject if own_key else self._name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 400 * DAY)
            .not_valid_after(now + ends_in)
            .add_extension(x509.BasicConstraints(ca=is_root, path_length=None), critical=True)
        )
        if names:
            alternatives = x509.SubjectAlternativeName(map(_general_name, names))
            builder = builder.add_extension(alternatives, critical=False)
        return builder.sign(own_key or self._key, hashes.SHA256())


def _common_name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _general_name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(text))
    except ValueError:
        return x509.DNSName(text)
