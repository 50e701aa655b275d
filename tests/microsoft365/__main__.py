"""Serves one scenario until interrupted: `python -m tests.microsoft365 [SCENARIO] [LOGIN GRAPH EXCHANGE]`."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import sys

from tests.microsoft365.scenarios import SCENARIOS
from tests.microsoft365.service import LocalMicrosoft365, Ports


def main() -> None:
    """Parse the command line, serve, print what a caller needs."""
    parser = argparse.ArgumentParser(prog="python -m tests.microsoft365", description=__doc__)
    parser.add_argument("scenario", nargs="?", default="exact", choices=sorted(SCENARIOS))
    parser.add_argument("ports", nargs="*", type=int, metavar="PORT", help="login, graph and exchange")
    arguments = parser.parse_args()
    if len(arguments.ports) not in {0, 3}:
        parser.error("give all three ports or none")
    scenario = SCENARIOS[arguments.scenario]()
    ports = Ports(**dict(zip(("login", "graph", "exchange"), arguments.ports, strict=False)))
    with LocalMicrosoft365(scenario.tenant, ports=ports) as service, contextlib.suppress(KeyboardInterrupt):
        auditor = scenario.tenant.auditor
        facts = {
            **dataclasses.asdict(service.endpoints),
            "ca_file": service.ca_file,
            "tenant": scenario.tenant.id,
            "client_id": auditor.client_id,
            "client_secret": auditor.secrets[0].value,
            "service_account": scenario.service_account,
        }
        sys.stdout.writelines(f"{name:<16}{value}\n" for name, value in facts.items())
        sys.stdout.flush()
        service.stopping.wait()


if __name__ == "__main__":
    main()
