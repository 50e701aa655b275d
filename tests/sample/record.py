"""Records the sample organisation with the real collectors: `python -m tests.sample.record [FOLDER]`.

Replaces `FOLDER/evidence`, by default that of `sample_data`, once everything has been recorded. Exits
with 1 when the lab cannot run here.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auditor import __version__, pipeline
from auditor.cli.options import current_time
from auditor.preparation import prepare
from tests.lab.domain_controller import DomainController
from tests.lab.estate import LAB_PASSWORD
from tests.lab.machine import LabUnavailable
from tests.microsoft365.service import LocalMicrosoft365
from tests.sample import tenants
from tests.sample.directory import AUDITOR, LOCATIONS, contoso_directory

if TYPE_CHECKING:
    from tests.sample.directory import Location
    from tests.sample.tenants import Mailboxes

SAMPLE_DATA = Path(__file__).parents[2] / "sample_data"
ORGANISATION = "Contoso Ltd"
_DIRECTORY_PASSWORD, _CLIENT_SECRET = "SAMPLE_DIRECTORY_PASSWORD", "SAMPLE_CLIENT_SECRET"  # names of variables


def main() -> None:
    """Parse the command line, record, print the folder of the evidence."""
    parser = argparse.ArgumentParser(prog="python -m tests.sample.record", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=SAMPLE_DATA, metavar="FOLDER")
    try:
        evidence = record(parser.parse_args().folder)
    except LabUnavailable as reason:
        sys.exit(str(reason))
    sys.stdout.write(f"{evidence}\n")


def record(folder: Path) -> Path:
    """Record every connection and put the result in place of `folder/evidence`; return that.

    Raises LabUnavailable when this machine cannot run the domain controller.
    """
    with ExitStack() as stack:
        controller = stack.enter_context(DomainController(estate=contoso_directory()))
        contoso = stack.enter_context(LocalMicrosoft365(tenants.contoso_tenant()))
        fabrikam = stack.enter_context(LocalMicrosoft365(tenants.fabrikam_tenant()))
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="contoso-")))
        connections = [
            *(_hybrid(controller, location) for location in LOCATIONS),
            *(_exchange_online(contoso, each) for each in tenants.IN_CONTOSO),
            *(_exchange_online(fabrikam, each) for each in tenants.IN_FABRIKAM),
        ]
        return _replace(folder / "evidence", _collect(work, connections))


def _collect(work: Path, connections: list[dict[str, Any]]) -> Path:
    """Collect as `auditor collect` does, except that operator and host do not name who recorded the sample."""
    inventory = work / "inventory.json"
    content = {"version": 1, "organisation": ORGANISATION, "connections": connections}
    inventory.write_text(json.dumps(content), encoding="utf-8")
    os.environ |= {_DIRECTORY_PASSWORD: LAB_PASSWORD, _CLIENT_SECRET: "composed-client-secret"}
    invocation = pipeline.Invocation(
        operator="sample", host="lab", tool_version=__version__, argv=("collect",), clock=current_time
    )
    finished = pipeline.collect(prepare(inventory, (), lambda _: ""), invocation, work / "runs", _say)
    return finished.folder / "evidence"


def _say(connection: str, step: str) -> None:
    sys.stderr.write(f"{connection}: {step}\n")


def _replace(folder: Path, recorded: Path) -> Path:
    """Move recorded evidence to where the sample keeps it; what was there is gone only when that is certain."""
    with tempfile.TemporaryDirectory(prefix=".evidence-", dir=folder.parent) as beside:
        fresh = Path(shutil.copytree(recorded, Path(beside, "fresh")))
        if folder.exists():
            folder.rename(Path(beside, "former"))
        fresh.rename(folder)
    return folder


def _hybrid(controller: DomainController, location: Location) -> dict[str, Any]:
    return {
        "id": location.id,
        "kind": "hybrid",
        "name": location.name,
        "auditor": {
            "active_directory": {
                "username": controller.user_principal_name(AUDITOR),
                "password": f"env:{_DIRECTORY_PASSWORD}",
            }
        },
        "hosts": [controller.address, *location.further_hosts],
        "tls_server_name": controller.domain.host_name,
        "ca_file": str(controller.ca_file),
        "base_dns": [controller.domain.head],
        "username": controller.dn(location.account_dn)
        if location.names_account_by_dn
        else controller.user_principal_name(location.account),
        "target_ous": [controller.dn(ou) for ou in location.target_ous],
        "group_ous": [controller.dn(ou) for ou in location.group_ous],
    }


def _exchange_online(service: LocalMicrosoft365, connection: Mailboxes) -> dict[str, Any]:
    endpoints = service.endpoints
    optional = {"vendor_app_id": connection.vendor_app_id, "linked_to": connection.linked_to}
    return {
        "id": connection.id,
        "kind": "exchange_online",
        "name": connection.name,
        "auditor": {
            "microsoft365": {
                "tenant_id": service.tenant.id,
                "client_id": service.tenant.auditor.client_id,
                "client_secret": f"env:{_CLIENT_SECRET}",
            }
        },
        "tenant": service.tenant.initial_domain,
        "service_account": connection.service_account,
        "cloud": "custom",
        "endpoints": {"login": endpoints.login, "graph": endpoints.graph, "exchange": endpoints.exchange},
        "ca_file": str(service.ca_file),
        **{name: value for name, value in optional.items() if value is not None},
    }


if __name__ == "__main__":
    main()
