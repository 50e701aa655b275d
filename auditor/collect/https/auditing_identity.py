"""What the tenant lets the auditing identity do, as its tokens tell, and what time its services think it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.collect.https.token_claims import claims_of

if TYPE_CHECKING:
    from auditor.collect.https.recorder import Recorder
    from auditor.collect.https.service import Service


def record_auditing_identity(recorder: Recorder, service: Service) -> None:
    """Sign in to a service, and write what the token says about its holder; the token itself is not kept."""
    recorder.announce("auditing_identity")
    with recorder.writer.read(
        "auditing_identity", endpoint=service.base, query={"token": service.base}, subject=service.base
    ) as read:
        read.add(claims_of(service.tokens.token(service.base)))


def record_service_clock(recorder: Recorder, service: Service) -> None:
    """Write by how many seconds the service's clock is ahead of this machine's, if it has answered."""
    clock = service.transport.clock_of(service.base)
    if clock is None:
        return
    recorder.announce("service_clock")
    query = {"header": "Date"}
    with recorder.writer.read("service_clock", endpoint=service.base, query=query, subject=service.base) as read:
        read.add({"date": clock.date, "ahead_s": clock.ahead_s})
