"""Connections: the configured links of the product to a directory or a tenant."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

GLOBAL_CATALOG_PORT = 3269  # over TLS, MS-ADTS 3.1.1.3.1.3


class ConnectionKind(StrEnum):
    """The two kinds of connection the product offers for this scenario."""

    HYBRID = "hybrid"
    EXCHANGE_ONLINE = "exchange_online"


class Cloud(StrEnum):
    """Microsoft's national clouds, and `custom` for named endpoints."""

    GLOBAL = "global"
    GCC_HIGH = "gcc_high"
    DOD = "dod"
    CHINA = "china"
    CUSTOM = "custom"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """Base URLs, `https://host[:port]` without a trailing slash."""

    login: str
    graph: str
    exchange: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HybridConnection:
    """A link to on-premises Active Directory over LDAPS, as the operator wrote it down.

    `username` is the audited account: a UPN, `DOMAIN\\name` or a DN. DNs keep the operator's spelling.
    """

    id: str
    name: str
    profile: str
    hosts: tuple[str, ...]
    port: int
    base_dns: tuple[str, ...]
    username: str
    target_ous: tuple[str, ...]
    group_ous: tuple[str, ...]
    tls_server_name: str | None = None
    ca_file: str | None = None
    global_catalog: bool = False

    @property
    def kind(self) -> ConnectionKind:
        """Always `hybrid`."""
        return ConnectionKind.HYBRID

    @property
    def reads_global_catalog(self) -> bool:
        """True if what answers holds part of the attributes only, whether the inventory declares it or not."""
        return self.global_catalog or self.port == GLOBAL_CATALOG_PORT


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeOnlineConnection:
    """A link to a Microsoft 365 tenant. `service_account` is a UPN or an object id."""

    id: str
    name: str
    profile: str
    tenant: str
    service_account: str
    cloud: Cloud
    endpoints: Endpoints
    vendor_app_id: str | None = None
    ca_file: str | None = None
    linked_to: str | None = None

    @property
    def kind(self) -> ConnectionKind:
        """Always `exchange_online`."""
        return ConnectionKind.EXCHANGE_ONLINE


Connection: TypeAlias = HybridConnection | ExchangeOnlineConnection

CLOUD_ENDPOINTS: dict[Cloud, Endpoints] = {
    Cloud.GLOBAL: Endpoints(
        login="https://login.microsoftonline.com",
        graph="https://graph.microsoft.com",
        exchange="https://outlook.office365.com",
    ),
    Cloud.GCC_HIGH: Endpoints(
        login="https://login.microsoftonline.us",
        graph="https://graph.microsoft.us",
        exchange="https://outlook.office365.us",
    ),
    Cloud.DOD: Endpoints(
        login="https://login.microsoftonline.us",
        graph="https://dod-graph.microsoft.us",
        exchange="https://outlook-dod.office365.us",
    ),
    Cloud.CHINA: Endpoints(
        login="https://login.chinacloudapi.cn",
        graph="https://microsoftgraph.chinacloudapi.cn",
        exchange="https://outlook.office365.cn",
    ),
}
