"""The ways to sign in at Microsoft Entra ID, each as an identity that acquires tokens (home of MSAL)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

import msal  # type: ignore[import-untyped]

from auditor.collect.https.answers import one_line
from auditor.collect.https.certificates import CertificateUnusable, load_certificate
from auditor.collect.https.sign_in_channel import MachineChannel, SignInChannel
from auditor.collect.https.sign_in_errors import refused_managed_identity, refused_sign_in
from auditor.errors import SourceError
from auditor.model.evidence import Gap, GapKind
from auditor.model.message import NOTHING, Message, say
from auditor.model.sign_in import (
    CertificateCredential,
    ClientSecretCredential,
    DeviceCodeCredential,
    FederatedCredential,
    ManagedIdentityCredential,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from auditor.collect.https.transport import Transport
    from auditor.model.sign_in import CloudSignIn, Secret, SecretReference

_LARGEST_FEDERATED_TOKEN = 65536  # bytes
# https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/managed-identity-best-practice-recommendations
_KEPT_TOKENS = say(
    "Azure keeps the tokens of a managed identity for up to 24 hours: a right granted since then counts only in a "
    "newer one"
)


class Identity(Protocol):
    """Who signs in. `stale_rights` says why rights granted lately may not count yet; empty when they do."""

    stale_rights: Message

    @property
    def name(self) -> str:
        """Who that is, in words."""

    @property
    def person(self) -> str | None:
        """The UPN of the person who signed in; None for an application."""

    def acquire(self, service: str, *, anew: bool) -> str:
        """Return a token for `service` (`https://host`), an earlier one while it is good and `anew` is false.

        Raises SourceError.
        """


def choose_identity(
    sign_in: CloudSignIn,
    secrets: Mapping[SecretReference, Secret],
    transport: Transport,
    login: str,
    prompt: Callable[[str], None] | None,
) -> Identity:
    """Return the identity that a sign-in describes; contacts nobody. `prompt` tells a person what to do."""
    if isinstance(sign_in.credential, ManagedIdentityCredential):
        return _Machine(client_id=sign_in.client_id, transport=transport)
    authority = f"{login}/{quote(sign_in.tenant_id or '', safe='')}"
    if isinstance(sign_in.credential, DeviceCodeCredential):
        if prompt is None:
            msg = "a device code needs a person to tell it to"
            raise ValueError(msg)
        return _Person(sign_in=sign_in, authority=authority, transport=transport, prompt=prompt)
    return _Application(sign_in=sign_in, authority=authority, transport=transport, secrets=secrets)


@dataclass(slots=True, kw_only=True)
class _Application:
    sign_in: CloudSignIn
    authority: str
    transport: Transport
    secrets: Mapping[SecretReference, Secret]
    stale_rights: Message = NOTHING
    person: str | None = None
    _client: msal.ConfidentialClientApplication | None = field(init=False, default=None)

    @property
    def name(self) -> str:
        return f"application {self.sign_in.client_id} of tenant {self.sign_in.tenant_id}"

    def acquire(self, service: str, *, anew: bool) -> str:
        if self._client is None:
            self._client = msal.ConfidentialClientApplication(
                self.sign_in.client_id,
                client_credential=self._credential(),
                authority=self.authority,
                instance_discovery=False,  # nobody else is to be asked about the configured host
                azure_region=msal.ConfidentialClientApplication.DISABLE_MSAL_FORCE_REGION,
                http_client=SignInChannel(self.transport),
            )
        if anew:
            self._client.remove_tokens_for_client()
        return _token_in(self._client.acquire_token_for_client([f"{service}/.default"]))

    def _credential(self) -> str | dict[str, Any]:
        match self.sign_in.credential:
            case ClientSecretCredential(client_secret=reference):
                return self.secrets[reference].reveal_text()
            case FederatedCredential(token_file=reference):
                return {"client_assertion": lambda: _federated_token(Path(reference.locator))}
            case CertificateCredential(certificate=reference, password=password):
                return _key_pair(self.secrets[reference], self.secrets[password] if password else None)
            case other:
                raise TypeError(f"{type(other).__name__} is no credential of an application")


def _key_pair(certificate: Secret, password: Secret | None) -> dict[str, str]:
    try:
        pair = load_certificate(certificate, password)
    except CertificateUnusable as problem:
        message = say("no sign-in: the application's certificate cannot be used: {reason}", reason=problem.reason)
        raise SourceError(Gap(kind=GapKind.SIGN_IN_REFUSED, message=message)) from problem
    # without a thumbprint MSAL derives the SHA-256 one from the certificate
    return {"private_key": pair.private_key, "public_certificate": pair.certificate}


def _federated_token(file: Path) -> str:
    """Read the token as it is now: its owner replaces it before it expires."""
    try:
        with file.open("rb") as stream:
            token = stream.read(_LARGEST_FEDERATED_TOKEN).decode("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        message = say(
            "no sign-in: the federated token in {file} cannot be read ({error})",
            file=one_line(str(file)),
            error=type(error).__name__,
        )
        raise SourceError(Gap(kind=GapKind.SIGN_IN_REFUSED, message=message)) from error
    if not token:
        message = say("no sign-in: {file} holds no federated token", file=one_line(str(file)))
        raise SourceError(Gap(kind=GapKind.SIGN_IN_REFUSED, message=message))
    return token


@dataclass(slots=True, kw_only=True)
class _Machine:
    client_id: str | None
    transport: Transport
    stale_rights: Message = _KEPT_TOKENS
    person: str | None = None
    _client: msal.ManagedIdentityClient | None = field(init=False, default=None)

    @property
    def name(self) -> str:
        return f"managed identity {self.client_id}" if self.client_id else "managed identity of this machine"

    def acquire(self, service: str, *, anew: bool) -> str:
        if self._client is None or anew:
            identity = (
                msal.UserAssignedManagedIdentity(client_id=self.client_id)
                if self.client_id
                else msal.SystemAssignedManagedIdentity()
            )
            self._client = msal.ManagedIdentityClient(identity, http_client=MachineChannel(self.transport))
        try:
            return _token_in(self._client.acquire_token_for_client(resource=service), refused_managed_identity)
        except (msal.ManagedIdentityError, msal.ArcPlatformNotSupportedError, OSError) as error:
            # Azure Arc's challenge names a key file that only some accounts may read
            gap = refused_managed_identity({"error": one_line(str(error))})
            raise SourceError(gap) from error


@dataclass(slots=True, kw_only=True)
class _Person:
    sign_in: CloudSignIn
    authority: str
    transport: Transport
    prompt: Callable[[str], None]
    stale_rights: Message = NOTHING
    person: str | None = field(init=False, default=None)
    _client: msal.PublicClientApplication | None = field(init=False, default=None)

    @property
    def name(self) -> str:
        return (
            f"{self.person or 'a person with a device code'} through application {self.sign_in.client_id} of tenant "
            f"{self.sign_in.tenant_id}"
        )

    def acquire(self, service: str, *, anew: bool) -> str:
        if self._client is None:
            self._client = msal.PublicClientApplication(
                self.sign_in.client_id,
                authority=self.authority,
                instance_discovery=False,
                http_client=SignInChannel(self.transport),
            )
        scopes = [f"{service}/.default"]
        try:
            accounts = self._client.get_accounts()
            if accounts:  # one person signs in once; other services' tokens come with their refresh token
                return _token_in(self._client.acquire_token_silent_with_error(scopes, accounts[0], force_refresh=anew))
            return self._ask_person(self._client, scopes)
        except (ValueError, LookupError, TypeError, AttributeError, RuntimeError) as error:
            # MSAL takes apart what the answer says about the person, and trusts its form
            message = say(
                "sign-in was answered with something that no person's sign-in is ({error})",
                error=type(error).__name__,
            )
            raise SourceError(Gap(kind=GapKind.MALFORMED, message=message)) from error

    def _ask_person(self, client: msal.PublicClientApplication, scopes: list[str]) -> str:
        flow = client.initiate_device_flow(scopes)
        self.prompt(f"to sign in, open {one_line(flow['verification_uri'])} and enter {one_line(flow['user_code'])}")
        token = _token_in(client.acquire_token_by_device_flow(flow))
        accounts = client.get_accounts()
        self.person = one_line(str(accounts[0].get("username"))) if accounts else None
        return token


def _token_in(result: dict[str, Any] | None, refused: Callable[[Mapping[str, Any]], Gap] = refused_sign_in) -> str:
    token = (result or {}).get("access_token")
    if not isinstance(token, str):
        raise SourceError(refused(result or {"error": "no token"}))
    return token
