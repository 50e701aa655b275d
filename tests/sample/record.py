"""Records the sample organisation with the real collectors: `python -m tests.sample.record`.

Replaces the evidence of `sample_data` once everything has been recorded, and then its waivers, which are pinned to
what was found. Fails with a message when the lab cannot run here.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auditor import __version__, pipeline
from auditor.collection import Invocation
from auditor.preparation import prepare
from tests.lab.domain_controller import DomainController
from tests.lab.estate import LAB_PASSWORD
from tests.lab.machine import LabUnavailable
from tests.microsoft365.service import LocalMicrosoft365
from tests.sample import tenants
from tests.sample.directory import AUDITOR, LOCATIONS, contoso_directory
from tests.sample.waivers import accept_findings

if TYPE_CHECKING:
    from tests.sample.directory import Location
    from tests.sample.tenants import Mailboxes

SAMPLE_DATA = Path(__file__).parents[2] / "sample_data"


def main() -> None:
    """Record, accept, print what was written."""
    try:
        evidence = record(SAMPLE_DATA)
    except LabUnavailable as reason:
        sys.exit(str(reason))
    sys.stdout.write(f"{evidence}\n{accept_findings(SAMPLE_DATA)}\n")


def record(folder: Path) -> Path:
    """Record every connection, put the result in place of `folder/evidence`, and return that.

    Raises LabUnavailable when this machine cannot run the domain controller.
    """
    with ExitStack() as stack:
        controller = stack.enter_context(DomainController(estate=contoso_directory()))
        contoso = stack.enter_context(LocalMicrosoft365(tenants.contoso_tenant()))
        fabrikam = stack.enter_context(LocalMicrosoft365(tenants.fabrikam_tenant()))
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="contoso-")))
        connections = [
            *(_hybrid(controller, location) for location in LOCATIONS),
            *(_exchange_online(contoso, mailboxes) for mailboxes in tenants.IN_CONTOSO),
            *(_exchange_online(fabrikam, mailboxes) for mailboxes in tenants.IN_FABRIKAM),
        ]
        secret = contoso.tenant.auditor.secrets[0].value  # the same in both tenants
        return _put_in_place(_collect(work, connections, secret), folder / "evidence")


def _collect(work: Path, connections: list[dict[str, Any]], client_secret: str) -> Path:
    """Do what `auditor collect` does, without the names of this machine and of whoever uses it."""
    inventory = work / "inventory.json"
    content = {"version": 1, "organisation": "Contoso Ltd", "connections": connections}
    inventory.write_text(json.dumps(content), encoding="utf-8")

    def answer_prompt(place: str) -> str:
        return LAB_PASSWORD if "active_directory" in place else client_secret

    finished = pipeline.collect(
        prepare(inventory, (), answer_prompt),
        Invocation(
            operator="sample",
            host="lab",
            tool_version=__version__,
            argv=("collect",),
            clock=lambda: datetime.now(UTC),
        ),
        work / "runs",
        _announce,
    )
    return finished.folder / "evidence"


def _announce(connection: str, step: str) -> None:
    sys.stderr.write(f"{connection}: {step}\n")


def _put_in_place(recorded: Path, folder: Path) -> Path:
    """Exchange the evidence of the sample; a failure leaves the former evidence where it was."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".evidence-", dir=folder.parent) as beside:
        fresh, former = shutil.copytree(recorded, Path(beside, "fresh")), Path(beside, "former")
        if folder.exists():
            folder.rename(former)
        try:
            fresh.rename(folder)
        except OSError:
            if former.exists():
                former.rename(folder)
            raise
    return folder


def _hybrid(controller: DomainController, location: Location) -> dict[str, Any]:
    return {
        "id": location.id,
        "kind": "hybrid",
        "name": location.name,
        "auditor": {
            "active_directory": {"username": controller.user_principal_name(AUDITOR), "password": "prompt:"}
        },
        "hosts": [controller.address, *location.further_hosts],
        "tls_server_name": controller.domain.host_name,
        "ca_file": str(controller.ca_file),
        "base_dns": [controller.domain.head],
        "username": controller.dn(location.account_dn)
        if location.is_named_by_dn
        else controller.user_principal_name(location.account),
        "target_ous": [controller.dn(ou) for ou in location.target_ous],
        "group_ous": [controller.dn(ou) for ou in location.group_ous],
    }


def _exchange_online(service: LocalMicrosoft365, mailboxes: Mailboxes) -> dict[str, Any]:
    endpoints = service.endpoints
    optional = {"vendor_app_id": mailboxes.vendor_app_id, "linked_to": mailboxes.linked_to}
    return {
        "id": mailboxes.id,
        "kind": "exchange_online",
        "name": mailboxes.name,
        "auditor": {
            "microsoft365": {
                "tenant_id": service.tenant.id,
                "client_id": service.tenant.auditor.client_id,
                "client_secret": "prompt:",
            }
        },
        "tenant": service.tenant.initial_domain,
        "service_account": mailboxes.service_account,
        "cloud": "custom",
        "endpoints": {"login": endpoints.login, "graph": endpoints.graph, "exchange": endpoints.exchange},
        "ca_file": str(service.ca_file),
        **{name: value for name, value in optional.items() if value is not None},
    }


if __name__ == "__main__":
    main()
