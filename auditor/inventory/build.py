"""Turns the validated fields of one connection into what the rest of the tool works with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from auditor.inventory.entries import InventoryEntry, LiveEntry, ReplayEntry, SecretUse
from auditor.inventory.schema import (
    CloudSignInFields,
    ConnectionFields,
    Defaults,
    DirectorySignInFields,
    EndpointFields,
    ExchangeOnlineFields,
    HybridFields,
    ReplayFields,
)
from auditor.model.connection import (
    CLOUD_ENDPOINTS,
    Cloud,
    Endpoints,
    ExchangeOnlineConnection,
    HybridConnection,
)
from auditor.model.sign_in import (
    CertificateCredential,
    ClientSecretCredential,
    CloudCredential,
    CloudSignIn,
    DeviceCodeCredential,
    DirectorySignIn,
    FederatedCredential,
    KerberosSignIn,
    ManagedIdentityCredential,
    PasswordSignIn,
    SecretReference,
)
from auditor.strict_yaml import Document, Place, dotted

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")


def build_entry(
    document: Document, defaults: Defaults, place: Place, fields: ConnectionFields
) -> InventoryEntry:
    """Build the entry of the connection at `place`, whose fields have passed every rule."""
    if isinstance(fields, ReplayFields):
        return ReplayEntry(
            id=fields.id,
            kind=fields.kind,
            folder=Path(fields.replay),
            name=fields.name,
            profile=fields.profile,
            line=document.line(place),
        )
    uses = _SecretUses(document)
    entry = (
        _hybrid_entry(uses, defaults, place, fields)
        if isinstance(fields, HybridFields)
        else _exchange_online_entry(uses, defaults, place, fields)
    )
    return replace(entry, line=document.line(place))


class _SecretUses:
    """Notes where each secret of one entry is referred to."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._uses: list[SecretUse] = []

    def __iter__(self) -> Iterator[SecretUse]:
        return iter(self._uses)

    def add(
        self, place: Place, reference: SecretReference, *, is_certificate: bool = False
    ) -> SecretReference:
        """Note one use. A prompt is told from the others by its place, since each asks for another secret."""
        if reference.scheme == "prompt":
            reference = SecretReference("prompt", dotted(place))
        self._uses.append(SecretUse(
            reference=reference,
            file=self._document.file,
            line=self._document.line(place),
            place=dotted(place),
            is_certificate=is_certificate,
        ))
        return reference


def _hybrid_entry(uses: _SecretUses, defaults: Defaults, place: Place, fields: HybridFields) -> LiveEntry:
    sign_in_place, sign_in = _own_or_shared(
        place, "active_directory", fields.auditor.active_directory, defaults.auditor.active_directory
    )
    return LiveEntry(
        connection=HybridConnection(
            id=fields.id,
            name=fields.name or fields.id,
            profile=fields.profile or defaults.profile,
            hosts=tuple(fields.hosts),
            port=fields.port,
            base_dns=tuple(fields.base_dns),
            username=fields.username,
            target_ous=tuple(fields.target_ous),
            group_ous=tuple(fields.group_ous),
            tls_server_name=fields.tls_server_name,
            ca_file=fields.ca_file,
            global_catalog=fields.global_catalog,
        ),
        sign_in=_directory_sign_in(uses, sign_in_place, sign_in),
        own_password=uses.add((*place, "password"), fields.password) if fields.password else None,
        secret_uses=tuple(uses),
    )


def _exchange_online_entry(
    uses: _SecretUses, defaults: Defaults, place: Place, fields: ExchangeOnlineFields
) -> LiveEntry:
    sign_in_place, sign_in = _own_or_shared(
        place, "microsoft365", fields.auditor.microsoft365, defaults.auditor.microsoft365
    )
    return LiveEntry(
        connection=ExchangeOnlineConnection(
            id=fields.id,
            name=fields.name or fields.id,
            profile=fields.profile or defaults.profile,
            tenant=fields.tenant,
            service_account=fields.service_account,
            cloud=fields.cloud,
            endpoints=_endpoints(fields.cloud, fields.endpoints),
            vendor_app_id=fields.vendor_app_id,
            ca_file=fields.ca_file,
            linked_to=fields.linked_to,
        ),
        sign_in=_cloud_sign_in(uses, sign_in_place, sign_in),
        own_password=None,
        secret_uses=tuple(uses),
    )


def _own_or_shared(place: Place, system: str, own: T | None, shared: T | None) -> tuple[Place, T]:
    """Return the sign-in a connection uses and where it stands; the rules require one of the two."""
    if own is not None:
        return (*place, "auditor", system), own
    return ("defaults", "auditor", system), cast("T", shared)


def _endpoints(cloud: Cloud, custom: EndpointFields | None) -> Endpoints:
    if custom is None:
        return CLOUD_ENDPOINTS[cloud]
    return Endpoints(login=custom.login, graph=custom.graph, exchange=custom.exchange)


def _directory_sign_in(uses: _SecretUses, place: Place, fields: DirectorySignInFields) -> DirectorySignIn:
    if fields.kerberos:
        return KerberosSignIn(username=fields.username)
    return PasswordSignIn(
        username=cast("str", fields.username),  # the rules require both
        password=uses.add((*place, "password"), cast("SecretReference", fields.password)),
    )


def _cloud_sign_in(uses: _SecretUses, place: Place, fields: CloudSignInFields) -> CloudSignIn:
    return CloudSignIn(
        tenant_id=fields.tenant_id, client_id=fields.client_id, credential=_credential(uses, place, fields)
    )


def _credential(uses: _SecretUses, place: Place, fields: CloudSignInFields) -> CloudCredential:
    """Return the one credential that the rules let through."""
    if fields.certificate is not None:
        password = fields.certificate_password
        return CertificateCredential(
            certificate=uses.add((*place, "certificate"), fields.certificate, is_certificate=True),
            password=uses.add((*place, "certificate_password"), password) if password else None,
        )
    if fields.client_secret is not None:
        return ClientSecretCredential(client_secret=uses.add((*place, "client_secret"), fields.client_secret))
    if fields.federated_token is not None:
        return FederatedCredential(token_file=uses.add((*place, "federated_token"), fields.federated_token))
    return ManagedIdentityCredential() if fields.managed_identity else DeviceCodeCredential()
