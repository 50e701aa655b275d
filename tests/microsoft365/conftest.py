"""Fixtures of the service's own tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.microsoft365.caller import Caller
from tests.microsoft365.scenarios import exact
from tests.microsoft365.service import LocalMicrosoft365

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.microsoft365.snapshot import Tenant


@pytest.fixture
def serve() -> Iterator[Any]:
    """Serve a tenant to a caller until the test ends."""
    opened: list[tuple[LocalMicrosoft365, requests.Session]] = []

    def start(tenant: Tenant, **options: Any) -> Caller:
        service = LocalMicrosoft365(tenant, **options)
        service.__enter__()
        session = requests.Session()
        session.trust_env = False  # REQUESTS_CA_BUNDLE would otherwise win over `verify`
        session.verify = str(service.ca_file)
        opened.append((service, session))
        return Caller(service, session)

    yield start
    for service, session in opened:
        session.close()
        service.__exit__(None, None, None)


@pytest.fixture
def caller(serve: Any) -> Caller:
    """A caller of the tenant in the documented shape."""
    client: Caller = serve(exact().tenant)
    return client
