"""The form of the inventory file. Rules between fields are in `rules`, rules of one field in `fields`."""

# ruff: noqa: TC001 - pydantic reads the annotations at run time
from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter

from auditor.inventory.channels import NotificationFields
from auditor.inventory.fields import (
    CertificateFile,
    CloudAccount,
    ConnectionId,
    DirectoryAccount,
    Dn,
    EvidenceFolder,
    FileReference,
    Guid,
    Host,
    HttpsBase,
    IfGiven,
    OneLine,
    ProfileName,
    Reference,
    Tenant,
)
from auditor.matrix.load import DEFAULT_PROFILE
from auditor.model.connection import Cloud, ConnectionKind
from auditor.strict_yaml import refusal


class _Mapping(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DirectorySignInFields(_Mapping):
    """How the auditing identity signs in to Active Directory; the rules require exactly one way."""

    username: IfGiven[DirectoryAccount] = None
    password: IfGiven[Reference] = None
    kerberos: IfGiven[Literal[True]] = None


class CloudSignInFields(_Mapping):
    """How the auditing identity signs in to Microsoft 365; the rules require exactly one way."""

    tenant_id: IfGiven[Tenant] = None
    client_id: IfGiven[Guid] = None
    certificate: IfGiven[Reference] = None
    certificate_password: IfGiven[Reference] = None
    client_secret: IfGiven[Reference] = None
    federated_token: IfGiven[FileReference] = None
    managed_identity: IfGiven[Literal[True]] = None
    device_code: IfGiven[Literal[True]] = None


class DirectoryAuditor(_Mapping):
    """The auditing identity of one hybrid connection."""

    active_directory: IfGiven[DirectorySignInFields] = None


class CloudAuditor(_Mapping):
    """The auditing identity of one Exchange Online connection."""

    microsoft365: IfGiven[CloudSignInFields] = None


class Auditor(DirectoryAuditor, CloudAuditor):
    """The auditing identities that connections use unless they name their own."""


class Defaults(_Mapping):
    """What holds for every connection that does not say otherwise."""

    profile: ProfileName = DEFAULT_PROFILE
    auditor: Auditor = Auditor()


class HybridFields(_Mapping):
    """A link to Active Directory."""

    id: ConnectionId
    kind: Literal[ConnectionKind.HYBRID]
    name: IfGiven[OneLine] = None
    profile: IfGiven[ProfileName] = None
    auditor: DirectoryAuditor = DirectoryAuditor()
    hosts: Annotated[list[Host], Field(min_length=1)]
    port: Annotated[int, Field(ge=1, le=65535)] = 636
    base_dns: Annotated[list[Dn], Field(min_length=1)]
    username: DirectoryAccount
    tls_server_name: IfGiven[Host] = None
    ca_file: IfGiven[CertificateFile] = None
    target_ous: list[Dn] = []
    group_ous: list[Dn] = []
    password: IfGiven[Reference] = None
    global_catalog: bool = False


class EndpointFields(_Mapping):
    """The base addresses of a custom cloud."""

    login: HttpsBase
    graph: HttpsBase
    exchange: HttpsBase


class ExchangeOnlineFields(_Mapping):
    """A link to a Microsoft 365 tenant."""

    id: ConnectionId
    kind: Literal[ConnectionKind.EXCHANGE_ONLINE]
    name: IfGiven[OneLine] = None
    profile: IfGiven[ProfileName] = None
    auditor: CloudAuditor = CloudAuditor()
    tenant: Tenant
    service_account: CloudAccount
    vendor_app_id: IfGiven[Guid] = None
    cloud: Cloud = Cloud.GLOBAL
    endpoints: IfGiven[EndpointFields] = None
    ca_file: IfGiven[CertificateFile] = None
    linked_to: IfGiven[OneLine] = None


class ReplayFields(_Mapping):
    """Recorded evidence in place of a link."""

    id: ConnectionId
    kind: ConnectionKind
    name: IfGiven[OneLine] = None
    profile: IfGiven[ProfileName] = None
    replay: EvidenceFolder


class AnyKindFields(_Mapping):
    """A connection whose kind is not yet known: only the kind is looked at."""

    model_config = ConfigDict(extra="ignore")

    kind: ConnectionKind


ConnectionFields: TypeAlias = HybridFields | ExchangeOnlineFields | ReplayFields


def _require_version_1(version: int) -> int:
    if version != 1:
        raise refusal("is a version this tool does not know", "write version: 1")
    return version


def _require_any(connections: list[Any]) -> list[Any]:
    if not connections:
        raise refusal("lists no connections", "add at least one connection")
    return connections


class FileFields(_Mapping):
    """The top of the file; connections and notifications are validated one by one, by the fields of their kind."""

    version: Annotated[int, AfterValidator(_require_version_1)]
    organisation: OneLine
    defaults: Defaults = Defaults()
    notifications: list[Any] = []
    connections: Annotated[list[Any], AfterValidator(_require_any)]


class _WholeFile(FileFields):
    """The inventory: version 1."""

    version: Literal[1]
    notifications: list[NotificationFields] = []
    connections: Annotated[list[ConnectionFields], Field(min_length=1)]


def inventory_schema() -> dict[str, Any]:
    """Return the JSON Schema of the inventory file, for editors; `load_inventory` checks more."""
    return TypeAdapter(_WholeFile).json_schema()
