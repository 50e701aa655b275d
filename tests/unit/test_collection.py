"""Connections are collected side by side, in order, and neither a host nor a tenant is read by too many at once."""

from __future__ import annotations

import random
from collections import Counter
from concurrent.futures import Future
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from auditor import collection
from auditor.collection import CONNECTIONS_OF, needs_of, side_by_side
from auditor.inventory.entries import LiveEntry, ReplayEntry
from auditor.model.connection import ConnectionKind
from auditor.model.sign_in import KerberosSignIn
from tests.unit.evaluate.composed_directory import CONNECTION as DIRECTORY
from tests.unit.evaluate.composed_tenant import CONNECTION as TENANT

if TYPE_CHECKING:
    from pathlib import Path

    from auditor.inventory.entries import InventoryEntry


def live(connection: object, name: str) -> LiveEntry:
    named = replace(connection, id=name)  # type: ignore[type-var]
    return LiveEntry(connection=named, sign_in=KerberosSignIn(username=None), own_password=None, secret_uses=())


def hybrid(name: str, *hosts: str) -> LiveEntry:
    return live(replace(DIRECTORY, hosts=hosts), name)


def tenant(name: str, domain: str) -> LiveEntry:
    return live(replace(TENANT, tenant=domain), name)


class Machine:
    """Carries out what is begun, a random one at a time, and counts what is used at once."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
        self.begun: list[str] = []
        self.busiest: Counter[tuple[str, str]] = Counter()
        self.most_running = 0
        self._running: dict[Future[None], InventoryEntry] = {}
        self._chance = random.Random(seed)
        self.failing = ""
        monkeypatch.setattr(collection, "wait", self._wait)

    def begin(self, entry: InventoryEntry) -> Future[None]:
        future: Future[None] = Future()
        self.begun.append(entry.id)
        self._running[future] = entry
        self.most_running = max(self.most_running, len(self._running))
        used = Counter(need for each in self._running.values() for need in needs_of(each))
        self.busiest |= used
        return future

    def _wait(self, running: dict[Future[None], InventoryEntry], *_: object) -> object:
        future = self._chance.choice(list(running))
        entry = self._running.pop(future)
        if entry.id == self.failing:
            future.set_exception(OSError("no room"))
        else:
            future.set_result(None)
        return type("Waited", (), {"done": {future}})


@pytest.mark.parametrize("seed", range(20))
def test_every_connection_is_collected_once_and_limits_hold(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    machine = Machine(monkeypatch, seed)
    chance = random.Random(seed)
    entries = [
        hybrid(f"h{number}", *chance.sample(["dc1", "DC1", "dc2", "dc3"], 2)) if chance.random() < 0.5
        else tenant(f"t{number}", chance.choice(["contoso.com", "Contoso.com", "fabrikam.com"]))
        for number in range(40)
    ]
    side_by_side(entries, machine.begin, at_once=8, needs=needs_of)
    assert sorted(machine.begun) == sorted(entry.id for entry in entries)
    assert machine.most_running <= 8
    assert all(count <= CONNECTIONS_OF[kind] for (kind, _), count in machine.busiest.items())
    for domain in ("contoso.com", "fabrikam.com"):  # the later ones are answered from what the first was told
        of_tenant = [each.id for each in entries if ("tenant", domain) in needs_of(each)]
        assert [name for name in machine.begun if name in of_tenant] == of_tenant


def test_what_needs_different_things_goes_on_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    machine = Machine(monkeypatch, 0)
    replays = [
        ReplayEntry(id=f"r{number}", kind=ConnectionKind.HYBRID, folder=tmp_path, name=None, profile=None)
        for number in range(10)
    ]
    side_by_side([*replays, *(hybrid(f"h{n}", f"dc{n}") for n in range(10))], machine.begin, at_once=8, needs=needs_of)
    assert machine.most_running == 8


def test_one_that_fails_ends_the_run_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, 0)
    machine.failing = "h0"
    with pytest.raises(OSError, match="no room"):
        side_by_side([hybrid(f"h{n}", f"dc{n % 2}") for n in range(40)], machine.begin, at_once=1, needs=needs_of)
    assert machine.begun == ["h0"]
