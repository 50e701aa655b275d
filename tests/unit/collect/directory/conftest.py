"""A trusted certificate for the scripted servers, and one collection from them."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING

import pytest

from auditor.collect.directory import Limits, collect_directory
from auditor.collect.directory.limits import Deadline
from auditor.collect.directory.sign_in import SimpleBind, sign_in
from auditor.collect.directory.tls import TlsTarget, shake_hands
from auditor.collect.evidence_writer import EvidenceWriter
from auditor.collect.replay import read_evidence
from auditor.model.connection import HybridConnection
from auditor.model.evidence import Gap
from auditor.model.sign_in import PasswordSignIn, Secret, SecretReference
from tests.unit.collect.directory.authority import Authority, Issued
from tests.unit.collect.directory.collecting import IMPATIENT, PASSWORD, Collect, Open
from tests.unit.collect.directory.scripted_server import HEAD, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from auditor.collect.directory.session import DirectorySession
    from auditor.model.evidence import Evidence
    from tests.unit.collect.directory.scripted_server import Answer


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def trusted(authority: Authority) -> Issued:
    return authority.issue("dc1.corp.example.com", "127.0.0.1", "127.0.0.7", "127.0.0.8")


@pytest.fixture
def collect(authority: Authority, tmp_path: Path) -> Collect:
    numbers = count()

    def run(
        port: int,
        *,
        limits: Limits = IMPATIENT,
        auditor: str = "auditor@corp.example.com",
        password: str = PASSWORD,
        **settings: object,
    ) -> Evidence:
        defaults: dict[str, object] = {
            "id": "corp",
            "name": "Connection-Directory Service",
            "profile": "hybrid-exchange-online",
            "hosts": ("127.0.0.1",),
            "base_dns": (HEAD,),
            "username": "svc@corp.example.com",
            "target_ous": (),
            "group_ous": (),
            "ca_file": str(authority.ca_file),
        }
        connection = HybridConnection(port=port, **(defaults | settings))  # type: ignore[arg-type]
        folder = tmp_path / f"evidence {next(numbers)}"
        writer = EvidenceWriter(folder, connection, lambda: datetime.now(UTC))
        sign_in = PasswordSignIn(username=auditor, password=SecretReference("env", "PASSWORD"))
        steps: list[str] = []
        secrets = {sign_in.password: Secret(password.encode())}
        signed_in_as = collect_directory(connection, sign_in, secrets, writer, steps.append, limits=limits)
        writer.close({"signed_in_as": signed_in_as})
        assert steps
        return read_evidence(folder)

    return run


@pytest.fixture
def session_with(authority: Authority, trusted: Issued) -> Open:
    @contextmanager
    def open_session(answer: Answer, limits: Limits = IMPATIENT) -> Iterator[DirectorySession]:
        with ScriptedServer(pem_file=trusted.pem_file, answer=answer) as server:
            deadline = Deadline(limits.overall_s)
            target = TlsTarget(
                host="127.0.0.1",
                port=server.port,
                certificate_name="127.0.0.1",
                ca_file=str(authority.ca_file),
            )
            tls_socket = shake_hands(target, timeout_s=1, deadline=deadline).outcome
            assert not isinstance(tls_socket, Gap)
            identity = SimpleBind(username="auditor@corp.example.com", password=Secret(b"secret"))
            session = sign_in(tls_socket, target, identity, limits=limits, deadline=deadline)
            try:
                yield session
            finally:
                session.close()

    return open_session
