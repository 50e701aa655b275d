"""Writes inventory files next to a certificate and a folder of evidence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from auditor.inventory.load import load_inventory

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from auditor.inventory.entries import Inventory

KNOWN_PROFILES = ("hybrid-active-directory", "hybrid-exchange-online")


def _certificate_pem() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test root")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the inventory, with `root.pem`, `profile.yaml` and `evidence/corp`."""
    (tmp_path / "root.pem").write_bytes(_certificate_pem())
    (tmp_path / "profile.yaml").write_text("id: mine\n", encoding="utf-8")
    (tmp_path / "evidence" / "corp").mkdir(parents=True)
    return tmp_path


@pytest.fixture
def load(folder: Path) -> Callable[[str | bytes], Inventory]:
    """Write the text as inventory and load it."""

    def write_and_load(content: str | bytes) -> Inventory:
        path = folder / "inventory.yaml"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return load_inventory(path, KNOWN_PROFILES)

    return write_and_load
