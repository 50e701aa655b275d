"""How the auditing identity signs in. Holds references to secrets, never the secrets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class SecretReference:
    """Where a secret is kept: `env:NAME`, `file:PATH`, `keyring:SERVICE/NAME` or `prompt:`.

    `scheme` is the part before the colon, `locator` the part after it; a file's locator is absolute.
    """

    scheme: str
    locator: str

    def __str__(self) -> str:
        return f"{self.scheme}:{self.locator}"


@dataclass(frozen=True, slots=True)
class Secret:
    """A resolved secret. It lives in memory only and shows itself nowhere."""

    value: bytes

    def __repr__(self) -> str:
        return "Secret(...)"

    __str__ = __repr__

    def reveal_text(self) -> str:
        """Return the secret as text for the one call that signs in."""
        return self.value.decode("utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordSignIn:
    """Simple bind over LDAPS as `username` (UPN, `DOMAIN\\name` or DN)."""

    username: str
    password: SecretReference


@dataclass(frozen=True, slots=True, kw_only=True)
class KerberosSignIn:
    """SASL GSSAPI over LDAPS with the machine's ticket cache or client keytab.

    `username` is a principal (`name@REALM`) of theirs; without one the current ticket's is meant.
    """

    username: str | None


DirectorySignIn: TypeAlias = PasswordSignIn | KerberosSignIn


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateCredential:
    """An application certificate: PEM with key and certificate, or PFX."""

    certificate: SecretReference
    password: SecretReference | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSecretCredential:
    """An application secret."""

    client_secret: SecretReference


@dataclass(frozen=True, slots=True, kw_only=True)
class FederatedCredential:
    """A token of another identity provider (workload identity federation), in a file that its owner renews."""

    token_file: SecretReference


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedIdentityCredential:
    """The identity that Azure has given to the machine: no secret at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCodeCredential:
    """A person at the terminal, who enters a code in a browser."""


CloudCredential: TypeAlias = (
    CertificateCredential
    | ClientSecretCredential
    | FederatedCredential
    | ManagedIdentityCredential
    | DeviceCodeCredential
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudSignIn:
    """Sign-in at Microsoft Entra ID.

    Only a managed identity does without `tenant_id` and `client_id`: Azure knows the first, and the second is the
    client id of a user-assigned identity, none that of the machine itself.
    """

    tenant_id: str | None
    client_id: str | None
    credential: CloudCredential

    def __post_init__(self) -> None:
        if not isinstance(self.credential, ManagedIdentityCredential) and None in (self.tenant_id, self.client_id):
            msg = "only a managed identity signs in without tenant_id and client_id"
            raise ValueError(msg)


SignIn: TypeAlias = DirectorySignIn | CloudSignIn
