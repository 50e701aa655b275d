"""One tenant connection from sign-in to the last read: Microsoft Entra ID and Exchange Online side by side."""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Self

from auditor.collect.entra.collector import EntraCollector
from auditor.collect.entra.errors import read_graph_error
from auditor.collect.exchange.collector import ExchangeCollector
from auditor.collect.exchange.errors import read_exchange_error, read_exchange_shortfall
from auditor.collect.exchange.supplied import SuppliedAnswers
from auditor.collect.https.allow_list import AllowList
from auditor.collect.https.answers import object_id
from auditor.collect.https.auditing_identity import record_auditing_identity, record_service_clock
from auditor.collect.https.recorder import Answers, Recorder
from auditor.collect.https.service import Service
from auditor.collect.https.tokens import Tokens
from auditor.collect.https.transport import Transport, TransportLimits
from auditor.collect.https.workers import Workers
from auditor.model.connection import Cloud
from auditor.model.sign_in import DeviceCodeCredential, ManagedIdentityCredential

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from auditor.collect.evidence_writer import EvidenceWriter
    from auditor.model.connection import ExchangeOnlineConnection
    from auditor.model.sign_in import CloudSignIn, Secret, SecretReference


@dataclass(frozen=True, slots=True, kw_only=True)
class _TenantSession:
    """What the connections of one tenant share in a run: sign-in, threads, and every answer."""

    transport: Transport
    tokens: Tokens
    graph: Service
    exchange: Service | SuppliedAnswers
    graph_workers: Workers
    exchange_workers: Workers
    answers: Answers = field(default_factory=Answers)


class TenantSessions:
    """One session per tenant and auditing identity, kept for the whole run.

    A read that does not depend on the connection is made for the first one and repeated for the others.
    `prompt` tells the person at the terminal what to do; only sign-in with a device code needs it. A probe reads the
    first page of everything. `finds_holders`: who else holds documented rights is read, too.
    `supplied` answers in the place of Exchange Online.
    """

    def __init__(
        self,
        limits: TransportLimits = TransportLimits(),  # noqa: B008
        prompt: Callable[[str], None] | None = None,
        *,
        is_probe: bool = False,
        finds_holders: bool = False,
        supplied: SuppliedAnswers | None = None,
    ) -> None:
        self._supplied = supplied
        self.finds_holders = finds_holders
        self._limits = limits
        self._is_probe = is_probe
        self._prompt = prompt
        self._open: dict[object, _TenantSession] = {}
        self._resources = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._resources.__exit__(kind, error, traceback)

    def session(
        self,
        connection: ExchangeOnlineConnection,
        sign_in: CloudSignIn,
        secrets: Mapping[SecretReference, Secret],
    ) -> _TenantSession:
        """Return the session of the connection's tenant, with its deadline renewed."""
        key = (connection.tenant.casefold(), connection.cloud, connection.endpoints, connection.ca_file, sign_in)
        if key in self._open:
            self._open[key].transport.renew_deadline()
        else:
            self._open[key] = self._begin(connection, sign_in, secrets)
        return self._open[key]

    def _begin(
        self,
        connection: ExchangeOnlineConnection,
        sign_in: CloudSignIn,
        secrets: Mapping[SecretReference, Secret],
    ) -> _TenantSession:
        endpoints, limits, enter = connection.endpoints, self._limits, self._resources.enter_context
        allow_list = AllowList(
            endpoints=endpoints,
            regional_hosts=connection.cloud is not Cloud.CUSTOM,
            managed_identity=isinstance(sign_in.credential, ManagedIdentityCredential),
            device_code=isinstance(sign_in.credential, DeviceCodeCredential),
        )
        transport = enter(closing(Transport(allow_list, ca_file=connection.ca_file, limits=limits)))
        tokens = Tokens(transport, login=endpoints.login, sign_in=sign_in, secrets=secrets, prompt=self._prompt)
        service = partial(Service, transport=transport, tokens=tokens, first_page_only=self._is_probe)
        return _TenantSession(
            transport=transport,
            tokens=tokens,
            graph=service(base=endpoints.graph, read_error=read_graph_error, read_shortfall=lambda _: None),
            exchange=self._supplied
            or service(base=endpoints.exchange, read_error=read_exchange_error, read_shortfall=read_exchange_shortfall),
            graph_workers=enter(Workers(limits.concurrent_graph_reads, "graph")),
            exchange_workers=enter(Workers(limits.concurrent_exchange_reads, "exchange")),
        )


def collect_tenant(
    connection: ExchangeOnlineConnection,
    sign_in: CloudSignIn,
    secrets: Mapping[SecretReference, Secret],
    writer: EvidenceWriter,
    announce: Callable[[str], None],
    *,
    sessions: TenantSessions,
) -> str:
    """Write every Exchange Online dataset of one connection; return who signed in, in words.

    `secrets` resolves the references of `sign_in`. `announce` is told each dataset as it is begun.
    Nothing is raised for a failure of the tenant: each becomes a gap of the datasets it concerns.
    """
    session = sessions.session(connection, sign_in, secrets)
    recorder = partial(Recorder, writer=writer, answers=session.answers, announce=announce)
    graph = recorder(service=session.graph, workers=session.graph_workers)
    exchange = recorder(service=session.exchange, workers=session.exchange_workers)
    _collect(connection, sign_in, graph, exchange, session.tokens, finds_holders=sessions.finds_holders)
    for asked in (graph, exchange):
        asked.finish()
        if isinstance(asked.service, Service):
            record_service_clock(asked, asked.service)
    return session.tokens.signed_in_as


def _collect(
    connection: ExchangeOnlineConnection,
    sign_in: CloudSignIn,
    graph: Recorder,
    exchange: Recorder,
    tokens: Tokens,
    *,
    finds_holders: bool,
) -> None:
    """Ask everything, each question as soon as its answer's dependents could be waited for.

    The order is that of the evidence. It depends on what was answered, never on when.
    """
    entra = EntraCollector(recorder=graph, connection=connection)
    if isinstance(graph.service, Service):
        record_auditing_identity(graph, graph.service)
    entra.begin()
    if isinstance(exchange.service, Service):
        record_auditing_identity(exchange, exchange.service)
    elif isinstance(exchange.service, SuppliedAnswers):
        exchange.service.require_tenant(object_id(sign_in.tenant_id) or entra.tenant_id)
    organization = ExchangeCollector(
        recorder=exchange,
        tenant_id=object_id(sign_in.tenant_id) or entra.tenant_id or sign_in.tenant_id or connection.tenant,
        service_account=connection.service_account,
        caller=tokens.person,
        finds_holders=finds_holders,
    )
    organization.begin()
    entra.ask_about_account()
    entra.ask_about_vendor()
    organization.ask_about_account(entra.account_id)
    entra.ask_about_groups()
    organization.ask_about_role_groups()
    organization.ask_about_roles()
    entra.ask_about_owned_objects()
    entra.ask_about_role_holders(organization.administrative_units())
    entra.ask_about_applications()
    organization.ask_about_assignees()
    groups = organization.groups_beside([*filter(None, [entra.account_id]), *entra.group_ids])
    entra.ask_about_members(groups)
    entra.ask_what_owned_groups_are_in(organization.member_groups())
    graph.leave_out_for(organization.read_for_groups, "group_members", "group_owners")
    graph.leave_out_for(organization.read_for_units, "administrative_unit")
