"""What a server certificate says, and whether it names the host (RFC 9525)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes

if TYPE_CHECKING:
    from datetime import datetime

# What `cryptography` raises for a certificate that is none, or that breaks RFC 5280.
_PARSE_ERRORS = (ValueError, x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFacts:
    """A certificate as presented: `sha256` of its DER form, the DNS names and IP addresses it is for."""

    sha256: str
    subject: str
    issuer: str
    dns_names: tuple[str, ...]
    addresses: tuple[IPv4Address | IPv6Address, ...]
    not_before: datetime
    not_after: datetime

    @property
    def names(self) -> tuple[str, ...]:
        """Every DNS name and IP address, as text."""
        return (*self.dns_names, *map(str, self.addresses))

    def names_host(self, expected: str) -> bool:
        """Tell whether the certificate is for `expected`, a DNS name or an IP address (RFC 9525 6.3, 6.5).

        The subject's common name counts for nothing; an address needs an address entry.
        """
        address = _parse_address(expected)
        if address is not None:
            return address in self.addresses
        wanted = _comparable(expected)
        return any(_name_covers(_comparable(name), wanted) for name in self.dns_names)


def read_certificate(der: bytes) -> CertificateFacts | None:
    """Return the facts of a DER certificate, or None when it cannot be parsed."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        alternatives = _alternative_names(certificate)
        return CertificateFacts(
            sha256=certificate.fingerprint(hashes.SHA256()).hex(),
            subject=certificate.subject.rfc4514_string(),
            issuer=certificate.issuer.rfc4514_string(),
            dns_names=tuple(alternatives.get_values_for_type(x509.DNSName)),
            addresses=tuple(
                address
                for address in alternatives.get_values_for_type(x509.IPAddress)
                if isinstance(address, (IPv4Address, IPv6Address))
            ),
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
        )
    except _PARSE_ERRORS:
        return None


def tls_server_end_point(der: bytes) -> bytes | None:
    """Return the channel binding of a server's certificate (RFC 5929 4.1).

    None when the certificate's signature names no one hash function: the binding is undefined then.
    """
    try:
        algorithm = x509.load_der_x509_certificate(der).signature_hash_algorithm
    except UnsupportedAlgorithm:
        return None
    if algorithm is None:
        return None
    if isinstance(algorithm, (hashes.MD5, hashes.SHA1)):
        algorithm = hashes.SHA256()
    digest = hashes.Hash(algorithm)
    digest.update(der)
    return b"tls-server-end-point:" + digest.finalize()


def _alternative_names(certificate: x509.Certificate) -> x509.SubjectAlternativeName:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return x509.SubjectAlternativeName([])


def _parse_address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _comparable(name: str) -> str:
    """Return a DNS name in ASCII and lower case, without a final dot; one that is no IDN stays as it is."""
    with suppress(UnicodeError):
        name = name.encode("idna").decode("ascii")
    return name.lower().removesuffix(".")


def _name_covers(presented: str, wanted: str) -> bool:
    if not presented.startswith("*."):
        return presented == wanted
    # RFC 9525 6.3: a wildcard is the whole leftmost label and stands for exactly one label
    first_label, _, parent = wanted.partition(".")
    return bool(first_label) and "." in parent and parent == presented.removeprefix("*.")
