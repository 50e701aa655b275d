"""One tenant connection from sign-in to the last read: Microsoft Entra ID, then Exchange Online."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

from auditor.collect.entra.collector import EntraCollector
from auditor.collect.entra.errors import read_graph_error
from auditor.collect.exchange.collector import ExchangeCollector
from auditor.collect.exchange.errors import read_exchange_error, read_exchange_shortfall
from auditor.collect.https.allow_list import AllowList
from auditor.collect.https.recorder import Recorder
from auditor.collect.https.service import Service
from auditor.collect.https.tokens import Tokens
from auditor.collect.https.transport import Transport, TransportLimits
from auditor.model.connection import Cloud

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from auditor.collect.evidence_writer import EvidenceWriter
    from auditor.model.connection import ExchangeOnlineConnection
    from auditor.model.sign_in import CloudSignIn, Secret, SecretReference


def collect_tenant(
    connection: ExchangeOnlineConnection,
    sign_in: CloudSignIn,
    secrets: Mapping[SecretReference, Secret],
    writer: EvidenceWriter,
    announce: Callable[[str], None],
    *,
    limits: TransportLimits = TransportLimits(),  # noqa: B008
) -> str:
    """Write every Exchange Online dataset of one connection; return who signed in, in words.

    `secrets` resolves the references of `sign_in`. `announce` is told each dataset before it is read.
    Nothing is raised for a failure of the tenant: each becomes a gap of the datasets it concerns.
    """
    endpoints = connection.endpoints
    transport = Transport(
        AllowList(endpoints=endpoints, regional_hosts=connection.cloud is not Cloud.CUSTOM),
        ca_file=connection.ca_file,
        limits=limits,
    )
    with closing(transport):
        tokens = Tokens(transport, login=endpoints.login, sign_in=sign_in, secrets=secrets)
        service = partial(Service, transport=transport, tokens=tokens)
        graph = service(base=endpoints.graph, read_error=read_graph_error, read_shortfall=lambda _: None)
        exchange = service(
            base=endpoints.exchange, read_error=read_exchange_error, read_shortfall=read_exchange_shortfall
        )
        account = EntraCollector(
            recorder=Recorder(service=graph, writer=writer, announce=announce), connection=connection
        ).collect()
        ExchangeCollector(
            recorder=Recorder(service=exchange, writer=writer, announce=announce),
            tenant_id=account.tenant_id or sign_in.tenant_id or connection.tenant,
            service_account=connection.service_account,
            account_id=account.account_id,
        ).collect()
        return tokens.signed_in_as
