"""How well the reads of a tenant overlap: `python -m tests.bench.bench_tenant [LATENCY_S]`.

Every answer of the local service takes the same time. The longest chain of requests that depend on each
other is discovery, token, account, its groups, their roles, their owners. Prints the wall time of the
collection over the time of that chain; at most 1.5 is wanted.
"""

from __future__ import annotations

import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from auditor.collect.evidence_writer import EvidenceWriter
from auditor.collect.tenant import TenantSessions, collect_tenant
from auditor.model.connection import Cloud, ExchangeOnlineConnection
from auditor.model.sign_in import ClientSecretCredential, CloudSignIn, Secret, SecretReference
from tests.microsoft365.scenarios import SCENARIOS
from tests.microsoft365.service import LocalMicrosoft365

if TYPE_CHECKING:
    from tests.microsoft365.wire import Request, Response

CHAIN = 6
MOST = 1.5
SECRET = SecretReference("env", "SECRET")


def main() -> None:
    """Measure one collection, and fail when it takes too long."""
    latency_s = float(sys.argv[1]) if len(sys.argv) > 1 else 0.3
    scenario = SCENARIOS["role_through_role_assignable_group"]()
    with LocalMicrosoft365(scenario.tenant) as service, tempfile.TemporaryDirectory() as folder:
        answer = service.real_answer

        def late(request: Request) -> Response:
            time.sleep(latency_s)
            return answer(request)

        service.real_answer = late  # type: ignore[method-assign]
        wall_s = _collect(service, scenario.service_account, Path(folder) / "evidence")
        ratio = wall_s / (CHAIN * latency_s)
        sys.stdout.write(f"{len(service.requests)} requests, {wall_s:.2f} s, {ratio:.2f} of the longest chain\n")
    sys.exit(ratio > MOST)


def _collect(service: LocalMicrosoft365, account: str, folder: Path) -> float:
    tenant = service.tenant
    connection = ExchangeOnlineConnection(
        id="contoso",
        name="Exchange Online",
        profile="hybrid-exchange-online",
        tenant=tenant.initial_domain,
        service_account=account,
        cloud=Cloud.CUSTOM,
        endpoints=service.endpoints,
        ca_file=str(service.ca_file),
    )
    sign_in = CloudSignIn(
        tenant_id=tenant.id,
        client_id=tenant.auditor.client_id,
        credential=ClientSecretCredential(client_secret=SECRET),
    )
    secrets = {SECRET: Secret(tenant.auditor.secrets[0].value.encode())}
    started = time.monotonic()
    writer = EvidenceWriter(folder, connection, lambda: datetime.now(UTC))
    with TenantSessions() as sessions:
        collect_tenant(connection, sign_in, secrets, writer, lambda _: None, sessions=sessions)
    return time.monotonic() - started


if __name__ == "__main__":
    main()
